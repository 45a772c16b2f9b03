//! Whether a file is still the one whose bytes were read before, told without reading them again. A stamp is what the
//! system changes with every write: whoever can undo that can write the program itself.

use std::fmt;
use std::fs::File;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Two changes within one tick of a file system's clock cannot be told apart; the slowest clocks have two seconds.
const SETTLED: Duration = Duration::from_secs(3);

/// Device, inode, size, and the times of the last change of the content and of anything (which no program can set).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: i128,
    changed: i128,
}

impl Stamp {
    /// An open file's stamp, before anything of it is read; nothing where the system does not tell all of it.
    #[cfg(unix)]
    pub(super) fn of(file: &File) -> Option<Self> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = file.metadata().ok().filter(std::fs::Metadata::is_file)?;
        let time = |seconds: i64, nanoseconds: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds);
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: time(metadata.mtime(), metadata.mtime_nsec()),
            changed: time(metadata.ctime(), metadata.ctime_nsec()),
        })
    }

    #[cfg(not(unix))]
    pub(super) fn of(_: &File) -> Option<Self> {
        None // Read anew each time: std has no time there that a program cannot set.
    }

    /// Whether any change from now on will show: the last one is so long ago that the clock has moved since.
    pub(super) fn is_settled(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i128::try_from(now.saturating_sub(SETTLED).as_nanos()).is_ok_and(|latest| self.changed < latest)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, inode, size, modified, changed } = self;
        write!(f, "{device}:{inode}:{size}:{modified}:{changed}")
    }
}

impl FromStr for Stamp {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut fields = text.splitn(5, ':');
        let mut next = || fields.next().unwrap_or_default();
        Ok(Self {
            device: next().parse()?,
            inode: next().parse()?,
            size: next().parse()?,
            modified: next().parse()?,
            changed: next().parse()?,
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn every_way_of_changing_a_file_changes_its_stamp_even_if_the_time_of_change_is_put_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let stamp = || Stamp::of(&File::open(&path).unwrap()).unwrap();
        fs::write(&path, "before").unwrap();
        let time = fs::metadata(&path).unwrap().modified().unwrap();
        let changes: [fn(&std::path::Path); 3] = [
            |path| fs::write(path, "AFTER!").unwrap(),
            |path| fs::write(path, "longer than before").unwrap(),
            |path| {
                fs::write(path.with_extension("new"), "before").unwrap();
                fs::rename(path.with_extension("new"), path).unwrap();
            },
        ];
        for change in changes {
            let before = stamp();
            assert_eq!(stamp(), before);
            std::thread::sleep(Duration::from_millis(30));
            change(&path);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
            assert_ne!(stamp(), before);
        }
    }

    #[test]
    fn what_was_changed_just_now_is_not_settled() {
        let file = tempfile::tempfile().unwrap();
        let stamp = Stamp::of(&file).unwrap();
        assert!(!stamp.is_settled());
        let earlier = |seconds: i128| Stamp { changed: stamp.changed - seconds * 1_000_000_000, ..stamp };
        assert!(!earlier(2).is_settled() && earlier(5).is_settled() && !earlier(-100).is_settled());
    }

    #[test]
    fn a_stamp_is_read_back_as_it_was_written_and_nothing_else_is_one() {
        let stamp = Stamp::of(&tempfile::tempfile().unwrap()).unwrap();
        assert_eq!(stamp.to_string().parse(), Ok(stamp));
        for text in ["", "-", "1:2:3:4", "1:2:3:4:", "1:2:3:4:5:6", "a:2:3:4:5", "-1:2:3:4:5"] {
            assert!(text.parse::<Stamp>().is_err(), "{text}");
        }
    }
}
