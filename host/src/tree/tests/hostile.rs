//! Names are hostile, and trees are wider and deeper than anyone expects.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{Mode, OFlags};

use super::*;

fn hostile_names() -> Vec<Vec<u8>> {
    vec![
        b"new\nline".to_vec(),
        b"\x1b[31mred\x07".to_vec(),
        vec![b'n'; 255],
        b"caf\xe9".to_vec(),
        b"back\\slash\\xff".to_vec(),
        "\u{202e}rtl\u{200b}".into(),
        b"-rf".to_vec(),
        b" ".to_vec(),
        b"...".to_vec(),
        b"*".to_vec(),
    ]
}

#[test]
fn every_name_can_be_told_found_again_and_removed() {
    for way in ways() {
        let sandbox = Sandbox::new();
        for name in hostile_names() {
            let dir = sandbox.root_path().join("top").join(OsStr::from_bytes(&name));
            fs::create_dir_all(&dir).unwrap();
            fs::write(dir.join(OsStr::from_bytes(&name)), b"12345").unwrap();
        }
        let root = sandbox.root(way);
        let count = hostile_names().len();
        let names = root.names(&path("top")).unwrap();
        assert_eq!(names.len(), count);
        for name in &names {
            assert_eq!(root.read(&path(&format!("top/{name}/{name}")), 9).unwrap(), b"12345");
        }
        let nodes = root.walk(&path("top"), Filter::default()).unwrap().next(1000);
        assert_eq!(nodes.len(), 2 * count);
        assert!(nodes.iter().all(|node| root.stat(&path(&node.path)).is_ok()));

        let mut claims = PathTree::default();
        let claim = claims.insert(&path("top/caf\\xe9"));
        let measured = root.measure(&claims, &vec![true; claims.len()], &[PathId::ROOT], &Progress::default());
        assert_eq!(measured.usage[claim.index()].size, 5);
        assert_eq!(measured.usage.into_iter().sum::<Usage>().size, 5 * count as u64);

        let removal = remove(&root, "top", &LinkTally::default());
        assert!(removal.gone && removal.files == count as u64 && removal.failures.is_empty());
    }
}

/// Makes a chain of folders whose path is longer than the system takes, a file of 7 bytes in the last.
fn deep(sandbox: &Sandbox, depth: usize) {
    sandbox.folder("deep");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY;
    let mut fd = rustix::fs::openat(rustix::fs::CWD, sandbox.at("deep"), flags, Mode::empty()).unwrap();
    for _ in 0..depth {
        // A second folder beside the next one on each level, so that there is always something to share.
        rustix::fs::mkdirat(&fd, "beside", Mode::RWXU).unwrap();
        rustix::fs::mkdirat(&fd, "next", Mode::RWXU).unwrap();
        fd = rustix::fs::openat(&fd, "next", flags, Mode::empty()).unwrap();
    }
    let file = rustix::fs::openat(&fd, "file", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR).unwrap();
    rustix::io::write(file, b"1234567").unwrap();
}

fn wide(sandbox: &Sandbox, folders: usize) {
    for folder in 0..folders {
        for inner in ["a", "b/c"] {
            sandbox.file(&format!("wide/{folder}/{inner}/file"), 10);
        }
    }
}

fn try_all(sandbox: &Sandbox, root: &Root, depth: usize, folders: usize) {
    let measured = measure_all(root);
    assert_eq!(measured.unreadable, []);
    assert_eq!((measured.usage[0].files, measured.usage[0].size), (1 + 2 * folders as u64, 7 + 20 * folders as u64));

    let files = Filter { kinds: Kinds { file: true, ..Kinds::default() }, ..Filter::default() };
    let mut walker = root.walk(&RelPath::root(), files).unwrap();
    let nodes = walker.next(usize::MAX);
    assert_eq!(nodes.len(), 1 + 2 * folders);
    assert_eq!(nodes[0].path.matches('/').count(), depth + 1);
    assert!(!walker.met_unreadable());

    let tally = LinkTally::default();
    for top in ["deep", "wide"] {
        let removal = remove(root, top, &tally);
        assert_eq!(removal.failures, []);
        assert!(removal.gone && !sandbox.has(top), "{top}");
    }
    assert_eq!(tally.freed().files, 1 + 2 * folders as u64);
}

#[test]
fn depth_overflows_neither_the_stack_nor_the_longest_path() {
    for way in ways() {
        let sandbox = Sandbox::new();
        deep(&sandbox, 2000);
        wide(&sandbox, 10);
        try_all(&sandbox, &sandbox.root(way), 2000, 10);
    }
}

#[test]
fn few_descriptors_are_enough_for_wide_and_deep_trees() {
    if is_child() {
        for way in ways() {
            let sandbox = Sandbox::new();
            deep(&sandbox, 150);
            wide(&sandbox, 300);
            try_all(&sandbox, &sandbox.root(way), 150, 300);
        }
        return;
    }
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "ulimit -n 64 && exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
    run_again(test_name!("few_descriptors_are_enough_for_wide_and_deep_trees"), Path::new("/"), command);
}

#[test]
fn a_directory_with_many_files_is_measured_and_removed_whole() {
    for way in ways() {
        let sandbox = Sandbox::new();
        for file in 0..3000 {
            sandbox.file(&format!("top/many/file-{file}"), file % 7);
        }
        let root = sandbox.root(way);
        let usage = measure_all(&root).usage[0];
        assert_eq!((usage.files, usage.size), (3000, (0..3000).map(|file| file % 7).sum()));
        let removal = remove(&root, "top", &LinkTally::default());
        assert_eq!((removal.files, removal.gone), (3000, true));
    }
}
