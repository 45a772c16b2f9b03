//! What a walk is asked for and what it yields.

use super::NodeKind;
use crate::model::Pattern;

/// Which nodes a walk yields. Directories that do not pass are entered all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// 1: what is directly in the directory. 0: no limit.
    pub max_depth: u32,
    /// None set: all.
    pub kinds: Kinds,
    /// Patterns of which the last component matches one. Empty: all.
    pub names: Vec<String>,
    /// Whether files are asked for their size and time, a system call for each.
    pub stat: bool,
}

/// A set of kinds; none set means all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Regular files.
    pub file: bool,
    /// Directories.
    pub directory: bool,
    /// Symbolic links.
    pub link: bool,
    /// Sockets, pipes, devices.
    pub other: bool,
}

/// One thing that a walk found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its path beneath the root, escaped.
    pub path: String,
    /// What it is.
    pub kind: NodeKind,
    /// A link's text, escaped; else empty.
    pub target: String,
    /// Bytes of a regular file, if asked for; else 0.
    pub size: u64,
    /// Last change of a regular file's content, nanoseconds since 1970, if asked for; else 0.
    pub modified: i64,
}

impl Filter {
    /// Whether the walk enters directories at this depth; what is directly in the start has depth 1.
    pub(super) fn enters(&self, depth: u32) -> bool {
        self.max_depth == 0 || depth < self.max_depth
    }

    /// Whether a node of this kind and (escaped) name is wanted.
    pub(super) fn passes(&self, kind: NodeKind, name: &str) -> bool {
        self.kinds.has(kind) && (self.names.is_empty() || self.names.iter().any(|one| Pattern::name_matches(one, name)))
    }
}

impl Kinds {
    fn has(self, kind: NodeKind) -> bool {
        if self == Self::default() {
            return true;
        }
        match kind {
            NodeKind::File => self.file,
            NodeKind::Directory => self.directory,
            NodeKind::Link => self.link,
            NodeKind::Other => self.other,
            NodeKind::Unreadable => true,
        }
    }
}
