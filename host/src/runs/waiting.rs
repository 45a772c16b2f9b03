//! What waits of one root: the very folder it was put into, and in it nothing but what was put there. Whatever else is
//! found there belongs to somebody who exchanged it meanwhile, and is given back, never deleted.

use std::io;
use std::path::Path;

use rayon::prelude::*;

use crate::model::{PathTree, RelPath};
use crate::tree::{FsError, Holding, Keep, LinkTally, NodeKind, Progress, Root, Stat};

use super::record::{ItemRecord, RootRecord};

/// What is known of a thing that waits under a number.
#[derive(Clone, Copy)]
pub(super) struct Waits<'a> {
    pub number: usize,
    /// Where it was.
    pub path: &'a RelPath,
    pub ino: u64,
    pub kind: NodeKind,
    /// Whether it is a folder that was empty, and went for that.
    pub emptied: bool,
}

impl Waits<'_> {
    /// Whether this is it.
    pub fn is(&self, found: &Stat) -> bool {
        (found.identity.ino, found.identity.kind) == (self.ino, self.kind)
    }
}

impl RootRecord {
    /// Opens the folder in which things wait.
    ///
    /// # Errors
    /// When it is not there, or is another one.
    pub fn open_holding(&self) -> Result<Holding, FsError> {
        Holding::open(&self.holding, self.held_in.1)
    }

    /// Whether that folder is gone for good: it is not there, and the file system that it was on is.
    pub(super) fn is_gone(&self) -> bool {
        let is_missing =
            |path: &Path| path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        let above = self.holding.ancestors().find(|path| !is_missing(path));
        let same_device = above.filter(|path| *path != self.holding).and_then(device) == Some(self.held_in.0);
        is_missing(&self.holding) && (same_device || self.open_root().is_ok())
    }

    /// What was put aside.
    pub(super) fn waits(&self) -> Vec<Waits<'_>> {
        let all = self.items.iter().enumerate();
        all.map(|(number, ItemRecord { path, ino, kind, emptied, .. })| Waits {
            number,
            path,
            ino: *ino,
            kind: *kind,
            emptied: *emptied,
        })
        .collect()
    }

    /// Opens the root that things were taken out of.
    ///
    /// # Errors
    /// When it is not there, or is another folder than it was.
    pub(super) fn open_root(&self) -> Result<Root, FsError> {
        let root = Root::open(&self.path)?;
        if root.identity().1 == self.ino { Ok(root) } else { Err(FsError::Changed) }
    }
}

#[cfg(unix)]
fn device(path: &Path) -> Option<u64> {
    use std::os::unix::fs::MetadataExt as _;
    path.symlink_metadata().ok().map(|it| it.dev())
}

#[cfg(not(unix))]
fn device(_: &Path) -> Option<u64> {
    None
}

/// Gives back what waits and is not what was put aside, and what somebody put into a folder that was empty.
pub(super) fn give_back_strangers(root: &Root, holding: &Holding, items: &[Waits<'_>]) {
    for item in items {
        let Ok(found) = holding.stat(item.number) else { continue };
        let is_strange = !item.is(&found) || item.emptied && !matches!(holding.drop_empty(item.number), Ok(true));
        if is_strange && root.put_back(holding, item.number, item.path) == Err(FsError::Taken) && item.emptied {
            // What cannot be given back waits on, and is told when the rest is deleted.
            let _ = root.put_back_into(holding, item.number, item.path);
        }
    }
}

/// Deletes what waits in a holding; what is left, by item.
pub(super) fn purge(
    holding: &Holding,
    items: &[Waits<'_>],
    tally: &LinkTally,
    progress: &Progress,
) -> Vec<(usize, RelPath, FsError)> {
    let root = match holding.as_root() {
        Ok(root) => root,
        Err(error) => return vec![(0, RelPath::root(), error)],
    };
    let (paths, keep) = (PathTree::default(), []);
    let one = |item: &Waits<'_>| {
        let Ok(at) = RelPath::parse(&item.number.to_string()) else { return Vec::new() };
        let error = match holding.stat(item.number) {
            Err(FsError::NotFound) => return Vec::new(),
            Err(error) => Some(error),
            Ok(found) if !item.is(&found) => Some(FsError::Stranded),
            Ok(_) if item.emptied => match holding.drop_empty(item.number) {
                Ok(true) => return Vec::new(),
                Ok(false) => Some(FsError::Stranded),
                Err(error) => Some(error),
            },
            Ok(found) => {
                let keep = Keep { paths: &paths, kept: &keep };
                let removal = root.remove(&at, found.identity, &keep, tally, progress);
                return removal.failures.into_iter().map(|(path, error)| (item.number, path, error)).collect();
            }
        };
        error.into_iter().map(|error| (item.number, at.clone(), error)).collect()
    };
    items.par_iter().flat_map_iter(one).collect()
}
