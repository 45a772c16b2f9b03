//! What of a plan's steps can move as one: a folder moves whole, unless something in it stays.

use hashbrown::HashSet as Set;

use crate::clean::{Inventory, RootPlan, Step, StepKind};
use crate::model::{PathId, RelPath};
use crate::tree::{FsError, Identity, NodeKind, Root};

/// A thing to be put aside; its number is its place in the list.
pub(super) struct Move {
    pub(super) path: RelPath,
    pub(super) identity: Identity,
    /// On whose behalf: an index into [`RootPlan::remove`].
    pub(super) removing: usize,
    /// A folder that goes only if nothing is in it.
    pub(super) if_empty: bool,
    pub(super) moved: bool,
}

/// By path: whether something beneath it stays.
fn kept_below(inventory: &Inventory, plan: &RootPlan) -> Set<PathId> {
    let kept = inventory.paths.ids().filter(|id| plan.kept_paths.get(id.index()).copied().unwrap_or(false));
    kept.flat_map(|id| inventory.paths.up(id).skip(1)).collect()
}

/// Finds out what of each step can move as one.
pub(super) struct Pieces<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    kept_below: Set<PathId>,
    pub(super) moves: Vec<Move>,
}

impl<'a> Pieces<'a> {
    pub(super) fn new(inventory: &'a Inventory, plan: &'a RootPlan) -> Self {
        Self { inventory, plan, kept_below: kept_below(inventory, plan), moves: Vec::new() }
    }

    /// The moves of a step, or why it has none.
    pub(super) fn of_step(&mut self, step: &Step) -> Result<Vec<usize>, (RelPath, FsError)> {
        let first = self.moves.len();
        if step.kind == StepKind::Emptied {
            self.push(step.path.clone(), step.identity, step.removing, true);
        } else {
            self.add(step.path.clone(), step.identity, step.removing)?;
        }
        Ok((first..self.moves.len()).collect())
    }

    /// A folder moves whole, unless something in it stays.
    fn add(&mut self, path: RelPath, identity: Identity, removing: usize) -> Result<(), (RelPath, FsError)> {
        if identity.kind != NodeKind::Directory || !self.stays_in(&path) {
            self.push(path, identity, removing, false);
            return Ok(());
        }
        let root: &Root = &self.inventory.root;
        for name in root.names(&path).map_err(|error| (path.clone(), error))? {
            let child = path.join(&name);
            if self.is_kept(&child) {
                continue;
            }
            match root.stat(&child) {
                Ok(stat) => self.add(child, stat.identity, removing)?,
                Err(FsError::NotFound) => {}
                Err(error) => return Err((child, error)),
            }
        }
        // Perhaps nothing stayed in it after all.
        self.push(path, identity, removing, true);
        Ok(())
    }

    fn push(&mut self, path: RelPath, identity: Identity, removing: usize, if_empty: bool) {
        self.moves.push(Move { path, identity, removing, if_empty, moved: false });
    }

    fn is_kept(&self, path: &RelPath) -> bool {
        let id = self.inventory.paths.find(path);
        id.is_some_and(|id| self.plan.kept_paths.get(id.index()).copied().unwrap_or(false))
    }

    fn stays_in(&self, path: &RelPath) -> bool {
        self.inventory.paths.find(path).is_some_and(|id| self.kept_below.contains(&id))
            || self.inventory.cut.iter().any(|cut| cut.starts_with(path))
            || self.inventory.root.hides_beneath(path)
    }
}
