//! The Hugging Face Hub cache as `huggingface_hub` 2.4 lays it out: repositories with their revisions, partial
//! downloads and unreferenced files, and the blob store that repositories share.
//!
//! `hub` lists the root, `children` one repository, `holders` the shared store; `removal` tells what its manifests lose.
//! `repository` (with `refs` and `snapshot`) and `store` read what is there and judge nothing; `verdict` does.

use dscc_sdk::{Cache, CachePlugin, Detail, Directory, Edit, Expansion, Listing, Location, Manifest, Result, RootRule};

mod children;
mod claims;
mod holders;
mod hub;
mod link;
mod name;
mod refs;
mod removal;
mod repository;
mod snapshot;
mod store;
mod verdict;

#[cfg(test)]
#[cfg(unix)]
mod tests;

/// The plugin.
pub struct HfHub;

/// In the library's order of precedence.
const LOCATIONS: [&str; 5] = [
    "${HF_HUB_CACHE}",
    "${HUGGINGFACE_HUB_CACHE}",
    "${HF_HOME}/hub",
    "${XDG_CACHE_HOME}/huggingface/hub",
    "~/.cache/huggingface/hub",
];

/// What a used hub always has one of; a hub that was emptied keeps its tag.
const MARKS: [&str; 7] = [
    "models--*",
    "datasets--*",
    "spaces--*",
    "kernels--*",
    ".locks",
    "CACHEDIR.TAG",
    "blobs/.huggingface-shared-blobs",
];

impl CachePlugin for HfHub {
    fn describe() -> Manifest {
        let expand = Expansion::HOME | Expansion::VARIABLES | Expansion::EMPTY;
        let rule = RootRule::new("hub").index("blobs/*/*.refs");
        let rule = LOCATIONS.iter().fold(rule, |rule, path| rule.location(Location::new(path).expand(expand)));
        let rule = MARKS.iter().fold(rule, |rule, mark| rule.mark(mark));
        Manifest::new(
            "hf-hub",
            env!("CARGO_PKG_VERSION"),
            "Hugging Face Hub",
            "Models, datasets, spaces and kernels downloaded from the Hugging Face Hub.",
        )
        .homepage("https://huggingface.co/docs/huggingface_hub/guides/manage-cache")
        .license("MIT")
        .root(rule)
    }

    fn discover(_root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        Ok(if rule == "hub" { vec![Cache::new("hub", "Hugging Face Hub")] } else { vec![] })
    }

    fn list_entries(root: &dyn Directory, _cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing> {
        match (parent, detail) {
            (None, Detail::Outline) => hub::outline(root),
            (None, Detail::Full) => hub::full(root),
            (Some(store::ID), _) => holders::unreferenced_payloads(root),
            (Some(id), _) => children::list(root, id),
        }
    }

    fn delete_entry(root: &dyn Directory, _cache: &str, ids: &[String]) -> Result<Vec<Edit>> {
        removal::edits(root, ids)
    }
}

dscc_sdk::export!(HfHub);
