//! What is known of a component without running it: read once, when it is installed or built, and kept beside it, so that
//! listing needs neither the engine nor the component where there is nothing to list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::Manifest;
use crate::roots::check_manifest;
use crate::runtime::{Limits, Plugin, PluginError, Runtime, audit, digest, is_digest};

/// The facts about one component. The bytes with this digest said and asked for this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// SHA-256 of the component, in hex.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// The version of the interface that it speaks.
    pub interface: String,
    /// The interfaces that it imports.
    pub imports: BTreeSet<String>,
    /// What it says of itself and asks for.
    pub manifest: Manifest,
}

impl Facts {
    /// Looks into a component: its header, version and imports before anything is compiled, then what it says of itself,
    /// asked without any right. `name` is what errors call it.
    ///
    /// # Errors
    /// When it is no plugin that this program can and may run, or its manifest breaks a rule.
    pub fn of(runtime: &Runtime, name: &str, bytes: &[u8], limits: Limits) -> Result<Self, PluginError> {
        Self::told_by(&runtime.load(name, bytes, limits)?, name, bytes)
    }

    /// The same, of a component that is loaded.
    pub(super) fn told_by(plugin: &Plugin, name: &str, bytes: &[u8]) -> Result<Self, PluginError> {
        let manifest = plugin.describe()?;
        let audit = audit(bytes).map_err(|kind| PluginError::of_file(name, kind))?;
        let interface = audit.interface().unwrap_or_default().to_owned();
        Ok(Self { digest: digest(bytes), size: bytes.len() as u64, interface, imports: audit.imports, manifest })
    }

    /// Makes sure that facts from a file are such as [`Self::of`] gives within these limits.
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn check(&self, limits: &Limits) -> Result<(), String> {
        if !is_digest(&self.digest) {
            return Err(format!("`{}` is no SHA-256 digest in hex", self.digest));
        }
        if self.size > limits.component as u64 {
            return Err(format!("no component has {} bytes", self.size));
        }
        check_manifest(&self.manifest, limits.text)
    }

    /// The words of `-c` and `--root` that belong to the plugin: its name and the ids of its rules. Of all plugins that
    /// run, each word belongs to one.
    pub fn words(&self) -> BTreeSet<&str> {
        let rules = self.manifest.roots.iter().map(|rule| rule.id.as_str());
        rules.chain([self.manifest.name.as_str()]).collect()
    }
}
