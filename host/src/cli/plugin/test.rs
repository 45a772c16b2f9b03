//! `dscc plugin test`: a plugin against its author's cases, and against what every plugin must keep.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::conformance::{CHECKS, Case, Options, Report, Row, alone, read_cases, test};
use crate::model::escape_text;
use crate::plugins::{Facts, build, is_project};
use crate::runtime::{Limits, PluginError, PluginErrorKind};
use crate::ui::json::SchemaVersion;
use crate::ui::{Style, escape};

use super::super::args::PluginTest;
use super::super::context::Context;
use super::super::exit::{Failure, Status};
use super::add::Source;

/// What `dscc plugin test --json` prints.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    passed: bool,
    checks: Vec<Row>,
}

pub(super) fn run(context: &mut Context, args: &PluginTest) -> Result<Status, Failure> {
    let component = component(&args.plugin)?;
    let folder = args.cases.clone().unwrap_or_else(|| component.with_file_name("cases"));
    let cases = read_cases(&folder, &args.only).map_err(|error| Failure::new(Status::Usage, error.to_string()))?;
    let source = Source::read(&component)?;
    let facts = {
        let (_counters, _shown) = context.progress("compiling");
        facts(context, &component, &source.bytes)
    };
    let (name, report) = match facts {
        Ok(facts) => {
            let name = format!("{} {}", facts.manifest.name, facts.manifest.version);
            let survey = alone(context.runtime(), facts, component);
            let options = Options { bless: args.bless, cases_only: !args.only.is_empty() };
            let (counters, _shown) = context.progress("testing");
            let report = test(&survey, &cases, options, &counters);
            (name, report.map_err(|error| Failure::new(Status::Failed, error.to_string()))?)
        }
        Err(error) if matches!(error.kind, PluginErrorKind::Invalid(_)) => {
            (escape_text(component.as_os_str()), Report::without_manifest(error.told()))
        }
        Err(error) => return Err(error.into()),
    };
    let status = if report.passed() { Status::Done } else { Status::Findings };
    if context.global.json {
        let document = Document { schema_version: SchemaVersion, passed: report.passed(), checks: report.rows };
        context.print_json(&document)?;
    } else {
        print(context, &name, &report, &cases)?;
    }
    Ok(status)
}

/// The component to be tested: the file itself, or that of a folder.
fn component(plugin: &Path) -> Result<PathBuf, Failure> {
    if !plugin.is_dir() {
        return Ok(std::path::absolute(plugin).unwrap_or_else(|_| plugin.to_owned()));
    }
    if is_project(plugin) {
        return Ok(build(plugin)?.path);
    }
    let shown = escape_text(plugin.as_os_str());
    let entries = fs::read_dir(plugin).map_err(|error| Failure::new(Status::Failed, format!("`{shown}`: {error}")))?;
    let is_component = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "wasm");
    let mut found: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).filter(is_component).collect();
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(std::path::absolute(&one).unwrap_or(one)),
        (Some(_), false) => {
            let message = format!("`{shown}` has several components");
            Err(Failure::new(Status::Usage, message).hint("name the one to be tested"))
        }
        (None, _) => {
            let message = format!("`{shown}` has neither a project nor a component");
            Err(Failure::new(Status::NotFound, message).hint("name a plugin's folder, or a file that ends in .wasm"))
        }
    }
}

fn facts(context: &Context, component: &Path, bytes: &[u8]) -> Result<Facts, PluginError> {
    let name = component.file_name().unwrap_or_default().to_string_lossy();
    let runtime = context.runtime();
    let runtime = runtime.get().map_err(|kind| PluginError::of_file(&name, kind))?;
    Facts::of(runtime, &name, bytes, Limits::default())
}

/// A line for each promise that is broken, and one for all.
fn print(context: &mut Context, name: &str, report: &Report, cases: &[Case]) -> Result<(), Failure> {
    print_failed(context, report)?;
    context.output.flush()?;
    for path in &report.blessed {
        context.output.note(&format!("written: {}", escape_text(path.as_os_str())));
    }
    for case in &report.skipped {
        context.output.note(&format!("skipped: {case}, because permissions do not count for this user"));
    }
    if cases.is_empty() {
        context.output.note("There are no cases; `dscc plugin test --help` says how one is written.");
    }
    let failed = report.rows.iter().filter(|row| !row.passed).count();
    let verdict = if failed == 0 { "all passed".to_owned() } else { format!("{failed} failed") };
    let count = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let checks = report.rows.iter().map(|row| row.code).collect::<std::collections::BTreeSet<_>>().len();
    let (cases, trees) = (count(cases.len(), "case"), count(report.trees, "tree"));
    let line = format!("{name}: {} on {cases} and {trees}: {verdict}", count(checks, "check"));
    Ok(context.output.print(&format!("{}\n", escape(&line)))?)
}

fn print_failed(context: &mut Context, report: &Report) -> Result<(), Failure> {
    for row in report.rows.iter().filter(|row| !row.passed) {
        let promise = CHECKS.iter().find(|check| check.code == row.code).map_or("", |check| check.promise);
        let message = row.message.as_deref().unwrap_or(promise);
        let mut lines = message.lines();
        let more = if row.more == 0 { String::new() } else { format!(" (and {} more)", row.more) };
        let word = Style::Error.paint("failed:", context.output.colors.stdout);
        let case = row.case.as_deref().map_or(String::new(), |case| format!("{case}: "));
        let first = format!("{case}{}: {}{more}", row.code, lines.next().unwrap_or_default());
        context.output.print(&format!("{word} {}\n", escape(&first)))?;
        for line in lines {
            context.output.print(&format!("    {}\n", escape(line)))?;
        }
    }
    Ok(())
}
