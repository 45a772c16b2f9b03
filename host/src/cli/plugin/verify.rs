//! `dscc plugin verify`: is what is installed still what was approved? Exit status 4 if not.

use serde::Serialize;

use crate::model::Problem;
use crate::plugins::{Catalog, Checked, Known, verify_folder, verify_plugins};
use crate::runtime::{CodeState, Limits};
use crate::ui::json::SchemaVersion;
use crate::ui::{Column, Style, Table};

use super::super::context::Context;
use super::super::exit::{Failure, Status};

/// What `dscc plugin verify --json` prints.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    plugins: Vec<Row>,
    findings: Vec<Problem>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    sound: bool,
    /// `sound`, `absent` or `damaged`.
    code: &'static str,
}

pub(super) fn run(context: &mut Context, names: &[String]) -> Result<Status, Failure> {
    let _still = context.plugins_folder().hold_still()?;
    let catalog = context.catalog();
    let mut folder_findings = verify_folder(&context.plugins_folder(), &catalog);
    // A built-in plugin that another runs instead of is there all the same.
    let overridden = |known: &Known| catalog.overridden.iter().any(|it| it.name == known.name());
    let asleep = Catalog::built_in(Limits::default()).plugins.into_iter().filter(overridden);
    let plugins: Vec<Known> = asleep.chain(catalog.plugins.iter().cloned()).collect();
    let is_meant = |name: &str| names.is_empty() || names.iter().any(|it| it == name);
    let is_known = |name: &str| {
        let told = folder_findings.iter().any(|problem| problem.plugin.as_deref() == Some(name));
        told || plugins.iter().any(|known| known.name() == name)
    };
    if let Some(name) = names.iter().find(|name| !is_known(name)) {
        let message = format!("there is no plugin `{name}`");
        return Err(Failure::new(Status::NotFound, message).hint("`dscc plugin list` shows the plugins"));
    }
    folder_findings.retain(|problem| names.is_empty() || problem.plugin.as_deref().is_some_and(is_meant));
    let meant: Vec<Known> = plugins.iter().filter(|known| is_meant(known.name())).cloned().collect();
    let runtime = context.runtime();
    let runtime = runtime.get().map_err(|kind| Failure::new(Status::Failed, kind.to_string()))?;
    let checked = verify_plugins(runtime, &meant);
    let findings: Vec<Problem> = checked.iter().flat_map(|it| it.findings.clone()).chain(folder_findings).collect();
    print(context, &checked, &findings)?;
    Ok(if findings.is_empty() { Status::Done } else { Status::Findings })
}

fn print(context: &mut Context, checked: &[Checked], findings: &[Problem]) -> Result<(), Failure> {
    let row = |it: &Checked| Row { name: it.name.clone(), sound: it.findings.is_empty(), code: code(it.code) };
    let rows: Vec<Row> = checked.iter().map(row).collect();
    if context.global.json {
        let document = Document { schema_version: SchemaVersion, plugins: rows, findings: findings.to_vec() };
        return context.print_json(&document);
    }
    if !context.global.quiet {
        let mut table = Table::new(["PLUGIN", "VERDICT", "COMPILED CODE"].map(Column::text).into());
        for row in &rows {
            let (verdict, style) = if row.sound { ("sound", Style::Plain) } else { ("not sound", Style::Warning) };
            table.row(style, [row.name.as_str(), verdict, row.code]);
        }
        let rendered = table.render(context.output.width, context.output.colors.stdout);
        context.output.print(&rendered.text)?;
        context.output.flush()?;
    }
    context.tell(findings);
    Ok(())
}

fn code(state: CodeState) -> &'static str {
    match state {
        CodeState::Sound => "sound",
        CodeState::Absent => "absent",
        CodeState::Damaged => "damaged",
    }
}
