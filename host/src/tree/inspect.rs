//! What a removal would meet: files that somebody uses, folders in which nothing can be removed, things of other users.
//! It is found in the pass that measures, so that it is known before anybody is asked.

use std::ffi::CStr;
use std::sync::{Mutex, PoisonError};

use hashbrown::HashSet;
use rustix::fd::OwnedFd;
use rustix::fs::{Access, AtFlags, accessat};

use super::dir::{DirEntry, Fresh, stat_at, stat_open};
use super::place::Place;
use super::{Hindrance, NodeKind, Obstacle, OpenFiles, Stat};
use crate::model::{PathId, RelPath};

/// Looks at what the measuring pass meets.
pub(super) struct Inspector<'a> {
    open: &'a OpenFiles,
    euid: u32,
    found: Mutex<Found>,
}

/// A directory whose names are looked at.
pub(super) struct Folder<'d> {
    place: &'d Place,
    fd: &'d OwnedFd,
    /// See [`Inspector::is_shared`].
    is_shared: bool,
}

#[derive(Default)]
struct Found {
    hindrances: Vec<Hindrance>,
    /// One of a kind tells enough of a bucket; folders are told one by one, since they are in the way of what is in them.
    seen: HashSet<(PathId, u8)>,
}

impl<'a> Inspector<'a> {
    pub(super) fn new(open: &'a OpenFiles) -> Self {
        Self { open, euid: rustix::process::geteuid().as_raw(), found: Mutex::default() }
    }

    /// A name that was read in a directory. `bucket` is that of what it names.
    pub(super) fn entry(&self, in_folder: &Folder<'_>, entry: &DirEntry<'_>, bucket: impl FnOnce() -> PathId) {
        let &Folder { place, fd, is_shared } = in_folder;
        // Files and folders are looked at anyway.
        let is_unseen = is_shared && !matches!(entry.kind, Some(NodeKind::File | NodeKind::Directory));
        if !is_unseen && !self.open.may_use(entry.ino) {
            return;
        }
        let Ok(stat) = stat_at(fd, entry.name, Fresh::Cached) else { return };
        let users = self.open.users(stat.identity.dev, stat.identity.ino);
        if !users.is_empty() {
            self.add(path_of(place, entry.name), bucket(), Obstacle::Used(users.to_vec()));
        } else if is_unseen && stat.uid != self.euid {
            let (path, bucket) = (path_of(place, entry.name), bucket());
            self.add(path.clone(), bucket, Obstacle::Foreign(stat.uid));
            self.add(path, bucket, Obstacle::Sticky);
        }
    }

    /// A directory that is about to be read.
    pub(super) fn folder<'d>(&self, place: &'d Place, fd: &'d OwnedFd) -> Folder<'d> {
        Folder { place, fd, is_shared: self.euid != 0 && stat_open(fd).is_ok_and(|stat| self.is_shared(&stat)) }
    }

    /// A directory that was read. What is empty can be removed by whoever may change the directory that it is in.
    pub(super) fn directory(&self, place: &Place, dir: &OwnedFd, bucket: PathId, is_empty: bool) {
        let told = |obstacle| self.add(path_of(place, c""), bucket, obstacle);
        let Ok(stat) = stat_open(dir) else { return };
        if stat.protected {
            told(Obstacle::Sealed);
        } else if !is_empty && accessat(dir, c".", Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).is_err() {
            told(Obstacle::Closed);
        }
        if stat.uid != self.euid {
            told(Obstacle::Foreign(stat.uid));
            if stat_at(dir, c"..", Fresh::Cached).is_ok_and(|above| self.is_shared(&above)) {
                told(Obstacle::Sticky);
            }
        }
    }

    /// A file that was weighed.
    pub(super) fn file(&self, place: &Place, dir: &OwnedFd, name: &CStr, stat: &Stat, bucket: PathId) {
        if stat.protected {
            self.add(path_of(place, name), bucket, Obstacle::Protected);
        }
        if stat.uid != self.euid {
            self.add(path_of(place, name), bucket, Obstacle::Foreign(stat.uid));
            if stat_open(dir).is_ok_and(|folder| self.is_shared(&folder)) {
                self.add(path_of(place, name), bucket, Obstacle::Sticky);
            }
        }
    }

    /// Whether only the owner of a thing may remove it from a folder, so that what is not ours stays.
    fn is_shared(&self, folder: &Stat) -> bool {
        folder.sticky && folder.uid != self.euid && self.euid != 0
    }

    fn add(&self, path: RelPath, bucket: PathId, obstacle: Obstacle) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let one_by_one = obstacle.is_of_folder();
        if found.seen.insert((bucket, obstacle.rank())) || one_by_one {
            found.hindrances.push(Hindrance { path, bucket, obstacle });
        }
    }

    pub(super) fn finish(self) -> Vec<Hindrance> {
        let mut hindrances = self.found.into_inner().unwrap_or_else(PoisonError::into_inner).hindrances;
        hindrances.sort_by(|one, other| one.path.cmp(&other.path));
        hindrances
    }
}

fn path_of(place: &Place, name: &CStr) -> RelPath {
    place.path_of(&RelPath::root(), name)
}
