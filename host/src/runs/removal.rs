//! A whole run: the record, then all roots' things aside, then a second look, and at the end the deletion of what waits,
//! unless it is to be held.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::clean::{Failure, Inventory, Outcome, Plan, RootPlan, execute_until};
use crate::model::{PathTree, RelPath};
use crate::tree::{Freed, FsError, Holding, Keep, LinkTally, Progress, Space};

use super::aside::Aside;
use super::event::{Begun, Ended, Ending, Event};
use super::put_back::{clear, put_back};
use super::record::{Line, Phase, Place, Record};
use super::store::{Run, Runs, RunsError, name_of};

/// Whether what went is kept for `dscc undo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is deleted at once.
    Delete,
    /// It waits, at least until then if a time is given.
    Wait(Option<Timestamp>),
}

/// What came of a run.
pub struct Removed {
    /// For each root.
    pub outcomes: Vec<Outcome>,
    /// The run's name, if something of it waits.
    pub held: Option<String>,
    /// Bytes of what was deleted that are not free, because they have further names.
    pub linked: u64,
    /// What else went wrong: the journal lacks something, or the record is still there.
    pub remarks: Vec<String>,
}

/// Why a run removed nothing.
#[derive(Debug, thiserror::Error)]
pub enum GivenUp {
    /// Nothing was touched.
    #[error("nothing was removed, because it could not be recorded: {0}")]
    Before(RunsError),
    /// In the middle.
    #[error("everything was put back, because it could not be recorded any more: {0}")]
    Between(RunsError),
    /// In the middle, and there was no way back.
    #[error("it could not be recorded any more, and not everything could be put back ({1}): {0}")]
    Stuck(RunsError, String),
}

impl GivenUp {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Before(error) | Self::Between(error) => error.hint(),
            Self::Stuck(..) => "make the folder of the record writable; `dscc undo` puts back what still waits",
        }
    }
}

/// What a run is about: each root, and what is to be done there.
type Whole<'a> = (&'a [Inventory], &'a Plan);
type Part<'a> = Result<Aside<'a>, Outcome>;
/// Tells what of a root is claimed by something that stays.
type Again<'a> = &'a mut dyn FnMut(usize) -> Result<HashSet<RelPath>, String>;

/// Carries out a plan. `again` tells, once everything of a root is aside, what in it is claimed by something that stays:
/// that is put back, and all of it if that cannot be told.
///
/// # Errors
/// When the record or the journal cannot be written. Then nothing was touched, or everything is back.
pub fn remove(
    runs: &Runs,
    command: Vec<String>,
    whole: (&[Inventory], &Plan),
    again: Again<'_>,
    afterwards: Afterwards,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<Removed, GivenUp> {
    runs.journal().check().map_err(GivenUp::Before)?;
    let mut run = runs.begin(command.clone()).map_err(GivenUp::Before)?;
    let removed = match prepare(runs, &mut run, &command, whole, stop) {
        Err(error) => {
            let _ = run.forget();
            Err(GivenUp::Before(error))
        }
        Ok(mut parts) => {
            let outcomes = put_aside(&mut parts, again);
            // What was to be put back and could not be must not be deleted.
            let stuck = parts.iter().flatten().any(|part| part.stuck);
            let afterwards = if stuck { Afterwards::Wait(None) } else { afterwards };
            finish(runs, run, whole, (parts, outcomes), afterwards, progress, stop)
        }
    };
    runs.reserve().restore();
    removed
}

/// Makes the places for what goes, and writes down what will go where.
fn prepare<'a>(
    runs: &Runs,
    run: &mut Run,
    command: &[String],
    (inventories, plan): Whole<'a>,
    stop: &'a AtomicBool,
) -> Result<Vec<Part<'a>>, RunsError> {
    let used = || inventories.iter().zip(&plan.roots).enumerate().filter(|(_, (_, plan))| !plan.is_empty());
    let places = used().flat_map(|(number, (inventory, _))| Aside::places(inventory, run, number));
    let places = Line::Places { paths: places.map(Place).collect() };
    run.add(&places);
    run.write()?;
    let mut parts: Vec<Part<'_>> = Vec::new();
    for (number, (inventory, plan)) in inventories.iter().zip(&plan.roots).enumerate() {
        if plan.is_empty() {
            parts.push(Err(Outcome::default()));
            continue;
        }
        let make = || Aside::prepare(inventory, plan, run, number, stop);
        parts.push(runs.reserve().spend(|error| *error == FsError::NoSpace, make).map_err(|error| {
            Aside::places(inventory, run, number).iter().for_each(|place| clear(place));
            nowhere(inventory, plan, &error)
        }));
    }
    let begun = Event::Begun(Begun::of(&run.name, command, true, inventories, plan));
    match run.enter(Phase::Moving, None).and_then(|()| runs.journal().add(&begun)) {
        Ok(()) => Ok(parts),
        Err(error) => {
            parts.iter().flatten().for_each(|part| clear(part.holding.path()));
            Err(error)
        }
    }
}

/// Puts everything aside, and looks once more.
fn put_aside(parts: &mut [Part<'_>], again: Again<'_>) -> Vec<Outcome> {
    let one = |(number, part): (usize, &mut Part<'_>)| match part {
        Ok(aside) => {
            let mut outcome = aside.carry_out();
            aside.put_back_claimed(&again(number), &mut outcome);
            outcome
        }
        Err(outcome) => std::mem::take(outcome),
    };
    parts.iter_mut().enumerate().map(one).collect()
}

/// Deletes what is aside, or lets it wait.
fn finish(
    runs: &Runs,
    mut run: Run,
    (inventories, plan): Whole<'_>,
    (parts, mut outcomes): (Vec<Part<'_>>, Vec<Outcome>),
    afterwards: Afterwards,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<Removed, GivenUp> {
    let (phase, until) = match afterwards {
        Afterwards::Delete => (Phase::Purging, None),
        Afterwards::Wait(until) => (Phase::Held, until),
    };
    if let Err(error) = run.enter(phase, until) {
        // Whoever finds the record after a kill would put back what is half deleted.
        drop(parts);
        return Err(give_up(runs, run, error));
    }
    let (tally, mut waits) = (LinkTally::default(), false);
    for (part, outcome) in parts.iter().zip(&mut outcomes) {
        let Ok(aside) = part else { continue };
        waits |= match afterwards {
            Afterwards::Delete => !purge_part(aside, outcome, &tally, progress),
            Afterwards::Wait(_) => !matches!(aside.holding.remove_if_empty(), Ok(true)),
        };
    }
    let how = if stop.load(Relaxed) { Ending::Interrupted } else { Ending::Done };
    let ended = Event::Ended(Ended::of(&run.name, how, waits, inventories, plan, &outcomes));
    let mut remarks = Vec::new();
    remarks.extend(runs.journal().add(&ended).err().map(|error| format!("the end of this run is not told: {error}")));
    let held = waits.then(|| run.name.clone());
    if !waits {
        remarks.extend(run.forget().err().map(|error| format!("nothing waits any more, and still there is {error}")));
    }
    Ok(Removed { outcomes, held, linked: tally.linked(), remarks })
}

/// Puts back what is aside.
fn give_up(runs: &Runs, run: Run, error: RunsError) -> GivenUp {
    let name = run.name.clone();
    let stuck = match run.record().and_then(|record| put_back(run, &record)) {
        Ok(done) => done.left.into_iter().map(|(_, reason)| reason).chain(done.remarks).next(),
        Err(error) => Some(error.to_string()),
    };
    let ended = Ended::of(&name, Ending::GivenUp, stuck.is_some(), &[], &Plan::default(), &[]);
    // The run is called a killed one otherwise.
    let _ = runs.journal().add(&Event::Ended(ended));
    match stuck {
        None => GivenUp::Between(error),
        Some(why) => GivenUp::Stuck(error, why),
    }
}

/// Carries out a plan without a record: things are deleted where they are. It is told in the journal if that can be done.
pub fn remove_in_place(
    runs: &Runs,
    command: &[String],
    (inventories, plan): (&[Inventory], &Plan),
    progress: &Progress,
    stop: &AtomicBool,
) -> Removed {
    let name = name_of(Timestamp::now(), 0);
    let begun = Event::Begun(Begun::of(&name, command, false, inventories, plan));
    let is_told = runs.journal().add(&begun).is_ok();
    let tally = LinkTally::default();
    let outcomes = execute_until(inventories, plan, &tally, progress, stop);
    let how = if stop.load(Relaxed) { Ending::Interrupted } else { Ending::Done };
    let ended = Event::Ended(Ended::of(&name, how, false, inventories, plan, &outcomes));
    // Perhaps there is room for the beginning by now.
    let told = if is_told { Ok(()) } else { runs.journal().add(&begun) }.and_then(|()| runs.journal().add(&ended));
    runs.reserve().restore();
    let remarks = told.err().map(|error| format!("this run is not told in full: {error}")).into_iter().collect();
    Removed { outcomes, held: None, linked: tally.linked(), remarks }
}

/// Nothing of a root goes, because there is no place to put it aside.
fn nowhere(inventory: &Inventory, plan: &RootPlan, error: &FsError) -> Outcome {
    let failure = |(removing, entry): (usize, &crate::clean::Removing)| Failure {
        cache: inventory.items[entry.entry].cache,
        removing: Some(removing),
        path: entry.paths.first().cloned().unwrap_or_default(),
        error: Some(error.clone()),
        consequence: Some(
            "so there is no place to put it aside; `--no-record` deletes it where it is, and then there is no undo"
                .into(),
        ),
    };
    let outermost = plan.remove.iter().enumerate().filter(|(_, entry)| entry.outermost);
    Outcome { failed: outermost.map(failure).collect(), ..Outcome::default() }
}

/// Deletes what one root put aside; whether all of it went.
fn purge_part(aside: &Aside<'_>, outcome: &mut Outcome, tally: &LinkTally, progress: &Progress) -> bool {
    let (before, space) = (tally.freed(), Space::before(aside.root()));
    let failures = purge(&aside.holding, aside.items(), tally, progress);
    outcome.freed = space.certain(tally.freed() - before);
    let clean = failures.is_empty();
    for (item, path, error) in failures {
        let removing = aside.removing_of(item);
        outcome.removed.retain(|removed| *removed != removing);
        outcome.failed.push(Failure {
            cache: aside.cache_of(removing),
            removing: Some(removing),
            path: aside.origin(item, &path),
            error: Some(error),
            consequence: Some("it is out of the cache and not deleted; `dscc undo --discard` tries again".into()),
        });
    }
    clean && matches!(aside.holding.remove_if_empty(), Ok(true))
}

/// Deletes what waits in a holding; what is left, by item.
fn purge(holding: &Holding, items: usize, tally: &LinkTally, progress: &Progress) -> Vec<(usize, RelPath, FsError)> {
    let root = match holding.as_root() {
        Ok(root) => root,
        Err(error) => return vec![(0, RelPath::root(), error)],
    };
    let (paths, keep) = (PathTree::default(), []);
    let one = |item: usize| {
        let Ok(stat) = holding.stat(item) else { return Vec::new() };
        let Ok(at) = RelPath::parse(&item.to_string()) else { return Vec::new() };
        let keep = Keep { paths: &paths, kept: &keep };
        let removal = root.remove(&at, stat.identity, &keep, tally, progress);
        removal.failures.into_iter().map(|(path, error)| (item, path, error)).collect()
    };
    (0..items).into_par_iter().flat_map_iter(one).collect()
}

/// Deletes what waits of a run of the past, and forgets it.
///
/// # Errors
/// The first thing that could not be deleted; the run is not forgotten then.
pub fn discard(mut run: Run, record: &Record, progress: &Progress) -> Result<Freed, Discarded> {
    run.enter(Phase::Purging, None).map_err(Discarded::Record)?;
    let (tally, mut freed) = (LinkTally::default(), Vec::new());
    for root in &record.roots {
        let holding = match Holding::open(&root.holding) {
            Err(FsError::NotFound) => continue,
            other => other.map_err(|error| Discarded::Place(root.holding.clone(), error))?,
        };
        let (before, space) = (tally.freed(), holding.as_root().map(|root| Space::before(&root)));
        if let Some((_, path, error)) = purge(&holding, root.items.len(), &tally, progress).into_iter().next() {
            return Err(Discarded::Place(root.holding.join(path.to_path_buf()), error));
        }
        freed.extend(space.map(|space| space.certain(tally.freed() - before)));
        match holding.remove_if_empty() {
            Ok(true) => {}
            Ok(false) => return Err(Discarded::Place(root.holding.clone(), FsError::NotEmpty)),
            Err(error) => return Err(Discarded::Place(root.holding.clone(), error)),
        }
    }
    record.places.iter().for_each(|place| Holding::clear_away(place));
    run.forget().map_err(Discarded::Record)?;
    Ok(freed.into_iter().sum())
}

/// Why what waits could not be deleted.
#[derive(Debug, thiserror::Error)]
pub enum Discarded {
    /// The record.
    #[error("{0}")]
    Record(RunsError),
    /// A place.
    #[error("`{}`: {}", .0.display(), .1)]
    Place(std::path::PathBuf, FsError),
}
