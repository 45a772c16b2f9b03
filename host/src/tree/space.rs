//! Free space. On some file systems files may share blocks, with clones of them or with snapshots. What is free when such
//! a file goes, no count of its blocks can tell: only how the free space grows.

use super::{Freed, Root};

impl Root {
    /// Whether files here may share their blocks with others, so that those of a file that goes need not be free.
    pub fn may_share_blocks(&self) -> bool {
        #[cfg(target_os = "linux")]
        return kind(self).is_none_or(|kind| !OWN_BLOCKS.contains(&kind));
        #[cfg(not(target_os = "linux"))]
        true
    }
}

/// File systems on which every file has blocks of its own, by their numbers in `statfs(2)`. Any other may have clones, or
/// lie on one that does: Btrfs, XFS, bcachefs, OCFS2, ZFS; overlays, FUSE and the network.
#[cfg(target_os = "linux")]
const OWN_BLOCKS: [u32; 9] = [
    0x0000_ef53, // ext2, ext3, ext4
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0xf2f5_2010, // F2FS
    0x0000_4d44, // FAT
    0x2011_bab0, // exFAT
    0x5346_544e, // NTFS
    0x7366_746e, // NTFS3
    0x3153_464a, // JFS
];

/// Those that free blocks only with their next transaction, half a minute later.
#[cfg(target_os = "linux")]
const LATE: [u32; 2] = [
    0x9123_683e, // Btrfs
    0xca45_1a4e, // bcachefs
];

#[cfg(target_os = "linux")]
fn kind(root: &Root) -> Option<u32> {
    let kind = rustix::fs::fstatfs(root.descriptor()).ok()?.f_type;
    u32::try_from(kind & 0xffff_ffff).ok()
}

/// How much space there was before a removal.
#[derive(Debug)]
pub struct Space {
    root: Root,
    before: Option<u64>,
}

impl Space {
    /// Looks at the file system of a root, before something goes from it.
    pub fn before(root: &Root) -> Self {
        let before = root.may_share_blocks().then(|| settled(root)).flatten();
        Self { root: root.clone(), before }
    }

    /// What went, with how much of it is free for sure.
    #[must_use]
    pub fn certain(&self, freed: Freed) -> Freed {
        Freed { at_least: self.at_least(freed.disk_size), ..freed }
    }

    /// How much of so many allocated bytes that went is free: all of it, or as much as there is more space now. What others
    /// write meanwhile is not told from what is not free.
    fn at_least(&self, disk_size: u64) -> u64 {
        if disk_size == 0 || !self.root.may_share_blocks() {
            return disk_size;
        }
        let Some(before) = self.before else { return 0 };
        let mut more = settled(&self.root).map_or(0, |after| after.saturating_sub(before));
        for _ in 0..20 {
            if more >= disk_size {
                return disk_size;
            }
            // Space is given back in the background.
            std::thread::sleep(std::time::Duration::from_millis(5));
            more = free(&self.root).map_or(0, |after| after.saturating_sub(before));
        }
        more
    }
}

/// The free space, once what went before counts.
fn settled(root: &Root) -> Option<u64> {
    #[cfg(target_os = "linux")]
    if kind(root).is_some_and(|kind| LATE.contains(&kind)) {
        let _ = rustix::fs::syncfs(root.descriptor()); // without it, less is known to be free
    }
    free(root)
}

/// Bytes that nobody uses.
#[cfg(unix)]
fn free(root: &Root) -> Option<u64> {
    let stat = rustix::fs::fstatvfs(root.descriptor()).ok()?;
    Some(stat.f_bfree.saturating_mul(stat.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Root) -> Option<u64> {
    None
}
