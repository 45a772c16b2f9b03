//! The directories between the root and the spot where a pass is at work. A pass over a large tree has many directories
//! waiting; their descriptors are kept open only while few are, and opened anew, by path, beyond that.

use std::ffi::{CStr, CString};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use rustix::fd::{AsFd, OwnedFd};

use super::FsError;
use super::beneath::{Beneath, Opened};
use super::dir::escaped;
use crate::model::RelPath;

/// A directory that a pass has come through, with what the pass wants to remember of it.
pub(super) struct Place<T = ()> {
    above: Option<Arc<Place<T>>>,
    /// Empty for the place that a pass starts from.
    name: CString,
    ino: u64,
    held: OnceLock<Held>,
    pub state: T,
}

impl<T> Place<T> {
    /// The directory that a pass starts from; its descriptor stays open.
    pub fn start(fd: Arc<OwnedFd>, ino: u64, state: T) -> Arc<Self> {
        let held = OnceLock::from(Held { fd, counted: false });
        Arc::new(Self { above: None, name: CString::default(), ino, held, state })
    }

    /// A directory in this one.
    pub fn below(self: &Arc<Self>, name: &CStr, ino: u64, state: T) -> Arc<Self> {
        Arc::new(Self { above: Some(self.clone()), name: name.into(), ino, held: OnceLock::new(), state })
    }

    pub fn above(&self) -> Option<&Arc<Self>> {
        self.above.as_ref()
    }

    pub fn name(&self) -> &CStr {
        &self.name
    }

    pub fn ino(&self) -> u64 {
        self.ino
    }

    /// Keeps the descriptor open as long as the place is remembered, if not too many are already.
    pub fn hold(&self, fd: &Arc<OwnedFd>) {
        if HELD.fetch_add(1, Relaxed) < most_held() {
            // Losing a race against another holder gives the count back.
            let _ = self.held.set(Held { fd: fd.clone(), counted: true });
        } else {
            HELD.fetch_sub(1, Relaxed);
        }
    }

    /// The open directory: the one that is held, or the same one opened anew.
    pub fn reach(&self, beneath: &Beneath) -> Result<Arc<OwnedFd>, FsError> {
        let mut names = Vec::new();
        let mut at = self;
        loop {
            if let Some(held) = at.held.get() {
                if names.is_empty() {
                    return Ok(held.fd.clone());
                }
                return self.same(beneath.descend_again(&held.fd, names.into_iter().rev())?);
            }
            names.push(&*at.name);
            // A start is always held.
            at = at.above.as_deref().ok_or(FsError::NotFound)?;
        }
    }

    /// As [`Self::reach`], by a shorter way from an open directory in this one.
    pub fn reach_from(&self, beneath: &Beneath, child: impl AsFd) -> Result<Arc<OwnedFd>, FsError> {
        if self.held.get().is_none()
            && let Ok(up) = beneath.up(child)
            && let Ok(fd) = self.same(up)
        {
            return Ok(fd);
        }
        self.reach(beneath)
    }

    fn same(&self, opened: Opened) -> Result<Arc<OwnedFd>, FsError> {
        if opened.ino == self.ino { Ok(Arc::new(opened.fd)) } else { Err(FsError::Changed) }
    }

    /// The path of a name in this directory, beneath where the pass started.
    pub fn path_of(&self, base: &RelPath, name: &CStr) -> RelPath {
        let mut names = vec![escaped(name)];
        let mut at = self;
        while let Some(above) = &at.above {
            names.push(escaped(&at.name));
            at = above;
        }
        let below = names.iter().rev().map(AsRef::as_ref).filter(|name: &&str| !name.is_empty());
        RelPath::from_components(base.components().chain(below))
    }
}

impl<T> Drop for Place<T> {
    /// One after another: a tree may be deeper than the stack.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(mut place) = above.and_then(Arc::into_inner) {
            above = place.above.take();
        }
    }
}

struct Held {
    fd: Arc<OwnedFd>,
    counted: bool,
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.counted {
            HELD.fetch_sub(1, Relaxed);
        }
    }
}

/// Directories held open in the whole process.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// A small share of the files that this process may open.
fn most_held() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| {
        let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(limit / 8).unwrap_or(usize::MAX).clamp(16, 256)
    })
}
