//! `dscc plugin remove`: the component, its record and its compiled code go; its caches stay as they are.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::plugins::{LockFile, built_in, remove};
use crate::runtime::forget_code;
use crate::ui::json::SchemaVersion;

use super::super::context::Context;
use super::super::exit::{Failure, Status};

/// What `dscc plugin remove --json` prints.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    dry_run: bool,
    removed: Vec<String>,
}

pub(super) fn run(context: &mut Context, names: &[String], dry_run: bool) -> Result<Status, Failure> {
    let folder = context.plugins_folder();
    let file = folder.read()?;
    let mut seen = BTreeSet::new();
    let names: Vec<String> = names.iter().filter(|name| seen.insert(*name)).cloned().collect();
    // All of them or none.
    names.iter().try_for_each(|name| check(&file, name))?;
    if !dry_run {
        for name in &names {
            if let Some(record) = remove(&folder, name)? {
                forget_code(&context.folders.cache, &record.facts.digest);
            }
        }
    }
    if context.global.json {
        let document = Document { schema_version: SchemaVersion, dry_run, removed: names };
        context.print_json(&document)?;
        return Ok(Status::Done);
    }
    let done = if dry_run { "Would remove" } else { "Removed" };
    for name in &names {
        context.output.note(&format!("{done} the plugin {name}; its caches stay as they are."));
    }
    let back = built_in().iter().filter(|it| {
        file.records.iter().any(|record| {
            names.contains(&record.name().to_owned()) && record.overrides.contains(&it.facts.manifest.name)
        })
    });
    for name in back.map(|it| it.facts.manifest.name.as_str()) {
        context.output.note(&format!("The built-in plugin {name} runs again."));
    }
    Ok(Status::Done)
}

fn check(file: &LockFile, name: &str) -> Result<(), Failure> {
    let is_damaged = file.damaged.iter().any(|damaged| damaged.name.as_deref() == Some(name));
    if file.get(name).is_some() || is_damaged {
        return Ok(());
    }
    if built_in().iter().any(|it| it.facts.manifest.name == name) {
        let message = format!("`{name}` is built in and cannot be removed");
        return Err(Failure::new(Status::Refused, message).hint("a plugin added with --replace runs instead of it"));
    }
    let message = format!("no plugin `{name}` is installed");
    Err(Failure::new(Status::NotFound, message).hint("`dscc plugin list` shows the plugins"))
}
