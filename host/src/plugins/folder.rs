//! The plugins directory on disk: components named by their digest, and the lock file. It changes under a file lock, in
//! steps each of which leaves a directory that can be read: first the component, then the lock file, which is replaced
//! whole, then what nobody refers to any more.
//!
//! Layout (format 1): `plugins-lock.json`, `<sha256>.wasm`, `.guard` (locked while something changes), `.new-*` (being
//! written).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use fs4::TryLockError;

use crate::runtime::{digest, is_digest};

use super::record::{LockFile, LockFileError};

pub(super) const LOCK_FILE: &str = "plugins-lock.json";
const GUARD: &str = ".guard";
pub(super) const NEW: &str = ".new-";
/// How long another process may take for its change.
const WAIT: Duration = Duration::from_secs(30);
/// A component that no record names was left by a killed `add`, or the lock file is not what it was: it can be looked at
/// for a day.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);
/// A lock file with thousands of plugins is smaller.
const MAX_LOCK_FILE: u64 = 64 << 20;

/// The plugins directory, which need not exist.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
}

/// Why the plugins directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// Anybody could have put anything there.
    #[error("the plugins folder is not used, because {0}")]
    Untrusted(String),
    /// See [`LockFileError`].
    #[error("the lock file `{}` cannot be used: {}", .0.display(), .1)]
    LockFile(PathBuf, LockFileError),
    /// Another process holds the guard.
    #[error("another dscc has been changing the plugins in `{}` for {} s", .0.display(), WAIT.as_secs())]
    Busy(PathBuf),
    /// Reading or writing failed.
    #[error("`{}`: {}", .0.display(), .1)]
    Io(PathBuf, io::Error),
}

impl FolderError {
    /// A stable word, as JSON problems carry it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Untrusted(_) => "plugins-folder-untrusted",
            Self::LockFile(_, LockFileError::Newer { .. }) => "plugins-lock-file-newer",
            Self::LockFile(..) => "plugins-lock-file",
            Self::Busy(_) => "plugins-folder-busy",
            Self::Io(..) => "plugins-folder",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Untrusted(_) => "make it yours alone (chown, chmod go-w), or set DSCC_PLUGINS_DIR to another".into(),
            Self::LockFile(_, LockFileError::Newer { .. }) => {
                "upgrade dscc; until then only built-in plugins run".into()
            }
            Self::LockFile(path, _) => {
                // The file alone would leave components that nothing names, and those are deleted after a day.
                let folder = path.parent().unwrap_or(path).display();
                format!(
                    "move the folder `{folder}` away, then add each plugin again from there: \
                     `dscc plugin add MOVED/<digest>.wasm`"
                )
            }
            Self::Busy(_) => "wait for it, or end it, and try again".into(),
            Self::Io(..) => "make the folder readable and writable, or set DSCC_PLUGINS_DIR to another".into(),
        }
    }
}

/// One change on disk. Whatever was done of a series of them, the directory can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file gets this content, whole or not at all.
    Put {
        /// In the folder.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A file goes.
    Delete {
        /// In the folder.
        name: String,
    },
}

/// A file in the folder that no record names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// In the folder.
    pub name: String,
    /// Whether it has been there for so long that nobody will miss it.
    pub abandoned: bool,
}

impl Folder {
    /// The directory at this place.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the component of that digest is.
    pub fn component_path(&self, digest: &str) -> PathBuf {
        self.path.join(component_name(digest))
    }

    /// Where the lock file is.
    pub fn lock_file_path(&self) -> PathBuf {
        self.path.join(LOCK_FILE)
    }

    /// The lock file as it is now; empty if there is none.
    ///
    /// # Errors
    /// When others could have written it, or it cannot be read or understood.
    pub fn read(&self) -> Result<LockFile, FolderError> {
        let path = self.lock_file_path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LockFile::default()),
            Err(error) => return Err(FolderError::Io(path, error)),
        };
        for place in [&self.path, &path] {
            trusted(place)?;
        }
        let mut text = Vec::new();
        let read = file.take(MAX_LOCK_FILE).read_to_end(&mut text);
        read.map_err(|error| FolderError::Io(path.clone(), error))?;
        LockFile::parse(&text).map_err(|error| FolderError::LockFile(path, error))
    }

    /// Changes the lock file, alone among all processes: `change` gets it as it is now, and may still refuse.
    ///
    /// # Errors
    /// The change's own, or that it could not be carried out; then the lock file is as it was, or as it was to be.
    pub fn change<T, E: From<FolderError>>(
        &self,
        component: Option<&[u8]>,
        change: impl FnOnce(&mut LockFile) -> Result<T, E>,
    ) -> Result<T, E> {
        self.create()?;
        let _guard = self.guard()?;
        let before = self.read()?;
        let mut after = before.clone();
        let result = change(&mut after)?;
        for step in steps(&before, &after, component, &self.strays(&after)?) {
            self.take(&step)?;
        }
        Ok(result)
    }

    /// The files that no record names: what interrupted changes left.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn strays(&self, file: &LockFile) -> Result<Vec<Stray>, FolderError> {
        let entries = match fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(self.io(error)),
        };
        let named: BTreeSet<String> = file.digests().iter().map(|digest| component_name(digest)).collect();
        let mut strays = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.io(error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_component = name.strip_suffix(".wasm").is_some_and(is_digest);
            let is_new = name.starts_with(NEW);
            // What somebody else put there is none of our business.
            if is_new || is_component && !named.contains(&name) {
                // Nobody is writing while the guard is held.
                let abandoned = is_new || file.damaged.is_empty() && is_old(&entry);
                strays.push(Stray { name, abandoned });
            }
        }
        strays.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(strays)
    }

    /// Waits until nobody changes anything, and keeps it so while the result lives. Nothing, where nothing has been
    /// changed ever, or that cannot be told: then nobody who minds changes anything either.
    ///
    /// # Errors
    /// When somebody takes too long.
    pub fn hold_still(&self) -> Result<Option<File>, FolderError> {
        let Ok(file) = File::open(self.path.join(GUARD)) else { return Ok(None) };
        self.wait(|| fs4::FileExt::try_lock_shared(&file))?;
        Ok(Some(file))
    }

    /// Carries out one step.
    pub(super) fn take(&self, step: &Step) -> Result<(), FolderError> {
        match step {
            Step::Put { name, bytes } => {
                let new = self.write_new(name, bytes)?;
                let path = self.path.join(name);
                fs::rename(&new, &path).map_err(|error| FolderError::Io(path, error))?;
            }
            Step::Delete { name } => {
                let path = self.path.join(name);
                match fs::remove_file(&path) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(FolderError::Io(path, error)),
                    _ => {}
                }
            }
        }
        self.sync()
    }

    /// The content beside its place, on disk for certain.
    fn write_new(&self, name: &str, bytes: &[u8]) -> Result<PathBuf, FolderError> {
        let path = self.path.join(format!("{NEW}{name}"));
        let write = || {
            let mut file = private().create(true).truncate(true).open(&path)?;
            file.write_all(bytes)?;
            file.sync_all()
        };
        write().map_err(|error| FolderError::Io(path.clone(), error))?;
        Ok(path)
    }

    /// Names last only when their directory is on disk, where a directory can be synced at all.
    fn sync(&self) -> Result<(), FolderError> {
        if cfg!(unix) {
            File::open(&self.path).and_then(|dir| dir.sync_all()).map_err(|error| self.io(error))
        } else {
            Ok(())
        }
    }

    fn create(&self) -> Result<(), FolderError> {
        private_dirs().create(&self.path).map_err(|error| self.io(error))?;
        trusted(&self.path)
    }

    /// The only one who changes anything, while this lives.
    fn guard(&self) -> Result<File, FolderError> {
        let path = self.path.join(GUARD);
        let failed = |error| FolderError::Io(path.clone(), error);
        let file = private().create(true).truncate(false).open(&path).map_err(failed)?;
        self.wait(|| fs4::FileExt::try_lock(&file))?;
        Ok(file)
    }

    fn wait(&self, try_lock: impl Fn() -> Result<(), TryLockError>) -> Result<(), FolderError> {
        let start = Instant::now();
        loop {
            match try_lock() {
                Ok(()) => return Ok(()),
                Err(TryLockError::WouldBlock) if start.elapsed() < WAIT => {
                    std::thread::sleep(Duration::from_millis(20))
                }
                Err(TryLockError::WouldBlock) => return Err(FolderError::Busy(self.path.clone())),
                Err(TryLockError::Error(error)) => return Err(FolderError::Io(self.path.join(GUARD), error)),
            }
        }
    }

    fn io(&self, error: io::Error) -> FolderError {
        FolderError::Io(self.path.clone(), error)
    }
}

/// How one lock file becomes the other: what is new before it is named, what is named no more after that.
pub(super) fn steps(before: &LockFile, after: &LockFile, component: Option<&[u8]>, strays: &[Stray]) -> Vec<Step> {
    let (old, new) = (before.digests(), after.digests());
    let mut steps = Vec::new();
    if let Some(bytes) = component {
        steps.push(Step::Put { name: component_name(&digest(bytes)), bytes: bytes.to_owned() });
    }
    if before != after {
        steps.push(Step::Put { name: LOCK_FILE.to_owned(), bytes: after.to_text() });
    }
    let gone = old.difference(&new).map(|digest| component_name(digest));
    let abandoned = strays.iter().filter(|stray| stray.abandoned).map(|stray| stray.name.clone());
    steps.extend(gone.chain(abandoned).map(|name| Step::Delete { name }));
    steps
}

/// For making folders which nobody else may look into.
fn private_dirs() -> fs::DirBuilder {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// For writing. What is made here nobody else may write, whatever the process's mask leaves: it would not be trusted afterwards.
fn private() -> fs::OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o644);
    options
}

fn component_name(digest: &str) -> String {
    format!("{digest}.wasm")
}

fn is_old(entry: &fs::DirEntry) -> bool {
    let modified = entry.metadata().and_then(|metadata| metadata.modified());
    modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > ABANDONED))
}

/// Whoever can write there decides what runs with the user's rights over caches: the user or root, nobody else. Nor may
/// everybody be able to move a folder above it away and put another in its place.
#[cfg(unix)]
fn trusted(path: &Path) -> Result<(), FolderError> {
    use std::os::unix::fs::MetadataExt as _;
    const STICKY: u32 = 0o1000;
    let real = path.canonicalize().map_err(|error| FolderError::Io(path.to_owned(), error))?;
    for place in real.ancestors() {
        let metadata = fs::metadata(place).map_err(|error| FolderError::Io(place.to_owned(), error))?;
        let mode = metadata.mode();
        let why = if place == real && ![0, rustix::process::geteuid().as_raw()].contains(&metadata.uid()) {
            "belongs to another user"
        } else if place == real && mode & 0o022 != 0 || mode & 0o002 != 0 && mode & STICKY == 0 {
            "can be written by other users"
        } else {
            continue;
        };
        return Err(FolderError::Untrusted(format!("`{}` {why}", place.display())));
    }
    Ok(())
}

#[cfg(not(unix))]
fn trusted(_: &Path) -> Result<(), FolderError> {
    Ok(()) // The user's own profile folder is private by its inherited access list.
}
