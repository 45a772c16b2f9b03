//! `dscc paths`: dscc's own folders, and where each library's cache is looked for.

use serde::Serialize;

use crate::model::{Problem, escape_text};
use crate::ui::{Column, Style, Table, json};

use super::args::Paths;
use super::context::Context;
use super::exit::{Failure, Status};

/// What `dscc paths --json` prints.
#[derive(Serialize)]
struct Document {
    schema_version: json::SchemaVersion,
    config: String,
    plugins: String,
    state: String,
    cache: String,
    roots: Vec<RootRow>,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
struct RootRow {
    plugin: String,
    rule: String,
    path: String,
    origin: String,
    outcome: &'static str,
    message: Option<String>,
}

pub(super) fn run(context: &mut Context, args: &Paths) -> Result<Status, Failure> {
    let survey = context.survey();
    let scope = crate::survey::Scope { names: args.caches.caches.clone(), with_neighbours: false };
    let found = survey.find(&scope);
    survey.check_scope(&scope, &found.inventories)?;
    let roots = found.places.iter().map(|place| RootRow {
        plugin: place.plugin.clone(),
        rule: place.candidate.rule.clone(),
        path: escape_text(place.candidate.path.as_os_str()),
        origin: place.candidate.origin.to_string(),
        outcome: place.candidate.code(),
        message: place.candidate.message(),
    });
    let own = |path: &std::path::Path| escape_text(path.as_os_str());
    let document = Document {
        schema_version: json::SchemaVersion,
        config: own(&context.folders.config),
        plugins: own(&context.folders.plugins),
        state: own(&context.folders.state),
        cache: own(&context.folders.cache),
        roots: roots.collect(),
        errors: found.problems.clone(),
    };
    if context.global.json {
        context.print_json(&document)?;
        return Ok(Status::Done);
    }
    context.tell(&found.problems);
    print(context, &document)?;
    Ok(Status::Done)
}

fn print(context: &mut Context, document: &Document) -> Result<(), Failure> {
    let mut own = Table::new(vec![Column::text("DSCC"), Column::text("PATH"), Column::text("OVERRIDE")]);
    own.row(Style::Plain, ["settings", &document.config, "DSCC_CONFIG"]);
    own.row(Style::Plain, ["plugins", &document.plugins, "DSCC_PLUGINS_DIR"]);
    own.row(Style::Plain, ["state", &document.state, "DSCC_STATE_DIR"]);
    own.row(Style::Plain, ["compiled code", &document.cache, "DSCC_CACHE_DIR"]);
    let titles = ["PLUGIN", "RULE", "PATH", "FROM", "OUTCOME"];
    let mut roots = Table::new(titles.map(Column::text).into());
    for root in &document.roots {
        let outcome = root.outcome.trim_start_matches("root-");
        roots.row(Style::Plain, [&root.plugin, &root.rule, &root.path, &root.origin, outcome]);
    }
    for table in [own, roots] {
        let rendered = table.render(context.output.width, context.output.colors.stdout);
        context.output.print(&rendered.text)?;
        context.output.print("\n")?;
    }
    Ok(())
}
