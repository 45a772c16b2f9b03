//! Another root within is not this root's: to every path that leads to or through it there is nothing.

use super::*;

/// `a/inner` with `file` and `deep/file` is another root; `a/file` is not in it.
fn nested(way: Way) -> (Sandbox, Root) {
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 1);
    sandbox.file("a/inner/file", 10);
    sandbox.file("a/inner/deep/file", 20);
    let inner = Root::open(&sandbox.at("a/inner")).unwrap().identity();
    let root = sandbox.root(way).with_cuts(vec![inner]);
    (sandbox, root)
}

const WITHIN: [&str; 4] = ["a/inner", "a/inner/file", "a/inner/deep", "a/inner/deep/file"];

#[test]
fn nothing_in_another_root_can_be_walked_looked_at_read_or_locked_by_its_path() {
    for way in ways() {
        let (_sandbox, root) = nested(way);
        for at in WITHIN.map(path) {
            assert_eq!(root.walk(&at, Filter::default()).err(), Some(FsError::NotFound), "{way:?} {at}");
            assert_eq!(root.stat(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.names(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
        }
        for at in ["a/inner/file", "a/inner/deep/file"].map(path) {
            assert_eq!(root.read(&at, 100).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.open_lock(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.rewrite(&at, &[b'x'; 10], b"").unwrap_err(), FsError::NotFound, "{way:?} {at}");
        }
        assert_eq!(root.read(&path("a/file"), 1).unwrap(), b"x");
        assert_eq!(root.names(&path("a")).unwrap(), ["file", "inner"]);
    }
}

#[test]
fn what_is_remembered_does_not_lead_into_another_root_either() {
    for way in ways() {
        let (sandbox, root) = nested(way);
        sandbox.folder("empty");
        root.remember().unwrap();
        for at in WITHIN.map(path) {
            assert_eq!(root.walk(&at, Filter::default()).err(), Some(FsError::NotFound), "{way:?} {at}");
        }
        assert!(root.walk(&path("empty"), Filter::default()).unwrap().next(10).is_empty());
        let inner = Root::open(&sandbox.at("a")).unwrap().identity();
        let root = sandbox.root(way).with_cuts(vec![inner]);
        root.remember().unwrap();
        assert_eq!(root.walk(&path("a"), Filter::default()).err(), Some(FsError::NotFound), "{way:?}");
    }
}

#[test]
fn nothing_in_another_root_is_removed_by_its_path_not_even_an_empty_folder() {
    for way in ways() {
        let (sandbox, root) = nested(way);
        let whole = sandbox.root(way);
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        for at in WITHIN.map(path) {
            let expected = whole.stat(&at).unwrap().identity;
            let removal = root.remove(&at, expected, &nothing, &LinkTally::default(), &Progress::default());
            assert_eq!((removal.files, removal.failures), (0, vec![]), "{way:?} {at}");
        }
        assert!(sandbox.has("a/inner/file") && sandbox.has("a/inner/deep/file"));
        sandbox.folder("b/other/empty");
        let other = Root::open(&sandbox.at("b/other")).unwrap().identity();
        let root = sandbox.root(way).with_cuts(vec![other]);
        assert_eq!(root.remove_if_empty(&path("b/other/empty")), Err(FsError::NotFound));
        fs::remove_dir(sandbox.at("b/other/empty")).unwrap();
        assert_eq!(root.remove_if_empty(&path("b/other")), Err(FsError::NotFound));
        assert!(sandbox.has("b/other"));
    }
}

#[test]
fn a_claim_at_or_in_another_root_weighs_nothing() {
    for way in ways() {
        let (_sandbox, root) = nested(way);
        let mut claims = PathTree::default();
        let ids: Vec<PathId> = WITHIN.iter().map(|at| claims.insert(&path(at))).collect();
        let buckets = vec![true; claims.len()];
        for starts in [vec![PathId::ROOT], ids.clone()] {
            let measure = root.measure(&claims, &buckets, &starts, &Progress::default());
            let of = |id: &PathId| measure.usage[id.index()].size;
            assert_eq!((ids.iter().map(of).sum::<u64>(), measure.unreadable.len()), (0, 0), "{way:?} {starts:?}");
        }
    }
}
