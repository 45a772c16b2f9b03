//! Trees that somebody made to get at what lies outside of the root, or that no library would make. Whatever is asked
//! for, nothing outside of the root changes, nothing panics, and each oddity is told.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::hub::{Hub, commit, etag};
use crate::sandbox::{Sandbox, array, ids};
use crate::tree;

/// Runs every command on the hub, the last of them removing all, and asserts that nothing else changed.
#[track_caller]
fn survives(sandbox: &Sandbox, hub: &Hub) {
    let before = sandbox.all_but(&hub.root);
    let listed = sandbox.json(["list", "--reclaimable"]);
    assert_eq!(array(&listed, "caches")[0]["size"].as_u64(), Some(tree::size(&hub.root)));
    for args in [
        ["show", "--children"].as_slice(),
        &["clean", "-n", "--all"],
        &["clean", "-y", "--all"],
        &["clean", "-y", "--all", "--force", "irreplaceable", "--force", "needed"],
    ] {
        let run = sandbox.dscc(args);
        assert!([0, 3].contains(&run.status), "{args:?}: {} {}", run.status, run.text());
    }
    assert_eq!(sandbox.all_but(&hub.root), before);
}

fn warning(sandbox: &Sandbox, id: &str) -> String {
    sandbox.entry(id)["attributes"]["warning"].to_string()
}

#[test]
fn a_snapshots_link_that_leads_outside_is_told_and_goes_as_a_link() {
    for absolute in [false, true] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 10);
        let up = "../".repeat(7);
        let outside = |name: &str| {
            if absolute { sandbox.outside().join(name) } else { Path::new(&format!("{up}outside")).join(name) }
        };
        repo.link('a', "file", outside("precious")).link('a', "folder", outside("folder"));
        assert!(repo.path("snapshots").join(commit('a')).join("file").exists(), "the link leads where it should");
        let entry = sandbox.entry(&format!("model/acme/a@{}", commit('a')));
        assert_eq!((&entry["state"], &entry["size"]), (&"broken".into(), &50.into()));
        assert!(warning(&sandbox, "model/acme/a").contains("leads out of the cache"));
        let before = sandbox.all_but(&hub.root);
        let document = sandbox.json(["clean", "-y", "model/acme/a"]);
        assert_eq!(document["freed"], 50);
        assert!(!hub.exists("models--acme--a"));
        assert_eq!(sandbox.all_but(&hub.root), before);
    }
}

#[test]
fn a_blob_that_is_a_link_outside_goes_as_a_link() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    symlink(sandbox.outside().join("precious"), repo.path("blobs").join(etag('b'))).unwrap();
    repo.link('a', "w", format!("../../blobs/{}", etag('b')));
    assert!(warning(&sandbox, "model/acme/a").contains("leads out of the cache"));
    survives(&sandbox, &hub);
    sandbox.dscc(["clean", "-y", "model/acme/a"]);
    assert!(!hub.exists("models--acme--a"));
    assert!(sandbox.outside().join("precious").exists());
}

#[test]
fn links_in_a_circle_end() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    repo.link('a', "self", "self")
        .link('a', "up", ".")
        .link('a', "d/up", "..")
        .link('a', "ping", "pong")
        .link('a', "pong", "ping");
    symlink(etag('c'), repo.path("blobs").join(etag('b'))).unwrap();
    symlink(etag('b'), repo.path("blobs").join(etag('c'))).unwrap();
    repo.link('a', "blob", format!("../../blobs/{}", etag('b')));
    survives(&sandbox, &hub);
}

#[test]
fn a_repository_folder_that_is_a_link_is_told_and_goes_as_a_link() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let colleague = Hub::at(sandbox.outside().join("hub"));
    colleague.model("a", 1000);
    symlink(colleague.root.join("models--acme--a"), hub.root.join("models--acme--a")).unwrap();
    symlink(colleague.root.join(".locks"), hub.root.join(".locks")).unwrap();
    symlink("../../../../outside/folder", hub.root.join("datasets--acme--b")).unwrap();
    assert!(warning(&sandbox, "model/acme/a").contains("it is a link"));
    let entry = sandbox.entry("dataset/acme/b");
    assert_eq!((&entry["state"], &entry["size"]), (&"broken".into(), &0.into()));
    survives(&sandbox, &hub);
    sandbox.dscc(["clean", "-y", "model/acme/a", "--force", "irreplaceable"]);
    assert!(colleague.exists(format!("models--acme--a/blobs/{}", etag('a'))));
}

#[test]
fn parts_of_a_repository_that_are_links_are_not_entered() {
    for part in ["blobs", "refs", "snapshots", ".no_exist", "trees"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 10);
        let _ = fs::remove_dir_all(repo.path(part));
        symlink(sandbox.outside(), repo.path(part)).unwrap();
        survives(&sandbox, &hub);
    }
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    symlink(sandbox.outside(), repo.path("snapshots").join(commit('b'))).unwrap();
    assert!(sandbox.entry(&format!("model/acme/a@{}", commit('b')))["state"] == "broken");
    survives(&sandbox, &hub);
}

#[test]
fn a_store_that_is_a_link_is_not_entered() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let elsewhere = Hub::at(sandbox.outside().join("hub"));
    let payload = elsewhere.payload('a', 100, &[]);
    hub.model("a", 10);
    symlink(elsewhere.root.join("blobs"), hub.root.join("blobs")).unwrap();
    hub.repo("models--acme--a").shared('b', "w", '1', &payload);
    survives(&sandbox, &hub);
    assert!(elsewhere.exists(&payload));
}

#[test]
fn a_ref_that_holds_a_path_nothing_or_20_megabytes_names_no_revision() {
    for (content, told) in [
        (b"../../../outside".to_vec(), true),
        (b"/etc".to_vec(), true),
        (Vec::new(), true),
        (b"..".to_vec(), true),
        (vec![b'a'; 20 << 20], true),
        (vec![0xff; 40], true),
        (b"a\0b\n\x1b[2J".to_vec(), true),
    ] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        hub.model("a", 10).raw_ref("odd", &content);
        assert_eq!(warning(&sandbox, "model/acme/a").contains("the ref `odd`"), told);
        let ids_before: Vec<String> = ids(&sandbox.entries()).into_iter().map(str::to_owned).collect();
        assert_eq!(ids_before.len(), 2, "{ids_before:?}");
        survives(&sandbox, &hub);
        assert!(!hub.exists("models--acme--a"));
    }
}

#[test]
fn a_fifo_and_a_socket_are_neither_read_nor_waited_for() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    let places = [
        repo.path("snapshots").join(commit('a')).join("fifo"),
        repo.path("blobs").join(etag('b')),
        repo.path("refs/fifo"),
        repo.path("fifo"),
        hub.root.join(".locks/models--acme--a/fifo.lock"),
        hub.root.join("models--acme--fifo"),
    ];
    for place in &places {
        mknodat(CWD, place, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }
    // The name of a socket must be short, so it is made here and moved there.
    let _socket = UnixListener::bind(sandbox.path("s")).unwrap();
    fs::rename(sandbox.path("s"), repo.path("snapshots").join(commit('a')).join("socket")).unwrap();
    survives(&sandbox, &hub);
    sandbox.dscc(["clean", "-y", "model/acme/a", "--force", "irreplaceable"]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_very_deep_tree_is_measured_and_removed() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    // Deeper than any path can be written, so it is built from the inside out.
    let (mut inner, piece) = (sandbox.path("deep"), "d/".repeat(60));
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("bottom"), "12345").unwrap();
    for round in 0..50 {
        let outer = sandbox.path(format!("deep{round}"));
        fs::create_dir_all(outer.join(&piece)).unwrap();
        fs::rename(&inner, outer.join(&piece).join("x")).unwrap();
        inner = outer;
    }
    fs::rename(&inner, repo.path("snapshots").join(commit('a')).join("deep")).unwrap();
    let before = sandbox.all_but(&hub.root);
    let row = &array(&sandbox.json(["list"]), "caches")[0];
    assert_eq!((&row["size"], &row["lower_bound"]), (&55.into(), &false.into()));
    sandbox.dscc(["show", "--children"]).expect(0);
    let run = sandbox.dscc(["clean", "-y", "model/acme/a", "--force", "irreplaceable", "--json"]).expect(0);
    assert_eq!(run.json()["freed"], 55);
    assert!(!hub.exists("models--acme--a"));
    assert_eq!(sandbox.all_but(&hub.root), before);
}

#[test]
fn a_file_where_a_folder_should_be_is_told() {
    for part in ["refs", "blobs", "snapshots"] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 10);
        fs::remove_dir_all(repo.path(part)).unwrap();
        fs::write(repo.path(part), "x").unwrap();
        let entry = sandbox.entry("model/acme/a");
        assert_eq!(entry["state"], "broken", "{part}");
        assert!(warning(&sandbox, "model/acme/a").contains(&format!("`{part}` is no folder")), "{entry:#}");
        survives(&sandbox, &hub);
        sandbox.dscc(["clean", "-y", "model/acme/a", "--force", "irreplaceable"]);
        assert!(!hub.exists("models--acme--a"));
    }
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("b", 10);
    fs::write(hub.root.join("models--acme--a"), "x").unwrap();
    assert!(warning(&sandbox, "model/acme/a").contains("it is no folder"));
    survives(&sandbox, &hub);
}

#[test]
fn a_hub_of_many_empty_things_is_no_trouble() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for name in
        ["models--", "models----", "datasets--a--", "spaces--@", "models--a@b", "buckets--a--b", "blobs", ".locks"]
    {
        fs::create_dir_all(hub.root.join(name)).unwrap();
    }
    for part in ["blobs", "refs", "snapshots", ".no_exist", "trees"] {
        fs::create_dir_all(hub.root.join("models--acme--empty").join(part)).unwrap();
    }
    survives(&sandbox, &hub);
}
