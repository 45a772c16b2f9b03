//! Opening things beneath a root, and nothing else. On Linux the kernel itself refuses links, `..` and mount points
//! (`openat2`); where it cannot, the path is taken step by step, each step refusing links and other file systems.

use std::ffi::{CStr, CString};

use hashbrown::HashSet;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::dir::{Fresh, stat_at, stat_open};
use super::holding::is_ours;
use super::secrets::Hidden;
use super::{FsError, Identity, NodeKind};
use crate::model::RelPath;

/// How paths are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By `openat2`.
    #[cfg(target_os = "linux")]
    Kernel,
    /// By `openat`, one component at a time.
    Steps,
}

/// What must hold for every directory that is opened beneath a root.
#[derive(Clone, Debug)]
pub(super) struct Beneath {
    way: Way,
    dev: u64,
    ino: u64,
    mount: Option<u64>,
    /// Other roots, which are left out.
    pub cuts: HashSet<(u64, u64)>,
    /// Credentials, which do not exist here.
    pub hidden: Hidden,
}

/// An open directory.
pub(super) struct Opened {
    pub fd: OwnedFd,
    pub ino: u64,
}

/// What opening a directory came to.
pub(super) enum Entered {
    Directory(Opened),
    /// It is another root, or hidden.
    Cut,
}

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY);

impl Beneath {
    /// The conditions that an open root sets.
    pub fn new(root: impl AsFd, way: Option<Way>) -> Result<Self, FsError> {
        let root = root.as_fd();
        let Identity { dev, ino, .. } = stat_open(root)?.identity;
        let way = way.unwrap_or_else(|| best_way(root));
        Ok(Self { way, dev, ino, mount: mount(root), cuts: HashSet::new(), hidden: Hidden::default() })
    }

    /// Opens what has this name in a directory; no link is followed.
    pub fn open(&self, dir: impl AsFd, name: &CStr, flags: OFlags) -> Result<OwnedFd, FsError> {
        Ok(open_with(self.way, dir.as_fd(), name, flags)?)
    }

    /// Opens the directory of this name in a directory.
    pub fn enter(&self, dir: impl AsFd, name: &CStr) -> Result<Entered, FsError> {
        let dir = dir.as_fd();
        match self.open(dir, name, DIRECTORY).and_then(|fd| self.check(fd)) {
            Ok(opened) if self.cuts.contains(&(self.dev, opened.ino)) || self.hidden.is(self.dev, opened.ino) => {
                Ok(Entered::Cut)
            }
            Err(FsError::OtherDevice) if self.is_cut(dir, name) => Ok(Entered::Cut),
            other => other.map(Entered::Directory),
        }
    }

    /// Opens the directory that several names lead to from the root. What is another root or hidden, or in one, is not
    /// there.
    pub fn descend<'n>(
        &self,
        root: impl AsFd,
        names: impl Iterator<Item = &'n CStr> + Clone,
    ) -> Result<Opened, FsError> {
        if names.clone().any(is_ours) {
            return Err(FsError::NotFound);
        }
        if self.cuts.is_empty() && self.hidden.is_elsewhere() {
            return self.descend_again(root, names);
        }
        let mut at: Option<Opened> = None;
        for name in names {
            let (from, ino) = at.as_ref().map_or((root.as_fd(), self.ino), |opened| (opened.fd.as_fd(), opened.ino));
            if self.hidden.in_dir(ino).has_name(name) {
                return Err(FsError::NotFound);
            }
            match self.enter(from, name)? {
                Entered::Directory(opened) => at = Some(opened),
                Entered::Cut => return Err(FsError::NotFound),
            }
        }
        at.map_or_else(|| self.check(self.open(root, c".", DIRECTORY)?), Ok)
    }

    /// Opens the directory that several names lead to from a directory, without regard to cuts: the caller has come
    /// through all of them before, and knows the directory again by its inode.
    pub fn descend_again<'n>(&self, dir: impl AsFd, names: impl Iterator<Item = &'n CStr>) -> Result<Opened, FsError> {
        // The longest path that every system takes in one call.
        const LONGEST: usize = 1000;
        let mut at: Option<Opened> = None;
        let mut path = Vec::new();
        let mut names = names.peekable();
        while let Some(name) = names.next() {
            path.extend_from_slice(name.to_bytes());
            let whole = self.way != Way::Steps && path.len() < LONGEST && names.peek().is_some();
            if whole {
                path.push(b'/');
                continue;
            }
            let part = CString::new(std::mem::take(&mut path)).map_err(|_| FsError::NotFound)?;
            let from = at.as_ref().map_or(dir.as_fd(), |opened| opened.fd.as_fd());
            let next = self.check(self.open(from, &part, DIRECTORY)?)?;
            at = Some(next);
        }
        match at {
            Some(opened) => Ok(opened),
            None => self.check(self.open(dir, c".", DIRECTORY)?),
        }
    }

    /// Opens the directory above an open one. The caller must know it again by its inode: this step alone could leave
    /// the root.
    pub fn up(&self, dir: impl AsFd) -> Result<Opened, FsError> {
        self.check(open_with(Way::Steps, dir.as_fd(), c"..", DIRECTORY)?)
    }

    /// Makes sure that an open directory is on the root's file system.
    fn check(&self, fd: OwnedFd) -> Result<Opened, FsError> {
        let identity = stat_open(&fd)?.identity;
        // The kernel's way has refused mount points already.
        let elsewhere = identity.dev != self.dev || (self.way == Way::Steps && mount(fd.as_fd()) != self.mount);
        if elsewhere { Err(FsError::OtherDevice) } else { Ok(Opened { fd, ino: identity.ino }) }
    }

    /// Whether another root is, or is mounted, here, or something hidden.
    pub fn is_cut(&self, dir: BorrowedFd<'_>, name: &CStr) -> bool {
        stat_at(dir, name, Fresh::Cached).is_ok_and(|stat| self.cuts_off(&stat.identity))
    }

    /// Whether this is another root, or hidden.
    pub fn cuts_off(&self, found: &Identity) -> bool {
        found.kind == NodeKind::Directory && self.cuts.contains(&(found.dev, found.ino)) || self.hides(found)
    }

    /// Whether this is hidden, by whatever name it was found.
    pub fn hides(&self, found: &Identity) -> bool {
        self.hidden.is(found.dev, found.ino)
    }
}

/// The names of a path on disk.
pub(super) fn raw_names(path: &RelPath) -> Result<Vec<CString>, FsError> {
    path.names().map(|name| CString::new(name.into_encoded_bytes()).map_err(|_| FsError::NotFound)).collect()
}

#[cfg(target_os = "linux")]
fn best_way(root: BorrowedFd<'_>) -> Way {
    // Old kernels answer ENOSYS, old sandboxes EPERM.
    if open_with(Way::Kernel, root, c".", DIRECTORY).is_ok() { Way::Kernel } else { Way::Steps }
}

#[cfg(not(target_os = "linux"))]
fn best_way(_: BorrowedFd<'_>) -> Way {
    Way::Steps
}

fn open_with(way: Way, dir: BorrowedFd<'_>, name: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::io::retry_on_intr(|| match way {
        #[cfg(target_os = "linux")]
        Way::Kernel => open_by_kernel(dir, name, flags),
        Way::Steps => rustix::fs::openat(dir, name, flags, Mode::empty()),
    })
}

#[cfg(target_os = "linux")]
fn open_by_kernel(dir: BorrowedFd<'_>, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    use rustix::fs::ResolveFlags;
    let rules = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    // EAGAIN: something on the way was renamed at the same moment.
    for _ in 0..64 {
        match rustix::fs::openat2(dir, path, flags, Mode::empty(), rules) {
            Err(Errno::AGAIN) => {}
            other => return other,
        }
    }
    Err(Errno::AGAIN)
}

/// The mount an open directory is seen through, where the kernel tells it: a bind mount has no device of its own.
#[cfg(target_os = "linux")]
pub(super) fn mount(dir: BorrowedFd<'_>) -> Option<u64> {
    use rustix::fs::{AtFlags, StatxFlags, statx};
    let stat = statx(dir, c"", AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC, StatxFlags::MNT_ID).ok()?;
    (stat.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(stat.stx_mnt_id)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn mount(_: BorrowedFd<'_>) -> Option<u64> {
    None
}
