//! Who holds a shared path. Holders are counted at the leaves: an entry whose children were listed holds what it shares
//! through them, so that one revision of a repository can give up a blob although the repository shares it too.

use hashbrown::{HashMap, HashSet};

use crate::model::PathId;

use super::inventory::{EntryIx, Inventory};

/// The holders of every shared path of an inventory.
pub struct Holders {
    by_path: HashMap<PathId, Vec<EntryIx>>,
}

impl Holders {
    /// Counts.
    pub fn of(inventory: &Inventory) -> Self {
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
    pub fn of_path(&self, path: PathId) -> &[EntryIx] {
        self.by_path.get(&path).map_or(&[], Vec::as_slice)
    }

    /// Every shared path with its holders.
    pub fn iter(&self) -> impl Iterator<Item = (PathId, &[EntryIx])> {
        self.by_path.iter().map(|(path, holders)| (*path, holders.as_slice()))
    }

    /// Whether a path is free once the entries for which `going` holds are gone.
    ///
    /// On incomplete knowledge nothing is: if a holder's level could not be read completely, someone unseen may hold it
    /// too. The level of a child does not matter when its parent goes with all that is in it.
    pub fn is_freed(&self, inventory: &Inventory, path: PathId, going: &dyn Fn(EntryIx) -> bool) -> bool {
        self.of_path(path).iter().all(|&ix| {
            let item = &inventory.items[ix];
            let level_known = !inventory.caches[item.cache].incomplete
                && inventory.ancestors(ix).all(|above| going(above) || !inventory.items[above].incomplete);
            going(ix) && level_known
        })
    }
}
