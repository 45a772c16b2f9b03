//! Carrying out a plan, step by step. A step whose path is not what was planned is skipped; after a failure, nothing
//! goes that had to go after it. What was freed is measured at the time of the act, never copied from the plan.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::model::{Moment, RelPath};
use crate::tree::{Freed, FsError, Keep, LinkTally, Progress, Space};

use super::edits;
use super::inventory::Inventory;
use super::plan::{Plan, RootPlan, Step, StepKind};

/// What became of a plan for one root.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Indices into [`RootPlan::remove`] of the entries that are gone completely.
    pub removed: Vec<usize>,
    /// Everything that was to go and is still there.
    pub failed: Vec<Failure>,
    /// What is free now, measured.
    pub freed: Freed,
}

/// Something that was to go and did not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The cache it is in.
    pub cache: usize,
    /// Index into [`RootPlan::remove`]; none for an index file, whose stale records do no harm.
    pub removing: Option<usize>,
    /// Where.
    pub path: RelPath,
    /// What happened; none if it was not tried because of another failure.
    pub error: Option<FsError>,
    /// What follows from it, or why it was not tried.
    pub consequence: Option<String>,
}

/// How steps are taken: things are deleted where they are, or put aside first.
pub trait Take {
    /// Takes one step, the plan's `at`-th. What comes back is what is still there against the plan, and why.
    fn take(&mut self, at: usize, step: &Step) -> Vec<(RelPath, FsError)>;

    /// Whether to stop before the next step.
    fn is_stopped(&self) -> bool {
        false
    }

    /// Takes no more of an entry, and gives back what was taken of it, if that is possible. What comes back is what could
    /// not be given back, and why.
    fn give_up(&mut self, _removing: usize) -> Vec<(RelPath, FsError)> {
        Vec::new()
    }
}

/// Carries out a plan until `stop` is set, deleting things where they are. The locks of its entries are held by the caller.
/// All roots have one tally, because a file may have a name in each of several.
pub fn execute(
    inventories: &[Inventory],
    plan: &Plan,
    tally: &LinkTally,
    progress: &Progress,
    stop: &AtomicBool,
) -> Vec<Outcome> {
    let parts = inventories.iter().zip(&plan.roots);
    parts
        .map(|part| if part.1.is_empty() { Outcome::default() } else { execute_part(part, tally, progress, stop) })
        .collect()
}

/// The same for one root.
pub fn execute_part(
    (inventory, plan): (&Inventory, &RootPlan),
    tally: &LinkTally,
    progress: &Progress,
    stop: &AtomicBool,
) -> Outcome {
    let (before, space) = (tally.freed(), Space::before(&inventory.root));
    let outcome = carry_out(inventory, plan, &mut Direct { inventory, plan, progress, tally, stop });
    Outcome { freed: space.certain(tally.freed() - before), ..outcome }
}

/// Carries out the plan for one root, as `take` does it; nothing is measured.
pub fn carry_out(inventory: &Inventory, plan: &RootPlan, take: &mut dyn Take) -> Outcome {
    let mut run = Run { inventory, plan, failed: HashSet::new(), failures: Vec::new() };
    run.edit(Moment::Before);
    for (at, step) in plan.steps.iter().enumerate() {
        if take.is_stopped() {
            run.stop(&plan.steps[at..], take);
            break;
        }
        run.step(at, step, take);
    }
    run.edit(Moment::After);
    let removed = (0..plan.remove.len()).filter(|removing| !run.failed.contains(removing)).collect();
    Outcome { removed, failed: run.failures, ..Outcome::default() }
}

struct Direct<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    progress: &'a Progress,
    tally: &'a LinkTally,
    stop: &'a AtomicBool,
}

impl Take for Direct<'_> {
    fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    fn take(&mut self, _: usize, step: &Step) -> Vec<(RelPath, FsError)> {
        let root = &self.inventory.root;
        if step.kind == StepKind::Emptied {
            // Not empty after all: somebody put something there, and it is theirs.
            return root
                .remove_if_empty(&step.path)
                .err()
                .map(|error| (step.path.clone(), error))
                .into_iter()
                .collect();
        }
        let keep = Keep { paths: &self.inventory.paths, kept: &self.plan.kept_paths };
        let removal = root.remove(&step.path, step.identity, &keep, self.tally, self.progress);
        let unexplained = !removal.gone && !removal.kept_something && removal.failures.is_empty();
        let changed = unexplained.then(|| (step.path.clone(), FsError::Changed));
        removal.failures.into_iter().chain(changed).collect()
    }
}

struct Run<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    failed: HashSet<usize>,
    failures: Vec<Failure>,
}

impl Run<'_> {
    fn step(&mut self, at: usize, step: &Step, take: &mut dyn Take) {
        let removing = &self.plan.remove[step.removing];
        if self.failed.contains(&step.removing) {
            return; // Its failure is told already; what refers was first, so what is left is content.
        }
        let before = removing.parts.iter().chain(&step.after).find(|other| self.failed.contains(other));
        if let Some(&other) = before {
            let other = &self.plan.remove[other];
            return self.skip(step, format!("stays because `{}` could not be removed", other.id));
        }
        for (path, error) in take.take(at, step) {
            self.fail(step, path, error);
        }
    }

    /// The user wants no more; what is left of an entry is told once.
    fn stop(&mut self, rest: &[Step], take: &mut dyn Take) {
        for step in rest {
            if !self.failed.contains(&step.removing) {
                self.skip(step, "was not removed any more, because the command was interrupted".into());
                for (path, error) in take.give_up(step.removing) {
                    self.fail(step, path, error);
                }
            }
        }
    }

    fn skip(&mut self, step: &Step, consequence: String) {
        self.failed.insert(step.removing);
        self.failures.push(Failure {
            cache: self.cache_of(step.removing),
            removing: Some(step.removing),
            path: step.path.clone(),
            error: None,
            consequence: Some(consequence),
        });
    }

    fn fail(&mut self, step: &Step, path: RelPath, error: FsError) {
        if error == FsError::NotFound {
            return; // Gone is gone, whoever did it; it does not count as freed.
        }
        self.failed.insert(step.removing);
        let (error, removing) = (Some(error), Some(step.removing));
        self.failures.push(Failure { cache: self.cache_of(step.removing), removing, path, error, consequence: None });
    }

    fn cache_of(&self, removing: usize) -> usize {
        self.inventory.items[self.plan.remove[removing].entry].cache
    }

    fn edit(&mut self, moment: Moment) {
        for (cache, edit) in self.plan.edits.iter().filter(|(_, edit)| edit.at == moment) {
            let of_cache = |removing: &usize| self.cache_of(*removing) == *cache;
            if moment == Moment::After && self.failed.iter().any(of_cache) {
                continue; // A list of holders may outlive the holders, but must not miss one that is still there.
            }
            let Err(error) = edits::apply(&self.inventory.root, edit) else { continue };
            if moment == Moment::Before {
                // A table of contents must not name what is absent: nothing of this cache goes.
                let all: Vec<usize> = (0..self.plan.remove.len()).filter(of_cache).collect();
                self.failed.extend(all);
            }
            let consequence = match moment {
                Moment::Before => "nothing of this cache was removed",
                Moment::After => "the records of what went are still in it; they do no harm",
            };
            self.failures.push(Failure {
                cache: *cache,
                removing: None,
                path: edit.file.clone(),
                error: Some(error),
                consequence: Some(consequence.into()),
            });
        }
    }
}
