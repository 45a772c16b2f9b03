//! Blocks that are kept for the day on which the disk is full: a file in the state folder that is given up when a record
//! or the journal cannot be written for want of room, and made again when there is some. A full disk is when a cleaner is
//! needed most, and without a record nothing can be undone.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Carries the record of some 5,000 things that go, and the journal's lines on them.
pub const SIZE: u64 = 1 << 20;

/// The reserve, which need not be there. Copies know of each other what they gave up.
#[derive(Clone, Debug)]
pub struct Reserve {
    path: PathBuf,
    used: Arc<AtomicBool>,
}

/// Whether the disk or the quota is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

impl Reserve {
    /// The reserve in a state folder.
    pub fn new(state: &Path) -> Self {
        Self { path: state.join("reserve"), used: Arc::default() }
    }

    /// Does something, and if there was no room for it, again with the reserve's room.
    ///
    /// # Errors
    /// Those of `act`.
    pub fn spend<T, E>(&self, is_full: impl Fn(&E) -> bool, mut act: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        match act() {
            Err(error) if is_full(&error) && self.give_up() => act(),
            done => done,
        }
    }

    /// Appends to a file down to the disk, whole or not at all. Behind it `slack` bytes are kept free for what is to be
    /// appended next, where the file system can do that.
    ///
    /// # Errors
    /// When there is no room, also not with the reserve's, or the file cannot be written.
    pub fn append(&self, file: &File, bytes: &[u8], slack: u64) -> io::Result<()> {
        self.spend(is_full, || {
            let before = file.metadata()?.len();
            let mut writer = file;
            let written = writer.write_all(bytes).and_then(|()| {
                keep_room(file, before + bytes.len() as u64, slack);
                file.sync_all()
            });
            if written.is_err() {
                let _ = file.set_len(before); // else the reader finds half a line, and leaves it out
            }
            written
        })
    }

    fn give_up(&self) -> bool {
        let given_up = fs::remove_file(&self.path).is_ok();
        self.used.fetch_or(given_up, Relaxed);
        given_up
    }

    /// Makes it again, as large as can be: what was given up is taken back, and otherwise as much is left to others.
    #[cfg(unix)]
    pub fn restore(&self) {
        use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
        let used = self.used.load(Relaxed);
        let Some(folder) = self.path.parent() else { return };
        let mut options = File::options();
        options.write(true).create(true).truncate(false).mode(0o600);
        let Ok(file) = options.open(&self.path) else { return };
        if file.try_lock().is_err() {
            return; // another run sees to it
        }
        let allocated = file.metadata().map_or(0, |it| it.blocks() * 512);
        let made = [SIZE, SIZE / 2, SIZE / 4, SIZE / 8, SIZE / 16].into_iter().any(|size| {
            let room = || used || free(folder).is_some_and(|free| free >= 2 * size);
            size <= allocated || (room() && fill(&file, size).is_ok())
        });
        if !made {
            let _ = fs::remove_file(&self.path);
        }
    }

    /// Nothing is removed here yet, so nothing is kept for it.
    #[cfg(not(unix))]
    pub fn restore(&self) {}
}

/// Bytes that an ordinary user can still write.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Gives a file blocks of its own, or none.
#[cfg(unix)]
fn fill(file: &File, size: u64) -> io::Result<()> {
    let filled = allocate(file, size).unwrap_or_else(|| {
        let (zeroes, mut writer) = ([0; 1 << 14], file);
        let pieces = size / zeroes.len() as u64;
        file.set_len(0).and_then(|()| (0..pieces).try_for_each(|_| writer.write_all(&zeroes))).and(file.sync_data())
    });
    if filled.is_err() {
        let _ = file.set_len(0);
    }
    filled
}

/// None where the system or the file system has nothing for that.
#[cfg(target_os = "linux")]
fn allocate(file: &File, size: u64) -> Option<io::Result<()>> {
    use rustix::io::Errno;
    match rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, size) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => None,
        done => Some(done.map_err(io::Error::from)),
    }
}

#[cfg(all(unix, not(target_os = "linux")))]
fn allocate(_: &File, _: u64) -> Option<io::Result<()>> {
    None
}

/// Nobody else can take what a file has behind its end.
#[cfg(target_os = "linux")]
fn keep_room(file: &File, end: u64, slack: u64) {
    if slack > 0 {
        // Where this fails there is either room enough, or the reserve once more.
        let _ = rustix::fs::fallocate(file, rustix::fs::FallocateFlags::KEEP_SIZE, end, slack);
    }
}

#[cfg(not(target_os = "linux"))]
fn keep_room(_: &File, _: u64, _: u64) {}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn it_has_blocks_of_its_own_and_is_made_again_after_it_was_given_up() {
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(dir.path());
        reserve.restore();
        let blocks = || reserve.path.metadata().map_or(0, |it| it.blocks() * 512);
        assert!(blocks() >= SIZE, "{}", blocks());
        let (mut tries, full) = (0, || io::Error::from(io::ErrorKind::StorageFull));
        let mut act = |until: u32| {
            reserve.spend(is_full, || {
                tries += 1;
                if tries < until { Err(full()) } else { Ok(tries) }
            })
        };
        assert_eq!((act(2).unwrap(), blocks()), (2, 0));
        assert!(act(9).is_err(), "there is no second one");
        reserve.restore();
        assert!(blocks() >= SIZE);
        let denied = || Err::<(), _>(io::Error::from(io::ErrorKind::PermissionDenied));
        assert!(reserve.spend(is_full, denied).is_err() && blocks() >= SIZE, "it is for full disks only");
    }

    #[test]
    fn what_cannot_be_appended_whole_leaves_the_file_as_it_was() {
        let Ok(full) = File::options().append(true).open("/dev/full") else { return };
        let dir = tempfile::tempdir().unwrap();
        let reserve = Reserve::new(dir.path());
        assert!(is_full(&reserve.append(&full, b"x", 0).unwrap_err()));
        let path = dir.path().join("file");
        let file = File::options().append(true).create(true).open(&path).unwrap();
        reserve.append(&file, b"one\n", 4096).unwrap();
        reserve.append(&file, b"two\n", 0).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    }
}
