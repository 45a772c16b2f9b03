//! `dscc plugin build`: makes a component, and says what it is and how to install it. With `--quiet` its path alone, for
//! scripts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use crate::model::escape_text;
use crate::plugins::{Built, as_argument, build};
use crate::runtime::is_inert;
use crate::ui::json::SchemaVersion;
use crate::ui::{escape, size};

use super::super::context::Context;
use super::super::exit::{Failure, Status};

#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    component: Component,
}

#[derive(Serialize)]
struct Component {
    path: String,
    size: u64,
    digest: String,
    interface: String,
    imports: Vec<Import>,
}

#[derive(Serialize)]
struct Import {
    name: String,
    inert: bool,
}

pub(super) fn run(context: &mut Context, dir: &Path) -> Result<Status, Failure> {
    let start = Instant::now();
    let built = build(dir)?;
    let seconds = start.elapsed().as_secs_f64();
    if context.global.json {
        context.print_json(&Document { schema_version: SchemaVersion, component: component(&built) })?;
    } else if context.global.quiet {
        context.output.print(&format!("{}\n", escape(&escape_text(built.path.as_os_str()))))?;
    } else {
        print(context, dir, &built, seconds)?;
    }
    Ok(Status::Done)
}

fn component(built: &Built) -> Component {
    let import = |name: &String| Import { name: name.clone(), inert: is_inert(name) };
    Component {
        path: escape_text(built.path.as_os_str()),
        size: built.size,
        digest: built.digest.clone(),
        interface: built.audit.interface().unwrap_or_default().to_owned(),
        imports: built.audit.imports.iter().map(import).collect(),
    }
}

fn print(context: &mut Context, dir: &Path, built: &Built, seconds: f64) -> Result<(), Failure> {
    let component = component(built);
    let path = escape_text(nearby(dir, &built.path).as_os_str());
    let names = component.imports.iter().filter(|it| !it.inert).map(|it| it.name.as_str());
    let lines = [
        ("size", format!("{} ({} bytes), built in {seconds:.1} s", size(built.size), built.size)),
        ("sha256", component.digest.clone()),
        ("interface", component.interface.clone()),
        ("imports", names.collect::<Vec<_>>().join(", ")),
        ("inert", inert(&component.imports)),
    ];
    context.output.print(&format!("{}\n", escape(&path)))?;
    for (label, text) in lines.iter().filter(|(_, text)| !text.is_empty()) {
        context.output.print(&format!("  {label:<9} {}\n", escape(text)))?;
    }
    let add = format!("dscc plugin add {}", as_argument(&path));
    Ok(context.output.print(&format!("Install it with: {}\n", escape(&add)))?)
}

/// The packages of what is there and empty, and how much of each is imported.
fn inert(imports: &[Import]) -> String {
    let mut packages: BTreeMap<&str, usize> = BTreeMap::new();
    for import in imports.iter().filter(|it| it.inert) {
        *packages.entry(import.name.split('/').next().unwrap_or_default()).or_default() += 1;
    }
    let packages: Vec<String> = packages.iter().map(|(name, count)| format!("{name} ({count})")).collect();
    packages.join(", ")
}

/// The component as it is found from where the user is.
fn nearby(dir: &Path, component: &Path) -> PathBuf {
    let name = component.file_name().unwrap_or(component.as_os_str());
    let path = dir.join(name);
    if path.is_absolute() || path.starts_with(".") || path.starts_with("..") { path } else { Path::new(".").join(path) }
}
