//! What entries weigh. The measuring walk says how many bytes lie at each claim; here they are added up for entries, an
//! inode once, and for sets of entries that go.

use hashbrown::{HashMap, HashSet};

use crate::model::PathId;
use crate::tree::{LinkedInode, Measure, Usage};

use super::holders::Holders;
use super::inventory::{EntryIx, Inventory};
use super::plan::Plan;

/// The measured bytes of an inventory.
pub struct Weights {
    measure: Measure,
    /// Which inodes with several names have one at a path.
    linked_at: HashMap<PathId, Vec<usize>>,
    holders: Holders,
    /// For each cache, where the bytes are booked that it has and nobody claims.
    unclaimed: Vec<Option<PathId>>,
}

impl Weights {
    /// Which paths the walk has to tell apart: all claims, and the caches' own paths for what no claim covers.
    pub fn buckets(inventory: &Inventory) -> Vec<bool> {
        let mut buckets = claimed_paths(inventory);
        for path in unclaimed_paths(inventory).into_iter().flatten() {
            buckets[path.index()] = true;
        }
        buckets
    }

    /// Where the walk has to begin.
    pub fn starts(inventory: &Inventory) -> Vec<PathId> {
        inventory.in_scope().map(|cache| inventory.caches[cache].start).collect()
    }

    /// Takes the result of the walk over those buckets.
    pub fn new(inventory: &Inventory, measure: Measure) -> Self {
        let mut linked_at: HashMap<PathId, Vec<usize>> = HashMap::new();
        for (inode, linked) in measure.linked.iter().enumerate() {
            for (path, _) in &linked.at {
                linked_at.entry(*path).or_default().push(inode);
            }
        }
        Self { measure, linked_at, holders: Holders::of(inventory), unclaimed: unclaimed_paths(inventory) }
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

    /// Bytes that stay of what an entry and all below it claim; `kept` says of each path whether it does.
    pub(super) fn staying(&self, inventory: &Inventory, ix: EntryIx, kept: &[bool]) -> u64 {
        self.sum(&claims(inventory, ix).into_iter().filter(|path| kept[path.index()]).collect()).size
    }

    /// What lies in a cache and no entry claims. Where several caches begin at one path it counts for the first.
    pub fn unclaimed(&self, cache: usize) -> Usage {
        self.sum(&self.unclaimed[cache].into_iter().collect())
    }

    /// What the entries of a cache claim, and what in it nobody does.
    pub fn cache(&self, inventory: &Inventory, cache: usize) -> Usage {
        self.sum(&self.paths_of(inventory, |other| other == cache))
    }

    /// The paths whose bytes count for these caches.
    fn paths_of(&self, inventory: &Inventory, of: impl Fn(usize) -> bool) -> HashSet<PathId> {
        let unclaimed = self.unclaimed.iter().enumerate().filter(|(cache, _)| of(*cache));
        let mut all: HashSet<PathId> = unclaimed.filter_map(|(_, path)| *path).collect();
        for item in inventory.items.iter().filter(|item| of(item.cache)) {
            all.extend(item.entry.owns.iter().chain(&item.entry.shares));
        }
        all
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

    /// Files that lose some of their names when everything at these paths goes, and keep others.
    pub(super) fn partly(&self, paths: &HashSet<PathId>) -> Vec<Partly> {
        let of = |inode: &LinkedInode| {
            let names: u64 = inode.at.iter().filter(|(path, _)| paths.contains(path)).map(|(_, names)| names).sum();
            let partly = 0 < names && names < inode.links;
            partly.then(|| Partly { inode: (inode.dev, inode.ino), names, links: inode.links, usage: inode.usage() })
        };
        self.measure.linked.iter().filter_map(of).collect()
    }

    fn add_up(&self, paths: &HashSet<PathId>, counts: impl Fn(&LinkedInode) -> bool) -> Usage {
        let mut usage = Usage::default();
        let mut inodes: HashSet<usize> = HashSet::new();
        for path in paths {
            usage += self.measure.usage[path.index()];
            inodes.extend(self.linked_at.get(path).into_iter().flatten());
        }
        for inode in inodes.into_iter().map(|inode| &self.measure.linked[inode]).filter(|inode| counts(inode)) {
            usage += inode.usage();
        }
        usage
    }
}

/// A file that keeps some of its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Partly {
    inode: (u64, u64),
    /// How many go.
    names: u64,
    /// How many there are.
    links: u64,
    usage: Usage,
}

/// What is free because the names that files have in one root go together with those in others, and what is not.
pub(super) fn across<'a>(roots: impl Iterator<Item = &'a Partly>) -> (Usage, Usage) {
    let mut files: HashMap<(u64, u64), (u64, &Partly)> = HashMap::new();
    for partly in roots {
        files.entry(partly.inode).or_insert((0, partly)).0 += partly.names;
    }
    let sum = |free: bool| {
        let files = files.values().filter(|(names, partly)| (*names >= partly.links) == free);
        files.map(|(_, partly)| partly.usage).sum()
    };
    (sum(true), sum(false))
}

/// All that the command is about, an inode once, be it in one root or in several.
pub fn union(inventories: &[Inventory], weights: &[Weights]) -> Usage {
    sum_of_all(inventories.iter().zip(weights).map(|(inventory, weights)| {
        let paths = weights.paths_of(inventory, |cache| inventory.caches[cache].in_scope);
        (weights, paths)
    }))
}

/// Bytes that stay of what these entries and all below them claim, an inode once, be it in one root or in several. Each
/// entry comes with its inventory's place.
pub fn staying(inventories: &[Inventory], weights: &[Weights], plan: &Plan, entries: &[(usize, EntryIx)]) -> u64 {
    let mut paths: HashMap<usize, HashSet<PathId>> = HashMap::new();
    for &(at, ix) in entries {
        let kept = &plan.roots[at].kept_paths;
        let of_entry = claims(&inventories[at], ix).into_iter().filter(|path| kept[path.index()]);
        paths.entry(at).or_default().extend(of_entry);
    }
    sum_of_all(paths.into_iter().map(|(at, paths)| (&weights[at], paths))).size
}

/// The bytes at paths in several roots.
fn sum_of_all<'a>(roots: impl Iterator<Item = (&'a Weights, HashSet<PathId>)>) -> Usage {
    let mut usage = Usage::default();
    let mut inodes: HashSet<(u64, u64)> = HashSet::new();
    for (weights, paths) in roots {
        for path in paths {
            usage += weights.measure.usage[path.index()];
            let linked = weights.linked_at.get(&path).into_iter().flatten();
            let linked = linked.map(|inode| &weights.measure.linked[*inode]);
            linked.filter(|it| inodes.insert((it.dev, it.ino))).for_each(|it| usage += it.usage());
        }
    }
    usage
}

/// By [`PathId`]: whether an entry claims it.
fn claimed_paths(inventory: &Inventory) -> Vec<bool> {
    let mut claimed = vec![false; inventory.paths.len()];
    for item in &inventory.items {
        item.entry.owns.iter().chain(&item.entry.shares).for_each(|path| claimed[path.index()] = true);
    }
    claimed
}

/// For each cache the path at which its unclaimed bytes are booked. The first of those that begin at one path has them;
/// one that begins in what an entry claims has none.
fn unclaimed_paths(inventory: &Inventory) -> Vec<Option<PathId>> {
    let claimed = claimed_paths(inventory);
    let mut seen: HashSet<PathId> = HashSet::new();
    let mut own = |start: PathId| {
        let first = seen.insert(start);
        (first && !inventory.paths.up(start).any(|above| claimed[above.index()])).then_some(start)
    };
    inventory.caches.iter().map(|cache| own(cache.start)).collect()
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
