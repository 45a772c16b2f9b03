//! What the Hugging Face libraries keep besides: assets, Xet, remote code, Evaluate.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct HfHome;

impl CachePlugin for HfHome {
    fn describe() -> Manifest {
        let summary = "What the Hugging Face libraries keep besides: assets, Xet, remote code, Evaluate.";
        Manifest::new("hf-home", env!("CARGO_PKG_VERSION"), "Hugging Face home", summary)
            .homepage("https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables")
            .license("MIT")
            .root(RootRule::new("assets").location("~/.cache/huggingface/assets"))
    }

    fn list_entries(_root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        Ok(Listing::default())
    }
}

dscc_sdk::export!(HfHome);
