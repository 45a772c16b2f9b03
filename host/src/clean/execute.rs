//! Carrying out a plan, step by step. A step whose path is not what was planned is skipped; after a failure, nothing
//! goes that had to go after it. What was freed is measured at the time of the act, never copied from the plan.

use std::collections::HashSet;

use crate::model::{Moment, RelPath};
use crate::tree::{Freed, FsError, Keep, LinkTally, Progress};

use super::edits;
use super::inventory::Inventory;
use super::plan::{RootPlan, Step, StepKind};

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

/// Carries out the plan for one root. The locks of its entries are held by the caller.
pub fn execute(inventory: &Inventory, plan: &RootPlan, progress: &Progress) -> Outcome {
    let mut run = Run { inventory, plan, failed: HashSet::new(), failures: Vec::new(), tally: LinkTally::default() };
    run.edit(Moment::Before);
    for step in &plan.steps {
        run.step(step, progress);
    }
    run.edit(Moment::After);
    let removed = (0..plan.remove.len()).filter(|removing| !run.failed.contains(removing)).collect();
    Outcome { removed, failed: run.failures, freed: run.tally.freed() }
}

struct Run<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    failed: HashSet<usize>,
    failures: Vec<Failure>,
    tally: LinkTally,
}

impl Run<'_> {
    fn step(&mut self, step: &Step, progress: &Progress) {
        let removing = &self.plan.remove[step.removing];
        if self.failed.contains(&step.removing) {
            return; // Its failure is told already; what refers was first, so what is left is content.
        }
        let before = removing.parts.iter().chain(&step.after).find(|other| self.failed.contains(other));
        if let Some(&other) = before {
            let other = &self.plan.remove[other];
            let consequence = format!("stays because `{}` could not be removed", other.id);
            self.failed.insert(step.removing);
            self.failures.push(Failure {
                cache: self.cache_of(step.removing),
                removing: Some(step.removing),
                path: step.path.clone(),
                error: None,
                consequence: Some(consequence),
            });
            return;
        }
        if step.kind == StepKind::Emptied {
            // Not empty after all: somebody put something there, and it is theirs.
            if let Err(error) = self.inventory.root.remove_if_empty(&step.path) {
                self.fail(step, step.path.clone(), error);
            }
            return;
        }
        let keep = Keep { paths: &self.inventory.paths, kept: &self.plan.kept_paths };
        let removal = self.inventory.root.remove(&step.path, step.identity, &keep, &self.tally, progress);
        let unexplained = !removal.gone && !removal.kept_something && removal.failures.is_empty();
        for (path, error) in removal.failures {
            self.fail(step, path, error);
        }
        if unexplained {
            self.fail(step, step.path.clone(), FsError::Changed);
        }
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
