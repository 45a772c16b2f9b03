//! The locks of the owner libraries. An entry whose lock somebody holds is in use and stays; the others are held by us
//! from before the last look to after the last step. Lock files are never created, truncated or waited for.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs::File;
use std::time::{Duration, Instant};

use crate::model::{Lock, LockKind, Pattern, RelPath};
use crate::tree::{FsError, NodeKind, OpenFiles, Root};

use super::inventory::{EntryIx, Inventory};

/// A lock that guards an index is taken for an instant only: this long is a held one tried again, every so often.
const INDEX: Duration = Duration::from_secs(2);
/// The same for all others.
const OTHER: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(50);

/// What became of the locks that were tried, and those that are held while this lives.
pub struct Locks {
    /// By root and path: the open file while we hold the lock, or why we do not.
    tried: HashMap<(u64, u64, Lock), Result<Option<File>, String>>,
    /// Whether to keep what was taken.
    hold: bool,
    /// Until when held locks are waited for.
    until: Instant,
    /// Who has lock files open, once somebody asked.
    open: OnceCell<OpenFiles>,
}

impl Locks {
    /// No locks yet; what is taken stays taken. Held ones are waited for until then. Raises the number of files that may
    /// be open, since a folder of locks takes one for each.
    pub fn holding(until: Instant) -> Self {
        raise_file_limit();
        Self { hold: true, ..Self::probing(until) }
    }

    /// Only tries locks, and gives each back at once.
    pub fn probing(until: Instant) -> Self {
        Self { tried: HashMap::new(), hold: false, until, open: OnceCell::new() }
    }

    /// Takes all locks of an entry; if one is held by somebody else, says so.
    pub fn take(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String> {
        let item = &inventory.items[ix];
        for lock in &item.entry.locks {
            for path in files(&inventory.root, lock) {
                let guards_index = guards(&inventory.caches[item.cache].indexes, &path);
                let patience = if guards_index { INDEX } else { OTHER };
                if let Some(reason) = self.take_file(&inventory.root, Lock { kind: lock.kind, path }, patience) {
                    return Some(reason);
                }
            }
        }
        None
    }

    fn take_file(&mut self, root: &Root, lock: Lock, patience: Duration) -> Option<String> {
        let (dev, ino) = root.identity();
        let Self { tried, hold, until, open } = self;
        let attempt = |(_, _, lock): &(u64, u64, Lock)| {
            let until = (*until).max(Instant::now() + patience);
            let taken = take_until(root, lock, until, open)?;
            Ok(taken.filter(|_| *hold))
        };
        tried.entry((dev, ino, lock)).or_insert_with_key(attempt).as_ref().err().cloned()
    }
}

/// Whether an index that records may be dropped from is beside a lock.
fn guards(indexes: &[Pattern], lock: &RelPath) -> bool {
    let folder: Vec<&str> = lock.components().rev().skip(1).collect();
    let is_beside = |index: &Pattern| {
        let above: Vec<&str> = index.components().rev().skip(1).collect();
        above.len() == folder.len()
            && above.iter().zip(&folder).all(|(pattern, name)| Pattern::name_matches(pattern, name))
    };
    indexes.iter().any(is_beside)
}

/// The lock files that a lock stands for; none if it does not exist.
fn files(root: &Root, lock: &Lock) -> Vec<RelPath> {
    match root.stat(&lock.path) {
        Ok(stat) if stat.identity.kind == NodeKind::Directory => {
            root.names(&lock.path).unwrap_or_default().iter().map(|name| lock.path.join(name)).collect()
        }
        Ok(_) => vec![lock.path.clone()],
        Err(_) => Vec::new(),
    }
}

fn take_until(root: &Root, lock: &Lock, until: Instant, open: &OnceCell<OpenFiles>) -> Result<Option<File>, String> {
    if lock.kind == LockKind::Existence {
        let is_free = || Ok::<_, std::io::Error>(matches!(root.stat(&lock.path), Err(FsError::NotFound)));
        return match patiently(until, is_free) {
            Ok(true) => Ok(None),
            _ => Err(format!("in use: the lock `{}` exists", lock.path)),
        };
    }
    let file = match root.open_lock(&lock.path) {
        Ok(file) => file,
        Err(FsError::NotFound | FsError::WrongKind) => return Ok(None), // no lock file, so nobody holds it
        Err(error) => return Err(format!("its lock `{}` cannot be checked: {error}", lock.path)),
    };
    match patiently(until, || try_lock(&file, lock.kind)) {
        Ok(true) => Ok(Some(file)),
        Ok(false) => Err(format!("in use: {} holds the lock `{}`", holder(&file, open), lock.path)),
        Err(error) => Err(format!("its lock `{}` cannot be taken: {error}", lock.path)),
    }
}

fn patiently(until: Instant, mut attempt: impl FnMut() -> std::io::Result<bool>) -> std::io::Result<bool> {
    loop {
        if attempt()? {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        std::thread::sleep(PAUSE);
    }
}

/// Whoever holds a lock has its file open.
fn holder(file: &File, open: &OnceCell<OpenFiles>) -> String {
    let users = open.get_or_init(OpenFiles::look).users_of(file);
    let name = |it: &crate::tree::Process| format!("{} (process {})", it.name, it.pid);
    if users.is_empty() { "another process".into() } else { users.iter().map(name).collect::<Vec<_>>().join(" or ") }
}

/// Whether the lock was free, and is ours now.
fn try_lock(file: &File, kind: LockKind) -> std::io::Result<bool> {
    if kind == LockKind::Posix {
        return try_lock_record(file);
    }
    match fs4::FileExt::try_lock(file) {
        Ok(()) => Ok(true),
        Err(fs4::TryLockError::WouldBlock) => Ok(false),
        Err(fs4::TryLockError::Error(error)) => Err(error),
    }
}

/// A shared record lock: it needs no right to write, and keeps everyone who takes the lock exclusively away. It belongs to
/// the open file: one of the process would be lost as soon as anything in it closed another descriptor of that file.
#[cfg(target_os = "linux")]
fn try_lock_record(file: &File) -> std::io::Result<bool> {
    use nix::errno::Errno;
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;
    let [shared, from_start] =
        [libc::F_RDLCK, libc::SEEK_SET].map(|it| libc::c_short::try_from(it).unwrap_or_default());
    let whole = libc::flock { l_type: shared, l_whence: from_start, l_start: 0, l_len: 0, l_pid: 0 };
    match fcntl(file, FcntlArg::F_OFD_SETLK(&whole)) {
        Ok(_) => Ok(true),
        Err(Errno::EACCES | Errno::EAGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn try_lock_record(file: &File) -> std::io::Result<bool> {
    use rustix::fs::{FlockOperation, fcntl_lock};
    use rustix::io::Errno;
    match fcntl_lock(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => Ok(true),
        Err(Errno::ACCESS | Errno::AGAIN) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn try_lock_record(_: &File) -> std::io::Result<bool> {
    Err(std::io::ErrorKind::Unsupported.into())
}

#[cfg(unix)]
fn raise_file_limit() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Without it, entries with very many locks stay, with the reason.
    let _ = setrlimit(Resource::Nofile, limit);
}

#[cfg(not(unix))]
fn raise_file_limit() {}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use nix::fcntl::{FcntlArg, fcntl};
    use nix::libc;

    use super::*;

    #[test]
    fn a_record_lock_outlives_other_descriptors_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "").unwrap();
        let exclusive = || {
            let file = File::options().write(true).open(&path).unwrap();
            let whole = libc::flock { l_type: libc::F_WRLCK as _, l_whence: 0, l_start: 0, l_len: 0, l_pid: 0 };
            fcntl(&file, FcntlArg::F_OFD_SETLK(&whole)).is_ok()
        };
        assert!(exclusive());
        let ours = File::open(&path).unwrap();
        assert!(try_lock(&ours, LockKind::Posix).unwrap());
        drop(File::open(&path).unwrap());
        assert!(!exclusive(), "it was lost with a descriptor that had nothing to do with it");
        drop(ours);
        assert!(exclusive());
    }
}
