//! Roots that several plugins found. One directory is one inventory, whoever asked for it, so that each byte in it is
//! measured once; here the plugins' answers are brought together by root, in order of precedence, and what their caches
//! have to do with each other is said.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::clean::{CacheState, Inventory};
use crate::model::{Cache, Manifest, Problem, RelPath, RootRule, escape_name, escape_text};
use crate::tree::Root;

use super::Loaded;
use super::scope::Scope;

/// What a plugin had to say of a root.
pub(super) struct Answer<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) rule: &'a RootRule,
    pub(super) root: Root,
    /// The caches in it; none at all if the plugin failed.
    pub(super) caches: Option<Vec<Cache>>,
}

/// Whose a word of `-c` is. Of two plugins that use the same one, the earlier has it.
pub(super) struct Words<'a> {
    owners: HashMap<String, &'a str>,
}

impl<'a> Words<'a> {
    /// The names and rules of the plugins, in their order.
    pub(super) fn new(manifests: impl Iterator<Item = &'a Manifest>) -> Self {
        let mut owners = HashMap::new();
        for manifest in manifests {
            for word in manifest.roots.iter().map(|rule| &rule.id).chain([&manifest.name]) {
                owners.entry(word.clone()).or_insert(manifest.name.as_str());
            }
        }
        Self { owners }
    }

    /// Takes the ids of caches for a plugin.
    ///
    /// # Errors
    /// The rule that is broken, if one of them is another plugin's. Then none is taken.
    pub(super) fn take(&mut self, plugin: &'a str, caches: &[Cache]) -> Result<(), String> {
        for Cache { id, .. } in caches {
            if let Some(owner) = self.owners.get(id).filter(|owner| **owner != plugin) {
                return Err(format!("it calls a cache `{id}`, which is a word of the plugin `{owner}`"));
            }
        }
        self.owners.extend(caches.iter().map(|cache| (cache.id.clone(), plugin)));
        Ok(())
    }
}

/// One inventory for each root with a cache in scope, in the order in which the roots were found.
pub(super) fn inventories(answers: Vec<Answer<'_>>, scope: &Scope) -> Vec<Inventory> {
    let mut by_root: Vec<Vec<Answer<'_>>> = Vec::new();
    for answer in answers.into_iter().filter(|answer| answer.caches.as_ref().is_none_or(|caches| !caches.is_empty())) {
        match by_root.iter_mut().find(|known| known[0].root.identity() == answer.root.identity()) {
            Some(known) => known.push(answer),
            None => by_root.push(vec![answer]),
        }
    }
    let roots: Vec<PathBuf> = by_root.iter().map(|answers| answers[0].root.path().to_owned()).collect();
    let mut inventories: Vec<Inventory> = by_root.into_iter().map(|answers| inventory(answers, scope)).collect();
    inventories.retain(|inventory| !inventory.caches.is_empty());
    for inventory in &mut inventories {
        let path = inventory.root.path().to_owned();
        inventory.cut = roots.iter().filter(|root| **root != path).filter_map(|root| beneath(&path, root)).collect();
    }
    inventories.iter_mut().for_each(tell_shared);
    tell_nested(&mut inventories);
    inventories.retain(|inventory| inventory.in_scope().next().is_some());
    inventories
}

/// The more specific first: a rule that tells its folders by marks before one that takes any. But what was installed never
/// comes before what is built in: else a plugin could take over a cache by asking for its folder.
fn inventory(mut answers: Vec<Answer<'_>>, scope: &Scope) -> Inventory {
    answers.sort_by_key(|answer| (!answer.loaded.known.is_built_in(), answer.rule.marks.is_empty()));
    let mut inventory = Inventory::new(answers[0].root.clone());
    let mut unheard: Option<String> = None;
    for Answer { loaded, rule, root, caches } in answers {
        let plugin = loaded.known.name();
        let Some(caches) = caches else {
            unheard.get_or_insert_with(|| plugin.to_owned());
            continue;
        };
        let first = inventory.caches.len();
        inventory.add_caches(plugin, rule, root.given(), caches);
        for cache in &mut inventory.caches[first..] {
            cache.in_scope = scope.has(plugin, &cache.cache.id);
            cache.unheard.clone_from(&unheard);
        }
    }
    inventory
}

/// Says of caches in one folder that they share it.
fn tell_shared(inventory: &mut Inventory) {
    for at in 1..inventory.caches.len() {
        let (earlier, rest) = inventory.caches.split_at_mut(at);
        let this = &mut rest[0];
        let overlap = |one: &RelPath, other: &RelPath| one.starts_with(other) || other.starts_with(one);
        let shared = |it: &&CacheState| it.plugin != this.plugin && overlap(&it.cache.path, &this.cache.path);
        if let Some(other) = earlier.iter().find(shared) {
            let place = escape_text(this.given.as_os_str());
            let (plugin, cache) = (&other.plugin, &other.cache.id);
            let message = format!("`{place}` is the folder of {plugin}'s {cache}, too: each byte is counted once");
            this.remarks.push(Problem::new("root-shared", message).at(place));
        }
    }
}

/// The path of one root in another, if it lies there.
fn beneath(outer: &Path, inner: &Path) -> Option<RelPath> {
    let names: Vec<_> = inner.strip_prefix(outer).ok()?.iter().map(escape_name).collect();
    Some(RelPath::from_components(names.iter().map(AsRef::as_ref)))
}

/// Says of a root with another one in it that the inner one is not counted with it.
fn tell_nested(inventories: &mut [Inventory]) {
    for inner in 0..inventories.len() {
        let owners = |cache: &CacheState| format!("{} ({})", cache.cache.id, cache.plugin);
        let owners: Vec<String> = inventories[inner].caches.iter().map(owners).collect();
        let path = inventories[inner].root.path().to_owned();
        for outer in (0..inventories.len()).filter(|outer| *outer != inner) {
            let Some(below) = beneath(inventories[outer].root.path(), &path) else { continue };
            // The cache that begins deepest has what lies there; of several that begin at one path, the first.
            let around = inventories[outer].caches.iter_mut().rev().filter(|it| below.starts_with(&it.cache.path));
            if let Some(cache) = around.max_by_key(|it| it.cache.path.components().count()) {
                let place = escape_text(path.as_os_str());
                let message = format!("`{place}` in it is counted as {}", owners.join(" and "));
                cache.remarks.push(Problem::new("root-nested", message).at(place));
            }
        }
    }
}
