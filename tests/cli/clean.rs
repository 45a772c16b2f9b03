//! What goes and what stays: references, revisions, blobs, locks; and what the report says of it.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, lchown};
use std::path::Path;

use serde_json::json;

use crate::hub::{Hub, Repo, commit, etag};
use crate::list::keys;
use crate::privileges::{Need, can};
use crate::sandbox::{Sandbox, array};
use crate::tree::{self, assert_gone};

fn repo_path(below: &str) -> String {
    format!("models--acme--a/{below}")
}

fn snapshot(digit: char) -> String {
    repo_path(&format!("snapshots/{}", commit(digit)))
}

fn blob(digit: char) -> String {
    repo_path(&format!("blobs/{}", etag(digit)))
}

/// Cleans, and asserts that exactly this is gone and that what was freed is the difference of two recounts.
#[track_caller]
fn clean(sandbox: &Sandbox, hub: &Hub, targets: &[&str], gone: &[&str]) {
    let outside = sandbox.all_but(&hub.root);
    let (before, size) = (tree::read(&hub.root), tree::size(&hub.root));
    let document = sandbox.json([["clean", "-y"].as_slice(), targets].concat());
    assert_gone(&before, &tree::read(&hub.root), gone);
    assert_eq!(document["freed"].as_u64(), Some(size - tree::size(&hub.root)));
    assert_eq!(document["expected"], document["freed"]);
    assert_eq!((array(&document, "failed"), array(&document, "errors")), (vec![], vec![]));
    assert_eq!(sandbox.all_but(&hub.root), outside);
}

#[test]
fn the_report_has_exactly_the_published_keys() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.model("b", 10).own_file('a', "mine.txt", "mine");
    let document = sandbox.json(["clean", "-y", "--all"]);
    let expected = "dry_run errors expected failed freed freed_disk freed_disk_at_least keep remove schema_version";
    assert_eq!(keys(&document).into_iter().collect::<Vec<_>>().join(" "), expected);
    let (remove, keep) = (&array(&document, "remove")[0], &array(&document, "keep")[0]);
    assert_eq!(keys(remove).into_iter().collect::<Vec<_>>(), ["cache", "id", "paths", "reason", "root", "size"]);
    assert_eq!(keys(keep).into_iter().collect::<Vec<_>>(), ["cache", "id", "reason", "root", "size"]);
    assert_eq!(remove["reason"], "all of `hub`");
}

#[test]
fn a_revision_takes_what_it_alone_has_and_leaves_what_others_share() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("weights", 'a', 0), ("sub/more", 'b', 30)]).refs("dev", 'b').refs("v1", 'b');
    repo.tree('a', 1).tree('b', 2).no_exist('a', "x").no_exist('b', "x");
    let (tree_b, no_exist) =
        (repo_path(&format!("trees/{}.json", commit('b'))), repo_path(&format!(".no_exist/{}", commit('b'))));
    let gone = [&snapshot('b'), &blob('b'), &tree_b, &no_exist, &repo_path("refs/dev"), &repo_path("refs/v1")];
    clean(&sandbox, &hub, &["model/acme/a@dev"], &gone.map(String::as_str));
    assert!(fs::read(repo.path("snapshots").join(commit('a')).join("weights")).is_ok());
}

#[test]
fn blobs_shared_only_among_the_revisions_that_go_go_too() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("weights", 'a', 0), ("both", 'b', 30)]).revision('c', &[("both", 'b', 0), ("own", 'c', 4)]);
    // Alone, either of them leaves what both have.
    let alone = sandbox.json(["clean", "-n", "model/acme/a@bbbbbbb"]);
    assert_eq!(alone["expected"], 0);
    let gone = [snapshot('b'), snapshot('c'), blob('b'), blob('c')];
    clean(&sandbox, &hub, &["model/acme/a@bbbbbbb", "model/acme/a@ccccccc"], &gone.each_ref().map(String::as_str));
}

#[test]
fn a_repository_goes_whole_with_its_locks() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000).blob(&format!("{}.incomplete", etag('d')), 5).refs("old", 'f');
    fs::write(hub.root.join("models--acme--a/notes.txt"), "whatever").unwrap();
    hub.model("b", 10);
    clean(&sandbox, &hub, &["model/acme/a"], &["models--acme--a", ".locks/models--acme--a"]);
}

#[test]
fn an_orphan_blob_goes_alone() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000).blob(&etag('d'), 77);
    let id = format!("model/acme/a/blobs/{}", etag('d'));
    clean(&sandbox, &hub, &[&id], &[&blob('d')]);
}

#[test]
fn quiet_is_the_ids_of_what_went() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    hub.model("b", 10).revision('b', &[("w", 'b', 5)]);
    let run = sandbox.dscc(["clean", "-yq", "model/acme/a", "model/acme/b@bbbbbbb"]).expect(0);
    assert_eq!(run.stdout, format!("model/acme/a\nmodel/acme/b@{}\n", commit('b')));
    assert_eq!(run.stderr, "");
}

#[test]
fn an_emptied_hub_is_still_a_hub_and_a_second_run_has_nothing_to_do() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    hub.repo("datasets--acme--d").revision('b', &[("x", 'b', 3)]);
    fs::write(hub.root.join("CACHEDIR.TAG"), "Signature: 8a477f597d28d172789f06886806bc55").unwrap();
    sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(hub.exists("CACHEDIR.TAG") && !hub.exists("models--acme--a") && !hub.exists("datasets--acme--d"));
    let again = sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(again.stdout.contains("Nothing to remove"), "{}", again.stdout);
    sandbox.dscc(["clean", "-y", "-c", "hub"]).expect(0);
    sandbox.dscc(["list"]).expect(0);
}

#[test]
fn a_hard_link_elsewhere_keeps_the_bytes_and_they_do_not_count_as_freed() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("w", 'b', 30)]);
    fs::hard_link(repo.path("blobs").join(etag('a')), sandbox.outside().join("copy")).unwrap();
    // Two names in the cache are one file, whichever is counted.
    fs::hard_link(repo.path("blobs").join(etag('b')), repo.path("blobs").join(etag('c'))).unwrap();
    let outside = sandbox.all_but(&hub.root);
    let entry = sandbox.entry("model/acme/a");
    assert_eq!((&entry["size"], &entry["unique_size"]), (&json!(1070), &json!(70)));
    let document = sandbox.json(["clean", "-y", "model/acme/a"]);
    assert_eq!((&document["expected"], &document["freed"]), (&json!(70), &json!(70)));
    assert_eq!(sandbox.all_but(&hub.root), outside);
}

/// Makes the links of a revision such that nobody knows before that they cannot be removed: they are another user's, in
/// a folder where only owners may remove.
fn stick(repo: &Repo, digit: char) {
    let folder = repo.path("snapshots").join(commit(digit));
    let owner = Some(65_534);
    for link in fs::read_dir(&folder).unwrap() {
        lchown(link.unwrap().path(), owner, None).unwrap();
    }
    chown(&folder, owner, None).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o1777)).unwrap();
}

const CLEAN: [&str; 3] = ["clean", "-y", "--include-others"];

#[test]
fn what_could_not_be_removed_is_reported_with_status_1_and_running_again_finishes() {
    if !can("what_could_not_be_removed_is_reported_with_status_1_and_running_again_finishes", &[Need::Root]) {
        return;
    }
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    hub.model("b", 30);
    stick(&repo, 'a');
    let size = tree::size(&hub.root);
    let run = sandbox.dscc_bound(CLEAN.iter().chain(&["--all", "--json"])).expect(1);
    let document = run.json();
    assert_eq!(document["freed"].as_u64(), Some(size - tree::size(&hub.root)));
    assert_eq!(document["expected"].as_u64(), Some(size));
    // For the library it is gone as a whole; what is left of it waits.
    assert!(!hub.exists("models--acme--a") && !hub.exists("models--acme--b"));
    let failed = array(&document, "failed");
    let link = format!("models--acme--a/snapshots/{}/weights", commit('a'));
    let of_link = failed.iter().find(|row| row["path"] == link).expect("the link is named");
    let expected = ["cache", "code", "hint", "id", "message", "path", "plugin"];
    assert_eq!(keys(of_link).into_iter().collect::<Vec<_>>(), expected);
    assert!(of_link["message"].as_str().unwrap().contains("only the owner may remove it"), "{of_link:#}");
    // It goes once it can.
    sandbox.dscc_bound(["undo", "--discard", "-y"]).expect(1);
    let mut held = fs::read_dir(hub.root.parent().unwrap()).unwrap().map(|it| it.unwrap().path());
    let held = held.find(|it| it.to_str().unwrap().contains("quarantine")).unwrap();
    unstick(&held);
    sandbox.dscc_bound(["clean", "-y", "--all"]).expect(0);
    assert!(!held.exists());
    sandbox.dscc(["undo"]).expect(5);
}

/// Takes [`stick`] back, wherever the links are now.
fn unstick(below: &Path) {
    for entry in walkdir::WalkDir::new(below).into_iter().map(Result::unwrap) {
        lchown(entry.path(), Some(0), None).unwrap();
        if entry.file_type().is_dir() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o700)).unwrap();
        }
    }
}

#[test]
fn a_failure_is_told_to_people_too_and_never_as_freed() {
    if !can("a_failure_is_told_to_people_too_and_never_as_freed", &[Need::Root]) {
        return;
    }
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    stick(hub.model("a", 1000).revision('b', &[("w", 'b', 30)]), 'a');
    let run = sandbox.dscc_bound(CLEAN.iter().chain(&["model/acme/a@main", "model/acme/a@bbbbbbb"])).expect(1);
    assert!(run.stderr.contains("error:") && run.stderr.contains("weights"), "{}", run.text());
    assert!(run.stdout.contains("are not free yet") && run.stderr.contains("dscc undo"), "{}", run.text());
}

#[test]
fn freed_is_what_a_recount_finds_missing() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let mut counter = 0;
    for name in ["a", "b", "c"] {
        let repo = hub.model(name, 1 << 10);
        for digit in ['b', 'c', 'd'] {
            counter += 1;
            repo.revision(digit, &[("w", 'a', 0), ("x", digit, counter * 111), ("s/y", 'e', counter)])
                .tree(digit, counter);
        }
    }
    for target in ["model/acme/a@bbbbbbb", "model/acme/b", "model/acme/c@main", "model/acme/a", "model/acme/c"] {
        let before = tree::size(&hub.root);
        let document = sandbox.json(["clean", "-y", target]);
        let freed = before - tree::size(&hub.root);
        assert_eq!((document["expected"].as_u64(), document["freed"].as_u64()), (Some(freed), Some(freed)), "{target}");
        let rest = &array(&sandbox.json(["list"]), "caches")[0];
        assert_eq!(rest["size"].as_u64(), Some(tree::size(&hub.root)));
    }
}

#[test]
fn with_nothing_to_do_nobody_has_to_be_asked() {
    let sandbox = Sandbox::new();
    sandbox.dscc(["clean", "--all"]).expect(0);
    sandbox.hub().model("a", 10);
    let run = sandbox.dscc(["clean", "--all"]).expect(3);
    assert!(run.stdout.contains("model/acme/a") && run.stderr.contains("no terminal to ask on"), "{}", run.text());
}
