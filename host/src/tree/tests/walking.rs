//! The walk yields what passes the filter, in one order, and says when it could not look.

use super::*;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.file("b/file.json", 3);
    sandbox.file("b/c/file.txt", 4);
    sandbox.link("b/c/link", "../file.json");
    sandbox.folder("a");
    sandbox.file("b.txt", 5);
    sandbox
}

fn all(root: &Root, at: &str, filter: Filter, portion: usize) -> Vec<Node> {
    let mut walker = root.walk(&path(at), filter).unwrap();
    let mut nodes = Vec::new();
    loop {
        let some = walker.next(portion);
        assert!(some.len() <= portion);
        if some.is_empty() {
            assert!(!walker.met_unreadable());
            return nodes;
        }
        nodes.extend(some);
    }
}

fn paths(nodes: &[Node]) -> Vec<&str> {
    nodes.iter().map(|node| &*node.path).collect()
}

#[test]
fn the_order_is_fixed_with_parents_first_whatever_the_portions() {
    let sandbox = sandbox();
    for way in ways() {
        let root = sandbox.root(way);
        for portion in [1, 2, 100] {
            let nodes = all(&root, "", Filter::default(), portion);
            let expected = ["a", "b", "b/c", "b/c/file.txt", "b/c/link", "b/file.json", "b.txt"];
            assert_eq!(paths(&nodes), expected);
        }
        assert_eq!(paths(&all(&root, "b/c", Filter::default(), 10)), ["b/c/file.txt", "b/c/link"]);
    }
}

#[test]
fn nodes_tell_what_they_are() {
    let sandbox = sandbox();
    for way in ways() {
        let root = sandbox.root(way);
        let bare = all(&root, "b", Filter::default(), 10);
        assert!(bare.iter().all(|node| (node.size, node.modified) == (0, 0)), "not asked for");
        let nodes = all(&root, "b", Filter { stat: true, ..Filter::default() }, 10);
        let modified = root.stat(&path("b/file.json")).unwrap().modified_ns;
        let node = |path: &str| nodes.iter().find(|node| node.path == path).unwrap();
        assert_eq!((node("b/file.json").kind, node("b/file.json").size), (NodeKind::File, 3));
        assert_eq!(node("b/file.json").modified, modified);
        assert_eq!((node("b/c").kind, node("b/c").size, node("b/c").modified), (NodeKind::Directory, 0, 0));
        assert_eq!((node("b/c/link").kind, &*node("b/c/link").target), (NodeKind::Link, "../file.json"));
    }
}

#[test]
fn the_filter_thins_out_but_does_not_stop_at_directories() {
    let sandbox = sandbox();
    let kinds = Kinds { file: true, ..Kinds::default() };
    for way in ways() {
        let root = sandbox.root(way);
        let filter = |max_depth, kinds, names: &[&str]| Filter {
            max_depth,
            kinds,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            stat: false,
        };
        assert_eq!(paths(&all(&root, "", filter(1, Kinds::default(), &[]), 10)), ["a", "b", "b.txt"]);
        assert_eq!(paths(&all(&root, "", filter(2, kinds, &[]), 10)), ["b/file.json", "b.txt"]);
        assert_eq!(paths(&all(&root, "", filter(0, kinds, &["*.txt"]), 10)), ["b/c/file.txt", "b.txt"]);
        assert_eq!(paths(&all(&root, "", filter(0, Kinds::default(), &["c", "l*k"]), 10)), ["b/c", "b/c/link"]);
    }
}

#[test]
fn a_large_tree_comes_whole_in_order_and_the_same_twice() {
    let sandbox = Sandbox::new();
    for folder in 0..40 {
        for file in 0..400 {
            sandbox.link(&format!("d{folder:02}/s/f{file:03}"), "x");
        }
    }
    for way in ways() {
        let root = sandbox.root(way);
        let nodes = all(&root, "", Filter::default(), 777);
        assert_eq!(nodes.len(), 40 * 402);
        assert!(nodes.is_sorted_by(|one, other| one.path < other.path));
        assert_eq!(nodes, all(&root, "", Filter::default(), 10_000));
    }
}
