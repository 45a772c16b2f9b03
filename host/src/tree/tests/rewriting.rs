//! A small file is replaced as a whole or not at all.

use std::os::unix::fs::PermissionsExt;

use super::*;

#[test]
fn the_content_changes_and_the_mode_stays() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("a/index", 3);
        fs::set_permissions(sandbox.at("a/index"), fs::Permissions::from_mode(0o640)).unwrap();
        let root = sandbox.root(way);
        root.rewrite(&path("a/index"), b"xxx", b"new").unwrap();
        assert_eq!(fs::read(sandbox.at("a/index")).unwrap(), b"new");
        assert_eq!(fs::metadata(sandbox.at("a/index")).unwrap().permissions().mode() & 0o7777, 0o640);
        assert_eq!(root.names(&path("a")).unwrap(), ["index"], "nothing else is left behind");
    }
}

#[test]
fn a_file_that_is_another_one_by_now_is_left_alone() {
    for way in ways() {
        let sandbox = Sandbox::new();
        sandbox.file("a/index", 3);
        sandbox.link("a/link", "index");
        let root = sandbox.root(way);
        for old in [&b"xx"[..], b"xxxx", b"xxy", b""] {
            assert_eq!(root.rewrite(&path("a/index"), old, b"new"), Err(FsError::Changed));
        }
        assert_eq!(root.rewrite(&path("a/link"), b"xxx", b"new"), Err(FsError::WrongKind));
        assert_eq!(root.rewrite(&path("a"), b"xxx", b"new"), Err(FsError::WrongKind));
        assert_eq!(root.rewrite(&path("a/none"), b"xxx", b"new"), Err(FsError::NotFound));
        assert_eq!(root.rewrite(&path(""), b"xxx", b"new"), Err(FsError::IsRoot));
        assert_eq!(fs::read(sandbox.at("a/index")).unwrap(), b"xxx");
        assert_eq!(root.names(&path("a")).unwrap(), ["index", "link"]);
    }
}
