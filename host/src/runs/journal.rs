//! The journal of all runs: `journal.jsonl` in the state folder, one JSON object a line, to which lines are only ever
//! added. Format 1, which the first line tells; a journal of a later format is left alone. A run that has begun and not
//! ended was killed, or goes on.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::record::RecordError;
use super::reserve::Reserve;
use super::store::{RunsError, make_private, private};

/// The format that is written here.
pub const FORMAT: u32 = 1;

/// The first line.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u32,
}

/// The journal, which need not exist.
#[derive(Clone, Debug)]
pub struct Journal {
    path: PathBuf,
    reserve: Reserve,
}

impl Journal {
    /// The journal in a state folder.
    pub fn new(state: &Path, reserve: Reserve) -> Self {
        Self { path: state.join("journal.jsonl"), reserve }
    }

    /// Whether lines can be added, as far as that can be told without one.
    ///
    /// # Errors
    /// When it is there and may not be written, or is of a later format.
    pub fn check(&self) -> Result<(), RunsError> {
        match File::options().append(true).read(true).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.error(error)),
            Ok(mut file) => self.beginning(&mut file).map(drop),
        }
    }

    /// Adds a line down to the disk; other runs wait for it.
    ///
    /// # Errors
    /// When it cannot be written. Then it is as it was.
    pub fn add(&self, event: &Event) -> Result<(), RunsError> {
        let io = |error: io::Error| self.error(error);
        let mut file = self.reserve.spend(super::reserve::is_full, || self.open()).map_err(io)?;
        file.lock().map_err(io)?;
        let mut bytes = self.beginning(&mut file)?;
        serde_json::to_writer(&mut bytes, event).map_err(|error| io(error.into()))?;
        bytes.push(b'\n');
        self.reserve.append(&file, &bytes, event.slack()).map_err(io)
    }

    /// All lines, the oldest first, and the numbers of those that cannot be understood. A last line that was cut off counts
    /// as not written.
    ///
    /// # Errors
    /// When it cannot be read, or is of a later format.
    pub fn read(&self) -> Result<(Vec<Event>, Vec<RunsError>), RunsError> {
        let mut file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            other => other.map_err(|error| self.error(error))?,
        };
        self.beginning(&mut file)?;
        file.rewind().map_err(|error| self.error(error))?;
        let (mut events, mut damaged) = (Vec::new(), Vec::new());
        let (mut reader, mut line) = (BufReader::new(file), Vec::new());
        for number in 1.. {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(|error| self.error(error))?;
            if !line.ends_with(b"\n") {
                break;
            }
            match serde_json::from_slice(&line) {
                _ if number == 1 => {}
                Ok(event) => events.push(event),
                Err(_) => damaged.push(self.error(RecordError::Line(number))),
            }
        }
        Ok((events, damaged))
    }

    fn open(&self) -> io::Result<File> {
        self.path.parent().map_or(Ok(()), make_private)?;
        private(File::options().append(true).read(true).create(true)).open(&self.path)
    }

    /// Reads the first line, and finds out what has to be written before a further one.
    fn beginning(&self, file: &mut File) -> Result<Vec<u8>, RunsError> {
        let io = |error: io::Error| self.error(error);
        let header = format!("{{\"format\":{FORMAT}}}\n").into_bytes();
        let mut first = Vec::new();
        file.rewind().map_err(io)?;
        BufReader::new(file.take(4096)).read_until(b'\n', &mut first).map_err(io)?;
        if first.is_empty() {
            return Ok(header);
        }
        if !first.ends_with(b"\n") && header.starts_with(&first) {
            return Ok(header[first.len()..].to_vec()); // a kill in the very first write
        }
        let read: Result<Header, _> = serde_json::from_slice(&first);
        match read {
            Ok(Header { format: ..=FORMAT }) => {}
            Ok(Header { format }) => return Err(self.error(RecordError::Newer(format))),
            Err(_) => return Err(self.error(RecordError::Line(1))),
        }
        let mut last = [0];
        file.seek(io::SeekFrom::End(-1)).and_then(|_| file.read_exact(&mut last)).map_err(io)?;
        Ok(if last == *b"\n" { Vec::new() } else { vec![b'\n'] })
    }

    fn error(&self, what: impl Into<super::store::What>) -> RunsError {
        RunsError::of_journal(&self.path, what)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::Timestamp;

    use super::*;
    use crate::runs::event::Because;

    fn discarded(run: &str) -> Event {
        let (at, because) = (Timestamp::UNIX_EPOCH, Because::Asked);
        Event::Discarded { run: run.into(), at, because, freed: 1, freed_disk: 2, failed: None }
    }

    fn journal() -> (tempfile::TempDir, Journal) {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::new(dir.path(), Reserve::new(dir.path()));
        (dir, journal)
    }

    #[test]
    fn a_line_that_was_cut_off_costs_nothing_but_itself() {
        let (_dir, journal) = journal();
        assert_eq!(journal.read().unwrap().0, []);
        for run in ["a", "b"] {
            journal.add(&discarded(run)).unwrap();
        }
        let whole = fs::read(&journal.path).unwrap();
        let first = whole.iter().position(|byte| *byte == b'\n').unwrap();
        for cut in 0..whole.len() {
            fs::write(&journal.path, &whole[..cut]).unwrap();
            let (before, _) = journal.read().unwrap();
            journal.add(&discarded("c")).unwrap();
            let (events, damaged) = journal.read().unwrap();
            assert_eq!(events.last(), Some(&discarded("c")), "{cut}");
            // One that lacks nothing but its line end counts as written as soon as another one follows.
            assert!(events.len() - before.len() <= 2 && damaged.len() <= usize::from(cut > first), "{cut}");
        }
    }

    #[test]
    fn lines_of_several_writers_do_not_mix() {
        let (_dir, journal) = journal();
        let long = "x".repeat(10_000);
        std::thread::scope(|scope| {
            for writer in 0..8 {
                let (journal, long) = (&journal, &long);
                scope.spawn(move || (0..20).for_each(|_| journal.add(&discarded(&format!("{writer}{long}"))).unwrap()));
            }
        });
        let (events, damaged) = journal.read().unwrap();
        assert_eq!((events.len(), damaged.len()), (160, 0));
    }

    #[test]
    fn a_journal_of_a_later_format_or_of_something_else_is_left_alone() {
        let (_dir, journal) = journal();
        for (text, words) in [("{\"format\":2}\n", "upgrade dscc"), ("my diary\n", "line 1"), ("my diary", "line 1")] {
            fs::write(&journal.path, text).unwrap();
            let errors = [journal.check().unwrap_err(), journal.add(&discarded("a")).unwrap_err()];
            let errors = errors.into_iter().chain(journal.read().err());
            assert!(errors.map(|error| error.to_string()).all(|it| it.contains(words) && it.contains("journal")));
            assert_eq!(fs::read_to_string(&journal.path).unwrap(), text);
        }
    }

    #[test]
    #[cfg(unix)]
    fn it_is_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_dir, journal) = journal();
        journal.add(&discarded("a")).unwrap();
        assert_eq!(fs::metadata(&journal.path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
