//! The cache of TITLE: `${NAME_HOME}`, else `~/.cache/NAME`. Each file or folder directly in it is an entry, with its
//! name as the id. This says what is there; dscc measures, asks and removes.

use dscc_sdk::prelude::*;

/// The plugin. It keeps nothing between calls.
pub struct Plugin;

dscc_sdk::export!(Plugin);

impl CachePlugin for Plugin {
    /// Who this is, and which folder it asks to read: the first location whose variables are set.
    fn describe() -> Manifest {
        let root = RootRule::new("NAME").location("${NAME_HOME}").location("~/.cache/NAME");
        let version = env!("CARGO_PKG_VERSION");
        Manifest::new("NAME", version, "TITLE", "What TITLE keeps on disk.").license("MIT").root(root)
    }

    /// The entries of the one cache, which is the whole folder. They have no children.
    fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        let children = root.children("").context("the cache cannot be listed")?;
        Ok(children.iter().map(entry).collect())
    }
}

/// The path is the entry's id, and goes with it.
fn entry(child: &Node) -> Entry {
    // What it costs to have it back. `Uncertain` ones go only when they are named, `Irreplaceable` ones only by force.
    let entry = Entry::at(&child.path, "item").recovery(Recovery::Download);
    // Nobody knows what is in a folder that cannot be read.
    if child.kind == Kind::Unreadable { entry.state(State::Broken) } else { entry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dscc_sdk::testing::MemoryRoot;

    fn entries(root: &MemoryRoot) -> Vec<Entry> {
        Plugin::list_entries(root, "NAME", None, Detail::Full).unwrap().entries
    }

    #[test]
    fn an_empty_cache_has_no_entries() {
        assert!(entries(&MemoryRoot::new()).is_empty());
    }

    #[test]
    fn each_child_is_an_entry_that_owns_its_path() {
        let entries = entries(&MemoryRoot::new().file("a/1.bin", "12345").file("b.bin", "1"));
        assert_eq!(entries.iter().map(|entry| &*entry.id).collect::<Vec<_>>(), ["a", "b.bin"]);
        assert_eq!(entries[0].owns, ["a"]);
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_broken() {
        assert_eq!(entries(&MemoryRoot::new().unreadable("private"))[0].state, State::Broken);
    }
}
