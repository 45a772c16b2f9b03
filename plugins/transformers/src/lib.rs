//! Models and tokenizers that Transformers before 4.22 downloaded, each file named by its URL.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct Transformers;

impl CachePlugin for Transformers {
    fn describe() -> Manifest {
        let summary = "Models and tokenizers that Transformers before 4.22 downloaded, each file named by its URL.";
        Manifest::new("transformers", env!("CARGO_PKG_VERSION"), "Transformers", summary)
            .homepage("https://huggingface.co/docs/transformers")
            .license("MIT")
            .root(RootRule::new("transformers").location("~/.cache/huggingface/transformers"))
    }

    fn list_entries(_root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        Ok(Listing::default())
    }
}

dscc_sdk::export!(Transformers);
