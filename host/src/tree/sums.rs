//! What the measuring pass adds up: bytes for each bucket, by all threads at once, and the names of files that have several.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use super::{Identity, LinkedInode, Stat, Usage};
use crate::model::PathId;

/// One name of a file that has several.
pub(super) struct Linked {
    pub(super) stat: Stat,
    pub(super) bucket: PathId,
}

/// The sums of one bucket. Shared by all threads: a directory is added up first, so they seldom meet.
pub(super) struct Row {
    size: AtomicU64,
    disk_size: AtomicU64,
    files: AtomicU64,
    modified: AtomicI64,
    accessed: AtomicI64,
    changed: AtomicI64,
}

/// Brings the names of each inode together.
pub(super) fn by_inode(mut names: Vec<Linked>) -> Vec<LinkedInode> {
    names.sort_unstable_by_key(|name| (name.stat.identity, name.bucket));
    let mut inodes: Vec<LinkedInode> = Vec::new();
    for Linked { stat, bucket } in names {
        let Identity { dev, ino, .. } = stat.identity;
        match inodes.last_mut().filter(|inode| (inode.dev, inode.ino) == (dev, ino)) {
            Some(inode) => {
                inode.links = inode.links.max(stat.links);
                match inode.at.last_mut().filter(|(at, _)| *at == bucket) {
                    Some((_, count)) => *count += 1,
                    None => inode.at.push((bucket, 1)),
                }
            }
            None => inodes.push(LinkedInode {
                dev,
                ino,
                links: stat.links,
                size: stat.size,
                disk_size: stat.disk_size,
                modified: stat.modified_ns,
                accessed: stat.accessed_ns,
                changed: stat.changed_ns,
                at: vec![(bucket, 1)],
            }),
        }
    }
    inodes
}

/// Stands for no time at all, so that the latest one is simply the greatest number.
const NEVER: i64 = i64::MIN;

impl Default for Row {
    fn default() -> Self {
        Self {
            size: AtomicU64::new(0),
            disk_size: AtomicU64::new(0),
            files: AtomicU64::new(0),
            modified: AtomicI64::new(NEVER),
            accessed: AtomicI64::new(NEVER),
            changed: AtomicI64::new(NEVER),
        }
    }
}

impl Row {
    pub(super) fn add(&self, usage: Usage) {
        if usage.files == 0 {
            return;
        }
        self.size.fetch_add(usage.size, Relaxed);
        self.disk_size.fetch_add(usage.disk_size, Relaxed);
        self.files.fetch_add(usage.files, Relaxed);
        self.modified.fetch_max(usage.modified.unwrap_or(NEVER), Relaxed);
        self.accessed.fetch_max(usage.accessed.unwrap_or(NEVER), Relaxed);
        self.changed.fetch_max(usage.changed.unwrap_or(NEVER), Relaxed);
    }

    pub(super) fn usage(self) -> Usage {
        let time = |time: AtomicI64| Some(time.into_inner()).filter(|time| *time != NEVER);
        Usage {
            size: self.size.into_inner(),
            disk_size: self.disk_size.into_inner(),
            files: self.files.into_inner(),
            modified: time(self.modified),
            accessed: time(self.accessed),
            changed: time(self.changed),
        }
    }
}
