//! `dscc plugin list`: what there is, from the lock file alone. No component is read.

use crate::plugins::{Catalog, LockFile, built_in};
use crate::roots::Environment;
use crate::ui::json::SchemaVersion;
use crate::ui::{Column, Style, Table};

use super::super::context::{Context, status_of};
use super::super::exit::{Failure, Status};
use super::row::{ListDocument, Row};

/// So many digits tell plugins apart.
const DIGITS: usize = 12;

pub(super) fn run(context: &mut Context) -> Result<Status, Failure> {
    let catalog = context.catalog();
    // What is wrong with the lock file is among the catalog's problems.
    let file = context.plugins_folder().read().unwrap_or_default();
    let rows = rows(&catalog, &file, &context.environment());
    let problems: Vec<_> = catalog.problems.iter().cloned().chain(catalog.notices()).collect();
    let status = status_of(&problems);
    if context.global.json {
        context.print_json(&ListDocument { schema_version: SchemaVersion, plugins: rows, errors: problems })?;
        return Ok(status);
    }
    context.tell(&problems);
    if context.global.quiet {
        rows.iter().try_for_each(|row| context.output.print(&format!("{}\n", row.name)))?;
        return Ok(status);
    }
    let titles = ["PLUGIN", "VERSION", "FROM", "CACHES FOUND", "INTERFACE", "DIGEST"];
    let mut table = Table::new(titles.map(Column::text).into());
    for row in &rows {
        let style = if row.runs { Style::Plain } else { Style::Dim };
        let caches = if row.caches.is_empty() { "-".to_owned() } else { row.caches.join(", ") };
        let digest = &row.digest[..DIGITS.min(row.digest.len())];
        table.row(style, [&row.name, &row.version, &row.origin(), &caches, &row.interface, digest]);
    }
    let rendered = table.render(context.output.width, context.output.colors.stdout);
    context.output.print(&rendered.text)?;
    if let Some(note) = rendered.note {
        context.output.flush()?;
        context.output.note(&note);
    }
    Ok(status)
}

/// The built-in plugins, then the installed ones by name.
pub(super) fn rows(catalog: &Catalog, file: &LockFile, environment: &Environment) -> Vec<Row> {
    let runs = |name: &str, built_in: bool| {
        catalog.plugins.iter().any(|known| known.name() == name && known.is_built_in() == built_in)
    };
    let built_in = built_in().iter().map(|it| {
        let row = Row::of(&it.facts, environment);
        let by = catalog.overridden.iter().find(|overridden| overridden.name == row.name).map(|it| it.by.clone());
        Row { built_in: true, runs: runs(&row.name, true), overridden_by: by, ..row }
    });
    let installed = file.records.iter().map(|record| {
        let row = Row::installed(record, environment);
        Row { runs: runs(&row.name, false), ..row }
    });
    built_in.chain(installed).collect()
}
