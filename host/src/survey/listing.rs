//! Listing entries level by level, several at a time.

use std::collections::HashSet;

use rayon::prelude::*;

use crate::clean::{EntryIx, Inventory, Target};
use crate::model::{Detail, Edit, Listing, Problem};
use crate::runtime::Plugin;

use super::{Survey, of_plugin};

/// A level, or what went wrong with it.
type Listed = Result<Listing, Box<Problem>>;

/// So many levels are listed at a time, so that their raw answers do not pile up in memory.
const BATCH: usize = 64;

impl Survey {
    /// Lists the first level of every cache.
    pub fn list_top(&self, inventories: &mut [Inventory], detail: Detail, problems: &mut Vec<Problem>) {
        for inventory in inventories {
            if detail == Detail::Full {
                remember(inventory);
            }
            let top = self.ask_top(inventory, detail);
            add_top(inventory, top, problems);
        }
    }

    /// Lists everything in every cache, in full. The outline already tells whose children there are to be listed, so
    /// that all levels are asked for at the same time.
    pub fn list_whole(&self, inventories: &mut [Inventory], problems: &mut Vec<Problem>) {
        for inventory in inventories {
            remember(inventory);
            let outline = self.ask_top(inventory, Detail::Outline);
            let levels = outline.into_iter().enumerate().filter_map(|(cache, listed)| Some((cache, listed.ok()?)));
            let parents = levels.flat_map(|(cache, level)| {
                let parents = level.entries.into_iter().filter(|entry| entry.has_children);
                parents.map(move |entry| (cache, entry.id))
            });
            let parents: Vec<(usize, String)> = parents.collect();
            let shared = &*inventory;
            let (top, children) = rayon::join(
                || self.ask_top(shared, Detail::Full),
                || parents.par_iter().map(|(cache, id)| self.ask(shared, *cache, Some(id), Detail::Full)).collect(),
            );
            let children: Vec<Listed> = children;
            add_top(inventory, top, problems);
            for ((cache, id), listed) in parents.into_iter().zip(children) {
                if let Some(parent) = inventory.find(cache, &id).filter(|&ix| !inventory.items[ix].listed) {
                    add_children(inventory, parent, listed, problems);
                }
            }
            let top: Vec<EntryIx> = inventory.caches.iter().flat_map(|cache| cache.top.clone()).collect();
            self.list_below(inventory, &top, problems);
        }
    }

    /// Lists the children of these entries, in full. A level that cannot be listed stays unlisted.
    fn list_children(&self, inventory: &mut Inventory, parents: &[EntryIx], problems: &mut Vec<Problem>) {
        for batch in parents.chunks(BATCH) {
            let shared = &*inventory;
            let ask = |&parent: &EntryIx| {
                let item = &shared.items[parent];
                self.ask(shared, item.cache, Some(&item.entry.id), Detail::Full)
            };
            let listings: Vec<Listed> = batch.par_iter().map(ask).collect();
            for (&parent, listed) in batch.iter().zip(listings) {
                add_children(inventory, parent, listed, problems);
            }
        }
    }

    fn ask_top(&self, inventory: &Inventory, detail: Detail) -> Vec<Listed> {
        let caches = (0..inventory.caches.len()).into_par_iter();
        caches.map(|cache| self.ask(inventory, cache, None, detail)).collect()
    }

    fn ask(&self, inventory: &Inventory, cache: usize, parent: Option<&str>, detail: Detail) -> Listed {
        let plugin = self.asked(inventory)?;
        let cache = &inventory.caches[cache].cache;
        plugin.list_entries(&inventory.root, cache, parent, detail).map_err(|error| {
            let problem = of_plugin(&error, Some(&cache.id));
            Box::new(Problem { id: parent.map(str::to_owned), ..problem })
        })
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
        plugin.delete_entry(&inventory.root, cache, ids).map_err(|error| error.message())
    }

    fn asked(&self, inventory: &Inventory) -> Result<&Plugin, Box<Problem>> {
        let message = || format!("the plugin `{}` is not loaded", inventory.plugin);
        let gone = || Box::new(Problem::new("plugin-gone", message()));
        let loaded = self.plugin(&inventory.plugin).ok_or_else(gone)?;
        self.load(loaded).map_err(|error| Box::new(of_plugin(&error, None)))
    }
}

/// A full listing walks most folders twice.
fn remember(inventory: &Inventory) {
    // What cannot be read will be told by the listing and the measuring pass.
    let _ = inventory.root.remember();
}

fn add_top(inventory: &mut Inventory, top: Vec<Listed>, problems: &mut Vec<Problem>) {
    for (cache, listed) in top.into_iter().enumerate() {
        match listed {
            Ok(listing) => inventory.add(cache, None, listing),
            Err(problem) => {
                inventory.caches[cache].incomplete = true;
                problems.push(*problem);
            }
        }
    }
}

fn add_children(inventory: &mut Inventory, parent: EntryIx, listed: Listed, problems: &mut Vec<Problem>) {
    match listed {
        Ok(listing) => inventory.add(inventory.items[parent].cache, Some(parent), listing),
        Err(problem) => problems.push(*problem),
    }
}
