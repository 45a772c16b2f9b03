//! The records on disk: `runs/<run>.jsonl` in the state folder, each locked by its run for as long as it lives. A record
//! goes when nothing of its run waits any more; the journal keeps what there was.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;

use super::journal::Journal;
use super::record::{FORMAT, Line, Phase, Record, RecordError};
use super::reserve::{Reserve, is_full};

/// A record with a million items is smaller.
const LONGEST: u64 = 1 << 30;
/// Room behind a record for the phases that its run is still to enter: they must not fail for want of it.
const SLACK: u64 = 4096;

/// Where records are kept, and the journal.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
    reserve: Reserve,
    journal: Journal,
}

/// Why a record or the journal cannot be written or used.
#[derive(Debug, thiserror::Error)]
#[error("the {kind} `{}`: {what}", .path.display())]
pub struct RunsError {
    kind: &'static str,
    path: PathBuf,
    what: What,
}

/// What is wrong with it.
#[derive(Debug, thiserror::Error)]
pub(super) enum What {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Record(#[from] RecordError),
    #[error("it is not yours alone: others may change it, so it is not followed")]
    Foreign,
}

impl RunsError {
    fn new(path: &Path, what: impl Into<What>) -> Self {
        Self { kind: "record", path: path.to_owned(), what: what.into() }
    }

    pub(super) fn of_journal(path: &Path, what: impl Into<What>) -> Self {
        Self { kind: "journal", path: path.to_owned(), what: what.into() }
    }

    /// Whether the disk or the quota is full.
    pub fn is_full(&self) -> bool {
        matches!(&self.what, What::Io(error) if is_full(error))
    }

    /// What to do about it, where a run is to begin.
    pub fn hint(&self) -> &'static str {
        match &self.what {
            What::Io(_) if self.is_full() => {
                "`--no-record` frees space without it, in the same safe order, but then there is no undo"
            }
            What::Record(RecordError::Newer(_)) => "upgrade dscc, or set DSCC_STATE_DIR to another folder",
            What::Foreign => "remove it, or set DSCC_STATE_DIR to another folder",
            What::Record(RecordError::Line(_)) => "move it away, or set DSCC_STATE_DIR to another folder",
            What::Io(_) => {
                "make it writable, or set DSCC_STATE_DIR to another folder; `--no-record` removes without it, and then \
                 there is no undo"
            }
        }
    }
}

/// A run that goes on: its record is locked.
#[derive(Debug)]
pub struct Run {
    /// Its name.
    pub name: String,
    path: PathBuf,
    file: File,
    pending: Vec<u8>,
    reserve: Reserve,
}

/// A run of the past, or of another process.
#[derive(Debug)]
pub struct Past {
    /// Its name.
    pub name: String,
    /// What it took; none while the run goes on.
    pub record: Option<Record>,
}

impl Runs {
    /// The records in a state folder, which need not exist.
    pub fn new(state: &Path) -> Self {
        let reserve = Reserve::new(state);
        Self { folder: state.join("runs"), journal: Journal::new(state, reserve.clone()), reserve }
    }

    /// What happened to all runs.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What is kept for a full disk.
    pub fn reserve(&self) -> &Reserve {
        &self.reserve
    }

    /// Begins a run.
    ///
    /// # Errors
    /// When its record cannot be written.
    pub fn begin(&self, command: Vec<String>) -> Result<Run, RunsError> {
        let begun = Timestamp::now();
        let made = self.reserve.spend(is_full, || make_private(&self.folder));
        made.map_err(|error| RunsError::new(&self.folder, error))?;
        let metadata = self.folder.metadata().map_err(|error| RunsError::new(&self.folder, error))?;
        if !is_ours(&metadata) {
            return Err(RunsError::new(&self.folder, What::Foreign));
        }
        for attempt in 0.. {
            let name = name_of(begun, attempt);
            let path = self.path(&name);
            let make = || private(File::options().append(true).read(true).create_new(true)).open(&path);
            match self.reserve.spend(is_full, make) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunsError::new(&path, error)),
                Ok(file) => {
                    file.lock().map_err(|error| RunsError::new(&path, error))?;
                    if !is_at(&file, &path) {
                        continue; // another run took the empty record for that of a killed run, and has removed it
                    }
                    // A record without a name is none, should the power fail. Not every file system knows how.
                    let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
                    let mut run = self.run(&name, path, file);
                    run.add(&Line::Run { format: FORMAT, run: name, begun, command });
                    return Ok(run);
                }
            }
        }
        unreachable!("an endless range ended")
    }

    fn run(&self, name: &str, path: PathBuf, file: File) -> Run {
        Run { name: name.to_owned(), path, file, pending: Vec::new(), reserve: self.reserve.clone() }
    }

    /// The runs that have a record, the latest first. What cannot be read is told.
    pub fn all(&self) -> (Vec<Past>, Vec<RunsError>) {
        let (mut runs, mut errors) = (Vec::new(), Vec::new());
        if self.folder.metadata().is_ok_and(|metadata| !is_ours(&metadata)) {
            return (runs, vec![RunsError::new(&self.folder, What::Foreign)]);
        }
        for name in self.names() {
            match self.look(&name) {
                Ok(past) => runs.extend(past),
                Err(error) => errors.push(error),
            }
        }
        (runs, errors)
    }

    /// Takes over a run of the past; none if it is not there or goes on.
    ///
    /// # Errors
    /// When its record cannot be read.
    pub fn take_over(&self, name: &str) -> Result<Option<(Run, Record)>, RunsError> {
        let path = self.path(name);
        let file = match File::options().append(true).read(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| RunsError::new(&path, error))?,
        };
        // Whoever only looks at it holds it for an instant.
        let mut attempts = 0..40;
        while file.try_lock().is_err() {
            if attempts.next().is_none() {
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        if !is_at(&file, &path) {
            return Ok(None); // its run, or another one that brought it to an end, has removed it
        }
        let (record, whole) = read_whole_lines(&file, &path)?;
        if file.metadata().is_ok_and(|it| whole < it.len() && it.len() <= LONGEST) {
            // What a kill cut off would swallow the next line, and nobody could read the record any more.
            file.set_len(whole).map_err(|error| RunsError::new(&path, error))?;
        }
        Ok(Some((self.run(name, path, file), record)))
    }

    fn look(&self, name: &str) -> Result<Option<Past>, RunsError> {
        let path = self.path(name);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| RunsError::new(&path, error))?,
        };
        let goes_on = file.try_lock_shared().is_err();
        if !is_at(&file, &path) {
            return Ok(None);
        }
        let record = if goes_on { None } else { Some(read(&file, &path)?) };
        Ok(Some(Past { name: name.to_owned(), record }))
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter_map(|name| name.strip_suffix(".jsonl").map(str::to_owned)).collect();
        names.sort_unstable_by(|one, other| other.cmp(one));
        names
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.jsonl"))
    }
}

impl Run {
    /// Adds a line, which is not written yet.
    pub fn add(&mut self, line: &Line) {
        // Lines are made of texts and numbers, which cannot fail to be written as JSON.
        if serde_json::to_writer(&mut self.pending, line).is_ok() {
            self.pending.push(b'\n');
        }
    }

    /// Writes what was added down to the disk.
    ///
    /// # Errors
    /// When that fails.
    pub fn write(&mut self) -> Result<(), RunsError> {
        let written = self.reserve.append(&self.file, &self.pending, SLACK);
        self.pending.clear();
        written.map_err(|error| RunsError::new(&self.path, error))
    }

    /// From here on the run is in this phase.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn enter(&mut self, phase: Phase, until: Option<Timestamp>) -> Result<(), RunsError> {
        self.add(&Line::Phase { phase, at: Timestamp::now(), until });
        self.write()
    }

    /// What was written so far.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> Result<Record, RunsError> {
        let file = File::open(&self.path).map_err(|error| RunsError::new(&self.path, error))?;
        read(&file, &self.path)
    }

    /// Nothing of the run waits any more: its record goes.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn forget(self) -> Result<(), RunsError> {
        fs::remove_file(&self.path).map_err(|error| RunsError::new(&self.path, error))
    }
}

/// Whether this very file still has its name: a record that was removed is nobody's any more.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let place = |it: fs::Metadata| (it.dev(), it.ino());
        let named = path.symlink_metadata().ok().map(place);
        named.is_some() && named == file.metadata().ok().map(place)
    }
    #[cfg(not(unix))]
    {
        file.metadata().is_ok() && path.exists()
    }
}

/// Records say what is moved where: those that somebody else wrote are never followed.
#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.uid() == rustix::process::geteuid().as_raw() && metadata.mode() & 0o022 == 0
}

#[cfg(not(unix))]
fn is_ours(_: &fs::Metadata) -> bool {
    true
}

fn read(file: &File, path: &Path) -> Result<Record, RunsError> {
    read_whole_lines(file, path).map(|(record, _)| record)
}

/// A record, and how many bytes its whole lines have: a kill may cut the last one off, also within a character.
fn read_whole_lines(file: &File, path: &Path) -> Result<(Record, u64), RunsError> {
    let metadata = file.metadata().map_err(|error| RunsError::new(path, error))?;
    if !metadata.is_file() || !is_ours(&metadata) {
        return Err(RunsError::new(path, What::Foreign));
    }
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|error| RunsError::new(path, error))?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    bytes.truncate(whole);
    let text = String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        RunsError::new(path, RecordError::Line(line))
    })?;
    let record = Record::read(&text).map_err(|error| RunsError::new(path, error))?;
    Ok((record, whole as u64))
}

/// A run's name: when it began, and in which process.
pub(super) fn name_of(begun: Timestamp, attempt: u32) -> String {
    format!("{}-{:x}", begun.strftime("%Y%m%dT%H%M%SZ"), std::process::id().wrapping_add(attempt))
}

/// Files that are made are ours alone.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// Makes a folder that is ours alone: its records say what is put where.
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}
