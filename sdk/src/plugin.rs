//! What an author implements, and how it becomes the component's exports.

#[cfg(target_family = "wasm")]
use crate::bindings::{dscc::plugin::files::Directory as Imported, exports::dscc::plugin::cache_plugin::Guest};
use crate::{Cache, Detail, Directory, Edit, Listing, Manifest};

/// What a plugin's functions return. The error is a sentence for the user: what failed, on what, what to do.
pub type Result<T> = std::result::Result<T, String>;

/// One library's cache. The same tree must give the same answers, and nothing is remembered from one call to the next:
/// each may find a fresh instance.
pub trait CachePlugin {
    /// Who the plugin is and which directories it asks to read.
    fn describe() -> Manifest;

    /// The caches in a root that the rule gave or the user named for it; none if it only looks like one.
    ///
    /// # Errors
    /// When it cannot be told what the root is.
    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>>;

    /// One level: the entries of a cache, or the children of the entry `parent`.
    ///
    /// # Errors
    /// When the level cannot be listed at all. What can be listed in part is better listed, with a warning.
    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing>;

    /// The records that index files lose when these entries go; a parent stands for its children. Nothing, for a cache
    /// without index files.
    ///
    /// # Errors
    /// An error keeps the entries.
    fn delete_entry(root: &dyn Directory, cache: &str, ids: &[String]) -> Result<Vec<Edit>> {
        let _ = (root, cache, ids);
        Ok(vec![])
    }
}

/// The component that [`export!`](crate::export) makes of a plugin.
#[doc(hidden)]
pub struct Component<P>(std::marker::PhantomData<P>);

#[cfg(target_family = "wasm")]
impl<P: CachePlugin> Guest for Component<P> {
    fn describe() -> Manifest {
        report_panics();
        P::describe()
    }

    fn discover(root: &Imported, rule: String) -> Result<Vec<Cache>> {
        report_panics();
        P::discover(root, &rule)
    }

    fn list_entries(root: &Imported, cache: String, parent: Option<String>, detail: Detail) -> Result<Listing> {
        report_panics();
        P::list_entries(root, &cache, parent.as_deref(), detail)
    }

    fn delete_entry(root: &Imported, cache: String, ids: Vec<String>) -> Result<Vec<Edit>> {
        report_panics();
        P::delete_entry(root, &cache, &ids)
    }
}

/// A panic ends the instance; its message and place would be lost with it.
#[cfg(target_family = "wasm")]
fn report_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string()))));
}

/// Makes the component's exports of a [`CachePlugin`]. Once in a crate; on other targets than WebAssembly it does
/// nothing, so that the crate can be tested there.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            type Exported = $crate::Component<$plugin>;
    $crate::bindings::export!(Exported with_types_in $crate::bindings);
        };
    };
}
