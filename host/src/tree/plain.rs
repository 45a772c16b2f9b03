//! The same handle for platforms on which nothing can be opened beneath a directory yet: reading and measuring by
//! ordinary paths, each component checked not to be a link or junction. A path may be exchanged between the check and
//! the use, which is why nothing is removed here.

use std::fs::{self, File, Metadata};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Filter, FsError, Identity, Keep, LinkTally, Measure, Node, NodeKind, Progress, Removal, Stat, Usage};
use crate::model::{PathId, PathTree, RelPath, escape_name, escape_text};

const NO_REMOVAL: FsError = FsError::Unsupported("removal beneath a handle does not exist on this platform yet");

/// A directory, beneath which everything is read. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Root(Arc<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    given: PathBuf,
    resolved: PathBuf,
    cuts: Vec<(u64, u64)>,
    /// Credentials, which do not exist here.
    hidden: Arc<Secrets>,
}

/// Files and folders that do not exist for whoever uses a root, by path: other names of a file are not known here.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<PathBuf>);

impl Secrets {
    /// Looks these places up. Where one is a link, what it leads to is hidden, too.
    pub fn find(places: &[PathBuf]) -> Self {
        let real = |place: &PathBuf| Some(place.parent()?.canonicalize().ok()?.join(place.file_name()?));
        Self(places.iter().flat_map(|place| [real(place), place.canonicalize().ok()]).flatten().collect())
    }

    /// Whether a path without links leads to or through one. Names may differ in case and lead to one place.
    fn has(&self, path: &Path) -> bool {
        let leads = |path: &Path| self.0.iter().any(|hidden| path.starts_with(hidden));
        let by_real_path = || {
            let real = path.parent()?.canonicalize().ok()?.join(path.file_name()?);
            Some(leads(&real) || path.canonicalize().is_ok_and(|real| leads(&real)))
        };
        !self.0.is_empty() && (leads(path) || by_real_path() == Some(true))
    }
}

impl Root {
    /// Opens a directory. The path itself may contain links; it is resolved here, once.
    ///
    /// # Errors
    /// When it is no directory, or may not be read.
    pub fn open(path: &Path) -> Result<Self, FsError> {
        let resolved = path.canonicalize()?;
        if !fs::metadata(&resolved)?.is_dir() {
            return Err(FsError::WrongKind);
        }
        fs::read_dir(&resolved)?;
        Ok(Self(Arc::new(Inner { given: path.to_owned(), resolved, cuts: Vec::new(), hidden: Arc::default() })))
    }

    /// The same root with other roots left out: a walk that meets one passes it by, which is no error, and to a path
    /// that leads to or through one there is nothing.
    #[must_use]
    pub fn with_cuts(self, other_roots: Vec<(u64, u64)>) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        inner.cuts = other_roots;
        Self(Arc::new(inner))
    }

    /// The same root with credentials hidden: to a path that leads to or through one there is nothing, no walk shows it,
    /// and it weighs nothing.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Self {
        let mut inner = Arc::unwrap_or_clone(self.0);
        let beneath = secrets.0.iter().filter(|place| place.starts_with(&inner.resolved));
        inner.hidden = Arc::new(Secrets(beneath.cloned().collect()));
        Self(Arc::new(inner))
    }

    /// Whether a path leads to or through something hidden.
    pub fn hides(&self, at: &RelPath) -> bool {
        let path = at.names().fold(self.0.resolved.clone(), |path, name| path.join(name));
        self.0.hidden.has(&path)
    }

    /// Whether something hidden is directly in a directory, so that it never becomes empty.
    pub fn holds_hidden(&self, at: &RelPath) -> bool {
        let hidden = |path: &PathBuf| self.0.hidden.has(path);
        self.locate(at)
            .and_then(|path| Ok(fs::read_dir(path)?))
            .is_ok_and(|mut entries| entries.any(|entry| entry.is_ok_and(|entry| hidden(&entry.path()))))
    }

    /// The same root by another name that leads to it.
    #[must_use]
    pub fn given_as(&self, path: &Path) -> Self {
        Self(Arc::new(Inner { given: path.to_owned(), ..Inner::clone(&self.0) }))
    }

    /// The absolute path, with links resolved.
    pub fn path(&self) -> &Path {
        &self.0.resolved
    }

    /// The path it was opened by.
    pub fn given(&self) -> &Path {
        &self.0.given
    }

    /// Tells this place from others: made from its path, as file numbers are not to be had here.
    pub fn identity(&self) -> (u64, u64) {
        (0, number(&self.0.resolved))
    }

    /// What the system knows of a path; a link is not followed.
    ///
    /// # Errors
    /// When there is nothing, or when it lies behind a link.
    pub fn stat(&self, at: &RelPath) -> Result<Stat, FsError> {
        let path = self.locate(at)?;
        let stat = stat(&path, &path.symlink_metadata()?);
        if self.is_cut(&stat, &path) { Err(FsError::NotFound) } else { Ok(stat) }
    }

    /// Opens a regular file for reading.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no regular file.
    fn open_file(&self, at: &RelPath) -> Result<File, FsError> {
        let path = self.locate(at)?;
        if !path.symlink_metadata()?.is_file() {
            return Err(FsError::WrongKind);
        }
        Ok(File::open(path)?)
    }

    /// Opens a regular file for taking a lock on it.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no regular file.
    pub fn open_lock(&self, at: &RelPath) -> Result<File, FsError> {
        self.open_file(at)
    }

    /// The content of a small regular file.
    ///
    /// # Errors
    /// When it cannot be reached or read, is no regular file, or is longer than `limit` bytes.
    pub fn read(&self, at: &RelPath, limit: usize) -> Result<Vec<u8>, FsError> {
        let most = u64::try_from(limit).unwrap_or(u64::MAX);
        let mut content = Vec::new();
        self.open_file(at)?.take(most.saturating_add(1)).read_to_end(&mut content)?;
        if content.len() > limit { Err(FsError::TooLarge(most)) } else { Ok(content) }
    }

    /// The escaped names directly in a directory, sorted.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no directory.
    pub fn names(&self, at: &RelPath) -> Result<Vec<String>, FsError> {
        let path = self.locate(at)?;
        let meta = path.symlink_metadata()?;
        if !meta.is_dir() {
            return Err(FsError::WrongKind);
        }
        if self.is_cut(&stat(&path, &meta), &path) {
            return Err(FsError::NotFound);
        }
        let mut names = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            if !self.0.hidden.has(&entry.path()) {
                names.push(escape_name(&entry.file_name()).into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Does nothing here: every walk goes to the disk.
    ///
    /// # Errors
    /// None.
    pub fn remember(&self) -> Result<(), FsError> {
        Ok(())
    }

    /// Walks what lies beneath a directory and passes the filter.
    ///
    /// # Errors
    /// When it cannot be reached or read, or is no directory.
    pub fn walk(&self, at: &RelPath, filter: Filter) -> Result<Walker, FsError> {
        let waiting = self.sorted(at, 1)?;
        Ok(Walker { root: self.clone(), filter, waiting, unreadable: false })
    }

    /// Weighs the regular files beneath `starts`, each booked to the deepest bucket above it. Files with several names
    /// count once a name here.
    pub fn measure(&self, claims: &PathTree, buckets: &[bool], starts: &[PathId], progress: &Progress) -> Measure {
        let is_bucket = |id: PathId| buckets.get(id.index()).copied().unwrap_or(false);
        let mut measure = Measure { usage: vec![Usage::default(); claims.len()], ..Measure::default() };
        let distinct: std::collections::BTreeSet<PathId> = starts.iter().copied().collect();
        let mut waiting: Vec<(RelPath, Option<PathId>, PathId)> = distinct
            .iter()
            .filter(|start| !claims.up(**start).skip(1).any(|above| starts.contains(&above)))
            .map(|start| {
                let bucket = claims.up(*start).find(|id| is_bucket(*id)).unwrap_or(*start);
                (claims.path(*start), Some(*start), bucket)
            })
            .collect();
        while let Some((at, position, bucket)) = waiting.pop() {
            let stat = match self.stat(&at) {
                Ok(stat) => stat,
                Err(FsError::NotFound) => continue,
                Err(error) => {
                    measure.unreadable.push((at, error));
                    continue;
                }
            };
            progress.add(1, stat.size);
            match stat.identity.kind {
                NodeKind::File => measure.usage[bucket.index()] += Usage::from(&stat),
                NodeKind::Directory => match self.names(&at) {
                    Ok(names) => waiting.extend(names.iter().map(|name| {
                        let below = position.and_then(|id| claims.child(id, name));
                        (at.join(name), below, below.filter(|id| is_bucket(*id)).unwrap_or(bucket))
                    })),
                    Err(error) => measure.unreadable.push((at, error)),
                },
                _ => {}
            }
        }
        measure.unreadable.sort_by(|one, other| one.0.cmp(&other.0));
        measure
    }

    /// Removes nothing on this platform, and says so.
    pub fn remove(&self, at: &RelPath, _: Identity, _: &Keep<'_>, _: &LinkTally, _: &Progress) -> Removal {
        Removal { failures: vec![(at.clone(), NO_REMOVAL)], ..Removal::default() }
    }

    /// Removes nothing on this platform.
    ///
    /// # Errors
    /// Always.
    pub fn remove_if_empty(&self, _: &RelPath) -> Result<bool, FsError> {
        Err(NO_REMOVAL)
    }

    /// Replaces nothing on this platform.
    ///
    /// # Errors
    /// Always.
    pub fn rewrite(&self, _: &RelPath, _: &[u8], _: &[u8]) -> Result<(), FsError> {
        Err(NO_REMOVAL)
    }

    /// Nothing is ever left.
    pub fn clear_temporaries(&self, _: &RelPath) {}

    /// Access times are off by default on this platform.
    pub fn access_times_kept(&self) -> bool {
        false
    }

    /// The path on disk, if no component above the last is a link, a file or another root, and none is hidden.
    fn locate(&self, at: &RelPath) -> Result<PathBuf, FsError> {
        let mut path = self.0.resolved.clone();
        for (index, name) in at.names().enumerate() {
            if index > 0 {
                let meta = path.symlink_metadata()?;
                if !meta.is_dir() {
                    return Err(FsError::WrongKind);
                }
                if self.is_cut(&stat(&path, &meta), &path) {
                    return Err(FsError::NotFound);
                }
            }
            path.push(name);
            if self.0.hidden.has(&path) {
                return Err(FsError::NotFound);
            }
        }
        Ok(path)
    }

    /// Whether this is another root. Names may differ in case and lead to one folder, so it is asked for its real path.
    fn is_cut(&self, stat: &Stat, path: &Path) -> bool {
        !self.0.cuts.is_empty()
            && stat.identity.kind == NodeKind::Directory
            && path.canonicalize().is_ok_and(|path| self.0.cuts.contains(&(0, number(&path))))
    }

    /// What is in a directory, the first name last.
    fn sorted(&self, at: &RelPath, depth: u32) -> Result<Vec<(RelPath, u32)>, FsError> {
        Ok(self.names(at)?.iter().rev().map(|name| (at.join(name), depth)).collect())
    }
}

/// Yields nodes in portions.
pub struct Walker {
    root: Root,
    filter: Filter,
    waiting: Vec<(RelPath, u32)>,
    unreadable: bool,
}

impl Walker {
    /// The next nodes, at most `max`; none at the end.
    pub fn next(&mut self, max: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        while nodes.len() < max
            && let Some((at, depth)) = self.waiting.pop()
        {
            let look = |path: PathBuf| Ok::<_, FsError>(stat(&path, &path.symlink_metadata()?));
            let Ok(stat) = self.root.locate(&at).and_then(look) else { continue };
            let mut kind = stat.identity.kind;
            if kind == NodeKind::Directory && self.filter.enters(depth) {
                match self.root.sorted(&at, depth + 1) {
                    Ok(below) => self.waiting.extend(below),
                    Err(FsError::NotFound) => {} // another root
                    Err(_) => (kind, self.unreadable) = (NodeKind::Unreadable, true),
                }
            }
            if kind == NodeKind::Unreadable || self.filter.passes(kind, at.name().unwrap_or_default()) {
                nodes.push(self.node(&at, kind, &stat));
            }
        }
        nodes
    }

    /// Whether the walk has come past a directory that it could not look into.
    pub fn met_unreadable(&self) -> bool {
        self.unreadable
    }

    fn node(&self, at: &RelPath, kind: NodeKind, stat: &Stat) -> Node {
        let target = match kind {
            NodeKind::Link => self.root.locate(at).and_then(|path| Ok(fs::read_link(path)?)).unwrap_or_default(),
            _ => PathBuf::new(),
        };
        let file = kind == NodeKind::File;
        Node {
            path: at.as_str().to_owned(),
            kind,
            target: escape_text(target.as_os_str()),
            size: if file { stat.size } else { 0 },
            modified: if file { stat.modified_ns } else { 0 },
        }
    }
}

fn stat(path: &Path, meta: &Metadata) -> Stat {
    let kind = match meta.file_type() {
        kind if kind.is_symlink() => NodeKind::Link,
        kind if kind.is_dir() => NodeKind::Directory,
        kind if kind.is_file() => NodeKind::File,
        _ => NodeKind::Other,
    };
    Stat {
        identity: Identity { dev: 0, ino: number(path), kind },
        size: meta.len(),
        disk_size: meta.len(),
        links: 1,
        modified_ns: meta.modified().map_or(0, nanoseconds),
        accessed_ns: meta.accessed().map_or(0, nanoseconds),
        changed_ns: meta.modified().map_or(0, nanoseconds),
        uid: 0,
        mounted: false,
        protected: false,
        sticky: false,
    }
}

fn number(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

fn nanoseconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_nanos()).ok()).unwrap_or(0)
}
