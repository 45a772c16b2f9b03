//! Where things wait that were taken out of a root: a folder of ours on the same file system, beside the root or, where
//! that cannot be, in it. Things move there and back by renaming between open directories, never replacing anything, so
//! that they stay what they are, with their links, times and owners.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

use super::beneath::mount;
use super::dir::{Buffer, Fresh, for_each, stat_at, stat_open};
use super::{FsError, Identity, Root, Stat};
use crate::model::RelPath;

/// How the names of our own folders and files beneath roots begin. They do not exist for whoever uses a root.
const OURS: &[u8] = b".dscc-";

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
    fd: OwnedFd,
    path: PathBuf,
}

impl Holding {
    /// Makes the folder for a run's things from a root.
    ///
    /// # Errors
    /// When there is no place for it: the file system is full or read-only, or what has its name is not ours alone.
    pub fn make(root: &Root, run: &str) -> Result<Self, FsError> {
        let make = |above: &OwnedFd, path: &Path| {
            // Where there is not room enough for all of it, the part that was made goes again.
            let clear = |_: &FsError| Self::clear_away(&path.join(base_name()).join(run));
            Self::make_in(above, path, run).inspect_err(clear)
        };
        let beside = root.path().parent().and_then(|above| Some((open_beside(root, above)?, above)));
        match beside.map(|(fd, above)| make(&fd, above)) {
            Some(Ok(made)) => Ok(made),
            // Not permitted, or somebody took that place: the one in it is as good.
            Some(Err(_)) | None => make(root.descriptor(), root.path()),
        }
    }

    /// Where [`Self::make`] would make it: to be written down before, so that a kill leaves nothing that nobody knows of.
    pub fn places(root: &Root, run: &str) -> Vec<PathBuf> {
        let above = root.path().parent().into_iter().chain([root.path()]);
        above.map(|above| above.join(base_name()).join(run)).collect()
    }

    fn make_in(above: &OwnedFd, path: &Path, run: &str) -> Result<Self, FsError> {
        let name = CString::new(base_name()).map_err(|_| FsError::NotFound)?;
        let run_name = CString::new(run).map_err(|_| FsError::NotFound)?;
        // The last run may remove the folder at this very moment.
        for _ in 0..16 {
            make_folder(above, &name)?;
            let base = match open_own(above, &name) {
                Err(FsError::NotFound) => continue,
                other => other?,
            };
            write_tag(&base)?;
            match rustix::fs::mkdirat(&base, &run_name, Mode::RWXU) {
                Ok(()) => {}
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(errno.into()),
            }
            let fd = open_own(&base, &run_name)?;
            let path = path.join(std::ffi::OsStr::from_bytes(name.to_bytes())).join(run);
            return Ok(Self { fd, path });
        }
        Err(FsError::Busy)
    }

    /// Opens the folder of an earlier run.
    ///
    /// # Errors
    /// When it is not there, or is not ours alone.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        let text = CString::new(path.as_os_str().as_bytes()).map_err(|_| FsError::NotFound)?;
        Ok(Self { fd: open_own(rustix::fs::CWD, &text)?, path: path.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What waits here under a number.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be looked at.
    pub fn stat(&self, number: usize) -> Result<Stat, FsError> {
        Ok(stat_at(&self.fd, &name_of(number), Fresh::Now)?)
    }

    /// Removes a folder that waits under a number, if it is empty.
    pub fn drop_empty(&self, number: usize) {
        // If something is in it, it waits on.
        let _ = rustix::fs::unlinkat(&self.fd, name_of(number), AtFlags::REMOVEDIR);
    }

    /// The folder as a root, to be measured and cleared.
    ///
    /// # Errors
    /// When something else is at its path by now.
    pub fn as_root(&self) -> Result<Root, FsError> {
        let root = Root::open(&self.path)?;
        let own = stat_open(&self.fd)?.identity;
        if root.identity() == (own.dev, own.ino) { Ok(root) } else { Err(FsError::Changed) }
    }

    /// Removes the folder, and what holds the folders of all runs if this was the last one. Tells whether it was empty.
    ///
    /// # Errors
    /// When it cannot be removed for another reason.
    pub fn remove_if_empty(&self) -> Result<bool, FsError> {
        match rustix::fs::unlinkat(rustix::fs::CWD, &self.path, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::NOTEMPTY | Errno::EXIST) => return Ok(false),
            Err(errno) => return Err(errno.into()),
        }
        Self::clear_away(&self.path);
        Ok(true)
    }

    /// Removes what holds the folders of all runs, if that at `path` was the last one, or was never made.
    pub fn clear_away(path: &Path) {
        let Some(base) = path.parent().and_then(|base| CString::new(base.as_os_str().as_bytes()).ok()) else { return };
        let Ok(fd) = open_own(rustix::fs::CWD, &base) else { return };
        let mut others = false;
        let read = for_each(&fd, &mut Buffer::default(), |entry| others |= entry.name != TAG);
        if read.is_ok() && !others {
            // Whoever makes a new folder at this moment makes this one anew.
            let _ = rustix::fs::unlinkat(&fd, TAG, AtFlags::empty());
            let _ = rustix::fs::unlinkat(rustix::fs::CWD, &base, AtFlags::REMOVEDIR);
        }
    }
}

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
        rename(&parent.fd, &name, &holding.fd, &number)
            .map_err(|errno| super::remove::refine(errno, &parent.fd, &name))?;
        // Between the look and the move it may have been exchanged: what we hold decides.
        if stat_at(&holding.fd, &number, Fresh::Now)?.identity != expected {
            rename(&holding.fd, &number, &parent.fd, &name)?;
            return Err(FsError::Changed);
        }
        Ok(())
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
        let is_empty = |fd: &OwnedFd| -> Result<bool, FsError> {
            let mut empty = true;
            for_each(fd, &mut Buffer::default(), |_| empty = false)?;
            Ok(empty)
        };
        if !is_empty(&self.directory(at)?.fd)? {
            return Ok(false);
        }
        self.put_aside(at, expected, holding, number)?;
        let moved = rustix::fs::openat(&holding.fd, name_of(number), DIRECTORY, Mode::empty())?;
        if is_empty(&moved)? {
            return Ok(true);
        }
        // Somebody put something there in between, and it is theirs.
        self.put_back(holding, number, at)?;
        Ok(false)
    }

    /// Moves what waits under a number back to its path, where nothing may be.
    ///
    /// # Errors
    /// [`FsError::Taken`] if something is there; else what kept it from being moved. Then it waits as before.
    pub fn put_back(&self, holding: &Holding, number: usize, at: &RelPath) -> Result<(), FsError> {
        let (parent, name) = self.parent(at)?;
        match rename(&holding.fd, &name_of(number), &parent.fd, &name) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => Err(FsError::Taken),
            other => Ok(other?),
        }
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

const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn timespec(nanoseconds: i64) -> Timespec {
    Timespec { tv_sec: nanoseconds.div_euclid(1_000_000_000), tv_nsec: nanoseconds.rem_euclid(1_000_000_000) as _ }
}

/// Names are numbers: short, so that a full directory seldom has to grow, and the same in every language.
fn name_of(number: usize) -> CString {
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
    (same && stat_open(&fd).ok()?.identity.dev == own.identity.dev).then_some(fd)
}

fn make_folder(above: impl AsFd, name: &CStr) -> Result<(), FsError> {
    match rustix::fs::mkdirat(above, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Opens a folder that must belong to us, and to us alone: what others can reach they could exchange.
fn open_own(above: impl AsFd, name: &CStr) -> Result<OwnedFd, FsError> {
    let fd = rustix::fs::openat(above, name, DIRECTORY, Mode::empty())?;
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

/// Renames, replacing nothing.
fn rename(from: &OwnedFd, old: &CStr, to: &OwnedFd, new: &CStr) -> Result<(), Errno> {
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
