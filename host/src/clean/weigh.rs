//! What entries weigh. The measuring walk says how many bytes lie at each claim; here they are added up for entries, an
//! inode once, and for sets of entries that go.

use hashbrown::{HashMap, HashSet};

use crate::model::PathId;
use crate::tree::{LinkedInode, Measure, Usage};

use super::holders::Holders;
use super::inventory::{EntryIx, Inventory};

/// The measured bytes of an inventory.
pub struct Weights {
    measure: Measure,
    /// Which inodes with several names have one at a path.
    linked_at: HashMap<PathId, Vec<usize>>,
    holders: Holders,
}

impl Weights {
    /// Which paths the walk has to tell apart: all claims, and the caches' own paths for what no claim covers.
    pub fn buckets(inventory: &Inventory) -> Vec<bool> {
        let mut buckets = vec![false; inventory.paths.len()];
        for cache in &inventory.caches {
            buckets[cache.start.index()] = true;
        }
        for item in &inventory.items {
            for path in item.entry.owns.iter().chain(&item.entry.shares) {
                buckets[path.index()] = true;
            }
        }
        buckets
    }

    /// Takes the result of the walk over those buckets.
    pub fn new(inventory: &Inventory, measure: Measure) -> Self {
        let mut linked_at: HashMap<PathId, Vec<usize>> = HashMap::new();
        for (inode, linked) in measure.linked.iter().enumerate() {
            for (path, _) in &linked.at {
                linked_at.entry(*path).or_default().push(inode);
            }
        }
        Self { measure, linked_at, holders: Holders::of(inventory) }
    }

    /// Who holds what is shared.
    pub(super) fn holders(&self) -> &Holders {
        &self.holders
    }

    /// What could not be read, and so is missing from all sums.
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// What an entry and all below it own or share.
    pub fn entry(&self, inventory: &Inventory, ix: EntryIx) -> Usage {
        self.sum(&claims(inventory, ix))
    }

    /// What would be freed if the entry alone went: what it owns, and what nobody else shares. Bytes of an inode with
    /// further names elsewhere are not among them.
    pub fn unique(&self, inventory: &Inventory, ix: EntryIx) -> u64 {
        let subtree: HashSet<EntryIx> = inventory.subtree(ix).into_iter().collect();
        let going = |ix: EntryIx| subtree.contains(&ix);
        let shared_by_others = |path: &PathId| {
            let shared = !self.holders.of_path(*path).is_empty();
            shared && !self.holders.is_freed(inventory, *path, &going)
        };
        let alone: HashSet<PathId> = claims(inventory, ix).into_iter().filter(|path| !shared_by_others(path)).collect();
        self.freed(&alone).size
    }

    /// What no entry of a cache claims.
    pub fn unclaimed(&self, inventory: &Inventory, cache: usize) -> Usage {
        self.sum(&HashSet::from([inventory.caches[cache].start]))
    }

    /// All of a cache, claimed or not.
    pub fn cache(&self, inventory: &Inventory, cache: usize) -> Usage {
        let mut all = HashSet::from([inventory.caches[cache].start]);
        for item in inventory.items.iter().filter(|item| item.cache == cache) {
            all.extend(item.entry.owns.iter().chain(&item.entry.shares));
        }
        self.sum(&all)
    }

    /// The bytes at these paths, an inode once.
    pub fn sum(&self, paths: &HashSet<PathId>) -> Usage {
        self.add_up(paths, |_| true)
    }

    /// The bytes that are free once everything at these paths is gone: an inode only if all of its names were there.
    pub fn freed(&self, paths: &HashSet<PathId>) -> Usage {
        self.add_up(paths, |inode| {
            let names: u64 = inode.at.iter().filter(|(path, _)| paths.contains(path)).map(|(_, names)| names).sum();
            names >= inode.links
        })
    }

    fn add_up(&self, paths: &HashSet<PathId>, counts: impl Fn(&LinkedInode) -> bool) -> Usage {
        let mut usage = Usage::default();
        let mut inodes: HashSet<usize> = HashSet::new();
        for path in paths {
            usage += self.measure.usage[path.index()];
            inodes.extend(self.linked_at.get(path).into_iter().flatten());
        }
        for inode in inodes.into_iter().map(|inode| &self.measure.linked[inode]).filter(|inode| counts(inode)) {
            usage += usage_of(inode);
        }
        usage
    }
}

fn claims(inventory: &Inventory, ix: EntryIx) -> HashSet<PathId> {
    let subtree = inventory.subtree(ix);
    subtree
        .into_iter()
        .flat_map(|ix| {
            let entry = &inventory.items[ix].entry;
            entry.owns.iter().chain(&entry.shares).copied()
        })
        .collect()
}

fn usage_of(inode: &LinkedInode) -> Usage {
    Usage {
        size: inode.size,
        disk_size: inode.disk_size,
        files: 1,
        modified: Some(inode.modified),
        accessed: Some(inode.accessed),
    }
}
