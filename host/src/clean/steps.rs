//! From entries that go to removals in order. An entry's own claims go first, what refers before content, as its plugin
//! lists them; then what it was the last to share; then folders that became empty. Children go before their parents,
//! so that every interruption leaves references without content nowhere.

use hashbrown::{HashMap, HashSet};

use crate::model::{PathId, RelPath};
use crate::tree::{FsError, Identity, NodeKind};

use super::decide::{Decision, Held, Hold};
use super::holders::Holders;
use super::inventory::{EntryIx, Inventory};
use super::plan::{HeldEntries, Step, StepKind};
use super::restrict::Stamp;

/// What becomes of each claimed path.
pub(super) struct Fate {
    /// By [`PathId`]: claimed by something that stays.
    pub(super) kept: Vec<bool>,
    /// Shared paths that are free.
    freed: HashSet<PathId>,
}

impl Fate {
    pub(super) fn of(inventory: &Inventory, decision: &Decision, holders: &Holders) -> Self {
        let going = decision.flags(inventory);
        let freed: HashSet<PathId> = decision.freed(inventory, holders).into_iter().collect();
        let mut kept = vec![false; inventory.paths.len()];
        for (path, _) in holders.iter().filter(|(path, _)| !freed.contains(path)) {
            kept[path.index()] = true;
        }
        // On the same path the child is the deeper: a child that goes takes a path that its parent owns, too.
        let mut taken_below: HashSet<(EntryIx, PathId)> = HashSet::new();
        for (ix, _) in &decision.going {
            for path in &inventory.items[*ix].entry.owns {
                taken_below.extend(inventory.ancestors(*ix).map(|above| (above, *path)));
            }
        }
        for (ix, item) in inventory.items.iter().enumerate().filter(|(ix, _)| !going[*ix]) {
            for path in item.entry.owns.iter().filter(|path| !taken_below.contains(&(ix, **path))) {
                kept[path.index()] = true;
            }
        }
        Self { kept, freed }
    }
}

/// The steps in order, or the entries that must stay because they cannot be looked at.
pub(super) fn steps(
    inventory: &Inventory,
    decision: &Decision,
    holders: &Holders,
    fate: &Fate,
) -> Result<Vec<Step>, HeldEntries> {
    let place: HashMap<EntryIx, usize> = decision.going.iter().enumerate().map(|(at, (ix, _))| (*ix, at)).collect();
    let owned = owned_paths(inventory, decision);
    let mut last_holder: HashMap<PathId, usize> = HashMap::new();
    for (at, (ix, _)) in decision.going.iter().enumerate() {
        last_holder.extend(inventory.items[*ix].entry.shares.iter().map(|path| (*path, at)));
    }
    let mut planner = Planner { inventory, seen: HashSet::new(), steps: Vec::new(), unknown: HeldEntries::new() };
    for (at, (ix, _)) in decision.going.iter().enumerate() {
        let entry = &inventory.items[*ix].entry;
        for path in entry.owns.iter().filter(|path| !fate.kept[path.index()]) {
            planner.add(at, *ix, *path, Vec::new());
        }
        let covered = |path: PathId| inventory.paths.up(path).skip(1).any(|above| owned.contains(&above));
        for path in entry.shares.iter().copied().filter(|path| fate.freed.contains(path) && last_holder[path] == at) {
            if !covered(path) {
                let after =
                    holders.of_path(path).iter().filter_map(|ix| place.get(ix).copied()).filter(|&other| other != at);
                planner.add(at, *ix, path, after.collect());
            }
        }
    }
    planner.finish(fate)
}

/// What goes because the entries that go own it.
fn owned_paths(inventory: &Inventory, decision: &Decision) -> HashSet<PathId> {
    decision.going.iter().flat_map(|(ix, _)| &inventory.items[*ix].entry.owns).copied().collect()
}

struct Planner<'a> {
    inventory: &'a Inventory,
    seen: HashSet<PathId>,
    steps: Vec<Step>,
    unknown: HeldEntries,
}

impl Planner<'_> {
    fn add(&mut self, removing: usize, ix: EntryIx, path: PathId, after: Vec<usize>) {
        if !self.seen.insert(path) {
            return;
        }
        let path = self.inventory.paths.path(path);
        match self.inventory.root.stat(&path) {
            Ok(stat) => {
                let (identity, stamp) = (stat.identity, Stamp::of(&stat));
                self.steps.push(Step { removing, path, identity, stamp, kind: StepKind::Claim, after });
            }
            Err(FsError::NotFound) => {}
            Err(error) => {
                let reason = format!("`{path}` cannot be looked at: {error}");
                self.unknown.insert(ix, Held { hold: Hold::Unknown, reason });
            }
        }
    }

    fn finish(mut self, fate: &Fate) -> Result<Vec<Step>, HeldEntries> {
        if !self.unknown.is_empty() {
            return Err(self.unknown);
        }
        let step = |(removing, path, identity)| Step {
            removing,
            path,
            identity,
            stamp: None,
            kind: StepKind::Emptied,
            after: Vec::new(),
        };
        let emptied: Vec<Step> = self.emptied(fate).into_iter().map(step).collect();
        self.steps.extend(emptied);
        // After the last step of the entry that takes the last thing out; the sorting keeps all other order.
        self.steps.sort_by_key(|step| step.removing);
        Ok(self.steps)
    }

    /// Folders that hold nothing but what goes, deepest first, each with the removal that takes the last thing out of it.
    fn emptied(&self, fate: &Fate) -> Vec<(usize, RelPath, Identity)> {
        let mut going: HashMap<RelPath, usize> =
            self.steps.iter().enumerate().map(|(at, s)| (s.path.clone(), at)).collect();
        let mut folders: Vec<RelPath> = self.steps.iter().filter_map(|step| step.path.parent()).collect();
        let mut found = Vec::new();
        let mut looked_at = HashSet::new();
        folders.sort_by_key(|folder| folder.components().count());
        while let Some(folder) = folders.pop() {
            let covered = || up(&folder).any(|above| going.contains_key(&above));
            if !looked_at.insert(folder.clone()) || self.must_stay(&folder, fate) || covered() {
                continue;
            }
            let Ok(names) = self.inventory.root.names(&folder) else { continue };
            let steps: Option<Vec<usize>> = names.iter().map(|name| going.get(&folder.join(name)).copied()).collect();
            let Some(last) = steps.and_then(|steps| steps.into_iter().max()) else { continue };
            let Ok(stat) = self.inventory.root.stat(&folder) else { continue };
            if stat.identity.kind == NodeKind::Directory {
                going.insert(folder.clone(), last);
                if let Some(parent) = folder.parent() {
                    // Everything left to look at is at most as deep as this folder, so its parent comes in order.
                    let at = folders.partition_point(|f| f.components().count() <= parent.components().count());
                    folders.insert(at, parent);
                }
                found.push((self.steps[last].removing, folder, stat.identity));
            }
        }
        found
    }

    /// The root, a cache's own folder, what an entry that stays claims, and what holds something that no plugin sees.
    fn must_stay(&self, folder: &RelPath, fate: &Fate) -> bool {
        let cache = self.inventory.caches.iter().any(|cache| cache.cache.path.starts_with(folder));
        let kept = self.inventory.paths.find(folder).is_some_and(|path| fate.kept[path.index()]);
        cache || kept || self.inventory.root.holds_hidden(folder)
    }
}

/// A path and all above it but the root.
pub(super) fn up(path: &RelPath) -> impl Iterator<Item = RelPath> {
    std::iter::successors(Some(path.clone()), RelPath::parent).take_while(|path| !path.is_root())
}
