//! Carrying out a plan so that it can be undone: everything is put aside first, in the order of the plan, then looked at
//! once more, and deleted only then, if at all.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use hashbrown::HashSet as Set;

use crate::clean::{Failure, Inventory, Outcome, RootPlan, Step, Take, carry_out, dropping, give_lines_back};
use crate::model::{Edit, Moment, RelPath};
use crate::tree::{FsError, Holding, Identity, OpenFiles, Process, Root, Stat};

use super::pieces::{Move, Pieces};
use super::record::{EditRecord, FolderRecord, Line, Place};
use super::store::Run;
use super::waiting::Waits;
use super::watch::Watch;

/// One root's part of a run.
pub struct Aside<'a> {
    inventory: &'a Inventory,
    plan: &'a RootPlan,
    /// Where things wait.
    pub(super) holding: Holding,
    moves: Vec<Move>,
    /// By step: its moves, or why it has none.
    of_step: Vec<Result<Vec<usize>, (RelPath, FsError)>>,
    /// By entry that goes: its moves. Thousands may have to be given back one after another.
    of_entry: HashMap<usize, Vec<usize>>,
    watch: &'a Watch,
    /// Something that was to be put back could not be: nothing of this may be deleted.
    pub(super) stuck: bool,
    /// What indexes are about to lose.
    losses: Vec<EditRecord>,
    /// The folders that things are taken out of, as they were.
    folders: Vec<FolderRecord>,
    /// Those that something was given back to.
    returned: Set<RelPath>,
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
        watch: &'a Watch,
    ) -> Result<Self, FsError> {
        // Where what goes waits in the root itself, making that place changes a folder's time.
        let root = &inventory.root;
        let before = Holding::folders_within().into_iter().filter_map(|at| Some((root.stat(&at).ok()?, at)));
        let before: HashMap<RelPath, Stat> = before.map(|(stat, at)| (at, stat)).collect();
        let holding = Holding::make(&inventory.root, &format!("{}.{number}", run.name))?;
        let mut aside = Self::new(inventory, plan, holding, watch);
        aside.note_folders(&before);
        aside.record(run);
        Ok(aside)
    }

    /// Decides what moves into a place, and records nothing.
    pub fn new(inventory: &'a Inventory, plan: &'a RootPlan, holding: Holding, watch: &'a Watch) -> Self {
        let mut pieces = Pieces::new(inventory, plan);
        let of_step = plan.steps.iter().map(|step| pieces.of_step(step)).collect();
        let moves = pieces.moves;
        let mut of_entry: HashMap<usize, Vec<usize>> = HashMap::new();
        let add = |(number, item): (usize, &Move)| of_entry.entry(item.removing).or_default().push(number);
        moves.iter().enumerate().for_each(add);
        let losses = losses(inventory, plan);
        Self {
            inventory,
            plan,
            holding,
            moves,
            of_step,
            of_entry,
            watch,
            stuck: false,
            losses,
            folders: Vec::new(),
            returned: Set::new(),
        }
    }

    fn record(&self, run: &mut Run) {
        let root = &self.inventory.root;
        run.add(&Line::Root {
            path: Place(root.path().to_owned()),
            ino: root.identity().1,
            holding: Place(self.holding.path().to_owned()),
            held_in: self.holding.identity(),
        });
        let all = self.plan.remove.iter().enumerate();
        let place: HashMap<usize, usize> = all.map(|(number, removing)| (removing.entry, number)).collect();
        for removing in &self.plan.remove {
            let (cache, id) = (removing.cache.clone(), removing.id.clone());
            let within = self.inventory.ancestors(removing.entry).find_map(|above| place.get(&above).copied());
            run.add(&Line::Entry { cache, id, size: removing.size, within });
        }
        let also = self.holders_of_moves();
        for (number, item) in self.moves.iter().enumerate() {
            let mut entries = vec![item.removing];
            entries.extend(also.get(&number).into_iter().copied().flatten());
            let (path, Identity { ino, kind, .. }) = (item.path.as_str().to_owned(), item.identity);
            run.add(&Line::Item { path, ino, kind: kind.into(), entries, emptied: item.if_empty });
        }
        for (path, entries) in self.needed() {
            run.add(&Line::Needed { path, entries });
        }
        for FolderRecord { path, accessed, modified } in &self.folders {
            let (path, accessed, modified) = (path.as_str().to_owned(), *accessed, *modified);
            run.add(&Line::Folder { path, accessed, modified });
        }
        for EditRecord { path, at, lines, size, accessed, modified } in &self.losses {
            let (path, lines) = (path.as_str().to_owned(), lines.clone());
            let (after, size, accessed, modified) = (*at == Moment::After, *size, *accessed, *modified);
            run.add(&Line::Edit { path, after, lines, size, accessed, modified });
        }
    }

    /// Notes the times of the folders that change. `before` are those that may have changed by now.
    fn note_folders(&mut self, before: &HashMap<RelPath, Stat>) {
        let root = &self.inventory.root;
        let is_made_in = |at: &&RelPath| self.holding.path().starts_with(root.path().join(at.to_path_buf()));
        let mut folders: Set<RelPath> = before.keys().filter(is_made_in).cloned().collect();
        folders.extend(self.moves.iter().filter_map(|item| item.path.parent()));
        folders.extend(self.plan.edits.iter().filter_map(|(_, edit)| edit.file.parent()));
        for path in folders {
            if let Some(stat) = before.get(&path).copied().or_else(|| root.stat(&path).ok()) {
                let (accessed, modified) = (stat.accessed_ns, stat.modified_ns);
                self.folders.push(FolderRecord { path, accessed, modified });
            }
        }
    }

    /// Gives the folders their times back that have got everything back.
    pub fn restore_times(&self) {
        let changed: Set<RelPath> =
            self.moves.iter().filter(|item| item.moved).filter_map(|item| item.path.parent()).collect();
        let whole = |it: &&FolderRecord| self.returned.contains(&it.path) && !changed.contains(&it.path);
        for folder in self.folders.iter().filter(whole) {
            // A time that stays new harms nobody.
            let _ = self.inventory.root.set_times(&folder.path, folder.accessed, folder.modified);
        }
    }

    /// What is there of that which entries that go share with others that stay.
    fn needed(&self) -> BTreeMap<String, Vec<usize>> {
        let mut needed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (removing, entry) in self.plan.remove.iter().enumerate() {
            let shares = &self.inventory.items[entry.entry].entry.shares;
            let kept = shares.iter().filter(|id| self.plan.kept_paths.get(id.index()).copied().unwrap_or(false));
            for path in kept.map(|id| self.inventory.paths.path(*id)) {
                needed.entry(path.as_str().to_owned()).or_default().push(removing);
            }
        }
        needed.retain(|path, _| RelPath::parse(path).is_ok_and(|path| self.inventory.root.stat(&path).is_ok()));
        needed
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
        let claimed = match claimed {
            Ok(claimed) => claimed,
            Err(reason) => {
                let because = format!("it is not known whether something that stays uses it by now: {reason}");
                return self.put_all_back(outcome, None, &|_| because.clone());
            }
        };
        let mut back = HashSet::new();
        for number in self.around(claimed).into_iter().rev() {
            let error = self.give_back(number).err();
            let item = &self.moves[number];
            if item.if_empty && error.is_none() {
                continue; // for the sake of what is in it
            }
            back.insert(item.removing);
            outcome.failed.push(Failure {
                cache: self.inventory.items[self.plan.remove[item.removing].entry].cache,
                removing: Some(item.removing),
                path: item.path.clone(),
                consequence: Some(told(error.as_ref(), "something that stays uses it by now")),
                error,
            });
        }
        outcome.removed.retain(|removed| !back.contains(removed));
    }

    /// Puts everything back, and says so of each entry, also of `used` if that is a part of one.
    fn put_all_back(&mut self, outcome: &mut Outcome, used: Option<usize>, because: &dyn Fn(usize) -> String) {
        let mut failures: HashMap<usize, (RelPath, FsError)> = HashMap::new();
        let moved: Vec<usize> = (0..self.moves.len()).filter(|number| self.moves[*number].moved).collect();
        for number in moved.into_iter().rev() {
            if let Err(error) = self.give_back(number) {
                failures.entry(self.moves[number].removing).or_insert((self.moves[number].path.clone(), error));
            }
        }
        self.give_lines_back();
        for removing in std::mem::take(&mut outcome.removed) {
            let entry = &self.plan.remove[removing];
            let failed = failures.remove(&removing);
            if failed.is_none() && used != Some(removing) && !entry.outermost {
                continue;
            }
            let (path, error) = failed.map_or((entry.paths.first().cloned(), None), |(at, why)| (Some(at), Some(why)));
            let consequence = Some(told(error.as_ref(), &because(removing)));
            let (cache, path) = (self.cache_of(removing), path.unwrap_or_default());
            outcome.failed.push(Failure { cache, removing: Some(removing), path, error, consequence });
        }
    }

    fn give_lines_back(&self) {
        for EditRecord { path, lines, size, .. } in &self.losses {
            // Lines that stay away only make what is there be collected later.
            let _ = give_lines_back(&self.inventory.root, path, lines, *size);
        }
    }

    /// The moved things at these paths, and the folders that they were in.
    fn around(&self, paths: &HashSet<RelPath>) -> BTreeSet<usize> {
        let moved = self.moves.iter().enumerate().filter(|(_, item)| item.moved);
        let moved: HashMap<&RelPath, usize> = moved.map(|(number, item)| (&item.path, number)).collect();
        let up = |path: &RelPath| std::iter::successors(Some(path.clone()), RelPath::parent);
        paths.iter().flat_map(up).filter_map(|path| moved.get(&path).copied()).collect()
    }

    /// Puts everything back if a process has a part of it open: it began to use it after the last look.
    pub fn give_back_used(&mut self, outcome: &mut Outcome) {
        let Some((file, process)) = OpenFiles::one_beneath(self.holding.path()) else { return };
        let in_holding = file.strip_prefix(self.holding.path()).unwrap_or(&file);
        let number = in_holding.iter().next().and_then(|name| name.to_str()?.parse::<usize>().ok());
        let used = number.filter(|number| self.moves.get(*number).is_some_and(|item| item.moved));
        let Some(used) = used.map(|number| self.moves[number].removing) else { return };
        let Process { pid, name } = process;
        self.put_all_back(outcome, Some(used), &|removing| {
            let what = if removing == used { "it" } else { "something that went with it" };
            format!("{name} (process {pid}) began to use {what}")
        });
    }

    /// What it puts aside at most.
    pub(super) fn waits(&self) -> Vec<Waits<'_>> {
        let all = self.moves.iter().enumerate();
        all.map(|(number, Move { path, identity: Identity { ino, kind, .. }, if_empty, .. })| Waits {
            number,
            path,
            ino: *ino,
            kind: *kind,
            emptied: *if_empty,
        })
        .collect()
    }

    /// Where it takes things from.
    pub(super) fn root(&self) -> &Root {
        &self.inventory.root
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
        self.returned.extend(item.path.parent());
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
        self.watch.moved.add(1, 0);
        Ok(())
    }

    /// An entry that cannot go whole does not go at all.
    fn give_back_entry(&mut self, removing: usize) -> Vec<(RelPath, FsError)> {
        let moves = self.of_entry.get(&removing).cloned().unwrap_or_default().into_iter().rev();
        let moved: Vec<usize> = moves.filter(|number| self.moves[*number].moved).collect();
        let give_back = |number| self.give_back(number).err().map(|error| (self.moves[number].path.clone(), error));
        moved.into_iter().filter_map(give_back).collect()
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
        self.watch.is_stopped()
    }

    fn give_up(&mut self, removing: usize) -> Vec<(RelPath, FsError)> {
        self.give_back_entry(removing)
    }
}

/// What became of something that was to be put back.
fn told(error: Option<&FsError>, because: &str) -> String {
    let what = if error.is_none() { "was put back" } else { "waits to be put back" };
    format!("it {what}, because {because}")
}

/// What the edits of a plan are about to drop. An index that is not there loses nothing.
fn losses(inventory: &Inventory, plan: &RootPlan) -> Vec<EditRecord> {
    let one = |edit: &Edit| {
        let Stat { size, accessed_ns: accessed, modified_ns: modified, .. } = inventory.root.stat(&edit.file).ok()?;
        let lines = dropping(&inventory.root, edit);
        Some(EditRecord { path: edit.file.clone(), at: edit.at, lines, size, accessed, modified })
    };
    plan.edits.iter().filter_map(|(_, edit)| one(edit)).collect()
}
