//! Trees for a plugin's tests, which need no WebAssembly: [`MemoryRoot`], made of nothing but text, and [`TempRoot`] or
//! [`Tree`], a real directory read with the standard library. All of them keep the host's rules: nothing above the root,
//! no link followed, names escaped, what cannot be read given as such.

mod memory;
mod real;

pub use memory::MemoryRoot;
pub use real::{TempRoot, Tree};

use crate::{Filter, Kind, Kinds, Node};

/// Whether a walk gives the node.
fn passes(node: &Node, filter: &Filter) -> bool {
    let kind = match node.kind {
        Kind::File => Kinds::FILE,
        Kind::Directory => Kinds::DIRECTORY,
        Kind::Link => Kinds::LINK,
        Kind::Other => Kinds::OTHER,
        Kind::Unreadable => return true,
    };
    (filter.kinds.is_empty() || filter.kinds.contains(kind))
        && (filter.names.is_empty() || filter.names.iter().any(|pattern| matches(pattern, node.name())))
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::{Directory, FsError};

    /// What a plugin can see of a root: each walk, each look at a file.
    fn seen(root: &dyn Directory) -> Vec<String> {
        let filters = [
            Filter::all(),
            Filter::direct().stat(),
            Filter::all().depth(2).kinds(Kinds::FILE | Kinds::LINK),
            Filter::all().name("*.json").name("b*").stat(),
        ];
        let places =
            ["", "a", "a/b", "a-b", "link", "file.json", "none", "none/x", "file.json/x", "link/c", "../x", "a//b"];
        let mut seen = vec![];
        for at in places {
            for filter in &filters {
                let nodes = root.walk(at, filter).map(|nodes| {
                    // Times on disk are of today, and of the order only that of parents is promised.
                    let mut nodes: Vec<Node> = nodes.map(|node| Node { modified: 0, ..node }).collect();
                    nodes.sort_by(|a, b| a.path.cmp(&b.path));
                    nodes
                });
                seen.push(format!("{at}: {nodes:?}"));
            }
            seen.push(format!("{at}: {:?}", root.read(&[at.into(), format!("{at}/c.json")], 4)));
            seen.push(format!("{at}: {:?}", root.node(at)));
        }
        seen
    }

    #[test]
    fn a_tree_in_memory_and_one_on_disk_answer_alike() {
        let memory = MemoryRoot::new().file("a/b/c.json", "1234").file("a/b/d.bin", "12345").file("a-b/c.json", "[]");
        let memory = memory.link("link", "a").file("file.json", "{}").directory("empty").file("a/\\xff\\\\", "");
        let disk = TempRoot::new().file("a/b/c.json", "1234").file("a/b/d.bin", "12345").file("a-b/c.json", "[]");
        let disk = disk.link("link", "a").file("file.json", "{}").directory("empty").file("a/\\xff\\\\", "");
        for (memory, disk) in seen(&memory).into_iter().zip(seen(&disk)) {
            assert_eq!(memory, disk);
        }
    }

    #[test]
    fn children_come_in_the_order_of_their_names_and_parents_before_what_is_in_them() {
        let root = MemoryRoot::new().file("b", "").file("a/x", "").file("a-b", "").file("a!", "");
        let names: Vec<_> = (&root as &dyn Directory).children("").unwrap().into_iter().map(|node| node.path).collect();
        assert_eq!(names, ["a", "a!", "a-b", "b"]);
        let walked: Vec<_> = root.walk("", &Filter::all()).unwrap().map(|node| node.path).collect();
        assert!(walked.iter().position(|path| path == "a") < walked.iter().position(|path| path == "a/x"));
    }

    #[test]
    fn a_change_is_that_of_the_newest_file_and_what_holds_none_has_no_time() {
        let root = MemoryRoot::new().file("top", "").modified(5).file("in/a/1", "").modified(30).file("in/a/2/3", "");
        let root = root.modified(20).file("in/ab", "").modified(10).directory("in/none").unreadable("in/closed");
        let root: &dyn Directory = &root.link("in/link", "a");
        let changed = |at: &str| root.changed(at).map(|times| times.into_iter().collect::<Vec<_>>());
        let pair = |path: &str, time: &str| (path.to_owned(), time.to_owned());
        assert_eq!(changed(""), Ok(vec![pair("in", "30"), pair("top", "5")]));
        assert_eq!(changed("in"), Ok(vec![pair("in/a", "30"), pair("in/ab", "10")]));
        assert_eq!(changed("none"), Err(FsError::NotFound));
    }

    #[test]
    fn nothing_is_read_behind_what_may_not_be_read() {
        let root = MemoryRoot::new().unreadable("closed");
        assert_eq!(
            root.read(&["closed/a".into(), "closed".into()], 9),
            [Err(FsError::Denied), Err(FsError::WrongKind)]
        );
        assert_eq!((&root as &dyn Directory).node("closed/a"), Err(FsError::Denied));
    }

    #[test]
    #[should_panic(expected = "`a` is no directory")]
    fn a_tree_that_cannot_be_is_not_made() {
        let _ = MemoryRoot::new().file("a", "1").file("a/b", "2");
    }
}
