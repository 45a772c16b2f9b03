//! The store of blobs that repositories share: a payload goes with its last holder, the list of holders is kept true,
//! and what is not known to be such a store is left alone.

use std::fs;

use serde_json::json;

use crate::hub::{Hub, Repo, etag};
use crate::sandbox::{Sandbox, array, ids};
use crate::tree;

/// Two repositories that share one payload.
fn two_holders(hub: &Hub) -> (Repo, Repo, String) {
    let (x, y) = (hub.repo("models--acme--x"), hub.repo("models--acme--y"));
    let payload = hub.payload('a', 5000, &[&x.holds('1'), &y.holds('2')]);
    x.shared('a', "w", '1', &payload).refs("main", 'a');
    y.shared('a', "w", '2', &payload).refs("main", 'a');
    (x, y, payload)
}

fn manifest(hub: &Hub, payload: &str) -> String {
    fs::read_to_string(hub.root.join(format!("{payload}.refs"))).unwrap()
}

#[test]
fn a_payload_stays_for_its_other_holder_and_the_manifest_loses_one_line() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (_, y, payload) = two_holders(&hub);
    let document = sandbox.json(["clean", "-y", "model/acme/x"]);
    assert_eq!(document["freed"], 40);
    assert!(!hub.exists("models--acme--x") && hub.exists(&payload));
    assert_eq!(manifest(&hub, &payload), format!("{}\n", y.holds('2')));
    assert!(fs::read(y.path("blobs").join(etag('2'))).is_ok());
}

#[test]
fn a_payload_goes_with_its_last_holder() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (_, _, payload) = two_holders(&hub);
    sandbox.dscc(["clean", "-y", "model/acme/x"]).expect(0);
    let before = tree::size(&hub.root);
    let document = sandbox.json(["clean", "-y", "model/acme/y"]);
    assert_eq!(document["freed"].as_u64(), Some(before - tree::size(&hub.root)));
    assert!(!hub.exists(&payload) && !hub.exists(format!("{payload}.refs")));
    assert!(hub.exists("blobs/.huggingface-shared-blobs"));
}

#[test]
fn both_holders_at_once_take_the_payload_with_them() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (_, _, payload) = two_holders(&hub);
    let document = sandbox.json(["clean", "-y", "model/acme/x", "model/acme/y"]);
    assert!(document["freed"].as_u64().unwrap() >= 5080);
    assert!(!hub.exists(&payload) && !hub.exists(format!("{payload}.refs")));
}

#[test]
fn a_revision_gives_up_its_payload_and_keeps_what_another_revision_links() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.repo("models--acme--x");
    let one = hub.payload('a', 100, &[&repo.holds('1')]);
    let two = hub.payload('b', 200, &[&repo.holds('2')]);
    repo.shared('a', "w", '1', &one).refs("main", 'a');
    repo.shared('b', "w", '1', &one).shared('b', "v", '2', &two);
    sandbox.dscc(["clean", "-y", "model/acme/x@bbbbbbb"]).expect(0);
    assert!(hub.exists(&one) && !hub.exists(&two));
    assert!(fs::read(repo.path("blobs").join(etag('1'))).is_ok());
    assert!(!hub.exists(format!("models--acme--x/blobs/{}", etag('2'))));
}

#[test]
fn a_payload_that_nobody_links_is_a_row_with_its_reason_and_goes_alone() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    two_holders(&hub);
    let lost = hub.payload('b', 300, &["models--acme--gone/blobs/x"]);
    let id = format!("store/{}", etag('b'));
    let entry = sandbox.entry(&id);
    assert_eq!((&entry["reclaim"], &entry["parent"]), (&json!("no repository links to it"), &json!("store")));
    sandbox.dscc(["clean", "-y", &id]).expect(0);
    assert!(!hub.exists(&lost) && !hub.exists(format!("{lost}.refs")));
    assert!(hub.exists(format!("blobs/aa/{}", etag('a'))));
}

#[test]
fn a_payload_without_a_readable_manifest_is_never_collected() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.repo("models--acme--x");
    let payload = hub.payload('a', 100, &[]);
    fs::remove_file(hub.root.join(format!("{payload}.refs"))).unwrap();
    repo.shared('a', "w", '1', &payload).refs("main", 'a');
    sandbox.dscc(["clean", "-y", "model/acme/x"]).expect(0);
    assert!(!hub.exists("models--acme--x") && hub.exists(&payload));
}

#[test]
fn the_payload_of_a_store_of_unknown_version_is_left_alone() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (x, y, payload) = two_holders(&hub);
    hub.mark_store("2\n");
    let before = manifest(&hub, &payload);
    let entry = sandbox.entry("store");
    assert_eq!(entry["state"], "broken");
    assert!(entry["attributes"]["warning"].to_string().contains("upgrade"), "{entry:#}");
    // It never goes alone, and never for one holder.
    let alone = sandbox.dscc(["clean", "-y", "store", "--json"]).expect(3).json();
    assert_eq!(ids(&array(&alone, "keep")), ["store"]);
    sandbox.dscc(["clean", "-y", "model/acme/x"]).expect(0);
    assert_eq!(manifest(&hub, &payload), before);
    assert!(!x.path("").exists() && fs::read(y.path("blobs").join(etag('2'))).is_ok());
}

#[test]
fn a_blobs_folder_without_the_mark_is_nobodys_and_stays() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (_, _, payload) = two_holders(&hub);
    fs::remove_file(hub.root.join("blobs/.huggingface-shared-blobs")).unwrap();
    let list = &array(&sandbox.json(["list"]), "caches")[0];
    assert_eq!(list["unclaimed"].as_u64(), Some(tree::size(&hub.root.join("blobs"))));
    sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(hub.exists(&payload) && hub.exists(format!("{payload}.refs")));
    assert!(!hub.exists("models--acme--x"));
}

#[test]
fn everything_is_everything() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    two_holders(&hub);
    let before = tree::size(&hub.root);
    let document = sandbox.json(["clean", "-y", "--all"]);
    assert_eq!(document["freed"].as_u64(), Some(before));
    assert_eq!(tree::size(&hub.root), 0);
}
