//! Listing entries level by level, several at a time.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::clean::{EntryIx, Inventory, Target};
use crate::model::{Detail, Edit, Listing, Problem};

use super::{Loaded, Survey, of_plugin};

/// A level, or what went wrong with it.
type Listed = Result<Listing, Box<Problem>>;

/// So many levels are listed at a time, so that their raw answers do not pile up in memory.
const BATCH: usize = 64;

impl Survey {
    /// Lists the first level of every cache.
    pub fn list_top(&self, inventories: &mut [Inventory], detail: Detail, problems: &mut Vec<Problem>) {
        if detail == Detail::Full {
            for inventory in inventories.iter() {
                // What cannot be read will be told by the listing and the measuring pass.
                let _ = inventory.root.remember();
            }
        }
        let asked: Vec<Vec<_>> = inventories.par_iter().map(|inventory| self.top_of(inventory, detail)).collect();
        for (inventory, listings) in inventories.iter_mut().zip(asked) {
            for (cache, listing) in listings.into_iter().enumerate() {
                match listing {
                    Ok(listing) => inventory.add(cache, None, listing),
                    Err(problem) => {
                        inventory.caches[cache].incomplete = true;
                        problems.push(*problem);
                    }
                }
            }
        }
    }

    fn top_of(&self, inventory: &Inventory, detail: Detail) -> Vec<Listed> {
        inventory
            .caches
            .par_iter()
            .map(|state| {
                let plugin = self.asked(inventory)?;
                let listing = plugin.plugin.list_entries(&inventory.root, &state.cache, None, detail);
                listing.map_err(|error| Box::new(of_plugin(&error, Some(&state.cache.id))))
            })
            .collect()
    }

    /// Lists the children of these entries, in full. A level that cannot be listed stays unlisted.
    pub fn list_children(&self, inventory: &mut Inventory, parents: &[EntryIx], problems: &mut Vec<Problem>) {
        for batch in parents.chunks(BATCH) {
            let shared = &*inventory;
            let listings: Vec<Listed> = batch
                .par_iter()
                .map(|&parent| {
                    let plugin = self.asked(shared)?;
                    let item = &shared.items[parent];
                    let cache = &shared.caches[item.cache].cache;
                    let id = Some(item.entry.id.as_str());
                    let listing = plugin.plugin.list_entries(&shared.root, cache, id, Detail::Full);
                    listing.map_err(|error| {
                        let problem = of_plugin(&error, Some(&cache.id));
                        Box::new(Problem { id: Some(item.entry.id.clone()), ..problem })
                    })
                })
                .collect();
            for (&parent, listing) in batch.iter().zip(listings) {
                match listing {
                    Ok(listing) => inventory.add(inventory.items[parent].cache, Some(parent), listing),
                    Err(problem) => problems.push(*problem),
                }
            }
        }
    }

    /// Lists everything below these entries.
    pub fn list_below(&self, inventory: &mut Inventory, of: &[EntryIx], problems: &mut Vec<Problem>) {
        let mut level: Vec<EntryIx> = of.to_vec();
        while !level.is_empty() {
            let unlisted: Vec<EntryIx> = level.iter().copied().filter(|&ix| !inventory.items[ix].listed).collect();
            self.list_children(inventory, &unlisted, problems);
            level = level.iter().flat_map(|&ix| inventory.items[ix].children.clone()).collect();
        }
    }

    /// Lists what has to be listed so that the targets can be looked for.
    pub fn list_for(&self, targets: &[Target], inventories: &mut [Inventory], problems: &mut Vec<Problem>) {
        let mut failed = HashSet::new();
        for target in targets {
            loop {
                let parents: Vec<_> =
                    target.unlisted_parents(inventories).into_iter().filter(|it| !failed.contains(it)).collect();
                if parents.is_empty() {
                    break;
                }
                for (at, parent) in parents {
                    self.list_children(&mut inventories[at], &[parent], problems);
                    if !inventories[at].items[parent].listed {
                        failed.insert((at, parent));
                    }
                }
            }
        }
    }

    /// What indexes of a cache lose when these ids go.
    ///
    /// # Errors
    /// When the plugin cannot say; the entries stay then.
    pub fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        let plugin = self.asked(inventory).map_err(|problem| problem.message)?;
        let cache = &inventory.caches[cache].cache;
        plugin.plugin.delete_entry(&inventory.root, cache, ids).map_err(|error| error.to_string())
    }

    fn asked(&self, inventory: &Inventory) -> Result<&Loaded, Box<Problem>> {
        let message = || format!("the plugin `{}` is not loaded", inventory.plugin);
        let gone = || Box::new(Problem::new("plugin-gone", message()));
        self.plugin(&inventory.plugin).ok_or_else(gone)
    }
}
