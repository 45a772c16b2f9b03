//! Small caches in memory, one promise a test. The real library's own caches are compared elsewhere.

mod builds;
mod cost;
mod downloads;
mod hostile;
mod leftovers;
mod needs;

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{CachePlugin, Detail, Entry, Listing};

use crate::HfDatasets;

/// Where the tests' caches are.
const HOME: &str = "/home/me/.cache/huggingface/datasets";

/// A commit, and a later one.
const OLD: &str = "90e2edded64226036b0212158e20d6060acd3227";
const NEW: &str = "ba62a8498f8d7f716274a2e3efeb83d4fe246f07";
/// A digest of code.
const CODE: &str = "7067e4b2422ab4b7d61ccf25eb67c03d0df17a5264a8fa53f4593051b5adb555";

fn root() -> MemoryRoot {
    MemoryRoot::new().named(HOME)
}

/// What tests add to a cache.
trait Fill: Sized {
    /// A finished build with one split of ten rows, and its locks.
    fn build(self, at: &str, more: &str) -> Self;
    /// The lock in the root.
    fn root_lock(self, at: &str) -> Self;
}

impl Fill for MemoryRoot {
    fn build(self, at: &str, more: &str) -> Self {
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        let info = format!(
            r#"{{"config_name": "default", "version": {{"version_str": "0.0.0"}}, "dataset_name": "x",
                "splits": {{"train": {{"num_examples": 10, "num_bytes": 80}}}}{more}}}"#
        );
        self.file(&format!("{at}/dataset_info.json"), info)
            .file(&format!("{at}/x-train.arrow"), "ARROW1")
            .file(&format!("{at}_builder.lock"), "")
            .file(&format!("{at}.incomplete_info.lock"), "")
            .root_lock(at)
    }

    fn root_lock(self, at: &str) -> Self {
        self.file(&format!("{HOME}/{at}.lock").replace('/', "_"), "")
    }
}

fn list(root: &MemoryRoot, parent: Option<&str>) -> Listing {
    HfDatasets::list_entries(root, "datasets", parent, Detail::Full).unwrap()
}

fn top(root: &MemoryRoot) -> Vec<Entry> {
    list(root, None).entries
}

fn below(root: &MemoryRoot, parent: &str) -> Vec<Entry> {
    list(root, Some(parent)).entries
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn values<'a>(entry: &'a Entry, key: &str) -> Vec<&'a str> {
    entry.attributes.iter().filter(|(name, _)| name == key).map(|(_, value)| value.as_str()).collect()
}
