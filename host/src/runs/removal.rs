//! A whole run: the record, then all roots' things aside, then a second look, and at the end the deletion of what waits,
//! unless it is to be held.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use jiff::Timestamp;

use crate::clean::{Failure, Inventory, Outcome, Plan, RootPlan};
use crate::model::RelPath;
use crate::tree::{Freed, FsError, Holding, LinkTally, Progress};

use super::aside::Aside;
use super::record::{Line, Phase, Place, Record};
use super::store::{Run, Runs, RunsError};
use super::waiting::{give_back_strangers, purge};

/// Whether what went is kept for `dscc undo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It is deleted at once.
    Delete,
    /// It waits, at least until then if a time is given.
    Wait(Option<Timestamp>),
}

/// What a second look tells of what was put aside.
#[derive(Debug, Default)]
pub struct Again {
    /// Places that something which stays claims: what was there is put back.
    pub claimed: HashSet<RelPath>,
    /// Whether what a process has opened meanwhile is put back.
    pub spare_used: bool,
}

/// What came of a run.
pub struct Removed {
    /// For each root.
    pub outcomes: Vec<Outcome>,
    /// The run's name, if something of it waits.
    pub held: Option<String>,
}

/// Carries out a plan. `again` is asked once everything of a root is aside.
///
/// # Errors
/// When the record cannot be written. Then nothing was touched.
pub fn remove(
    runs: &Runs,
    command: Vec<String>,
    (inventories, plan): (&[Inventory], &Plan),
    again: &mut dyn FnMut(usize) -> Again,
    afterwards: Afterwards,
    progress: &Progress,
    stop: &AtomicBool,
) -> Result<Removed, RunsError> {
    let mut run = runs.begin(command)?;
    let used = || inventories.iter().zip(&plan.roots).enumerate().filter(|(_, (_, plan))| !plan.is_empty());
    let places: Vec<_> = used().flat_map(|(number, (inventory, _))| Aside::places(inventory, &run, number)).collect();
    run.add(&Line::Places { paths: places.iter().cloned().map(Place).collect() });
    run.write()?;
    let mut parts: Vec<Result<Aside<'_>, Outcome>> = Vec::new();
    for (number, (inventory, plan)) in inventories.iter().zip(&plan.roots).enumerate() {
        parts.push(if plan.is_empty() {
            Err(Outcome::default())
        } else {
            Aside::prepare(inventory, plan, &mut run, number, stop).map_err(|error| nowhere(inventory, plan, &error))
        });
    }
    if let Err(error) = run.enter(Phase::Moving, None) {
        for part in parts.iter().flatten() {
            let _ = part.holding.remove_if_empty(); // it is ours, and empty
        }
        let _ = run.forget();
        return Err(error);
    }
    let mut outcomes = Vec::new();
    for (number, part) in parts.iter_mut().enumerate() {
        outcomes.push(match part {
            Ok(aside) => {
                let mut outcome = aside.carry_out();
                let Again { claimed, spare_used } = again(number);
                aside.put_back_claimed(&claimed, &mut outcome);
                if spare_used {
                    aside.give_back_used(&mut outcome);
                }
                outcome
            }
            Err(outcome) => std::mem::take(outcome),
        });
    }
    if let Afterwards::Wait(until) = afterwards {
        run.enter(Phase::Held, until)?;
        // Each is asked: those that hold nothing go at once.
        let waits =
            parts.iter().flatten().filter(|part| !matches!(part.holding.remove_if_empty(), Ok(true))).count() > 0;
        let held = waits.then(|| run.name.clone());
        if !waits {
            run.forget()?;
        }
        return Ok(Removed { outcomes, held });
    }
    run.enter(Phase::Purging, None)?;
    let mut clean = true;
    for (part, outcome) in parts.iter().zip(&mut outcomes) {
        if let Ok(aside) = part {
            clean &= purge_part(aside, outcome, progress);
        }
    }
    let held = (!clean).then(|| run.name.clone());
    if clean {
        places.iter().for_each(|place| Holding::clear_away(place));
        run.forget()?;
    }
    Ok(Removed { outcomes, held })
}

/// Nothing of a root goes, because there is no place to put it aside.
fn nowhere(inventory: &Inventory, plan: &RootPlan, error: &FsError) -> Outcome {
    let failure = |(removing, entry): (usize, &crate::clean::Removing)| Failure {
        cache: inventory.items[entry.entry].cache,
        removing: Some(removing),
        path: entry.paths.first().cloned().unwrap_or_default(),
        error: Some(error.clone()),
        consequence: Some("so there is no place to put it aside; `--no-record` deletes it where it is".into()),
    };
    let outermost = plan.remove.iter().enumerate().filter(|(_, entry)| entry.outermost);
    Outcome { failed: outermost.map(failure).collect(), ..Outcome::default() }
}

/// Deletes what one root put aside; whether all of it went.
fn purge_part(aside: &Aside<'_>, outcome: &mut Outcome, progress: &Progress) -> bool {
    let tally = LinkTally::default();
    give_back_strangers(aside.root(), &aside.holding, &aside.waits());
    let failures = purge(&aside.holding, &aside.waits(), &tally, progress);
    outcome.freed = tally.freed();
    let clean = failures.is_empty();
    for (item, path, error) in failures {
        let removing = aside.removing_of(item);
        outcome.removed.retain(|removed| *removed != removing);
        outcome.failed.push(Failure {
            cache: aside.cache_of(removing),
            removing: Some(removing),
            path: aside.origin(item, &path),
            consequence: (error != FsError::Stranded)
                .then(|| "it is out of the cache and not deleted; `dscc undo --discard` tries again".into()),
            error: Some(error),
        });
    }
    clean && matches!(aside.holding.remove_if_empty(), Ok(true))
}

/// Deletes what waits of a run of the past, and forgets it.
///
/// # Errors
/// The first thing that could not be deleted; the run is not forgotten then.
pub fn discard(mut run: Run, record: &Record, progress: &Progress) -> Result<Freed, Discarded> {
    run.enter(Phase::Purging, None).map_err(Discarded::Record)?;
    let tally = LinkTally::default();
    for root in &record.roots {
        let holding = match root.open_holding() {
            Err(FsError::NotFound) if root.is_gone() => continue,
            Err(FsError::NotFound) => return Err(Discarded::Absent(root.holding.clone())),
            other => other.map_err(|error| Discarded::Place(root.holding.clone(), error))?,
        };
        if let Ok(place) = root.open_root() {
            give_back_strangers(&place, &holding, &root.waits());
        }
        if let Some((_, path, error)) = purge(&holding, &root.waits(), &tally, progress).into_iter().next() {
            return Err(Discarded::Place(root.holding.join(path.to_path_buf()), error));
        }
        match holding.remove_if_empty() {
            Ok(true) => {}
            Ok(false) => return Err(Discarded::Place(root.holding.clone(), FsError::NotEmpty)),
            Err(error) => return Err(Discarded::Place(root.holding.clone(), error)),
        }
    }
    record.places.iter().for_each(|place| Holding::clear_away(place));
    run.forget().map_err(Discarded::Record)?;
    Ok(tally.freed())
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
    /// Its file system is not there.
    #[error("`{}` is not there, nor is its disk: mount it and try again", .0.display())]
    Absent(std::path::PathBuf),
}
