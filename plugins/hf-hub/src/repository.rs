//! One repository folder as it lies on the disk: two levels at once, then the refs, then what the snapshots hold.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, FsError, Kind, Kinds, Listing, Node, path};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::link::{Root, beneath};
use crate::name;
use crate::refs::Refs;
use crate::snapshot::{self, Blobs, Snapshot};

/// What clients make in a repository's folder.
const FOLDERS: [&str; 5] = ["blobs", "refs", "snapshots", ".no_exist", "trees"];

/// The longest file list of a commit that is read; it has some 150 bytes a file.
const LONGEST_TREE: u32 = 16 << 20;

/// More of one repository would only bury the others'.
const MOST_WARNINGS: usize = 20;

/// A file or link in `blobs/`.
pub struct Blob {
    /// The etag, mostly.
    pub name: String,
    /// What is there.
    pub content: Content,
    /// A snapshot's link names it.
    pub named: bool,
}

impl Blob {
    /// How they are sorted.
    pub fn order(&self) -> (u64, &str) {
        snapshot::order(&self.name)
    }
}

/// What a blob is.
pub enum Content {
    /// A regular file.
    File,
    /// A link to this place of the shared store, marked or not.
    Payload(String),
    /// A link to another place in the root.
    Elsewhere(String),
    /// A link that leaves the root.
    Outside,
}

/// What is known of a repository.
#[derive(Default)]
pub struct Repository {
    /// `models--acme--tiny`.
    pub folder: String,
    /// Kinds of `blobs`, `refs` and `snapshots`, where they exist.
    pub parts: BTreeMap<String, Kind>,
    /// Sorted by name.
    pub blobs: Vec<Blob>,
    /// The names of revisions.
    pub refs: Refs,
    /// Sorted by name.
    pub snapshots: Vec<Snapshot>,
    /// Commits with a folder of files that the Hub does not have.
    pub no_exist: BTreeSet<String>,
    /// Commits with a list of files.
    pub trees: BTreeSet<String>,
    /// Temporaries outside of `blobs/`: their paths in the repository.
    pub temporaries: Vec<String>,
    /// Files directly in `snapshots/`, where the library expects folders.
    pub strays: Vec<String>,
    /// What lies beside the folders of the library and is no client's: files, links, and folders with something in them.
    pub foreign: BTreeSet<String>,
    /// Places that could not be read, and why; those of the refs are there.
    pub unread: Vec<(String, String)>,
}

impl Repository {
    /// Reads a repository. `trees`: also the lists of files, which tell whether a revision is whole.
    ///
    /// # Errors
    /// When the folder is absent, is no folder or cannot be read.
    pub fn read(root: &Root, folder: &str, trees: bool) -> Result<Self, FsError> {
        let mut repository = Self { folder: folder.to_owned(), ..Self::default() };
        let refs = repository.read_two_levels(root)?;
        let names: Vec<String> = repository.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect();
        repository.refs = Refs::read(root, &repository.path("refs"), refs, &names);
        if trees {
            repository.read_trees(root);
        }
        repository.read_snapshots(root);
        Ok(repository)
    }

    /// A path in the repository as one beneath the root.
    pub fn path(&self, below: &str) -> String {
        path::join(&self.folder, below)
    }

    /// Whether all that snapshots name is known. Else a blob that none seems to name may be in use.
    pub fn all_links_known(&self) -> bool {
        self.unread.is_empty()
            && matches!(self.parts.get("snapshots"), None | Some(Kind::Directory))
            && self.snapshots.iter().all(|snapshot| !snapshot.is_link)
    }

    /// Whether revisions without a ref are known to have none.
    pub fn all_refs_known(&self) -> bool {
        self.refs.unread.is_empty() && matches!(self.parts.get("refs"), None | Some(Kind::Directory))
    }

    /// Whether it is kept by links, so that a regular file in a snapshot was not put there by the library.
    pub fn has_links(&self) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.has_links)
    }

    /// Tells the user what could not be read.
    pub fn warn(&self, listing: &mut Listing) {
        for (path, why) in self.unread.iter().chain(&self.refs.unread).take(MOST_WARNINGS) {
            listing.warn(path, format!("this cannot be read: {why}"));
        }
    }

    /// Everything but what the snapshots hold. Gives back the nodes in `refs/`.
    fn read_two_levels(&mut self, root: &Root) -> Result<Vec<Node>, FsError> {
        let mut refs = vec![];
        let mut probes: Vec<String> = vec![];
        let folder = self.folder.clone();
        for node in root.directory.walk(&folder, &Filter::all().depth(2))? {
            let Some(below) = beneath(&node.path, &folder) else { continue };
            let Some((part, name)) = below.split_once('/') else {
                self.add_part(below, node.kind, &mut probes);
                continue;
            };
            if node.kind == Kind::Unreadable && part != "refs" {
                self.unread.push((node.path.clone(), "permission denied".into()));
            }
            match part {
                "blobs" => self.add_blob(root, name, &node),
                "refs" => refs.push(node),
                "snapshots" => self.add_snapshot(name, &node),
                ".no_exist" if node.is_directory() => drop(self.no_exist.insert(name.to_owned())),
                "trees" => self.add_tree(name, &node),
                _ if FOLDERS.contains(&part) => {}
                _ => drop(self.foreign.insert(part.to_owned())),
            }
        }
        probes.retain(|name| is_probe(root.directory, &self.path(name)));
        self.foreign.retain(|name| !probes.contains(name));
        self.temporaries.extend(probes);
        self.temporaries.sort();
        self.blobs.sort_unstable_by(|a, b| a.order().cmp(&b.order()));
        self.snapshots.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(refs)
    }

    fn add_part(&mut self, name: &str, kind: Kind, probes: &mut Vec<String>) {
        match name {
            "blobs" | "refs" | "snapshots" => drop(self.parts.insert(name.to_owned(), kind)),
            _ if kind == Kind::Directory && name::is_probe(name) => probes.push(name.to_owned()),
            _ if FOLDERS.contains(&name) || name::SYSTEM_FILES.contains(&name) => {}
            _ if matches!(kind, Kind::Directory | Kind::Unreadable) => {}
            _ => drop(self.foreign.insert(name.to_owned())),
        }
        if kind == Kind::Unreadable {
            self.unread.push((self.path(name), "permission denied".into()));
        }
    }

    fn add_blob(&mut self, root: &Root, name: &str, node: &Node) {
        let content = match node.kind {
            Kind::File => Content::File,
            Kind::Link => {
                let mut place = String::new();
                if !root.resolve(path::parent(&node.path), &node.target, &mut place) {
                    Content::Outside
                } else if name::is_payload(&place) {
                    Content::Payload(place)
                } else {
                    Content::Elsewhere(place)
                }
            }
            _ => return,
        };
        self.blobs.push(Blob { name: name.to_owned(), content, named: false });
    }

    fn add_snapshot(&mut self, name: &str, node: &Node) {
        match node.kind {
            Kind::Directory | Kind::Unreadable | Kind::Link => {
                let is_link = node.kind == Kind::Link;
                self.snapshots.push(Snapshot { name: name.to_owned(), is_link, ..Snapshot::default() });
            }
            _ if name::SYSTEM_FILES.contains(&name) => {}
            _ => self.strays.push(name.to_owned()),
        }
    }

    fn add_tree(&mut self, name: &str, node: &Node) {
        if name::is_temporary_tree(name) {
            self.temporaries.push(format!("trees/{name}"));
        } else if let Some(commit) = name.strip_suffix(".json").filter(|_| node.kind == Kind::File) {
            self.trees.insert(commit.to_owned());
        }
    }

    fn read_trees(&mut self, root: &Root) {
        for snapshot in &mut self.snapshots {
            if self.trees.contains(&snapshot.name) {
                let file = format!("{}/trees/{}.json", self.folder, snapshot.name);
                snapshot.absent =
                    root.directory.read_text(&file, LONGEST_TREE).ok().and_then(|text| files_of_tree(&text));
            }
        }
    }

    fn read_snapshots(&mut self, root: &Root) {
        if self.snapshots.iter().all(|snapshot| snapshot.is_link) {
            return;
        }
        let folder = self.path("snapshots");
        let filter = Filter::all().kinds(Kinds::FILE | Kinds::LINK | Kinds::OTHER);
        let nodes = match root.directory.walk(&folder, &filter) {
            Ok(nodes) => nodes,
            Err(error) => return self.unread.push((folder, error.text())),
        };
        let blobs = Blobs { folder: &self.path("blobs"), all: &self.blobs };
        let mut buffer = String::new();
        for node in nodes {
            if node.kind == Kind::Unreadable {
                self.unread.push((node.path, "permission denied".into()));
                continue;
            }
            let Some((name, below)) = beneath(&node.path, &folder).and_then(|below| below.split_once('/')) else {
                continue;
            };
            let Ok(at) = self.snapshots.binary_search_by(|snapshot| snapshot.name.as_str().cmp(name)) else { continue };
            if let Some(snapshot) = self.snapshots.get_mut(at) {
                snapshot.add(root, &blobs, below, &node, &mut buffer);
            }
        }
        self.unread.sort();
        self.unread.dedup();
        for snapshot in &mut self.snapshots {
            snapshot.finish();
            for index in &snapshot.blobs {
                if let Some(blob) = self.blobs.get_mut(*index) {
                    blob.named = true;
                }
            }
        }
    }
}

/// Whether a folder holds nothing but what a client leaves that was killed while it tried links.
pub fn is_probe(directory: &dyn Directory, folder: &str) -> bool {
    directory.walk(folder, &Filter::all().stat()).is_ok_and(|mut nodes| {
        nodes.all(|node| {
            let tried = node.kind == Kind::Link || node.kind == Kind::File && node.size == 0;
            tried && node.name().starts_with("dummy_file_") && path::parent(&node.path) == folder
        })
    })
}

/// The files that the library's list of a commit names; none if it is of another form.
fn files_of_tree(text: &str) -> Option<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Tree {
        format_version: u32,
        files: BTreeMap<String, IgnoredAny>,
    }
    let tree: Tree = serde_json::from_str(text).ok().filter(|tree: &Tree| tree.format_version == 1)?;
    Some(tree.files.into_keys().map(|file| path::escape(file.as_bytes())).collect())
}
