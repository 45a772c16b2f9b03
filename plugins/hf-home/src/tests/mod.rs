//! Small caches in memory, one promise a test. The real libraries' own caches are compared elsewhere.

mod assets;
mod evaluate;
mod modules;
mod scripts;
mod xet;

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{CachePlugin, Detail, Entry, Listing};

use crate::HfHome;

fn level(root: &MemoryRoot, cache: &str, parent: Option<&str>) -> Listing {
    HfHome::list_entries(root, cache, parent, Detail::Full).unwrap()
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.id.as_str()).collect()
}

#[track_caller]
fn find(listing: &Listing, id: &str) -> Entry {
    let found = listing.entries.iter().find(|entry| entry.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {:?}", ids(listing))).clone()
}

fn attribute<'e>(entry: &'e Entry, key: &str) -> Option<&'e str> {
    entry.attributes.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

/// A digest.
fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// A commit.
fn commit(digit: char) -> String {
    digit.to_string().repeat(40)
}

#[test]
fn each_rule_leads_to_one_cache_and_no_other_is_known() {
    for rule in HfHome::describe().roots {
        assert_eq!(HfHome::discover(&MemoryRoot::new(), &rule.id).unwrap().len(), 1, "{}", rule.id);
    }
    assert!(HfHome::discover(&MemoryRoot::new(), "hub").unwrap().is_empty());
    assert!(HfHome::list_entries(&MemoryRoot::new(), "hub", None, Detail::Full).is_err());
}

#[test]
fn no_rule_leads_to_the_hugging_face_home() {
    for location in HfHome::describe().roots.into_iter().flat_map(|rule| rule.locations) {
        let path = location.path;
        assert!(!path.ends_with("HF_HOME}") && !path.ends_with("huggingface") && !path.contains('*'), "{path}");
    }
}

#[test]
fn an_outline_has_the_ids_and_claims_of_the_whole_answer() {
    let root = MemoryRoot::new()
        .file("a/b/c/d", "1")
        .file("https___cas_serv-tGqkUaZf_CBPHQ6h/staging/x", "1")
        .file("logs/xet_20261120T085938933+0000_2248.log", "1")
        .file(&format!("transformers_modules/a/b/{}/x.py", commit('1')), "1")
        .file(&format!("downloads/{}", hash('a')), "1")
        .file("m/default/default_experiment-1-0.arrow", "1");
    for cache in ["assets", "xet", "modules", "evaluate", "metrics"] {
        let mut parents = vec![None];
        while let Some(parent) = parents.pop() {
            let full = level(&root, cache, parent.as_deref());
            let outline = HfHome::list_entries(&root, cache, parent.as_deref(), Detail::Outline).unwrap();
            assert!(parent.is_some() || !full.entries.is_empty(), "{cache}");
            let told = |it: &Entry| (it.id.clone(), it.owns.clone(), it.shares.clone(), it.has_children);
            assert_eq!(
                full.entries.iter().map(told).collect::<Vec<_>>(),
                outline.entries.iter().map(told).collect::<Vec<_>>()
            );
            parents.extend(full.entries.into_iter().filter(|it| it.has_children).map(|it| Some(it.id)));
        }
    }
}
