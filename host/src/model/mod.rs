//! The words of the whole program as plain data: paths beneath a root, manifests, entries, edits. Everything above
//! (roots, runtime, tree, clean, ui, cli) speaks in these types; they know nothing of files, WebAssembly or terminals.

pub(crate) mod check;
mod entry;
mod manifest;
mod path;
mod path_tree;
mod problem;
mod time;

pub use entry::{Cache, Detail, Edit, Entry, Listing, Lock, LockKind, Moment, Recovery, State, Warning};
pub use manifest::{Expansion, Location, Manifest, RootRule};
pub use path::{PathError, Pattern, RelPath, escape_name, escape_text, unescape_name};
pub use path_tree::{PathId, PathTree};
pub use problem::Problem;
pub use time::parse_timestamp;
