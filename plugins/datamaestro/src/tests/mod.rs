//! Small folders in memory, one promise a test. What the real library makes and says of it is compared elsewhere.

mod datasets;
mod downloads;
mod links;
mod nested;

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{CachePlugin, Detail, Entry, Listing};

use crate::{CACHE, DATA, Datamaestro};

/// What tests add to a data folder.
trait Fill: Sized {
    /// A dataset's folder with its lock and the states of its resources.
    fn dataset(self, folder: &str, states: &[(&str, &str)]) -> Self;
    /// A dataset of one resource that is complete, with a file.
    fn simple(self, folder: &str) -> Self;
}

impl Fill for MemoryRoot {
    fn dataset(self, folder: &str, states: &[(&str, &str)]) -> Self {
        let states: Vec<String> =
            states.iter().map(|(name, state)| format!(r#""{name}": {{"state": "{state}"}}"#)).collect();
        let record = format!(r#"{{"version": 1, "resources": {{{}}}}}"#, states.join(", "));
        self.file(&format!("{folder}/.state.json"), record).file(&format!("{folder}/.state.lock"), "")
    }

    fn simple(self, folder: &str) -> Self {
        self.dataset(folder, &[("DATA", "complete")]).file(&format!("{folder}/data.tsv"), "1\t2\n")
    }
}

fn root() -> MemoryRoot {
    MemoryRoot::new().named("/home/me/datamaestro/data")
}

fn list(root: &MemoryRoot) -> Listing {
    let full = Datamaestro::list_entries(root, DATA, None, Detail::Full).unwrap();
    let outline = Datamaestro::list_entries(root, DATA, None, Detail::Outline).unwrap();
    let said = |it: &Entry| (it.id.clone(), it.kind.clone(), it.label.clone(), it.owns.clone(), it.has_children);
    let of = |listing: &Listing| listing.entries.iter().map(said).collect::<Vec<_>>();
    assert_eq!(of(&outline), of(&full), "the outline says the same");
    full
}

fn children(root: &MemoryRoot, id: &str) -> Vec<Entry> {
    Datamaestro::list_entries(root, DATA, Some(id), Detail::Full).unwrap().entries
}

fn downloads(root: &MemoryRoot) -> Listing {
    Datamaestro::list_entries(root, CACHE, None, Detail::Full).unwrap()
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn entry<'a>(listing: &'a Listing, id: &str) -> &'a Entry {
    listing.entries.iter().find(|entry| entry.id == id).unwrap_or_else(|| panic!("no {id} in {:?}", ids(listing)))
}

fn values<'a>(entry: &'a Entry, key: &str) -> Vec<&'a str> {
    entry.attributes.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
}

#[track_caller]
fn assert_warns(entry: &Entry, text: &str) {
    let said = values(entry, "warning");
    assert!(said.iter().any(|it| it.contains(text)), "{} says {said:?}", entry.id);
}
