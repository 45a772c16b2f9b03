//! Datasets that the Datasets library prepared, what it downloaded for them, and what its processes left behind.
//!
//! `cache` lists the root of the library's cache and `children` what is in one dataset or build; `downloads` lists what
//! was downloaded and extracted, also where a variable moved it; `temporary` the folders of killed processes. `dataset`,
//! `info`, `split_names` and `stored_paths` read what is there; `verdict` judges it; `names` and `locks` know how things
//! are called.

use dscc_sdk::prelude::*;
use dscc_sdk::{Expansion, Location};

mod cache;
mod children;
mod dataset;
mod downloads;
mod info;
mod locks;
mod names;
mod split_names;
mod stored_paths;
mod temporary;
mod verdict;

#[cfg(test)]
mod tests;

/// The plugin.
pub struct HfDatasets;

/// The library's cache.
const CACHE: &str = "datasets";
/// Downloads in a folder of their own.
const DOWNLOADS: &str = "datasets-downloads";
/// What was extracted, in a folder of its own.
const EXTRACTED: &str = "datasets-extracted";
/// A folder of a process that ran without caching.
const TEMPORARY: &str = "datasets-tmp";

impl CachePlugin for HfDatasets {
    fn describe() -> Manifest {
        let summary = "Datasets that the Datasets library prepared, and what it downloaded for them.";
        let manifest = Manifest::new("hf-datasets", env!("CARGO_PKG_VERSION"), "Hugging Face Datasets", summary)
            .homepage("https://huggingface.co/docs/datasets/cache")
            .license("MIT");
        rules().into_iter().fold(manifest, Manifest::root)
    }

    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        let found = match rule {
            CACHE => Some("Hugging Face Datasets"),
            DOWNLOADS if downloads::is_folder(root)? => Some("Hugging Face Datasets, downloads"),
            EXTRACTED if downloads::is_folder(root)? => Some("Hugging Face Datasets, extracted archives"),
            TEMPORARY => Some("Hugging Face Datasets, temporary files"),
            _ => None,
        };
        Ok(found.map(|title| Cache::new(rule, title)).into_iter().collect())
    }

    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing> {
        match (cache, parent) {
            (CACHE, None) => cache::list(root, detail),
            (CACHE, Some(parent)) => children::list(root, parent),
            (DOWNLOADS, None) => downloads::alone(root),
            (EXTRACTED, None) => downloads::extracted_alone(root),
            (TEMPORARY, None) => temporary::list(root),
            _ => Ok(Listing::default()),
        }
    }
}

/// One for each setting, without marks where each entry shows by its structure that it is the library's. The library
/// gives `HF_HOME` and `XDG_CACHE_HOME` their `~` and nothing else; the builder does so with its folders; what was
/// extracted alone is taken as it is written. All of them may be set and empty.
fn rules() -> Vec<RootRule> {
    let home = |path: &str| Location::new(path).expand(Expansion::HOME | Expansion::EMPTY);
    let cache = RootRule::new(CACHE)
        .location(home("${HF_DATASETS_CACHE}"))
        .location(home("${HF_HOME}/datasets"))
        .location(home("${XDG_CACHE_HOME}/huggingface/datasets"))
        .location("~/.cache/huggingface/datasets");
    let extracted = Location::new("${HF_DATASETS_EXTRACTED_DATASETS_PATH}").expand(Expansion::EMPTY);
    vec![
        cache,
        RootRule::new(DOWNLOADS).location(home("${HF_DATASETS_DOWNLOADED_DATASETS_PATH}")),
        RootRule::new(EXTRACTED).location(extracted),
        RootRule::new(TEMPORARY).location("{temp}/hf_datasets-*").mark("cache-*.arrow").mark("tmp*"),
    ]
}

dscc_sdk::export!(HfDatasets);
