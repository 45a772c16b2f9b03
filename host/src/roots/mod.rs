//! From a plugin's root rules to directories of this machine. Everything comes from an explicit [`Environment`], so each
//! case is one row of a table test; a directory that must never be a root is refused with its reason, and nothing is
//! tried in its place.

mod candidate;
mod environment;
mod evaluate;
mod location;
mod look;
mod never;
mod overrides;
mod protected;
mod refusal;
mod resolve;
mod rules;

pub use candidate::{Candidate, Origin, Outcome};
pub use environment::Environment;
pub use location::{LocationError, Template};
pub use never::never;
pub use overrides::{Override, OverrideError};
pub use refusal::Refusal;
pub use resolve::resolve;
pub use rules::check_manifest;

use std::ffi::OsStr;

/// A path or a value as messages show it: reversible where paths have the escaped form of [`crate::model`], plain where
/// the backslash is a separator.
fn shown(text: &OsStr) -> String {
    if cfg!(windows) { text.to_string_lossy().into_owned() } else { crate::model::escape_text(text) }
}

#[cfg(test)]
mod tests;
