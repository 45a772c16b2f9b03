//! The engine, made when the first plugin is needed: where there is nothing to ask, nothing is started.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::error::root_text;
use super::{Limits, PluginErrorKind, Runtime};

/// A [`Runtime`] that is made at its first use.
pub struct OnDemand {
    code_dir: PathBuf,
    runtime: OnceLock<Result<Runtime, PluginErrorKind>>,
}

impl OnDemand {
    /// Nothing yet; `code_dir` is where compiled code is kept.
    pub fn new(code_dir: &Path) -> Self {
        Self { code_dir: code_dir.to_owned(), runtime: OnceLock::new() }
    }

    /// The one runtime of this process.
    ///
    /// # Errors
    /// When this machine cannot run the engine at all.
    pub fn get(&self) -> Result<&Runtime, PluginErrorKind> {
        let make = || {
            let made = Runtime::new(&self.code_dir, Limits::default());
            made.map_err(|error| PluginErrorKind::Engine(root_text(&error)))
        };
        self.runtime.get_or_init(make).as_ref().map_err(Clone::clone)
    }
}
