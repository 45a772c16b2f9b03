//! What the Hugging Face libraries keep besides the hub and the datasets: assets of other libraries, what Xet uploads and
//! downloads leave, copies of remote code, downloads of Evaluate, and results of metrics that are being computed.
//!
//! `rules` says where each of them is; no rule leads to the Hugging Face home itself, in which the tokens are. Each cache
//! has a module of its own: `assets`, `xet`, `modules`, `evaluate`, `metrics`; `downloads` and `claims` serve several.

use dscc_sdk::{Cache, CachePlugin, Detail, Directory, Error, Listing, Manifest, Result};

mod assets;
mod claims;
mod downloads;
mod evaluate;
mod metrics;
mod modules;
mod rules;
mod xet;

#[cfg(test)]
mod tests;

/// The plugin.
pub struct HfHome;

impl CachePlugin for HfHome {
    fn describe() -> Manifest {
        let summary = "What the Hugging Face libraries keep besides: assets, Xet, remote code, Evaluate.";
        let manifest = Manifest::new("hf-home", env!("CARGO_PKG_VERSION"), "Hugging Face home", summary)
            .homepage("https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables")
            .license("MIT");
        rules::all().into_iter().fold(manifest, Manifest::root)
    }

    fn discover(_root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        Ok(rules::cache(rule).into_iter().map(|(id, title)| Cache::new(id, title)).collect())
    }

    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing> {
        match cache {
            "assets" => assets::list(root, parent),
            "xet" => xet::list(root, parent, detail),
            "modules" => modules::list(root, parent, detail),
            "evaluate" => evaluate::list(root),
            "metrics" => metrics::list(root, parent),
            _ => Err(Error::new(format!("there is no cache `{cache}`"))),
        }
    }
}

dscc_sdk::export!(HfHome);
