//! The Hugging Face Hub cache as `huggingface_hub` 2.4 lays it out: repositories with their revisions, partial
//! downloads and unreferenced files, and the blob store that repositories share.
//!
//! `rules` says where hubs are. `hub` lists the root, `children` one repository, `holders` the shared store; `removal`
//! tells what its manifests lose. `repository` (with `refs` and `snapshot`) and `store` read what is there and judge nothing; `verdict` does.

use dscc_sdk::{Cache, CachePlugin, Detail, Directory, Edit, Listing, Manifest, Result};

mod children;
mod claims;
mod holders;
mod hub;
mod link;
mod name;
mod refs;
mod removal;
mod repository;
mod rules;
mod snapshot;
mod store;
mod verdict;

#[cfg(test)]
#[cfg(unix)]
mod tests;

/// The plugin.
pub struct HfHub;

impl CachePlugin for HfHub {
    fn describe() -> Manifest {
        let manifest = Manifest::new(
            "hf-hub",
            env!("CARGO_PKG_VERSION"),
            "Hugging Face Hub",
            "Models, datasets, spaces and kernels downloaded from the Hugging Face Hub.",
        )
        .homepage("https://huggingface.co/docs/huggingface_hub/guides/manage-cache")
        .license("MIT");
        rules::all().into_iter().fold(manifest, Manifest::root)
    }

    /// The hub's own folder is a hub, whatever is in it; another library's only if it holds what a hub holds.
    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        let of_others = rules::all().iter().any(|it| it.id == rule);
        let is_hub = rule == rules::HUB || of_others && rules::shows_repositories(root)?;
        Ok(if is_hub { vec![Cache::new("hub", "Hugging Face Hub")] } else { vec![] })
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
