//! The names that point to revisions: small files in `refs/`, in folders when the name has slashes.

use dscc_sdk::{Filter, FsError, Kind, Kinds, Node, path};

use crate::link::{Root, beneath};
use crate::name;

/// A commit is 40 bytes. What is much longer names none.
const LONGEST: u32 = 1024;

/// One file in `refs/`.
pub struct Ref {
    /// Beneath the root.
    pub path: String,
    /// `main`, `refs/pr/1`.
    pub name: String,
    /// What it names; none for garbage.
    pub commit: Option<String>,
    /// The library compares the text as it is, white space included.
    pub exact: bool,
    /// It was being written when a client was killed.
    pub temporary: bool,
}

/// All refs of a repository, sorted by name, and what could not be read of them.
#[derive(Default)]
pub struct Refs {
    /// Sorted by name.
    pub all: Vec<Ref>,
    /// Places and why they could not be read. If there are any, no revision can be called unreferenced.
    pub unread: Vec<(String, String)>,
}

impl Refs {
    /// Reads the refs beneath `folder`, `models--x/refs`, whose direct content is given. `snapshots` are the revision
    /// folders, which a ref may name whatever they are called.
    pub fn read(root: &Root, folder: &str, direct: Vec<Node>, snapshots: &[String]) -> Self {
        let mut refs = Self::default();
        let nodes = if direct.iter().any(|node| matches!(node.kind, Kind::Directory | Kind::Unreadable)) {
            match root.directory.walk(folder, &Filter::all().kinds(Kinds::FILE | Kinds::LINK | Kinds::OTHER)) {
                Ok(nodes) => nodes.collect(),
                Err(error) => {
                    refs.unread.push((folder.to_owned(), error.text()));
                    return refs;
                }
            }
        } else {
            direct
        };
        let mut paths = vec![];
        for node in nodes {
            match node.kind {
                _ if name::SYSTEM_FILES.contains(&node.name()) => {}
                Kind::File => paths.push(node.path),
                Kind::Unreadable => refs.unread.push((node.path, "permission denied".into())),
                _ => refs.unread.push((node.path, "it is no regular file".into())),
            }
        }
        paths.sort();
        for (path, content) in paths.iter().zip(root.directory.read(&paths, LONGEST)) {
            match content {
                Ok(content) => refs.all.push(Ref::new(folder, path, Some(&content), snapshots)),
                Err(FsError::TooLarge) => refs.all.push(Ref::new(folder, path, None, snapshots)),
                Err(FsError::NotFound) => {}
                Err(error) => refs.unread.push((path.clone(), error.text())),
            }
        }
        refs
    }
}

impl Ref {
    fn new(folder: &str, path: &str, content: Option<&[u8]>, snapshots: &[String]) -> Self {
        let text = path::escape(content.unwrap_or_default().trim_ascii());
        let known = snapshots.binary_search(&text).is_ok() || name::is_revision(&text);
        Self {
            path: path.to_owned(),
            name: beneath(path, folder).unwrap_or(path).to_owned(),
            commit: known.then_some(text),
            exact: content.is_some_and(|content| content.trim_ascii().len() == content.len()),
            temporary: name::is_temporary_ref(path::name(path)),
        }
    }
}
