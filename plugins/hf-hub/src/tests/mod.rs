//! Small hubs in temporary directories, one promise a test. The real library's own caches are compared elsewhere.

mod hostile;
mod removal;
mod repositories;
mod revisions;
mod store;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use dscc_sdk::testing::TempRoot;
use dscc_sdk::{CachePlugin, Detail, Entry, Listing};

use crate::HfHub;

/// The folder that most tests put their repository into.
const REPO: &str = "models--acme--tiny";
/// Its id.
const ID: &str = "model/acme/tiny";

/// What tests add to a directory.
trait Fill: Sized {
    /// A file of a revision as the library stores it: a blob and a link to it.
    fn linked(self, folder: &str, commit: &str, path: &str, blob: &str) -> Self;
    /// A blob that is a link into the shared store, with the line and the payload.
    fn shared(self, folder: &str, blob: &str, payload: &str) -> Self;
    /// The store's marker.
    fn marked(self) -> Self;
    /// A repository with one revision, one file and a ref.
    fn simple(self, folder: &str) -> Self;
}

impl Fill for TempRoot {
    fn linked(self, folder: &str, commit: &str, path: &str, blob: &str) -> Self {
        let up = "../".repeat(1 + path.split('/').count());
        let link = format!("{folder}/snapshots/{commit}/{path}");
        let target = dscc_sdk::path::unescape(&format!("{up}blobs/{blob}")).unwrap();
        self.file(&format!("{folder}/blobs/{blob}"), blob).link(&link, OsString::from_vec(target))
    }

    fn shared(self, folder: &str, blob: &str, payload: &str) -> Self {
        let manifest = format!("{}.refs", store_path(payload));
        let before = std::fs::read_to_string(self.path().join(&manifest)).unwrap_or_default();
        self.link(&format!("{folder}/blobs/{blob}"), format!("../../{}", store_path(payload)))
            .file(&store_path(payload), "payload")
            .file(&manifest, format!("{before}{folder}/blobs/{blob}\n"))
    }

    fn marked(self) -> Self {
        self.file("blobs/.huggingface-shared-blobs", "1\n")
    }

    fn simple(self, folder: &str) -> Self {
        let (commit, blob) = (digits('a'), digits('1'));
        self.linked(folder, &commit, "config.json", &blob).file(&format!("{folder}/refs/main"), commit)
    }
}

/// A commit or an etag.
fn digits(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// The hash of a payload.
fn hash(digit: char) -> String {
    digit.to_string().repeat(64)
}

fn store_path(hash: &str) -> String {
    format!("blobs/{}/{hash}", &hash[..2])
}

fn top(root: &TempRoot) -> Listing {
    HfHub::list_entries(root, "hub", None, Detail::Full).unwrap()
}

fn children(root: &TempRoot, id: &str) -> Listing {
    HfHub::list_entries(root, "hub", Some(id), Detail::Full).unwrap()
}

fn find(listing: &Listing, id: &str) -> Entry {
    let known: Vec<&str> = listing.entries.iter().map(|entry| entry.id.as_str()).collect();
    let found = listing.entries.iter().find(|entry| entry.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {known:?}")).clone()
}

fn ids(listing: &Listing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.id.as_str()).collect()
}

fn attribute<'a>(entry: &'a Entry, key: &str) -> Vec<&'a str> {
    entry.attributes.iter().filter(|(known, _)| known == key).map(|(_, value)| value.as_str()).collect()
}

fn locks(entry: &Entry) -> Vec<&str> {
    entry.locks.iter().map(|lock| lock.path.as_str()).collect()
}
