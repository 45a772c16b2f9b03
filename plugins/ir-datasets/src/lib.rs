//! Test collections that ir_datasets downloaded, and the stores that it built from them.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct IrDatasets;

impl CachePlugin for IrDatasets {
    fn describe() -> Manifest {
        let summary = "Test collections that ir_datasets downloaded, and the stores that it built from them.";
        Manifest::new("ir-datasets", env!("CARGO_PKG_VERSION"), "ir_datasets", summary)
            .homepage("https://ir-datasets.com")
            .license("MIT")
            .root(RootRule::new("ir_datasets").location("~/.ir_datasets"))
    }

    fn list_entries(_root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        Ok(Listing::default())
    }
}

dscc_sdk::export!(IrDatasets);
