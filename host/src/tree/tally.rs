//! Measured freed bytes. A file's bytes are free only when its last name is gone, so names are counted by inode over
//! all removals of a run.

#[cfg(unix)]
use std::sync::atomic::AtomicBool;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

#[cfg(unix)]
use hashbrown::HashMap;

#[cfg(unix)]
use super::Stat;

/// What was freed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Sum of `st_size`, in bytes.
    pub size: u64,
    /// Allocated bytes.
    pub disk_size: u64,
    /// How many of them are free for sure; see [`super::Space`].
    pub at_least: u64,
    /// How many files.
    pub files: u64,
}

impl std::iter::Sum for Freed {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |sum, one| Self {
            size: sum.size + one.size,
            disk_size: sum.disk_size + one.disk_size,
            at_least: sum.at_least + one.at_least,
            files: sum.files + one.files,
        })
    }
}

impl std::ops::Sub for Freed {
    type Output = Self;
    /// What came since.
    fn sub(self, before: Self) -> Self {
        Self {
            size: self.size - before.size,
            disk_size: self.disk_size - before.disk_size,
            at_least: self.at_least - before.at_least,
            files: self.files - before.files,
        }
    }
}

/// Counts what the removals of a run free; shared by all of them.
#[derive(Debug, Default)]
pub struct LinkTally {
    size: AtomicU64,
    disk_size: AtomicU64,
    files: AtomicU64,
    /// So that a run over files of one name each, as most are, never waits for another thread.
    #[cfg(unix)]
    any_linked: AtomicBool,
    #[cfg(unix)]
    linked: Mutex<HashMap<(u64, u64), Links>>,
}

#[cfg(unix)]
#[derive(Debug)]
struct Links {
    /// The most names ever seen: another thread may already have removed some when a name is looked at.
    names: u64,
    removed: u64,
    freed: bool,
    size: u64,
}

impl LinkTally {
    /// Takes note that a name of this regular file was removed; `stat` was taken just before.
    #[cfg(unix)]
    pub(super) fn removed(&self, stat: &Stat) {
        if stat.links > 1 {
            self.any_linked.store(true, Relaxed);
            let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (stat.identity.dev, stat.identity.ino);
            let links = linked.entry(key).or_insert(Links { names: 0, removed: 0, freed: false, size: stat.size });
            links.names = links.names.max(stat.links);
            links.removed += 1;
            if links.removed < links.names || links.freed {
                return;
            }
            links.freed = true;
        } else if self.any_linked.load(Relaxed) {
            let mut linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
            let links = linked.get_mut(&(stat.identity.dev, stat.identity.ino));
            if links.is_some_and(|links| std::mem::replace(&mut links.freed, true)) {
                return;
            }
        }
        // A file that was seen with one name left is freed with that name, however many it had.
        self.size.fetch_add(stat.size, Relaxed);
        self.disk_size.fetch_add(stat.disk_size, Relaxed);
        self.files.fetch_add(1, Relaxed);
    }

    /// Bytes of files that lost names and have others, so that they are not free.
    pub fn linked(&self) -> u64 {
        #[cfg(unix)]
        {
            let linked = self.linked.lock().unwrap_or_else(PoisonError::into_inner);
            linked.values().filter(|links| !links.freed).map(|links| links.size).sum()
        }
        #[cfg(not(unix))]
        0
    }

    /// What was freed so far.
    pub fn freed(&self) -> Freed {
        let disk_size = self.disk_size.load(Relaxed);
        Freed { size: self.size.load(Relaxed), disk_size, at_least: disk_size, files: self.files.load(Relaxed) }
    }
}
