//! Where plugins come from, and what they were allowed: the built-in components, the plugins directory with its lock file
//! and grants, and starting and building new ones. Whoever lists or cleans needs the [`Catalog`] only.

mod build;
mod builtin;
mod catalog;
mod facts;
mod folder;
mod install;
mod new;
mod propose;
mod record;
mod request;
mod sources;
mod verify;

#[cfg(test)]
mod tests;

pub use build::{BuildError, Built, build, is_project};
pub use builtin::{BuiltIn, built_in};
pub(crate) use catalog::as_argument;
pub use catalog::{Catalog, Code, Known, Overridden, of_folder};
pub use facts::Facts;
pub use folder::{Folder, FolderError, Stray};
pub use install::{InstallError, install, remove};
pub use new::{Language, NewError, Project, new_project};
pub use propose::{Proposal, ProposalError, Wish};
pub use record::{Damaged, FORMAT, Grant, LockFile, LockFileError, Record, request};
pub use request::{Change, Request, rule_lines};
pub use sources::Sources;
pub use verify::{Checked, verify_folder, verify_plugins};
