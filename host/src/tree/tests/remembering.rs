//! What is remembered of a root is what the disk says, for every folder and filter.

use proptest::prelude::*;

use super::*;

fn all(walker: &mut Walker) -> Vec<Node> {
    std::iter::from_fn(|| Some(walker.next(7)).filter(|nodes| !nodes.is_empty())).flatten().collect()
}

fn filters() -> Vec<Filter> {
    let kinds = Kinds { file: true, link: true, ..Kinds::default() };
    let mut filters =
        vec![Filter { kinds, ..Filter::default() }, Filter { names: vec!["a*".into()], ..Filter::default() }];
    filters.extend((0..4).map(|max_depth| Filter { max_depth, ..Filter::default() }));
    filters
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_walk_from_memory_is_the_walk_over_the_disk(
        files in proptest::collection::vec("[ab\u{e9}\u{ea}\\\\]{1,2}(/[ab\u{e8}]{1,2}){0,3}", 1..30),
        links in proptest::collection::vec("[ab](/[bc]{1,2}){0,2}", 0..8),
    ) {
        let sandbox = Sandbox::new();
        for (at, is_link) in files.iter().map(|at| (at, false)).chain(links.iter().map(|at| (at, true))) {
            let place = sandbox.root_path().join(at);
            // A path may go through what is a file by now.
            if place.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok()) && !place.exists() {
                if is_link { drop(std::os::unix::fs::symlink("../t\u{e9}", place)) } else { drop(std::fs::write(place, "x")) }
            }
        }
        let disk = sandbox.root(Way::Steps);
        let memory = sandbox.root(Way::Steps);
        memory.remember().unwrap();
        let nodes = all(&mut disk.walk(&RelPath::root(), Filter::default()).unwrap());
        let folders = nodes.iter().filter(|node| node.kind == NodeKind::Directory).map(|node| path(&node.path));
        for folder in folders.chain([RelPath::root()]) {
            for filter in filters() {
                let expected = all(&mut disk.walk(&folder, filter.clone()).unwrap());
                prop_assert_eq!(all(&mut memory.walk(&folder, filter).unwrap()), expected, "{}", folder);
            }
        }
        prop_assert!(memory.walk(&path("nothing"), Filter::default()).is_err());
    }
}

#[test]
fn sizes_are_asked_of_the_disk_whatever_is_remembered() {
    let sandbox = Sandbox::new();
    sandbox.file("a", 3);
    let root = sandbox.root(Way::Steps);
    root.remember().unwrap();
    sandbox.file("a", 5);
    sandbox.file("b", 1);
    let sizes = |stat| -> Vec<u64> {
        let nodes = all(&mut root.walk(&RelPath::root(), Filter { stat, ..Filter::default() }).unwrap());
        nodes.iter().map(|node| node.size).collect()
    };
    assert_eq!((sizes(true), sizes(false)), (vec![5, 1], vec![0]));
}
