//! Which caches a command is about: the words of `-c`, in one namespace of plugin names, root rules and cache ids.

use std::collections::BTreeSet;

use crate::clean::Inventory;

use super::Survey;

/// The words of `-c`; empty for all caches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Cache ids or plugin names.
    pub names: Vec<String>,
    /// Whether the caches beside them are looked at as well, because their entries may need what is in scope.
    pub with_neighbours: bool,
}

/// A word of `-c` that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no cache or plugin `{name}`{}", suggestion(.nearest, .known))]
pub struct UnknownCache {
    /// The word.
    pub name: String,
    /// Known words like it, the nearest first.
    pub nearest: Vec<String>,
    /// All known words.
    pub known: Vec<String>,
}

fn suggestion(nearest: &[String], known: &[String]) -> String {
    if nearest.is_empty() {
        format!("; there are: {}", known.join(", "))
    } else {
        format!("; did you mean {}?", nearest.join(" or "))
    }
}

impl Scope {
    /// Whether a cache is in scope.
    pub fn has(&self, plugin: &str, cache: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == plugin || name == cache)
    }
}

impl Survey {
    /// Checks the words of `-c` against everything that is known.
    ///
    /// # Errors
    /// For the first word that names nothing.
    pub fn check_scope(&self, scope: &Scope, inventories: &[Inventory]) -> Result<(), UnknownCache> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        for loaded in &self.plugins {
            known.extend(loaded.known.facts.words().into_iter().map(str::to_owned));
        }
        known.extend(inventories.iter().flat_map(|inventory| inventory.caches.iter().map(|it| it.cache.id.clone())));
        match scope.names.iter().find(|name| !known.contains(*name)) {
            None => Ok(()),
            Some(name) => {
                let mut nearest: Vec<(f64, &String)> = known
                    .iter()
                    .map(|word| (strsim::normalized_damerau_levenshtein(name, word), word))
                    .filter(|it| it.0 > 0.5)
                    .collect();
                nearest.sort_by(|a, b| b.0.total_cmp(&a.0));
                let nearest = nearest.into_iter().take(3).map(|(_, word)| word.clone()).collect();
                Err(UnknownCache { name: name.clone(), nearest, known: known.iter().cloned().collect() })
            }
        }
    }
}
