//! The home of ir_datasets 0.6: test collections, the document stores built from them, and what users put beside; and its
//! folder of sources that are kept for one run only.
//!
//! The library keeps no list of what it has: the tree is all there is. `known` says what it can make, `tree` reads one
//! dataset folder, `contents` sorts it into `item`s (with `store` and `rules` for what needs a closer look), and `entries`
//! shows them. `link` says where links lead; `downloads` is the user's mirror, `temporary` the second folder.

use dscc_sdk::{
    Cache, CachePlugin, Context, Detail, Directory, Expansion, Listing, Location, Manifest, Result, RootRule,
};

mod contents;
mod downloads;
mod entries;
mod item;
mod known;
mod link;
mod rules;
mod store;
mod temporary;
mod tree;

#[cfg(test)]
mod tests;

/// The plugin.
pub struct IrDatasets;

/// The rule and the cache of the home.
const HOME: &str = "ir_datasets";

/// The rule and the cache of what is kept for one run.
const TEMPORARY: &str = "ir_datasets-tmp";

impl CachePlugin for IrDatasets {
    fn describe() -> Manifest {
        let summary = "Test collections that ir_datasets downloaded, and the stores that it built from them.";
        // Taken as they are written: no `~`, and an empty one means the working folder.
        let variable = |path: &str| Location::new(path).expand(Expansion::EMPTY);
        let home = RootRule::new(HOME).location(variable("${IR_DATASETS_HOME}")).location("~/.ir_datasets");
        // Python's folder for temporary files: the first of these, and not an empty one.
        let places = ["${TMPDIR}/ir_datasets", "${TEMP}/ir_datasets", "${TMP}/ir_datasets", "{temp}/ir_datasets"];
        let temporary = RootRule::new(TEMPORARY).location(variable("${IR_DATASETS_TMP}"));
        let temporary = places.into_iter().fold(temporary, RootRule::location);
        Manifest::new("ir-datasets", env!("CARGO_PKG_VERSION"), "ir_datasets", summary)
            .homepage("https://ir-datasets.com")
            .license("MIT")
            .root(home)
            .root(temporary)
    }

    fn discover(_root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        Ok(match rule {
            HOME => vec![Cache::new(HOME, "ir_datasets")],
            TEMPORARY => vec![Cache::new(TEMPORARY, "ir_datasets, sources for one run")],
            _ => vec![],
        })
    }

    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        match (cache, parent) {
            (TEMPORARY, _) => temporary::list(root).context("the folder of temporary sources cannot be listed"),
            (_, None) => entries::top(root).context("the home of ir_datasets cannot be listed"),
            (_, Some(parent)) => entries::children(root, parent),
        }
    }
}

dscc_sdk::export!(IrDatasets);
