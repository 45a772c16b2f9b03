//! What may not be read or removed is told, each place once, and the rest is done. Permissions do not bind the
//! superuser, so the tests run themselves again as somebody else if need be.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;

use super::*;

const NOBODY: u32 = 65534;

/// Runs `test` as a user whom permissions bind, in a folder that belongs to that user.
fn as_somebody(test: &str, act: impl Fn(&Path)) {
    if let Some(dir) = std::env::var_os("TREE_TEST_CHILD") {
        return act(Path::new(&dir));
    }
    let dir = tempfile::tempdir().unwrap();
    if !rustix::process::geteuid().is_root() {
        return act(dir.path());
    }
    chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // What was built may be where only root can look.
    let (built, program) = (std::env::current_exe().unwrap(), dir.path().join("test"));
    fs::hard_link(&built, &program).or_else(|_| fs::copy(&built, &program).map(drop)).unwrap();
    let mut command = std::process::Command::new(program);
    command.uid(NOBODY).gid(NOBODY);
    run_again(test, dir.path(), command);
}

/// `r/open/file`, and three folders: without any right, without the right to list, without the right to look up.
fn build(dir: &Path) -> PathBuf {
    let root = dir.join("r");
    let _ = fs::remove_dir_all(&root);
    for name in ["closed", "unlisted", "unsearched", "open"] {
        fs::create_dir_all(root.join("top").join(name)).unwrap();
        fs::write(root.join("top").join(name).join("file"), "12345").unwrap();
        fs::write(root.join("top").join(name).join("second"), "12345").unwrap();
    }
    set_modes(&root, [0o000, 0o300, 0o600]);
    root
}

fn set_modes(root: &Path, modes: [u32; 3]) {
    for (name, mode) in ["closed", "unlisted", "unsearched"].into_iter().zip(modes) {
        let _ = fs::set_permissions(root.join("top").join(name), fs::Permissions::from_mode(mode));
    }
}

fn denied() -> Vec<(RelPath, FsError)> {
    ["top/closed", "top/unlisted", "top/unsearched"].map(|at| (path(at), FsError::Denied)).to_vec()
}

#[test]
fn unreadable_directories_are_reported_and_the_rest_is_counted() {
    as_somebody(test_name!("unreadable_directories_are_reported_and_the_rest_is_counted"), |dir| {
        for way in ways() {
            let at = build(dir);
            let measured = measure_all(&Root::open_by(&at, Some(way)).unwrap());
            set_modes(&at, [0o700; 3]);
            assert_eq!(measured.unreadable, denied());
            assert_eq!((measured.usage[0].files, measured.usage[0].size), (2, 10));
        }
    });
}

#[test]
fn a_walk_yields_unreadable_directories_as_such_past_any_filter() {
    as_somebody(test_name!("a_walk_yields_unreadable_directories_as_such_past_any_filter"), |dir| {
        for way in ways() {
            let at = build(dir);
            let root = Root::open_by(&at, Some(way)).unwrap();
            let filter = Filter { names: vec!["file".to_owned()], stat: true, ..Filter::default() };
            let mut walker = root.walk(&RelPath::root(), filter).unwrap();
            let nodes = walker.next(100);
            set_modes(&at, [0o700; 3]);
            let found: Vec<(&str, NodeKind)> = nodes.iter().map(|node| (&*node.path, node.kind)).collect();
            let unreadable = |path| (path, NodeKind::Unreadable);
            let expected = [
                unreadable("top/closed"),
                ("top/open/file", NodeKind::File),
                unreadable("top/unlisted"),
                unreadable("top/unsearched"),
            ];
            assert_eq!(found, expected);
            assert!(walker.met_unreadable());
        }
    });
}

#[test]
fn a_removal_tells_what_is_left_and_goes_on() {
    as_somebody(test_name!("a_removal_tells_what_is_left_and_goes_on"), |dir| {
        for way in ways() {
            let at = build(dir);
            let tally = LinkTally::default();
            let removal = remove(&Root::open_by(&at, Some(way)).unwrap(), "top", &tally);
            set_modes(&at, [0o700; 3]);
            let unsearched = ["top/unsearched/file", "top/unsearched/second"].map(|at| (path(at), FsError::Denied));
            let expected: Vec<_> = denied().into_iter().take(2).chain(unsearched).collect();
            assert_eq!(removal.failures, expected);
            assert!(!removal.gone && !removal.kept_something);
            assert_eq!((removal.files, tally.freed().files, tally.freed().size), (2, 2, 10));
            assert!(at.join("top/closed/file").exists() && !at.join("top/open").exists());
        }
    });
}
