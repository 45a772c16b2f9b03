//! What a plugin says of itself and asks for. The texts are checked where they come in, from a component or
//! a file, by [`check_manifest`](crate::roots::check_manifest); from there on they can be trusted to have the right form.

use serde::{Deserialize, Serialize};

use super::Pattern;

/// Who a plugin is and which directories it asks to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Unique among plugins; what `-c` takes for all of the plugin's caches.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// The library, as its users call it.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// Where to read more.
    pub homepage: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
    /// The kinds of directory it asks for.
    pub roots: Vec<RootRule>,
    /// Further facts to show.
    pub extra: Vec<(String, String)>,
}

/// One kind of directory that a plugin asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootRule {
    /// What `--root ID=PATH` says; unique in the plugin.
    pub id: String,
    /// In order of precedence: the first that applies is the root, whether or not it exists.
    pub locations: Vec<Location>,
    /// One of these must exist beneath the root, unless the root is empty or there are none.
    pub marks: Vec<Pattern>,
    /// The files that edits may drop records from.
    pub indexes: Vec<Pattern>,
}

/// Where a root may be: `${VAR}/hub`, `~/.cache/x`, `{cache}/*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Location {
    /// The text with its variables.
    pub path: String,
    /// What the library does with the variables' values.
    pub expand: Expansion,
}

/// What a library does with the value of an environment variable that names a folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expansion {
    /// `~` and `~user` at the start of the value.
    pub home: bool,
    /// `$VAR` and `${VAR}` within the value; an unknown one stays as it is written.
    pub variables: bool,
    /// An empty value counts as set.
    pub empty: bool,
}
