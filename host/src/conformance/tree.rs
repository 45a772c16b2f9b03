//! A tree as plain data, which can be changed, and written to disk as often as a check needs a fresh one.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::time::SystemTime;

use jiff::Timestamp;

use crate::model::{RelPath, unescape_name};
use crate::tree::{Filter, FsError, NodeKind, Root};

/// When what has no time of its own was modified last: 2024-01-01.
const MODIFIED: i64 = 1_704_067_200;
/// Bytes of a file in a real folder; what is larger is described in `tree.txt`.
const MAX_REAL_FILE: usize = 64 << 20;

/// What lies beneath a root, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    pub(super) items: BTreeMap<RelPath, Item>,
}

/// One thing in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) what: What,
    pub(super) mode: Option<u32>,
    pub(super) modified: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Folder,
    /// A file of so many zeros, which takes no room on disk.
    Zeros(u64),
    /// A file with this content.
    Bytes(Vec<u8>),
    /// The same, with `$ROOT` and `$HOME` for the folders of the test.
    Text(Vec<u8>),
    /// A symbolic link, with the same.
    Link(Vec<u8>),
}

/// A text with the folders of the test in it is filled with blanks to a multiple of this, so that its size, which a case
/// tells, does not depend on how long their names are.
const BLOCK: usize = 16 * 1024;

/// What `$ROOT` and `$HOME` stand for.
pub(super) struct Places<'a> {
    pub(super) root: &'a Path,
    pub(super) home: &'a Path,
}

impl From<What> for Item {
    fn from(what: What) -> Self {
        Self { what, mode: None, modified: None }
    }
}

impl Item {
    fn modified(&self) -> io::Result<SystemTime> {
        let default = Timestamp::from_second(MODIFIED);
        Ok(self.modified.map_or(default, Ok).map_err(io::Error::other)?.into())
    }

    fn write_file(&self, at: &Path, size: u64, content: &[u8]) -> io::Result<()> {
        let mut file = File::create(at)?;
        file.write_all(content)?;
        if size > content.len() as u64 {
            file.set_len(size)?;
        }
        file.set_modified(self.modified()?)
    }
}

impl What {
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Self::Zeros(_) | Self::Bytes(_) | Self::Text(_))
    }
}

impl Tree {
    /// Whether all of it has rights that let its owner read it.
    pub(super) fn is_readable(&self) -> bool {
        self.items.values().all(|item| item.mode.is_none_or(|mode| mode & 0o400 != 0))
    }

    /// The paths of files and links.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &RelPath> {
        self.items.iter().filter(|(_, item)| item.what != What::Folder).map(|(path, _)| path)
    }

    /// The names directly in the root, with everything beneath each.
    pub(super) fn tops(&self) -> Vec<(RelPath, Tree)> {
        let mut tops: BTreeMap<RelPath, Tree> = BTreeMap::new();
        for (path, item) in &self.items {
            let top = RelPath::from_components(path.components().take(1));
            tops.entry(top).or_default().items.insert(path.clone(), item.clone());
        }
        tops.into_iter().collect()
    }

    /// The tree without a path and all beneath it.
    #[must_use]
    pub(super) fn without(&self, at: &RelPath) -> Self {
        let rest = self.items.iter().filter(|(path, _)| !path.starts_with(at));
        let mut tree = Self { items: rest.map(|(path, item)| (path.clone(), item.clone())).collect() };
        // The folder it was in stays, as it would on disk.
        if let Some(folder) = at.parent().filter(|folder| !folder.is_root()) {
            tree.items.entry(folder).or_insert_with(|| What::Folder.into());
        }
        tree
    }

    /// The tree with something else at a path.
    #[must_use]
    pub(super) fn with(&self, at: &RelPath, what: What) -> Self {
        let mut tree = self.without(at);
        tree.items.insert(at.clone(), what.into());
        tree
    }

    /// Reads a real folder: names, contents and links.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Self, (RelPath, FsError)> {
        let whole = |error| (RelPath::root(), error);
        let root = Root::open(folder).map_err(whole)?;
        let mut walker = root.walk(&RelPath::root(), Filter::default()).map_err(whole)?;
        let mut tree = Self::default();
        loop {
            let nodes = walker.next(1000);
            if nodes.is_empty() {
                return Ok(tree);
            }
            for node in nodes {
                let path = RelPath::parse(&node.path).map_err(|_| whole(FsError::WrongKind))?;
                let fail = |error| (path.clone(), error);
                let what = match node.kind {
                    NodeKind::Directory => What::Folder,
                    NodeKind::File => What::Bytes(root.read(&path, MAX_REAL_FILE).map_err(fail)?),
                    NodeKind::Link => What::Link(bytes_of(&node.target)),
                    NodeKind::Other => return Err(fail(FsError::WrongKind)),
                    NodeKind::Unreadable => return Err(fail(FsError::Denied)),
                };
                tree.items.insert(path, what.into());
            }
        }
    }

    /// Writes it beneath a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When something cannot be made.
    pub(super) fn write(&self, places: &Places<'_>) -> io::Result<()> {
        fs::create_dir_all(places.root)?;
        let mut folder_made = places.root.to_owned();
        for (path, item) in &self.items {
            let at = places.root.join(path.to_path_buf());
            if let Some(folder) = at.parent().filter(|folder| *folder != folder_made) {
                fs::create_dir_all(folder)?;
                folder_made = folder.to_owned();
            }
            match &item.what {
                What::Folder => fs::create_dir_all(&at)?,
                What::Zeros(size) => item.write_file(&at, *size, &[])?,
                What::Bytes(content) => item.write_file(&at, content.len() as u64, content)?,
                What::Text(text) => {
                    let mut content = places.fill_in(text);
                    if content != *text {
                        content.resize(content.len().next_multiple_of(BLOCK), b' ');
                    }
                    item.write_file(&at, content.len() as u64, &content)?;
                }
                What::Link(target) => link(&places.fill_in(target), &at)?,
            }
        }
        // Writing into a folder changes its time, and may take rights: children before their folders.
        for (path, item) in self.items.iter().rev() {
            let at = places.root.join(path.to_path_buf());
            if item.what == What::Folder {
                // Where a folder's time cannot be set so, no check minds.
                let _ = File::open(&at).and_then(|folder| folder.set_modified(item.modified()?));
            }
            if let Some(mode) = item.mode {
                set_mode(&at, mode)?;
            }
        }
        Ok(())
    }

    /// Gives back the rights that [`Self::write`] took, so that the folder can be removed.
    pub(super) fn unlock(&self, root: &Path) {
        for (path, _) in self.items.iter().filter(|(_, item)| item.mode.is_some()) {
            // What was removed meanwhile needs no rights.
            let _ = set_mode(&root.join(path.to_path_buf()), 0o700);
        }
    }
}

impl Places<'_> {
    fn fill_in(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = text.to_owned();
        for (name, value) in [(b"$ROOT", self.root), (b"$HOME", self.home)] {
            let value = value.as_os_str().as_encoded_bytes();
            while let Some(at) = filled.windows(name.len()).position(|it| it == name) {
                filled.splice(at..at + name.len(), value.iter().copied());
            }
        }
        filled
    }
}

fn bytes_of(escaped: &str) -> Vec<u8> {
    unescape_name(escaped).map_or_else(|| escaped.as_bytes().to_owned(), |it| it.into_encoded_bytes())
}

#[cfg(unix)]
fn link(target: &[u8], at: &Path) -> io::Result<()> {
    use std::os::unix::ffi::OsStrExt as _;
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), at)
}

#[cfg(not(unix))]
fn link(_: &[u8], _: &Path) -> io::Result<()> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "links cannot be made on this platform"))
}

#[cfg(unix)]
fn set_mode(at: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(at, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
