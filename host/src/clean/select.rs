//! What a command acts on: the targets of the command line, found among the listed entries.

use std::fmt::Write as _;

use crate::model::escape_text;

use super::inventory::{EntryIx, Inventory, Item};

/// What the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Entries by id.
    pub targets: Vec<Target>,
    /// Everything in the given caches, besides the targets.
    pub all: bool,
}

/// One positional argument: `ENTRY` or `CACHE:ENTRY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The argument as it was given.
    pub text: String,
}

/// An entry of one inventory that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// Which.
    pub entry: EntryIx,
    /// Why, for people.
    pub reason: String,
    /// Whether the user named it, rather than a cache or a rule.
    pub named: bool,
}

/// Why a selection cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectionError {
    /// No such entry.
    #[error("there is no entry `{0}`; `dscc show` lists the entries, and `dscc show --children` what is in them")]
    NotFound(String),
    /// Several entries.
    #[error("`{text}` could be any of these, name one:{}", list(.candidates))]
    Ambiguous {
        /// The argument.
        text: String,
        /// `CACHE:ENTRY` for each.
        candidates: Vec<String>,
    },
}

fn list(candidates: &[String]) -> String {
    candidates.iter().fold(String::new(), |mut text, candidate| {
        let _ = write!(text, "\n  {candidate}"); // writing to a String cannot fail
        text
    })
}

/// Finds the selection in the inventories; one list of choices for each of them.
///
/// # Errors
/// When a target is not there, or is there twice. Then nothing is chosen.
pub fn select(inventories: &[Inventory], selection: &Selection) -> Result<Vec<Vec<Chosen>>, SelectionError> {
    let mut chosen: Vec<Vec<Chosen>> = inventories.iter().map(|_| Vec::new()).collect();
    if selection.all {
        for (inventory, chosen) in inventories.iter().zip(&mut chosen) {
            for cache in inventory.caches.iter().filter(|cache| cache.in_scope) {
                let reason = format!("all of `{}`", cache.cache.id);
                let choose = |&entry: &EntryIx| Chosen { entry, reason: reason.clone(), named: false };
                chosen.extend(cache.top.iter().map(choose));
            }
        }
    }
    for target in &selection.targets {
        match target.matches(inventories).as_slice() {
            [] => return Err(SelectionError::NotFound(target.text.clone())),
            [(inventory, entry)] => {
                chosen[*inventory].push(Chosen { entry: *entry, reason: "named".into(), named: true });
            }
            several => {
                let name = |(inventory, entry): &(usize, EntryIx)| {
                    let inventory = &inventories[*inventory];
                    let root = escape_text(inventory.given(inventory.items[*entry].cache).as_os_str());
                    format!("{}:{}  (in {root})", inventory.cache_id(*entry), inventory.items[*entry].entry.id)
                };
                let candidates = several.iter().map(name).collect();
                return Err(SelectionError::Ambiguous { text: target.text.clone(), candidates });
            }
        }
    }
    Ok(chosen)
}

impl Target {
    /// The forms that the argument can mean: whole, and without a cache's id in front.
    fn forms<'a>(&'a self, cache: &'a str) -> impl Iterator<Item = &'a str> {
        let qualified = self.text.strip_prefix(cache).and_then(|rest| rest.strip_prefix(':'));
        [Some(self.text.as_str()), qualified].into_iter().flatten()
    }

    /// Entries whose children have to be listed before the target can be looked for in them.
    pub fn unlisted_parents(&self, inventories: &[Inventory]) -> Vec<(usize, EntryIx)> {
        let mut found = Vec::new();
        for (at, inventory) in inventories.iter().enumerate() {
            let unlisted = |item: &Item| !item.listed && !item.failed && inventory.caches[item.cache].in_scope;
            for (ix, item) in inventory.items.iter().enumerate().filter(|(_, item)| unlisted(item)) {
                let above = |form: &str| form.len() > item.entry.id.len() && form.starts_with(&item.entry.id);
                if self.forms(inventory.cache_id(ix)).any(above) {
                    found.push((at, ix));
                }
            }
        }
        found
    }

    fn matches(&self, inventories: &[Inventory]) -> Vec<(usize, EntryIx)> {
        let mut found = Vec::new();
        for (at, inventory) in inventories.iter().enumerate() {
            for cache in inventory.in_scope() {
                for form in self.forms(&inventory.caches[cache].cache.id) {
                    found.extend(find(inventory, cache, form).into_iter().map(|ix| (at, ix)));
                }
            }
        }
        found
    }
}

/// Exact ids first; else `PARENT@WORD` where the word is one of a child's `refs`, or a prefix of what its id has there.
fn find(inventory: &Inventory, cache: usize, text: &str) -> Vec<EntryIx> {
    if let Some(exact) = inventory.find(cache, text) {
        return vec![exact];
    }
    let mut found = Vec::new();
    for (at, _) in text.match_indices('@') {
        let (parent, word) = (&text[..at], &text[at + 1..]);
        let Some(parent) = inventory.find(cache, parent) else { continue };
        let children = &inventory.items[parent].children;
        let has_ref = |&ix: &EntryIx| inventory.items[ix].entry.attribute("refs").any(|value| value == word);
        let by_ref: Vec<EntryIx> = children.iter().copied().filter(has_ref).collect();
        if !by_ref.is_empty() {
            found.extend(by_ref);
        } else if word.len() >= 7 && word.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let prefix = text.to_ascii_lowercase();
            found.extend(children.iter().copied().filter(|&ix| {
                let id = &inventory.items[ix].entry.id;
                id.len() > at && id[..at] == text[..at] && id[at..].to_ascii_lowercase().starts_with(&prefix[at..])
            }));
        }
    }
    found
}
