//! Other file systems are not entered, whether they have a device of their own or are bound in from the same one.

#![cfg(target_os = "linux")]

use std::process::Command;

use super::*;

/// A mount that is taken down again.
struct Mount(PathBuf);

impl Mount {
    fn new(test: &str, arguments: &[&str], at: &Path) -> Option<Self> {
        let done = Command::new("mount").args(arguments).arg(at).output();
        match done {
            Ok(output) if output.status.success() => Some(Self(at.to_owned())),
            _ => {
                skipped(test, "nothing can be mounted here");
                None
            }
        }
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn try_mount(test: &str, sandbox: &Sandbox, arguments: &[&str]) {
    sandbox.folder("top/mount");
    sandbox.file("top/file", 3);
    let Some(mount) = Mount::new(test, arguments, &sandbox.at("top/mount")) else { return };
    fs::write(sandbox.at("top/mount/inner"), "inner").unwrap();
    for way in ways() {
        let root = sandbox.root(way);
        let elsewhere = [(path("top/mount"), FsError::OtherDevice)];
        let measured = measure_all(&root);
        assert_eq!(measured.unreadable, elsewhere, "{way:?}");
        assert_eq!(measured.usage[0].size, 3);
        assert_eq!(root.stat(&path("top/mount")), Err(FsError::OtherDevice));
        assert_eq!(root.stat(&path("top/mount/inner")), Err(FsError::OtherDevice));
        assert_eq!(root.read(&path("top/mount/inner"), 9), Err(FsError::OtherDevice));
        let nodes = root.walk(&RelPath::root(), Filter::default()).unwrap().next(100);
        assert_eq!(nodes.last().map(|node| (&*node.path, node.kind)), Some(("top/mount", NodeKind::Unreadable)));

        let removal = remove(&root, "top", &LinkTally::default());
        assert_eq!(removal.failures, elsewhere, "{way:?}");
        assert!(!removal.gone && sandbox.has("top/mount/inner"));

        let cut = Root::open(&mount.0).unwrap().identity();
        let root = root.with_cuts(vec![cut]);
        assert_eq!(measure_all(&root).unreadable, []);
        let removal = remove(&root, "top", &LinkTally::default());
        assert_eq!((removal.failures.len(), removal.kept_something), (0, true));
        sandbox.file("top/file", 3);
    }
}

#[test]
fn a_mount_with_its_own_device_is_not_entered() {
    try_mount("a_mount_with_its_own_device_is_not_entered", &Sandbox::new(), &["-t", "tmpfs", "tmpfs"]);
}

#[test]
fn a_folder_bound_in_from_the_same_device_is_not_entered() {
    let sandbox = Sandbox::new();
    let source = sandbox.dir.path().join("source");
    fs::create_dir(&source).unwrap();
    let arguments = ["--bind", source.to_str().unwrap()];
    try_mount("a_folder_bound_in_from_the_same_device_is_not_entered", &sandbox, &arguments);
}

#[test]
fn access_times_count_only_where_the_mount_keeps_them() {
    for (option, kept) in [("relatime", true), ("strictatime", true), ("noatime", false), ("ro", false)] {
        let sandbox = Sandbox::new();
        let place = sandbox.dir.path().join("mount");
        fs::create_dir(&place).unwrap();
        let test = "access_times_count_only_where_the_mount_keeps_them";
        let Some(mount) = Mount::new(test, &["-t", "tmpfs", "-o", option, "tmpfs"], &place) else { return };
        assert_eq!(Root::open(&mount.0).unwrap().access_times_kept(), kept, "{option}");
    }
}
