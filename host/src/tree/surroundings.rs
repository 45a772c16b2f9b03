//! What the file system that a root is on lets be done and known. Where other machines may work on the same files, their
//! processes are not to be seen here, and a lock may be granted to everyone who asks: there, only the time of change tells
//! what is in the making.

#[cfg(unix)]
use super::Root;

/// Numbers from statfs(2) and the kernel's `magic.h`, and for the last three from those systems' own sources.
#[cfg(target_os = "linux")]
const REMOTE: [u64; 11] = [
    0x6969,      // NFS
    0xff53_4d42, // CIFS
    0xfe53_4d42, // SMB 2 and later
    0x517b,      // SMB
    0x00c3_6400, // Ceph
    0x0102_1997, // 9p
    0x5346_414f, // AFS
    0x6573_5546, // FUSE: sshfs, object stores, and some that are local after all
    0x0bd0_0bd0, // Lustre
    0x4750_4653, // GPFS
    0x1983_0326, // BeeGFS
];

#[cfg(unix)]
impl Root {
    /// Whether reading a file leaves a trace in its access time; if not, access times tell nothing. They do where the
    /// mount keeps them now and then (`relatime`), and not where it never does or may not be written to.
    pub fn access_times_kept(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Ok(stat) = rustix::fs::fstatvfs(self.descriptor()) {
            use rustix::fs::StatVfsMountFlags as Flags;
            return !stat.f_flag.intersects(Flags::NOATIME | Flags::RDONLY);
        }
        true
    }

    /// Whether this is root's process, and every user may change what is directly in the directory.
    pub fn is_exposed(&self) -> bool {
        let open_to_all = |stat: rustix::fs::Stat| stat.st_mode & 0o002 != 0;
        rustix::process::geteuid().is_root() && rustix::fs::fstat(self.descriptor()).is_ok_and(open_to_all)
    }

    /// Whether nothing in it can be changed, because its file system is mounted so.
    pub fn is_read_only(&self) -> bool {
        rustix::fs::fstatvfs(self.descriptor())
            .is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
    }

    /// Whether other machines may have it mounted, too; where the system does not tell, no.
    pub fn is_remote(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Ok(stat) = rustix::fs::fstatfs(self.descriptor()) {
            return is_remote(stat.f_type.cast_unsigned());
        }
        false
    }

    /// Whether it is an overlay. Folders of its lower layers cannot be moved, and files are copied for it.
    pub fn is_layered(&self) -> bool {
        #[cfg(target_os = "linux")]
        if let Ok(stat) = rustix::fs::fstatfs(self.descriptor()) {
            return stat.f_type.cast_unsigned() & 0xffff_ffff == 0x794c_7630;
        }
        false
    }
}

/// The type has 32 bits; where it is wider, its sign was extended.
#[cfg(target_os = "linux")]
fn is_remote(file_system: u64) -> bool {
    REMOTE.contains(&(file_system & 0xffff_ffff))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn file_systems_of_servers_are_remote_and_those_of_disks_and_memory_are_not() {
        let (nfs, smb2_sign_extended) = (0x6969, 0xffff_ffff_fe53_4d42);
        assert!(is_remote(nfs) && is_remote(smb2_sign_extended));
        let (ext4, btrfs, xfs, tmpfs, overlay) = (0xef53, 0x9123_683e, 0x5846_5342, 0x0102_1994, 0x794c_7630);
        assert!([ext4, btrfs, xfs, tmpfs, overlay].into_iter().all(|local| !is_remote(local)));
        let dir = tempfile::tempdir().unwrap();
        assert!(!Root::open(dir.path()).unwrap().is_remote());
    }
}
