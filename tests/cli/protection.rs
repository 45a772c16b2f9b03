//! What holds a selected entry back: the user's own files, locks that somebody has, and what is not known.

use std::fs::{self, File};
use std::path::Path;

use crate::hub::{Hub, commit, etag};
use crate::sandbox::{Sandbox, array, give_away, ids, paths};
use crate::tree;

/// Takes the lock as the library does, until the file is dropped.
fn hold(lock: &Path) -> File {
    let file = File::options().read(true).write(true).open(lock).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn a_partial_download_that_is_locked_stays_and_goes_once_it_is_free() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    for form in [format!("{}.incomplete", etag('d')), format!("{}.0a1b2c3d.incomplete", etag('d'))] {
        repo.blob(&form, 500);
        let id = format!("model/acme/a/blobs/{form}");
        let held = hold(&repo.lock('d'));
        let before = tree::read(&hub.root);
        for flag in ["-n", "-y"] {
            let document = sandbox.dscc(["clean", flag, &id, "--json"]).expect(3).json();
            let keep = array(&document, "keep");
            assert_eq!(ids(&keep), [id.as_str()]);
            assert!(keep[0]["reason"].as_str().unwrap().contains("in use"), "{keep:?}");
            assert_eq!((&document["freed"], array(&document, "remove").len()), (&0.into(), 0));
        }
        let run = sandbox.dscc(["clean", "-y", &id]).expect(3);
        assert!(run.stdout.contains("Stays") && run.stdout.contains("in use"), "{}", run.text());
        assert_eq!(tree::read(&hub.root), before);
        drop(held);
        let document = sandbox.json(["clean", "-y", &id]);
        assert_eq!(document["freed"], 500);
        tree::assert_gone(&before, &tree::read(&hub.root), &[&format!("models--acme--a/blobs/{form}")]);
    }
}

#[test]
fn a_repository_with_a_held_lock_stays_whole_while_others_go() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    hub.model("b", 10);
    let before = tree::read(&repo.path(""));
    let held = hold(&repo.lock('a'));
    let document = sandbox.json(["clean", "-y", "--all"]);
    assert_eq!(ids(&array(&document, "keep")), ["model/acme/a"]);
    assert!(!hub.exists("models--acme--b"));
    assert_eq!(tree::read(&repo.path("")), before);
    drop(held);
    sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_payload_that_is_locked_stays() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let payload = hub.payload('a', 100, &[]);
    let held = hold(&hub.root.join(format!("{payload}.lock")));
    sandbox.dscc(["clean", "-y", &format!("store/{}", etag('a'))]).expect(3);
    assert!(hub.exists(&payload));
    drop(held);
    sandbox.dscc(["clean", "-y", &format!("store/{}", etag('a'))]).expect(0);
    assert!(!hub.exists(&payload));
}

#[test]
fn the_locks_of_a_repository_that_is_gone_go_only_when_they_are_free() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("b", 10);
    let lock = hub.repo("models--acme--gone").lock('a');
    let held = hold(&lock);
    sandbox.dscc(["clean", "-y", "locks/models--acme--gone"]).expect(3);
    assert!(lock.exists());
    drop(held);
    sandbox.dscc(["clean", "-y", "locks/models--acme--gone"]).expect(0);
    assert!(!hub.exists(".locks/models--acme--gone") && hub.exists(".locks/models--acme--b"));
}

/// A repository with a revision that holds a user's file and one that does not.
fn with_own_file(hub: &Hub) {
    hub.model("a", 10).own_file('a', "notes.md", "weeks of work").revision('b', &[("w", 'b', 5)]).refs("dev", 'b');
    hub.model("b", 10);
}

#[test]
fn a_users_file_in_a_snapshot_makes_the_revision_and_the_repository_irreplaceable() {
    let sandbox = Sandbox::new();
    with_own_file(&sandbox.hub());
    let recovery = |id: &str| sandbox.entry(id)["recovery"].clone();
    assert_eq!(recovery("model/acme/a"), "irreplaceable");
    assert_eq!(recovery(&format!("model/acme/a@{}", commit('a'))), "irreplaceable");
    assert_eq!(recovery(&format!("model/acme/a@{}", commit('b'))), "download");
    assert_eq!(recovery("model/acme/b"), "download");
}

#[test]
fn what_cannot_be_had_back_goes_neither_with_its_cache_nor_by_name_alone_nor_by_force_alone() {
    let selections: [&[&str]; 7] = [
        &["--all"],
        &["-c", "hub"],
        &["-c", "hub", "--force", "irreplaceable"],
        &["--all", "--force", "irreplaceable"],
        &["model/acme/a"],
        &["model/acme/a@main"],
        &["model/acme/a", "--force", "needed"],
    ];
    for selection in selections {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        with_own_file(&hub);
        let before = tree::read(&hub.repo("models--acme--a").path(""));
        let named = selection.iter().any(|word| word.starts_with("model"));
        let args = [["clean", "-y", "--json"].as_slice(), selection].concat();
        let document = sandbox.dscc(args).expect(if named { 3 } else { 0 }).json();
        let keep = array(&document, "keep");
        assert!(!keep.is_empty(), "{selection:?}");
        assert!(keep.iter().any(|row| row["reason"].to_string().contains("--force irreplaceable")), "{keep:?}");
        assert_eq!(tree::read(&hub.repo("models--acme--a").path("")), before, "{selection:?}");
        assert_eq!(hub.exists("models--acme--b"), named);
    }
}

#[test]
fn what_cannot_be_had_back_goes_when_it_is_named_and_forced() {
    for target in ["model/acme/a", "model/acme/a@main"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        with_own_file(&hub);
        let dry = sandbox.dscc(["clean", "-n", target, "--force", "irreplaceable"]).expect(0);
        assert!(dry.stdout.contains("CANNOT BE HAD BACK"), "{}", dry.stdout);
        sandbox.dscc(["clean", "-y", target, "--force", "irreplaceable"]).expect(0);
        assert!(!hub.exists(format!("models--acme--a/snapshots/{}", commit('a'))));
        assert_eq!(hub.exists("models--acme--a"), target.contains('@'));
    }
}

#[test]
fn the_other_revisions_of_a_repository_with_a_users_file_can_go() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    with_own_file(&hub);
    sandbox.dscc(["clean", "-y", "model/acme/a@dev"]).expect(0);
    assert!(!hub.exists(format!("models--acme--a/snapshots/{}", commit('b'))));
    assert!(hub.exists(format!("models--acme--a/snapshots/{}/notes.md", commit('a'))));
}

#[test]
fn files_that_programs_strew_are_nobodys_own() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    fs::create_dir_all(repo.path("snapshots").join(commit('a')).join("__pycache__")).unwrap();
    repo.own_file('a', "__pycache__/m.cpython-312.pyc", "x")
        .own_file('a', ".DS_Store", "x")
        .own_file('a', "m.pyc", "x");
    assert_eq!(sandbox.entry("model/acme/a")["recovery"], "download");
    sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_cache_without_links_is_downloaded_again_like_any_other() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.repo("models--acme--a");
    repo.revision('a', &[]).own_file('a', "config.json", "{}").refs("main", 'a');
    repo.revision('b', &[]).own_file('b', "config.json", "{}").refs("dev", 'b');
    assert_eq!(sandbox.entry("model/acme/a")["recovery"], "download");
    sandbox.dscc(["clean", "-y", "model/acme/a@dev"]).expect(0);
    assert!(!hub.exists(format!("models--acme--a/snapshots/{}", commit('b'))));
    assert!(hub.exists(format!("models--acme--a/snapshots/{}/config.json", commit('a'))));
}

/// What could not be looked into may refer to anything: nothing is called reclaimable, and no blob is freed for want of
/// holders.
#[test]
fn what_cannot_be_read_vetoes_what_it_may_refer_to() {
    for part in ["snapshots", &format!("snapshots/{}", commit('b')), "refs"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 1000);
        repo.revision('b', &[("w", 'b', 30)]).blob(&etag('c'), 7);
        let before = tree::read(&repo.path("blobs"));
        give_away(&repo.path(part));
        let list = sandbox.dscc_bound(["list", "--reclaimable", "--json"]).expect(0).json();
        let row = &array(&list, "caches")[0];
        assert_eq!((&row["lower_bound"], &row["reclaimable"]), (&true.into(), &0.into()), "{part}");
        assert_eq!(array(row, "warnings").last().unwrap()["code"], "unreadable", "{part}");
        let table = sandbox.dscc_bound(["list"]).expect(0);
        assert!(table.stdout.contains('\u{2265}') && table.stderr.contains("could not be read"), "{}", table.text());
        let show = sandbox.dscc_bound(["show", "--children", "--json"]).expect(0).json();
        let entries = array(&show, "entries");
        assert!(entries.iter().all(|entry| entry["reclaim"].is_null()), "{part}: {entries:#?}");
        for id in ids(&entries).into_iter().filter(|id| id.contains('@')) {
            sandbox.dscc_bound(["clean", "-y", id]);
        }
        assert_eq!(tree::read(&repo.path("blobs")), before, "{part}");
    }
}

#[test]
fn an_unreadable_repository_costs_no_other_one() {
    for part in ["", "snapshots", "blobs", "refs"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        give_away(&hub.model("a", 1000).path(part));
        hub.model("b", 30);
        let document = sandbox.dscc_bound(["clean", "-y", "model/acme/b", "--json"]).expect(0).json();
        assert_eq!(document["freed"], 70, "{part}: {document:#}");
        assert!(!hub.exists("models--acme--b"), "{part}");
    }
}

#[test]
fn what_is_left_in_the_face_of_unreadable_folders_is_told() {
    for part in ["", "snapshots", "blobs", "refs"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 1000);
        hub.model("b", 30);
        let size = tree::size(&hub.root);
        give_away(&repo.path(part));
        let document = sandbox.dscc_bound(["clean", "-y", "--all", "--json"]).json();
        tree::unlock(&sandbox.path(""));
        assert!(repo.path(part).exists(), "{part}");
        assert_eq!(document["freed"].as_u64(), Some(size - tree::size(&hub.root)), "{part}: {document:#}");
        // What was to go and is still there has a row that says why.
        let failed = array(&document, "failed");
        for row in array(&document, "remove") {
            let left = paths(std::slice::from_ref(&row)).iter().any(|path| hub.exists(path));
            assert!(!left || failed.iter().any(|failure| failure["id"] == row["id"]), "{part}: {row:#}");
        }
        assert!(!failed.is_empty() || ids(&array(&document, "keep")).contains(&"model/acme/a"), "{part}: {document:#}");
    }
}
