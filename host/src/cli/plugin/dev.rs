//! `dscc plugin dev`: what the plugin in a folder finds on this machine, as it is being written. It is built and asked
//! alone; nothing is installed, and a mistake is shown and waited out.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::model::escape_text;
use crate::plugins::{Catalog, Code, Facts, Known, Sources, build};
use crate::runtime::{Limits, PluginErrorKind, forget_code};
use crate::ui::size;

use super::super::args::{Caches, List, Show};
use super::super::context::Context;
use super::super::exit::{Failure, Status};
use super::super::{list, show};

/// How often the sources are looked at: they are few, and asking the system to tell would not work on every disk.
const PERIOD: Duration = Duration::from_millis(300);

pub(super) fn run(context: &mut Context, dir: &Path, once: bool) -> Result<Status, Failure> {
    // Who writes a plugin wants to see what it logs.
    context.global.verbose = context.global.verbose.max(1);
    let mut sources = Sources::of(dir);
    let first = round(context, dir);
    if once || fs::metadata(dir).is_err() {
        return first;
    }
    settle(context, first)?;
    loop {
        context.output.note("Waiting for a change; Ctrl-C ends.");
        let changed = next_change(&mut sources, dir);
        context.output.note(&format!("\nchanged: {changed}"));
        let status = round(context, dir);
        settle(context, status)?;
    }
}

/// Builds the plugin, and shows what it finds.
fn round(context: &mut Context, dir: &Path) -> Result<Status, Failure> {
    let built = build(dir)?;
    let name = escape_text(built.path.file_stem().unwrap_or_default());
    let bytes = fs::read(&built.path).map_err(|error| Failure::new(Status::Failed, error.to_string()))?;
    let runtime = context.runtime();
    let runtime = runtime.get().map_err(|error: PluginErrorKind| Failure::new(Status::Failed, error.to_string()))?;
    let facts = Facts::of(runtime, &name, &bytes, Limits::default())?;
    let (manifest, weight) = (&facts.manifest, size(built.size));
    context.output.note(&format!("{} {} ({weight})", manifest.name, manifest.version));
    let code = Code::File { path: built.path, source: None };
    forget_last(context, &facts.digest);
    let known = Known { facts, code, limits: Limits::default() };
    context.only = Some(Catalog { plugins: vec![known], ..Catalog::default() });
    let caches = || Caches { caches: Vec::new() };
    let children = Show { caches: caches(), children: true, entries: Vec::new() };
    if context.global.json || context.global.quiet {
        return show::run(context, &children);
    }
    let (status, count) = list::overview(context, &List { caches: caches(), reclaimable: false })?;
    if count == 0 {
        return Ok(status);
    }
    context.output.print("\n")?;
    Ok(if show::run(context, &children)? == Status::Done { status } else { Status::Failed })
}

/// Every change is another component, and its compiled code would be kept for months.
fn forget_last(context: &Context, digest: &str) {
    let last = context.only.iter().flat_map(|catalog| &catalog.plugins).map(|known| &known.facts.digest);
    let installed = context.plugins_folder().read().map(|file| file.digests()).unwrap_or_default();
    for last in last.filter(|last| *last != digest && !installed.contains(*last)) {
        forget_code(&context.folders.cache, last);
    }
}

/// Tells what went wrong and goes on, unless nobody reads any more.
fn settle(context: &mut Context, result: Result<Status, Failure>) -> Result<(), Failure> {
    match result {
        Err(failure) if failure.message.is_empty() => return Err(failure),
        Err(failure) => {
            failure.report(&mut context.output);
        }
        Ok(_) => {}
    }
    Ok(context.output.flush()?)
}

/// Waits until a source is another, and for whoever writes it to be done.
fn next_change(sources: &mut Sources, dir: &Path) -> String {
    loop {
        sleep(PERIOD);
        let now = Sources::of(dir);
        let Some(path) = sources.difference(&now) else { continue };
        let changed = escape_text(path.as_os_str());
        *sources = now;
        loop {
            sleep(PERIOD);
            let now = Sources::of(dir);
            let is_settled = *sources == now;
            *sources = now;
            if is_settled {
                return changed;
            }
        }
    }
}
