//! Cases that are too rare to be met by chance in every run, or were met once, each as small as it can be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::recount::{Bytes, Count};
use crate::components::{Entry, Plugin};
use crate::hub::etag;
use crate::sandbox::{Sandbox, array};
use crate::world::write;

/// A hub with a model, and a file of ir_datasets that is a further name of the model's blob.
fn linked_across() -> Sandbox {
    let sandbox = Sandbox::new();
    let repo = sandbox.hub().model("a", 5000);
    let corpus = sandbox.home().join(".ir_datasets/antique/collection.tsv");
    fs::create_dir_all(corpus.parent().unwrap()).unwrap();
    fs::hard_link(repo.path("blobs").join(etag('a')), corpus).unwrap();
    sandbox
}

fn count(sandbox: &Sandbox) -> Count {
    Count::of(&sandbox.path(""), &sandbox.home().join(".local"))
}

fn said(document: &Value) -> (u64, Bytes) {
    let number = |key: &str| document[key].as_u64().unwrap();
    (number("expected"), Bytes { size: number("freed"), disk: number("freed_disk") })
}

#[test]
fn a_file_with_names_in_two_caches_is_promised_and_freed_when_both_names_go() {
    for way in [&["-y"][..], &["-y", "--no-record"]] {
        let sandbox = linked_across();
        let before = count(&sandbox);
        let document = sandbox.json([&["clean", "--all"], way].concat());
        let freed = before.freed_until(&count(&sandbox));
        assert_eq!(said(&document), (freed.size, freed));
        assert_eq!(freed.size, 5040);
        let sandbox = linked_across();
        let document = sandbox.json([&["clean", "model/acme/a"], way].concat());
        assert_eq!(said(&document).1.size, 40, "the other name is still there");
    }
}

#[test]
fn what_waits_counts_as_what_deleting_it_frees() {
    let sandbox = linked_across();
    for (args, bytes) in [(&["model/acme/a"][..], 40), (&["--all"], 5040)] {
        sandbox.dscc([&["clean", "-y", "--keep-undo"], args].concat()).expect(0);
        assert_eq!(array(&sandbox.json(["list"]), "held")[0]["size"], bytes, "{args:?}");
        sandbox.dscc(["undo"]).expect(0);
    }
    sandbox.dscc(["clean", "-y", "--keep-undo", "--all"]).expect(0);
    assert_eq!(sandbox.json(["undo", "--discard", "-y"])["freed"], 5040);
}

/// A plugin may list its entries whether they are there or not.
#[test]
fn an_entry_that_goes_is_not_put_back_for_its_own_sake() {
    let sandbox = Sandbox::new();
    let entries = [Entry::new("thing").owns("thing").shares("pool"), Entry::new("other").owns("other").shares("pool")];
    fs::write(sandbox.path("plugin.wasm"), Plugin::new().entries(&entries).build()).unwrap();
    sandbox.dscc(["plugin", "add", "-y", "../plugin.wasm"]).expect(0);
    let bad = sandbox.home().join("bad");
    for (file, size) in [("thing", 10), ("other", 200), ("pool", 3000)] {
        write(&bad.join(file), size);
    }
    assert_eq!(sandbox.json(["clean", "-y", "thing"])["freed"], 10);
    assert!(!bad.join("thing").exists() && bad.join("pool").exists());
    assert_eq!(sandbox.json(["clean", "-y", "other", "thing"])["freed"], 3200);
}

/// Everything in a folder, without the times of access.
fn everything(root: &Path) -> Count {
    Count::of(root, Path::new(""))
}

#[test]
fn a_folder_in_which_its_own_things_wait_gets_its_time_back() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 100).revision('b', &[("w", 'b', 30)]);
    let above: PathBuf = hub.root.parent().unwrap().to_owned();
    let before = everything(&hub.root);
    let rights = |mode: u32| fs::set_permissions(&above, fs::Permissions::from_mode(mode)).unwrap();
    rights(0o555);
    for entry in ["model/acme/a", "model/acme/a@bbbbbbb"] {
        let held = sandbox.dscc_bound(["clean", "-y", "--keep-undo", "--json", entry]).expect(0).json();
        assert!(!array(&held, "remove").is_empty());
        let inside = walkdir::WalkDir::new(&hub.root).into_iter().flatten();
        assert!(inside.into_iter().any(|it| it.file_name().to_str().unwrap().starts_with(".dscc-quarantine")));
        let list = sandbox.json(["list"]);
        assert!(array(&list, "caches").iter().all(|row| row["unclaimed"] == json!(0)), "{list:#}");
        sandbox.dscc_bound(["undo"]).expect(0);
        assert_eq!(everything(&hub.root), before, "{entry}");
    }
    rights(0o755);
}

#[test]
fn a_list_of_holders_comes_back_to_the_byte_and_with_its_time() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repos = ["x", "y", "z"].map(|name| hub.repo(&format!("models--acme--{name}")));
    let holders: Vec<String> = repos.iter().map(|repo| repo.holds('1')).collect();
    let payload = hub.payload('a', 5000, &[&holders[1], &holders[0], &holders[2]]);
    repos.iter().for_each(|repo| drop(repo.shared('a', "w", '1', &payload).refs("main", 'a').lock('1')));
    let manifest = hub.root.join(format!("{payload}.refs"));
    let read = || {
        let it = everything(manifest.parent().unwrap()).0;
        it.into_iter().map(|(path, found)| (path, found.content, found.modified, found.mode)).collect::<Vec<_>>()
    };
    let before = read();
    sandbox.dscc(["clean", "-y", "--keep-undo", "model/acme/x", "model/acme/y"]).expect(0);
    assert_eq!(fs::read_to_string(&manifest).unwrap(), format!("{}\n", holders[2]));
    sandbox.dscc(["undo"]).expect(0);
    assert_eq!(read(), before);
}
