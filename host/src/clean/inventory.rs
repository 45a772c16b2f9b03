//! What is in one root: its caches and their entries, as far as they were listed, with all claims interned in one tree.

use crate::model::{Cache, Entry, Listing, PathId, PathTree, Pattern, RelPath, RootRule, Warning};
use crate::tree::Root;

/// An entry's place in [`Inventory::items`].
pub type EntryIx = usize;

/// One root and what was listed in it.
pub struct Inventory {
    /// The open root.
    pub root: Root,
    /// The plugin that names things here.
    pub plugin: String,
    /// The plugin's rule that gave the root.
    pub rule: String,
    /// The files that edits may drop records from, as the rule declares them.
    pub indexes: Vec<Pattern>,
    /// The caches that were discovered.
    pub caches: Vec<CacheState>,
    /// The entries of all caches, each parent before its children.
    pub items: Vec<Item>,
    /// Every claimed path, and the paths of the caches.
    pub paths: PathTree,
}

/// A cache and what is known of its first level.
pub struct CacheState {
    /// As discovered.
    pub cache: Cache,
    /// Where it begins in [`Inventory::paths`].
    pub start: PathId,
    /// Whether something at the first level could not be read.
    pub incomplete: bool,
    /// The plugin's remarks, of all levels.
    pub warnings: Vec<Warning>,
    /// The entries of the first level.
    pub top: Vec<EntryIx>,
}

/// An entry in its place.
pub struct Item {
    /// What the plugin says of it.
    pub entry: Entry<PathId>,
    /// Index into [`Inventory::caches`].
    pub cache: usize,
    /// The entry above.
    pub parent: Option<EntryIx>,
    /// The entries below, once they were listed.
    pub children: Vec<EntryIx>,
    /// Whether the level below was listed, or there is none.
    pub listed: bool,
    /// Whether something at the level below could not be read.
    pub incomplete: bool,
}

impl Inventory {
    /// An inventory without entries.
    pub fn new(root: Root, plugin: String, rule: &RootRule, caches: Vec<Cache>) -> Self {
        let mut paths = PathTree::default();
        let state = |cache: Cache| CacheState {
            start: paths.insert(&cache.path),
            cache,
            incomplete: false,
            warnings: Vec::new(),
            top: Vec::new(),
        };
        let caches = caches.into_iter().map(state).collect();
        let (rule, indexes) = (rule.id.clone(), rule.indexes.clone());
        Self { root, plugin, rule, indexes, caches, items: Vec::new(), paths }
    }

    /// Adds one level: the first of a cache, or the children of an entry.
    pub fn add(&mut self, cache: usize, parent: Option<EntryIx>, listing: Listing) {
        let first = self.items.len();
        for entry in listing.entries {
            let entry = entry.map_claims(|path: RelPath| self.paths.insert(&path));
            let listed = !entry.has_children;
            self.items.push(Item { entry, cache, parent, children: Vec::new(), listed, incomplete: false });
        }
        let level = first..self.items.len();
        let state = &mut self.caches[cache];
        state.warnings.extend(listing.warnings);
        match parent {
            None => {
                state.top.extend(level);
                state.incomplete |= listing.incomplete;
            }
            Some(parent) => {
                let parent = &mut self.items[parent];
                parent.children.extend(level);
                parent.listed = true;
                parent.incomplete |= listing.incomplete;
            }
        }
    }

    /// The id of the cache an entry belongs to.
    pub fn cache_id(&self, ix: EntryIx) -> &str {
        &self.caches[self.items[ix].cache].cache.id
    }

    /// An entry and all that was listed below it, parents before children.
    pub fn subtree(&self, ix: EntryIx) -> Vec<EntryIx> {
        let mut all = vec![ix];
        let mut next = 0;
        while let Some(&at) = all.get(next) {
            all.extend(&self.items[at].children);
            next += 1;
        }
        all
    }

    /// The entries above one, the nearest first.
    pub fn ancestors(&self, ix: EntryIx) -> impl Iterator<Item = EntryIx> + '_ {
        std::iter::successors(self.items[ix].parent, |ix| self.items[*ix].parent)
    }

    /// The entry of that id in a cache, among those that were listed.
    pub fn find(&self, cache: usize, id: &str) -> Option<EntryIx> {
        let mut level = &self.caches[cache].top;
        loop {
            // A child's id starts with its parent's: go down where the id leads.
            if let Some(&found) = level.iter().find(|ix| self.items[**ix].entry.id == id) {
                return Some(found);
            }
            let above =
                |ix: &&EntryIx| id.starts_with(&self.items[**ix].entry.id) && !self.items[**ix].children.is_empty();
            let best = level.iter().filter(above).max_by_key(|ix| self.items[**ix].entry.id.len())?;
            level = &self.items[*best].children;
        }
    }
}
