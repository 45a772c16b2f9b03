//! A folder as plain data: names, kinds, link targets, permissions and contents, so that "nothing changed" is one
//! comparison, and a failed one says what did. Read by names that are never followed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

/// What lies below a folder, by path.
pub type Tree = BTreeMap<PathBuf, Node>;

/// One thing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Folder { mode: u32 },
    Link { target: PathBuf },
    File { mode: u32, size: u64, digest: String },
    Other { mode: u32 },
}

/// All below a folder.
pub fn read(root: &Path) -> Tree {
    read_all_but(root, Path::new(""))
}

/// All below a folder but one folder in it, and what is in that. dscc's own state does not count as long as it is what every
/// removal leaves: the journal, the reserve, and no record.
pub fn read_all_but(root: &Path, left_out: &Path) -> Tree {
    let mut tree = Tree::new();
    let walk = walkdir::WalkDir::new(root).min_depth(1);
    for entry in walk.into_iter().filter_entry(|entry| entry.path() != left_out) {
        let entry = entry.unwrap();
        tree.insert(entry.path().strip_prefix(root).unwrap().to_owned(), node(entry.path()));
    }
    tree.retain(|path, _| !STATE.iter().any(|own| path.ends_with(own)));
    let mut records = tree.keys().find(|path| path.ends_with(RECORDS)).cloned();
    while let Some(at) = records.take_if(|at| is_empty(&tree, at)) {
        tree.remove(&at);
        records = at
            .parent()
            .filter(|above| above.ends_with(".local") || above.to_str().unwrap().contains(".local/"))
            .map(Path::to_owned);
    }
    tree
}

/// What dscc always has in the homes of tests once it has removed something.
const STATE: [&str; 2] = [".local/state/dscc/journal.jsonl", ".local/state/dscc/reserve"];
/// Where dscc keeps its records in the homes of tests.
const RECORDS: &str = ".local/state/dscc/runs";

fn is_empty(tree: &Tree, folder: &Path) -> bool {
    tree.range(folder.to_owned()..).nth(1).is_none_or(|(next, _)| !next.starts_with(folder))
}

fn node(path: &Path) -> Node {
    let metadata = path.symlink_metadata().unwrap();
    let (kind, mode) = (metadata.file_type(), metadata.mode() & 0o7777);
    if kind.is_symlink() {
        Node::Link { target: fs::read_link(path).unwrap() }
    } else if kind.is_dir() {
        Node::Folder { mode }
    } else if kind.is_file() {
        let content = fs::read(path).unwrap();
        let digest = Sha256::digest(&content).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Node::File { mode, size: metadata.len(), digest }
    } else {
        assert!(kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device());
        Node::Other { mode }
    }
}

/// Asserts that exactly these paths, with all below them, are gone, and that the rest is as it was.
#[track_caller]
pub fn assert_gone(before: &Tree, after: &Tree, expected: &[&str]) {
    let goes = |path: &Path| expected.iter().any(|gone| path.starts_with(gone));
    for path in expected {
        assert!(before.contains_key(Path::new(path)), "{path} was not there");
    }
    let left: Tree =
        before.iter().filter(|(path, _)| !goes(path)).map(|(path, node)| (path.clone(), node.clone())).collect();
    assert_eq!(*after, left);
}

/// The bytes of regular files, an inode once.
pub fn size(root: &Path) -> u64 {
    let mut inodes = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root) {
        let metadata = entry.unwrap().metadata().unwrap();
        if metadata.is_file() {
            inodes.insert((metadata.dev(), metadata.ino()), metadata.len());
        }
    }
    inodes.values().sum()
}

/// Gives the owner every right to the folders below, so that they can be deleted.
pub fn unlock(root: &Path) {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        let _ = fs::set_permissions(&folder, fs::Permissions::from_mode(0o700));
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
        }
    }
}
