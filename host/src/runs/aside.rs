//! Carrying out a plan so that it can be undone: everything is put aside first, in the order of the plan, then looked at
//! once more, and deleted only then, if at all.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use hashbrown::HashSet as Set;

use crate::clean::{Failure, Inventory, Outcome, RootPlan, Step, StepKind, Take, carry_out, dropping};
use crate::model::{Moment, PathId, RelPath};
use crate::tree::{FsError, Holding, Identity, NodeKind, Root, Stat};

use super::record::{Line, Place};
use super::store::Run;

/// One root's part of a run.
pub struct Aside<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    /// Where things wait.
    pub(super) holding: Holding,
    moves: Vec<Move>,
    /// By step: its moves, or why it has none.
    of_step: Vec<Result<Vec<usize>, (RelPath, FsError)>>,
    stop: &'a AtomicBool,
    /// Something that was to be put back could not be: nothing of this may be deleted.
    pub(super) stuck: bool,
}

/// A thing to be put aside; its number is its place in the list.
struct Move {
    path: RelPath,
    identity: Identity,
    /// On whose behalf: an index into [`RootPlan::remove`].
    removing: usize,
    /// A folder that goes only if nothing is in it.
    if_empty: bool,
    moved: bool,
}

impl<'a> Aside<'a> {
    /// The folders that [`Self::prepare`] may make.
    pub fn places(inventory: &Inventory, run: &Run, number: usize) -> Vec<PathBuf> {
        Holding::places(&inventory.root, &format!("{}.{number}", run.name))
    }

    /// Decides what moves where, and adds it to the run's record.
    ///
    /// # Errors
    /// When there is no place for what is put aside.
    pub fn prepare(
        inventory: &'a Inventory,
        plan: &'a RootPlan,
        run: &mut Run,
        number: usize,
        stop: &'a AtomicBool,
    ) -> Result<Self, FsError> {
        // Where what goes waits in the root itself, making that place changes the root's time.
        let root = inventory.root.stat(&RelPath::root()).ok();
        let holding = Holding::make(&inventory.root, &format!("{}.{number}", run.name))?;
        let mut pieces = Pieces { inventory, plan, kept_below: kept_below(inventory, plan), moves: Vec::new() };
        let of_step = plan.steps.iter().map(|step| pieces.of_step(step)).collect();
        let aside = Self { inventory, plan, holding, moves: pieces.moves, of_step, stop, stuck: false };
        aside.record(run, root);
        Ok(aside)
    }

    fn record(&self, run: &mut Run, root_before: Option<Stat>) {
        let root = &self.inventory.root;
        run.add(&Line::Root {
            path: Place(root.path().to_owned()),
            ino: root.identity().1,
            holding: Place(self.holding.path().to_owned()),
        });
        for removing in &self.plan.remove {
            let (cache, id) = (removing.cache.clone(), removing.id.clone());
            run.add(&Line::Entry { cache, id, size: removing.size });
        }
        let also = self.holders_of_moves();
        let inside = self.holding.path().starts_with(root.path());
        let mut folders: Set<RelPath> = inside.then(RelPath::root).into_iter().collect();
        for (number, item) in self.moves.iter().enumerate() {
            let mut entries = vec![item.removing];
            entries.extend(also.get(&number).into_iter().copied().flatten());
            let (path, Identity { ino, kind, .. }) = (item.path.as_str().to_owned(), item.identity);
            run.add(&Line::Item { path, ino, kind: kind.into(), entries, emptied: item.if_empty });
            folders.extend(item.path.parent());
        }
        folders.extend(self.plan.edits.iter().filter_map(|(_, edit)| edit.file.parent()));
        for folder in folders {
            let before = root_before.filter(|_| folder.is_root());
            if let Some(stat) = before.or_else(|| root.stat(&folder).ok()) {
                let (accessed, modified) = (stat.accessed_ns, stat.modified_ns);
                run.add(&Line::Folder { path: folder.as_str().to_owned(), accessed, modified });
            }
        }
        for (_, edit) in &self.plan.edits {
            let (path, lines) = (edit.file.as_str().to_owned(), dropping(root, edit));
            let Ok(Stat { size, accessed_ns: accessed, modified_ns: modified, .. }) = root.stat(&edit.file) else {
                continue; // what is not there loses nothing
            };
            run.add(&Line::Edit { path, after: edit.at == Moment::After, lines, size, accessed, modified });
        }
    }

    /// What several entries share belongs to each of them.
    fn holders_of_moves(&self) -> HashMap<usize, &Vec<usize>> {
        let shared = self.plan.steps.iter().zip(&self.of_step).filter(|(step, _)| !step.after.is_empty());
        let moves = shared.filter_map(|(step, moves)| Some((step, moves.as_ref().ok()?)));
        moves.flat_map(|(step, moves)| moves.iter().map(move |number| (*number, &step.after))).collect()
    }

    /// Puts everything aside.
    pub fn carry_out(&mut self) -> Outcome {
        carry_out(self.inventory, self.plan, self)
    }

    /// Puts back what somebody holds again, and says so: it was not in use when it was looked at, and is now. If nobody
    /// knows what is held, everything goes back.
    pub fn put_back_claimed(&mut self, claimed: &Result<HashSet<RelPath>, String>, outcome: &mut Outcome) {
        let moved = (0..self.moves.len()).filter(|number| self.moves[*number].moved);
        let (back, because): (BTreeSet<usize>, String) = match claimed {
            Ok(claimed) => (self.around(claimed), "something that stays uses it by now".into()),
            Err(reason) => {
                (moved.collect(), format!("it is not known whether something that stays uses it by now: {reason}"))
            }
        };
        for number in back.into_iter().rev() {
            let error = self.give_back(number).err();
            let item = &self.moves[number];
            if item.if_empty && error.is_none() {
                continue; // for the sake of what is in it
            }
            outcome.removed.retain(|removed| *removed != item.removing);
            outcome.failed.push(Failure {
                cache: self.inventory.items[self.plan.remove[item.removing].entry].cache,
                removing: Some(item.removing),
                path: item.path.clone(),
                consequence: Some(match &error {
                    None => format!("it was put back, because {because}"),
                    Some(_) => format!("it waits to be put back, because {because}"),
                }),
                error,
            });
        }
    }

    /// The root that it takes things from.
    pub(super) fn root(&self) -> &Root {
        &self.inventory.root
    }

    /// The moved things at these paths, and the folders that they were in.
    fn around(&self, paths: &HashSet<RelPath>) -> BTreeSet<usize> {
        let moved = self.moves.iter().enumerate().filter(|(_, item)| item.moved);
        let moved: HashMap<&RelPath, usize> = moved.map(|(number, item)| (&item.path, number)).collect();
        let up = |path: &RelPath| std::iter::successors(Some(path.clone()), RelPath::parent);
        paths.iter().flat_map(up).filter_map(|path| moved.get(&path).copied()).collect()
    }

    /// How many things it puts aside at most.
    pub(super) fn items(&self) -> usize {
        self.moves.len()
    }

    /// On whose behalf an item went.
    pub(super) fn removing_of(&self, item: usize) -> usize {
        self.moves[item].removing
    }

    /// Where something was that waits at a path, the first component of which is an item's number.
    pub(super) fn origin(&self, item: usize, waits_at: &RelPath) -> RelPath {
        waits_at.components().skip(1).fold(self.moves[item].path.clone(), |path, name| path.join(name))
    }

    /// The cache of an entry that goes.
    pub(super) fn cache_of(&self, removing: usize) -> usize {
        self.inventory.items[self.plan.remove[removing].entry].cache
    }

    fn give_back(&mut self, number: usize) -> Result<(), FsError> {
        let item = &mut self.moves[number];
        let back = self.inventory.root.put_back(&self.holding, number, &item.path);
        (item.moved, self.stuck) = (back.is_err(), self.stuck || back.is_err());
        back
    }

    fn put_aside(&mut self, number: usize) -> Result<(), FsError> {
        let (root, item) = (&self.inventory.root, &mut self.moves[number]);
        item.moved = if item.if_empty {
            root.put_aside_if_empty(&item.path, item.identity, &self.holding, number)?
        } else {
            root.put_aside(&item.path, item.identity, &self.holding, number)?;
            true
        };
        Ok(())
    }

    /// An entry that cannot go whole does not go at all.
    fn give_back_entry(&mut self, removing: usize) -> Vec<(RelPath, FsError)> {
        let mut failures = Vec::new();
        for number in (0..self.moves.len()).rev() {
            if self.moves[number].moved && self.moves[number].removing == removing {
                let failed = self.give_back(number).err();
                failures.extend(failed.map(|error| (self.moves[number].path.clone(), error)));
            }
        }
        failures
    }
}

impl Take for Aside<'_> {
    fn take(&mut self, at: usize, step: &Step) -> Vec<(RelPath, FsError)> {
        let failed = match self.of_step[at].clone() {
            Err(failed) => Some(failed),
            Ok(moves) => moves.into_iter().find_map(|number| match self.put_aside(number) {
                Ok(()) | Err(FsError::NotFound) => None,
                Err(error) => Some((self.moves[number].path.clone(), error)),
            }),
        };
        match failed {
            Some(failed) => {
                let more = self.give_back_entry(step.removing);
                std::iter::once(failed).chain(more).collect()
            }
            None => Vec::new(),
        }
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }
}

/// By path: whether something beneath it stays.
fn kept_below(inventory: &Inventory, plan: &RootPlan) -> Set<PathId> {
    let kept = inventory.paths.ids().filter(|id| plan.kept_paths.get(id.index()).copied().unwrap_or(false));
    kept.flat_map(|id| inventory.paths.up(id).skip(1)).collect()
}

/// Finds out what of each step can move as one.
struct Pieces<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    kept_below: Set<PathId>,
    moves: Vec<Move>,
}

impl Pieces<'_> {
    fn of_step(&mut self, step: &Step) -> Result<Vec<usize>, (RelPath, FsError)> {
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
