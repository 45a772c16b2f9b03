//! The cache of TITLE: `${NAME_HOME}`, else `~/.cache/NAME`. Each file or folder directly in it is an entry, with its
//! name as the id. This says what is there; dscc measures, asks and removes.

use dscc_sdk::{
    Cache, CachePlugin, Detail, Directory, Entry, Filter, FsError, Kind, Listing, Location, Manifest, Node, Recovery,
    Result, RootRule, State,
};

/// The plugin. It keeps nothing between calls.
pub struct Plugin;

dscc_sdk::export!(Plugin);

impl CachePlugin for Plugin {
    /// Who this is, and which folder it asks to read: the first location whose variables are set.
    fn describe() -> Manifest {
        let named = Location::new("${NAME_HOME}");
        let usual = Location::new("~/.cache/NAME");
        let root = RootRule::new("NAME").location(named).location(usual);
        let version = env!("CARGO_PKG_VERSION");
        Manifest::new("NAME", version, "TITLE", "What TITLE keeps on disk.").license("MIT").root(root)
    }

    /// The caches in the folder: one, which is all of it.
    fn discover(_root: &dyn Directory, _rule: &str) -> Result<Vec<Cache>> {
        Ok(vec![Cache::new("NAME", "TITLE")])
    }

    /// The entries, which have no children.
    fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        let children = root.walk("", &Filter::direct()).map_err(FsError::text)?;
        Ok(children.map(|child| entry(&child)).collect())
    }
}

/// An entry of its own for each child: it owns the path, so the path goes with it.
fn entry(child: &Node) -> Entry {
    let (kind, state) = match child.kind {
        Kind::Directory => ("folder", State::Complete),
        Kind::File => ("file", State::Complete),
        // Nobody knows what is in a folder that cannot be read.
        Kind::Unreadable => ("folder", State::Broken),
        Kind::Link | Kind::Other => ("other", State::Complete),
    };
    // `Download` is a promise that nothing else makes it hard to get back; `Uncertain` goes only when it is named.
    Entry::new(&child.path, kind).owns(&child.path).state(state).recovery(Recovery::Download)
}

#[cfg(test)]
mod tests {
    use super::*;
    use dscc_sdk::testing::TempRoot;

    fn entries(root: &TempRoot) -> Vec<Entry> {
        Plugin::list_entries(root, "NAME", None, Detail::Full).unwrap().entries
    }

    #[test]
    fn an_empty_cache_has_no_entries() {
        assert!(entries(&TempRoot::new()).is_empty());
    }

    #[test]
    fn each_child_is_an_entry_that_owns_its_path() {
        let root = TempRoot::new().file("a/1.bin", "12345").file("b.bin", "1");
        let entries = entries(&root);
        assert_eq!(entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["a", "b.bin"]);
        assert_eq!(entries[0].owns, ["a"]);
        assert_eq!((entries[0].kind.as_str(), entries[1].kind.as_str()), ("folder", "file"));
    }
}
