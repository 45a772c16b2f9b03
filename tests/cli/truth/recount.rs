//! The home as it is, counted by names that are never followed and without any part of dscc: what is there, what is gone,
//! and what that frees.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Everything below a folder, by path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count(pub BTreeMap<PathBuf, Found>);

/// One name, and what it stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    pub kind: Kind,
    pub inode: (u64, u64),
    pub links: u64,
    pub mode: u32,
    pub owner: (u32, u32),
    /// Seconds and nanoseconds.
    pub modified: (i64, i64),
    pub size: u64,
    pub blocks: u64,
    /// A file's bytes or a link's target.
    pub content: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    Link,
}

/// Bytes of files, and of their blocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    pub size: u64,
    pub disk: u64,
}

impl std::fmt::Debug for Found {
    /// Without the content, which is long.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, inode: (_, inode), links, mode, modified, size, .. } = self;
        write!(f, "{kind:?} #{inode} x{links} {mode:o} {size} B {modified:?}")
    }
}

impl Count {
    /// Everything below a folder but what is in `left_out`.
    pub fn of(root: &Path, left_out: &Path) -> Self {
        let walk = walkdir::WalkDir::new(root).into_iter().filter_entry(|entry| entry.path() != left_out);
        Self(walk.map(Result::unwrap).map(|entry| (entry.path().to_owned(), Found::at(entry.path()))).collect())
    }

    /// The bytes that are free now: those of files of which no name is left anywhere. One that was written anew is not gone.
    pub fn freed_until(&self, after: &Self) -> Bytes {
        // A new file may have the number of one that is gone, but not its time.
        let same = |found: &Found| (found.inode, found.modified);
        let left: HashSet<_> = after.0.values().map(same).collect();
        self.sum(|path, found| !left.contains(&same(found)) && !after.0.contains_key(path))
    }

    /// The bytes of the files that these names lead to, each once.
    pub fn sum(&self, counts: impl Fn(&Path, &Found) -> bool) -> Bytes {
        let files = self.0.iter().filter(|(path, found)| found.kind == Kind::File && counts(path, found));
        let inodes: HashMap<(u64, u64), &Found> = files.map(|(_, found)| (found.inode, found)).collect();
        inodes.values().fold(Bytes::default(), |sum, found| Bytes {
            size: sum.size + found.size,
            disk: sum.disk + found.blocks * 512,
        })
    }

    /// The names that are gone.
    pub fn gone_until(&self, after: &Self) -> Vec<&Path> {
        self.0.keys().filter(|path| !after.0.contains_key(*path)).map(PathBuf::as_path).collect()
    }
}

impl Found {
    fn at(path: &Path) -> Self {
        let it = path.symlink_metadata().unwrap();
        let (kind, content) = if it.is_symlink() {
            (Kind::Link, fs::read_link(path).unwrap().as_os_str().as_bytes().to_owned())
        } else if it.is_dir() {
            (Kind::Folder, Vec::new())
        } else {
            (Kind::File, fs::read(path).unwrap())
        };
        Self {
            kind,
            content,
            inode: (it.dev(), it.ino()),
            links: it.nlink(),
            mode: it.mode(),
            owner: (it.uid(), it.gid()),
            modified: (it.mtime(), it.mtime_nsec()),
            size: if kind == Kind::Folder { 0 } else { it.size() },
            blocks: it.blocks(),
        }
    }

    /// What a name that stays must still be. A folder's time and links tell of what went from it, a file's links of its
    /// other names.
    pub fn lasting(&self) -> impl PartialEq + std::fmt::Debug + '_ {
        let modified = if self.kind == Kind::Folder { None } else { Some(self.modified) };
        (self.kind as u8, self.inode, self.mode, self.owner, modified, self.size, &self.content)
    }
}
