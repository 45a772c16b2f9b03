//! A home with several plugins, looked at through the library: what each finds, claims and would lose.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use dscc::clean::{
    Advice, EntryIx, Inventory, Outcome, Plan, Selection, Target, Terms, Weights, execute, plan, select, union,
};
use dscc::model::{Detail, Edit};
use dscc::roots::{Environment, Override};
use dscc::runtime::{Limits, OnDemand};
use dscc::survey::{Found, Scope, Survey, weigh};
use dscc::tree::{LinkTally, Progress};

use crate::components::{Plugin, catalog};
use crate::hub::Hub;
use crate::sandbox::{Sandbox, code_dir};

pub const REPO: &str = "models--acme--a";

/// The built-in plugin and others by name.
pub struct World {
    pub sandbox: Sandbox,
    pub plugins: Vec<(&'static str, Vec<u8>)>,
    /// Where the hub is, if not at its usual place.
    pub hub: Option<PathBuf>,
    /// Whether the built-in plugin comes after the others.
    pub built_in_last: bool,
    /// The words of `-c`.
    pub scope: Vec<String>,
    /// Whether what is out of scope is looked at as well.
    pub with_neighbours: bool,
}

/// What was found and listed.
pub struct Seen {
    pub survey: Survey,
    pub found: Found,
    pub weights: Vec<Weights>,
}

impl World {
    pub fn new() -> Self {
        let sandbox = Sandbox::new();
        Self {
            sandbox,
            plugins: Vec::new(),
            hub: None,
            built_in_last: false,
            scope: Vec::new(),
            with_neighbours: false,
        }
    }

    /// A hub with a model of 10 bytes, at its usual place.
    pub fn with_hub() -> (Self, Hub) {
        let world = Self::new();
        let hub = world.sandbox.hub();
        hub.model("a", 10);
        (world, hub)
    }

    /// A plugin with one rule for one place and one cache, all of the same name.
    pub fn plugin(&mut self, name: &'static str, place: &str, change: impl FnOnce(Plugin) -> Plugin) {
        let plugin = Plugin::new().manifest(name, "1.0.0", name, place).caches(&[(name, "")]);
        self.plugins.push((name, change(plugin).build()));
    }

    pub fn look(&self) -> Seen {
        let environment = Environment {
            home: Some(self.sandbox.home()),
            cache: self.sandbox.home().join(".cache"),
            temp: self.sandbox.path("tmp"),
            ..Environment::default()
        };
        let components: Vec<(&str, &[u8])> =
            self.plugins.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
        let mut catalog = catalog(&components, Limits::default());
        if !self.built_in_last {
            catalog.plugins.rotate_left(components.len());
        }
        let hub = self.hub.iter().map(|path| Override { rule: "hub".into(), path: path.clone() });
        let survey = Survey::new(OnDemand::new(&code_dir()), catalog, environment, hub.collect());
        let mut found = survey.find(&Scope { names: self.scope.clone(), with_neighbours: self.with_neighbours });
        survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
        for inventory in &mut found.inventories {
            let top: Vec<EntryIx> = (0..inventory.items.len()).collect();
            survey.list_below(inventory, &top, &mut found.problems);
        }
        let weights = weigh(&found.inventories, None, &Progress::default());
        Seen { survey, found, weights }
    }
}

impl Seen {
    /// The place of a cache.
    #[track_caller]
    pub fn cache(&self, id: &str) -> (usize, usize) {
        let caches = self.found.inventories.iter().enumerate().flat_map(|(at, inventory)| {
            inventory.caches.iter().enumerate().map(move |(cache, state)| (at, cache, &state.cache.id))
        });
        let found: Vec<(usize, usize)> = caches.filter(|it| it.2 == id).map(|(at, cache, _)| (at, cache)).collect();
        let [one] = found.as_slice() else { panic!("{id}: {found:?}, {:?}", self.found.problems) };
        *one
    }

    pub fn size(&self, id: &str) -> u64 {
        let (at, cache) = self.cache(id);
        self.weights[at].cache(&self.found.inventories[at], cache).size
    }

    pub fn unclaimed(&self, id: &str) -> u64 {
        let (at, cache) = self.cache(id);
        self.weights[at].unclaimed(cache).size
    }

    pub fn total(&self) -> u64 {
        union(&self.found.inventories, &self.weights).size
    }

    /// The ids of a cache's first level.
    pub fn top(&self, id: &str) -> Vec<&str> {
        let (at, cache) = self.cache(id);
        let inventory = &self.found.inventories[at];
        inventory.caches[cache].top.iter().map(|&ix| inventory.items[ix].entry.id.as_str()).collect()
    }

    /// The host's remarks on a cache: code and message.
    pub fn remarks(&self, id: &str) -> Vec<(&str, &str)> {
        let (at, cache) = self.cache(id);
        let remarks = &self.found.inventories[at].caches[cache].remarks;
        remarks.iter().map(|remark| (remark.code.as_str(), remark.message.as_str())).collect()
    }

    pub fn told(&self) -> Vec<(&str, &str)> {
        self.found.problems.iter().map(|it| (it.code.as_str(), it.message.as_str())).collect()
    }

    /// Who says which records go.
    pub fn asking(&self) -> impl Advice + '_ {
        Asking(&self.survey)
    }

    /// What a selection comes to: entries by name, or all that is in scope.
    pub fn plan(&self, names: &[&str]) -> Plan {
        let targets = names.iter().map(|name| Target { text: (*name).to_owned() }).collect();
        let chosen = select(&self.found.inventories, &Selection { targets, all: names.is_empty() }).unwrap();
        let (found, force) = (&self.found.inventories, Terms { irreplaceable: true, needed: true, ..Terms::default() });
        plan(found, &self.weights, &chosen, force, Vec::new(), &mut Asking(&self.survey))
    }

    /// Removes all of it.
    pub fn clean(&self, names: &[&str]) -> u64 {
        let plan = self.plan(names);
        let outcomes: Vec<Outcome> = execute(
            &self.found.inventories,
            &plan,
            &LinkTally::default(),
            &Progress::default(),
            &AtomicBool::new(false),
        );
        let freed = outcomes.iter().map(|outcome| outcome.freed.size).sum();
        assert_eq!(freed, plan.expected().size);
        freed
    }
}

struct Asking<'a>(&'a Survey);

impl Advice for Asking<'_> {
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        self.0.edits(inventory, cache, ids)
    }

    fn in_use(&mut self, _: &Inventory, _: EntryIx) -> Option<String> {
        None
    }
}

pub fn write(at: &Path, size: usize) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, vec![b'x'; size]).unwrap();
}

pub const HUB: &str = "~/.cache/huggingface/hub";
