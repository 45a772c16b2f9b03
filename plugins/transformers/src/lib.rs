//! What Transformers before 4.22 downloaded, each file named by the digest of its address, and what other libraries of
//! the time kept in the same way: `cached_download` and `snapshot_download` of huggingface_hub in the hub's folder, and
//! Sentence Transformers before 2.3. Repositories in the hub's layout, which may lie in the same folders, are the plugin
//! `hf-hub`'s.
//!
//! `rules` says where to look, `folder` tells what is what in one folder; `downloads`, `leftovers`, `snapshots` and
//! `sentences` make entries of it. `address` reads a download's address, `guess` finds lost ones.

use dscc_sdk::prelude::*;

mod address;
mod downloads;
mod folder;
mod guess;
mod leftovers;
mod link;
mod rules;
mod sentences;
mod snapshots;

#[cfg(test)]
mod tests;

/// The plugin.
pub struct Transformers;

/// The cache of Sentence Transformers; all else is of the cache `transformers`.
const SENTENCES: &str = "sentence-transformers";

impl CachePlugin for Transformers {
    fn describe() -> Manifest {
        let summary = "Models and tokenizers that Transformers before 4.22 downloaded, each file named by its URL.";
        let manifest = Manifest::new("transformers", env!("CARGO_PKG_VERSION"), "Transformers", summary)
            .homepage("https://huggingface.co/docs/transformers")
            .license("MIT");
        rules::all().into_iter().fold(manifest, Manifest::root)
    }

    /// A folder is a cache if it holds what only these libraries make: their variables name hubs as well, and other
    /// folders of users. Models of Sentence Transformers are plain files, so their folder has to be named as theirs.
    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        let mut caches = vec![];
        if folder::holds_downloads(root, rule)? {
            caches.push(Cache::new("transformers", "Transformers"));
        }
        if rule == SENTENCES && !sentences::models(root)?.is_empty() {
            caches.push(Cache::new(SENTENCES, "Sentence Transformers"));
        }
        Ok(caches)
    }

    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing> {
        match (cache, parent) {
            (SENTENCES, None) => sentences::list(root, detail),
            (SENTENCES, Some(_)) => Ok(Listing::default()),
            (_, None) => folder::list(root, detail),
            (_, Some(id)) => downloads::children(root, id),
        }
    }
}

dscc_sdk::export!(Transformers);
