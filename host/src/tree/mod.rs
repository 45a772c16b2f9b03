//! Everything that touches the files of a cache: a handle on one directory, beneath which the rest of the program reads,
//! walks, measures and removes. Nothing here follows a link, crosses to another file system or leaves the root, whatever
//! other processes do to the tree meanwhile. It knows nothing of WebAssembly, plugins or terminals.

mod error;
mod hindrance;
mod processes;
mod stat;
mod surroundings;
mod tally;
mod usage;

pub use error::FsError;
pub use filter::{Filter, Kinds, Node};
pub use hindrance::{Hindrance, Obstacle};
pub use processes::{OpenFiles, Process};
pub use stat::{Identity, NodeKind, Stat};
pub use tally::{Freed, LinkTally};
pub use usage::{LinkedInode, Measure, Progress, Usage};

mod filter;

#[cfg(unix)]
mod beneath;
#[cfg(unix)]
mod desk;
#[cfg(unix)]
mod dir;
#[cfg(unix)]
mod holding;
#[cfg(unix)]
mod inspect;
#[cfg(unix)]
mod measure;
#[cfg(unix)]
mod memory;
#[cfg(unix)]
mod moving;
#[cfg(unix)]
mod place;
#[cfg(unix)]
mod remove;
#[cfg(unix)]
mod rewrite;
#[cfg(unix)]
mod root;
#[cfg(unix)]
mod secrets;
#[cfg(unix)]
mod sums;
#[cfg(unix)]
mod walk;
#[cfg(unix)]
pub use {holding::Holding, root::Root, secrets::Secrets, walk::Walker};

#[cfg(not(unix))]
mod plain;
#[cfg(not(unix))]
mod plain_removal;
#[cfg(not(unix))]
pub use {
    plain::{Root, Secrets, Walker},
    plain_removal::Holding,
};

mod removal;
mod space;
pub use removal::{Keep, Removal};
pub use space::Space;

#[cfg(test)]
#[cfg(unix)]
mod tests;
