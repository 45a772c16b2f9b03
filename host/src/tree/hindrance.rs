//! What is in the way of a removal, in words for the person who has to act on it.

use std::fmt::{Display, Formatter, Result};

use super::Process;
use crate::model::{PathId, RelPath};

/// Something that a removal would disturb, or that would keep it from succeeding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// Where.
    pub path: RelPath,
    /// The bucket of the measuring pass that it is in.
    pub bucket: PathId,
    /// What.
    pub obstacle: Obstacle,
}

/// What is in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// Processes use this file, or stand in this folder.
    Used(Vec<Process>),
    /// It belongs to this user.
    Foreign(u32),
    /// A file that is marked immutable or append-only.
    Protected,
    /// A folder that is marked so.
    Sealed,
    /// A folder in which we may not remove anything.
    Closed,
    /// It belongs to somebody else and is in a folder in which only the owner of a thing may remove it.
    Sticky,
}

impl Obstacle {
    /// Whether it concerns what is directly in the folder, be that a claim of its own or not.
    pub fn is_of_folder(&self) -> bool {
        matches!(self, Self::Sealed | Self::Closed)
    }

    /// A number for each kind.
    #[cfg(unix)]
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::Used(_) => 0,
            Self::Foreign(_) => 1,
            Self::Protected => 2,
            Self::Sealed => 3,
            Self::Closed => 4,
            Self::Sticky => 5,
        }
    }
}

/// A part of a sentence that begins with the path.
impl Display for Obstacle {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Used(processes) => {
                f.write_str("is used by ")?;
                for (at, Process { pid, name }) in processes.iter().take(3).enumerate() {
                    write!(f, "{}{name} (process {pid})", if at == 0 { "" } else { ", " })?;
                }
                if processes.len() > 3 { write!(f, " and {} more", processes.len() - 3) } else { Ok(()) }
            }
            Self::Foreign(uid) => write!(f, "belongs to another user ({uid})"),
            Self::Protected => f.write_str("is marked immutable or append-only"),
            Self::Sealed => f.write_str("is a folder that is marked immutable or append-only"),
            Self::Closed => f.write_str("is a folder in which you may not remove anything"),
            Self::Sticky => f.write_str("is not yours, and in its folder only the owner of a thing may remove it"),
        }
    }
}
