//! What goes is what was seen, nothing outside is touched, and what is freed is counted after the act.

use super::*;

#[test]
fn links_go_as_links() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.link("top/absolute", sandbox.outside());
        sandbox.link("top/relative", "../../outside");
        sandbox.link("top/file", "../../outside/precious");
        sandbox.link("top/d/up", "..");
        sandbox.link("single", sandbox.outside());
        let root = sandbox.root(way);
        let tally = LinkTally::default();
        for at in ["top", "single"] {
            let removal = remove(&root, at, &tally);
            assert_eq!(removal, Removal { gone: true, ..Removal::default() }, "{way:?} {at}");
        }
        assert_eq!(root.names(&RelPath::root()).unwrap(), [""; 0]);
        assert_eq!(tally.freed(), Freed::default());
        sandbox.assert_outside_untouched();
    }
}

#[test]
fn something_else_at_the_path_is_left_alone() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("top/file", 1);
        let root = sandbox.root(way);
        let seen = root.stat(&path("top")).unwrap().identity;
        let file = root.stat(&path("top/file")).unwrap().identity;
        fs::rename(sandbox.at("top"), sandbox.at("away")).unwrap();
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        let remove = |at: &str, expected| {
            root.remove(&path(at), expected, &nothing, &LinkTally::default(), &Progress::default())
        };

        sandbox.file("top/another", 1);
        let removal = remove("top", seen);
        assert_eq!(removal.failures, [(path("top"), FsError::Changed)]);
        assert!(!removal.gone && sandbox.has("top/another"));

        fs::remove_dir_all(sandbox.at("top")).unwrap();
        sandbox.link("top", "away");
        assert_eq!(remove("top", seen).failures, [(path("top"), FsError::Changed)]);
        assert_eq!(remove("top/file", file).failures, [(path("top/file"), FsError::WrongKind)]);
        assert!(sandbox.has("away/file") && sandbox.has("top"));
        assert_eq!(remove("", seen).failures, [(path(""), FsError::IsRoot)]);
    }
}

#[test]
fn what_is_gone_already_counts_as_gone_and_frees_nothing() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("top", 10);
        let root = sandbox.root(way);
        let seen = root.stat(&path("top")).unwrap().identity;
        fs::remove_file(sandbox.at("top")).unwrap();
        let tally = LinkTally::default();
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        for at in ["top", "no/such/folder"] {
            let removal = root.remove(&path(at), seen, &nothing, &tally, &Progress::default());
            assert_eq!(removal, Removal { gone: true, ..Removal::default() });
        }
        assert_eq!(tally.freed(), Freed::default());
    }
}

#[test]
fn bytes_are_free_when_the_last_name_is_gone() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("a/both-inside", 100);
        fs::hard_link(sandbox.at("a/both-inside"), sandbox.at("b/second")).unwrap();
        sandbox.file("a/one-outside", 1000);
        fs::hard_link(sandbox.at("a/one-outside"), sandbox.dir.path().join("kept")).unwrap();
        sandbox.file("a/only", 10);
        let root = sandbox.root(way);
        let (tally, progress) = (LinkTally::default(), Progress::default());
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        let freed = |at: &str| {
            let expected = root.stat(&path(at)).unwrap().identity;
            let removal = root.remove(&path(at), expected, &nothing, &tally, &progress);
            assert!(removal.gone && removal.failures.is_empty());
            (removal.files, tally.freed().files, tally.freed().size)
        };
        assert_eq!(freed("a"), (3, 1, 10));
        assert_eq!(freed("b"), (1, 2, 110));
        assert_eq!(progress.entries(), 6, "four files and two directories");
        assert_eq!(fs::metadata(sandbox.dir.path().join("kept")).unwrap().len(), 1000);
    }
}

#[test]
fn another_root_within_stays_with_the_folders_above_it() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("top/a/inner/file", 1);
        sandbox.file("top/a/file", 1);
        sandbox.file("top/b/file", 1);
        let inner = Root::open(&sandbox.at("top/a/inner")).unwrap().identity();
        let root = sandbox.root(way).with_cuts(vec![inner]);
        let removal = remove(&root, "top", &LinkTally::default());
        assert_eq!(removal, Removal { files: 2, failures: vec![], kept_something: true, gone: false });
        assert!(sandbox.has("top/a/inner/file") && !sandbox.has("top/a/file") && !sandbox.has("top/b"));
        let inner = sandbox.root(way).stat(&path("top/a/inner")).unwrap().identity;
        let nothing = Keep { paths: &PathTree::default(), kept: &[] };
        let removal = root.remove(&path("top/a/inner"), inner, &nothing, &LinkTally::default(), &Progress::default());
        assert!(removal.kept_something && !removal.gone);
        assert!(sandbox.has("top/a/inner/file"));
    }
}

#[test]
fn a_directory_that_grows_meanwhile_goes_in_the_end() {
    for way in ways() {
        let sandbox = Sandbox::new();
        for file in 0..500 {
            sandbox.file(&format!("top/{}/{file}", file % 20), 1);
        }
        let root = sandbox.root(way);
        let writer = {
            let (first, later) = (sandbox.at("top/7/499"), sandbox.at("top/7/late/file"));
            std::thread::spawn(move || {
                while first.exists() && fs::create_dir_all(later.parent().unwrap()).is_ok() {
                    let _ = fs::write(&later, "late");
                }
            })
        };
        let removal = remove(&root, "top", &LinkTally::default());
        writer.join().unwrap();
        let told = removal.failures.iter().any(|(_, error)| *error == FsError::NotEmpty);
        assert!(removal.gone || told, "{way:?} {removal:?}");
    }
}
