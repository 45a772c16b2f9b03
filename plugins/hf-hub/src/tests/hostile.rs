//! What nobody's client would write.

use dscc_sdk::{Directory, Filter, Kind, Nodes};
use dscc_sdk::{FsError, State, testing::Tree};

use super::*;

#[test]
fn a_ref_that_names_no_revision_breaks_the_repository_and_makes_no_entry() {
    for text in ["../../x", "", "two words", "a/b", "\u{1b}[31m", &"a".repeat(10 << 20)] {
        let root = TempRoot::new().simple(REPO).file(&format!("{REPO}/refs/odd"), text);
        assert_eq!(find(&top(&root), ID).state, State::Broken, "{text:.20}");
        assert_eq!(children(&root, ID).entries.len(), 1, "{text:.20}");
    }
}

#[test]
fn odd_names_are_opaque() {
    for name in ["new\nline", "\u{1b}[2J", "\\xff\\xfe", "back\\\\slash", "*", &"n".repeat(200)] {
        let folder = format!("models--acme--{name}");
        let root = TempRoot::new().simple(&folder).linked(&folder, &digits('a'), name, name);
        let entry = find(&top(&root), &format!("model/acme/{name}"));
        assert_eq!((entry.owns.as_slice(), entry.state), ([folder.clone()].as_slice(), State::Complete), "{name:?}");
        assert_eq!(children(&root, &entry.id).entries[0].shares.len(), 2, "{name:?}");
    }
}

#[test]
fn folders_that_are_links_are_not_entered() {
    for part in ["snapshots", "blobs", "refs"] {
        let root = TempRoot::new().simple("models--b").simple(REPO);
        std::fs::remove_dir_all(root.path().join(REPO).join(part)).unwrap();
        let root = root.link(&format!("{REPO}/{part}"), format!("../models--b/{part}"));
        assert_eq!(find(&top(&root), ID).state, State::Broken, "{part}");
        let level = children(&root, ID);
        assert!(level.entries.iter().all(|entry| entry.kind == "revision" && entry.reclaim.is_none()), "{part}");
    }
    let root = TempRoot::new().simple(REPO).link(&format!("{REPO}/snapshots/{}", digits('b')), digits('a'));
    let linked = find(&children(&root, ID), &format!("{ID}@{}", digits('b')));
    assert_eq!((linked.state, linked.owns), (State::Broken, vec![format!("{REPO}/snapshots/{}", digits('b'))]));
}

/// A directory in which one place cannot be read; tests may run as root, who can read all.
struct Closed(Tree, &'static str);

impl Directory for Closed {
    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        if at.ends_with(self.1) {
            return Err(FsError::Denied);
        }
        let inside = format!("{}/", self.1);
        let nodes = self.0.walk(at, filter)?.filter(move |node| !node.path.contains(&inside));
        let closed = nodes.map(|mut node| {
            if node.path.ends_with(self.1) {
                node.kind = Kind::Unreadable;
            }
            node
        });
        Ok(closed.collect())
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        let closed = |file: &String| file.ends_with(self.1) || file.contains(&format!("{}/", self.1));
        let read = |file: &String| {
            if closed(file) { Err(FsError::Denied) } else { self.0.read(std::slice::from_ref(file), limit).remove(0) }
        };
        files.iter().map(read).collect()
    }
}

#[test]
fn what_cannot_be_read_is_reported_and_nothing_is_concluded_from_it() {
    let commit = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    for closed in ["tiny", "snapshots", "refs", "blobs", "refs/main", commit] {
        let temp = TempRoot::new().simple(REPO).linked(REPO, &digits('b'), "x", &digits('2'));
        let root = Closed(Tree::open(temp.path()), closed);
        let level = HfHub::list_entries(&root, "hub", None, Detail::Full).unwrap();
        assert_eq!((find(&level, ID).state, level.warnings.len()), (State::Broken, 1), "{closed}");
        assert!(level.warnings[0].path.ends_with(closed), "{closed}: {:?}", level.warnings);
        let Ok(level) = HfHub::list_entries(&root, "hub", Some(ID), Detail::Full) else { continue };
        assert_eq!(level.warnings.len(), 1, "{closed}");
        assert!(level.entries.iter().all(|entry| entry.kind != "blob"), "{closed}: {:?}", ids(&level));
        if closed.starts_with("refs") {
            assert!(level.entries.iter().all(|entry| entry.reclaim.is_none()), "{closed}");
        }
    }
}

#[test]
fn an_unreadable_root_or_store_is_an_error_or_kept() {
    let temp = TempRoot::new().marked().simple(REPO);
    let root = Closed(Tree::open(temp.path()), "blobs");
    let level = HfHub::list_entries(&root, "hub", None, Detail::Full).unwrap();
    assert_eq!(find(&level, "store").state, State::Broken);
    assert_eq!(find(&level, ID).needs, ["blobs"]);
    let nowhere = Tree::open(temp.path().join("nowhere"));
    assert!(
        HfHub::list_entries(&nowhere, "hub", None, Detail::Full).unwrap_err().to_string().contains("cannot be listed")
    );
}
