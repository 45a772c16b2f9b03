//! What is on disk for one dataset: `<config>/<version>/<hash>/`, or `<config>/<version>/` without a hash, each finished
//! or `.incomplete`. Only what has the library's structure is taken; everything else in the folder is left alone, above
//! all what a user saved there with `save_to_disk`.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, FsError, Kind, Kinds, Node, path};

use crate::locks;
use crate::names::{DOWNLOADS, EXTRACTED, INCOMPLETE, is_hash, is_hex, is_version};

/// The record that makes a build one.
pub const INFO: &str = "dataset_info.json";
/// What only `save_to_disk` writes.
const SAVED: [&str; 2] = ["state.json", "dataset_dict.json"];

/// One folder with a dataset's tables.
#[derive(Debug, Default)]
pub struct Build {
    /// Its folder.
    pub path: String,
    /// The same, without `.incomplete`.
    pub base: String,
    /// The folder of its config.
    pub config: String,
    /// The folder of its version.
    pub version: String,
    /// Its own folder's name, where the library knew a hash.
    pub hash: Option<String>,
    /// Its folder, or the files in it if the folder holds other builds too.
    pub content: Vec<String>,
    /// Lock files beside it. Of a finished build and an unfinished one of the same name the first has the locks.
    pub locks: Vec<String>,
    /// Whether it is that first one.
    pub has_locks: bool,
    /// Names of the files in it.
    pub files: BTreeSet<String>,
    /// A folder or link in it, which the library does not make.
    pub stray: Option<String>,
    /// Whether it could not be looked into.
    pub unreadable: bool,
}

impl Build {
    /// Whether it was being made.
    pub fn is_partial(&self) -> bool {
        self.path.len() > self.base.len()
    }

    /// Whether it has the record of a finished build.
    pub fn has_info(&self) -> bool {
        self.files.contains(INFO)
    }

    /// Whether it was made of a folder of this machine: its name is then a digest of what the folder says of itself.
    pub fn is_of_local_folder(&self) -> bool {
        self.hash.as_deref().is_some_and(|hash| is_hex(hash, 16))
    }

    /// Its place below the dataset: `config/version/hash`.
    pub fn below(&self) -> &str {
        self.path.split_once('/').map_or("", |(_, below)| below)
    }
}

/// One dataset's folder.
#[derive(Debug, Default)]
pub struct Dataset {
    /// The folder's name.
    pub folder: String,
    /// In the order of their paths.
    pub builds: Vec<Build>,
    /// Links in place of a config, a version or a build.
    pub links: Vec<Node>,
    /// Lock files of builds that are gone.
    pub lone_locks: Vec<String>,
    /// Folders that could not be read.
    pub unread: Vec<String>,
}

impl Dataset {
    /// Whether anything in it is the library's, besides locks.
    pub fn is_one(&self) -> bool {
        !self.builds.is_empty() || !self.links.is_empty()
    }
}

/// Looks at a dataset's folder.
pub fn read(root: &dyn Directory, folder: &str) -> Result<Dataset, FsError> {
    let mut below: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    let mut add = |at: &str, filter: &Filter| -> Result<Vec<String>, FsError> {
        let mut versions = vec![];
        for node in root.walk(at, filter)? {
            let name = node.name();
            if node.is_directory() && is_version(name.strip_suffix(INCOMPLETE).unwrap_or(name)) {
                versions.push(node.path.clone());
            }
            below.entry(path::parent(&node.path).to_owned()).or_default().push(node);
        }
        Ok(versions)
    };
    // The variables may name a folder in which a user has a million files. Nothing but versions and locks is asked for
    // until there are versions.
    let versions = |depth: u32| Filter::all().depth(depth).name("*.*.*");
    let configs = root.walk(folder, &Filter::direct().kinds(Kinds::DIRECTORY | Kinds::LINK))?;
    let (configs, found): (Vec<Node>, Vec<String>) = if folder == DOWNLOADS {
        // A local folder called `Downloads` gives a dataset of this name, amid the downloads.
        let foreign = |name: &str| name != EXTRACTED && !is_hex(name, 64);
        let configs: Vec<Node> = configs.filter(|node| node.is_directory() && foreign(node.name())).collect();
        let found: Vec<Vec<String>> =
            configs.iter().map(|config| add(&config.path, &versions(1))).collect::<Result<_, _>>()?;
        (configs, found.concat())
    } else {
        (configs.collect(), add(folder, &versions(2))?)
    };
    for version in found.iter().filter(|version| path::parent(version) != folder) {
        add(version, &Filter::all().depth(2))?;
    }
    below.insert(folder.to_owned(), configs);
    Ok(Reader { below, dataset: Dataset { folder: folder.to_owned(), ..Dataset::default() } }.read())
}

struct Reader {
    /// What is directly in each folder.
    below: BTreeMap<String, Vec<Node>>,
    dataset: Dataset,
}

impl Reader {
    fn read(mut self) -> Dataset {
        for config in self.take(&self.dataset.folder.clone()) {
            self.config(config);
        }
        self.dataset.builds.sort_by(|a, b| a.path.cmp(&b.path));
        self.dataset
    }

    fn take(&mut self, folder: &str) -> Vec<Node> {
        self.below.remove(folder).unwrap_or_default()
    }

    fn config(&mut self, config: Node) {
        match config.kind {
            Kind::Directory => {}
            Kind::Link => return self.dataset.links.push(config),
            Kind::Unreadable => return self.dataset.unread.push(config.path),
            Kind::File | Kind::Other => return,
        }
        let mut builds = vec![];
        let mut files = vec![];
        for node in self.take(&config.path) {
            let name = node.name();
            let version = name.strip_suffix(INCOMPLETE).unwrap_or(name);
            match node.kind {
                Kind::File => files.push(node),
                _ if !is_version(version) => {}
                Kind::Link => self.dataset.links.push(node),
                Kind::Unreadable => self.dataset.unread.push(node.path),
                Kind::Directory => {
                    let build =
                        Build { config: config.name().to_owned(), version: version.to_owned(), ..Build::default() };
                    builds.extend(self.version(&node, build));
                }
                Kind::Other => {}
            }
        }
        self.add(builds, files, is_version);
    }

    /// The builds with a hash in a version's folder, and the one that is the folder itself.
    fn version(&mut self, folder: &Node, new: Build) -> Option<Build> {
        let inside = self.take(&folder.path);
        let (mut builds, mut files, mut others) = (vec![], vec![], vec![]);
        for node in inside {
            let hash = node.name().strip_suffix(INCOMPLETE).unwrap_or(node.name()).to_owned();
            let build = Build { hash: Some(hash.clone()), ..new_like(&new) };
            match node.kind {
                Kind::File => files.push(node),
                Kind::Link if is_hash(&hash) => self.dataset.links.push(node),
                Kind::Unreadable if is_hash(&hash) => builds.push(Build { unreadable: true, ..placed(build, &node) }),
                Kind::Directory => {
                    let content = self.take(&node.path);
                    match of_content(placed(build, &node), &content) {
                        Some(build) => builds.push(build),
                        None => others.push(node),
                    }
                }
                _ => others.push(node),
            }
        }
        let (locks, tables): (Vec<Node>, Vec<Node>) =
            files.into_iter().partition(|node| locks::folder_of(node.name()).is_some());
        let own: Vec<Node> = tables.iter().chain(&others).cloned().collect();
        let itself = of_content(placed(new, folder), &own).map(|build| {
            let shared = !builds.is_empty() || !locks.is_empty() || !others.is_empty();
            let content = if shared { tables.into_iter().map(|node| node.path).collect() } else { build.content };
            Build { content, ..build }
        });
        self.add(builds, locks, is_hash);
        itself
    }

    /// Adds what is in one folder: builds, each with the locks beside it, and the locks of those that are gone.
    fn add(&mut self, mut builds: Vec<Build>, files: Vec<Node>, is_name: fn(&str) -> bool) {
        builds.sort_by_key(Build::is_partial);
        let mut holders: BTreeMap<String, usize> = BTreeMap::new();
        for (at, build) in builds.iter_mut().enumerate() {
            build.has_locks = !holders.contains_key(&build.base);
            holders.entry(build.base.clone()).or_insert(at);
        }
        for lock in files {
            let Some(name) = locks::folder_of(lock.name()).filter(|name| is_name(name)) else { continue };
            let base = path::join(path::parent(&lock.path), name);
            match holders.get(&base).and_then(|at| builds.get_mut(*at)) {
                Some(build) => build.locks.push(lock.path),
                None => self.dataset.lone_locks.push(lock.path),
            }
        }
        self.dataset.builds.append(&mut builds);
    }
}

fn new_like(build: &Build) -> Build {
    Build { config: build.config.clone(), version: build.version.clone(), ..Build::default() }
}

fn placed(build: Build, folder: &Node) -> Build {
    let path = folder.path.clone();
    let base = path.strip_suffix(INCOMPLETE).unwrap_or(&path).to_owned();
    Build { content: vec![path.clone()], path, base, ..build }
}

/// The build that a folder with this content is, if it is one.
fn of_content(mut build: Build, content: &[Node]) -> Option<Build> {
    for node in content {
        match node.kind {
            Kind::File => drop(build.files.insert(node.name().to_owned())),
            _ => build.stray = Some(node.name().to_owned()),
        }
    }
    let is_saved = content.iter().any(|node| SAVED.contains(&node.name()));
    let tables = build.files.iter().any(|file| file.ends_with(".arrow"));
    let named = build.hash.as_deref().is_none_or(is_hash);
    // A version's folder by itself says too little: a user's own may be called so.
    let unfinished = build.is_partial() || build.hash.is_some() && (tables || content.is_empty());
    (!is_saved && (build.has_info() || named && unfinished)).then_some(build)
}

/// Names for a sentence.
pub fn few(names: &[&str]) -> String {
    const MOST: usize = 5;
    let more = if names.len() > MOST { ", ..." } else { "" };
    format!("{}{more}", names.iter().take(MOST).copied().collect::<Vec<_>>().join(", "))
}
