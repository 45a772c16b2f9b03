//! What a removal asks of a root, for platforms on which nothing can be removed yet: nothing is in its way, and nothing
//! is put aside.

use std::path::{Path, PathBuf};

use super::{FsError, Identity, Measure, OpenFiles, Progress, Root, Stat};
use crate::model::{PathId, PathTree, RelPath};

const NO_MOVING: FsError = FsError::Unsupported("nothing can be put aside on this platform yet");

/// A folder that is never made.
#[derive(Debug)]
pub struct Holding(PathBuf);

impl Holding {
    /// Nothing is put aside here.
    ///
    /// # Errors
    /// Always.
    pub fn make(_: &Root, _: &str) -> Result<Self, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is put aside here.
    ///
    /// # Errors
    /// Always.
    pub fn make_unrecorded(_: &Root) -> Result<Self, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing waits here.
    ///
    /// # Errors
    /// Always.
    pub fn keep(&self) -> Result<PathBuf, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is ever left.
    pub fn unrecorded(_: &Root) -> Vec<Self> {
        Vec::new()
    }

    /// None ever is.
    pub fn folders_within() -> Vec<RelPath> {
        Vec::new()
    }

    /// No folder is ever made.
    pub fn places(_: &Root, _: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    /// No earlier run made one.
    ///
    /// # Errors
    /// Always.
    pub fn open(_: &Path, _: u64) -> Result<Self, FsError> {
        Err(FsError::NotFound)
    }

    /// Nothing is ever made.
    pub fn clear_away(_: &Path) {}

    /// Where it would be.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Nothing waits here.
    ///
    /// # Errors
    /// Always.
    pub fn stat(&self, _: usize) -> Result<Stat, FsError> {
        Err(FsError::NotFound)
    }

    /// There is none.
    pub fn identity(&self) -> (u64, u64) {
        (0, 0)
    }

    /// Nothing waits here.
    ///
    /// # Errors
    /// Never.
    pub fn drop_empty(&self, _: usize) -> Result<bool, FsError> {
        Ok(true)
    }

    /// Nothing waits here.
    ///
    /// # Errors
    /// Always.
    pub fn as_root(&self) -> Result<Root, FsError> {
        Err(NO_MOVING)
    }

    /// There is none to be removed.
    ///
    /// # Errors
    /// Never.
    pub fn remove_if_empty(&self) -> Result<bool, FsError> {
        Ok(true)
    }
}

impl Root {
    /// As [`Root::measure`]: what is in the way of a removal does not matter where nothing is removed.
    pub fn measure_and_inspect(
        &self,
        claims: &PathTree,
        buckets: &[bool],
        starts: &[PathId],
        _: &OpenFiles,
        progress: &Progress,
    ) -> Measure {
        self.measure(claims, buckets, starts, progress)
    }

    /// There is no such user on this platform.
    pub fn is_exposed(&self) -> bool {
        false
    }

    /// Nobody tells on this platform.
    pub fn is_remote(&self) -> bool {
        false
    }

    /// Whether it is an overlay.
    pub fn is_layered(&self) -> bool {
        false
    }

    /// The same root: nothing is remembered here.
    #[must_use]
    pub fn afresh(&self) -> Self {
        self.clone()
    }

    /// Nothing is changed on this platform anyway.
    pub fn is_read_only(&self) -> bool {
        false
    }

    /// There is nothing to be locked where nothing is removed.
    ///
    /// # Errors
    /// Always.
    pub fn open_again(&self) -> Result<std::fs::File, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is put aside here.
    ///
    /// # Errors
    /// Always.
    pub fn put_aside(&self, _: &RelPath, _: Identity, _: &Holding, _: usize) -> Result<(), FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is put aside here.
    ///
    /// # Errors
    /// Always.
    pub fn put_aside_if_empty(&self, _: &RelPath, _: Identity, _: &Holding, _: usize) -> Result<bool, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is put back here.
    ///
    /// # Errors
    /// Always.
    pub fn put_back(&self, _: &Holding, _: usize, _: &RelPath) -> Result<(), FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is put back here.
    ///
    /// # Errors
    /// Always.
    pub fn put_back_into(&self, _: &Holding, _: usize, _: &RelPath) -> Result<bool, FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is made here.
    ///
    /// # Errors
    /// Always.
    pub fn make_folder(&self, _: &RelPath) -> Result<(), FsError> {
        Err(NO_MOVING)
    }

    /// Nothing is changed here.
    ///
    /// # Errors
    /// Always.
    pub fn set_times(&self, _: &RelPath, _: i64, _: i64) -> Result<(), FsError> {
        Err(NO_MOVING)
    }

    /// Whether something hidden may be beneath a directory: it may.
    pub fn hides_beneath(&self, _: &RelPath) -> bool {
        true
    }
}
