//! Listing entries level by level, several at a time.

use std::collections::{HashMap, HashSet};

use rayon::prelude::*;

use crate::clean::{EntryIx, Inventory, RootPlan, Target};
use crate::model::{Detail, Edit, Entry, Listing, Problem, RelPath};
use crate::runtime::{Plugin, PluginError};
use crate::tree::{Identity, Root};

use super::{Survey, of_plugin};

/// A level, or what went wrong with it.
pub(crate) type Listed = Result<Listing, Box<Problem>>;

/// So many levels are listed at a time, so that their raw answers do not pile up in memory.
const BATCH: usize = 64;

impl Survey {
    /// Lists the first level of every cache, all inventories at the same time.
    pub fn list_top(&self, inventories: &mut [Inventory], detail: Detail, problems: &mut Vec<Problem>) {
        for_each(inventories, problems, |inventory, problems| {
            if detail == Detail::Full {
                remember(inventory);
            }
            let top = self.ask_top(inventory, detail);
            add_top(inventory, top, problems);
        });
    }

    /// Lists everything in every cache in scope, in full, all inventories at the same time.
    pub fn list_whole(&self, inventories: &mut [Inventory], problems: &mut Vec<Problem>) {
        for_each(inventories, problems, |inventory, problems| self.list_all_of(inventory, problems));
    }

    /// The outline already tells whose children there are to be listed, so that all levels are asked for at the same
    /// time.
    fn list_all_of(&self, inventory: &mut Inventory, problems: &mut Vec<Problem>) {
        remember(inventory);
        let in_scope: Vec<usize> = inventory.in_scope().collect();
        let ask = |&cache: &usize| (cache, self.ask(inventory, cache, None, Detail::Outline));
        let outline: Vec<(usize, Listed)> = in_scope.par_iter().map(ask).collect();
        let levels = outline.into_iter().filter_map(|(cache, listed)| Some((cache, listed.ok()?)));
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
                self.add_children(inventory, parent, listed, problems);
            }
        }
        let top: Vec<EntryIx> = in_scope.iter().flat_map(|cache| inventory.caches[*cache].top.clone()).collect();
        self.list_below(inventory, &top, problems);
    }

    /// Lists the children of these entries, in full. A level that cannot be listed stays unlisted, and is not asked for
    /// again.
    fn list_children(&self, inventory: &mut Inventory, parents: &[EntryIx], problems: &mut Vec<Problem>) {
        for batch in parents.chunks(BATCH) {
            let shared = &*inventory;
            let ask = |&parent: &EntryIx| {
                let item = &shared.items[parent];
                self.ask(shared, item.cache, Some(&item.entry.id), Detail::Full)
            };
            let listings: Vec<Listed> = batch.par_iter().map(ask).collect();
            for (&parent, listed) in batch.iter().zip(listings) {
                self.add_children(inventory, parent, listed, problems);
            }
        }
    }

    fn add_children(&self, inventory: &mut Inventory, parent: EntryIx, listed: Listed, problems: &mut Vec<Problem>) {
        let item = &inventory.items[parent];
        let (cache, id) = (item.cache, item.entry.id.clone());
        let checked = listed.and_then(|listing| match inventory.check_children(parent, &listing) {
            Ok(()) => Ok(listing),
            Err(rule) => {
                let error = PluginError::invalid(&inventory.caches[cache].plugin, "list-entries", rule);
                Err(of_level(&error, inventory, cache, Some(&id)))
            }
        });
        match checked {
            Ok(listing) => inventory.add(cache, Some(parent), listing),
            Err(problem) => {
                inventory.items[parent].failed = true;
                problems.push(*problem);
            }
        }
    }

    fn ask_top(&self, inventory: &Inventory, detail: Detail) -> Vec<Listed> {
        let caches = (0..inventory.caches.len()).into_par_iter();
        caches.map(|cache| self.ask(inventory, cache, None, detail)).collect()
    }

    /// One level, as the plugin says it.
    ///
    /// # Errors
    /// When the plugin fails or its answer breaks a rule.
    pub(crate) fn ask(&self, inventory: &Inventory, cache: usize, parent: Option<&str>, detail: Detail) -> Listed {
        self.ask_in(&inventory.root_of(cache), inventory, cache, parent, detail)
    }

    fn ask_in(&self, root: &Root, inventory: &Inventory, cache: usize, parent: Option<&str>, detail: Detail) -> Listed {
        let plugin = self.asked(inventory, cache)?;
        let listed = plugin.list_entries(root, &inventory.caches[cache].cache, parent, detail);
        listed.map_err(|error| of_level(&error, inventory, cache, parent))
    }

    /// What is claimed at this moment in the levels that the entries of a plan, which are gone, were in; whatever was listed
    /// before.
    ///
    /// # Errors
    /// Why a level cannot be listed any more.
    pub fn claims_now(&self, inventory: &Inventory, plan: &RootPlan) -> Result<HashSet<RelPath>, String> {
        let mut levels: HashSet<(usize, Option<EntryIx>)> = HashSet::new();
        let gone: HashSet<EntryIx> = plan.remove.iter().map(|removing| removing.entry).collect();
        for &ix in &gone {
            let cache = inventory.items[ix].cache;
            let above = inventory.ancestors(ix).filter(|above| !gone.contains(above));
            levels.extend(above.map(Some).chain([None]).map(|parent| (cache, parent)));
        }
        let ask = |(cache, parent): (usize, Option<EntryIx>)| {
            let parent = parent.map(|ix| inventory.items[ix].entry.id.as_str());
            let listed = self.ask_in(&inventory.root_of(cache).afresh(), inventory, cache, parent, Detail::Full);
            listed.map(|listing| (cache, listing)).map_err(|problem| problem.message)
        };
        let listings: Vec<(usize, Listing)> = levels.into_par_iter().map(ask).collect::<Result<_, _>>()?;
        let entries = listings.into_iter().flat_map(|(cache, it)| it.entries.into_iter().map(move |it| (cache, it)));
        let went: HashSet<(&str, &str)> = plan.remove.iter().map(|it| (it.cache.as_str(), it.id.as_str())).collect();
        let steps: HashMap<&RelPath, &Identity> = plan.steps.iter().map(|step| (&step.path, &step.identity)).collect();
        // A plugin may name places at which nothing is. What went is there again if something else is in its place.
        let is_new = |path: &RelPath| {
            let was = steps.get(path);
            was.is_some_and(|was| inventory.root.stat(path).is_ok_and(|is| is.identity != **was))
        };
        let stays = |(cache, entry): &(usize, Entry)| {
            let id = (inventory.caches[*cache].cache.id.as_str(), entry.id.as_str());
            !went.contains(&id) || entry.owns.iter().chain(&entry.shares).any(is_new)
        };
        let claims = |(_, entry): (usize, Entry)| entry.owns.into_iter().chain(entry.shares);
        Ok(entries.filter(stays).flat_map(claims).collect())
    }

    /// Lists everything below these entries.
    pub fn list_below(&self, inventory: &mut Inventory, of: &[EntryIx], problems: &mut Vec<Problem>) {
        let mut level: Vec<EntryIx> = of.to_vec();
        while !level.is_empty() {
            let wanted = |ix: &EntryIx| !inventory.items[*ix].listed && !inventory.items[*ix].failed;
            let unlisted: Vec<EntryIx> = level.iter().copied().filter(wanted).collect();
            self.list_children(inventory, &unlisted, problems);
            level = level.iter().flat_map(|&ix| inventory.items[ix].children.clone()).collect();
        }
    }

    /// Lists what has to be listed so that the targets can be looked for.
    pub fn list_for(&self, targets: &[Target], inventories: &mut [Inventory], problems: &mut Vec<Problem>) {
        for target in targets {
            loop {
                let parents = target.unlisted_parents(inventories);
                if parents.is_empty() {
                    break;
                }
                for (at, parent) in parents {
                    self.list_children(&mut inventories[at], &[parent], problems);
                }
            }
        }
    }

    /// What indexes of a cache lose when these ids go.
    ///
    /// # Errors
    /// When the plugin cannot say; the entries stay then.
    pub fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        let plugin = self.asked(inventory, cache).map_err(|problem| problem.message)?;
        let edits = plugin.delete_entry(&inventory.root_of(cache), &inventory.caches[cache].cache, ids);
        edits.map_err(|error| error.message())
    }

    fn asked(&self, inventory: &Inventory, cache: usize) -> Result<&Plugin, Box<Problem>> {
        let plugin = &inventory.caches[cache].plugin;
        let gone = || Box::new(Problem::new("plugin-gone", format!("the plugin `{plugin}` is not loaded")));
        let loaded = self.plugin(plugin).ok_or_else(gone)?;
        self.load(loaded).map_err(|error| Box::new(of_plugin(&error, None)))
    }
}

/// Works on all inventories at the same time; problems come in their order.
fn for_each(
    inventories: &mut [Inventory],
    problems: &mut Vec<Problem>,
    work: impl Fn(&mut Inventory, &mut Vec<Problem>) + Sync,
) {
    let work = |inventory: &mut Inventory| {
        let mut problems = Vec::new();
        work(inventory, &mut problems);
        problems
    };
    let told: Vec<Vec<Problem>> = inventories.par_iter_mut().map(work).collect();
    problems.extend(told.into_iter().flatten());
}

/// A plugin's failure to list a level.
fn of_level(error: &PluginError, inventory: &Inventory, cache: usize, parent: Option<&str>) -> Box<Problem> {
    let problem = of_plugin(error, Some(&inventory.caches[cache].cache.id));
    Box::new(Problem { id: parent.map(str::to_owned), ..problem })
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
                inventory.caches[cache].failed = true;
                // A failure next door is not the user's business now.
                problems.extend(Some(*problem).filter(|_| inventory.caches[cache].in_scope));
            }
        }
    }
}
