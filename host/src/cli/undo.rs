//! `dscc undo`: what a run of `clean` took goes back to its places, or is deleted for good.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::stdin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::documents::freed;
use crate::model::Problem;
use crate::runs::{
    Because, EntryRecord, Event, Past, Phase, PutBack, Record, Run, Runs, Watch, discard, put_back, waiting,
};
use crate::tree::Freed;
use crate::ui::json::SchemaVersion;
use crate::ui::{Answer, age, ask, can_ask, count, escape, size};

use super::args::Undo;
use super::context::Context;
use super::exit::{Failure, Status};
use super::signals::Signals;

/// What `dscc undo --json` prints.
#[derive(Default, Serialize)]
struct Document {
    schema_version: SchemaVersion,
    /// The runs.
    runs: Vec<String>,
    /// The entries that are back, or were deleted.
    done: Vec<Row>,
    /// Those that still wait.
    left: Vec<Row>,
    /// Bytes that were freed.
    freed: u64,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
struct Row {
    run: String,
    cache: String,
    id: String,
    reason: Option<String>,
}

impl Row {
    fn of(run: &str, entry: &EntryRecord, reason: Option<String>) -> Self {
        Self { run: run.to_owned(), cache: entry.cache.clone(), id: entry.id.clone(), reason }
    }
}

pub(super) fn run(context: &mut Context, args: &Undo) -> Result<Status, Failure> {
    let runs = Runs::new(&context.folders.state);
    let (past, errors) = runs.all();
    for error in errors {
        context.output.warning(&error.to_string());
    }
    if args.discard { delete(context, args, &runs, past) } else { restore(context, args, &runs, past) }
}

fn restore(context: &mut Context, args: &Undo, runs: &Runs, past: Vec<Past>) -> Result<Status, Failure> {
    let wanted = |past: &&Past| args.run.as_ref().map_or_else(|| waits(past), |name| *name == past.name);
    let Some(past) = past.iter().find(wanted) else { return Err(nothing(args)) };
    let (run, record) = take_over(runs, &past.name)?;
    if record.phase == Some(Phase::Purging) {
        let message = format!("what the run {} took is partly deleted already", past.name);
        return Err(Failure::new(Status::Refused, message).hint("`dscc undo --discard` deletes the rest"));
    }
    let done = {
        let watch = Arc::new(Watch::default());
        let _shown = context.watch("putting back", None, &watch);
        put_back(run, &record, &watch.moved).map_err(anyhow::Error::from)?
    };
    tell(context, runs, &Event::undone(&past.name, Because::Asked, &done));
    report_restored(context, &past.name, &done)
}

fn report_restored(context: &mut Context, run: &str, done: &PutBack) -> Result<Status, Failure> {
    let document = Document {
        runs: vec![run.to_owned()],
        done: done.back.iter().map(|entry| Row::of(run, entry, None)).collect(),
        left: done.left.iter().map(|(entry, reason)| Row::of(run, entry, Some(reason.clone()))).collect(),
        errors: done.remarks.iter().map(|remark| Problem::new("undo", remark.clone())).collect(),
        ..Document::default()
    };
    if context.global.json {
        context.print_json(&document)?;
    } else {
        let back = done.back.iter().filter(|entry| entry.within.is_none()).count();
        context.output.print(&format!("Put back {}.\n", entries(back)))?;
        for (entry, reason) in &done.left {
            context.output.error(&format!("{}: stays where it waits: {reason}", entry.id));
        }
        context.tell(&document.errors);
        if !done.left.is_empty() {
            context.output.hint("make room and run `dscc undo` again, or `dscc undo --discard` deletes what waits");
        }
    }
    let complete = document.left.is_empty() && document.errors.is_empty();
    Ok(if complete { Status::Done } else { Status::Failed })
}

/// Whether there is something whole to be put back.
fn waits(past: &Past) -> bool {
    past.record.as_ref().is_some_and(|record| record.phase != Some(Phase::Purging))
}

fn delete(context: &mut Context, args: &Undo, runs: &Runs, past: Vec<Past>) -> Result<Status, Failure> {
    let wanted = wanted(args, past)?;
    let bytes: u64 = wanted.iter().map(|it| it.bytes).sum();
    if !args.yes && confirm(context, &wanted, bytes)? == Answer::No {
        context.output.note("Nothing was deleted.");
        return Ok(Status::Done);
    }
    let (mut document, mut deleted, mut all_freed) = (Document::default(), 0, Vec::new());
    let signals = Signals::catch();
    let watch = Arc::new(Watch::until(signals.stop()));
    let shown = context.watch("deleting", Some(bytes), &watch);
    for Waiting { run: name, .. } in wanted.iter().take_while(|_| signals.caught().is_none()) {
        let (run, record) = match take_over(runs, name) {
            Err(failure) if wanted.len() > 1 => {
                document.errors.push(Problem::new("undo", failure.message));
                continue;
            }
            other => other?,
        };
        document.runs.push(name.clone());
        let done = discard(run, &record, &watch);
        tell(context, runs, &Event::discarded(name, Because::Asked, &done));
        let all = record.roots.iter().flat_map(|root| &root.entries);
        match done {
            Ok(freed) => {
                all_freed.push(freed);
                document.done.extend(all.map(|entry| Row::of(name, entry, None)));
                deleted += record.outermost().count();
            }
            Err(error) => {
                all_freed.push(error.freed);
                document.left.extend(all.map(|entry| Row::of(name, entry, Some(error.to_string()))));
            }
        }
    }
    drop(shown);
    report_deleted(context, &mut document, deleted, all_freed.into_iter().sum())?;
    Ok(match signals.caught() {
        Some(signal) => Status::Interrupted(signal),
        None if document.left.is_empty() && document.errors.is_empty() => Status::Done,
        None => Status::Failed,
    })
}

/// A run of which something waits to be deleted.
struct Waiting {
    run: String,
    record: Record,
    /// Measured.
    bytes: u64,
}

/// The runs that are to be deleted for good.
fn wanted(args: &Undo, past: Vec<Past>) -> Result<Vec<Waiting>, Failure> {
    let now = Timestamp::now();
    let old_enough =
        |record: &Record, older: SignedDuration| record.begun.is_some_and(|begun| now.duration_since(begun) > older);
    let mut wanted = Vec::new();
    for Past { name, record } in past {
        match record {
            _ if args.run.as_ref().is_some_and(|run| *run != name) => {}
            None if args.run.is_some() => return Err(busy(&name)),
            Some(record) if args.older.is_none_or(|older| old_enough(&record, older)) => {
                wanted.push(Waiting { run: name, bytes: waiting(&record), record });
            }
            _ => {}
        }
    }
    if wanted.is_empty() { Err(nothing(args)) } else { Ok(wanted) }
}

fn confirm(context: &mut Context, wanted: &[Waiting], bytes: u64) -> Result<Answer, Failure> {
    if !can_ask() || context.global.json {
        let failure = Failure::new(Status::Refused, "there is nobody to ask");
        return Err(failure.hint("-y deletes what waits without asking"));
    }
    let question = format!("Delete what {} took, {}, for good?", count(wanted.len(), "run", "runs"), size(bytes));
    let answer = ask(&question, || full_list(wanted), &mut stdin().lock(), context.output.questions());
    Ok(answer.map_err(anyhow::Error::from)?)
}

/// Every run with its entries, for `l`.
fn full_list(wanted: &[Waiting]) -> String {
    let (mut text, now) = (String::new(), Timestamp::now());
    for Waiting { run, record, bytes } in wanted {
        let begun = record.begun.map_or_else(|| "?".into(), |begun| age(begun, now));
        let _ = writeln!(text, "{}  {}  (removed {begun})", escape(run), size(*bytes));
        for entry in record.outermost() {
            let _ = writeln!(text, "  {}", escape(&entry.id));
        }
    }
    text
}

fn report_deleted(
    context: &mut Context,
    document: &mut Document,
    deleted: usize,
    all_freed: Freed,
) -> Result<(), Failure> {
    document.freed = all_freed.size;
    if context.global.json {
        return context.print_json(document);
    }
    context.output.print(&format!("Deleted {} for good, {}\n", entries(deleted), freed(all_freed)))?;
    // Of a run, all entries are left for the same reason.
    let mut told = HashSet::new();
    for Row { run, reason, .. } in document.left.iter().filter(|row| told.insert(&row.run)) {
        context.output.error(&format!("the run {run}: {}", reason.as_deref().unwrap_or_default()));
    }
    context.tell(&document.errors);
    Ok(())
}

/// Adds a line to the journal. What was done is done, so that a journal which cannot be written is only told.
fn tell(context: &mut Context, runs: &Runs, event: &Event) {
    if let Err(error) = runs.journal().add(event) {
        context.output.warning(&format!("`dscc history` will not know of this: {error}"));
    }
    runs.reserve().restore();
}

fn take_over(runs: &Runs, name: &str) -> Result<(Run, Record), Failure> {
    let taken = runs.take_over(name).map_err(anyhow::Error::from)?;
    taken.ok_or_else(|| busy(name))
}

fn busy(run: &str) -> Failure {
    let message = format!("the run {run} goes on, or another dscc brings it to an end at this moment");
    Failure::new(Status::Refused, message).hint("`dscc list` shows what waits once that has ended")
}

fn nothing(args: &Undo) -> Failure {
    let what = if args.discard { "be deleted" } else { "be put back" };
    let message = match (&args.run, args.older) {
        (Some(run), _) => format!("nothing of a run `{run}` waits to {what}"),
        (None, Some(_)) => "nothing has waited for so long".to_owned(),
        (None, None) => format!("nothing waits to {what}"),
    };
    let hint = match args.run {
        Some(_) => "`dscc list` shows what waits, `dscc history` what became of a run",
        None => "`dscc clean --keep-undo` keeps what goes for a week",
    };
    Failure::new(Status::NotFound, message).hint(hint)
}

fn entries(number: usize) -> String {
    count(number, "entry", "entries")
}
