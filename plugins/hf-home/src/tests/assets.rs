//! Assets by library, namespace and subfolder.

use dscc_sdk::Recovery;
use dscc_sdk::testing::MemoryRoot;

use super::{attribute, find, ids, level};

#[test]
fn the_three_levels_are_library_namespace_and_subfolder() {
    let root = MemoryRoot::new().file("datasets/acme--SQuAD/extracted/dev/a", "1").file("lib/default/default/b", "1");
    let top = level(&root, "assets", None);
    assert_eq!(ids(&top), ["datasets", "lib"]);
    assert_eq!(find(&top, "datasets").owns, ["datasets"]);
    let namespaces = level(&root, "assets", Some("datasets"));
    assert_eq!(ids(&namespaces), ["datasets/acme--SQuAD"]);
    let assets = level(&root, "assets", Some("datasets/acme--SQuAD"));
    let entry = find(&assets, "datasets/acme--SQuAD/extracted");
    assert_eq!((entry.kind.as_str(), entry.has_children), ("assets", false));
    assert_eq!((attribute(&entry, "library"), attribute(&entry, "subfolder")), (Some("datasets"), Some("extracted")));
    assert!(level(&root, "assets", Some("datasets/acme--SQuAD/extracted")).entries.is_empty());
}

#[test]
fn only_the_library_knows_whether_it_can_make_them_again() {
    let root = MemoryRoot::new().file("a/b/c/d", "1");
    for parent in [None, Some("a"), Some("a/b")] {
        assert_eq!(level(&root, "assets", parent).entries[0].recovery, Recovery::Uncertain);
    }
}

#[test]
fn what_lies_beside_the_folders_is_nobody_s() {
    let root =
        MemoryRoot::new().file("notes.txt", "1").file("a/notes.txt", "1").file("a/b/c/d", "1").directory("a/e/f");
    let root = root.file("my work/b/c/d", "1").file("only/files", "1").directory("empty/empty");
    let top = level(&root, "assets", None);
    assert_eq!(ids(&top), ["a"]);
    assert_eq!(find(&top, "a").owns, ["a/b", "a/e"]);
    assert_eq!(find(&level(&root, "assets", Some("a")), "a/b").owns, ["a/b"]);
    let deeper = root.file("a/b/notes.txt", "1").file("a-z/x/y/z", "1");
    assert_eq!(find(&level(&deeper, "assets", None), "a").owns, ["a/b/c", "a/e"]);
    assert_eq!(find(&level(&deeper, "assets", None), "a-z").owns, ["a-z"]);
}

#[test]
fn what_the_library_cannot_have_named_does_not_go_with_the_folder_it_is_in() {
    let root = MemoryRoot::new().file("a/b/c/d", "1").file("a/my files/x/y", "1").file("a/b/my\\\\x/y", "1");
    assert_eq!(find(&level(&root, "assets", None), "a").owns, ["a/b/c"]);
    assert_eq!(find(&level(&root, "assets", Some("a")), "a/b").owns, ["a/b/c"]);
}

#[test]
fn a_link_is_the_user_s() {
    let root = MemoryRoot::new().link("a", "/data/a").link("b/c", "/data/c").link("b/d/e", "../../x");
    for (parent, id, target) in
        [(None, "a", "/data/a"), (Some("b"), "b/c", "/data/c"), (Some("b/d"), "b/d/e", "../../x")]
    {
        let entry = find(&level(&root, "assets", parent), id);
        assert_eq!((entry.kind.as_str(), entry.recovery), ("link", Recovery::Irreplaceable));
        assert_eq!((entry.owns.as_slice(), attribute(&entry, "target")), ([id.to_owned()].as_slice(), Some(target)));
    }
}

#[test]
fn in_the_hugging_face_home_and_in_a_hub_nothing_is_an_asset() {
    let files = [
        "hub/models--acme--tiny/refs/main",
        "hub/CACHEDIR.TAG",
        "xet/logs/xet_1.log",
        "modules/__init__.py",
        "sandbox/pools/1/a.json",
        "models--acme--tiny/refs/main",
    ];
    for file in files {
        let root = MemoryRoot::new().file("lerobot/me/records/1.parquet", "1").file(file, "1");
        let listing = level(&root, "assets", None);
        assert!(listing.entries.is_empty() && listing.warnings.len() == 1, "{file}");
    }
    let library = MemoryRoot::new().file("hub/default/default/x", "1").file("modules/a/b/x", "1");
    assert_eq!(ids(&level(&library, "assets", None)), ["hub", "modules"]);
}
