//! Datasets that the Datasets library prepared, and what it downloaded for them.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct HfDatasets;

impl CachePlugin for HfDatasets {
    fn describe() -> Manifest {
        let summary = "Datasets that the Datasets library prepared, and what it downloaded for them.";
        Manifest::new("hf-datasets", env!("CARGO_PKG_VERSION"), "Hugging Face Datasets", summary)
            .homepage("https://huggingface.co/docs/datasets/cache")
            .license("MIT")
            .root(RootRule::new("datasets").location("~/.cache/huggingface/datasets"))
    }

    fn list_entries(_root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        Ok(Listing::default())
    }
}

dscc_sdk::export!(HfDatasets);
