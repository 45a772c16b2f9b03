//! `dscc plugin info NAME|PATH`: everything about one plugin. Of a file nothing runs but `describe`, which has no rights.

use std::borrow::Cow;
use std::path::Path;

use serde::Serialize;

use crate::plugins::{Facts, Known, LockFile, Record, built_in, request};
use crate::runtime::{Appraisal, CodeState, LimitSettings, Limits, NAMED};
use crate::ui::json::SchemaVersion;
use crate::ui::{escape, size};

use super::super::context::Context;
use super::super::exit::{Failure, Status};
use super::add::{Source, inspect};
use super::rights::{self, Import, Limit, Root};
use super::row::Row;

/// Characters of a title that are shown.
pub(super) const MAX_TITLE: usize = 80;
/// Characters of a summary that are shown.
const MAX_SUMMARY: usize = 300;

/// What `dscc plugin info --json` prints.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    plugin: Detail,
}

#[derive(Serialize)]
struct Detail {
    #[serde(flatten)]
    row: Row,
    installed: bool,
    homepage: Option<String>,
    license: Option<String>,
    roots: Vec<Root>,
    imports: Vec<Import>,
    limits: Vec<Limit>,
    code: Code,
    extra: Vec<(String, String)>,
}

/// What the component costs on this machine.
#[derive(Serialize)]
struct Code {
    size: u64,
    compile_ms: f64,
    load_ms: f64,
    /// Whether it is compiled already.
    cached: bool,
}

/// What is to be shown.
struct Subject {
    facts: Facts,
    component: Vec<u8>,
    record: Option<Record>,
    built_in: bool,
}

pub(super) fn run(context: &mut Context, plugin: &Path) -> Result<Status, Failure> {
    let subject = subject(context, plugin)?;
    let runtime = context.runtime();
    let failed = |error: crate::runtime::PluginErrorKind| Failure::new(Status::Failed, error.to_string());
    let runtime = runtime.get().map_err(failed)?;
    let appraisal = {
        let (_counters, _shown) = context.progress("compiling");
        runtime.appraise(&subject.facts.manifest.name, &subject.facts.digest, &subject.component)?
    };
    let cached = runtime.code_state(&subject.facts.digest) == CodeState::Sound;
    let detail = detail(context, &subject, appraisal, cached);
    if context.global.json {
        context.print_json(&Document { schema_version: SchemaVersion, plugin: detail })?;
    } else {
        print(context, &subject, &detail)?;
    }
    Ok(Status::Done)
}

/// A plugin of that name, else a file.
fn subject(context: &mut Context, plugin: &Path) -> Result<Subject, Failure> {
    if let Some(name) = plugin.to_str() {
        let read = context.plugins_folder().read();
        if let Some(subject) = read.as_ref().ok().and_then(|file| installed(context, file, name)) {
            return subject;
        }
        if let Some(it) = built_in().iter().find(|it| it.facts.manifest.name == name) {
            let component = it.component.to_owned();
            return Ok(Subject { facts: it.facts.clone(), component, record: None, built_in: true });
        }
        if plugin != Path::new("-") && (plugin.is_dir() || !plugin.exists()) {
            // It may well be installed.
            let file = read?;
            if let Some(damaged) = file.damaged.iter().find(|it| it.name.as_deref() == Some(name)) {
                let message = format!("the record of the installed plugin `{name}` is damaged ({})", damaged.why);
                return Err(Failure::new(Status::Failed, message).hint(damaged.hint()));
            }
        }
    }
    if plugin != Path::new("-") && !plugin.exists() {
        let message = format!("there is no plugin `{0}`, and no file either", plugin.display());
        return Err(Failure::new(Status::NotFound, message).hint("`dscc plugin list` shows the plugins"));
    }
    let source = Source::read(plugin)?;
    let facts = inspect(context, &source, Limits::default())?;
    Ok(Subject { facts, component: source.bytes, record: None, built_in: false })
}

fn installed(context: &Context, file: &LockFile, name: &str) -> Option<Result<Subject, Failure>> {
    let record = file.get(name)?;
    let known = Known::installed(&context.plugins_folder(), record, Limits::default());
    let subject = |component: Cow<'static, [u8]>| Subject {
        facts: record.facts.clone(),
        component: component.into_owned(),
        record: Some(record.clone()),
        built_in: false,
    };
    Some(known.component().map(subject).map_err(Failure::from))
}

fn detail(context: &Context, subject: &Subject, appraisal: Appraisal, cached: bool) -> Detail {
    let environment = context.environment();
    let manifest = subject.facts.manifest.clone();
    let row = match &subject.record {
        Some(record) => Row::installed(record, &environment),
        None => Row::of(&subject.facts, &environment),
    };
    let milliseconds = |time: std::time::Duration| (time.as_secs_f64() * 1e5).round() / 100.0;
    let catalog = context.catalog();
    let overridden = catalog.overridden.iter().find(|it| subject.built_in && it.name == row.name);
    let is_same = |it: &&Known| it.name() == row.name && it.facts.digest == row.digest;
    let runs = catalog.plugins.iter().any(|it| is_same(&it));
    Detail {
        row: Row { built_in: subject.built_in, overridden_by: overridden.map(|it| it.by.clone()), runs, ..row },
        installed: subject.record.is_some(),
        homepage: manifest.homepage,
        license: manifest.license,
        roots: rights::roots(&subject.facts, &catalog, &environment),
        imports: rights::imports(&subject.facts),
        limits: rights::limits(&settings(subject)),
        code: Code {
            size: appraisal.code,
            compile_ms: milliseconds(appraisal.compile),
            load_ms: milliseconds(appraisal.load),
            cached,
        },
        extra: manifest.extra,
    }
}

fn settings(subject: &Subject) -> LimitSettings {
    subject.record.as_ref().map(|record| record.limits.clone()).unwrap_or_default()
}

fn print(context: &mut Context, subject: &Subject, detail: &Detail) -> Result<(), Failure> {
    let (facts, manifest) = (&subject.facts, &subject.facts.manifest);
    let overrides = subject.record.as_ref().map(|record| record.overrides.clone()).unwrap_or_default();
    let request = request(facts, &LimitSettings::new(), &overrides);
    let mut lines = vec![(
        "from",
        if subject.built_in || detail.installed { detail.row.origin() } else { "a file, not installed".into() },
    )];
    lines.extend(detail.row.source.iter().map(|source| ("source", source.clone())));
    lines.extend(detail.row.added.iter().map(|added| ("added", added.clone())));
    lines.extend(manifest.homepage.iter().map(|homepage| ("homepage", homepage.clone())));
    lines.extend(manifest.license.iter().map(|license| ("license", license.clone())));
    lines.extend(rights::lines(facts, &request, &context.catalog(), &context.environment()));
    for (label, inert) in [("imports", false), ("inert", true)] {
        let of_kind = detail.imports.iter().filter(|it| it.inert == inert).map(|it| it.name.as_str());
        lines.push((label, of_kind.collect::<Vec<_>>().join(", ")));
    }
    lines.retain(|(label, text)| *label != "inert" || !text.is_empty());
    let set = Limits::default().with(&settings(subject));
    let limit = |it: &crate::runtime::Named| {
        let (value, default) = (it.of(&set), it.of(&Limits::default()));
        let note = if value == default { String::new() } else { format!(" (not {})", it.shown(default)) };
        format!("{} {}{note}", it.name, it.shown(value))
    };
    lines.push(("limits", NAMED.iter().map(limit).collect::<Vec<_>>().join(", ")));
    let code = &detail.code;
    let cached = if code.cached { "compiled already" } else { "not compiled yet" };
    let times = format!("compiles in {} ms, loads in {} ms", code.compile_ms, code.load_ms);
    lines.push(("code", format!("{}, {times}, {cached}", size(code.size))));
    lines.extend(manifest.extra.iter().map(|(key, value)| ("extra", format!("{key}: {value}"))));
    print_lines(context, facts, &lines)
}

/// The heading and the labelled lines, each escaped.
pub(super) fn print_lines(context: &mut Context, facts: &Facts, lines: &[(&str, String)]) -> Result<(), Failure> {
    Ok(context.output.print(&described(facts, lines))?)
}

/// The same as text.
pub(super) fn described(facts: &Facts, lines: &[(&str, String)]) -> String {
    let manifest = &facts.manifest;
    let title = shortened(&manifest.title, MAX_TITLE);
    let mut text = format!("{}\n", escape(&format!("{} {}: {title}", manifest.name, manifest.version)));
    if !manifest.summary.is_empty() {
        text.push_str(&format!("  {}\n", escape(&shortened(&manifest.summary, MAX_SUMMARY))));
    }
    for (label, line) in lines {
        text.push_str(&format!("  {label:<9} {}\n", escape(line)));
    }
    text
}

/// What a plugin says in its own praise must not push what it asks for off the screen.
pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}
