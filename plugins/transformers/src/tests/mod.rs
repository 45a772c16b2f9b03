//! What the plugin says of trees: `flat` of downloads, `folders` of what lies beside them, `hostile` of what no library
//! makes.

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{CachePlugin as _, Detail, Directory, Entry, Listing};
use dscc_url_files::digest;

use crate::Transformers;

mod flat;
mod folders;
mod hostile;

const BERT: &str = "https://huggingface.co/bert-base-uncased/resolve/main";

/// The name that the library gives a download.
fn name(url: &str, etag: &str) -> String {
    let suffix = if url.ends_with(".h5") { ".h5" } else { "" };
    format!("{}.{}{suffix}", digest(url), digest(etag))
}

/// What a download is found by in its id.
fn digits(url: &str, etag: &str) -> String {
    format!("{}.{}", &digest(url)[..8], &digest(etag)[..8])
}

/// Trees as the library makes them.
trait Downloads: Sized {
    /// A download with record and lock, finished at that second.
    fn download(self, url: &str, etag: &str, second: i64) -> Self;
    /// Without its record.
    fn nameless(self, url: &str, etag: &str) -> Self;
}

impl Downloads for MemoryRoot {
    fn download(self, url: &str, etag: &str, second: i64) -> Self {
        let name = name(url, etag);
        let record = serde_json::json!({ "url": url, "etag": etag }).to_string();
        self.nameless(url, etag).file(&format!("{name}.json"), record).file(&name, "content").modified(second)
    }

    fn nameless(self, url: &str, etag: &str) -> Self {
        let name = name(url, etag);
        self.file(&name, "content").file(&format!("{name}.lock"), "")
    }
}

/// The first level. The outline must be the same, as far as it goes.
fn top(root: &dyn Directory) -> Listing {
    list(root, "transformers")
}

fn list(root: &dyn Directory, cache: &str) -> Listing {
    let full = Transformers::list_entries(root, cache, None, Detail::Full).unwrap();
    let outline = Transformers::list_entries(root, cache, None, Detail::Outline).unwrap();
    let short = |entry: &Entry| (entry.id.clone(), entry.kind.clone(), entry.label.clone(), entry.owns.clone());
    let all = |listing: &Listing| listing.entries.iter().map(short).collect::<Vec<_>>();
    assert_eq!(all(&full), all(&outline));
    full
}

fn children(root: &dyn Directory, id: &str) -> Vec<Entry> {
    Transformers::list_entries(root, "transformers", Some(id), Detail::Full).unwrap().entries
}

fn ids(entries: &[Entry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.id.as_str()).collect()
}

#[track_caller]
fn find(listing: &Listing, id: &str) -> Entry {
    let found = listing.entries.iter().find(|entry| entry.id == id);
    found.unwrap_or_else(|| panic!("no {id} among {:?}", ids(&listing.entries))).clone()
}

fn values<'a>(entry: &'a Entry, key: &str) -> Vec<&'a str> {
    entry.attributes.iter().filter(|(known, _)| known == key).map(|(_, value)| value.as_str()).collect()
}

fn caches(root: &dyn Directory, rule: &str) -> Vec<String> {
    Transformers::discover(root, rule).unwrap().into_iter().map(|cache| cache.id).collect()
}
