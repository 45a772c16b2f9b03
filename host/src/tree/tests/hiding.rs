//! Credentials within do not exist: neither by their own name, nor by another one, nor by a link, whatever is put in their
//! place, and they stay when what is around them goes.

use std::os::unix::fs::MetadataExt as _;

use super::*;

/// `a` with `token` (100 bytes), `auth/site` and `auth/deep/site` (10 each), which are secret, and `file` (1 byte).
fn home(way: Way) -> (Sandbox, Root) {
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 1);
    sandbox.file("a/token", 100);
    sandbox.file("a/auth/site", 10);
    sandbox.file("a/auth/deep/site", 10);
    let root = without(&sandbox, way, &["root/a/token", "root/a/auth"]);
    (sandbox, root)
}

/// The sandbox's root without these secrets.
fn without(sandbox: &Sandbox, way: Way, places: &[&str]) -> Root {
    let places: Vec<PathBuf> = places.iter().map(|place| sandbox.dir.path().join(place)).collect();
    sandbox.root(way).without(&Secrets::find(&places))
}

const HIDDEN: [&str; 5] = ["a/token", "a/auth", "a/auth/site", "a/auth/deep", "a/auth/deep/site"];

/// All paths that a walk gives, whether it asks for sizes or not.
fn walked(root: &Root) -> Vec<String> {
    let walk = |stat| {
        let mut walker = root.walk(&RelPath::root(), Filter { stat, ..Filter::default() }).unwrap();
        walker.next(usize::MAX).into_iter().map(|node| node.path).collect::<Vec<_>>()
    };
    assert_eq!(walk(false), walk(true));
    walk(true)
}

/// Removes a path that is this one now, told by another handle, which sees everything.
fn remove_seen(whole: &Root, root: &Root, at: &str) -> Removal {
    let expected = whole.stat(&path(at)).unwrap().identity;
    let nothing = Keep { paths: &PathTree::default(), kept: &[] };
    root.remove(&path(at), expected, &nothing, &LinkTally::default(), &Progress::default())
}

#[test]
fn nothing_leads_to_a_secret_or_through_one() {
    for way in ways() {
        let (sandbox, root) = home(way);
        for at in HIDDEN.map(path) {
            assert_eq!(root.stat(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.names(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.read(&at, 1000).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.open_lock(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.rewrite(&at, &[b'x'; 100], b"").unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert_eq!(root.walk(&at, Filter::default()).err(), Some(FsError::NotFound), "{way:?} {at}");
            assert_eq!(root.remove_if_empty(&at), Err(FsError::NotFound), "{way:?} {at}");
            assert!(root.hides(&at), "{way:?} {at}");
        }
        assert_eq!(walked(&root), ["a", "a/file"], "{way:?}");
        assert_eq!(root.names(&path("a")).unwrap(), ["file"]);
        assert_eq!(root.read(&path("a/file"), 1).unwrap(), b"x");
        assert!(!root.hides(&path("a")) && !root.hides(&path("a/file")) && !root.hides(&path("a/token2")));
        assert!(root.holds_hidden(&path("a")) && !root.holds_hidden(&RelPath::root()));
        root.remember().unwrap();
        assert_eq!(walked(&root), ["a", "a/file"], "{way:?}");
        assert_eq!(fs::metadata(sandbox.at("a/token")).unwrap().len(), 100);
    }
}

#[test]
fn a_secret_weighs_nothing_wherever_measuring_begins() {
    for way in ways() {
        let (_sandbox, root) = home(way);
        let mut claims = PathTree::default();
        let ids: Vec<PathId> = HIDDEN.iter().chain(&["a"]).map(|at| claims.insert(&path(at))).collect();
        let buckets = vec![true; claims.len()];
        for starts in [vec![PathId::ROOT], ids.clone(), ids[..1].to_vec()] {
            let measure = root.measure(&claims, &buckets, &starts, &Progress::default());
            let of = |id: &PathId| measure.usage[id.index()].size;
            let a = u64::from(starts.len() != 1 || starts == [PathId::ROOT]);
            assert_eq!((ids.iter().map(of).sum::<u64>(), measure.unreadable.len()), (a, 0), "{way:?} {starts:?}");
        }
    }
}

#[test]
fn a_secret_stays_with_the_folders_above_it_and_that_is_no_failure() {
    for way in ways() {
        let (sandbox, root) = home(way);
        sandbox.file("a/b/file", 1);
        let removal = remove(&root, "a", &LinkTally::default());
        assert_eq!(removal, Removal { files: 2, failures: vec![], kept_something: true, gone: false });
        assert!(HIDDEN.iter().all(|at| sandbox.has(at)) && !sandbox.has("a/file") && !sandbox.has("a/b"), "{way:?}");
    }
}

#[test]
fn a_secret_is_not_removed_by_its_path() {
    for way in ways() {
        let (sandbox, root) = home(way);
        let whole = sandbox.root(way);
        for at in HIDDEN {
            let removal = remove_seen(&whole, &root, at);
            assert_eq!((removal.files, removal.failures), (0, vec![]), "{way:?} {at}");
        }
        assert!(HIDDEN.iter().all(|at| sandbox.has(at)), "{way:?}");
        let removal = remove_seen(&whole, &root, "a/token");
        assert!(removal.kept_something && !removal.gone, "{way:?}");
    }
}

#[test]
fn a_secret_is_known_by_its_other_names() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("b/file", 1);
        let token = sandbox.dir.path().join("token");
        fs::write(&token, [b'x'; 100]).unwrap();
        fs::hard_link(&token, sandbox.at("b/copy")).unwrap();
        let root = without(&sandbox, way, &["token"]);
        let at = path("b/copy");
        assert_eq!(root.stat(&at).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(root.read(&at, 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(root.open_lock(&at).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(root.rewrite(&at, &[b'x'; 100], b"").unwrap_err(), FsError::NotFound, "{way:?}");
        assert!(root.hides(&at) && root.holds_hidden(&path("b")));
        assert_eq!(walked(&root), ["b", "b/file"], "{way:?}");
        assert_eq!(root.names(&path("b")).unwrap(), ["file"], "{way:?}");
        let measure = measure_all(&root);
        assert_eq!((measure.usage[0].size, measure.linked), (1, vec![]), "{way:?}");
        let removal = remove_seen(&sandbox.root(way), &root, "b/copy");
        assert!(removal.kept_something && !removal.gone && sandbox.has("b/copy"), "{way:?}");
        let removal = remove(&root, "b", &LinkTally::default());
        assert_eq!(removal, Removal { files: 1, failures: vec![], kept_something: true, gone: false });
        assert_eq!(fs::metadata(&token).unwrap().nlink(), 2, "{way:?}");
    }
}

#[test]
fn a_name_that_it_gets_later_is_known_when_it_matters() {
    for way in ways() {
        let (sandbox, root) = home(way);
        fs::hard_link(sandbox.at("a/token"), sandbox.at("b/copy")).unwrap();
        fs::rename(sandbox.at("a/auth"), sandbox.at("b/moved")).unwrap();
        assert_eq!(root.read(&path("b/copy"), 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(root.read(&path("b/moved/site"), 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        let measure = measure_all(&root);
        assert_eq!((measure.usage[0].size, measure.linked), (1, vec![]), "{way:?}");
        let removal = remove(&root, "b", &LinkTally::default());
        assert!(removal.kept_something && removal.failures.is_empty(), "{way:?} {removal:?}");
        assert!(sandbox.has("b/copy") && sandbox.has("b/moved/site"), "{way:?}");
    }
}

#[test]
fn of_a_link_both_the_link_and_what_it_leads_to_are_secret() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("c/real", 100);
        sandbox.file("c/file", 1);
        sandbox.link("b/between", "../c/./real");
        sandbox.link("a/token", "../b/between");
        sandbox.file("d/auth/site", 10);
        sandbox.link("a/auth", sandbox.at("d/auth"));
        let root = without(&sandbox, way, &["root/a/token", "root/a/auth"]);
        assert_eq!(walked(&root), ["a", "b", "c", "c/file", "d"], "{way:?}");
        for at in ["a/token", "a/auth", "b/between", "c/real", "d/auth", "d/auth/site"].map(path) {
            assert_eq!(root.stat(&at).unwrap_err(), FsError::NotFound, "{way:?} {at}");
            assert!(root.hides(&at), "{way:?} {at}");
        }
        assert_eq!(measure_all(&root).usage[0].size, 1, "{way:?}");
        for at in ["a", "b", "c", "d"] {
            let removal = remove(&root, at, &LinkTally::default());
            assert!(removal.kept_something && !removal.gone && removal.failures.is_empty(), "{way:?} {at}");
        }
        for at in ["a/token", "a/auth", "b/between", "c/real", "d/auth/site"] {
            assert!(sandbox.has(at), "{way:?} {at}");
        }
    }
}

#[test]
fn what_is_put_in_the_place_of_a_secret_later_is_one() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("a/file", 1);
        let root = without(&sandbox, way, &["root/a/token", "root/a/auth", "root/none/token"]);
        assert_eq!(walked(&root), ["a", "a/file"]);
        sandbox.file("a/token", 100);
        sandbox.file("a/auth/site", 10);
        assert_eq!(walked(&root), ["a", "a/file"], "{way:?}");
        assert_eq!(root.read(&path("a/token"), 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(root.read(&path("a/auth/site"), 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        assert_eq!(measure_all(&root).usage[0].size, 1, "{way:?}");
        let mut claims = PathTree::default();
        let starts = ["a/token", "a/auth/site"].map(|at| claims.insert(&path(at)));
        let measure = root.measure(&claims, &vec![true; claims.len()], &starts, &Progress::default());
        assert!(measure.usage.iter().all(|usage| usage.files == 0) && measure.unreadable.is_empty(), "{way:?}");
        for at in ["a/token", "a/auth", "a/auth/site"] {
            let removal = remove_seen(&sandbox.root(way), &root, at);
            assert!(removal.failures.is_empty() && sandbox.has(at), "{way:?} {at} {removal:?}");
        }
        let removal = remove(&root, "a", &LinkTally::default());
        assert!(removal.kept_something && removal.failures.is_empty() && !removal.gone, "{way:?} {removal:?}");
        assert!(sandbox.has("a/token") && sandbox.has("a/auth/site") && !sandbox.has("a/file"), "{way:?}");
    }
}

#[test]
fn a_secret_that_is_exchanged_for_a_claimed_file_is_known_at_the_last_moment() {
    for way in ways() {
        let (sandbox, root) = home(way);
        let seen = root.stat(&path("a/file")).unwrap().identity;
        fs::rename(sandbox.at("a/token"), sandbox.at("a/file")).unwrap();
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        let removal = root.remove(&path("a/file"), seen, &nothing, &LinkTally::default(), &Progress::default());
        assert!(!removal.gone && sandbox.has("a/file"), "{way:?} {removal:?}");
        assert_eq!(root.read(&path("a/file"), 1000).unwrap_err(), FsError::NotFound, "{way:?}");
        let removal = remove(&root, "a", &LinkTally::default());
        assert!(removal.kept_something && sandbox.has("a/file"), "{way:?} {removal:?}");
    }
}

#[test]
fn a_name_like_a_secrets_elsewhere_is_an_ordinary_one() {
    for way in ways() {
        let (sandbox, _) = home(way);
        sandbox.file("b/token", 5);
        sandbox.file("b/auth/site", 5);
        let root = without(&sandbox, way, &["root/a/token", "root/a/auth", "root/token", "elsewhere/token"]);
        assert_eq!(walked(&root), ["a", "a/file", "b", "b/auth", "b/auth/site", "b/token"], "{way:?}");
        assert!(remove(&root, "b", &LinkTally::default()).gone, "{way:?}");
        let inner = Root::open_by(&sandbox.at("a"), Some(way)).unwrap();
        let inner = inner.without(&Secrets::find(&[sandbox.at("a/token"), sandbox.at("a/auth")]));
        assert_eq!((inner.names(&RelPath::root()).unwrap(), inner.hides(&path("token"))), (vec!["file".into()], true));
    }
}
