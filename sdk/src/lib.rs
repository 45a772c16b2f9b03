//! Write plugins for `dscc`, the data-science cache cleaner. A plugin names what one library's cache holds; the host
//! opens the directories, measures, plans, asks and removes. This crate is all that a plugin depends on.
//!
//! A plugin implements [`CachePlugin`] and hands it to [`export!`], in a crate of type `cdylib` (and `rlib`, to test
//! it). Whatever it reads comes through a [`Directory`], so `cargo test` runs it on real directories, without
//! WebAssembly ([`testing`]). This one shows each file of `~/.cache/demo`:
//!
//! ```
//! use dscc_sdk::{Cache, CachePlugin, Detail, Directory, Entry, Filter, Kinds, Listing, Location, Manifest, Result};
//! use dscc_sdk::{FsError, Recovery, RootRule};
//!
//! struct Demo;
//!
//! impl CachePlugin for Demo {
//!     fn describe() -> Manifest {
//!         Manifest::new("demo", "0.1.0", "Demo", "Downloads of the demo library.")
//!             .root(RootRule::new("demo").location(Location::new("~/.cache/demo")))
//!     }
//!
//!     fn discover(_root: &dyn Directory, _rule: &str) -> Result<Vec<Cache>> {
//!         Ok(vec![Cache::new("demo", "Demo")])
//!     }
//!
//!     fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
//!         let files = root.walk("", &Filter::direct().kinds(Kinds::FILE)).map_err(FsError::text)?;
//!         Ok(files.map(|file| Entry::new(&file.path, "file").owns(&file.path).recovery(Recovery::Download)).collect())
//!     }
//! }
//!
//! dscc_sdk::export!(Demo);
//!
//! # #[cfg(unix)] {
//! let home = dscc_sdk::testing::TempRoot::new().file("a.bin", "12345");
//! let level = Demo::list_entries(&home, "demo", None, Detail::Full).unwrap();
//! assert_eq!(level.entries[0].owns, ["a.bin"]);
//! # }
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

mod build;
mod directory;
mod plugin;

pub mod log;
pub mod path;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use bindings::dscc::plugin::files::{Filter, FsError, Kind, Kinds, Node};
pub use bindings::dscc::plugin::types::{
    Cache, Detail, Edit, Entry, Expansion, Listing, Location, Lock, LockKind, Manifest, Moment, Records, Recovery,
    RootRule, State, Warning,
};
pub use directory::{Directory, Nodes};
#[doc(hidden)]
pub use plugin::Component;
pub use plugin::{CachePlugin, Result};
