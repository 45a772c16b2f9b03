//! The locks of the owner libraries. An entry whose lock somebody holds is in use and stays; the others are held by us
//! from before the last look to after the last step. Lock files are never created, truncated or waited for.

use std::collections::HashMap;
use std::fs::File;
use std::time::Duration;

use crate::model::{Lock, LockKind, RelPath};
use crate::tree::{FsError, NodeKind, Root};

use super::inventory::{EntryIx, Inventory};

/// A library takes some locks for an instant only; so often, and so long apart, is a held one tried again.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(50);

/// Locks that are held while this lives.
#[derive(Default)]
pub struct Locks {
    /// By root and path: the open file while we hold the lock, or why we do not.
    tried: HashMap<(u64, u64, Lock), Result<Option<File>, String>>,
}

impl Locks {
    /// No locks yet. Raises the number of files that may be open, since a folder of locks takes one for each.
    pub fn new() -> Self {
        raise_file_limit();
        Self::default()
    }

    /// Takes all locks of an entry; if one is held by somebody else, says so. Locks once taken stay taken.
    pub fn take(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String> {
        for lock in &inventory.items[ix].entry.locks {
            for file in files(&inventory.root, lock) {
                if let Some(reason) = self.take_file(&inventory.root, Lock { kind: lock.kind, path: file }) {
                    return Some(reason);
                }
            }
        }
        None
    }

    fn take_file(&mut self, root: &Root, lock: Lock) -> Option<String> {
        let (dev, ino) = root.identity();
        let tried = self.tried.entry((dev, ino, lock)).or_insert_with_key(|(_, _, lock)| try_take(root, lock));
        tried.as_ref().err().cloned()
    }
}

/// Whether an entry is in use, without holding on to any lock.
pub fn probe(inventory: &Inventory, ix: EntryIx) -> Option<String> {
    Locks::default().take(inventory, ix)
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

fn try_take(root: &Root, lock: &Lock) -> Result<Option<File>, String> {
    if lock.kind == LockKind::Existence {
        return match root.stat(&lock.path) {
            Err(FsError::NotFound) => Ok(None),
            _ => Err(format!("in use: the lock `{}` exists", lock.path)),
        };
    }
    let file = match root.open_lock(&lock.path) {
        Ok(file) => file,
        Err(FsError::NotFound | FsError::WrongKind) => return Ok(None), // no lock file, so nobody holds it
        Err(error) => return Err(format!("its lock `{}` cannot be checked: {error}", lock.path)),
    };
    for attempt in 0..TRIES {
        match try_lock(&file, lock.kind) {
            Ok(true) => return Ok(Some(file)),
            Ok(false) if attempt + 1 < TRIES => std::thread::sleep(PAUSE),
            Ok(false) => break,
            Err(error) => return Err(format!("its lock `{}` cannot be taken: {error}", lock.path)),
        }
    }
    Err(format!("in use: another process holds the lock `{}`", lock.path))
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

/// A shared record lock: it needs no right to write, and keeps everyone who takes the lock exclusively away.
#[cfg(unix)]
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
