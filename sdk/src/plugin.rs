//! What an author implements, and how it becomes the component's exports.

#[cfg(target_family = "wasm")]
use crate::bindings::{dscc::plugin::files::Directory as Imported, exports::dscc::plugin::cache_plugin::Guest};
use crate::{Cache, Detail, Directory, Edit, Listing, Manifest, Result};

/// One library's cache. The same tree must give the same answers, and nothing is remembered from one call to the next:
/// each may find a fresh instance.
///
/// Two methods are enough. This plugin shows what is directly in `~/.cache/demo`:
///
/// ```
/// use dscc_sdk::prelude::*;
///
/// struct Demo;
///
/// impl CachePlugin for Demo {
///     fn describe() -> Manifest {
///         Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.")
///             .root(RootRule::new("demo").location("${DEMO_HOME}").location("~/.cache/demo"))
///     }
///
///     fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
///         let children = root.children("").context("the cache cannot be listed")?;
///         Ok(children.iter().map(|child| Entry::at(&child.path, "item").recovery(Recovery::Download)).collect())
///     }
/// }
///
/// dscc_sdk::export!(Demo);
/// # let root = dscc_sdk::testing::MemoryRoot::new().file("a", "1");
/// # assert_eq!(Demo::discover(&root, "demo").unwrap()[0].title, "Demo");
/// # assert_eq!(Demo::list_entries(&root, "demo", None, Detail::Full).unwrap().entries[0].owns, ["a"]);
/// ```
pub trait CachePlugin {
    /// Who the plugin is and which directories it asks to read.
    ///
    /// ```
    /// # use dscc_sdk::prelude::*;
    /// fn describe() -> Manifest {
    ///     Manifest::new("demo", env!("CARGO_PKG_VERSION"), "Demo", "Downloads of the demo library.")
    ///         .license("MIT")
    ///         .root(RootRule::new("demo").location("${DEMO_HOME}").location("~/.cache/demo"))
    /// }
    /// # assert_eq!(describe().name, "demo");
    /// ```
    fn describe() -> Manifest;

    /// The caches in a root that the rule gave or the user named for it; none if it only looks like one.
    ///
    /// By default one: all of the root, with the rule's id and the manifest's title.
    ///
    /// ```
    /// # use dscc_sdk::prelude::*;
    /// fn discover(root: &dyn Directory, _rule: &str) -> Result<Vec<Cache>> {
    ///     let data = root.node("data")?.map(|_| Cache::new("demo-data", "Demo data").at("data"));
    ///     Ok(data.into_iter().collect())
    /// }
    /// # let root = dscc_sdk::testing::MemoryRoot::new().file("data/a", "1");
    /// # assert_eq!(discover(&root, "demo").unwrap()[0].path, "data");
    /// ```
    ///
    /// # Errors
    /// When it cannot be told what the root is.
    fn discover(root: &dyn Directory, rule: &str) -> Result<Vec<Cache>> {
        let _ = root;
        Ok(vec![Cache::new(rule, &Self::describe().title)])
    }

    /// One level: the entries of a cache, or the children of the entry `parent`. Asked for an outline, the answer may
    /// leave out what only decides and describes.
    ///
    /// ```
    /// # use dscc_sdk::prelude::*;
    /// fn list_entries(root: &dyn Directory, _cache: &str, parent: Option<&str>, _detail: Detail) -> Result<Listing> {
    ///     let level = root.children(parent.unwrap_or_default()).context("the level cannot be listed")?;
    ///     let entry = |child: &Node| match (parent, child.is_directory()) {
    ///         (None, true) => Entry::at(&child.path, "dataset").with_children(),
    ///         (_, _) => Entry::at(&child.path, "file").recovery(Recovery::Download),
    ///     };
    ///     Ok(level.iter().map(entry).collect())
    /// }
    /// # let root = dscc_sdk::testing::MemoryRoot::new().file("a/b", "1");
    /// # assert_eq!(list_entries(&root, "demo", Some("a"), Detail::Full).unwrap().entries[0].id, "a/b");
    /// ```
    ///
    /// # Errors
    /// When the level cannot be listed at all. What can be listed in part is better listed, with a warning.
    fn list_entries(root: &dyn Directory, cache: &str, parent: Option<&str>, detail: Detail) -> Result<Listing>;

    /// The records that index files lose when these entries go; a parent stands for its children.
    ///
    /// By default nothing, which is right for a cache without index files: the host removes what entries claim by
    /// itself.
    ///
    /// ```
    /// # use dscc_sdk::prelude::*;
    /// fn delete_entry(_root: &dyn Directory, _cache: &str, ids: &[String]) -> Result<Vec<Edit>> {
    ///     Ok(vec![Edit::drop_lines("files.txt", Moment::Before, ids.to_vec())])
    /// }
    /// # assert_eq!(delete_entry(&dscc_sdk::testing::MemoryRoot::new(), "demo", &["a".into()]).unwrap().len(), 1);
    /// ```
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

    fn discover(root: &Imported, rule: String) -> Result<Vec<Cache>, String> {
        report_panics();
        P::discover(root, &rule).map_err(String::from)
    }

    fn list_entries(root: &Imported, cache: String, parent: Option<String>, detail: Detail) -> Result<Listing, String> {
        report_panics();
        P::list_entries(root, &cache, parent.as_deref(), detail).map_err(String::from)
    }

    fn delete_entry(root: &Imported, cache: String, ids: Vec<String>) -> Result<Vec<Edit>, String> {
        report_panics();
        P::delete_entry(root, &cache, &ids).map_err(String::from)
    }
}

/// A panic ends the instance; its message and place would be lost with it. Set anew in each call, which costs nothing.
#[cfg(target_family = "wasm")]
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("a panic");
        let Some(place) = panic.location() else { return crate::log::error(message) };
        crate::log::error(&crate::text::joined(&[place.file(), ":", &place.line().to_string(), ": ", message]));
    }));
}

/// Makes the component's exports of a [`CachePlugin`]. Once in a crate; on other targets than WebAssembly it does
/// nothing, so that the crate can be tested there.
///
/// ```
/// # use dscc_sdk::prelude::*;
/// struct Demo;
///
/// impl CachePlugin for Demo {
///     fn describe() -> Manifest {
///         Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.")
///     }
///
///     fn list_entries(_: &dyn Directory, _: &str, _: Option<&str>, _: Detail) -> Result<Listing> {
///         Ok(Listing::default())
///     }
/// }
///
/// dscc_sdk::export!(Demo);
/// ```
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
