//! What a case expects: the documents of `show` and `clean -n` on its tree, without what differs from machine to machine.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;
use similar::TextDiff;

use crate::clean::{EntryIx, Inventory, Selection, SelectionError, Target, Terms, select};
use crate::documents;
use crate::model::escape_text;
use crate::ui::json::{ShowDocument, to_text};

use super::case::Case;
use super::home::{Home, HomeError};
use super::look::{Look, Subject};
use super::report::Finding;

/// Why a case could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum GoldenError {
    /// A file.
    #[error("`{0}` cannot be read or written: {1}")]
    Io(String, io::Error),
    /// There is no place for the tree.
    #[error("the case `{0}`: {1}")]
    Home(String, HomeError),
    /// `clean:`.
    #[error("the case `{0}`, `clean:`: {1}")]
    Selection(String, SelectionError),
    /// A document that cannot be made.
    #[error("writing JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// What came of one case.
#[derive(Debug, Default)]
pub(super) struct Golden {
    pub(super) findings: Vec<Finding>,
    pub(super) written: Vec<PathBuf>,
}

/// Compares with what the case expects, or writes it.
pub(super) fn check(subject: Subject<'_>, case: &Case, bless: bool) -> Result<Golden, GoldenError> {
    let home = Home::new("home", subject.rules(), &case.setting, &case.tree)
        .map_err(|error| GoldenError::Home(case.name.clone(), error))?;
    let look = Look::of(subject, &home);
    let mut golden = Golden::default();
    let plan = planned(&look, &home, case);
    golden.compare("expected", &case.folder.join("expected.json"), &shown(&look, &home)?, bless)?;
    golden.compare("plan", &case.folder.join("plan.json"), &plan?, bless)?;
    Ok(golden)
}

impl Golden {
    fn compare(&mut self, code: &'static str, file: &Path, now: &str, bless: bool) -> Result<(), GoldenError> {
        let fail = |error| GoldenError::Io(escape_text(file.as_os_str()), error);
        let before = match fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(fail(error)),
        };
        if before.as_deref() == Some(now) {
            return Ok(());
        }
        if bless {
            fs::write(file, now).map_err(fail)?;
            self.written.push(file.to_owned());
            return Ok(());
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let message = match before {
            None => format!("there is no {name}; `--bless` writes it"),
            Some(before) => format!("{name} expects something else (`--bless` takes it over)\n{}", diff(&before, now)),
        };
        self.findings.push(Finding { code, message });
        Ok(())
    }
}

fn diff(before: &str, now: &str) -> String {
    let diff = TextDiff::from_lines(before, now);
    diff.unified_diff().context_radius(3).header("expected", "now").to_string()
}

/// `show --children --json`
fn shown(look: &Look<'_>, home: &Home) -> Result<String, GoldenError> {
    let mut document = ShowDocument { errors: look.found.problems.clone(), ..ShowDocument::default() };
    for (inventory, weights) in look.found.inventories.iter().zip(&look.weights) {
        for ix in in_order(inventory) {
            let mut row = documents::show_entry(inventory, weights, ix);
            row.last_used = inventory.items[ix].entry.last_used;
            document.entries.push(row);
        }
    }
    portable(&document, home)
}

/// Each entry before what is in it.
fn in_order(inventory: &Inventory) -> Vec<EntryIx> {
    let tops = inventory.caches.iter().flat_map(|cache| &cache.top);
    let mut waiting: Vec<EntryIx> = tops.rev().copied().collect();
    let mut order = Vec::new();
    while let Some(ix) = waiting.pop() {
        order.push(ix);
        waiting.extend(inventory.items[ix].children.iter().rev());
    }
    order
}

/// `clean -n --json`
fn planned(look: &Look<'_>, home: &Home, case: &Case) -> Result<String, GoldenError> {
    let targets: Vec<Target> = case.setting.clean.iter().map(|text| Target { text: text.clone() }).collect();
    let selection = Selection { all: targets.is_empty(), targets };
    let chosen = select(&look.found.inventories, &selection)
        .map_err(|error| GoldenError::Selection(case.name.clone(), error))?;
    let plan = look.plan(&chosen, Terms::default(), true);
    portable(&documents::clean(&look.found, &plan, &[], true), home)
}

fn portable(document: &impl Serialize, home: &Home) -> Result<String, GoldenError> {
    let mut value = serde_json::to_value(document)?;
    for row in value.get_mut("entries").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(row) = row.as_object_mut() {
            row.remove("disk_size");
            row.remove("modified");
        }
    }
    // Of a plan it says nothing.
    value.as_object_mut().and_then(|document| document.remove("freed_disk_at_least"));
    Ok(home.portable(&to_text(&value)?))
}
