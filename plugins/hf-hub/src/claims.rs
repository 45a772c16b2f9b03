//! Claims and locks that several kinds of entry have in common.

use std::collections::BTreeSet;

use dscc_sdk::{Entry, LockKind};

use crate::store::{self, Store};

/// The lock files of a repository, one for each blob.
pub fn lock_folder(folder: &str) -> String {
    format!(".locks/{folder}")
}

/// The lock that a download of this blob holds.
pub fn blob_lock(folder: &str, etag: &str) -> String {
    format!(".locks/{folder}/{etag}.lock")
}

/// Adds what an entry holds of the shared store: the payloads to which it leads with their manifests. While it stays, so
/// does the store: without its marker the library would take it for something else.
pub fn hold_payloads(mut entry: Entry, store: &Store, payloads: &BTreeSet<&str>) -> Entry {
    for payload in payloads {
        if store.can_collect(payload) {
            entry = entry.shares(*payload).shares(store::manifest(payload));
        }
        entry = entry.lock(LockKind::Flock, store::lock(payload));
    }
    if payloads.is_empty() { entry } else { entry.needs(store::marker_path()) }
}
