//! What is in one root: its caches and their entries, as far as they were listed, with all claims interned in one tree.

use std::path::{Path, PathBuf};

use hashbrown::HashSet;

use crate::model::{Cache, Entry, Listing, PathId, PathTree, Pattern, Problem, RelPath, RootRule, Warning};
use crate::tree::Root;

use super::between;

/// An entry's place in [`Inventory::items`].
pub type EntryIx = usize;

/// One root and what was listed in it.
pub struct Inventory {
    /// The open root.
    pub root: Root,
    /// The caches that were discovered, of one plugin or of several. Where entries of two plugins claim the same place,
    /// it is the first one's.
    pub caches: Vec<CacheState>,
    /// Other roots in this one. What is there is theirs.
    pub cut: Vec<RelPath>,
    /// The entries of all caches, each parent before its children.
    pub items: Vec<Item>,
    /// Every claimed path, and the paths of the caches.
    pub paths: PathTree,
}

/// A cache and what is known of its first level.
pub struct CacheState {
    /// As discovered.
    pub cache: Cache,
    /// The plugin that names things here.
    pub plugin: String,
    /// The plugin's rule that gave the root.
    pub rule: String,
    /// The files that edits may drop records from, as the rule declares them.
    pub indexes: Vec<Pattern>,
    /// The root's path as the rule gave it.
    pub given: PathBuf,
    /// Whether the command is about it. If not, it is here for what its entries claim, and nothing of it goes.
    pub in_scope: bool,
    /// An earlier plugin that could not say which caches it has in this root.
    pub unheard: Option<String>,
    /// Where it begins in [`Inventory::paths`].
    pub start: PathId,
    /// Whether something at the first level could not be read.
    pub incomplete: bool,
    /// Whether the plugin failed to list the first level.
    pub failed: bool,
    /// The plugin's remarks, of all levels.
    pub warnings: Vec<Warning>,
    /// The host's remarks on how it stands to other caches.
    pub remarks: Vec<Problem>,
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
    /// Whether listing the level below was tried, and failed.
    pub failed: bool,
    /// Whether something at the level below could not be read.
    pub incomplete: bool,
}

impl Inventory {
    /// An inventory without caches.
    pub fn new(root: Root) -> Self {
        Self { root, caches: Vec::new(), cut: Vec::new(), items: Vec::new(), paths: PathTree::default() }
    }

    /// Adds the caches that a plugin found by a rule, after those that take precedence. `given` is the root's path as
    /// the rule gave it.
    pub fn add_caches(&mut self, plugin: &str, rule: &RootRule, given: &Path, caches: Vec<Cache>) {
        let Self { paths, caches: known, .. } = self;
        known.extend(caches.into_iter().map(|cache| CacheState {
            start: paths.insert(&cache.path),
            cache,
            plugin: plugin.to_owned(),
            rule: rule.id.clone(),
            indexes: rule.indexes.clone(),
            given: given.to_owned(),
            in_scope: true,
            unheard: None,
            incomplete: false,
            failed: false,
            warnings: Vec::new(),
            remarks: Vec::new(),
            top: Vec::new(),
        }));
    }

    /// The root's path as the rule gave it that led to a cache.
    pub fn given(&self, cache: usize) -> &Path {
        &self.caches[cache].given
    }

    /// The root as the plugin of a cache knows it.
    pub fn root_of(&self, cache: usize) -> Root {
        self.root.given_as(self.given(cache))
    }

    /// The caches that the command is about.
    pub fn in_scope(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.caches.len()).filter(|cache| self.caches[*cache].in_scope)
    }

    /// Adds one level: the first of a cache, in the order of the caches, or the children of an entry. Of a first level,
    /// what claims an earlier plugin's places is left out.
    pub fn add(&mut self, cache: usize, parent: Option<EntryIx>, mut listing: Listing) {
        let first = self.items.len();
        self.leave_out_hidden(&mut listing);
        if parent.is_none() {
            let remark = between::leave_out(self, cache, &mut listing);
            self.caches[cache].remarks.extend(remark);
        }
        listing.entries.retain(|entry| !self.is_cut(entry));
        let unsettled = between::unsettled(self, cache).is_some();
        for mut entry in listing.entries {
            entry.reclaim = entry.reclaim.filter(|_| !unsettled);
            let entry = entry.map_claims(|path: RelPath| self.paths.insert(&path));
            let listed = !entry.has_children;
            self.items.push(Item {
                entry,
                cache,
                parent,
                children: Vec::new(),
                listed,
                failed: false,
                incomplete: false,
            });
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

    /// A claim of what no plugin may know of is none, and an entry without any other is none either.
    fn leave_out_hidden(&self, listing: &mut Listing) {
        let shown = |path: &RelPath| !self.root.hides(path);
        listing.warnings.retain(|warning| shown(&warning.path));
        listing.entries.retain_mut(|Entry { owns, shares, .. }| {
            let claimed_nothing = owns.is_empty() && shares.is_empty();
            owns.retain(shown);
            shares.retain(shown);
            claimed_nothing || !owns.is_empty() || !shares.is_empty()
        });
    }

    /// Whether all that an entry claims is another root's, so that it is no entry here.
    fn is_cut(&self, entry: &Entry) -> bool {
        let mut claims = entry.owns.iter().chain(&entry.shares).peekable();
        let in_other = |path: &RelPath| self.cut.iter().any(|cut| path.starts_with(cut));
        !self.cut.is_empty() && claims.peek().is_some() && claims.all(in_other)
    }

    /// Checks that children stay within what their parent claims.
    ///
    /// # Errors
    /// The rule that is broken, with the first claim that breaks it.
    pub fn check_children(&self, parent: EntryIx, listing: &Listing) -> Result<(), String> {
        let parent = &self.items[parent].entry;
        let covering: HashSet<PathId> = parent.owns.iter().chain(&parent.shares).copied().collect();
        let covered = |path: &RelPath| self.paths.along(path).any(|at| covering.contains(&at)) || self.root.hides(path);
        for entry in &listing.entries {
            let (owned, shared) = (entry.owns.iter(), entry.shares.iter());
            let claims = owned.map(|path| ("owns", path)).chain(shared.map(|path| ("shares", path)));
            if let Some((verb, path)) = claims.into_iter().find(|(_, path)| !covered(path)) {
                let (id, parent) = (&entry.id, &parent.id);
                return Err(format!("`{id}` {verb} `{path}`, which its parent `{parent}` does not claim"));
            }
        }
        Ok(())
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
