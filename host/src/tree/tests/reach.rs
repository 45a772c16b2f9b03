//! Only what lies beneath the root is reached, and only as what it is.

use super::*;

#[test]
fn a_root_may_be_reached_through_links_and_knows_its_real_path() {
    let sandbox = Sandbox::new();
    let by_link = sandbox.dir.path().join("by-link");
    symlink("root", &by_link).unwrap();
    let root = Root::open(&by_link).unwrap();
    assert_eq!(root.given(), by_link);
    assert_eq!(root.path(), sandbox.root_path().canonicalize().unwrap());
    assert_eq!(root.identity(), Root::open(&sandbox.root_path()).unwrap().identity());
}

#[test]
fn a_root_must_be_a_directory_that_exists() {
    let sandbox = Sandbox::new();
    sandbox.file("file", 1);
    assert_eq!(Root::open(&sandbox.root_path().join("file")).unwrap_err(), FsError::WrongKind);
    assert_eq!(Root::open(&sandbox.root_path().join("nothing")).unwrap_err(), FsError::NotFound);
}

#[test]
fn no_link_leads_anywhere_be_it_last_or_in_between() {
    let sandbox = Sandbox::new();
    sandbox.file("inside/precious", 3);
    sandbox.link("absolute", sandbox.outside());
    sandbox.link("relative", "../outside");
    sandbox.link("within", "inside");
    sandbox.link("file", "inside/precious");
    sandbox.link("loop", "loop");
    for way in ways() {
        let root = sandbox.root(way);
        for link in ["absolute", "relative", "within", "loop"] {
            assert_eq!(root.stat(&path(link)).unwrap().identity.kind, NodeKind::Link);
            assert_eq!(root.names(&path(link)).unwrap_err(), FsError::WrongKind, "{way:?} {link}");
            assert!(matches!(root.walk(&path(link), Filter::default()), Err(FsError::WrongKind)));
            let through = path(&format!("{link}/precious"));
            assert_eq!(root.stat(&through).unwrap_err(), FsError::WrongKind, "{way:?} {link}");
            assert_eq!(root.read(&through, 100).unwrap_err(), FsError::WrongKind);
            assert_eq!(root.remove_if_empty(&through).unwrap_err(), FsError::WrongKind);
            assert_eq!(root.rewrite(&through, b"precious", b"").unwrap_err(), FsError::WrongKind);
        }
        assert_eq!(root.read(&path("file"), 100).unwrap_err(), FsError::WrongKind);
        assert_eq!(root.open_lock(&path("file")).unwrap_err(), FsError::WrongKind);
        assert_eq!(root.open_lock(&path("file")).unwrap_err(), FsError::WrongKind);
    }
    sandbox.assert_outside_untouched();
}

#[test]
fn files_are_read_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 10);
    for way in ways() {
        let root = sandbox.root(way);
        assert_eq!(root.read(&path("a/file"), 10).unwrap(), [b'x'; 10]);
        assert_eq!(root.read(&path("a/file"), 9).unwrap_err(), FsError::TooLarge(9));
        assert_eq!(root.read(&path("a"), 9).unwrap_err(), FsError::WrongKind);
        assert_eq!(root.read(&path("a/nothing"), 9).unwrap_err(), FsError::NotFound);
        assert_eq!(root.read(&path("a/file/x"), 9).unwrap_err(), FsError::WrongKind);
        assert_eq!(root.read(&path(""), 9).unwrap_err(), FsError::WrongKind);
    }
}

#[test]
fn a_pipe_or_a_socket_is_told_and_never_waited_for() {
    let sandbox = Sandbox::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    #[cfg(target_os = "linux")]
    rustix::fs::mknodat(rustix::fs::CWD, sandbox.at("pipe"), rustix::fs::FileType::Fifo, mode, 0).unwrap();
    #[cfg(not(target_os = "linux"))]
    let _ = mode;
    let _socket = std::os::unix::net::UnixListener::bind(sandbox.at("socket")).unwrap();
    for way in ways() {
        let root = sandbox.root(way);
        for name in root.names(&RelPath::root()).unwrap() {
            assert_eq!(root.stat(&path(&name)).unwrap().identity.kind, NodeKind::Other);
            assert_eq!(root.read(&path(&name), 10).unwrap_err(), FsError::WrongKind);
            assert_eq!(root.open_lock(&path(&name)).unwrap_err(), FsError::WrongKind);
        }
        assert_eq!(measure_all(&root).usage[0], Usage::default());
    }
    let root = Root::open(&sandbox.root_path()).unwrap();
    for name in root.names(&RelPath::root()).unwrap() {
        assert!(remove(&root, &name, &LinkTally::default()).gone);
    }
}

#[test]
fn stat_tells_the_same_as_the_system() {
    use std::os::unix::fs::MetadataExt;
    let sandbox = Sandbox::new();
    sandbox.file("a/file", 12345);
    fs::hard_link(sandbox.at("a/file"), sandbox.at("a/second")).unwrap();
    let meta = fs::metadata(sandbox.at("a/file")).unwrap();
    for way in ways() {
        let root = sandbox.root(way);
        let stat = root.stat(&path("a/file")).unwrap();
        assert_eq!((stat.identity.dev, stat.identity.ino), (meta.dev(), meta.ino()));
        assert_eq!((stat.size, stat.disk_size, stat.links), (12345, meta.blocks() * 512, 2));
        assert_eq!(stat.modified_ns, meta.mtime() * 1_000_000_000 + meta.mtime_nsec());
        assert_eq!(stat.changed_ns, meta.ctime() * 1_000_000_000 + meta.ctime_nsec());
        assert_eq!(stat.uid, meta.uid());
        let top = fs::metadata(sandbox.root_path()).unwrap();
        assert_eq!(root.identity(), (top.dev(), top.ino()));
        assert_eq!(root.stat(&path("")).unwrap().identity.ino, top.ino());
    }
}

#[test]
fn only_empty_directories_go_by_remove_if_empty_and_never_the_root() {
    let sandbox = Sandbox::new();
    for way in ways() {
        sandbox.folder("empty");
        sandbox.file("full/file", 1);
        let root = sandbox.root(way);
        assert_eq!(root.remove_if_empty(&path("empty")), Ok(true));
        assert_eq!(root.remove_if_empty(&path("empty")), Err(FsError::NotFound));
        assert_eq!(root.remove_if_empty(&path("full")), Ok(false));
        assert_eq!(root.remove_if_empty(&path("full/file")), Err(FsError::WrongKind));
        assert_eq!(root.remove_if_empty(&path("")), Err(FsError::IsRoot));
        assert!(sandbox.has("full/file") && !sandbox.has("empty"));
    }
}

#[test]
fn a_root_stays_the_same_place_when_its_path_leads_elsewhere() {
    let sandbox = Sandbox::new();
    sandbox.file("file", 4);
    for way in ways() {
        let root = sandbox.root(way);
        let away = sandbox.dir.path().join("away");
        fs::rename(sandbox.root_path(), &away).unwrap();
        symlink("outside", sandbox.root_path()).unwrap();
        assert_eq!(root.names(&RelPath::root()).unwrap(), ["file"]);
        fs::remove_file(sandbox.root_path()).unwrap();
        fs::rename(away, sandbox.root_path()).unwrap();
    }
}
