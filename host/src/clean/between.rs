//! Between plugins that share a root. Nobody can claim what is another's: of two plugins the one whose caches come first
//! in the inventory keeps what its entries claim, and an entry of the other that claims the same place, a place in it or
//! a folder around it is left out. As long as the first one's claims are not all known, nothing of the other goes.

use hashbrown::HashMap;

use crate::model::{Listing, PathId, Problem, RelPath};

use super::inventory::Inventory;

/// What the entries of earlier plugins claim.
pub(super) struct Claimed<'a> {
    inventory: &'a Inventory,
    /// The cache that claims a path.
    at: HashMap<PathId, usize>,
    /// A cache that claims something beneath a path.
    beneath: HashMap<PathId, usize>,
}

impl<'a> Claimed<'a> {
    /// For a cache of an inventory whose earlier caches were listed.
    pub(super) fn before(inventory: &'a Inventory, cache: usize) -> Self {
        let mut claimed = Self { inventory, at: HashMap::new(), beneath: HashMap::new() };
        // The claims of children lie within those of their parents.
        for item in others(inventory, cache).flat_map(|other| &inventory.caches[other].top) {
            let item = &inventory.items[*item];
            for &path in item.entry.owns.iter().chain(&item.entry.shares) {
                claimed.at.entry(path).or_insert(item.cache);
                for above in inventory.paths.up(path).skip(1) {
                    claimed.beneath.entry(above).or_insert(item.cache);
                }
            }
        }
        claimed
    }

    /// The plugin that claims a path, or a folder above it.
    pub(super) fn plugin_above(&self, path: &RelPath) -> Option<&'a str> {
        let cache = self.inventory.paths.along(path).find_map(|at| self.at.get(&at))?;
        Some(&self.inventory.caches[*cache].plugin)
    }

    /// The plugin that claims a path, a folder above it, or anything in it.
    fn plugin_around(&self, path: &RelPath) -> Option<&'a str> {
        let beneath = || self.beneath.get(&self.inventory.paths.find(path)?);
        self.plugin_above(path).or_else(|| Some(&self.inventory.caches[*beneath()?].plugin))
    }
}

/// Takes the entries out of a cache's first level that claim what an earlier plugin's do, and says so.
pub(super) fn leave_out(inventory: &Inventory, cache: usize, listing: &mut Listing) -> Option<Problem> {
    others(inventory, cache).next()?;
    let claimed = Claimed::before(inventory, cache);
    let mut first: Option<(String, &str, RelPath)> = None;
    let before = listing.entries.len();
    listing.entries.retain(|entry| {
        let claims = entry.owns.iter().chain(&entry.shares);
        let taken = claims.into_iter().find_map(|path| Some((claimed.plugin_around(path)?, path)));
        if let (Some((by, path)), None) = (taken, &first) {
            first = Some((entry.id.clone(), by, path.clone()));
        }
        taken.is_none()
    });
    let (id, by, path) = first?;
    let message = match before - listing.entries.len() {
        1 => format!("1 entry is left out, because {by} claims the same place: `{id}`"),
        count => format!("{count} entries are left out, because {by} claims the same places: the first is `{id}`"),
    };
    Some(Problem::new("claimed-by-other", message).beneath(inventory.given(cache), &path))
}

/// The earlier plugin in the same root whose claims are not all known: it may claim whatever this cache's entries do.
pub(super) fn unsettled(inventory: &Inventory, cache: usize) -> Option<&str> {
    let incomplete = || others(inventory, cache).map(|other| &inventory.caches[other]).find(|other| other.incomplete);
    inventory.caches[cache].unheard.as_deref().or_else(|| Some(&incomplete()?.plugin))
}

/// The caches of other plugins that come before one.
fn others(inventory: &Inventory, cache: usize) -> impl Iterator<Item = usize> + '_ {
    (0..cache).filter(move |other| inventory.caches[*other].plugin != inventory.caches[cache].plugin)
}
