//! The numbers that come out of a measuring pass, and the counters that show how far a pass has come.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::{FsError, Hindrance, Stat};
use crate::model::{PathId, RelPath};

/// The weight of regular files. Links and directories weigh nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Sum of `st_size`, in bytes.
    pub size: u64,
    /// Allocated bytes: sum of `st_blocks * 512`.
    pub disk_size: u64,
    /// How many files.
    pub files: u64,
    /// The latest change of content, nanoseconds since 1970; none without files.
    pub modified: Option<i64>,
    /// The latest access, nanoseconds since 1970; none without files.
    pub accessed: Option<i64>,
    /// The latest change of content or attributes, nanoseconds since 1970; none without files.
    pub changed: Option<i64>,
}

impl From<&Stat> for Usage {
    /// The weight of one regular file.
    fn from(stat: &Stat) -> Self {
        Self {
            size: stat.size,
            disk_size: stat.disk_size,
            files: 1,
            modified: Some(stat.modified_ns),
            accessed: Some(stat.accessed_ns),
            changed: Some(stat.changed_ns),
        }
    }
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.size = self.size.saturating_add(other.size);
        self.disk_size = self.disk_size.saturating_add(other.disk_size);
        self.files += other.files;
        self.modified = self.modified.max(other.modified);
        self.accessed = self.accessed.max(other.accessed);
        self.changed = self.changed.max(other.changed);
    }
}

impl std::ops::Add for Usage {
    type Output = Self;
    fn add(mut self, other: Self) -> Self {
        self += other;
        self
    }
}

impl std::iter::Sum for Usage {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| sum + one)
    }
}

/// What a measuring pass found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// By [`PathId::index`]: files with a single name, each in the deepest bucket above it.
    pub usage: Vec<Usage>,
    /// Files with several names, each once, by device and inode.
    pub linked: Vec<LinkedInode>,
    /// Places that could not be looked into, by path: all numbers above them are lower bounds.
    pub unreadable: Vec<(RelPath, FsError)>,
    /// What would be in the way of a removal, by path, if it was asked for.
    pub hindrances: Vec<Hindrance>,
}

/// A regular file with more than one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedInode {
    /// The file system.
    pub dev: u64,
    /// The inode in it.
    pub ino: u64,
    /// All its names, also those that the pass did not see.
    pub links: u64,
    /// `st_size`, in bytes.
    pub size: u64,
    /// Allocated bytes.
    pub disk_size: u64,
    /// Last change of content, nanoseconds since 1970.
    pub modified: i64,
    /// Last access, nanoseconds since 1970.
    pub accessed: i64,
    /// Last change of content or attributes, nanoseconds since 1970.
    pub changed: i64,
    /// The buckets in which the pass saw it, by id, and how many of its names in each.
    pub at: Vec<(PathId, u64)>,
}

impl LinkedInode {
    /// Its weight, to be counted once.
    pub fn usage(&self) -> Usage {
        Usage {
            size: self.size,
            disk_size: self.disk_size,
            files: 1,
            modified: Some(self.modified),
            accessed: Some(self.accessed),
            changed: Some(self.changed),
        }
    }
}

/// How far a pass has come. Written a directory at a time, read by a timer elsewhere.
#[derive(Debug, Default)]
pub struct Progress {
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Progress {
    /// Entries seen or removed so far.
    pub fn entries(&self) -> u64 {
        self.entries.load(Relaxed)
    }

    /// Bytes measured or freed so far.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// So much more was done.
    pub fn add(&self, entries: u64, bytes: u64) {
        self.entries.fetch_add(entries, Relaxed);
        self.bytes.fetch_add(bytes, Relaxed);
    }
}
