//! What can go wrong with one path beneath a root, in words for the person who has to act on it. The path itself is
//! told beside the error by whoever asked.

/// Why something beneath a root could not be read, measured or removed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// ENOENT.
    #[error("there is nothing at this path (any more)")]
    NotFound,
    /// EACCES.
    #[error(
        "permission denied: you may not read or change this folder; ask its owner, or run as the user it belongs to"
    )]
    Denied,
    /// EPERM.
    #[error(
        "not permitted: it belongs to another user (in a shared folder only the owner may remove it), or it is protected; ask its owner"
    )]
    NotOwner,
    /// EPERM, and the file or its folder carries the attribute.
    #[error("it, or the folder it is in, is marked immutable or append-only; `chattr -i -a` takes the mark off")]
    Immutable,
    /// A link or a special file where a folder or a file was asked for, or one of these for the other.
    #[error(
        "it is of another kind than asked for: a link, a special file, or a folder in place of a file; links are not followed here"
    )]
    WrongKind,
    /// Longer than the caller takes.
    #[error("it is larger than the {0} bytes that are read at most")]
    TooLarge(u64),
    /// Not the file or folder that was seen before.
    #[error("something else is at this path now than when it was looked at; nothing was done to it, list again")]
    Changed,
    /// A mount point, or a subvolume.
    #[error("it is on another file system, which is not entered; unmount it, or name that folder as a root of its own")]
    OtherDevice,
    /// EXDEV of a renaming within one mount.
    #[error(
        "this file system cannot move it to where it would wait (an overlay moves no folder of a lower layer, as in an image); `--no-record` deletes it where it is, and then there is no undo"
    )]
    Unmovable,
    /// EBUSY.
    #[error("the system is using it: a mount point or an open device; unmount or close it and try again")]
    Busy,
    /// ETXTBSY.
    #[error("it is a program that is running; end it and try again")]
    Running,
    /// EROFS.
    #[error("the file system is mounted read-only; mount it for writing (`mount -o remount,rw`) and try again")]
    ReadOnly,
    /// ESTALE.
    #[error("the file server no longer knows it (stale handle): it was changed on another machine; try again")]
    Stale,
    /// ENOTEMPTY, after several passes.
    #[error("the folder is not empty: something writes into it at this moment; try again when that has ended")]
    NotEmpty,
    /// ENOSPC and EDQUOT.
    #[error("the disk or your quota is full; free some space by other means first")]
    NoSpace,
    /// EMFILE and ENFILE.
    #[error("too many files are open; raise the limit with `ulimit -n` and try again")]
    TooManyOpen,
    /// ENAMETOOLONG.
    #[error("its path is longer than the system takes; give a folder above it a shorter name and try again")]
    TooLong,
    /// EIO.
    #[error("the disk, or the network that leads to it, failed (input/output error); look into the system's log")]
    Broken,
    /// ENOTCONN and the like: who serves the file system has ended, or cannot be reached.
    #[error("its file system is not connected any more; unmount it, mount it anew and try again")]
    Disconnected,
    /// EEXIST, where something is to be put back.
    #[error("something else is at this path by now, and is not replaced")]
    Taken,
    /// Something that is not what was to be put aside was, and cannot go back.
    #[error(
        "it is not what was looked at, was put aside all the same, and cannot go back to its place; it is not deleted: make room there, and the next run puts it back"
    )]
    Stranded,
    /// A folder of ours that others own or may change.
    #[error("the folder for what is removed exists there and is not yours alone; remove it, or ask its owner to")]
    NotOurs,
    /// The root itself was given where something beneath it is meant.
    #[error("this is the root itself, which is never removed or replaced")]
    IsRoot,
    /// This platform cannot do it safely.
    #[error("{0}")]
    Unsupported(&'static str),
    /// Any other error, in the system's words.
    #[error("{0}")]
    Io(String),
}

#[cfg(unix)]
impl From<rustix::io::Errno> for FsError {
    fn from(errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno;
        match errno {
            Errno::NOENT => Self::NotFound,
            Errno::ACCESS => Self::Denied,
            Errno::PERM => Self::NotOwner,
            Errno::LOOP | Errno::NOTDIR | Errno::ISDIR => Self::WrongKind,
            Errno::XDEV => Self::OtherDevice,
            Errno::BUSY => Self::Busy,
            Errno::TXTBSY => Self::Running,
            Errno::ROFS => Self::ReadOnly,
            Errno::STALE => Self::Stale,
            Errno::NOTEMPTY | Errno::EXIST => Self::NotEmpty,
            Errno::NOSPC | Errno::DQUOT => Self::NoSpace,
            Errno::MFILE | Errno::NFILE => Self::TooManyOpen,
            Errno::NAMETOOLONG => Self::TooLong,
            Errno::IO => Self::Broken,
            Errno::NOTCONN | Errno::HOSTDOWN | Errno::HOSTUNREACH | Errno::TIMEDOUT => Self::Disconnected,
            other => Self::Io(std::io::Error::from(other).to_string()),
        }
    }
}

impl From<std::io::Error> for FsError {
    fn from(error: std::io::Error) -> Self {
        #[cfg(unix)]
        if let Some(errno) = rustix::io::Errno::from_io_error(&error) {
            return errno.into();
        }
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::PermissionDenied => Self::Denied,
            _ => Self::Io(error.to_string()),
        }
    }
}
