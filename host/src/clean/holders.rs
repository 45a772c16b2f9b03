//! Who holds a shared path. Holders are counted at the leaves: an entry whose children were listed holds what it shares
//! through them, so that one revision of a repository can give up a blob although the repository shares it too.

use hashbrown::{HashMap, HashSet};

use crate::model::PathId;

use super::inventory::{EntryIx, Inventory};

/// The holders of every shared path of an inventory.
pub(super) struct Holders {
    by_path: HashMap<PathId, Vec<EntryIx>>,
}

impl Holders {
    /// Counts.
    pub(super) fn of(inventory: &Inventory) -> Self {
        let mut by_path: HashMap<PathId, Vec<EntryIx>> = HashMap::new();
        for (ix, item) in inventory.items.iter().enumerate() {
            for path in &item.entry.shares {
                by_path.entry(*path).or_default().push(ix);
            }
        }
        // A parent's hold is its children's; without a child that shares the path it is the parent's own.
        for holders in by_path.values_mut().filter(|holders| holders.len() > 1) {
            let above: HashSet<EntryIx> = holders.iter().flat_map(|&ix| inventory.ancestors(ix)).collect();
            holders.retain(|ix| !above.contains(ix));
        }
        Self { by_path }
    }

    /// The leaf entries that share a path.
    pub(super) fn of_path(&self, path: PathId) -> &[EntryIx] {
        self.by_path.get(&path).map_or(&[], Vec::as_slice)
    }

    /// Every shared path with its holders.
    pub(super) fn iter(&self) -> impl Iterator<Item = (PathId, &[EntryIx])> {
        self.by_path.iter().map(|(path, holders)| (*path, holders.as_slice()))
    }

    /// Whether a path is free once the entries for which `going` holds are gone.
    ///
    /// On incomplete knowledge nothing is: if a holder's level could not be read completely, someone unseen may hold it
    /// too. What lies in a place that an entry owns is held by nobody but that entry's children, so no level above that
    /// entry matters.
    pub(super) fn is_freed(&self, inventory: &Inventory, path: PathId, going: &dyn Fn(EntryIx) -> bool) -> bool {
        self.of_path(path).iter().all(|&ix| going(ix) && all_holders_known(inventory, path, ix, going))
    }
}

fn all_holders_known(inventory: &Inventory, path: PathId, holder: EntryIx, going: &dyn Fn(EntryIx) -> bool) -> bool {
    for above in inventory.ancestors(holder) {
        let item = &inventory.items[above];
        if item.incomplete && !going(above) {
            return false;
        }
        if inventory.paths.up(path).any(|place| item.entry.owns.contains(&place)) {
            return true;
        }
    }
    !inventory.caches[inventory.items[holder].cache].incomplete
}
