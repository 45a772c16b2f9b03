//! `dscc plugin add` and `dscc plugin update`: look into a component, show what it is and may do, ask, install. What is
//! shown, asked about and written is one proposal.

use std::fs::File;
use std::io::{Read, stdin};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{escape_text, unescape_name};
use crate::plugins::{Change, Facts, Known, LockFile, Proposal, Record, Wish, install};
use crate::runtime::{LimitSettings, Limits, PluginError, digest, forget_code};
use crate::ui::json::SchemaVersion;
use crate::ui::{Answer, can_ask, confirm, escape};

use super::super::args::{Installing, PluginAdd, PluginUpdate};
use super::super::context::Context;
use super::super::exit::{Failure, Status};
use super::info::{MAX_TITLE, described, shortened};
use super::rights::{self, Limit, Root};
use super::row::Row;

/// A component and where it came from.
pub(super) struct Source {
    pub(super) bytes: Vec<u8>,
    /// The file, escaped; none for standard input.
    pub(super) path: Option<String>,
}

/// What `add` and `update` print as JSON.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    dry_run: bool,
    /// `none`, `repair`, `add` or `update`.
    action: &'static str,
    plugin: Row,
    roots: Vec<Root>,
    limits: Vec<Limit>,
    /// Against what was approved before; empty for a new plugin.
    changes: Vec<Change>,
    /// Installed plugins that go.
    removes: Vec<String>,
}

/// What is about to be done.
struct Prepared {
    source: Source,
    facts: Facts,
    wish: Wish,
    proposal: Proposal,
    action: Action,
    /// The digests of installed components that go.
    replaced: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// It is all there.
    None,
    /// It is approved, and its file is not what it was.
    Repair,
    Add,
    Update,
}

impl Source {
    /// Reads a component, and no more than any has.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let limit = Limits::default().component as u64;
        let mut bytes = Vec::new();
        let mut read = |input: &mut dyn Read| input.take(limit + 1).read_to_end(&mut bytes);
        if path == Path::new("-") {
            read(&mut stdin().lock()).map_err(|error| unreadable("standard input", &error))?;
            return Ok(Self { bytes, path: None });
        }
        let shown = escape_text(path.as_os_str());
        if path.is_dir() {
            let message = format!("`{shown}` is a folder, not a component");
            return Err(Failure::new(Status::Usage, message)
                .hint("`dscc plugin build` makes a component from a plugin's folder; name that file"));
        }
        match File::open(path) {
            Ok(mut file) => read(&mut file).map_err(|error| unreadable(&shown, &error))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let message = format!("there is no file `{shown}`");
                return Err(
                    Failure::new(Status::NotFound, message).hint("name the component: a file that ends in .wasm")
                );
            }
            Err(error) => return Err(unreadable(&shown, &error)),
        };
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Ok(Self { bytes, path: Some(escape_text(whole.as_os_str())) })
    }

    fn name(&self) -> &str {
        self.path.as_deref().unwrap_or("standard input")
    }
}

fn unreadable(what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Status::Failed, format!("`{what}` cannot be read: {error}"))
        .hint("make the file readable, or name another")
}

/// Looks into a component without giving it any right. Compiles it, which is what takes time.
pub(super) fn inspect(context: &Context, source: &Source, limits: Limits) -> Result<Facts, Failure> {
    let runtime = context.runtime();
    let name = source.path.as_deref().and_then(|path| path.rsplit('/').next()).unwrap_or("standard input");
    let runtime = runtime.get().map_err(|kind| PluginError::of_file(name, kind))?;
    let (_counters, _shown) = context.progress("compiling");
    Ok(Facts::of(runtime, name, &source.bytes, limits)?)
}

pub(super) fn add(context: &mut Context, args: &PluginAdd) -> Result<Status, Failure> {
    carry_out(context, &args.path, &args.how, None)
}

pub(super) fn update(context: &mut Context, args: &PluginUpdate) -> Result<Status, Failure> {
    let file = context.plugins_folder().read()?;
    let path = match (&args.path, file.get(&args.name)) {
        (_, None) => {
            let message = format!("no plugin `{}` is installed", args.name);
            return Err(Failure::new(Status::NotFound, message)
                .hint("`dscc plugin list` shows the plugins; `dscc plugin add PATH` installs one"));
        }
        (Some(path), _) => path.clone(),
        (None, Some(record)) => {
            record.source.as_deref().and_then(unescape_name).map(PathBuf::from).ok_or_else(|| {
                let message = format!("`{}` was added from standard input", args.name);
                Failure::new(Status::Usage, message).hint("name the new component: `dscc plugin update NAME PATH`")
            })?
        }
    };
    carry_out(context, &path, &args.how, Some(args.name.clone()))
}

fn carry_out(context: &mut Context, path: &Path, how: &Installing, update: Option<String>) -> Result<Status, Failure> {
    let source = Source::read(path)?;
    check_digest(&source, how)?;
    let prepared = prepare(context, source, how, update)?;
    if prepared.action == Action::None {
        let Facts { manifest, digest, .. } = &prepared.facts;
        let text =
            format!("{} {} ({}) is installed already; nothing to do.", manifest.name, manifest.version, &digest[..12]);
        return finish(context, &prepared, how, &text);
    }
    let widens = prepared.proposal.widens();
    let asks = widens && !how.yes && !how.dry_run;
    if !context.global.json {
        let text = shown(context, &prepared);
        context.output.print(&text)?;
        context.output.flush()?;
    }
    if asks {
        check_can_ask(context)?;
    }
    if how.dry_run {
        return finish(context, &prepared, how, "Nothing was installed: this is a dry run.");
    }
    if asks {
        let question = if prepared.action == Action::Update { "Allow this?" } else { "Install it?" };
        let answer = confirm(question, &mut stdin().lock(), context.output.questions());
        if answer.map_err(anyhow::Error::from)? == Answer::No {
            context.output.note("Nothing was installed.");
            return Ok(Status::Done);
        }
    }
    let Prepared { source, facts, wish, proposal, .. } = &prepared;
    install(&context.plugins_folder(), &source.bytes, facts, source.path.clone(), wish, proposal)?;
    prepared.replaced.iter().for_each(|old| forget_code(&context.folders.cache, old));
    let name = &facts.manifest.name;
    let done = match prepared.action {
        Action::Repair => format!("{name} is as it was approved again."),
        Action::Update => format!("{name} is updated to {}.", facts.manifest.version),
        Action::Add | Action::None => format!("{name} {} is installed.", facts.manifest.version),
    };
    finish(context, &prepared, how, &done)
}

/// The author's word on the bytes, if the user passed it on.
fn check_digest(source: &Source, how: &Installing) -> Result<(), Failure> {
    let Some(wanted) = &how.digest else { return Ok(()) };
    let found = digest(&source.bytes);
    if wanted.eq_ignore_ascii_case(&found) {
        return Ok(());
    }
    let message = format!("`{}` has the SHA-256 {found}, not {wanted}", source.name());
    Err(Failure::new(Status::Refused, message).hint("get the file again from its author; do not install this one"))
}

fn prepare(context: &Context, source: Source, how: &Installing, update: Option<String>) -> Result<Prepared, Failure> {
    let folder = context.plugins_folder();
    let file = folder.read()?;
    let limits: LimitSettings = how.limits.iter().cloned().collect();
    let digest = digest(&source.bytes);
    let same = |it: &&Record| it.facts.digest == digest;
    let before = update.as_deref().and_then(|name| file.get(name)).or_else(|| file.records.iter().find(same));
    let before = before.map(|it| it.limits.clone()).unwrap_or_default();
    let facts = inspect(context, &source, Limits::default().with(&before).with(&limits))?;
    let wish = Wish { update, replace: how.replace, limits };
    let proposal = Proposal::new(&file, &facts, &wish)?;
    let action = action(context, &file, &facts, &proposal);
    let goes = |it: &&Record| it.name() == facts.manifest.name || proposal.removes.contains(it.name());
    let goes = file.records.iter().filter(goes).map(|it| it.facts.digest.clone());
    let replaced = goes.filter(|old| *old != digest).collect();
    Ok(Prepared { source, facts, wish, proposal, action, replaced })
}

fn action(context: &Context, file: &LockFile, facts: &Facts, proposal: &Proposal) -> Action {
    let Some(record) = file.get(&facts.manifest.name) else { return Action::Add };
    if !proposal.is_done(facts) {
        return Action::Update;
    }
    let known = Known::installed(&context.plugins_folder(), record, Limits::default());
    if known.component().is_ok() { Action::None } else { Action::Repair }
}

fn check_can_ask(context: &Context) -> Result<(), Failure> {
    let (message, hint) = if context.global.json {
        ("--json never asks, so it needs to be told", "-n shows what would be done, -y approves it")
    } else if !can_ask() {
        ("there is no terminal to ask on", "-n shows what would be done, -y approves it without asking")
    } else {
        return Ok(());
    };
    Err(Failure::new(Status::Refused, message).hint(hint))
}

/// All of a new plugin; of an update what changes, and that is all.
fn shown(context: &Context, prepared: &Prepared) -> String {
    let Prepared { facts, proposal, .. } = prepared;
    let mut text = match &proposal.before {
        Some(before) if prepared.action == Action::Update => {
            let (catalog, environment) = (context.catalog(), context.environment());
            let here = rights::lines_of_changed_rules(facts, &before.facts, &catalog, &environment);
            changed(facts, &before.facts, &proposal.changes, &here)
        }
        _ => described(facts, &rights::lines(facts, &proposal.request, &context.catalog(), &context.environment())),
    };
    for other in &proposal.removes {
        text.push_str(&format!("  removes   the installed plugin {}\n", escape(other)));
    }
    text
}

fn changed(facts: &Facts, before: &Facts, changes: &[Change], here: &[String]) -> String {
    let (old, new) = (&before.manifest.version, &facts.manifest.version);
    let version = if old == new { format!("{new}, other bytes") } else { format!("{old} -> {new}") };
    let version = if before.digest == facts.digest { new.clone() } else { version };
    let title = shortened(&facts.manifest.title, MAX_TITLE);
    let mut text = format!("{}\n", escape(&format!("{} {version}: {title}", facts.manifest.name)));
    text.push_str(&format!("  digest    {}\n", facts.digest));
    if changes.is_empty() {
        text.push_str("  rights    the same as before\n");
    }
    for change in changes {
        text.push_str(&format!("  {}\n", escape(&change.text)));
    }
    for line in here {
        text.push_str(&format!("    {}\n", escape(line)));
    }
    text
}

fn finish(context: &mut Context, prepared: &Prepared, how: &Installing, text: &str) -> Result<Status, Failure> {
    if !context.global.json {
        context.output.note(text);
        return Ok(Status::Done);
    }
    let Prepared { source, facts, proposal, action, .. } = prepared;
    let environment = context.environment();
    let overrides = proposal.request.overrides.iter().cloned().collect();
    let row = Row { source: source.path.clone(), overrides, ..Row::of(facts, &environment) };
    let document = Document {
        schema_version: SchemaVersion,
        dry_run: how.dry_run,
        action: match action {
            Action::None => "none",
            Action::Repair => "repair",
            Action::Add => "add",
            Action::Update => "update",
        },
        plugin: row,
        roots: rights::roots(facts, &context.catalog(), &environment),
        limits: rights::limits(&proposal.request.limits),
        changes: proposal.changes.clone(),
        removes: proposal.removes.iter().cloned().collect(),
    };
    context.print_json(&document)?;
    Ok(Status::Done)
}
