//! Where plugins come from, and what they were allowed: the built-in components, the plugins directory with its lock file
//! and grants, and building new ones. Whoever lists or cleans needs the [`Catalog`] only.

mod build;
mod builtin;
mod catalog;
mod facts;
mod folder;
mod install;
mod propose;
mod record;
mod request;
mod verify;

#[cfg(test)]
mod tests;

pub use build::{BuildError, Built, build};
pub use builtin::{BuiltIn, built_in};
pub use catalog::{Catalog, Code, Known, Overridden, of_folder};
pub use facts::Facts;
pub use folder::{Folder, FolderError, Stray};
pub use install::{InstallError, install, remove};
pub use propose::{Proposal, ProposalError, Wish};
pub use record::{Damaged, FORMAT, Grant, LockFile, LockFileError, Record, request};
pub use request::{Change, Request, rule_lines};
pub use verify::{Checked, verify_folder, verify_plugins};
