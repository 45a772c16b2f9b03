//! A root on disk with entries that a test invents, and what a run did to it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use tempfile::TempDir;

use crate::clean::{Advice, Chosen, EntryIx, HeldEntries, Inventory, Outcome, Plan, Terms, Weights, execute, plan};
use crate::model::{Cache, Edit, Entry, Listing, Pattern, Recovery, RelPath, RootRule, State};
use crate::tree::{LinkTally, Progress, Root};

pub(crate) fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// An entry that claims nothing yet.
pub(crate) fn entry(id: &str) -> Entry {
    Entry {
        id: id.into(),
        kind: "thing".into(),
        label: String::new(),
        owns: vec![],
        shares: vec![],
        needs: vec![],
        locks: vec![],
        state: State::Complete,
        recovery: Recovery::Download,
        reclaim: None,
        has_children: false,
        keeps_parent: false,
        created: None,
        last_used: None,
        attributes: vec![],
    }
}

impl Entry {
    pub(crate) fn owning(mut self, paths: &[&str]) -> Self {
        self.owns = paths.iter().map(|it| path(it)).collect();
        self
    }

    pub(crate) fn sharing(mut self, paths: &[&str]) -> Self {
        self.shares = paths.iter().map(|it| path(it)).collect();
        self
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// A parent's id and its children; `""` is the first level.
pub(crate) type Levels = Vec<(&'static str, Vec<Entry>)>;

pub(crate) struct World {
    pub(crate) dir: TempDir,
    pub(crate) inventory: Inventory,
    pub(crate) edits: Vec<Edit>,
}

impl World {
    /// Files are given with their sizes; a path ending in `/` is an empty folder.
    pub(crate) fn new(files: &[(&str, usize)], levels: Levels) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, size) in files {
            let at = dir.path().join("root").join(name);
            fs::create_dir_all(at.parent().unwrap()).unwrap();
            if name.ends_with('/') {
                fs::create_dir_all(at).unwrap();
            } else {
                fs::write(at, name.bytes().cycle().take(*size).collect::<Vec<_>>()).unwrap();
            }
        }
        fs::create_dir_all(dir.path().join("root")).unwrap();
        fs::write(dir.path().join("outside"), "not ours").unwrap();
        let root = Root::open(&dir.path().join("root")).unwrap();
        let mut inventory = Inventory::new(root);
        inventory.add_caches("p", &rule(), &dir.path().join("root"), vec![cache("c", "")]);
        for (parent, entries) in levels {
            let parent = if parent.is_empty() { None } else { Some(inventory.find(0, parent).unwrap()) };
            inventory.add(0, parent, Listing { entries, ..Listing::default() });
        }
        Self { dir, inventory, edits: vec![] }
    }

    /// Adds a cache with its first level; what the host has to remark on it comes back.
    pub(crate) fn join(&mut self, plugin: &str, id: &str, at: &str, entries: Vec<Entry>) -> Vec<String> {
        self.inventory.add_caches(plugin, &rule(), &self.dir.path().join("root"), vec![cache(id, at)]);
        let this = self.inventory.caches.len() - 1;
        self.inventory.add(this, None, Listing { entries, ..Listing::default() });
        self.inventory.caches[this].remarks.iter().map(|remark| remark.message.clone()).collect()
    }

    /// The entry of that id in whichever cache has it.
    pub(crate) fn ix(&self, id: &str) -> EntryIx {
        (0..self.inventory.caches.len()).find_map(|cache| self.inventory.find(cache, id)).unwrap()
    }

    /// Entries by name; `*` in front chooses without naming.
    pub(crate) fn chosen(&self, ids: &[&str]) -> Vec<Chosen> {
        let choose = |id: &&str| Chosen {
            entry: self.ix(id.trim_start_matches('*')),
            reason: "test".into(),
            named: !id.starts_with('*'),
        };
        ids.iter().map(choose).collect()
    }

    pub(crate) fn weights(&self) -> Weights {
        let (buckets, starts) = (Weights::buckets(&self.inventory), Weights::starts(&self.inventory));
        let measure = self.inventory.root.measure(&self.inventory.paths, &buckets, &starts, &Progress::default());
        Weights::new(&self.inventory, measure)
    }

    pub(crate) fn plan(&self, chosen: Vec<Chosen>, force: Terms, held: HeldEntries) -> Plan {
        let mut advice = Fixed(self.edits.clone());
        let inventory = std::slice::from_ref(&self.inventory);
        plan(inventory, &[self.weights()], &[chosen], force, vec![held], &mut advice)
    }

    pub(crate) fn plan_for(&self, ids: &[&str]) -> Plan {
        self.plan(self.chosen(ids), Terms::default(), HeldEntries::new())
    }

    pub(crate) fn execute(&self, plan: &Plan) -> Outcome {
        let (inventories, tally, stop) =
            (std::slice::from_ref(&self.inventory), LinkTally::default(), AtomicBool::new(false));
        execute(inventories, plan, &tally, &Progress::default(), &stop).remove(0)
    }

    /// Plans and carries out; what is left, by path.
    pub(crate) fn clean(&self, ids: &[&str]) -> Vec<String> {
        let plan = self.plan_for(ids);
        let outcome = self.execute(&plan);
        assert_eq!(outcome.failed, []);
        assert_eq!(outcome.freed.size, plan.roots[0].expected.size);
        self.left()
    }

    /// Everything in the root, folders with a `/`.
    pub(crate) fn left(&self) -> Vec<String> {
        self.contents().into_keys().collect()
    }

    /// Everything in the root with its content.
    pub(crate) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let mut found = BTreeMap::new();
        let root = self.dir.path().join("root");
        walk(&root, &root, &mut found);
        found
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.contents().values().map(|content| content.len() as u64).sum()
    }
}

fn rule() -> RootRule {
    let indexes = vec![Pattern::parse("*.index").unwrap()];
    RootRule { id: "r".into(), locations: vec![], marks: vec![], indexes }
}

fn cache(id: &str, at: &str) -> Cache {
    Cache { id: id.into(), title: id.to_uppercase(), path: path(at) }
}

fn walk(root: &Path, at: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    for item in fs::read_dir(at).unwrap() {
        let item = item.unwrap();
        let name = item.path().strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if item.file_type().unwrap().is_dir() {
            found.insert(format!("{name}/"), vec![]);
            walk(root, &item.path(), found);
        } else {
            found.insert(name, fs::read(item.path()).unwrap());
        }
    }
}

pub(super) struct Fixed(pub(super) Vec<Edit>);

impl Advice for Fixed {
    fn edits(&self, _: &Inventory, _: usize, _: &[String]) -> Result<Vec<Edit>, String> {
        Ok(self.0.clone())
    }

    fn in_use(&mut self, _: &Inventory, _: EntryIx) -> Option<String> {
        None
    }
}
