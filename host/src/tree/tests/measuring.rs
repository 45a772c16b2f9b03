//! Every byte is booked once, to the deepest bucket above it, or reported as unseen.

use super::*;

/// Measures with the given buckets and starts; the sums come back in the order of the buckets.
fn measure(root: &Root, buckets: &[&str], starts: &[&str]) -> (Vec<(u64, u64)>, Measure) {
    let mut claims = PathTree::default();
    let ids: Vec<PathId> = buckets.iter().map(|text| claims.insert(&path(text))).collect();
    let starts: Vec<PathId> = starts.iter().map(|text| claims.insert(&path(text))).collect();
    let mut flags = vec![false; claims.len()];
    ids.iter().for_each(|id| flags[id.index()] = true);
    let measured = root.measure(&claims, &flags, &starts, &Progress::default());
    let sums = ids.iter().map(|id| measured.usage[id.index()]).map(|usage| (usage.files, usage.size)).collect();
    (sums, measured)
}

#[test]
fn bytes_belong_to_the_deepest_bucket_above_them() {
    let sandbox = Sandbox::new();
    sandbox.file("a/1", 1);
    sandbox.file("a/b/10", 10);
    sandbox.file("a/b/c/100", 100);
    sandbox.file("a/b/own", 1000);
    sandbox.file("rest", 10000);
    for way in ways() {
        let root = sandbox.root(way);
        let (sums, _) = measure(&root, &["", "a", "a/b/c", "a/b/own", "a/none/at/all"], &[""]);
        assert_eq!(sums, [(1, 10000), (2, 11), (1, 100), (1, 1000), (0, 0)]);
        let (sums, _) = measure(&root, &["a", "a/b"], &["a", "a/b", "a/b/own"]);
        assert_eq!(sums, [(1, 1), (3, 1110)], "{way:?}: starts within starts count once");
        let (sums, _) = measure(&root, &["a/b/own", "gone"], &["a/b/own", "gone"]);
        assert_eq!(sums, [(1, 1000), (0, 0)], "{way:?}: a start may be a file or nothing");
        let (sums, _) = measure(&root, &["rest/rest"], &["rest", "rest"]);
        assert_eq!(sums, [(0, 0)], "{way:?}: nothing is beneath a file");
    }
}

#[test]
fn a_start_is_a_bucket_even_if_nobody_said_so() {
    let sandbox = Sandbox::new();
    sandbox.file("a/b/file", 5);
    for way in ways() {
        let mut claims = PathTree::default();
        let start = claims.insert(&path("a"));
        let measured = sandbox.root(way).measure(&claims, &[], &[start], &Progress::default());
        assert_eq!(measured.usage[start.index()].size, 5);
    }
}

#[test]
fn links_and_directories_weigh_nothing_and_are_not_followed() {
    let sandbox = Sandbox::new();
    fs::write(sandbox.outside().join("large"), vec![0; 5000]).unwrap();
    sandbox.file("a/file", 3);
    sandbox.link("a/out", sandbox.outside());
    sandbox.link("a/large", "../../outside/large");
    sandbox.link("a/up", "..");
    for way in ways() {
        let measured = measure_all(&sandbox.root(way));
        assert_eq!((measured.usage[0].files, measured.usage[0].size), (1, 3));
        assert_eq!(measured.unreadable, []);
    }
}

#[test]
fn a_sparse_file_has_its_length_and_its_allocated_size() {
    let sandbox = Sandbox::new();
    fs::File::create(sandbox.at("sparse")).unwrap().set_len(50_000_000).unwrap();
    for way in ways() {
        let usage = measure_all(&sandbox.root(way)).usage[0];
        assert_eq!(usage.size, 50_000_000);
        assert!(usage.disk_size < 1_000_000);
    }
}

#[test]
fn a_file_with_several_names_comes_once_with_its_buckets() {
    let sandbox = Sandbox::new();
    sandbox.file("a/one", 70);
    fs::hard_link(sandbox.at("a/one"), sandbox.at("a/two")).unwrap();
    fs::hard_link(sandbox.at("a/one"), sandbox.at("b/three")).unwrap();
    fs::hard_link(sandbox.at("a/one"), sandbox.outside().join("four")).unwrap();
    for way in ways() {
        let (sums, measured) = measure(&sandbox.root(way), &["a", "b"], &[""]);
        assert_eq!(sums, [(0, 0), (0, 0)]);
        let [linked] = &measured.linked[..] else { panic!("{:?}", measured.linked) };
        assert_eq!((linked.links, linked.size), (4, 70));
        assert_eq!(linked.at.iter().map(|(_, names)| *names).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(linked.usage().files, 1);
    }
}

#[test]
fn times_are_the_latest_of_a_bucket() {
    let sandbox = Sandbox::new();
    let seconds = std::time::Duration::from_secs;
    for (name, time) in [("a/old", 1_000), ("a/new", 2_000), ("b/other", 3_000)] {
        sandbox.file(name, 1);
        let time = std::time::UNIX_EPOCH + seconds(time);
        let times = fs::FileTimes::new().set_modified(time).set_accessed(time + seconds(5));
        fs::File::options().write(true).open(sandbox.at(name)).unwrap().set_times(times).unwrap();
    }
    for way in ways() {
        let (_, measured) = measure(&sandbox.root(way), &["a"], &["a"]);
        let usage = measured.usage[1];
        assert_eq!(usage.modified, Some(2_000_000_000_000));
        assert_eq!(usage.accessed, Some(2_005_000_000_000));
        assert_eq!(measured.usage[0].modified, None);
    }
}

#[test]
fn another_root_within_is_left_out_and_that_is_no_error() {
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 1);
    sandbox.file("a/inner/file", 10);
    for way in ways() {
        let inner = Root::open(&sandbox.at("a/inner")).unwrap().identity();
        let root = sandbox.root(way).with_cuts(vec![inner]);
        let measured = measure_all(&root);
        assert_eq!((measured.usage[0].size, measured.unreadable.len()), (1, 0));
        let nodes = root.walk(&RelPath::root(), Filter::default()).unwrap().next(100);
        assert_eq!(nodes.iter().map(|node| &*node.path).collect::<Vec<_>>(), ["a", "a/file", "a/inner"]);
        let (sums, _) = measure(&root, &["a/inner"], &["a/inner"]);
        assert_eq!(sums, [(0, 0)]);
    }
}

#[test]
fn progress_counts_entries_and_bytes() {
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 12);
    sandbox.link("a/link", "file");
    let progress = Progress::default();
    Root::open(&sandbox.root_path()).unwrap().measure(&PathTree::default(), &[true], &[PathId::ROOT], &progress);
    assert_eq!((progress.entries(), progress.bytes()), (3, 12));
}
