//! What a command line selects, and what it must not guess.

use crate::hub::{Hub, commit, etag};
use crate::sandbox::{Sandbox, array, ids, paths};
use crate::tree;

#[test]
fn a_cache_that_nobody_has_exits_5_with_the_nearest_name() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    for (typo, nearest) in [("hubb", "hub"), ("hf-hbu", "hf-hub")] {
        for command in [vec!["list"], vec!["show"], vec!["paths"], vec!["clean", "-y"]] {
            let run = sandbox.dscc([command.as_slice(), &["-c", typo]].concat()).expect(5);
            let expected = format!("did you mean {nearest}");
            assert!(run.stderr.contains(typo) && run.stderr.contains(&expected), "{}", run.stderr);
        }
    }
    let run = sandbox.dscc(["list", "-c", "something-else"]).expect(5);
    assert!(run.stderr.contains("hub"), "{}", run.stderr);
}

#[test]
fn a_cache_id_and_a_plugins_name_both_name_the_cache() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    for name in ["hub", "hf-hub"] {
        assert_eq!(array(&sandbox.json(["list", "-c", name]), "caches").len(), 1);
        assert_eq!(ids(&array(&sandbox.json(["clean", "-n", "-c", name]), "remove")).len(), 2);
    }
    assert_eq!(array(&sandbox.json(["list", "-c", "hub", "-c", "hf-hub"]), "caches").len(), 1);
}

#[test]
fn clean_with_nothing_named_is_a_usage_error() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    for args in [vec!["clean"], vec!["clean", "-y"], vec!["clean", "-n"], vec!["clean", "-y", "--json"]] {
        let run = sandbox.dscc(&args).expect(2);
        assert!(run.stderr.contains("--all"), "{}", run.stderr);
    }
    assert!(hub.exists("models--acme--a"));
}

#[test]
fn one_entry_that_is_not_there_and_nothing_goes() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    let before = tree::read(&hub.root);
    for absent in
        ["model/acme/b", "model/acme/a@dev", "model/acme/a@0123456", "hub:model/acme/b", "model/acme", "", "@"]
    {
        for args in [["clean", "-y", "model/acme/a", absent], ["clean", "-y", absent, "model/acme/a"]] {
            let run = sandbox.dscc(args).expect(5);
            assert!(run.stderr.contains(&format!("`{absent}`")), "{}", run.stderr);
        }
    }
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn an_entry_can_be_named_with_its_cache() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.model("b", 10);
    sandbox.dscc(["clean", "-y", "hub:model/acme/a"]).expect(0);
    assert!(!hub.exists("models--acme--a") && hub.exists("models--acme--b"));
    sandbox.dscc(["rm", "-y", "-c", "hub", "model/acme/b"]).expect(0);
    assert!(!hub.exists("models--acme--b"));
}

#[test]
fn the_same_id_in_two_roots_is_a_usage_error_with_the_candidates() {
    let sandbox = Sandbox::new();
    let hubs = ["one", "two"].map(|name| Hub::at(sandbox.home().join(name)));
    hubs.iter().for_each(|hub| drop(hub.model("a", 10)));
    let roots = hubs.each_ref().map(|hub| format!("--root=hub={}", hub.root.display()));
    let run = sandbox.dscc(["clean", "-y", "model/acme/a", &roots[0], &roots[1]]).expect(2);
    for hub in &hubs {
        assert!(run.stderr.contains(hub.root.to_str().unwrap()), "{}", run.stderr);
        assert!(hub.exists("models--acme--a/refs/main"));
    }
    // Naming the root says which one.
    sandbox.dscc(["clean", "-y", "model/acme/a", &roots[1]]).expect(0);
    assert!(hubs[0].exists("models--acme--a") && !hubs[1].exists("models--acme--a"));
}

#[test]
fn a_revision_is_named_by_its_commit_a_ref_or_seven_digits() {
    for name in [commit('b'), "dev".into(), "refs/pr/1".into(), "bbbbbbb".into(), "BBBBBBBB".into()] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        hub.model("a", 10).revision('b', &[("w", 'b', 5)]).refs("dev", 'b').refs("refs/pr/1", 'b');
        let target = format!("model/acme/a@{name}");
        let plan = sandbox.json(["clean", "-n", &target]);
        assert_eq!(ids(&array(&plan, "remove")), [format!("model/acme/a@{}", commit('b'))], "{name}");
        sandbox.dscc(["clean", "-y", &target]).expect(0);
        assert!(!hub.exists(format!("models--acme--a/snapshots/{}", commit('b'))), "{name}");
        assert!(hub.exists(format!("models--acme--a/snapshots/{}", commit('a'))), "{name}");
    }
}

#[test]
fn fewer_than_seven_digits_name_nothing() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    sandbox.dscc(["show", "model/acme/a@aaaaaa"]).expect(5);
    sandbox.dscc(["show", "model/acme/a@aaaaaaa"]).expect(0);
}

#[test]
fn a_prefix_of_two_commits_is_a_usage_error_with_both() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.repo("models--acme--a");
    let commits = ["1".repeat(40), "1".repeat(39) + "2"];
    for commit in &commits {
        std::fs::create_dir_all(repo.path("snapshots").join(commit)).unwrap();
    }
    let run = sandbox.dscc(["clean", "-y", "model/acme/a@1111111"]).expect(2);
    for commit in &commits {
        assert!(run.stderr.contains(commit), "{}", run.stderr);
        assert!(repo.path("snapshots").join(commit).exists());
    }
}

#[test]
fn a_ref_is_meant_before_a_prefix() {
    let sandbox = Sandbox::new();
    // A branch may look like a commit.
    sandbox.hub().model("a", 10).revision('b', &[]).refs("aaaaaaa", 'b');
    let plan = sandbox.json(["clean", "-n", "model/acme/a@aaaaaaa"]);
    assert_eq!(ids(&array(&plan, "remove")), [format!("model/acme/a@{}", commit('b'))]);
}

#[test]
fn naming_all_revisions_removes_the_repository_and_its_locks() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10).revision('b', &[("w", 'b', 5)]).blob(&etag('e'), 3);
    sandbox.dscc(["clean", "-y", "model/acme/a@main", "model/acme/a@bbbbbbb"]).expect(0);
    assert!(!hub.exists("models--acme--a") && !hub.exists(".locks/models--acme--a"));
}

#[test]
fn an_entry_named_twice_goes_once() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    let plan = sandbox.json(["clean", "-y", "model/acme/a", "hub:model/acme/a", "model/acme/a@main"]);
    assert_eq!(array(&plan, "remove").len(), 2);
    assert_eq!(plan["freed"], 50);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal_and_nothing_changes() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    let before = tree::read(&hub.root);
    for args in [vec!["clean", "--all"], vec!["clean", "--all", "--json"], vec!["clean", "-c", "hub", "model/acme/a"]] {
        let run = sandbox.dscc(&args).expect(3);
        assert!(run.stderr.contains("-y"), "{}", run.stderr);
        // What would be asked about is shown; a document is all or nothing.
        assert_eq!(run.stdout.contains("model/acme/a"), !args.contains(&"--json"), "{}", run.stdout);
    }
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn a_dry_run_changes_nothing_and_names_exactly_what_goes() {
    let selections: [&[&str]; 5] = [
        &["--all"],
        &["model/acme/a"],
        &["model/acme/a@dev"],
        &["model/acme/a@dev", "model/acme/a@ccccccc"],
        &["-c", "hub", "store"],
    ];
    for selection in selections {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let repo = hub.model("a", 10);
        repo.revision('b', &[("w", 'a', 0), ("x/y", 'b', 5)]).refs("dev", 'b').tree('b', 3).no_exist('b', "n");
        repo.revision('c', &[("x", 'b', 0), ("z", 'c', 7)]).blob(&etag('d'), 9);
        hub.payload('e', 30, &[]);
        let before = sandbox.all_but(std::path::Path::new(""));
        let plan = sandbox.json([["clean", "-n"].as_slice(), selection].concat());
        assert_eq!(sandbox.all_but(std::path::Path::new("")), before);
        assert_eq!((&plan["dry_run"], &plan["freed"]), (&true.into(), &0.into()));

        let root = tree::read(&hub.root);
        let done = sandbox.json([["clean", "-y"].as_slice(), selection].concat());
        let planned = paths(&array(&plan, "remove"));
        let expected: Vec<&str> = planned.iter().map(String::as_str).collect();
        tree::assert_gone(&root, &tree::read(&hub.root), &expected);
        assert_eq!(done["remove"], plan["remove"]);
        assert_eq!((&done["freed"], &done["dry_run"]), (&plan["expected"], &false.into()));
    }
}
