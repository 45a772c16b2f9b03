//! dscc, the data-science cache cleaner: shows and cleans what machine-learning libraries leave on disk. Plugins, which
//! are sandboxed WebAssembly components, name things; the host weighs them and removes them.
//!
//! The layers, each of which knows only those before it:
//!
//! | module | part |
//! |---|---|
//! | [`model`] | the words: paths, entries, manifests |
//! | [`folders`], [`settings`], [`roots`] | where things are on this machine, and what the user has settled |
//! | [`tree`] | everything beneath one root: reading, walking, measuring, removing |
//! | [`runtime`] | WebAssembly: calling plugins, and what they may do |
//! | [`plugins`] | where plugins come from |
//! | [`clean`] | claims, selection, plan, removal |
//! | [`runs`] | what runs take out of caches: records, putting back, deleting, the journal |
//! | [`survey`] | what is there: brings the above together |
//! | [`ui`] | tables, prompts, JSON |
//! | [`documents`] | what was found and planned, as JSON |
//! | [`conformance`] | what every plugin must keep, and what an author's cases say |
//! | [`cli`] | the commands |

pub mod clean;
pub mod cli;
pub mod conformance;
pub mod documents;
pub mod folders;
pub mod model;
pub mod plugins;
pub mod roots;
pub mod runs;
pub mod runtime;
pub mod settings;
#[cfg(all(test, unix))]
mod skipped;
pub mod survey;
pub mod tree;
pub mod ui;
