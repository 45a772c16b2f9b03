//! Where the libraries put copies of code, over their versions:
//!
//! ```text
//! transformers_modules/<org>/<name>/<commit>/      of a repository; before 5 the name is written as it is
//! transformers_modules/<name>/<commit>/            of a repository without an owner
//! transformers_modules/<folder>/<16 digits>/       of a local folder; before 5 the files are in <folder>, or in local
//! diffusers_modules/local/<org>--<name>/<commit>/  of a repository; pipelines of the community are in git, local ones beside it
//! {datasets,evaluate}_modules/<kind>/<org>--<name>/<digest of the script>/, with <org>--<name>.lock
//! ```

use std::collections::BTreeMap;

use dscc_sdk::{Kind, Node, path};

use super::place::Place;
use super::{PACKAGES, name};
use crate::claims::{Tree, is_hex};

/// What makes a folder a package, and where Python puts what it compiled.
const INIT_FILE: &str = "__init__.py";
const COMPILED: &str = "__pycache__";

/// What stands for commit or digest where there is none.
const FILES: &str = "files";

/// Which library, and where it had the code from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Transformers, from a repository.
    Transformers,
    /// Transformers, from a local folder.
    TransformersLocal,
    /// Diffusers, from a repository, or a pipeline of the community.
    Diffusers,
    /// Diffusers, a local file.
    DiffusersLocal,
    /// A loading script of Datasets.
    Datasets,
    /// A metric of Datasets.
    Metrics,
    /// A script of Evaluate.
    Evaluate,
}

impl Source {
    /// The library, as its users call it.
    pub fn library(self) -> &'static str {
        match self {
            Self::Transformers | Self::TransformersLocal => "transformers",
            Self::Diffusers | Self::DiffusersLocal => "diffusers",
            Self::Datasets | Self::Metrics => "datasets",
            Self::Evaluate => "evaluate",
        }
    }

    /// What its ids begin with: no two names of different sources are the same.
    fn prefix(self) -> &'static str {
        match self {
            Self::Transformers => "transformers",
            Self::TransformersLocal => "transformers-local",
            Self::Diffusers => "diffusers",
            Self::DiffusersLocal => "diffusers-local",
            Self::Datasets => "datasets",
            Self::Metrics => "datasets-metric",
            Self::Evaluate => "evaluate",
        }
    }

    /// Which has this prefix.
    pub fn of_prefix(prefix: &str) -> Option<Self> {
        use Source::{Datasets, Diffusers, DiffusersLocal, Evaluate, Metrics, Transformers, TransformersLocal};
        let all = [Transformers, TransformersLocal, Diffusers, DiffusersLocal, Datasets, Metrics, Evaluate];
        all.into_iter().find(|source| source.prefix() == prefix)
    }

    /// Whether nothing says where it came from.
    pub fn is_local(self) -> bool {
        matches!(self, Self::TransformersLocal | Self::DiffusersLocal)
    }

    /// Whether it is of a kind that only old versions of Datasets use.
    pub fn is_of_datasets(self) -> bool {
        matches!(self, Self::Datasets | Self::Metrics)
    }

    /// Whether copies are named by the digest of their code.
    pub fn is_script(self) -> bool {
        matches!(self, Self::Datasets | Self::Metrics | Self::Evaluate)
    }
}

/// The code of one repository, script or folder.
#[derive(Clone, Debug)]
pub struct Code {
    pub source: Source,
    /// As users write it.
    pub name: String,
    /// By commit or digest. Two folders may stand for one repository.
    pub copies: BTreeMap<String, Vec<Place>>,
    /// The folders above the copies.
    pub folders: Vec<String>,
    /// What processes lock while they write.
    pub locks: Vec<String>,
}

impl Code {
    pub fn id(&self) -> String {
        format!("{}/{}", self.source.prefix(), self.name)
    }
}

/// What is in the packages.
#[derive(Default)]
pub struct Found {
    codes: BTreeMap<(Source, String), Code>,
    /// Links in the place of folders: made by users.
    pub links: Vec<Node>,
}

impl Found {
    /// All code in the packages.
    pub fn new(tree: &Tree) -> Self {
        let mut found = Self::default();
        found.transformers(tree);
        found.diffusers(tree);
        found.scripts(tree, Source::Datasets, "datasets_modules/datasets");
        found.scripts(tree, Source::Metrics, "datasets_modules/metrics");
        for kind in folders(tree, "evaluate_modules") {
            found.scripts(tree, Source::Evaluate, &kind.path);
        }
        // Where only what somebody else put there is left, there is no copy.
        found.codes.retain(|(source, _), code| {
            for copy in code.copies.values_mut() {
                copy.retain(|place| !place.claims(tree, *source).is_empty());
            }
            code.copies.retain(|_, places| !places.is_empty());
            !code.copies.is_empty()
        });
        found
    }

    /// In the order of their sources and names.
    pub fn codes(&self) -> impl Iterator<Item = &Code> {
        self.codes.values()
    }

    fn code(&mut self, source: Source, name: &str, folder: &str) -> &mut Code {
        let new = || Code { source, name: name.into(), copies: [].into(), folders: vec![], locks: vec![] };
        let code = self.codes.entry((source, name.to_owned())).or_insert_with(new);
        if !code.folders.iter().any(|known| known == folder) {
            code.folders.push(folder.to_owned());
        }
        code
    }

    /// The copies in a folder, whose names have so many digits.
    fn add(&mut self, tree: &Tree, source: Source, name: &str, folder: &str, digits: usize) {
        for node in folders(tree, folder).filter(|node| is_hex(node.name(), digits)) {
            if node.kind == Kind::Link {
                self.links.push(node.clone());
            } else {
                let copies = &mut self.code(source, name, folder).copies;
                copies.entry(node.name().to_owned()).or_default().push(Place::Folder(node.path.clone()));
            }
        }
    }

    /// Modules that lie together in one folder.
    fn add_files(&mut self, source: Source, name: &str, folder: &str, files: Vec<Node>) {
        self.code(source, name, folder).copies.entry(FILES.into()).or_default().push(Place::Files(files));
    }

    fn transformers(&mut self, tree: &Tree) {
        for top in folders(tree, "transformers_modules") {
            let name = name::decoded(top.name());
            let files = modules(tree, &top.path);
            if !files.is_empty() {
                self.add_files(Source::TransformersLocal, &name, &top.path, files);
            }
            self.add(tree, Source::Transformers, &name, &top.path, 40);
            self.add(tree, Source::TransformersLocal, &name, &top.path, 16);
            for node in folders(tree, &top.path).filter(|node| !is_copy(node)) {
                let name = format!("{name}/{}", name::decoded(node.name()));
                self.add(tree, Source::Transformers, &name, &node.path, 40);
                self.links.extend((node.kind == Kind::Link).then(|| node.clone()));
            }
            self.links.extend((top.kind == Kind::Link).then(|| top.clone()));
        }
    }

    fn diffusers(&mut self, tree: &Tree) {
        for (source, folder) in [(Source::Diffusers, "git"), (Source::DiffusersLocal, "local")] {
            let at = path::join("diffusers_modules", folder);
            for module in modules(tree, &at) {
                let stem = module.name().strip_suffix(".py").unwrap_or_default().to_owned();
                self.add_files(source, &stem, &at, vec![module]);
            }
        }
        for node in folders(tree, "diffusers_modules/local").filter(|node| node.name().contains("--")) {
            self.add(tree, Source::Diffusers, &name::repository(node.name()), &node.path, 40);
            self.links.extend((node.kind == Kind::Link).then(|| node.clone()));
        }
    }

    fn scripts(&mut self, tree: &Tree, source: Source, at: &str) {
        for node in folders(tree, at) {
            let name = name::repository(node.name());
            self.add(tree, source, &name, &node.path, 64);
            self.links.extend((node.kind == Kind::Link).then(|| node.clone()));
            let lock = tree.child(at, &format!("{}.lock", node.name())).filter(|lock| lock.is_file());
            if let (Some(lock), Some(code)) = (lock, self.codes.get_mut(&(source, name))) {
                code.locks.push(lock.path.clone());
            }
        }
    }
}

/// Whether a folder is named like a copy.
fn is_copy(node: &Node) -> bool {
    [16, 40, 64].iter().any(|digits| is_hex(node.name(), *digits))
}

/// Folders, and links in their place.
fn folders<'t>(tree: &'t Tree, at: &str) -> impl Iterator<Item = &'t Node> {
    let is = |node: &&Node| matches!(node.kind, Kind::Directory | Kind::Link | Kind::Unreadable);
    tree.children(at).iter().filter(is).filter(|node| node.name() != COMPILED && !node.name().ends_with(".py"))
}

/// The modules in a folder, without the file that makes it a package.
fn modules(tree: &Tree, at: &str) -> Vec<Node> {
    let is = |node: &&Node| node.is_file() && node.name().ends_with(".py") && node.name() != INIT_FILE;
    tree.children(at).iter().filter(is).cloned().collect()
}

/// Locks of scripts of which nothing else is left.
pub fn lost_locks(tree: &Tree) -> Vec<&Node> {
    let kinds = ["datasets_modules", "evaluate_modules"].into_iter().flat_map(|package| folders(tree, package));
    let is_lost = |node: &&Node| {
        let of = node.name().strip_suffix(".lock").and_then(|name| tree.child(path::parent(&node.path), name));
        let has_copies = of.is_some_and(|of| !of.is_directory() || folders(tree, &of.path).any(is_copy));
        node.is_file() && node.size == 0 && node.name().ends_with(".lock") && !has_copies
    };
    kinds.flat_map(|kind| tree.children(&kind.path)).filter(is_lost).collect()
}

/// What makes a folder a package: an empty file, and what Python compiled of it. One that is not empty is no library's,
/// and where a user has packages of his own beside those of the libraries, the one above them all is his.
fn package(tree: &Tree, at: &str) -> Vec<String> {
    let is_ours = |node: &Node| PACKAGES.contains(&node.name()) || matches!(node.name(), INIT_FILE | COMPILED);
    let init = tree.child(at, INIT_FILE).filter(|node| node.is_file() && node.size == 0);
    let Some(init) = init.filter(|_| !at.is_empty() || tree.children(at).iter().all(is_ours)) else { return vec![] };
    let compiled = tree.children(&path::join(at, COMPILED)).iter().filter(|node| is_compiled_init(node));
    compiled.chain([init]).map(|node| node.path.clone()).collect()
}

fn is_compiled_init(node: &Node) -> bool {
    let module = name::module_of(node.name()).filter(|_| node.is_file());
    module == INIT_FILE.strip_suffix(".py") && path::name(path::parent(&node.path)) == COMPILED
}

/// The files that make the folders above some code packages, the deepest first. They go with the last code beneath them.
pub fn packages(tree: &Tree, code: &Code) -> Vec<String> {
    let mut above: Vec<&str> = vec![""];
    for folder in &code.folders {
        let mut at = folder.as_str();
        while !at.is_empty() {
            above.push(at);
            at = path::parent(at);
        }
    }
    above.sort_unstable_by_key(|at| std::cmp::Reverse((at.len(), *at)));
    above.dedup();
    above.into_iter().flat_map(|at| package(tree, at)).collect()
}

/// Such files in folders in which nothing else is left.
pub fn hollow_packages(tree: &Tree) -> Vec<String> {
    let is_hollow = |at: &str| {
        tree.beneath(at).iter().all(|node| match node.kind {
            Kind::Directory => !is_copy(node),
            _ => is_compiled_init(node) || (node.name() == INIT_FILE && node.is_file() && node.size == 0),
        })
    };
    let (mut found, mut open) = (vec![], PACKAGES.map(str::to_owned).to_vec());
    let is_all = PACKAGES.iter().all(|at| is_hollow(at)) && open.iter().any(|at| !tree.children(at).is_empty());
    while let Some(at) = open.pop() {
        if is_hollow(&at) {
            found.extend(tree.beneath(&at).iter().filter(|node| !node.is_directory()).map(|node| node.path.clone()));
        } else {
            open.extend(folders(tree, &at).filter(|it| it.is_directory() && !is_copy(it)).map(|it| it.path.clone()));
        }
    }
    found.extend(if is_all { package(tree, "") } else { vec![] });
    found
}
