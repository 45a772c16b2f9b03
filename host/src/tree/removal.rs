//! What a removal is told and what it tells.

use super::FsError;
#[cfg(unix)]
use crate::model::PathId;
use crate::model::{PathTree, RelPath};

/// Paths that stay when a directory above them goes: each with all beneath it, and the directories between. What is
/// kept at or above the path that goes does not matter: the caller has decided that.
#[derive(Clone, Copy)]
pub struct Keep<'a> {
    /// Where the kept paths are looked up.
    pub paths: &'a PathTree,
    /// By [`PathId::index`](crate::model::PathId::index): whether this path stays. Ids beyond its end do not.
    pub kept: &'a [bool],
}

#[cfg(unix)]
impl Keep<'_> {
    /// Whether this very path is kept.
    pub(super) fn keeps(&self, id: PathId) -> bool {
        self.kept.get(id.index()).copied().unwrap_or(false)
    }
}

/// What came of the removal of one path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removal {
    /// Names of regular files that were removed.
    pub files: u64,
    /// What is still there against the plan, and why.
    pub failures: Vec<(RelPath, FsError)>,
    /// Whether something stayed because it was to be kept, belongs to another root or is hidden.
    pub kept_something: bool,
    /// Whether nothing is left at the path.
    pub gone: bool,
}
