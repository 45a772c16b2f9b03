//! Moving things out of a root into a holding and back, by renaming between open directories. What is held decides, not
//! what was looked at: a thing that turns out to be another one goes back to where it was.

use std::ffi::{CStr, CString};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, Mode, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::beneath::Opened;
use super::dir::{Buffer, Fresh, for_each, stat_at};
use super::holding::{DIRECTORY, Holding, is_empty, name_of};
use super::{FsError, Identity, Root};
use crate::model::RelPath;

impl Root {
    /// Moves what is at a path into a holding, if it is still what it was.
    ///
    /// # Errors
    /// When it is not there, is another thing or on another file system, or may not be moved. Then it is where it was.
    pub fn put_aside(&self, at: &RelPath, expected: Identity, holding: &Holding, number: usize) -> Result<(), FsError> {
        let (parent, name) = self.parent(at)?;
        let found = stat_at(&parent.fd, &name, Fresh::Now)?;
        if self.beneath().cuts_off(&found.identity) {
            return Err(FsError::NotFound);
        }
        if found.identity != expected {
            return Err(FsError::Changed);
        }
        if found.mounted {
            return Err(FsError::OtherDevice);
        }
        let number = name_of(number);
        rename(&parent.fd, &name, &holding.fd, &number).map_err(|errno| match errno {
            Errno::XDEV => FsError::Unmovable,
            errno => super::remove::refine(errno, &parent.fd, &name),
        })?;
        // Between the look and the move it may have been exchanged, and the folder it was in may have been moved out of
        // the root: what we hold decides.
        let is_it = stat_at(&holding.fd, &number, Fresh::Now)?.identity == expected;
        if is_it && self.is_parent(at, &parent) {
            return Ok(());
        }
        match rename(&holding.fd, &number, &parent.fd, &name) {
            Ok(()) => Err(FsError::Changed),
            Err(_) => Err(FsError::Stranded),
        }
    }

    /// Whether this open directory is still the one that a path is in.
    fn is_parent(&self, at: &RelPath, parent: &Opened) -> bool {
        self.parent(at).is_ok_and(|(now, _)| now.ino == parent.ino)
    }

    /// Moves a folder into a holding if it is empty; tells whether it was.
    ///
    /// # Errors
    /// As [`Self::put_aside`].
    pub fn put_aside_if_empty(
        &self,
        at: &RelPath,
        expected: Identity,
        holding: &Holding,
        number: usize,
    ) -> Result<bool, FsError> {
        if !is_empty(&self.directory(at)?.fd)? {
            return Ok(false);
        }
        self.put_aside(at, expected, holding, number)?;
        if is_empty(&rustix::fs::openat(&holding.fd, name_of(number), DIRECTORY, Mode::empty())?)? {
            return Ok(true);
        }
        // Somebody put something there in between, and it is theirs.
        match self.put_back(holding, number, at) {
            Err(FsError::Taken) if self.put_back_into(holding, number, at)? => Ok(false),
            Err(FsError::Taken) => Err(FsError::Stranded),
            other => other.map(|()| false),
        }
    }

    /// Moves what waits under a number back to its path, where nothing may be.
    ///
    /// # Errors
    /// [`FsError::Taken`] if something is there; else what kept it from being moved. Then it waits as before.
    pub fn put_back(&self, holding: &Holding, number: usize, at: &RelPath) -> Result<(), FsError> {
        let (parent, name) = self.parent(at)?;
        let number = name_of(number);
        match rename(&holding.fd, &number, &parent.fd, &name) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => return Err(FsError::Taken),
            other => other?,
        }
        if self.is_parent(at, &parent) {
            return Ok(());
        }
        // The folder it was to be in was moved away at this very moment, perhaps out of the root.
        rename(&parent.fd, &name, &holding.fd, &number)?;
        Err(FsError::Changed)
    }

    /// Moves what is in a folder that waits under a number into the folder that has its place by now, and removes the one
    /// that waits; tells whether all of it could be moved without replacing anything.
    ///
    /// # Errors
    /// When one of the folders cannot be reached or read.
    pub fn put_back_into(&self, holding: &Holding, number: usize, at: &RelPath) -> Result<bool, FsError> {
        let to = self.directory(at)?;
        let from = rustix::fs::openat(&holding.fd, name_of(number), DIRECTORY, Mode::empty())?;
        let mut names: Vec<CString> = Vec::new();
        for_each(&from, &mut Buffer::default(), |entry| names.push(entry.name.to_owned()))?;
        for name in names {
            // One that cannot be moved waits on.
            let _ = rename(&from, &name, &to.fd, &name);
        }
        holding.drop_empty(number)
    }

    /// Makes a folder, unless it is there.
    ///
    /// # Errors
    /// When something else is there, or it may not be made.
    pub fn make_folder(&self, at: &RelPath) -> Result<(), FsError> {
        let (parent, name) = self.parent(at)?;
        match rustix::fs::mkdirat(&parent.fd, &name, Mode::from_raw_mode(0o777)) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST) => self.directory(at).map(drop),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Sets the times of a folder or file, in nanoseconds since 1970.
    ///
    /// # Errors
    /// When it is not there, or is another user's.
    pub fn set_times(&self, at: &RelPath, accessed: i64, modified: i64) -> Result<(), FsError> {
        let times = Timestamps { last_access: timespec(accessed), last_modification: timespec(modified) };
        if at.is_root() {
            return Ok(rustix::fs::futimens(self.descriptor(), &times)?);
        }
        let (parent, name) = self.parent(at)?;
        Ok(rustix::fs::utimensat(&parent.fd, &name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }
}

fn timespec(nanoseconds: i64) -> Timespec {
    Timespec { tv_sec: nanoseconds.div_euclid(1_000_000_000), tv_nsec: nanoseconds.rem_euclid(1_000_000_000) as _ }
}

/// Renames, replacing nothing.
pub(super) fn rename(from: &OwnedFd, old: &CStr, to: &OwnedFd, new: &CStr) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, old, to, new, RenameFlags::NOREPLACE) {
        // File systems and kernels without that: ours is the only process that uses these names at one end of the way.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => match stat_at(to, new, Fresh::Now) {
            Err(Errno::NOENT) => rustix::fs::renameat(from, old, to, new),
            Ok(_) => Err(Errno::EXIST),
            Err(errno) => Err(errno),
        },
        other => other,
    }
}
