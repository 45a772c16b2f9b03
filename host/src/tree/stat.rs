//! What the system knows of one file, link or folder.

/// What a path leads to; a link is never followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NodeKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A socket, a pipe, a device.
    Other,
    /// In a walk: a directory of unknown content.
    Unreadable,
}

/// Tells whether a path still leads to the same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identity {
    /// The file system.
    pub dev: u64,
    /// The inode in it.
    pub ino: u64,
    /// What it is.
    pub kind: NodeKind,
}

/// What the system knows of one path; of a link, the link itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// File system, inode and kind.
    pub identity: Identity,
    /// `st_size`, in bytes.
    pub size: u64,
    /// Allocated bytes: `st_blocks * 512`.
    pub disk_size: u64,
    /// Names of this inode, anywhere.
    pub links: u64,
    /// Last change of content, nanoseconds since 1970.
    pub modified_ns: i64,
    /// Last access as far as the file system records it, nanoseconds since 1970.
    pub accessed_ns: i64,
    /// Last change of content or attributes, nanoseconds since 1970.
    pub changed_ns: i64,
    /// The owner.
    pub uid: u32,
    /// Whether another file system is mounted here.
    pub(super) mounted: bool,
    /// Whether it is marked immutable or append-only.
    pub(super) protected: bool,
    /// Of a folder: whether only the owner of what is in it may remove it.
    pub(super) sticky: bool,
}

#[cfg(unix)]
impl From<rustix::fs::FileType> for NodeKind {
    fn from(kind: rustix::fs::FileType) -> Self {
        use rustix::fs::FileType;
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}
