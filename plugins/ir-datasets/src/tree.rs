//! One dataset folder as it lies on the disk, by one walk: what is in it, apart from what lies in folders that are one
//! thing, such as a store or an unpacked archive.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, FsError, Kind, Node, Recovery, path};

use crate::known::{Known, What, is_in};

/// Folders of document stores end in one of these.
pub const STORES: [&str; 4] = [".pklz4", ".cache", ".itsv", ".zpkl"];

/// A store of text files, one of a kind.
pub const BUNDLES: &str = "msmarco-passage-v2/msmarco_v2_passage.tar.extracted";

/// Collections that are neither a download nor named by the library as the user's, and are hardly to be had again.
pub const CORPORA: [(&str, &str); 4] = [
    ("aol-ia/downloaded_docs", "a separate program takes days to gather it from an archive of web pages"),
    ("c4/en.noclean", "terabytes in 7168 files, which users may have put here themselves"),
    ("clueweb12/corpus-b13", "made by a separate program from the user's own corpus"),
    ("tweets2013-ia/corpus", "made from two streams of hundreds of gigabytes each"),
];

/// A folder that is one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folder {
    /// A document store.
    Store,
    /// An unpacked archive. There may be stores in it.
    Extracted,
    /// One of [`CORPORA`].
    Corpus,
    /// The user's.
    Manual,
}

/// What was seen in a folder that is one thing.
#[derive(Debug, Default)]
pub struct Inside {
    /// Something was.
    pub any: bool,
    /// Names beginning with `_`, directly in it: marks of what is done.
    pub marks: BTreeSet<String>,
    /// Of a corpus that is a flat folder: its files.
    pub files: Vec<String>,
    /// Of a corpus: its links.
    pub links: Vec<Node>,
}

/// A dataset folder.
pub struct Tree {
    /// Its name.
    pub name: String,
    /// What the library is known to make in it.
    pub known: Known,
    /// Files, links and folders outside of [`Tree::folders`], by path.
    pub nodes: BTreeMap<String, Node>,
    /// Folders that are one thing, by path.
    pub folders: BTreeMap<String, (Folder, Inside)>,
}

impl Tree {
    /// Reads it.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn read(root: &dyn Directory, name: &str) -> Result<Self, FsError> {
        let known = Known::of(name);
        let mut tree = Self { name: name.to_owned(), known, nodes: BTreeMap::new(), folders: BTreeMap::new() };
        for node in root.walk(name, &Filter::all())? {
            tree.add(node);
        }
        Ok(tree)
    }

    /// Whether something is at a path.
    pub fn has(&self, path: &str) -> bool {
        self.nodes.contains_key(path) || self.folders.get(path).is_some_and(|(_, inside)| inside.any)
    }

    /// Whether a regular file is at a path, outside of the folders that are one thing.
    pub fn has_file(&self, path: &str) -> bool {
        self.nodes.get(path).is_some_and(Node::is_file)
    }

    /// The unpacked archive in which a path lies.
    pub fn archive_above(&self, path: &str) -> Option<&str> {
        let extracted = self.folders.iter().filter(|(_, (folder, _))| *folder == Folder::Extracted);
        extracted.map(|(folder, _)| folder.as_str()).find(|folder| is_in(path, folder))
    }

    /// The path that the user provides and that this one is derived from, by its name: `corpus.cache`, `corpus-b13`.
    pub fn manual_behind(&self, path: &str) -> Option<&str> {
        let named_after = |manual: &&str| {
            path.strip_prefix(manual).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
        };
        // `corpus.chk` is a download, though its name begins so.
        let is_own = self.known.at(path).is_some_and(|fact| fact.what != What::Manual && fact.what != What::Made);
        if is_own { None } else { self.known.manual().find(named_after) }
    }

    /// What it costs to have this path, so that something can be made of it.
    pub fn cost(&self, path: &str) -> Recovery {
        if self.has(path) {
            return Recovery::Rebuild;
        }
        match self.known.at(path) {
            Some(fact) if fact.what == What::Manual => Recovery::Uncertain,
            Some(fact) if !fact.from.is_empty() => self.cost(fact.from),
            Some(fact) if fact.what != What::Made => Recovery::Download,
            _ if CORPORA.iter().any(|(corpus, _)| *corpus == path) => Recovery::Uncertain,
            _ => match self.manual_behind(path) {
                Some(manual) if manual != path => self.cost(manual),
                _ => Recovery::Download,
            },
        }
    }

    fn add(&mut self, node: Node) {
        if let Some((above, folder)) = self.folder_above(&node.path) {
            return self.add_inside(above, folder, node);
        }
        let folder = self.folder(&node);
        match folder {
            Some(folder) => drop(self.folders.insert(node.path, (folder, Inside::default()))),
            None => drop(self.nodes.insert(node.path.clone(), node)),
        }
    }

    /// The nearest folder above that is one thing.
    fn folder_above(&self, path: &str) -> Option<(String, Folder)> {
        let mut above = path.rmatch_indices('/').map(|(end, _)| &path[..end]);
        above.find_map(|above| Some((above.to_owned(), self.folders.get(above)?.0)))
    }

    fn add_inside(&mut self, above: String, folder: Folder, node: Node) {
        if folder == Folder::Extracted && self.is_store(&node) {
            self.folders.insert(node.path, (Folder::Store, Inside::default()));
            return;
        }
        let Some((_, inside)) = self.folders.get_mut(&above) else { return };
        if node.kind == Kind::Directory {
            return; // Empty ones hold nothing.
        }
        inside.any = true;
        let is_direct = path::parent(&node.path) == above;
        if is_direct && node.name().starts_with('_') {
            inside.marks.insert(node.name().to_owned());
        }
        match node.kind {
            Kind::Link if folder == Folder::Corpus => inside.links.push(node),
            Kind::File if is_flat(&above) => inside.files.push(node.path),
            _ => {}
        }
    }

    /// Whether a folder is one thing.
    fn folder(&self, node: &Node) -> Option<Folder> {
        if node.kind != Kind::Directory {
            return None;
        }
        match self.known.at(&node.path).map(|fact| fact.what) {
            Some(What::Manual) => Some(Folder::Manual),
            Some(What::Folder) => Some(Folder::Extracted),
            _ if self.is_store(node) => Some(Folder::Store),
            _ if CORPORA.iter().any(|(corpus, _)| *corpus == node.path) => Some(Folder::Corpus),
            // Of an old layout, which is known by its guard alone.
            _ if self.known.guards.iter().any(|guard| guard.guarded.contains(&node.path)) => Some(Folder::Extracted),
            _ => None,
        }
    }

    fn is_store(&self, node: &Node) -> bool {
        let named = STORES.iter().any(|ending| node.name().strip_suffix(ending).is_some_and(|stem| !stem.is_empty()));
        node.kind == Kind::Directory && (named || node.path == BUNDLES)
    }
}

/// Whether a corpus has all its files directly in it, so that each of them can be told.
pub fn is_flat(corpus: &str) -> bool {
    corpus == "c4/en.noclean"
}
