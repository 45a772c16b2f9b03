//! A whole run: the record, then all roots' things aside, then a second look, and at the end the deletion of what waits,
//! unless it is to be held.

use std::collections::HashSet;

use jiff::Timestamp;

use crate::clean::{Failure, Inventory, Outcome, Plan, RootPlan};
use crate::model::RelPath;
use crate::tree::{Freed, FsError, Holding, LinkTally, Space};

use super::aside::Aside;
use super::event::{Begun, Ended, Ending, Event};
use super::put_back::put_back_own;
use super::record::{Line, Phase, Place, Record};
use super::store::{Run, Runs, RunsError, name_of};
use super::unrecorded;
use super::waiting::{Left, give_back_strangers, purge};
use super::watch::Watch;

/// Whether what went is kept for `dscc undo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is deleted at once.
    Delete,
    /// It waits, at least until then if a time is given.
    Wait(Option<Timestamp>),
}

/// What a second look tells of what was put aside.
#[derive(Debug)]
pub struct Again {
    /// Places that something which stays claims: what was there is put back, or everything if they cannot be told.
    pub claimed: Result<HashSet<RelPath>, String>,
    /// Whether what a process has opened meanwhile is put back.
    pub spare_used: bool,
}

/// What came of a run.
pub struct Removed {
    /// For each root.
    pub outcomes: Vec<Outcome>,
    /// The run's name, if something of it waits.
    pub held: Option<String>,
    /// What became of it: what was asked for, unless something could neither go back nor be deleted.
    pub afterwards: Afterwards,
    /// What else went wrong: the journal lacks something, or the record is still there.
    pub remarks: Vec<String>,
    /// Bytes of what was deleted that are not free, because they have further names.
    pub linked: u64,
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

/// Carries out a plan. `again` is asked once everything of a root is aside.
///
/// # Errors
/// When the record or the journal cannot be written. Then nothing was touched, or everything is back.
pub fn remove(
    runs: &Runs,
    command: Vec<String>,
    whole: (&[Inventory], &Plan),
    again: &mut dyn FnMut(usize) -> Again,
    afterwards: Afterwards,
    watch: &Watch,
) -> Result<Removed, GivenUp> {
    runs.journal().check().map_err(GivenUp::Before)?;
    let mut run = runs.begin(command.clone()).map_err(GivenUp::Before)?;
    let removed = match prepare(runs, &mut run, &command, whole, watch) {
        Err(error) => {
            let _ = run.forget();
            Err(GivenUp::Before(error))
        }
        Ok(mut parts) => {
            let outcomes = put_aside(&mut parts, again);
            // What was to be put back and could not be must not be deleted.
            let stuck = parts.iter().flatten().any(|part| part.stuck);
            let afterwards = if stuck { Afterwards::Wait(None) } else { afterwards };
            finish(runs, run, whole, (parts, outcomes), afterwards, watch)
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
    watch: &'a Watch,
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
        let make = || Aside::prepare(inventory, plan, run, number, watch);
        parts.push(runs.reserve().spend(|error| *error == FsError::NoSpace, make).map_err(|error| {
            Aside::places(inventory, run, number).iter().for_each(|place| Holding::clear_away(place));
            nowhere(inventory, plan, &error)
        }));
    }
    let begun = Event::Begun(Begun::of(&run.name, command, true, inventories, plan));
    match run.enter(Phase::Moving, None).and_then(|()| runs.journal().add(&begun)) {
        Ok(()) => Ok(parts),
        Err(error) => {
            parts.iter().flatten().for_each(|part| Holding::clear_away(part.holding.path()));
            Err(error)
        }
    }
}

/// Puts everything aside, and looks once more.
fn put_aside(parts: &mut [Part<'_>], again: &mut dyn FnMut(usize) -> Again) -> Vec<Outcome> {
    let one = |(number, part): (usize, &mut Part<'_>)| match part {
        Ok(aside) => put_part_aside(aside, &mut || again(number)),
        Err(outcome) => std::mem::take(outcome),
    };
    parts.iter_mut().enumerate().map(one).collect()
}

pub(super) fn put_part_aside(aside: &mut Aside<'_>, again: &mut dyn FnMut() -> Again) -> Outcome {
    let mut outcome = aside.carry_out();
    let Again { claimed, spare_used } = again();
    aside.put_back_claimed(&claimed, &mut outcome);
    if spare_used {
        aside.give_back_used(&mut outcome);
    }
    aside.restore_times();
    outcome
}

/// Deletes what is aside, or lets it wait.
fn finish(
    runs: &Runs,
    mut run: Run,
    (inventories, plan): Whole<'_>,
    (parts, mut outcomes): (Vec<Part<'_>>, Vec<Outcome>),
    afterwards: Afterwards,
    watch: &Watch,
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
            Afterwards::Delete => !purge_part(aside, outcome, &tally, watch),
            Afterwards::Wait(_) => !matches!(aside.holding.remove_if_empty(), Ok(true)),
        };
    }
    let how = if watch.is_stopped() { Ending::Interrupted } else { Ending::Done };
    let ended = Event::Ended(Ended::of(&run.name, how, waits, inventories, plan, &outcomes));
    let mut remarks = Vec::new();
    remarks.extend(runs.journal().add(&ended).err().map(|error| format!("the end of this run is not told: {error}")));
    let held = waits.then(|| run.name.clone());
    if !waits {
        remarks.extend(run.forget().err().map(|error| format!("nothing waits any more, and still there is {error}")));
    }
    Ok(Removed { outcomes, held, afterwards, remarks, linked: tally.linked() })
}

/// Puts back what is aside.
fn give_up(runs: &Runs, run: Run, error: RunsError) -> GivenUp {
    let name = run.name.clone();
    let stuck = match run.record().map(|record| put_back_own(run, &record)) {
        Ok(Ok(done)) => done.left.into_iter().map(|(_, reason)| reason).chain(done.remarks).next(),
        Ok(Err(_)) => None, // all is back, and the next run finds a record of which nothing waits
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

/// Carries out a plan without a record, in the same order. It is told in the journal if that can be done. `again` as for
/// [`remove`].
pub fn remove_unrecorded(
    runs: &Runs,
    command: &[String],
    (inventories, plan): (&[Inventory], &Plan),
    again: &mut dyn FnMut(usize) -> Again,
    watch: &Watch,
) -> Removed {
    let name = name_of(Timestamp::now(), 0);
    let begun = Event::Begun(Begun::of(&name, command, false, inventories, plan));
    let is_told = runs.journal().add(&begun).is_ok();
    let tally = LinkTally::default();
    let (mut outcomes, mut remarks) = (Vec::new(), Vec::new());
    for (number, whole) in inventories.iter().zip(&plan.roots).enumerate() {
        let (outcome, remark) = unrecorded::remove_part(whole, &mut || again(number), &tally, watch);
        outcomes.push(outcome);
        remarks.extend(remark);
    }
    let how = if watch.is_stopped() { Ending::Interrupted } else { Ending::Done };
    let ended = Event::Ended(Ended::of(&name, how, false, inventories, plan, &outcomes));
    // Perhaps there is room for the beginning by now.
    let told = if is_told { Ok(()) } else { runs.journal().add(&begun) }.and_then(|()| runs.journal().add(&ended));
    runs.reserve().restore();
    remarks.extend(told.err().map(|error| format!("this run is not told in full: {error}")));
    Removed { outcomes, held: None, afterwards: Afterwards::Delete, remarks, linked: tally.linked() }
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

/// Deletes what one root put aside; whether all of it went. What is left of an entry after a signal is told once.
pub(super) fn purge_part(aside: &Aside<'_>, outcome: &mut Outcome, tally: &LinkTally, watch: &Watch) -> bool {
    let (before, space) = (tally.freed(), Space::before(aside.root()));
    give_back_strangers(aside.root(), &aside.holding, &aside.waits());
    let left = purge(&aside.holding, &aside.waits(), tally, watch);
    outcome.freed = space.certain(tally.freed() - before);
    let clean = left.is_empty();
    let (mut stopped, mut there) = (HashSet::new(), HashSet::new());
    for Left { item, path, error } in left {
        let removing = aside.removing_of(item);
        there.insert(removing);
        let consequence = match error {
            Some(FsError::Stranded) => None,
            Some(_) => Some("it is out of the cache and not deleted; `dscc undo --discard` tries again"),
            None if !stopped.insert(removing) => continue,
            None => Some("it is out of the cache and was not deleted any more, because the command was interrupted"),
        };
        outcome.failed.push(Failure {
            cache: aside.cache_of(removing),
            removing: Some(removing),
            path: aside.origin(item, &path),
            error,
            consequence: consequence.map(str::to_owned),
        });
    }
    outcome.removed.retain(|removed| !there.contains(removed));
    clean && matches!(aside.holding.remove_if_empty(), Ok(true))
}

/// Deletes what waits of a run of the past, and forgets it.
///
/// # Errors
/// The first thing that could not be deleted, and what was freed before; the run is not forgotten then.
pub fn discard(run: Run, record: &Record, watch: &Watch) -> Result<Freed, Discarded> {
    let mut freed = Vec::new();
    let done = discard_all(run, record, &mut freed, watch);
    let freed: Freed = freed.into_iter().sum();
    done.map(|()| freed).map_err(|why| Discarded { why, freed })
}

fn discard_all(mut run: Run, record: &Record, freed: &mut Vec<Freed>, watch: &Watch) -> Result<(), Why> {
    run.enter(Phase::Purging, None).map_err(Why::Record)?;
    let tally = LinkTally::default();
    for root in &record.roots {
        let holding = match root.open_holding() {
            Err(FsError::NotFound) if root.is_gone() => continue,
            Err(FsError::NotFound) => return Err(Why::Absent(root.holding.clone())),
            other => other.map_err(|error| Why::Place(root.holding.clone(), error))?,
        };
        if let Ok(place) = root.open_root() {
            give_back_strangers(&place, &holding, &root.waits());
        }
        let (before, space) = (tally.freed(), holding.as_root().map(|root| Space::before(&root)));
        let left = purge(&holding, &root.waits(), &tally, watch).into_iter().next();
        let of_root = tally.freed() - before;
        freed.push(space.map_or(Freed { at_least: 0, ..of_root }, |space| space.certain(of_root)));
        if let Some(Left { path, error, .. }) = left {
            let failed = |error| Why::Place(root.holding.join(path.to_path_buf()), error);
            return Err(error.map_or(Why::Stopped, failed));
        }
        match holding.remove_if_empty() {
            Ok(true) => {}
            Ok(false) => return Err(Why::Place(root.holding.clone(), FsError::NotEmpty)),
            Err(error) => return Err(Why::Place(root.holding.clone(), error)),
        }
    }
    record.places.iter().for_each(|place| Holding::clear_away(place));
    run.forget().map_err(Why::Record)
}

/// Not all of what waits could be deleted.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct Discarded {
    why: Why,
    /// What was freed all the same.
    pub freed: Freed,
}

/// Why what waits could not be deleted.
#[derive(Debug, thiserror::Error)]
enum Why {
    /// The record.
    #[error("{0}")]
    Record(RunsError),
    /// A signal came.
    #[error("not all of it was deleted, because the command was interrupted; the next run deletes the rest")]
    Stopped,
    /// A place.
    #[error("`{}`: {}", .0.display(), .1)]
    Place(std::path::PathBuf, FsError),
    /// Its file system is not there.
    #[error("`{}` is not there, nor is its disk: mount it and try again", .0.display())]
    Absent(std::path::PathBuf),
}
