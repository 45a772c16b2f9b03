//! What a revision's folder holds: links to blobs, and in caches without links (or by a user's hand) files.

use std::collections::BTreeSet;

use dscc_sdk::{Kind, Node, path};

use crate::link::{Root, beneath};
use crate::name;
use crate::repository::Blob;

/// One entry of `snapshots/`.
#[derive(Default)]
pub struct Snapshot {
    /// A commit, mostly.
    pub name: String,
    /// It is no folder but a link, which is not followed.
    pub is_link: bool,
    /// Everything in it but folders.
    pub files: u64,
    /// Blobs that its links name, as indexes into the repository's; sorted and distinct once it is read.
    pub blobs: Vec<usize>,
    /// Blobs that its links name and that are not there.
    pub missing: BTreeSet<String>,
    /// Other places in the root to which its links lead.
    pub elsewhere: BTreeSet<String>,
    /// Its links that leave the root.
    pub outside: BTreeSet<String>,
    /// It holds at least one link.
    pub has_links: bool,
    /// Its first regular file that neither Python nor the operating system makes by itself.
    pub file: Option<String>,
    /// Files that the library's own list of the commit names and that were not seen, if there is such a list.
    pub absent: Option<BTreeSet<String>>,
}

impl Snapshot {
    /// Takes in one node of its folder. `below` is the node's path in the snapshot, `buffer` is reused.
    pub fn add(&mut self, root: &Root, blobs: &Blobs, below: &str, node: &Node, buffer: &mut String) {
        self.files += 1;
        if let Some(absent) = &mut self.absent {
            absent.remove(below);
        }
        if node.kind != Kind::Link {
            if self.file.is_none() && !is_made_by_itself(below) {
                self.file = Some(node.path.clone());
            }
            return;
        }
        self.has_links = true;
        if let Some(blob) = blob_of_usual_link(below, &node.target) {
            return self.add_blob(blobs, blob);
        }
        if !root.resolve(path::parent(&node.path), &node.target, buffer) {
            self.outside.insert(node.path.clone());
        } else if let Some(blob) = beneath(buffer, blobs.folder).filter(|blob| !blob.is_empty() && !blob.contains('/'))
        {
            self.add_blob(blobs, blob);
        } else {
            self.elsewhere.insert(buffer.clone());
        }
    }

    fn add_blob(&mut self, blobs: &Blobs, name: &str) {
        match blobs.find(name) {
            Some(index) => self.blobs.push(index),
            None => drop(self.missing.insert(name.to_owned())),
        }
    }

    /// Forgets how often each blob is named.
    pub fn finish(&mut self) {
        self.blobs.sort_unstable();
        self.blobs.dedup();
        self.blobs.shrink_to_fit();
    }
}

/// The blobs of a repository, to be looked up by name.
pub struct Blobs<'a> {
    /// `models--x/blobs`.
    pub folder: &'a str,
    /// Sorted by name.
    pub all: &'a [Blob],
}

impl Blobs<'_> {
    fn find(&self, name: &str) -> Option<usize> {
        self.all.binary_search_by(|blob| blob.order().cmp(&order(name))).ok()
    }
}

/// A key that sorts names. A million of them are looked up, which are digests: the first bytes mostly decide, as one
/// number.
pub fn order(name: &str) -> (u64, &str) {
    let mut start = [0; 8];
    name.bytes().zip(&mut start).for_each(|(byte, place)| *place = byte);
    (u64::from_be_bytes(start), name)
}

/// The blob that a link names in the very form that the library writes, which a million of them have.
fn blob_of_usual_link<'a>(below: &str, target: &'a str) -> Option<&'a str> {
    let up = below.bytes().filter(|byte| *byte == b'/').count() + 2;
    let blob = (0..up).try_fold(target, |rest, _| rest.strip_prefix("../"))?.strip_prefix("blobs/")?;
    (!blob.contains('/') && !matches!(blob, "" | "." | "..")).then_some(blob)
}

/// Neither downloaded nor the user's: byte code and the operating systems' own files.
fn is_made_by_itself(below: &str) -> bool {
    let file = path::name(below);
    file.ends_with(".pyc")
        || name::SYSTEM_FILES.contains(&file)
        || path::parent(below).split('/').any(|part| part == "__pycache__")
}
