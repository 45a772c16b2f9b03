//! `dscc show`: what a decision about an entry needs.

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::hub::{commit, etag};
use crate::list::keys;
use crate::sandbox::{Sandbox, array, ids};

#[test]
fn an_entry_has_exactly_the_published_keys() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10).blob(&etag('d'), 1);
    let show = sandbox.json(["show", "--children"]);
    assert_eq!(keys(&show), BTreeSet::from(["schema_version", "entries", "errors"]));
    let expected = BTreeSet::from([
        "cache",
        "root",
        "id",
        "parent",
        "kind",
        "label",
        "state",
        "reclaim",
        "recovery",
        "size",
        "unique_size",
        "disk_size",
        "files",
        "modified",
        "last_used",
        "created",
        "paths",
        "attributes",
    ]);
    let entries = array(&show, "entries");
    assert_eq!(entries.len(), 3);
    for entry in &entries {
        assert_eq!(keys(entry), expected);
    }
}

#[test]
fn children_come_flat_with_their_parent_and_only_when_asked_for() {
    let sandbox = Sandbox::new();
    let orphan = format!("model/acme/a/blobs/{}", etag('d'));
    sandbox.hub().model("a", 10).blob(&etag('d'), 1);
    assert_eq!(ids(&array(&sandbox.json(["show"]), "entries")), ["model/acme/a"]);
    let all = sandbox.entries();
    let revision = format!("model/acme/a@{}", commit('a'));
    assert_eq!(ids(&all), ["model/acme/a", &revision, &orphan]);
    assert_eq!(all[0]["parent"], Value::Null);
    assert_eq!((&all[1]["parent"], &all[2]["parent"]), (&json!("model/acme/a"), &json!("model/acme/a")));
    assert_eq!((&all[1]["kind"], &all[2]["kind"]), (&json!("revision"), &json!("blob")));
}

#[test]
fn sizes_are_of_regular_files_an_inode_once_and_unique_is_what_would_go() {
    let sandbox = Sandbox::new();
    let repo = sandbox.hub().model("a", 1000);
    repo.revision('b', &[("weights", 'a', 0), ("more", 'b', 30)]).tree('b', 5).no_exist('b', "x");
    let entry = |id: &str| sandbox.entry(id);
    let whole = entry("model/acme/a");
    assert_eq!((&whole["size"], &whole["unique_size"]), (&json!(1075), &json!(1075)));
    let (a, b) = (entry(&format!("model/acme/a@{}", commit('a'))), entry(&format!("model/acme/a@{}", commit('b'))));
    assert_eq!((&a["size"], &a["unique_size"], &a["files"]), (&json!(1040), &json!(40), &json!(2)));
    assert_eq!((&b["size"], &b["unique_size"], &b["files"]), (&json!(1035), &json!(35), &json!(4)));
    assert_eq!(a["attributes"]["refs"], json!(["main"]));
    assert_eq!(b["reclaim"], json!("no ref points here"));
    assert_eq!((&a["state"], &b["state"]), (&json!("complete"), &json!("detached")));
}

#[test]
fn times_are_rfc_3339_in_utc() {
    let sandbox = Sandbox::new();
    let repo = sandbox.hub().model("a", 1000);
    let when = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for file in walkdir::WalkDir::new(&sandbox.hub().root).into_iter().flatten().filter(|it| it.file_type().is_file()) {
        std::fs::File::options().write(true).open(file.path()).unwrap().set_modified(when).unwrap();
    }
    assert!(repo.path("blobs").exists());
    assert_eq!(sandbox.entry("model/acme/a")["modified"], "2023-11-14T22:13:20Z");
}

#[test]
fn paths_are_relative_to_the_root_and_exist() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10).refs("feature/x", 'a').no_exist('a', "x").tree('a', 3);
    let entries = sandbox.entries();
    for entry in &entries {
        for path in array(entry, "paths") {
            let path = path.as_str().unwrap();
            assert!(!path.starts_with('/') && hub.exists(path), "{path}");
        }
    }
    let refs = &sandbox.entry(&format!("model/acme/a@{}", commit('a')))["attributes"]["refs"];
    assert_eq!(*refs, json!(["feature/x", "main"]));
}

#[test]
fn quiet_is_one_id_a_line() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.model("b", 10);
    let run = sandbox.dscc(["show", "-q"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("model/acme/a\nmodel/acme/b\n", ""));
}

#[test]
fn one_named_entry_is_shown_with_its_details() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.model("b", 20);
    let run = sandbox.dscc(["show", "model/acme/b@main"]).expect(0);
    assert!(run.stdout.contains(&commit('a')) && !run.stdout.contains("model/acme/a@"), "{}", run.stdout);
    assert!(run.stdout.contains("models--acme--b/refs/main"), "{}", run.stdout);
    sandbox.dscc(["show", "model/acme/c"]).expect(5);
}

#[test]
fn what_the_library_drops_is_shown_with_the_reason_and_counted() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let broken = hub.model("broken", 1000);
    broken.link('a', "gone", format!("../../blobs/{}", etag('e')));
    hub.model("dangling", 10).refs("old", 'f');
    hub.repo("models--acme--probed").refs("main", 'a').no_exist('a', "adapter_config.json");
    let state = |id: &str| (sandbox.entry(id)["state"].clone(), sandbox.entry(id)["attributes"]["warning"].to_string());
    let (word, why) = state("model/acme/broken");
    assert!(word == "broken" && why.contains(&etag('e')), "{why}");
    let (word, why) = state("model/acme/dangling");
    assert!(word == "broken" && why.contains(&commit('f')), "{why}");
    assert_eq!(state("model/acme/probed").0, "partial");
    let row = &array(&sandbox.json(["list"]), "caches")[0];
    assert_eq!((row["entries"].as_u64(), row["size"].as_u64()), (Some(3), Some(crate::tree::size(&hub.root))));
}

#[test]
fn names_that_would_deceive_are_escaped_in_tables_and_json() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let deceiving = "models--acme--a\u{1b}[2J\u{202e}\nb";
    hub.repo(deceiving).revision('a', &[]).refs("main", 'a');
    symlink("x", hub.root.join("models--l\u{7}")).unwrap();
    for args in [["show", "--children"], ["show", "--json"], ["show", "-q"], ["list", "--json"]] {
        let run = sandbox.dscc(args).expect(0);
        let hidden = |character: char| (character.is_control() && character != '\n') || character == '\u{202e}';
        assert!(!run.text().contains(hidden), "{args:?}: {:?}", run.text());
    }
    let table = sandbox.dscc(["show"]).expect(0).stdout;
    assert!(table.contains("a\\u{1b}[2J\\u{202e}\\u{a}b"), "{table}");
    assert_eq!(table.lines().count(), 3, "{table}");
    let entries = array(&sandbox.json(["show"]), "entries");
    assert!(ids(&entries).contains(&"model/acme/a\u{1b}[2J\u{202e}\nb"));
}
