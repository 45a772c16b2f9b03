//! Replacing the content of a small file in one step: readers see the old content or the new one, never a part.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};

use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, FlockOperation, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;

use super::dir::{Buffer, Fresh, for_each, stat_at, stat_open};
use super::{FsError, Root};
use crate::model::RelPath;

/// Replaces the content of the file at `at`, if it is `old`, by `new`.
pub(super) fn rewrite(root: &Root, at: &RelPath, old: &[u8], new: &[u8]) -> Result<(), FsError> {
    let (dir, name) = root.parent(at)?;
    let mut file = root.open_regular_in(&dir.fd, &name, OFlags::RDONLY)?;
    let before = stat_open(&file)?;
    let mut content = Vec::with_capacity(old.len() + 1);
    Read::by_ref(&mut file).take(old.len() as u64 + 1).read_to_end(&mut content)?;
    if content != old {
        return Err(FsError::Changed);
    }

    clear_temporaries(&dir.fd);
    let temporary = Temporary::create(&dir.fd)?;
    temporary.fill(&file, new)?;
    let now = stat_at(&dir.fd, &name, Fresh::Now)?;
    if (now.identity, now.size, now.modified_ns) != (before.identity, before.size, before.modified_ns) {
        return Err(FsError::Changed);
    }
    temporary.rename_to(&name)?;
    rustix::fs::fsync(&dir.fd).or_else(ignore_unsupported)?;
    Ok(())
}

/// Removes what killed rewritings left in a directory.
pub(super) fn clear_temporaries(dir: &OwnedFd) {
    let mut left = Vec::new();
    let read = for_each(dir, &mut Buffer::default(), |entry| {
        left.extend(is_temporary(entry.name).then(|| entry.name.to_owned()));
    });
    if read.is_err() {
        return; // whoever wants to write there will be told
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    for name in left {
        let Ok(file) = rustix::fs::openat(dir, &name, flags, Mode::empty()) else { continue };
        // Its writer holds the lock for as long as it lives.
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
            let _ = rustix::fs::unlinkat(dir, &name, AtFlags::empty());
        }
    }
}

fn is_temporary(name: &CStr) -> bool {
    let random = name.to_bytes().strip_prefix(b".dscc-").and_then(|rest| rest.strip_suffix(b".tmp"));
    random.is_some_and(|digits| digits.len() == 32 && digits.iter().all(u8::is_ascii_hexdigit))
}

/// A new file beside the one to be replaced; removed again if it does not take its place.
struct Temporary<'d> {
    dir: &'d OwnedFd,
    name: CString,
    file: File,
    done: bool,
}

impl<'d> Temporary<'d> {
    fn create(dir: &'d OwnedFd) -> Result<Self, FsError> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        for _ in 0..16 {
            // The keys of a hasher are random.
            let chance = [(); 2].map(|()| RandomState::new().hash_one(0));
            let name = CString::new(format!(".dscc-{:016x}{:016x}.tmp", chance[0], chance[1])).unwrap_or_default();
            match rustix::fs::openat(dir, &name, flags, Mode::RUSR | Mode::WUSR) {
                Ok(fd) => {
                    // Another process may have taken it for left behind before it was locked, and removed it.
                    let locked = rustix::fs::flock(&fd, FlockOperation::NonBlockingLockExclusive).is_ok();
                    if !locked || rustix::fs::fstat(&fd)?.st_nlink == 1 {
                        return Ok(Self { dir, name, file: fd.into(), done: false });
                    }
                }
                Err(Errno::EXIST | Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Err(FsError::Io("no free name for a temporary file".to_owned()))
    }

    /// Writes the content down to the disk, with mode and owner of the file it is to replace.
    fn fill(&self, model: &File, content: &[u8]) -> Result<(), FsError> {
        (&self.file).write_all(content)?;
        let (wanted, own) = (rustix::fs::fstat(model)?, rustix::fs::fstat(&self.file)?);
        if (wanted.st_uid, wanted.st_gid) != (own.st_uid, own.st_gid) {
            let (owner, group) = (Uid::from_raw(wanted.st_uid), Gid::from_raw(wanted.st_gid));
            rustix::fs::fchown(&self.file, Some(owner), Some(group))?;
        }
        rustix::fs::fchmod(&self.file, Mode::from_raw_mode(wanted.st_mode))?;
        self.file.sync_all()?;
        Ok(())
    }

    fn rename_to(mut self, name: &CStr) -> Result<(), FsError> {
        rustix::fs::renameat(self.dir, &self.name, self.dir, name)?;
        self.done = true;
        Ok(())
    }
}

impl Drop for Temporary<'_> {
    fn drop(&mut self) {
        if !self.done {
            // Nothing more can be done here; the error that led here is the one that is told.
            let _ = rustix::fs::unlinkat(self.dir, &self.name, AtFlags::empty());
        }
    }
}

/// Some network file systems cannot sync a directory.
fn ignore_unsupported(errno: Errno) -> Result<(), Errno> {
    if matches!(errno, Errno::INVAL | Errno::NOTSUP | Errno::NOSYS) { Ok(()) } else { Err(errno) }
}
