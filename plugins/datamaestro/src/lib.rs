//! What datamaestro keeps: datasets in `data/`, and downloads in progress in `cache/`. The main folder itself holds the
//! user's access keys and is never asked for.
//!
//! `layout` finds the folders of datasets and gives them ids; `dataset` says what is in one, with `state` for its record,
//! `content` for its files and `target` for its links; `data` makes entries of all that. `downloads` lists the other
//! folder, with `address` for the names there.

use dscc_sdk::prelude::*;

mod address;
mod content;
mod data;
mod dataset;
mod downloads;
mod layout;
mod state;
mod target;

#[cfg(test)]
#[cfg(unix)]
mod tests;

/// The plugin.
pub struct Datamaestro;

const DATA: &str = "datamaestro-data";
const CACHE: &str = "datamaestro-cache";

impl CachePlugin for Datamaestro {
    fn describe() -> Manifest {
        let summary = "Datasets that datamaestro downloaded, and its downloads in progress.";
        Manifest::new("datamaestro", env!("CARGO_PKG_VERSION"), "datamaestro", summary)
            .homepage("https://datamaestro.readthedocs.io")
            .license("MIT")
            // A repository, at least one component of an id, and something in it: no state file, which old ones lack.
            .root(rule(DATA, "data").mark("*/*/*"))
            // Names of downloads are digests, which no mark can say; `discover` looks for them.
            .root(rule(CACHE, "cache"))
    }

    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        Ok(match rule {
            DATA => vec![Cache::new(DATA, "datamaestro datasets")],
            CACHE if downloads::is_it(root)? => vec![Cache::new(CACHE, "datamaestro downloads")],
            _ => vec![],
        })
    }

    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing> {
        match (cache, parent) {
            (CACHE, None) => downloads::list(root),
            (DATA, None) => data::list(root, detail),
            (DATA, Some(id)) => data::children(root, id),
            _ => Ok(Listing::default()),
        }
    }
}

/// `~` is expanded, `$VAR` is not, and an empty variable is the current folder (which the host refuses).
fn rule(id: &str, folder: &str) -> RootRule {
    let set = Location::new(&format!("${{DATAMAESTRO_DIR}}/{folder}")).expand(Expansion::HOME | Expansion::EMPTY);
    RootRule::new(id).location(set).location(Location::new(&format!("~/datamaestro/{folder}")))
}

dscc_sdk::export!(Datamaestro);
