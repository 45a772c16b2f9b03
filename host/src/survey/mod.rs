//! Looking: which roots there are, which caches in them, which entries, and what they weigh. Brings the layers below
//! together into [`Inventory`] and [`Weights`]; a plugin that fails costs its own rows and leaves a [`Problem`].

mod listing;
mod roots;
mod scope;
mod shared;

use rayon::prelude::*;

use crate::clean::{Inventory, Weights};
use crate::model::{Manifest, Problem};
use crate::roots::{Candidate, Environment, Override};
use crate::runtime::{Plugin, PluginError, Runtime};
use crate::tree::Progress;

pub use scope::{Scope, UnknownCache};

/// The plugins of this run, ready to be asked.
pub struct Survey {
    plugins: Vec<Loaded>,
    environment: Environment,
    overrides: Vec<Override>,
    /// Plugins that could not be loaded.
    pub problems: Vec<Problem>,
}

/// A plugin and what it says of itself.
pub struct Loaded {
    /// Ready to be called.
    pub plugin: Plugin,
    /// What it asks for.
    pub manifest: Manifest,
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
    /// What went wrong, for people and JSON.
    pub problems: Vec<Problem>,
}

impl Survey {
    /// Loads the plugins, in parallel: each a name for messages and a component.
    pub fn new(
        runtime: &Runtime,
        components: &[(&str, &[u8])],
        environment: Environment,
        overrides: Vec<Override>,
    ) -> Self {
        let load = |(name, component): &(&str, &[u8])| {
            let plugin = runtime.load(name, component)?;
            let manifest = plugin.describe()?;
            // What a plugin is known as decides its rights and its rows; it cannot take another's place.
            if manifest.name == *name { Ok(Loaded { plugin, manifest }) } else { Err(plugin.misnamed(&manifest.name)) }
        };
        let loaded: Vec<_> = components.par_iter().map(load).collect();
        let (mut plugins, mut problems) = (Vec::new(), Vec::new());
        for result in loaded {
            match result {
                Ok(plugin) => plugins.push(plugin),
                Err(error) => problems.push(of_plugin(&error, None)),
            }
        }
        Self { plugins, environment, overrides, problems }
    }

    /// The plugins that could be loaded.
    pub fn plugins(&self) -> &[Loaded] {
        &self.plugins
    }

    fn plugin(&self, name: &str) -> Option<&Loaded> {
        self.plugins.iter().find(|loaded| loaded.manifest.name == name)
    }
}

/// Measures every inventory, all at the same time.
pub fn weigh(inventories: &[Inventory], progress: &Progress) -> Vec<Weights> {
    inventories.par_iter().map(|inventory| weigh_one(inventory, progress)).collect()
}

fn weigh_one(inventory: &Inventory, progress: &Progress) -> Weights {
    let (buckets, starts) = (Weights::buckets(inventory), Weights::starts(inventory));
    let measure = inventory.root.measure(&inventory.paths, &buckets, &starts, progress);
    Weights::new(inventory, measure)
}

/// A plugin's failure, with the end of what it printed.
fn of_plugin(error: &PluginError, cache: Option<&str>) -> Problem {
    let mut message = error.to_string();
    error.output.lines().for_each(|line| message.push_str(&format!("\n    {line}")));
    let mut problem = Problem::new(error.code(), message);
    problem.plugin = Some(error.plugin.clone());
    problem.cache = cache.map(str::to_owned);
    if error.code() != "plugin-error" {
        problem.hint = Some("the other plugins are not concerned; tell the plugin's author what was printed".into());
    }
    problem
}
