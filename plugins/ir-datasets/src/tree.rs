//! One dataset folder as it lies on the disk, by one walk: what is in it, apart from what lies in folders that are one
//! thing, such as a store or an unpacked archive.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, FsError, Kind, Kinds, Node, Recovery, path};

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

/// More in one dataset, beside what is one thing, is not the library's doing.
const MOST_NODES: usize = 100_000;

/// More folders waiting to be read are not either.
const MOST_FOLDERS: usize = 10_000;

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
    /// Of a store: what is directly in it, files with their sizes.
    pub parts: Vec<Node>,
    /// Of a corpus: other files directly in it.
    pub files: Vec<String>,
    /// Of a corpus: links directly in it.
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
    /// Those of them that are unpacked archives.
    archives: Vec<String>,
    /// Folders with a download or an unpacked archive directly in them, of which a store may have been built.
    supplied: BTreeSet<String>,
}

impl Tree {
    /// Reads it, folder by folder, so that nothing in a folder that is one thing has to pass by. Gives none if there is so
    /// much besides that most of it cannot be the library's.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn read(root: &dyn Directory, name: &str, is_known: bool) -> Result<Option<Self>, FsError> {
        let known = if is_known { Known::of(name) } else { Known::nothing() };
        let mut tree = Self {
            name: name.to_owned(),
            known,
            nodes: BTreeMap::new(),
            folders: BTreeMap::new(),
            archives: vec![],
            supplied: BTreeSet::new(),
        };
        let mut open = vec![];
        let mut next = root.walk(name, &Filter::direct())?;
        loop {
            for node in next {
                match tree.folder(&node) {
                    Some(folder) => tree.add_folder(root, &node.path, folder),
                    None => {
                        if tree.known.at(&node.path).is_some_and(|fact| fact.what == What::Download) {
                            tree.supplied.insert(path::parent(&node.path).to_owned());
                        }
                        open.extend(node.is_directory().then(|| node.path.clone()));
                        tree.nodes.insert(node.path.clone(), node);
                    }
                }
                if tree.nodes.len() > MOST_NODES || open.len() > MOST_FOLDERS {
                    return Ok(None);
                }
            }
            let Some(folder) = open.pop() else { return Ok(Some(tree)) };
            next = root.walk(&folder, &Filter::direct()).unwrap_or_else(|_| std::iter::empty().collect());
        }
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
        self.archives.iter().map(String::as_str).find(|archive| is_in(path, archive))
    }

    /// Whether a download that a store may have been built from is in its folder or in one above.
    pub fn has_supply(&self, store: &str) -> bool {
        store.match_indices('/').any(|(end, _)| self.supplied.contains(&store[..end]))
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

    fn add_folder(&mut self, root: &dyn Directory, path: &str, folder: Folder) {
        let mut inside = Inside::default();
        if folder == Folder::Store {
            inside.parts = root.walk(path, &Filter::direct().stat()).into_iter().flatten().collect();
            inside.any = !inside.parts.is_empty();
            inside.marks =
                inside.parts.iter().map(|part| part.name().to_owned()).filter(|name| name.starts_with('_')).collect();
            self.folders.insert(path.to_owned(), (folder, inside));
            return;
        }
        let leaves = Filter::all().kinds(Kinds::FILE | Kinds::LINK | Kinds::OTHER);
        inside.any = root.walk(path, &leaves).is_ok_and(|mut nodes| nodes.next().is_some());
        for node in root.walk(path, &Filter::direct()).into_iter().flatten() {
            match node.kind {
                Kind::File if node.name().starts_with('_') => drop(inside.marks.insert(node.name().to_owned())),
                Kind::File if folder == Folder::Corpus => inside.files.push(node.path),
                Kind::Directory if is_flat(path) => inside.files.push(node.path),
                Kind::Link if folder == Folder::Corpus => inside.links.push(node),
                _ => {}
            }
        }
        if folder == Folder::Extracted {
            self.archives.push(path.to_owned());
            self.supplied.insert(path::parent(path).to_owned());
            self.add_inner_stores(root, path);
        }
        self.folders.insert(path.to_owned(), (folder, inside));
    }

    fn add_inner_stores(&mut self, root: &dyn Directory, archive: &str) {
        let filter = Filter::all().kinds(Kinds::DIRECTORY);
        let filter = STORES.iter().fold(filter, |filter, ending| filter.name(format!("*{ending}")));
        let nodes: Vec<Node> = root.walk(archive, &filter).into_iter().flatten().collect();
        for node in nodes.iter().filter(|node| is_store(node)) {
            self.add_folder(root, &node.path, Folder::Store);
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
            _ if is_store(node) => Some(Folder::Store),
            _ if CORPORA.iter().any(|(corpus, _)| *corpus == node.path) => Some(Folder::Corpus),
            // Of an old layout, which is known by its guard alone.
            _ if self.known.guards.iter().any(|guard| guard.guarded.contains(&node.path)) => Some(Folder::Extracted),
            _ => None,
        }
    }
}

fn is_store(node: &Node) -> bool {
    let named = STORES.iter().any(|ending| node.name().strip_suffix(ending).is_some_and(|stem| !stem.is_empty()));
    node.is_directory() && (named || node.path == BUNDLES)
}

/// Whether a corpus has all its files directly in it, so that each of them can be told.
pub fn is_flat(corpus: &str) -> bool {
    corpus == "c4/en.noclean"
}
