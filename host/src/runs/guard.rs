//! One run of dscc at a time moves things in a root: another that looked meanwhile would take half of an entry, and the
//! first, putting its own half back, would leave an entry that is neither whole nor gone.

use std::fs::{File, TryLockError};
use std::time::{Duration, Instant};

use crate::tree::{OpenFiles, Root};

/// Moving takes an instant, deleting some seconds.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Keeps other runs away from a root for as long as it lives.
#[derive(Debug)]
pub struct Guard {
    _folder: Option<File>,
}

impl Guard {
    /// Waits for other runs, at least until then, and keeps the next ones away. The root's own folder is locked, which
    /// leaves no trace; where the file system has no such locks, nothing is kept away.
    ///
    /// # Errors
    /// When another run goes on, in words for people.
    pub fn of(root: &Root, until: Instant) -> Result<Self, String> {
        let Ok(folder) = root.open_again() else { return Ok(Self { _folder: None }) };
        let until = until.max(Instant::now() + PATIENCE);
        loop {
            match folder.try_lock() {
                Ok(()) => return Ok(Self { _folder: Some(folder) }),
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => return Err(said(root, &folder)),
                Err(TryLockError::Error(_)) => return Ok(Self { _folder: None }),
            }
        }
    }
}

fn said(root: &Root, folder: &File) -> String {
    let open = OpenFiles::look();
    let names: Vec<String> =
        open.users_of(folder).iter().map(|it| format!("{} (process {})", it.name, it.pid)).collect();
    let who = if names.is_empty() { "another run".to_owned() } else { names.join(" or ") };
    format!("in use: {who} is at work in `{}`; try again when it has ended", root.path().display())
}
