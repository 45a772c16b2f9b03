//! The handle on one directory. It is resolved and opened once; from then on everything is reached beneath the open
//! descriptor, so that a path means the same place for as long as the handle lives.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::beneath::{Beneath, Opened, Way, raw_names};
use super::dir::{Buffer, Fresh, escaped, for_each, stat_at, stat_open};
use super::memory::Memory;
use super::{
    Filter, FsError, Identity, Keep, LinkTally, Measure, NodeKind, OpenFiles, Progress, Removal, Secrets, Stat, Walker,
    measure, remove, rewrite,
};
use crate::model::{PathId, PathTree, RelPath};

/// An open directory, beneath which everything is read and removed. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Root(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    given: PathBuf,
    resolved: PathBuf,
    identity: Identity,
    /// Only for reaching things beneath: its position is never moved.
    fd: Arc<OwnedFd>,
    beneath: Beneath,
    memory: OnceLock<Arc<Memory>>,
}

impl Root {
    /// Opens a directory. The path itself may contain links and mount points; it is resolved here, once.
    ///
    /// # Errors
    /// When it is no directory, may not be read, or is exchanged at this very moment.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        Self::open_by(path, None)
    }

    pub(super) fn open_by(path: &Path, way: Option<Way>) -> Result<Self, FsError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = rustix::io::retry_on_intr(|| rustix::fs::openat(rustix::fs::CWD, path, flags, Mode::empty()))?;
        let identity = stat_open(&fd)?.identity;
        let resolved = path.canonicalize()?;
        if same_place(&resolved)? != (identity.dev, identity.ino) {
            return Err(FsError::Changed);
        }
        Self::from_open(fd, identity, path, resolved, way)
    }

    /// An open directory as a root, wherever it is by now.
    pub(super) fn of_open(fd: OwnedFd, path: &Path) -> Result<Self, FsError> {
        let identity = stat_open(&fd)?.identity;
        Self::from_open(fd, identity, path, path.to_owned(), None)
    }

    fn from_open(
        fd: OwnedFd,
        identity: Identity,
        given: &Path,
        resolved: PathBuf,
        way: Option<Way>,
    ) -> Result<Self, FsError> {
        let beneath = Beneath::new(&fd, way)?;
        Ok(Self(Arc::new(Inner {
            given: given.to_owned(),
            resolved,
            identity,
            fd: Arc::new(fd),
            beneath,
            memory: OnceLock::new(),
        })))
    }

    /// The same root with other roots, given as device and inode, left out: a walk that meets one passes it by, which is
    /// no error, and to a path that leads to or through one there is nothing.
    #[must_use]
    pub fn with_cuts(self, other_roots: Vec<(u64, u64)>) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.beneath.cuts =
            other_roots.into_iter().filter(|one| *one != (inner.identity.dev, inner.identity.ino)).collect();
        Self(Arc::new(inner))
    }

    /// The same root with credentials hidden: to a path that leads to or through one there is nothing, no walk shows it,
    /// it weighs nothing, and it stays when what is around it goes.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.beneath.hidden = secrets.hidden_in((inner.identity.dev, inner.identity.ino));
        Self(Arc::new(inner))
    }

    /// Whether a path leads to or through something hidden.
    pub fn hides(&self, at: &RelPath) -> bool {
        let hidden = &self.0.beneath.hidden;
        let by_another_name = || {
            let (parent, name) = self.parent(at).ok()?;
            Some(self.0.beneath.hides(&stat_at(&parent.fd, &name, Fresh::Cached).ok()?.identity))
        };
        hidden.has_path(at) || hidden.has_links() && by_another_name() == Some(true)
    }

    /// Whether something hidden is, or may be, beneath a directory.
    pub fn hides_beneath(&self, at: &RelPath) -> bool {
        let hidden = &self.0.beneath.hidden;
        hidden.has_links() || hidden.paths().iter().any(|path| path.starts_with(at))
    }

    /// Whether something hidden is directly in a directory, so that it never becomes empty.
    pub fn holds_hidden(&self, at: &RelPath) -> bool {
        let hidden = &self.0.beneath.hidden;
        if hidden.is_elsewhere() && !hidden.has_links() {
            return false;
        }
        let Ok(dir) = self.directory(at) else { return false };
        let hidden = hidden.in_dir(dir.ino);
        let mut holds = false;
        let read = for_each(&dir.fd, &mut Buffer::default(), |entry| holds |= hidden.has(&entry));
        holds || read.is_err()
    }

    /// The same root without what it remembers of an earlier walk.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self(Arc::new(Inner { memory: OnceLock::new(), ..Inner::clone(&self.0) }))
    }

    /// The same root by another name that leads to it.
    #[must_use]
    pub fn given_as(&self, path: &Path) -> Self {
        if path == self.given() {
            return self.clone();
        }
        Self(Arc::new(Inner { given: path.to_owned(), ..Inner::clone(&self.0) }))
    }

    /// The absolute path, with links resolved.
    pub fn path(&self) -> &Path {
        &self.0.resolved
    }

    /// The path it was opened by.
    pub fn given(&self) -> &Path {
        &self.0.given
    }

    /// Device and inode.
    pub fn identity(&self) -> (u64, u64) {
        (self.0.identity.dev, self.0.identity.ino)
    }

    pub(super) fn descriptor(&self) -> &Arc<OwnedFd> {
        &self.0.fd
    }

    pub(super) fn beneath(&self) -> &Beneath {
        &self.0.beneath
    }

    /// What the system knows of a path; a link is not followed. Network file systems are asked anew.
    ///
    /// # Errors
    /// When there is nothing, or when it cannot be reached beneath the root.
    pub fn stat(&self, at: &RelPath) -> Result<Stat, FsError> {
        if at.is_root() {
            return Ok(stat_open(&self.0.fd)?);
        }
        let (parent, name) = self.parent(at)?;
        let stat = stat_at(&parent.fd, &name, Fresh::Now)?;
        if self.0.beneath.cuts_off(&stat.identity) {
            return Err(FsError::NotFound);
        }
        if stat.mounted || (stat.identity.kind == NodeKind::Directory && stat.identity.dev != self.0.identity.dev) {
            return Err(FsError::OtherDevice);
        }
        Ok(stat)
    }

    /// Opens a regular file for taking a lock on it: also for writing where that is permitted, since record locks, and
    /// all locks on network file systems, ask for it. Nothing is written. An overlay would copy the file for that into its
    /// upper layer, where it is new, and so in use.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no regular file.
    pub fn open_lock(&self, at: &RelPath) -> Result<File, FsError> {
        if self.is_layered() {
            return self.open_regular(at, OFlags::RDONLY);
        }
        match self.open_regular(at, OFlags::RDWR) {
            Err(FsError::Denied | FsError::NotOwner | FsError::ReadOnly | FsError::Running) => {
                self.open_regular(at, OFlags::RDONLY)
            }
            other => other,
        }
    }

    /// The directory itself, open once more: for a lock that is given back when it is closed.
    ///
    /// # Errors
    /// When it may not be read any more.
    pub fn open_again(&self) -> Result<File, FsError> {
        Ok(File::from(self.directory(&RelPath::root())?.fd))
    }

    /// The content of a small regular file. Its access time stays as it was, where the system lets us.
    ///
    /// # Errors
    /// When it cannot be reached or read, is no regular file, or is longer than `limit` bytes.
    pub fn read(&self, at: &RelPath, limit: usize) -> Result<Vec<u8>, FsError> {
        let file = match self.open_regular(at, quiet(OFlags::RDONLY)) {
            // Only the owner may leave the access time alone.
            Err(FsError::NotOwner) => self.open_regular(at, OFlags::RDONLY)?,
            other => other?,
        };
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut content = Vec::new();
        file.take(most.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() > limit { Err(FsError::TooLarge(most)) } else { Ok(content) }
    }

    fn open_regular(&self, at: &RelPath, flags: OFlags) -> Result<File, FsError> {
        if at.is_root() {
            return Err(FsError::WrongKind);
        }
        let (parent, name) = self.parent(at)?;
        self.open_regular_in(&parent.fd, &name, flags)
    }

    /// Opens a regular file directly in an open directory.
    pub(super) fn open_regular_in(&self, dir: &OwnedFd, name: &CStr, flags: OFlags) -> Result<File, FsError> {
        // Looked at before it is opened: to open a device may set it going.
        let seen = stat_at(dir, name, Fresh::Cached)?;
        if seen.identity.kind != NodeKind::File {
            return Err(FsError::WrongKind);
        }
        let fd = self.0.beneath.open(dir, name, flags | OFlags::NONBLOCK | OFlags::NOCTTY)?;
        let opened = stat_open(&fd)?;
        if opened.identity.kind != NodeKind::File {
            return Err(FsError::WrongKind);
        }
        if self.0.beneath.hides(&opened.identity) {
            return Err(FsError::NotFound);
        }
        if seen.mounted || opened.mounted {
            return Err(FsError::OtherDevice);
        }
        Ok(File::from(fd))
    }

    /// The escaped names directly in a directory, sorted.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no directory.
    pub fn names(&self, at: &RelPath) -> Result<Vec<String>, FsError> {
        let mut names = Vec::new();
        let dir = self.directory(at)?;
        let hidden = self.0.beneath.hidden.in_dir(dir.ino);
        for_each(&dir.fd, &mut Buffer::default(), |entry| {
            if !hidden.has(&entry) {
                names.push(escaped(entry.name).into_owned());
            }
        })?;
        names.sort_unstable();
        Ok(names)
    }

    /// Walks all of the root once, and answers later walks that ask for no sizes from memory. Worth it before a full
    /// listing; the root then shows names as they were at this moment.
    ///
    /// # Errors
    /// When the root cannot be read. Nothing is remembered then, and every walk goes to the disk.
    pub fn remember(&self) -> Result<(), FsError> {
        if self.0.memory.get().is_none()
            && let Some(memory) = Memory::of(self)?
        {
            // Another thread may have been first; one is as good as the other.
            let _ = self.0.memory.set(Arc::new(memory));
        }
        Ok(())
    }

    pub(super) fn memory(&self) -> Option<Arc<Memory>> {
        self.0.memory.get().cloned()
    }

    /// Walks what lies beneath a directory and passes the filter.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no directory.
    pub fn walk(&self, at: &RelPath, filter: Filter) -> Result<Walker, FsError> {
        Walker::new(self.clone(), at, filter)
    }

    /// Weighs the regular files beneath `starts` in one parallel pass. Each is booked to the deepest path above it, or
    /// equal to it, for which `buckets` says so; a start is a bucket in any case. Starts within others count once.
    pub fn measure(&self, claims: &PathTree, buckets: &[bool], starts: &[PathId], progress: &Progress) -> Measure {
        measure::measure(self, claims, buckets, starts, None, progress)
    }

    /// As [`Self::measure`], and looks for what would be in the way of a removal, `open` being what is in use.
    pub fn measure_and_inspect(
        &self,
        claims: &PathTree,
        buckets: &[bool],
        starts: &[PathId],
        open: &OpenFiles,
        progress: &Progress,
    ) -> Measure {
        measure::measure(self, claims, buckets, starts, Some(open), progress)
    }

    /// Removes what is at a path, if it is still what it was: a directory with all beneath it but what is to be kept, a
    /// link as a link. Goes on after a failure and tells all of them.
    pub fn remove(
        &self,
        at: &RelPath,
        expected: Identity,
        keep: &Keep<'_>,
        tally: &LinkTally,
        progress: &Progress,
    ) -> Removal {
        remove::remove(self, at, expected, keep, tally, progress)
    }

    /// Removes a directory if it is empty; tells whether it was.
    ///
    /// # Errors
    /// When it cannot be reached, is no directory, or may not be removed.
    pub fn remove_if_empty(&self, at: &RelPath) -> Result<bool, FsError> {
        let (parent, name) = self.parent(at)?;
        if self.0.beneath.is_cut(parent.fd.as_fd(), &name) {
            return Err(FsError::NotFound);
        }
        match rustix::fs::unlinkat(&parent.fd, &name, AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Replaces the content of a small regular file in one step, if it is still `old`. Its mode and owner stay.
    ///
    /// # Errors
    /// [`FsError::Changed`] when the content is another one by now; else what kept the file from being replaced. The
    /// file is as it was then.
    pub fn rewrite(&self, at: &RelPath, old: &[u8], new: &[u8]) -> Result<(), FsError> {
        rewrite::rewrite(self, at, old, new)
    }

    /// Removes what rewritings of files in a directory left there when they were killed.
    pub fn clear_temporaries(&self, at: &RelPath) {
        if let Ok(dir) = self.directory(at) {
            rewrite::clear_temporaries(&dir.fd);
        }
    }

    /// Opens a directory for reading its names.
    pub(super) fn directory(&self, at: &RelPath) -> Result<Opened, FsError> {
        let names = raw_names(at)?;
        self.once_more_if_stale(|| self.0.beneath.descend(&self.0.fd, names.iter().map(CString::as_c_str)))
    }

    /// Opens the directory that a path is in; the name in it comes along, which is not that of something hidden.
    pub(super) fn parent(&self, at: &RelPath) -> Result<(Opened, CString), FsError> {
        let (dir, name) = self.parent_of_any(at)?;
        if self.0.beneath.hidden.in_dir(dir.ino).has_name(&name) { Err(FsError::NotFound) } else { Ok((dir, name)) }
    }

    /// As [`Self::parent`], for any name.
    pub(super) fn parent_of_any(&self, at: &RelPath) -> Result<(Opened, CString), FsError> {
        let mut names = raw_names(at)?;
        let name = names.pop().ok_or(FsError::IsRoot)?;
        let dir =
            self.once_more_if_stale(|| self.0.beneath.descend(&self.0.fd, names.iter().map(CString::as_c_str)))?;
        Ok((dir, name))
    }

    /// A stale handle is often one that the client remembered too long.
    fn once_more_if_stale<T>(&self, open: impl Fn() -> Result<T, FsError>) -> Result<T, FsError> {
        match open() {
            Err(FsError::Stale) => open(),
            other => other,
        }
    }
}

/// Device and inode of a path without links.
fn same_place(path: &Path) -> Result<(u64, u64), FsError> {
    let path = CString::new(path.as_os_str().as_encoded_bytes()).map_err(|_| FsError::NotFound)?;
    let identity = stat_at(rustix::fs::CWD.as_fd(), &path, Fresh::Cached)?.identity;
    Ok((identity.dev, identity.ino))
}

/// Asks that the access time stay as it is.
fn quiet(flags: OFlags) -> OFlags {
    #[cfg(target_os = "linux")]
    return flags | OFlags::NOATIME;
    #[cfg(not(target_os = "linux"))]
    flags
}
