//! The measuring pass: one parallel walk that weighs every regular file once and books it to the deepest bucket above
//! it. A directory is a job; of a wide one, idle threads take over some of its files. The pass descends in the tree of
//! claimed paths beside the disk, so that names are looked up only where something more is claimed.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fd::OwnedFd;
use rustix::io::Errno;

use super::beneath::{Entered, Opened, raw_names};
use super::desk::Desks;
use super::dir::{Buffer, Fresh, Names, escaped, for_each, stat_at};
use super::inspect::Inspector;
use super::place::Place;
use super::sums::{Linked, Row, by_inode};
use super::{FsError, Measure, NodeKind, OpenFiles, Progress, Root, Usage};
use crate::model::{PathId, PathTree, RelPath};

/// Files that are weighed as one piece of work: large enough that handing them over costs nothing beside it.
const CHUNK: usize = 256;

/// Weighs what lies beneath `starts`.
pub(super) fn measure(
    root: &Root,
    claims: &PathTree,
    buckets: &[bool],
    starts: &[PathId],
    open: Option<&OpenFiles>,
    progress: &Progress,
) -> Measure {
    let pass = Pass {
        root,
        claims,
        buckets,
        rows: std::iter::repeat_with(Row::default).take(claims.len()).collect(),
        desks: Desks::new(),
        unreadable: Mutex::default(),
        handed_over: AtomicUsize::new(0),
        inspector: open.map(Inspector::new),
        progress,
    };
    let top = Place::start(root.descriptor().clone(), root.identity().1, ());
    let mut starts: Vec<PathId> =
        starts.iter().copied().filter(|start| !has_start_above(claims, starts, *start)).collect();
    starts.sort_unstable();
    starts.dedup();
    rayon::in_place_scope(|scope| {
        for start in starts {
            pass.start(scope, &top, start);
        }
    });
    pass.finish()
}

fn has_start_above(claims: &PathTree, starts: &[PathId], start: PathId) -> bool {
    claims.up(start).skip(1).any(|above| starts.contains(&above))
}

struct Pass<'a> {
    root: &'a Root,
    claims: &'a PathTree,
    buckets: &'a [bool],
    rows: Vec<Row>,
    desks: Desks<Desk>,
    unreadable: Mutex<Vec<(RelPath, FsError)>>,
    /// Chunks of files that wait for a thread; each keeps its directory open.
    handed_over: AtomicUsize,
    /// Also looks for what would be in the way of a removal.
    inspector: Option<Inspector<'a>>,
    progress: &'a Progress,
}

/// What one thread works with.
#[derive(Default)]
struct Desk {
    buffer: Buffer,
    files: Names,
    linked: Vec<Linked>,
}

/// Where in the tree of claimed paths a directory is.
#[derive(Clone, Copy)]
struct Position {
    /// None where nothing beneath is claimed.
    claimed: Option<PathId>,
    bucket: PathId,
}

/// Directories that wait to be measured, all in the same one.
#[derive(Default)]
struct Waiting {
    names: Names,
    positions: Vec<Position>,
}

impl<'a> Pass<'a> {
    fn start<'s>(&'s self, scope: &Scope<'s>, top: &Arc<Place>, start: PathId) {
        let path = self.claims.path(start);
        if let Err(error) = self.try_start(scope, top, start, &path)
            && error != FsError::NotFound
        {
            self.report(path, error);
        }
    }

    fn try_start<'s>(
        &'s self,
        scope: &Scope<'s>,
        top: &Arc<Place>,
        start: PathId,
        path: &RelPath,
    ) -> Result<(), FsError> {
        let bucket = self.claims.up(start).find(|id| self.is_bucket(*id)).unwrap_or(start);
        let position = Position { claimed: Some(start).filter(|id| self.claims.has_children(*id)), bucket };
        let mut names = raw_names(path)?;
        let Some(last) = names.pop() else {
            let opened = self.root.beneath().descend(self.root.descriptor(), std::iter::empty())?;
            let waiting = self.read(scope, top, &Arc::new(opened.fd), position);
            if let Some((last, at)) = self.branch(scope, top, waiting) {
                self.descend(scope, top.clone(), self.root.descriptor().clone(), last, at);
            }
            return Ok(());
        };
        let mut place = top.clone();
        let mut fd = self.root.descriptor().clone();
        let beneath = self.root.beneath();
        for name in &names {
            if beneath.hidden.in_dir(place.ino()).has_name(name) {
                return Ok(());
            }
            let Entered::Directory(opened) = beneath.enter(&fd, name)? else { return Ok(()) };
            place = place.below(name, opened.ino, ());
            fd = Arc::new(opened.fd);
        }
        let found = stat_at(&fd, &last, Fresh::Cached)?.identity;
        if beneath.hidden.in_dir(place.ino()).has_name(&last) || beneath.hides(&found) {
            return Ok(());
        }
        match found.kind {
            NodeKind::Directory => self.descend(scope, place, fd, last, position),
            NodeKind::File => {
                let mut files = Names::default();
                files.push(&last);
                // The name is the start itself, not one in it.
                let position = Position { claimed: None, ..position };
                self.weigh(&place, &fd, &files, position, &mut self.desks.mine().linked);
            }
            _ => {}
        }
        Ok(())
    }

    /// Measures a directory, and goes on with the last one in it, and so on; the others are left to whoever has time.
    fn descend<'s>(
        &'s self,
        scope: &Scope<'s>,
        mut above: Arc<Place>,
        mut above_fd: Arc<OwnedFd>,
        mut name: CString,
        mut position: Position,
    ) {
        loop {
            let Opened { fd, ino } = match self.root.beneath().enter(&above_fd, &name) {
                Ok(Entered::Directory(opened)) => opened,
                Ok(Entered::Cut) | Err(FsError::NotFound) => return,
                Err(error) => return self.report(above.path_of(&RelPath::root(), &name), error),
            };
            let (place, fd) = (above.below(&name, ino, ()), Arc::new(fd));
            let waiting = self.read(scope, &place, &fd, position);
            if waiting.names.len() > 1 {
                place.hold(&fd);
            }
            let Some((last, at)) = self.branch(scope, &place, waiting) else { return };
            (above, above_fd, name, position) = (place, fd, last, at);
        }
    }
    /// Leaves all but the last of these directories to other threads, in so many pieces that there is enough to share.
    fn branch<'s>(&'s self, scope: &Scope<'s>, above: &Arc<Place>, waiting: Waiting) -> Option<(CString, Position)> {
        let count = waiting.names.len();
        let mut all = waiting.names.iter().zip(waiting.positions).take(count);
        let piece = (count / 64).clamp(1, 64);
        let mut left = count.saturating_sub(1);
        while left > 0 {
            let mut some = Waiting::default();
            for (name, position) in all.by_ref().take(piece.min(left)) {
                some.names.push(name);
                some.positions.push(position);
            }
            left -= some.names.len();
            let above = above.clone();
            scope.spawn(move |scope| self.descend_each(scope, &above, &some));
        }
        all.next().map(|(name, position)| (name.to_owned(), position))
    }

    fn descend_each<'s>(&'s self, scope: &Scope<'s>, above: &Arc<Place>, waiting: &Waiting) {
        match above.reach(self.root.beneath()) {
            Ok(fd) => {
                for (name, position) in waiting.names.iter().zip(&waiting.positions) {
                    self.descend(scope, above.clone(), fd.clone(), name.to_owned(), *position);
                }
            }
            Err(FsError::NotFound) => {}
            Err(error) => self.report(above.path_of(&RelPath::root(), c""), error),
        }
    }

    /// Weighs the files of an open directory; what comes back are the directories in it.
    fn read<'s>(&'s self, scope: &Scope<'s>, place: &Arc<Place>, fd: &Arc<OwnedFd>, position: Position) -> Waiting {
        let mut desk = self.desks.mine();
        let Desk { buffer, files, linked } = &mut *desk;
        let mut waiting = Waiting::default();
        let mut entries = 0;
        let hidden = self.root.beneath().hidden.in_dir(place.ino());
        let inspected = self.inspector.as_ref().map(|inspector| (inspector, inspector.folder(place, fd)));
        let done = for_each(fd, buffer, |entry| {
            if hidden.has(&entry) {
                return;
            }
            entries += 1;
            if let Some((inspector, folder)) = &inspected {
                inspector.entry(folder, &entry, || self.position_in(position, entry.name).bucket);
            }
            let kind = entry.kind.or_else(|| Some(stat_at(fd, entry.name, Fresh::Cached).ok()?.identity.kind));
            match kind {
                Some(NodeKind::Directory) => {
                    waiting.names.push(entry.name);
                    waiting.positions.push(self.position_in(position, entry.name));
                }
                // What cannot be looked at is reported where files are weighed.
                Some(NodeKind::File) | None => {
                    files.push(entry.name);
                    if files.len() == CHUNK && !self.hand_over(scope, place, fd, files, position) {
                        self.weigh(place, fd, files, position, linked);
                        files.clear();
                    }
                }
                Some(_) => {}
            }
        });
        self.weigh(place, fd, files, position, linked);
        files.clear();
        self.progress.add(entries, 0);
        if let Some(inspector) = &self.inspector {
            inspector.directory(place, fd, position.bucket, entries == 0);
        }
        if let Err(errno) = done {
            self.report(place.path_of(&RelPath::root(), c""), errno.into());
        }
        waiting
    }

    /// Lets another thread weigh these files, if not too many wait for that already.
    fn hand_over<'s>(
        &'s self,
        scope: &Scope<'s>,
        place: &Arc<Place>,
        fd: &Arc<OwnedFd>,
        files: &mut Names,
        position: Position,
    ) -> bool {
        if self.handed_over.fetch_add(1, Relaxed) >= 2 * self.desks.len().min(16) {
            self.handed_over.fetch_sub(1, Relaxed);
            return false;
        }
        let (place, fd, files) = (place.clone(), fd.clone(), std::mem::take(files));
        scope.spawn(move |_| {
            self.handed_over.fetch_sub(1, Relaxed);
            self.weigh(&place, &fd, &files, position, &mut self.desks.mine().linked);
        });
        true
    }

    fn weigh(&self, place: &Place, fd: &OwnedFd, files: &Names, position: Position, linked: &mut Vec<Linked>) {
        let mut sum = Usage::default();
        let mut bytes = 0;
        for name in files.iter() {
            let stat = match stat_at(fd, name, Fresh::Cached) {
                Ok(stat) if stat.mounted => Err(FsError::OtherDevice),
                // By its own name, something hidden was passed over already.
                Ok(stat) if stat.links > 1 && self.root.beneath().hides(&stat.identity) => continue,
                Ok(stat) if stat.identity.kind == NodeKind::File => Ok(stat),
                Ok(_) | Err(Errno::NOENT) => continue,
                Err(errno) => Err(errno.into()),
            };
            match stat {
                Ok(stat) => {
                    bytes += stat.size;
                    let bucket = self.position_in(position, name).bucket;
                    if let Some(inspector) = &self.inspector {
                        inspector.file(place, fd, name, &stat, bucket);
                    }
                    if stat.links > 1 {
                        linked.push(Linked { stat, bucket });
                    } else if bucket == position.bucket {
                        sum += Usage::from(&stat);
                    } else {
                        self.rows[bucket.index()].add(Usage::from(&stat));
                    }
                }
                // The names in a directory may be readable and all that is behind them not: that is one message.
                Err(FsError::Denied) => self.report_once(place.path_of(&RelPath::root(), c"")),
                Err(error) => self.report(place.path_of(&RelPath::root(), name), error),
            }
        }
        self.rows[position.bucket.index()].add(sum);
        self.progress.add(0, bytes);
    }

    fn position_in(&self, above: Position, name: &CStr) -> Position {
        let Some(id) = above.claimed.and_then(|at| self.claims.child(at, &escaped(name))) else {
            return Position { claimed: None, ..above };
        };
        Position {
            claimed: Some(id).filter(|id| self.claims.has_children(*id)),
            bucket: if self.is_bucket(id) { id } else { above.bucket },
        }
    }

    fn is_bucket(&self, id: PathId) -> bool {
        self.buckets.get(id.index()).copied().unwrap_or(false)
    }

    fn report(&self, path: RelPath, error: FsError) {
        self.unreadable.lock().unwrap_or_else(PoisonError::into_inner).push((path, error));
    }

    fn report_once(&self, path: RelPath) {
        let mut unreadable = self.unreadable.lock().unwrap_or_else(PoisonError::into_inner);
        let report = (path, FsError::Denied);
        if !unreadable.contains(&report) {
            unreadable.push(report);
        }
    }

    fn finish(self) -> Measure {
        let mut unreadable = self.unreadable.into_inner().unwrap_or_else(PoisonError::into_inner);
        unreadable.sort_by(|one, other| one.0.cmp(&other.0));
        let linked = self.desks.into_all().flat_map(|desk| desk.linked).collect();
        let hindrances = self.inspector.map(Inspector::finish).unwrap_or_default();
        let usage = self.rows.into_iter().map(Row::usage).collect();
        Measure { usage, linked: by_inode(linked), unreadable, hindrances }
    }
}
