//! Datasets that datamaestro downloaded, and its downloads in progress.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct Datamaestro;

impl CachePlugin for Datamaestro {
    fn describe() -> Manifest {
        let summary = "Datasets that datamaestro downloaded, and its downloads in progress.";
        Manifest::new("datamaestro", env!("CARGO_PKG_VERSION"), "datamaestro", summary)
            .homepage("https://datamaestro.readthedocs.io")
            .license("MIT")
            .root(RootRule::new("datamaestro-data").location("~/datamaestro/data"))
    }

    fn list_entries(_root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        Ok(Listing::default())
    }
}

dscc_sdk::export!(Datamaestro);
