//! Reading one open directory and what the system knows of the names in it, in the cheapest way of each platform.
//! Names are looked up relative to the open directory: short, and safe from whatever happens to the folders above.

use std::ffi::CStr;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::{Identity, NodeKind, Stat};

/// One name in a directory.
pub(super) struct DirEntry<'a> {
    pub name: &'a CStr,
    /// None where the file system does not tell it.
    pub kind: Option<NodeKind>,
    /// The inode as the directory tells it: not what `stat` says where something is mounted, or on some overlays.
    pub ino: u64,
}

/// Bytes of directory entries read at once; a few hundred names of the usual length.
#[cfg(target_os = "linux")]
const BUFFER: usize = 64 * 1024;

/// Room for reading directories, to be used for one after another.
#[derive(Default)]
pub(super) struct Buffer(#[cfg(target_os = "linux")] Vec<u8>);

/// Calls `each` with every name but `.` and `..`.
///
/// The position of the descriptor moves, so it must not be shared with another reader.
#[cfg(target_os = "linux")]
pub(super) fn for_each(dir: impl AsFd, buffer: &mut Buffer, mut each: impl FnMut(DirEntry<'_>)) -> Result<(), Errno> {
    buffer.0.reserve(BUFFER);
    let mut entries = rustix::fs::RawDir::new(dir, buffer.0.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = match entry {
            Ok(entry) => entry,
            Err(Errno::INTR) => continue,
            // The directory was removed while it was open.
            Err(Errno::NOENT) => break,
            Err(errno) => return Err(errno),
        };
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(DirEntry { name, kind: known(entry.file_type()), ino: entry.ino() });
        }
    }
    Ok(())
}

/// Calls `each` with every name but `.` and `..`.
///
/// The position of the descriptor moves, so it must not be shared with another reader.
#[cfg(not(target_os = "linux"))]
pub(super) fn for_each(dir: impl AsFd, _: &mut Buffer, mut each: impl FnMut(DirEntry<'_>)) -> Result<(), Errno> {
    for entry in rustix::fs::Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(DirEntry { name, kind: known(entry.file_type()), ino: entry.ino() });
        }
    }
    Ok(())
}

fn known(kind: rustix::fs::FileType) -> Option<NodeKind> {
    (kind != rustix::fs::FileType::Unknown).then(|| kind.into())
}

/// The mode bit of folders in which everybody may make things and only the owner may remove them.
const STICKY: u32 = 0o1000;

/// How fresh the answer must be; only network file systems make a difference.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// What is cached here is good enough for showing.
    Cached,
    /// Ask the server: something is decided by it.
    Now,
}

/// What the system knows of one name in a directory, of a link the link itself.
pub(super) fn stat_at(dir: impl AsFd, name: &CStr, fresh: Fresh) -> Result<Stat, Errno> {
    stat_with(dir.as_fd(), name, AtFlags::SYMLINK_NOFOLLOW, fresh)
}

/// What the system knows of an open file or directory.
pub(super) fn stat_open(open: impl AsFd) -> Result<Stat, Errno> {
    #[cfg(target_os = "linux")]
    return stat_with(open.as_fd(), c"", AtFlags::EMPTY_PATH, Fresh::Cached);
    #[cfg(not(target_os = "linux"))]
    Ok(from_stat(&rustix::fs::fstat(open)?))
}

#[cfg(target_os = "linux")]
fn stat_with(dir: BorrowedFd<'_>, name: &CStr, flags: AtFlags, fresh: Fresh) -> Result<Stat, Errno> {
    use rustix::fs::{StatxAttributes, StatxFlags, statx};
    const WANTED: StatxFlags = StatxFlags::BASIC_STATS.difference(StatxFlags::GID);

    let sync = match fresh {
        Fresh::Cached => AtFlags::STATX_DONT_SYNC,
        Fresh::Now => AtFlags::STATX_FORCE_SYNC,
    };
    let stat = match statx(dir, name, flags | sync | AtFlags::NO_AUTOMOUNT, WANTED) {
        // Kernels before 4.11, and sandboxes of that time.
        Err(Errno::NOSYS) => return Ok(from_stat(&rustix::fs::statat(dir, name, flags)?)),
        other => other?,
    };
    Ok(Stat {
        identity: Identity {
            dev: rustix::fs::makedev(stat.stx_dev_major, stat.stx_dev_minor),
            ino: stat.stx_ino,
            kind: rustix::fs::FileType::from_raw_mode(stat.stx_mode.into()).into(),
        },
        size: stat.stx_size,
        disk_size: stat.stx_blocks.saturating_mul(512),
        links: stat.stx_nlink.into(),
        modified_ns: nanoseconds(stat.stx_mtime.tv_sec, stat.stx_mtime.tv_nsec),
        accessed_ns: nanoseconds(stat.stx_atime.tv_sec, stat.stx_atime.tv_nsec),
        changed_ns: nanoseconds(stat.stx_ctime.tv_sec, stat.stx_ctime.tv_nsec),
        uid: stat.stx_uid,
        mounted: stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT),
        protected: stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND),
        sticky: u32::from(stat.stx_mode) & STICKY != 0,
    })
}

#[cfg(not(target_os = "linux"))]
fn stat_with(dir: BorrowedFd<'_>, name: &CStr, flags: AtFlags, _: Fresh) -> Result<Stat, Errno> {
    Ok(from_stat(&rustix::fs::statat(dir, name, flags)?))
}

/// The integer types differ from system to system.
fn from_stat(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        identity: Identity {
            dev: wide(stat.st_dev),
            ino: wide(stat.st_ino),
            kind: rustix::fs::FileType::from_raw_mode(stat.st_mode).into(),
        },
        size: wide(stat.st_size),
        disk_size: wide(stat.st_blocks).saturating_mul(512),
        links: wide(stat.st_nlink),
        modified_ns: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
        accessed_ns: nanoseconds(stat.st_atime, stat.st_atime_nsec),
        changed_ns: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        uid: stat.st_uid,
        mounted: false,
        protected: false,
        sticky: u64::from(stat.st_mode) & u64::from(STICKY) != 0,
    }
}

fn wide(number: impl Into<i128>) -> u64 {
    // Device numbers are signed on some systems; the bits are what counts.
    number.into() as u64
}

fn nanoseconds(seconds: impl Into<i64>, nanoseconds: impl TryInto<i64>) -> i64 {
    seconds.into().saturating_mul(1_000_000_000).saturating_add(nanoseconds.try_into().unwrap_or(0))
}

/// Whether a file, or with an empty name the open directory itself, is marked immutable or append-only.
pub(super) fn is_protected(dir: impl AsFd, name: &CStr) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{StatxAttributes, StatxFlags, statx};
        let flags = AtFlags::EMPTY_PATH | AtFlags::SYMLINK_NOFOLLOW;
        statx(dir, name, flags, StatxFlags::TYPE)
            .is_ok_and(|stat| stat.stx_attributes.intersects(StatxAttributes::IMMUTABLE | StatxAttributes::APPEND))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (dir, name);
        false
    }
}

/// Several names in one allocation.
#[derive(Default)]
pub(super) struct Names {
    bytes: Vec<u8>,
    count: usize,
}

impl Names {
    pub fn push(&mut self, name: &CStr) {
        self.bytes.extend_from_slice(name.to_bytes_with_nul());
        self.count += 1;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn clear(&mut self) {
        self.bytes.clear();
        self.count = 0;
    }

    pub fn iter(&self) -> impl Iterator<Item = &CStr> {
        let mut rest = &*self.bytes;
        std::iter::from_fn(move || {
            let name = CStr::from_bytes_until_nul(rest).ok()?;
            rest = &rest[name.to_bytes_with_nul().len()..];
            Some(name)
        })
    }
}

/// The path component that a name on disk is written as.
pub(super) fn escaped(name: &CStr) -> std::borrow::Cow<'_, str> {
    use std::os::unix::ffi::OsStrExt;
    crate::model::escape_name(std::ffi::OsStr::from_bytes(name.to_bytes()))
}
