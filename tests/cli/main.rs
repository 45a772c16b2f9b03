//! Whole-program tests: the real binary in a home of its own, as a user runs it, and the library with components that
//! mean ill. Each file is one theme, each test one promise; `sandbox`, `hub`, `tree` and `components` are what they
//! build their worlds with. Nothing outside of a temporary folder is read or written, but for the checkout itself in
//! `project` and compiled code in the target folder.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a failure to set the scene is a failure")]

mod apply;
mod clean;
mod clean_store;
mod code_cache;
mod components;
mod concurrent;
mod conformance;
mod credentials;
mod datamaestro;
mod default_plan;
mod edited_plans;
mod environment;
mod faults;
mod full_disk;
mod hf_datasets;
mod hf_home;
mod history;
mod hostile_answers;
mod hostile_components;
mod hostile_names;
mod hostile_plugins;
mod hostile_races;
mod hostile_trees;
mod hub;
mod in_use;
mod ir_datasets;
mod killed;
mod list;
mod lying_components;
mod nested_roots;
mod paths;
mod peer_faults;
mod plugin_add;
mod plugin_build;
mod plugin_failures;
mod plugin_folder;
mod plugin_new;
mod plugin_races;
mod plugin_refusals;
mod plugin_replace;
mod plugin_update;
mod plugin_verify;
mod plugins;
mod privileges;
mod project;
mod prompt;
mod protection;
mod removal_places;
mod removal_races;
mod roots_of_libraries;
mod sandbox;
mod select;
mod shared_roots;
mod show;
mod signals;
mod transformers;
mod tree;
mod truth;
mod undo;
mod versions;
mod world;
