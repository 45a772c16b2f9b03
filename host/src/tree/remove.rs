//! Removal of one path beneath a root. A directory is cleared by descriptors from the bottom up, its subdirectories in
//! parallel, and of a wide one its files too: what a path leads to is decided once, at the top, and nothing that is put in
//! its place later is touched.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::Scope;
use rustix::fd::OwnedFd;
use rustix::fs::{AtFlags, unlinkat};
use rustix::io::Errno;

use super::beneath::{Beneath, Entered};
use super::desk::Desks;
use super::dir::{Buffer, Fresh, Names, escaped, for_each, is_protected, stat_at};
use super::place::Place;
use super::{FsError, Identity, Keep, LinkTally, NodeKind, Progress, Removal, Root};
use crate::model::{PathId, RelPath};

/// How often a directory is cleared again because something appeared in it meanwhile.
const MOST_PASSES: u8 = 5;

/// Files of one directory that are removed as one piece of work: large enough that handing them over costs nothing
/// beside it.
const PIECE: usize = 256;

/// Removes what is at a path.
pub(super) fn remove(
    root: &Root,
    at: &RelPath,
    expected: Identity,
    keep: &Keep<'_>,
    tally: &LinkTally,
    progress: &Progress,
) -> Removal {
    // A claim may lie in a folder that somebody else claims: only what is beneath the path itself can keep it.
    let position = keep.paths.find(at);
    let sweep = Sweep {
        beneath: root.beneath(),
        base: at.parent().unwrap_or_default(),
        keep,
        tally,
        progress,
        buffers: Desks::new(),
        handed_over: AtomicUsize::new(0),
        files: AtomicU64::new(0),
        kept_something: AtomicBool::new(false),
        failures: Mutex::default(),
    };
    let gone = sweep.top(root, at, expected, position).unwrap_or_else(|error| {
        let gone = error == FsError::NotFound;
        if !gone {
            sweep.fail(at.clone(), error);
        }
        gone
    });
    let mut failures = sweep.failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by(|one, other| one.0.cmp(&other.0));
    Removal { files: sweep.files.into_inner(), failures, kept_something: sweep.kept_something.into_inner(), gone }
}

struct Sweep<'a> {
    beneath: &'a Beneath,
    /// The path of the directory that the removed one is in.
    base: RelPath,
    keep: &'a Keep<'a>,
    tally: &'a LinkTally,
    progress: &'a Progress,
    buffers: Desks<Buffer>,
    /// Pieces of files that wait for a thread.
    handed_over: AtomicUsize,
    files: AtomicU64,
    kept_something: AtomicBool,
    failures: Mutex<Vec<(RelPath, FsError)>>,
}

/// A directory on its way out.
type Dir = Place<Clearing>;

struct Clearing {
    /// Where it is in the tree of kept paths; none if nothing in it is to be kept.
    position: Option<PathId>,
    /// What is not done with: directories in it, pieces of its files, and reading it.
    waiting: AtomicUsize,
    /// Something in it is to be kept, or could not be removed.
    stays: AtomicBool,
    passes: AtomicU8,
}

impl Clearing {
    fn new(position: Option<PathId>, waiting: usize) -> Self {
        Self { position, waiting: AtomicUsize::new(waiting), stays: AtomicBool::new(false), passes: AtomicU8::new(0) }
    }
}

/// What a thread does next. Steps instead of calls: a tree may be deeper than the stack.
enum Step {
    /// Open this directory in `above`, which is open.
    Open {
        above: Arc<Dir>,
        dir: Arc<OwnedFd>,
        name: CString,
        position: Option<PathId>,
    },
    /// Remove the files in this directory and find out which directories are in it.
    Clear(Arc<Dir>, Arc<OwnedFd>),
    /// Nothing is left to do in this directory: remove it. Its descriptor, if it is at hand.
    Finish(Arc<Dir>, Option<Arc<OwnedFd>>),
    Done,
}

impl<'a> Sweep<'a> {
    /// Tells whether all is gone.
    fn top(&self, root: &Root, at: &RelPath, expected: Identity, position: Option<PathId>) -> Result<bool, FsError> {
        let (parent, name) = root.parent_of_any(at)?;
        let found = stat_at(&parent.fd, &name, Fresh::Now)?;
        if self.beneath.hidden.in_dir(parent.ino).has_name(&name) || self.beneath.hides(&found.identity) {
            self.kept_something.store(true, Ordering::Relaxed);
            return Ok(false);
        }
        if found.identity != expected {
            return Err(FsError::Changed);
        }
        if found.mounted {
            return Err(FsError::OtherDevice);
        }
        let dir = Arc::new(parent.fd);
        let above = Dir::start(dir.clone(), parent.ino, Clearing::new(None, 1));
        if found.identity.kind == NodeKind::Directory {
            let (position, mut opened) = (position, None);
            match self.beneath.enter(&dir, &name)? {
                Entered::Cut => self.kept_something.store(true, Ordering::Relaxed),
                Entered::Directory(it) if it.ino != expected.ino => return Err(FsError::Changed),
                Entered::Directory(it) => opened = Some(it),
            }
            let Some(opened) = opened else { return Ok(false) };
            let place = above.below(&name, opened.ino, Clearing::new(position, 0));
            let first = Step::Clear(place, Arc::new(opened.fd));
            rayon::in_place_scope(|scope| self.run(scope, first));
        } else {
            let mut bytes = 0;
            if !self.unlink(&above, &dir, &name, Some(found.identity.kind), &mut bytes) {
                return Err(FsError::Changed);
            }
            self.progress.add(1, bytes);
        }
        Ok(!above.state.stays.load(Ordering::Acquire))
    }

    fn run<'s>(&'s self, scope: &Scope<'s>, mut step: Step) {
        loop {
            step = match step {
                Step::Open { above, dir, name, position } => self.open(above, dir, &name, position),
                Step::Clear(place, fd) => self.clear(scope, place, fd),
                Step::Finish(place, fd) => self.finish(&place, fd),
                Step::Done => return,
            };
        }
    }

    fn open(&self, above: Arc<Dir>, dir: Arc<OwnedFd>, name: &CStr, position: Option<PathId>) -> Step {
        match self.beneath.enter(&dir, name) {
            Ok(Entered::Directory(opened)) => {
                let place = above.below(name, opened.ino, Clearing::new(position, 0));
                return Step::Clear(place, Arc::new(opened.fd));
            }
            Ok(Entered::Cut) => self.keep_in(&above),
            // Gone, or exchanged for something that the next pass over the directory above will meet.
            Err(FsError::NotFound | FsError::WrongKind) => {}
            Err(error) => self.fail_in(&above, name, error),
        }
        one_less(above, 1, Some(dir))
    }

    fn clear<'s>(&'s self, scope: &Scope<'s>, place: Arc<Dir>, fd: Arc<OwnedFd>) -> Step {
        let (mut names, mut files) = (Names::default(), Names::default());
        let mut positions = Vec::new();
        let (mut entries, mut bytes) = (0, 0);
        place.state.waiting.store(1, Ordering::Release);
        let hidden = self.beneath.hidden.in_dir(place.ino());
        let read = for_each(&fd, &mut self.buffers.mine(), |entry| {
            if hidden.has(&entry) {
                return self.keep_in(&place);
            }
            let position = place.state.position.and_then(|at| self.keep.paths.child(at, &escaped(entry.name)));
            if position.is_some_and(|id| self.keep.keeps(id)) {
                return self.keep_in(&place);
            }
            let mut kind = entry.kind;
            if kind.is_none() {
                kind = stat_at(&fd, entry.name, Fresh::Cached).ok().map(|stat| stat.identity.kind);
            }
            match kind {
                Some(NodeKind::Directory) => {
                    names.push(entry.name);
                    positions.push(position.filter(|id| self.keep.paths.has_children(*id)));
                }
                Some(NodeKind::File) => {
                    files.push(entry.name);
                    if files.len() == PIECE && !self.hand_over(scope, &place, &fd, &mut files) {
                        self.unlink_all(&place, &fd, &files);
                        files.clear();
                    }
                }
                _ => entries += u64::from(self.unlink(&place, &fd, entry.name, kind, &mut bytes)),
            }
        });
        self.unlink_all(&place, &fd, &files);
        if let Err(errno) = read {
            self.fail_in(&place, c"", errno.into());
        }
        self.progress.add(entries, bytes);
        if names.len() == 0 {
            return one_less(place, 1, Some(fd));
        }
        place.state.waiting.fetch_add(names.len() - 1, Ordering::AcqRel);
        self.branch(scope, place, fd, &names, positions)
    }

    /// Leaves these files to another thread, if not too many wait for one already. Removing from one directory is done one
    /// after another, but freeing what was removed is not.
    fn hand_over<'s>(&'s self, scope: &Scope<'s>, place: &Arc<Dir>, fd: &Arc<OwnedFd>, files: &mut Names) -> bool {
        if self.handed_over.fetch_add(1, Ordering::Relaxed) >= 2 * self.buffers.len().min(16) {
            self.handed_over.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        place.state.waiting.fetch_add(1, Ordering::AcqRel);
        let (place, fd, files) = (place.clone(), fd.clone(), std::mem::take(files));
        scope.spawn(move |scope| {
            self.handed_over.fetch_sub(1, Ordering::Relaxed);
            self.unlink_all(&place, &fd, &files);
            self.run(scope, one_less(place, 1, Some(fd)));
        });
        true
    }

    fn unlink_all(&self, place: &Dir, dir: &OwnedFd, files: &Names) {
        let (mut entries, mut bytes) = (0, 0);
        for name in files.iter() {
            entries += u64::from(self.unlink(place, dir, name, Some(NodeKind::File), &mut bytes));
        }
        self.progress.add(entries, bytes);
    }

    /// Leaves all but the last of the directories in `place` to other threads.
    fn branch<'s>(
        &'s self,
        scope: &Scope<'s>,
        place: Arc<Dir>,
        fd: Arc<OwnedFd>,
        names: &Names,
        positions: Vec<Option<PathId>>,
    ) -> Step {
        let count = names.len();
        if count > 1 {
            place.hold(&fd);
        }
        let mut all = names.iter().zip(positions);
        let piece = (count / 64).clamp(1, 64);
        let mut left = count - 1;
        while left > 0 {
            let some: Vec<(CString, Option<PathId>)> =
                all.by_ref().take(piece.min(left)).map(|(name, position)| (name.to_owned(), position)).collect();
            left -= some.len();
            let place = place.clone();
            scope.spawn(move |scope| self.open_each(scope, place, some));
        }
        match all.next() {
            Some((name, position)) => Step::Open { above: place, dir: fd, name: name.to_owned(), position },
            None => Step::Done,
        }
    }

    fn open_each<'s>(&'s self, scope: &Scope<'s>, above: Arc<Dir>, some: Vec<(CString, Option<PathId>)>) {
        match above.reach(self.beneath) {
            Ok(dir) => {
                for (name, position) in some {
                    self.run(scope, Step::Open { above: above.clone(), dir: dir.clone(), name, position });
                }
            }
            Err(error) => {
                self.fail_in(&above, c"", error);
                self.run(scope, one_less(above, some.len(), None));
            }
        }
    }

    fn finish(&self, place: &Arc<Dir>, fd: Option<Arc<OwnedFd>>) -> Step {
        let Some(above) = place.above().cloned() else { return Step::Done };
        if place.state.stays.load(Ordering::Acquire) {
            above.state.stays.store(true, Ordering::Release);
            return one_less(above, 1, None);
        }
        let reached = match fd {
            Some(fd) => above.reach_from(self.beneath, &*fd),
            None => above.reach(self.beneath),
        };
        match reached {
            Ok(dir) => match self.remove_empty(place, &above, &dir) {
                Ok(None) => one_less(above, 1, Some(dir)),
                Ok(Some(again)) => Step::Clear(place.clone(), again),
                Err(error) => {
                    self.fail_in(&above, place.name(), error);
                    one_less(above, 1, Some(dir))
                }
            },
            Err(error) => {
                self.fail_in(&above, place.name(), error);
                one_less(above, 1, None)
            }
        }
    }

    /// Removes a directory that was cleared. If something is in it all the same, it comes back open, to be cleared again.
    fn remove_empty(&self, place: &Dir, above: &Dir, dir: &OwnedFd) -> Result<Option<Arc<OwnedFd>>, FsError> {
        let is_top = above.above().is_none();
        if is_top && stat_at(dir, place.name(), Fresh::Cached).is_ok_and(|stat| stat.identity.ino != place.ino()) {
            return Err(FsError::Changed);
        }
        match unlinkat(dir, place.name(), AtFlags::REMOVEDIR) {
            Ok(()) => {
                self.progress.add(1, 0);
                Ok(None)
            }
            Err(Errno::NOENT) => Ok(None),
            // Something else is there now; the next pass over the directory above will meet it.
            Err(Errno::NOTDIR) if !is_top => Ok(None),
            Err(Errno::NOTDIR) => Err(FsError::Changed),
            Err(Errno::NOTEMPTY | Errno::EXIST) if place.state.passes.fetch_add(1, Ordering::Relaxed) < MOST_PASSES => {
                match self.beneath.enter(dir, place.name()) {
                    Ok(Entered::Directory(opened)) if opened.ino == place.ino() => Ok(Some(Arc::new(opened.fd))),
                    Ok(_) => Err(FsError::Changed),
                    Err(FsError::NotFound) => Ok(None),
                    Err(FsError::WrongKind) if !is_top => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Err(errno) => Err(refine(errno, dir, place.name())),
        }
    }

    /// Removes a file, link or special file that is not hidden; false if it turned out to be a directory.
    fn unlink(&self, place: &Dir, dir: &OwnedFd, name: &CStr, kind: Option<NodeKind>, bytes: &mut u64) -> bool {
        // Only the bytes of files are counted. One that cannot be looked at may still be removed.
        let is_file = kind == Some(NodeKind::File);
        let stat = if is_file { stat_at(dir, name, Fresh::Cached).ok() } else { None };
        if stat.is_some_and(|stat| self.beneath.hides(&stat.identity)) {
            self.keep_in(place);
            return true;
        }
        match unlinkat(dir, name, AtFlags::empty()) {
            Ok(()) => {
                if is_file {
                    self.files.fetch_add(1, Ordering::Relaxed);
                }
                if let Some(stat) = stat.filter(|stat| stat.identity.kind == NodeKind::File) {
                    *bytes += stat.size;
                    self.tally.removed(&stat);
                }
            }
            Err(Errno::NOENT) => {}
            Err(Errno::ISDIR) => return false,
            Err(errno) => self.fail_in(place, name, refine(errno, dir, name)),
        }
        true
    }

    fn keep_in(&self, place: &Dir) {
        place.state.stays.store(true, Ordering::Release);
        self.kept_something.store(true, Ordering::Relaxed);
    }

    fn fail_in(&self, place: &Dir, name: &CStr, error: FsError) {
        place.state.stays.store(true, Ordering::Release);
        self.fail(place.path_of(&self.base, name), error);
    }

    fn fail(&self, path: RelPath, error: FsError) {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner).push((path, error));
    }
}

/// So many directories in `place` are done with; the last one brings `place` itself to its end.
fn one_less(place: Arc<Dir>, count: usize, fd: Option<Arc<OwnedFd>>) -> Step {
    let last = place.state.waiting.fetch_sub(count, Ordering::AcqRel) == count;
    if last && place.above().is_some() { Step::Finish(place, fd) } else { Step::Done }
}

/// EPERM has several reasons; a mark on the file or its folder is one that the user can take off.
pub(super) fn refine(errno: Errno, dir: &OwnedFd, name: &CStr) -> FsError {
    if errno == Errno::PERM && (is_protected(dir, name) || is_protected(dir, c"")) {
        return FsError::Immutable;
    }
    errno.into()
}
