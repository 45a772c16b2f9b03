//! Write plugins for `dscc`, the data-science cache cleaner. A plugin names what one library's cache holds; the host
//! opens the directories, measures, plans, asks and removes. This crate is all that a plugin depends on.
//!
//! A plugin implements [`CachePlugin`] and hands it to [`export!`], in a crate of type `cdylib` (and `rlib`, to test
//! it). Whatever it reads comes through a [`Directory`], so `cargo test` runs it on trees of its own, without
//! WebAssembly ([`testing`]). This is a whole plugin; it shows what is directly in `~/.cache/demo`:
//!
//! ```
//! use dscc_sdk::prelude::*;
//!
//! struct Demo;
//!
//! impl CachePlugin for Demo {
//!     fn describe() -> Manifest {
//!         Manifest::new("demo", "0.1.0", "Demo", "Downloads of the demo library.")
//!             .root(RootRule::new("demo").location("${DEMO_HOME}").location("~/.cache/demo"))
//!     }
//!
//!     fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
//!         let children = root.children("").context("the cache cannot be listed")?;
//!         Ok(children.iter().map(|child| Entry::at(&child.path, "item").recovery(Recovery::Download)).collect())
//!     }
//! }
//!
//! dscc_sdk::export!(Demo);
//!
//! let root = dscc_sdk::testing::MemoryRoot::new().file("a/weights.bin", "12345");
//! let level = Demo::list_entries(&root, "demo", None, Detail::Full).unwrap();
//! assert_eq!(level.entries[0].owns, ["a"]);
//! ```

#[doc(hidden)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "plugin",
        pub_export_macro: true,
        additional_derives: [PartialEq, Eq],
    });
}

mod directory;
mod entry;
mod error;
mod filter;
mod manifest;
mod plugin;
mod text;

#[cfg(feature = "json")]
pub mod json;
pub mod log;
pub mod path;
pub mod time;

#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use bindings::dscc::plugin::files::{Filter, FsError, Kind, Kinds, Node};
pub use bindings::dscc::plugin::types::{
    Cache, Detail, Edit, Entry, Expansion, Listing, Location, Lock, LockKind, Manifest, Moment, Records, Recovery,
    RootRule, State, Warning,
};
pub use directory::{Directory, Nodes};
pub use error::{Context, Error, Result};
pub use plugin::CachePlugin;
#[doc(hidden)]
pub use plugin::Component;
pub use text::Text;

/// All that most plugins name.
///
/// ```
/// use dscc_sdk::prelude::*;
///
/// assert_eq!(Entry::at("a", "item").state, State::Complete);
/// ```
pub mod prelude {
    pub use crate::{
        Cache, CachePlugin, Context, Detail, Directory, Edit, Entry, Error, Expansion, Filter, FsError, Kind, Kinds,
        Listing, Location, LockKind, Manifest, Moment, Node, Recovery, Result, RootRule, State, log, path, time,
    };
}

/// The guide's code compiles.
#[cfg(all(doctest, feature = "json"))]
#[doc = include_str!("../README.md")]
struct Guide;
