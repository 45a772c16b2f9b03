//! `dscc history`: what runs of `clean` did, from the journal, the latest first; or everything about one of them.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Problem;
use crate::runs::{Event, Failed, Fate, Name, PastRun, Planned, Runs, State, history};
use crate::ui::json::SchemaVersion;
use crate::ui::{Column, Style, Table, age, count, escape, local, size};

use super::args::History;
use super::context::Context;
use super::exit::{Failure, Status};

/// What `dscc history --json` prints: with a run's name, that run only.
#[derive(Serialize)]
struct Document {
    schema_version: SchemaVersion,
    runs: Vec<Run>,
    errors: Vec<Problem>,
}

#[derive(Serialize)]
struct Run {
    run: String,
    begun: Option<Timestamp>,
    /// Null if it was killed, or goes on.
    ended: Option<Timestamp>,
    command: Vec<String>,
    /// See [`word`].
    state: &'static str,
    /// Whether it has, or had, a record to be undone by.
    recorded: bool,
    /// Whether something of it waits for `dscc undo`.
    waits: bool,
    /// Until when.
    until: Option<Timestamp>,
    /// Bytes that its plan frees.
    expected: u64,
    /// Bytes that were freed, measured, also by a later `dscc undo --discard`.
    freed: u64,
    freed_disk: u64,
    remove: Vec<Removing>,
    keep: Vec<Keeping>,
    failed: Vec<Problem>,
    /// What happened after its end.
    later: Vec<Later>,
}

#[derive(Serialize)]
struct Removing {
    cache: String,
    root: String,
    id: String,
    reason: String,
    size: u64,
    /// `removed`, `failed`, `kept`, or null if the run did not come to tell.
    outcome: Option<&'static str>,
}

#[derive(Serialize)]
struct Keeping {
    cache: String,
    root: String,
    id: String,
    reason: String,
}

#[derive(Serialize)]
struct Later {
    at: Timestamp,
    /// `undone` or `discarded`.
    what: &'static str,
    /// `asked`, `killed` or `waited`.
    because: crate::runs::Because,
    /// The entries that are back.
    back: Vec<Name>,
    /// Those that could not go back.
    left: Vec<crate::runs::Left>,
    freed: u64,
    /// Why not all of it was deleted.
    failed: Option<String>,
}

pub(super) fn run(context: &mut Context, args: &History) -> Result<Status, Failure> {
    let (mut past, errors) = history(&Runs::new(&context.folders.state));
    let errors: Vec<Problem> = errors.iter().map(|error| Problem::new("journal", error.to_string())).collect();
    let status = if errors.is_empty() { Status::Done } else { Status::Failed };
    if let Some(name) = &args.run {
        past.retain(|past| past.run == *name);
        if past.is_empty() {
            context.tell(&errors);
            let failure = Failure::new(Status::NotFound, format!("no run `{name}` is known"));
            return Err(failure.hint("`dscc history` shows the runs"));
        }
    }
    if context.global.json {
        let runs = past.iter().map(json_run).collect();
        context.print_json(&Document { schema_version: SchemaVersion, runs, errors })?;
        return Ok(status);
    }
    context.tell(&errors);
    if context.global.quiet {
        past.iter().try_for_each(|past| context.output.print(&format!("{}\n", escape(&past.run))))?;
    } else if past.is_empty() {
        context.output.print("No run of `dscc clean` has removed anything so far.\n")?;
    } else if args.run.is_some() {
        past.iter().try_for_each(|past| tell(context, past))?;
    } else {
        overview(context, &past)?;
    }
    Ok(status)
}

fn overview(context: &mut Context, past: &[PastRun]) -> Result<(), Failure> {
    let mut table = Table::new(vec![
        Column::text("RUN"),
        Column::text("BEGUN"),
        Column::number("ENTRIES"),
        Column::number("FREED"),
        Column::text("ENDED"),
        Column::text("UNDO"),
        Column::text("COMMAND"),
    ]);
    let now = Timestamp::now();
    for past in past {
        let begun = past.begun.map_or_else(|| "?".to_owned(), |begun| age(begun, now));
        let waits = if past.waits { waits(past) } else { "-".into() };
        let style = match past.state {
            State::Partly | State::Killed | State::GivenUp | State::UndonePartly => Style::Warning,
            _ => Style::Plain,
        };
        let (entries, freed) = (entries(past).to_string(), size(past.freed().0));
        table.row(style, [past.run.clone(), begun, entries, freed, sentence(past).into(), waits, command(past)]);
    }
    print_table(context, &table)
}

/// Everything about one run.
fn tell(context: &mut Context, past: &PastRun) -> Result<(), Failure> {
    let now = Timestamp::now();
    let time = |time: Timestamp| format!("{} ({})", local(time), age(time, now));
    let (freed, freed_disk) = past.freed();
    let mut lines = vec![format!("{}: {}", past.run, sentence(past))];
    lines.push(format!("  begun    {}", past.begun.map_or_else(|| "unknown".into(), time)));
    lines.extend(past.ended.iter().map(|ended| format!("  ended    {}", time(ended.at))));
    lines.push(format!("  command  dscc {}", command(past)));
    lines.push(format!("  planned  {}", size(past.expected)));
    lines.push(format!("  freed    {} ({} on disk)", size(freed), size(freed_disk)));
    if past.waits {
        lines.push(format!("  undo     {}: `dscc undo {}`", waits(past), past.run));
    }
    for event in &past.later {
        lines.push(match event {
            Event::Undone { at, back, left, .. } => {
                let back = count(outermost(past, back.iter().map(name)), "entry", "entries");
                let left = outermost(past, left.iter().map(|it| (it.cache.as_str(), it.id.as_str())));
                let left = if left == 0 { String::new() } else { format!(", {left} not") };
                format!("  later    {}: {back} put back{left}", time(*at))
            }
            Event::Discarded { at, freed, failed: None, .. } => {
                format!("  later    {}: deleted for good, {}", time(*at), size(*freed))
            }
            Event::Discarded { at, failed: Some(why), .. } => {
                format!("  later    {}: could not be deleted: {why}", time(*at))
            }
            Event::Begun(_) | Event::Ended(_) => continue,
        });
    }
    lines.iter().try_for_each(|line| context.output.print(&format!("{}\n", escape(line))))?;
    let titles = [Column::text("ENTRY"), Column::number("SIZE"), Column::text("OUTCOME"), Column::text("WHY")];
    let mut table = Table::new(titles.into());
    for (it, fate) in past.remove.iter().zip(past.fates()) {
        let style = if fate == Fate::Failed { Style::Warning } else { Style::Plain };
        table.row(style, [&it.id, &size(it.size), by_now(past, it, fate), &it.reason]);
    }
    for it in &past.keep {
        table.row(Style::Dim, [&it.id, "", "kept", &it.reason]);
    }
    print_table(context, &table)?;
    for failed in past.ended.iter().flat_map(|ended| &ended.failed) {
        let line = format!("{}: {}: {}", failed.cache, failed.path, message(failed));
        context.output.print(&format!("{}\n", escape(&line)))?;
    }
    Ok(())
}

fn print_table(context: &mut Context, table: &Table) -> Result<(), Failure> {
    let rendered = table.render(context.output.width, context.output.colors.stdout);
    context.output.print(&rendered.text)?;
    context.output.flush()?;
    if let Some(note) = rendered.note {
        context.output.note(&note);
    }
    Ok(())
}

/// Entries that went for themselves, or were to go if the run did not tell; as `dscc clean` counts them.
fn entries(past: &PastRun) -> usize {
    let counts = |(it, fate): &(&Planned, Fate)| !it.part && matches!(fate, Fate::Removed | Fate::Unknown);
    past.remove.iter().zip(past.fates()).filter(counts).count()
}

/// How many of these went for themselves.
fn outermost<'a>(past: &'a PastRun, names: impl Iterator<Item = (&'a str, &'a str)>) -> usize {
    let parts = past.remove.iter().filter(|it| it.part).map(|it| (it.cache.as_str(), it.id.as_str()));
    let parts: HashSet<_> = parts.collect();
    names.filter(|name| !parts.contains(name)).count()
}

fn name(it: &Name) -> (&str, &str) {
    (&it.cache, &it.id)
}

/// What an entry's outcome has become, for people.
fn by_now(past: &PastRun, it: &Planned, fate: Fate) -> &'static str {
    let of_this = |other: &Name| name(other) == (&it.cache, &it.id);
    let is_back =
        past.later.iter().any(|event| matches!(event, Event::Undone { back, .. } if back.iter().any(of_this)));
    match fate {
        Fate::Removed | Fate::Unknown if is_back => "put back",
        Fate::Removed if past.waits => "waits",
        fate => outcome(fate).unwrap_or("?"),
    }
}

fn command(past: &PastRun) -> String {
    let quoted = |word: &String| if word.contains(char::is_whitespace) { format!("'{word}'") } else { word.clone() };
    past.command.iter().map(quoted).collect::<Vec<_>>().join(" ")
}

fn waits(past: &PastRun) -> String {
    past.until.map_or_else(|| "waits".into(), |until| format!("until {}", local(until)))
}

/// How a run ended, for people.
fn sentence(past: &PastRun) -> &'static str {
    match past.state {
        State::GoesOn => "goes on",
        State::Done => "done",
        State::Partly => "done in part",
        State::Held if past.waits => "done, waits for undo",
        State::Held => "done, not all deleted yet",
        State::Interrupted if past.waits => "interrupted, waits for undo",
        State::Interrupted => "interrupted",
        State::GivenUp => "given up, and put back",
        State::Killed if !past.recorded => "killed, or goes on",
        State::Killed => "killed",
        State::Undone if past.was_recovered() => "killed, and put back",
        State::Undone => "undone",
        State::UndonePartly => "put back in part",
        State::Discarded if past.was_recovered() => "killed, and finished",
        State::Discarded => "deleted for good",
    }
}

/// The same, for programs.
fn word(state: State) -> &'static str {
    match state {
        State::GoesOn => "goes-on",
        State::Done => "done",
        State::Partly => "partly",
        State::Held => "held",
        State::Interrupted => "interrupted",
        State::GivenUp => "given-up",
        State::Killed => "killed",
        State::Undone => "undone",
        State::UndonePartly => "undone-partly",
        State::Discarded => "discarded",
    }
}

fn outcome(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Removed => Some("removed"),
        Fate::Failed => Some("failed"),
        Fate::Kept => Some("kept"),
        Fate::Unknown => None,
    }
}

fn message(failed: &Failed) -> String {
    failed.error.iter().chain(&failed.consequence).map(String::as_str).collect::<Vec<_>>().join("; ")
}

fn json_run(past: &PastRun) -> Run {
    let (freed, freed_disk) = past.freed();
    let removing = |(it, fate): (&Planned, Fate)| Removing {
        cache: it.cache.clone(),
        root: it.root.clone(),
        id: it.id.clone(),
        reason: it.reason.clone(),
        size: it.size,
        outcome: outcome(fate),
    };
    let keeping = |it: &crate::runs::Kept| Keeping {
        cache: it.cache.clone(),
        root: it.root.clone(),
        id: it.id.clone(),
        reason: it.reason.clone(),
    };
    let failed = |it: &Failed| Problem {
        cache: Some(it.cache.clone()),
        id: it.entry.and_then(|entry| past.remove.get(entry)).map(|it| it.id.clone()),
        path: Some(it.path.clone()),
        ..Problem::new("not-removed", message(it))
    };
    Run {
        run: past.run.clone(),
        begun: past.begun,
        ended: past.ended.as_ref().map(|ended| ended.at),
        command: past.command.clone(),
        state: word(past.state),
        recorded: past.recorded,
        waits: past.waits,
        until: past.until,
        expected: past.expected,
        freed,
        freed_disk,
        remove: past.remove.iter().zip(past.fates()).map(removing).collect(),
        keep: past.keep.iter().map(keeping).collect(),
        failed: past.ended.iter().flat_map(|ended| &ended.failed).map(failed).collect(),
        later: past.later.iter().filter_map(later).collect(),
    }
}

fn later(event: &Event) -> Option<Later> {
    match event.clone() {
        Event::Undone { at, because, back, left, .. } => {
            Some(Later { at, what: "undone", because, back, left, freed: 0, failed: None })
        }
        Event::Discarded { at, because, freed, failed, .. } => {
            let (back, left) = (Vec::new(), Vec::new());
            Some(Later { at, what: "discarded", because, back, left, freed, failed })
        }
        Event::Begun(_) | Event::Ended(_) => None,
    }
}
