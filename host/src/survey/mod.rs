//! Looking: which roots there are, which caches in them, which entries, and what they weigh. Brings the layers below
//! together into [`Inventory`] and [`Weights`]; a plugin that fails costs its own rows and leaves a [`Problem`].

mod listing;
mod roots;
mod scope;
mod shared;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::clean::{Inventory, Weights};
use crate::model::{Manifest, Problem};
use crate::plugins::{Catalog, Known};
use crate::roots::{Candidate, Environment, Override};
use crate::runtime::{LogLine, OnDemand, Plugin, PluginError};
use crate::tree::{OpenFiles, Progress};

pub use scope::{Scope, UnknownCache};

/// The plugins of this run, to be asked.
pub struct Survey {
    plugins: Vec<Loaded>,
    runtime: Arc<OnDemand>,
    environment: Environment,
    overrides: Vec<Override>,
    /// What is to be told of plugins that do not run.
    pub problems: Vec<Problem>,
}

/// A plugin, and its component once it was needed.
#[derive(Clone)]
pub struct Loaded {
    /// What it is and asks for.
    pub known: Known,
    plugin: Arc<OnceLock<Result<Plugin, PluginError>>>,
}

impl Loaded {
    /// What it asks for.
    pub fn manifest(&self) -> &Manifest {
        &self.known.facts.manifest
    }

    /// What it has said since this was asked last.
    pub fn take_log(&self) -> Vec<LogLine> {
        self.plugin.get().and_then(|loaded| loaded.as_ref().ok()).map(Plugin::take_log).unwrap_or_default()
    }
}

/// A folder that a rule led to, whatever came of it.
pub struct Place {
    /// The plugin that asked.
    pub plugin: String,
    /// Where, and what is there.
    pub candidate: Candidate,
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Every folder that was looked for.
    pub places: Vec<Place>,
    /// The roots with caches in them.
    pub inventories: Vec<Inventory>,
    /// The roots of which nobody knows what is in them, because their plugin failed.
    pub failed: Vec<FailedRoot>,
    /// What went wrong, for people and JSON.
    pub problems: Vec<Problem>,
}

/// A root whose plugin could not be asked.
pub struct FailedRoot {
    /// The plugin.
    pub plugin: String,
    /// Its rule.
    pub rule: String,
    /// As the rule gave it.
    pub path: PathBuf,
}

impl Survey {
    /// A survey by these plugins. None is loaded before a root of it is found.
    pub fn new(runtime: OnDemand, catalog: Catalog, environment: Environment, overrides: Vec<Override>) -> Self {
        let problems = catalog.problems.iter().cloned().chain(catalog.notices()).collect();
        let loaded = |known| Loaded { known, plugin: Arc::default() };
        let plugins = catalog.plugins.into_iter().map(loaded).collect();
        Self { plugins, runtime: Arc::new(runtime), environment, overrides, problems }
    }

    /// The same plugins, looking at another place: loaded once for both.
    #[must_use]
    pub fn elsewhere(&self, environment: Environment) -> Self {
        let (plugins, runtime) = (self.plugins.clone(), Arc::clone(&self.runtime));
        Self { plugins, runtime, environment, overrides: Vec::new(), problems: self.problems.clone() }
    }

    /// The plugins that run.
    pub fn plugins(&self) -> &[Loaded] {
        &self.plugins
    }

    fn plugin(&self, name: &str) -> Option<&Loaded> {
        self.plugins.iter().find(|loaded| loaded.known.name() == name)
    }

    /// The plugin's component, loaded at its first use: the one that was approved, or an error.
    fn load<'a>(&self, loaded: &'a Loaded) -> Result<&'a Plugin, PluginError> {
        let known = &loaded.known;
        let load = || {
            let runtime = self.runtime.get().map_err(|kind| PluginError::of_file(known.name(), kind))?;
            known.load(runtime)
        };
        loaded.plugin.get_or_init(load).as_ref().map_err(Clone::clone)
    }
}

/// Measures every inventory, all at the same time. With `open`, what is in use, also looks for what would be in the way of
/// a removal.
pub fn weigh(inventories: &[Inventory], open: Option<&OpenFiles>, progress: &Progress) -> Vec<Weights> {
    inventories.par_iter().map(|inventory| weigh_one(inventory, open, progress)).collect()
}

fn weigh_one(inventory: &Inventory, open: Option<&OpenFiles>, progress: &Progress) -> Weights {
    let (buckets, starts) = (Weights::buckets(inventory), Weights::starts(inventory));
    let (root, paths) = (&inventory.root, &inventory.paths);
    let measure = match open {
        Some(open) => root.measure_and_inspect(paths, &buckets, &starts, open, progress),
        None => root.measure(paths, &buckets, &starts, progress),
    };
    Weights::new(inventory, measure)
}

/// A plugin's failure, with the end of what it printed.
fn of_plugin(error: &PluginError, cache: Option<&str>) -> Problem {
    let mut problem = Problem::new(error.code(), error.told());
    problem.plugin = Some(error.plugin.clone());
    problem.cache = cache.map(str::to_owned);
    problem.hint = match error.limit() {
        Some(limit) => Some(format!(
            "if the cache is that large, `dscc plugin update {} --limit {limit}=...` gives an installed plugin more",
            error.plugin
        )),
        None if error.says_what_to_do() => None,
        None => Some("the other plugins are not concerned; tell the plugin's author what was printed".into()),
    };
    problem
}
