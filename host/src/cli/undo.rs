//! `dscc undo`: what a run of `clean` took goes back to its places, or is deleted for good.

use std::io::stdin;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::documents::freed;
use crate::model::Problem;
use crate::runs::{Because, Event, Past, Phase, Record, Run, Runs, Watch, discard, put_back, waiting};
use crate::ui::json::SchemaVersion;
use crate::ui::{Answer, ask, can_ask, escape, size};

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
    let row = |it: &crate::runs::EntryRecord, reason: Option<String>| Row {
        run: past.name.clone(),
        cache: it.cache.clone(),
        id: it.id.clone(),
        reason,
    };
    let document = Document {
        runs: vec![past.name.clone()],
        done: done.back.iter().map(|entry| row(entry, None)).collect(),
        left: done.left.iter().map(|(entry, reason)| row(entry, Some(reason.clone()))).collect(),
        errors: done.remarks.iter().map(|remark| Problem::new("undo", remark.clone())).collect(),
        ..Document::default()
    };
    let complete = document.left.is_empty() && document.errors.is_empty();
    if context.global.json {
        context.print_json(&document)?;
    } else {
        context.output.print(&format!("Put back {}.\n", entries(document.done.len())))?;
        for row in &document.left {
            let reason = row.reason.as_deref().unwrap_or_default();
            context.output.error(&format!("{}: stays where it waits: {reason}", row.id));
        }
        context.tell(&document.errors);
        if !document.left.is_empty() {
            context.output.hint("make room and run `dscc undo` again, or `dscc undo --discard` deletes what waits");
        }
    }
    Ok(if complete { Status::Done } else { Status::Failed })
}

/// Whether there is something whole to be put back.
fn waits(past: &Past) -> bool {
    past.record.as_ref().is_some_and(|record| record.phase != Some(Phase::Purging))
}

fn delete(context: &mut Context, args: &Undo, runs: &Runs, past: Vec<Past>) -> Result<Status, Failure> {
    let now = Timestamp::now();
    let old_enough =
        |record: &Record, older: SignedDuration| record.begun.is_some_and(|begun| now.duration_since(begun) > older);
    let wanted = |past: &Past| {
        let named = args.run.as_ref().is_none_or(|name| *name == past.name);
        named && past.record.as_ref().is_some_and(|record| args.older.is_none_or(|older| old_enough(record, older)))
    };
    let past: Vec<Past> = past.into_iter().filter(wanted).collect();
    if past.is_empty() {
        return Err(nothing(args));
    }
    let bytes: u64 = past.iter().filter_map(|past| past.record.as_ref()).map(waiting).sum();
    if !args.yes {
        if !can_ask() || context.global.json {
            let failure = Failure::new(Status::Refused, "there is nobody to ask");
            return Err(failure.hint("-y deletes what waits without asking"));
        }
        let question = format!("Delete what {} took, {}, for good?", count(past.len(), "run", "runs"), size(bytes));
        let answer = ask(&question, String::new, &mut stdin().lock(), context.output.questions());
        if answer.map_err(anyhow::Error::from)? == Answer::No {
            context.output.note("Nothing was deleted.");
            return Ok(Status::Done);
        }
    }
    let (mut document, mut all_freed) = (Document::default(), Vec::new());
    let signals = Signals::catch();
    let watch = Arc::new(Watch::until(signals.stop()));
    let shown = context.watch("deleting", Some(bytes), &watch);
    for past in past.iter().take_while(|_| signals.caught().is_none()) {
        let (run, record) = take_over(runs, &past.name)?;
        let all = record.roots.iter().flat_map(|root| &root.entries);
        let row = |entry: &crate::runs::EntryRecord, reason: Option<String>| Row {
            run: past.name.clone(),
            cache: entry.cache.clone(),
            id: entry.id.clone(),
            reason,
        };
        document.runs.push(past.name.clone());
        let done = discard(run, &record, &watch);
        tell(context, runs, &Event::discarded(&past.name, Because::Asked, &done));
        match done {
            Ok(freed) => {
                document.freed += freed.size;
                all_freed.push(freed);
                document.done.extend(all.map(|entry| row(entry, None)));
            }
            Err(error) => document.left.extend(all.map(|entry| row(entry, Some(error.to_string())))),
        }
    }
    drop(shown);
    let complete = document.left.is_empty();
    if context.global.json {
        context.print_json(&document)?;
    } else {
        let done = entries(document.done.len());
        let freed = freed(all_freed.into_iter().sum());
        context.output.print(&format!("Deleted {done} for good, {freed}\n"))?;
        for row in &document.left {
            let reason = row.reason.as_deref().unwrap_or_default();
            context.output.error(&format!("{}: {reason}", escape(&row.id)));
        }
    }
    Ok(match signals.caught() {
        Some(signal) => Status::Interrupted(signal),
        None if complete => Status::Done,
        None => Status::Failed,
    })
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
    taken.ok_or_else(|| {
        let message = format!("the run {name} goes on at this moment");
        Failure::new(Status::Refused, message).hint("wait until it has ended")
    })
}

fn nothing(args: &Undo) -> Failure {
    let message = match &args.run {
        Some(run) => format!("nothing of a run {run} waits to be put back"),
        None => "nothing waits to be put back".to_owned(),
    };
    Failure::new(Status::NotFound, message).hint("`dscc clean --keep-undo` keeps what goes for a week")
}

fn entries(number: usize) -> String {
    count(number, "entry", "entries")
}

fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}
