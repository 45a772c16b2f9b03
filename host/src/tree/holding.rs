//! Where things wait that were taken out of a root: a folder of ours on the same file system, beside the root or, where
//! that cannot be, in it. Things move there and back by renaming between open directories, never replacing anything, so
//! that they stay what they are, with their links, times and owners.

use std::ffi::{CStr, CString};
use std::hash::{BuildHasher as _, RandomState};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirEntryExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, FlockOperation, Mode, OFlags};
use rustix::io::Errno;

use super::beneath::mount;
use super::dir::{Buffer, Fresh, for_each, stat_at, stat_open};
use super::{FsError, Identity, Root, Stat};
use crate::model::RelPath;

/// How the names of our own folders and files beneath roots begin. They do not exist for whoever uses a root.
const OURS: &[u8] = b".dscc-";

/// A folder in a root that the root's owner passes by when it lists what it has, so that it warns of nothing there.
const UNSEEN: &str = ".locks";

/// How the names of folders begin of which no record tells.
const UNRECORDED: &str = "unrecorded-";
/// What is put before that where something could not be put back.
const KEPT: &str = "kept-";

const TAG: &CStr = c"CACHEDIR.TAG";
/// See <https://bford.info/cachedir/>.
const TAG_TEXT: &[u8] = b"Signature: 8a477f597d28d172789f06886806bc55\n\
    # What dscc took out of caches and keeps so that it can be put back: see `dscc undo --help`.\n";

/// Whether a name is one of our own folders or files.
pub(super) fn is_ours(name: &CStr) -> bool {
    name.to_bytes().starts_with(OURS)
}

/// The same of a component of a path, in which the escapes of other bytes do not matter.
pub(super) fn is_our_component(component: &str) -> bool {
    component.as_bytes().starts_with(OURS)
}

/// An open folder in which the things of one run and one root wait, each named by a number.
#[derive(Debug)]
pub struct Holding {
    pub(super) fd: OwnedFd,
    own: Identity,
    base: Base,
    path: PathBuf,
}

/// What holds the folders of all runs of a user, open, and the folder that it is in.
#[derive(Debug)]
struct Base {
    above: OwnedFd,
    name: CString,
    fd: OwnedFd,
}

impl Holding {
    /// Makes the folder for a run's things from a root.
    ///
    /// # Errors
    /// When there is no place for it: the file system is full or read-only, or what has its name is not ours alone.
    pub fn make(root: &Root, run: &str) -> Result<Self, FsError> {
        let beside = root.path().parent().and_then(|above| Some((open_beside(root, above)?, above.to_owned())));
        let unseen = RelPath::parse(UNSEEN).ok().and_then(|at| root.directory(&at).ok());
        let unseen = unseen.map(|opened| (opened.fd, root.path().join(UNSEEN)));
        let make = |above: OwnedFd, path: &Path| {
            // Where there is not room enough for all of it, the part that was made goes again.
            let clear = |_: &FsError| Self::clear_away(&path.join(base_name()).join(run));
            Self::make_in(above, path, run).inspect_err(clear)
        };
        for (above, path) in beside.into_iter().chain(unseen) {
            // Not permitted, or somebody took that place: the next one is as good.
            if let Ok(made) = make(above, &path) {
                return Ok(made);
            }
        }
        make(root.descriptor().try_clone()?, root.path())
    }

    /// Makes a folder for a run that has no record. It is locked for as long as it is open: unlocked, it was left behind.
    ///
    /// # Errors
    /// As [`Self::make`].
    pub fn make_unrecorded(root: &Root) -> Result<Self, FsError> {
        for _ in 0..16 {
            // Roots may be in one folder, and processes have the same number on two machines.
            let number = RandomState::new().hash_one(root.identity());
            let holding = Self::make(root, &format!("{UNRECORDED}{:x}-{number:x}", std::process::id()))?;
            // Before it was locked another process may have taken it for left behind.
            let locked = rustix::fs::flock(&holding.fd, FlockOperation::NonBlockingLockExclusive);
            if locked != Err(Errno::WOULDBLOCK) && rustix::fs::fstat(&holding.fd)?.st_nlink > 0 {
                return Ok(holding);
            }
        }
        Err(FsError::Busy)
    }

    /// Renames the folder of a run that has no record, so that no other run deletes what waits in it. Its new path.
    ///
    /// # Errors
    /// When that fails.
    pub fn keep(&self) -> Result<PathBuf, FsError> {
        let name = last_name(&self.path)?;
        let kept = CString::new([KEPT.as_bytes(), name.to_bytes()].concat()).map_err(|_| FsError::NotFound)?;
        super::moving::rename(&self.base.fd, &name, &self.base.fd, &kept)?;
        Ok(self.path.with_file_name(std::ffi::OsStr::from_bytes(kept.to_bytes())))
    }

    /// The folders that killed runs without a record left beside a root or in it.
    pub fn unrecorded(root: &Root) -> Vec<Self> {
        let mut left = Vec::new();
        for base in Self::places(root, "").into_iter().filter_map(|place| std::fs::read_dir(place).ok()) {
            for name in base.flatten().filter(|it| it.file_name().as_bytes().starts_with(UNRECORDED.as_bytes())) {
                let Ok(holding) = Self::open(&name.path(), name.ino()) else { continue };
                if rustix::fs::flock(&holding.fd, FlockOperation::NonBlockingLockExclusive).is_ok() {
                    left.push(holding);
                }
            }
        }
        left
    }

    /// The folders in a root in which [`Self::make`] may make one, and so change their times.
    pub fn folders_within() -> Vec<RelPath> {
        std::iter::once(RelPath::root()).chain(RelPath::parse(UNSEEN)).collect()
    }

    /// Where [`Self::make`] would make it: to be written down before, so that a kill leaves nothing that nobody knows of.
    pub fn places(root: &Root, run: &str) -> Vec<PathBuf> {
        let inside = [root.path().join(UNSEEN), root.path().to_owned()];
        let above = root.path().parent().map(Path::to_owned).into_iter().chain(inside);
        above.map(|above| above.join(base_name()).join(run)).collect()
    }

    fn make_in(above: OwnedFd, path: &Path, run: &str) -> Result<Self, FsError> {
        let name = CString::new(base_name()).map_err(|_| FsError::NotFound)?;
        let run_name = CString::new(run).map_err(|_| FsError::NotFound)?;
        // The last run may remove the folder at this very moment.
        for _ in 0..16 {
            make_folder(&above, &name)?;
            let base = match open_own(&above, &name) {
                Err(FsError::NotFound) => continue,
                other => other?,
            };
            match write_tag(&base).and_then(|()| Ok(rustix::fs::mkdirat(&base, &run_name, Mode::RWXU)?)) {
                Ok(()) => {}
                Err(FsError::NotFound) => continue,
                Err(error) => return Err(error),
            }
            let fd = open_own(&base, &run_name)?;
            if !is_empty(&fd)? {
                return Err(FsError::NotOurs); // it is not the one that was made
            }
            let path = path.join(std::ffi::OsStr::from_bytes(name.to_bytes())).join(run);
            return Ok(Self { own: stat_open(&fd)?.identity, fd, base: Base { above, name, fd: base }, path });
        }
        Err(FsError::Busy)
    }

    /// Opens the folder of an earlier run, of which the inode is known.
    ///
    /// # Errors
    /// When it is not there, is not ours alone, or is another folder than it was.
    pub fn open(path: &Path, ino: u64) -> Result<Self, FsError> {
        let base = Base::open(path)?;
        let fd = open_own(&base.fd, &last_name(path)?)?;
        let own = stat_open(&fd)?.identity;
        if own.ino == ino { Ok(Self { fd, own, base, path: path.to_owned() }) } else { Err(FsError::Changed) }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Device and inode.
    pub fn identity(&self) -> (u64, u64) {
        (self.own.dev, self.own.ino)
    }

    /// What waits here under a number.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be looked at.
    pub fn stat(&self, number: usize) -> Result<Stat, FsError> {
        Ok(stat_at(&self.fd, &name_of(number), Fresh::Now)?)
    }

    /// Removes a folder that waits under a number, if it is empty; tells whether it was.
    ///
    /// # Errors
    /// When it cannot be removed for another reason.
    pub fn drop_empty(&self, number: usize) -> Result<bool, FsError> {
        match rustix::fs::unlinkat(&self.fd, name_of(number), AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(true),
            Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The folder as a root, to be measured and cleared, wherever it is by now.
    ///
    /// # Errors
    /// When the system does not let us look at it.
    pub fn as_root(&self) -> Result<Root, FsError> {
        Root::of_open(self.fd.try_clone()?, &self.path)
    }

    /// Removes the folder, and what holds the folders of all runs if this was the last one. Tells whether it was empty.
    ///
    /// # Errors
    /// When it is not where it was, or cannot be removed for another reason.
    pub fn remove_if_empty(&self) -> Result<bool, FsError> {
        let name = last_name(&self.path)?;
        match stat_at(&self.base.fd, &name, Fresh::Now) {
            Ok(stat) if stat.identity == self.own => {}
            Err(Errno::NOENT) if rustix::fs::fstat(&self.fd)?.st_nlink == 0 => return Ok(true),
            Ok(_) | Err(Errno::NOENT) => return Err(FsError::Changed),
            Err(errno) => return Err(errno.into()),
        }
        match rustix::fs::unlinkat(&self.base.fd, &name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
        self.base.clear_away();
        Ok(true)
    }

    /// Removes what is left of the making of a folder that no record knows: it is empty, and so may be what it is in.
    pub fn clear_away(path: &Path) {
        let Ok(base) = Base::open(path) else { return };
        if let Ok(name) = last_name(path) {
            // What is not empty was made by somebody else.
            let _ = rustix::fs::unlinkat(&base.fd, &name, AtFlags::REMOVEDIR);
        }
        base.clear_away();
    }
}

impl Base {
    /// Opens what the folder at `path` is in. Only the way to it may lead through links.
    fn open(path: &Path) -> Result<Self, FsError> {
        let base = path.parent().ok_or(FsError::NotFound)?;
        let name = last_name(base)?;
        if !is_ours(&name) {
            return Err(FsError::NotOurs);
        }
        let above = base.parent().ok_or(FsError::NotFound)?;
        let above = rustix::fs::openat(rustix::fs::CWD, above, DIRECTORY.difference(OFlags::NOFOLLOW), Mode::empty())?;
        let fd = open_own(&above, &name)?;
        Ok(Self { above, name, fd })
    }

    /// Removes it, if no run has a folder in it and it is where it was.
    fn clear_away(&self) {
        let own = stat_open(&self.fd).map(|stat| stat.identity);
        let is_there = stat_at(&self.above, &self.name, Fresh::Now).is_ok_and(|stat| own == Ok(stat.identity));
        let mut others = false;
        let read = for_each(&self.fd, &mut Buffer::default(), |entry| others |= entry.name != TAG);
        if is_there && read.is_ok() && !others {
            // Whoever makes a new folder at this moment makes this one anew.
            let _ = rustix::fs::unlinkat(&self.fd, TAG, AtFlags::empty());
            let _ = rustix::fs::unlinkat(&self.above, &self.name, AtFlags::REMOVEDIR);
        }
    }
}

pub(super) const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// Names are numbers: short, so that a full directory seldom has to grow, and the same in every language.
pub(super) fn name_of(number: usize) -> CString {
    CString::new(number.to_string()).unwrap_or_default()
}

/// What holds the folders of all runs of a user.
fn base_name() -> String {
    format!(".dscc-quarantine-{}", rustix::process::geteuid().as_raw())
}

/// The directory that a root is in, if things can be renamed between the two.
fn open_beside(root: &Root, above: &Path) -> Option<OwnedFd> {
    let above = CString::new(above.as_os_str().as_bytes()).ok()?;
    let fd = rustix::fs::openat(rustix::fs::CWD, &above, DIRECTORY, Mode::empty()).ok()?;
    let name = CString::new(root.path().file_name()?.as_bytes()).ok()?;
    let (there, own) = (stat_at(&fd, &name, Fresh::Cached).ok()?, stat_open(root.descriptor()).ok()?);
    let same =
        there.identity == own.identity && !there.mounted && mount(fd.as_fd()) == mount(root.descriptor().as_fd());
    let above = stat_open(&fd).ok()?;
    // Where everybody may rename everything, what waits could be taken away from us: it stays where the root is.
    let safe = above.sticky || rustix::fs::fstat(&fd).ok()?.st_mode & 0o002 == 0;
    (same && safe && above.identity.dev == own.identity.dev).then_some(fd)
}

pub(super) fn is_empty(fd: &OwnedFd) -> Result<bool, FsError> {
    let mut empty = true;
    for_each(fd, &mut Buffer::default(), |_| empty = false)?;
    Ok(empty)
}

fn last_name(path: &Path) -> Result<CString, FsError> {
    path.file_name().and_then(|name| CString::new(name.as_bytes()).ok()).ok_or(FsError::NotFound)
}

fn make_folder(above: impl AsFd, name: &CStr) -> Result<(), FsError> {
    match rustix::fs::mkdirat(above, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a folder that must belong to us, and to us alone: what others can reach they could exchange.
fn open_own(above: impl AsFd, name: &CStr) -> Result<OwnedFd, FsError> {
    let fd = match rustix::fs::openat(above, name, DIRECTORY, Mode::empty()) {
        Err(Errno::ACCESS | Errno::LOOP | Errno::NOTDIR) => return Err(FsError::NotOurs),
        other => other?,
    };
    let stat = rustix::fs::fstat(&fd)?;
    let alone = stat.st_uid == rustix::process::geteuid().as_raw() && stat.st_mode & 0o077 == 0;
    if alone { Ok(fd) } else { Err(FsError::NotOurs) }
}

fn write_tag(base: &OwnedFd) -> Result<(), FsError> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(base, TAG, flags, Mode::RUSR | Mode::WUSR) {
        // A tag without text is none, but that harms nobody.
        Ok(fd) => drop(rustix::io::write(fd, TAG_TEXT)),
        Err(Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    Ok(())
}
