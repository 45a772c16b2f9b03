//! The walk that plugins get: a directory before what is in it, names in order, the same for the same tree. Directories
//! are read in parallel and a little ahead of what is asked for, so that a million nodes need not be in memory at once.

use std::ffi::{CStr, CString};
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};

use rayon::prelude::*;
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use super::beneath::Entered;
use super::dir::{Buffer, Fresh, escaped, for_each, stat_at};
use super::memory::Recall;
use super::place::Place;
use super::{Filter, FsError, Node, NodeKind, Root};
use crate::model::{RelPath, escape_text};

/// Entries that are read ahead at most, apart from those of one directory.
const AHEAD: isize = 8192;
/// Directories that are read ahead together.
const TOGETHER: usize = 16;
/// Levels that are read ahead.
const LEVELS: u32 = 16;
/// Entries for which it pays to ask other threads for help.
const MANY: usize = 256;

/// Yields nodes in portions.
pub struct Walker(Source);

enum Source {
    Disk(Live),
    Memory(Recall),
}

impl Walker {
    pub(super) fn new(root: Root, at: &RelPath, filter: Filter) -> Result<Self, FsError> {
        let memory = root.memory().filter(|_| !filter.stat);
        // Another root is remembered as an empty folder: only the disk tells one from the other.
        let certain = |recall: &Recall| !recall.is_empty() || root.beneath().cuts.is_empty();
        if let Some(recall) = memory.and_then(|memory| Recall::new(memory, at, &filter)).filter(certain) {
            return Ok(Self(Source::Memory(recall)));
        }
        Ok(Self(Source::Disk(Live::new(root, at, filter)?)))
    }

    /// The next nodes, at most `max`; none at the end.
    pub fn next(&mut self, max: usize) -> Vec<Node> {
        match &mut self.0 {
            Source::Disk(live) => live.next(max),
            Source::Memory(recall) => recall.next(max),
        }
    }

    /// Whether the walk has come past a directory that it could not look into.
    pub fn met_unreadable(&self) -> bool {
        match &self.0 {
            Source::Disk(live) => live.unreadable,
            Source::Memory(recall) => recall.unreadable,
        }
    }
}

/// A walk over the disk.
struct Live {
    root: Root,
    filter: Filter,
    frames: Vec<Frame>,
    unreadable: bool,
}

/// A directory whose entries are being yielded.
struct Frame {
    listing: Listing,
    /// The directory's path with a `/`, or nothing for the root.
    prefix: String,
    next: usize,
    depth: u32,
}

struct Listing {
    place: Arc<Place>,
    entries: Vec<Found>,
}

/// An entry that passes the filter, or a directory that may hold some.
struct Found {
    name: CString,
    kind: NodeKind,
    passes: bool,
    gone: bool,
    target: String,
    size: u64,
    modified: i64,
    below: Below,
}

/// What is in a directory.
enum Below {
    /// Not asked for.
    Left,
    NotYet,
    Read(Listing),
    Unreadable,
}

impl Live {
    fn new(root: Root, at: &RelPath, filter: Filter) -> Result<Self, FsError> {
        let opened = root.directory(at)?;
        let fd = Arc::new(opened.fd);
        let place = Place::start(fd.clone(), opened.ino, ());
        let listing =
            Reader { root: &root, filter: &filter, room: AtomicIsize::new(AHEAD) }.read(place, &fd, 1, LEVELS)?;
        let prefix = if at.is_root() { String::new() } else { format!("{at}/") };
        let frames = vec![Frame { listing, prefix, next: 0, depth: 1 }];
        Ok(Self { root, filter, frames, unreadable: false })
    }

    fn next(&mut self, max: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        while nodes.len() < max {
            let Some(frame) = self.frames.last_mut() else { break };
            let Some(found) = frame.listing.entries.get_mut(frame.next) else {
                self.frames.pop();
                continue;
            };
            if matches!(found.below, Below::NotYet) {
                Reader { root: &self.root, filter: &self.filter, room: AtomicIsize::new(AHEAD) }.read_ahead(frame);
                continue;
            }
            frame.next += 1;
            if found.gone {
                continue;
            }
            let path = format!("{}{}", frame.prefix, escaped(&found.name));
            let below = std::mem::replace(&mut found.below, Below::Left);
            if matches!(below, Below::Unreadable) {
                found.kind = NodeKind::Unreadable;
                self.unreadable = true;
            }
            let node = (found.passes || found.kind == NodeKind::Unreadable).then(|| Node {
                path: path.clone(),
                kind: found.kind,
                target: std::mem::take(&mut found.target),
                size: found.size,
                modified: found.modified,
            });
            if let Below::Read(listing) = below {
                let frame = Frame { listing, prefix: path + "/", next: 0, depth: frame.depth + 1 };
                self.frames.push(frame);
            }
            nodes.extend(node);
        }
        nodes
    }
}

struct Reader<'a> {
    root: &'a Root,
    filter: &'a Filter,
    /// Entries that may still be read ahead.
    room: AtomicIsize,
}

impl Reader<'_> {
    /// Reads the next directories of a frame that were not read yet.
    fn read_ahead(&self, frame: &mut Frame) {
        let Frame { listing: Listing { place, entries }, next, depth, .. } = frame;
        let fd = place.reach(self.root.beneath());
        let waiting = entries[*next..].iter_mut().filter(|found| matches!(found.below, Below::NotYet)).take(TOGETHER);
        let mut waiting: Vec<&mut Found> = waiting.collect();
        match fd {
            Ok(fd) => self.enter_all(&mut waiting, place, &fd, *depth, LEVELS),
            Err(FsError::NotFound) => waiting.iter_mut().for_each(|found| found.gone = true),
            Err(_) => waiting.iter_mut().for_each(|found| found.below = Below::Unreadable),
        }
        // Whatever came of it, these were looked at.
        for found in waiting {
            if found.gone {
                found.below = Below::Left;
            }
        }
    }

    /// Reads an open directory, and what is below it as far as there is room.
    fn read(&self, place: Arc<Place>, fd: &Arc<OwnedFd>, depth: u32, levels: u32) -> Result<Listing, FsError> {
        let enters = self.filter.enters(depth);
        let hidden = self.root.beneath().hidden.in_dir(place.ino());
        let mut entries = Vec::new();
        for_each(fd, &mut Buffer::default(), |entry| {
            if hidden.has(&entry) {
                return;
            }
            let kind = entry.kind.or_else(|| Some(stat_at(fd, entry.name, Fresh::Cached).ok()?.identity.kind));
            let Some(kind) = kind else { return };
            let passes = self.filter.passes(kind, &escaped(entry.name));
            let enters = enters && kind == NodeKind::Directory;
            if passes || enters {
                entries.push(Found::new(entry.name, kind, passes, enters));
            }
        })?;
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        self.room.fetch_sub(isize::try_from(entries.len()).unwrap_or(isize::MAX), Relaxed);
        if entries.len() < MANY {
            entries.iter_mut().try_for_each(|found| found.look(fd, self.filter.stat))?;
        } else {
            entries.par_iter_mut().with_min_len(MANY / 4).try_for_each(|found| found.look(fd, self.filter.stat))?;
        }
        let mut directories: Vec<&mut Found> =
            entries.iter_mut().filter(|found| matches!(found.below, Below::NotYet)).collect();
        if levels > 0 && self.room.load(Relaxed) > 0 {
            self.enter_all(&mut directories, &place, fd, depth, levels - 1);
        }
        if entries.iter().filter(|found| matches!(found.below, Below::NotYet)).count() > 0 {
            place.hold(fd);
        }
        Ok(Listing { place, entries })
    }

    fn enter_all(&self, found: &mut [&mut Found], place: &Arc<Place>, fd: &OwnedFd, depth: u32, levels: u32) {
        match found {
            [one] => self.enter(one, place, fd, depth, levels),
            many => many.par_iter_mut().for_each(|one| self.enter(one, place, fd, depth, levels)),
        }
    }

    fn enter(&self, found: &mut Found, place: &Arc<Place>, fd: &OwnedFd, depth: u32, levels: u32) {
        let read = match self.root.beneath().enter(fd, &found.name) {
            Ok(Entered::Directory(opened)) => {
                self.read(place.below(&found.name, opened.ino, ()), &Arc::new(opened.fd), depth + 1, levels)
            }
            Ok(Entered::Cut) => {
                found.below = Below::Left;
                return;
            }
            Err(error) => Err(error),
        };
        match read {
            Ok(listing) => found.below = Below::Read(listing),
            Err(FsError::NotFound) => (found.gone, found.below) = (true, Below::Left),
            Err(_) => found.below = Below::Unreadable,
        }
    }
}

impl Found {
    fn new(name: &CStr, kind: NodeKind, passes: bool, enters: bool) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            passes,
            gone: false,
            target: String::new(),
            size: 0,
            modified: 0,
            below: if enters { Below::NotYet } else { Below::Left },
        }
    }

    /// Fills in what is told of a link, and of a file if that is asked for.
    fn look(&mut self, dir: &OwnedFd, stat: bool) -> Result<(), FsError> {
        let looked = match self.kind {
            NodeKind::File if stat => stat_at(dir, &self.name, Fresh::Cached).map(|stat| {
                (self.size, self.modified) = (stat.size, stat.modified_ns);
            }),
            NodeKind::Link => rustix::fs::readlinkat(dir, &self.name, Vec::new()).map(|target| {
                self.target = escape_text(os_text(target.as_bytes()));
            }),
            _ => Ok(()),
        };
        match looked {
            Err(Errno::NOENT) => {
                self.gone = true;
                Ok(())
            }
            other => Ok(other?),
        }
    }
}

fn os_text(bytes: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(bytes)
}
