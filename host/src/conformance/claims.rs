//! Checks of what the entries of one listing claim.

use hashbrown::{HashMap, HashSet};

use crate::clean::{EntryIx, Inventory, Weights, union};
use crate::model::{PathId, RelPath};
use crate::tree::{Filter, NodeKind};

use super::look::Look;
use super::report::Findings;

pub(super) fn check(look: &Look<'_>, findings: &mut Findings) {
    for (inventory, weights) in look.found.inventories.iter().zip(&look.weights) {
        owned_exists(inventory, findings);
        unique_ids(inventory, findings);
        let claims = Claims::of(inventory);
        claims.one_owner(findings);
        claims.overlap(findings);
        needs(inventory, findings);
        locks(inventory, findings);
        bytes(inventory, weights, findings);
    }
}

fn owned_exists(inventory: &Inventory, findings: &mut Findings) {
    for item in &inventory.items {
        for path in item.entry.owns.iter().map(|path| inventory.paths.path(*path)) {
            if inventory.root.stat(&path) == Err(crate::tree::FsError::NotFound) {
                findings.add("owned-exists", format!("`{}` owns `{path}`, which is not there", item.entry.id));
            }
        }
    }
}

fn unique_ids(inventory: &Inventory, findings: &mut Findings) {
    let mut seen = HashSet::new();
    for item in &inventory.items {
        if !seen.insert((item.cache, &item.entry.id)) {
            findings.add("unique-ids", format!("`{}` is the id of two entries", item.entry.id));
        }
    }
}

/// Who claims each path.
struct Claims<'a> {
    inventory: &'a Inventory,
    owners: HashMap<PathId, Vec<EntryIx>>,
    sharers: HashMap<PathId, Vec<EntryIx>>,
}

impl<'a> Claims<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let (mut owners, mut sharers) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (ix, item) in inventory.items.iter().enumerate() {
            item.entry.owns.iter().for_each(|path| owners.entry(*path).or_default().push(ix));
            item.entry.shares.iter().for_each(|path| sharers.entry(*path).or_default().push(ix));
        }
        Self { inventory, owners, sharers }
    }

    fn id(&self, ix: EntryIx) -> &str {
        &self.inventory.items[ix].entry.id
    }

    /// Whether one is above the other.
    fn related(&self, one: EntryIx, other: EntryIx) -> bool {
        let above = |ix: EntryIx, it: EntryIx| self.inventory.ancestors(ix).any(|above| above == it);
        one == other || above(one, other) || above(other, one)
    }

    fn one_owner(&self, findings: &mut Findings) {
        for (path, owners) in &self.owners {
            let shown = || self.inventory.paths.path(*path);
            let (first, rest) = (owners[0], &owners[1..]);
            if let Some(other) = rest.iter().find(|other| !self.related(first, **other)) {
                let (one, other) = (self.id(first), self.id(*other));
                findings.add("one-owner", format!("`{}` is owned by `{one}` and by `{other}`", shown()));
            }
            let sharers = self.sharers.get(path).into_iter().flatten();
            if let Some(other) = sharers.copied().find(|other| !self.related(first, *other)) {
                let (one, other) = (self.id(first), self.id(other));
                findings.add("one-owner", format!("`{}` is owned by `{one}` and shared by `{other}`", shown()));
            }
        }
    }

    /// A claim within what an entry elsewhere owns, of which neither of them says anything.
    fn overlap(&self, findings: &mut Findings) {
        let mut told: HashSet<(EntryIx, EntryIx)> = HashSet::new();
        for (path, inner) in
            self.owners.iter().chain(&self.sharers).flat_map(|(path, all)| all.iter().map(move |it| (*path, *it)))
        {
            let above = self.inventory.paths.up(path).skip(1).filter_map(|above| self.owners.get(&above));
            for outer in above.flatten().copied().filter(|outer| !self.related(inner, *outer)) {
                if self.says_so(inner, outer) || self.says_so(outer, inner) || !told.insert((inner, outer)) {
                    continue;
                }
                let (one, other, path) = (self.id(inner), self.id(outer), self.inventory.paths.path(path));
                findings.add("overlap", format!("`{one}` claims `{path}`, which lies in what `{other}` owns"));
            }
        }
    }

    /// Whether an entry needs a place of another's.
    fn says_so(&self, ix: EntryIx, other: EntryIx) -> bool {
        let needs: Vec<RelPath> =
            self.inventory.items[ix].entry.needs.iter().filter_map(|it| RelPath::parse(it).ok()).collect();
        let owned = self.inventory.items[other].entry.owns.iter().map(|path| self.inventory.paths.path(*path));
        owned.into_iter().any(|owned| needs.iter().any(|it| it.starts_with(&owned) || owned.starts_with(it)))
    }
}

fn needs(inventory: &Inventory, findings: &mut Findings) {
    for item in &inventory.items {
        let owned: Vec<RelPath> = item.entry.owns.iter().map(|path| inventory.paths.path(*path)).collect();
        for need in item.entry.needs.iter().filter_map(|need| RelPath::parse(need).ok()) {
            if owned.iter().any(|path| need.starts_with(path)) {
                findings.add("needs", format!("`{}` needs `{need}`, which it owns itself", item.entry.id));
            }
        }
    }
}

/// What is taken for no lock file protects nothing.
fn locks(inventory: &Inventory, findings: &mut Findings) {
    for item in &inventory.items {
        for lock in &item.entry.locks {
            let kind = inventory.root.stat(&lock.path).map(|stat| stat.identity.kind);
            if matches!(kind, Ok(NodeKind::Link | NodeKind::Other)) {
                let (id, path) = (&item.entry.id, &lock.path);
                findings.add("locks", format!("the lock `{path}` of `{id}` is no file and no folder"));
            }
        }
    }
}

/// Counts the root's files once more, without the plugin.
fn bytes(inventory: &Inventory, weights: &Weights, findings: &mut Findings) {
    if inventory.caches.is_empty() || !weights.measure().unreadable.is_empty() {
        return;
    }
    let counted = union(std::slice::from_ref(inventory), std::slice::from_ref(weights)).size;
    let Ok(mut walker) = inventory.root.walk(&RelPath::root(), Filter { stat: true, ..Filter::default() }) else {
        return;
    };
    let (mut there, mut missed) = (0, None);
    loop {
        let nodes = walker.next(10_000);
        if nodes.is_empty() {
            break;
        }
        for node in nodes.iter().filter(|node| node.kind == NodeKind::File) {
            there += node.size;
            let path = RelPath::parse(&node.path).unwrap_or_default();
            let covered = inventory.caches.iter().any(|cache| path.starts_with(&cache.cache.path));
            missed = missed.or_else(|| (!covered && node.size > 0).then_some(path));
        }
    }
    if let Some(path) = missed {
        findings.add("bytes", format!("`{path}` is beneath no cache's path, so its bytes are shown nowhere"));
    } else if there != counted {
        findings.add("bytes", format!("{there} bytes are in the root, and {counted} are shown"));
    }
}
