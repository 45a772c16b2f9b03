//! `dscc apply` of a file that is not as dscc has written it: it can make less go, and never anything else.

use std::fs::{self, File};
use std::path::Path;

use serde_json::{Value, json};

use crate::apply::{apply, plan, world};
use crate::hub::etag;
use crate::sandbox::{Sandbox, array, ids, reason};
use crate::tree;

#[test]
fn a_file_that_is_no_plan_is_refused_as_a_whole() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["--all"]);
    let text = shown.to_string();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut other = shown.clone();
        change(&mut other);
        other.to_string()
    };
    let files: [(String, &str); 18] = [
        (String::new(), "not what"),
        ("[]".into(), "not what"),
        ("{\"schema_version\":1}".into(), "not what"),
        (text[..text.len() / 2].into(), "not what"),
        (format!("{}{text}", "[".repeat(100_000)), "not what"),
        (with(&|it| it["dry_run"] = json!(false)), "report of a run"),
        (with(&|it| drop(it.as_object_mut().unwrap().remove("plan"))), "older dscc"),
        (with(&|it| it["schema_version"] = json!(2)), "upgrade dscc"),
        (with(&|it| it["plan"] = json!({"format": 99, "new": true})), "upgrade dscc"),
        (with(&|it| it["plan"]["more"] = json!(1)), "damaged"),
        (with(&|it| it["plan"]["roots"][0]["path"] = json!("cache")), "absolute"),
        (with(&|it| drop(it["remove"].as_array_mut().unwrap().pop())), "name other entries"),
        (with(&|it| drop(it["plan"]["roots"][0]["entries"].as_array_mut().unwrap().pop())), "damaged"),
        (with(&|it| it["plan"]["roots"][0]["entries"][0]["id"] = json!("model/acme/c")), "name other entries"),
        (with(&|it| it["plan"]["terms"]["grace"] = json!(-1)), "damaged"),
        (with(&|it| twice(&mut it["plan"]["roots"])), "name other entries"),
        (with(&|it| twice(&mut it["plan"]["roots"][0]["steps"])), "twice"),
        (with(&|it| it["plan"]["roots"][0]["steps"][0]["entry"] = json!(9_999)), "no entry"),
    ];
    let before = sandbox.all_but(Path::new(""));
    for (file, why) in files {
        fs::write(sandbox.path("plan.json"), &file).unwrap();
        let run = sandbox.dscc(["apply", "-y", sandbox.path("plan.json").to_str().unwrap()]).expect(3);
        assert!(run.stderr.contains(why), "{why}: {}", run.text());
    }
    for path in ["..", "../outside", "/etc", "models--acme--a/../../x", "a//b", "a\0b", "", "a\\x2fb", "a/"] {
        let steps = with(&|it| it["plan"]["roots"][0]["steps"][0]["path"] = json!(path));
        let edits = json!([{"path": path, "when": "before", "lines": ["x"]}]);
        let edits = with(&|it| it["plan"]["roots"][0]["edits"] = edits.clone());
        for file in [Some(steps), Some(edits).filter(|_| !path.is_empty())].into_iter().flatten() {
            fs::write(sandbox.path("plan.json"), &file).unwrap();
            let run = sandbox.dscc(["apply", "-y", sandbox.path("plan.json").to_str().unwrap()]).expect(3);
            assert!(run.stderr.contains("damaged"), "{path}: {}", run.text());
        }
    }
    File::create(sandbox.path("plan.json")).unwrap().set_len((256 << 20) + 1).unwrap();
    let run = sandbox.dscc(["apply", "-y", sandbox.path("plan.json").to_str().unwrap()]).expect(3);
    assert!(run.stderr.contains("longer than"), "{}", run.text());
    fs::remove_file(sandbox.path("plan.json")).unwrap();
    assert_eq!(sandbox.all_but(Path::new("")), before);
    assert!(hub.exists("models--acme--a"));
}

fn twice(rows: &mut Value) {
    let rows = rows.as_array_mut().unwrap();
    rows.push(rows[0].clone());
}

/// The row of an entry in the plan's only root.
fn entry<'a>(plan: &'a mut Value, id: &str) -> &'a mut Value {
    let entries = plan["plan"]["roots"][0]["entries"].as_array_mut().unwrap();
    entries.iter_mut().find(|entry| entry["id"] == id).unwrap()
}

/// Adds an entry of another plan to one, consistently; with its steps, if they are given.
fn add(plan: &mut Value, other: &Value, with_steps: bool) {
    let first = array(&plan["plan"]["roots"][0], "entries").len();
    let other_root = &other["plan"]["roots"][0];
    for (row, entry) in array(other, "remove").into_iter().zip(array(other_root, "entries")) {
        plan["remove"].as_array_mut().unwrap().push(row);
        plan["plan"]["roots"][0]["entries"].as_array_mut().unwrap().push(entry);
    }
    for mut step in array(other_root, "steps").into_iter().filter(|_| with_steps) {
        step["entry"] = json!(step["entry"].as_u64().unwrap() + first as u64);
        plan["plan"]["roots"][0]["steps"].as_array_mut().unwrap().push(step);
    }
}

#[test]
fn an_entry_that_was_added_without_its_paths_stays() {
    let (sandbox, hub, repo) = world();
    let mut shown = plan(&sandbox, &["model/acme/b"]);
    add(&mut shown, &plan(&sandbox, &["model/acme/a"]), false);
    let before = tree::read(&repo.path(""));
    let document = apply(&sandbox, &shown).expect(1).json();
    assert!(reason(&document, "model/acme/a").contains("came to it"), "{document:#}");
    assert_eq!(tree::read(&repo.path("")), before);
    assert!(!hub.exists("models--acme--b"));
}

#[test]
fn a_path_that_was_added_to_an_entry_does_not_go() {
    let (sandbox, hub, repo) = world();
    fs::write(hub.root.join("stray"), "mine").unwrap();
    let steps = array(&plan(&sandbox, &["model/acme/a"])["plan"]["roots"][0], "steps");
    let mut shown = plan(&sandbox, &["model/acme/b"]);
    let stray = json!({"entry": 0, "path": "stray", "kind": "file", "dev": 1, "ino": 1, "emptied": false,
        "size": 4, "modified": "2024-01-01T00:00:00Z"});
    for mut step in steps.into_iter().chain([stray]) {
        step["entry"] = json!(0);
        shown["plan"]["roots"][0]["steps"].as_array_mut().unwrap().push(step);
    }
    let before = tree::read(&repo.path(""));
    apply(&sandbox, &shown).expect(0);
    assert_eq!(tree::read(&repo.path("")), before);
    assert!(hub.exists("stray") && !hub.exists("models--acme--b"));
}

#[test]
fn what_cannot_be_had_back_goes_only_if_the_plan_was_made_so() {
    let (sandbox, hub, repo) = world();
    repo.own_file('a', "notes.md", "weeks of work");
    let forced = plan(&sandbox, &["model/acme/a", "--force", "irreplaceable"]);
    let mut without = forced.clone();
    without["plan"]["terms"]["force"] = json!([]);
    let mut unnamed = forced.clone();
    entry(&mut unnamed, "model/acme/a")["named"] = json!(false);
    for edited in [without, unnamed] {
        let document = apply(&sandbox, &edited).expect(3).json();
        let why = reason(&document, "model/acme/a");
        assert!(why.contains("cannot be had back") || why.contains("in it stays"), "{document:#}");
    }
    assert!(hub.exists("models--acme--a"));
    // A plan for all does not have it, and does not get it by being edited.
    let mut all = plan(&sandbox, &["--all"]);
    assert!(ids(&array(&all, "remove")).iter().all(|id| *id != "model/acme/a"));
    add(&mut all, &plan(&sandbox, &["model/acme/b"]), false);
    apply(&sandbox, &all).expect(3);
    assert!(hub.exists("models--acme--a"));
    apply(&sandbox, &forced).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn another_inode_or_plugin_in_the_plan_keeps_its_entry() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["model/acme/b"]);
    type Edit = fn(&mut Value);
    let edits: [(Edit, &str); 4] = [
        (|it| it["plan"]["roots"][0]["steps"][0]["ino"] = json!(1), "changed"),
        (|it| it["plan"]["roots"][0]["steps"][0]["dev"] = json!(1), "changed"),
        (|it| it["plan"]["roots"][0]["steps"][0]["kind"] = json!("other"), "changed"),
        (|it| entry(it, "model/acme/b")["plugin"] = json!("other"), "the plugin `other`"),
    ];
    for (edit, why) in edits {
        let mut edited = shown.clone();
        edit(&mut edited);
        let document = apply(&sandbox, &edited).expect(3).json();
        let reasons: Vec<Value> = array(&document, "keep").iter().map(|row| row["reason"].clone()).collect();
        assert!(reasons.iter().any(|it| it.as_str().unwrap().contains(why)), "{why}: {reasons:?}");
        assert!(hub.exists("models--acme--b"));
    }
}

#[test]
fn a_folder_that_no_rule_gives_today_is_refused_by_name_and_nothing_goes() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["--all"]);
    for other in ["/", "/home/other/.cache/huggingface/hub", sandbox.home().to_str().unwrap()] {
        let mut edited = shown.clone();
        edited["plan"]["roots"][0]["path"] = json!(other);
        let run = apply(&sandbox, &edited).expect(5);
        assert!(run.stderr.contains(&format!("`{other}`")) && run.stderr.contains("--root"), "{}", run.text());
    }
    // One of several is enough.
    let mut edited = shown.clone();
    twice(&mut edited["plan"]["roots"]);
    edited["plan"]["roots"][1]["path"] = json!("/home/other");
    let rows = array(&edited, "remove");
    edited["remove"].as_array_mut().unwrap().extend(rows);
    apply(&sandbox, &edited).expect(5);
    assert!(hub.exists("models--acme--a") && hub.exists("models--acme--b"));
    // The plan of another home.
    let elsewhere = Sandbox::new();
    elsewhere.hub().model("a", 1000);
    apply(&elsewhere, &shown).expect(5);
    assert!(elsewhere.hub().exists("models--acme--a"));
    let mut edited = shown.clone();
    for key in ["remove", "entries"] {
        let rows = if key == "remove" { &mut edited["remove"] } else { &mut edited["plan"]["roots"][0]["entries"] };
        rows.as_array_mut().unwrap().iter_mut().for_each(|row| row["cache"] = json!("assets"));
    }
    apply(&sandbox, &edited).expect(5);
    assert!(hub.exists("models--acme--a"));
}

#[test]
fn holders_that_a_plan_drops_from_a_list_are_dropped_and_no_others() {
    let (sandbox, hub, _) = world();
    let payload = hub.payload('f', 60, &[]);
    for name in ["a", "b"] {
        let repo = hub.repo(&format!("models--acme--{name}"));
        repo.shared('d', "big", 'f', &payload);
        let manifest = hub.root.join(format!("{payload}.refs"));
        let lines = fs::read_to_string(&manifest).unwrap();
        fs::write(&manifest, format!("{lines}{}\n", repo.holds('f'))).unwrap();
    }
    let shown = plan(&sandbox, &["model/acme/a"]);
    assert_eq!(array(&shown["plan"]["roots"][0], "edits").len(), 1, "{shown:#}");
    let mut edited = shown.clone();
    edited["plan"]["roots"][0]["edits"] = json!([]);
    let document = apply(&sandbox, &edited).expect(3).json();
    assert!(reason(&document, "model/acme/a").contains("other records"), "{document:#}");
    apply(&sandbox, &shown).expect(0);
    let left = fs::read_to_string(hub.root.join(format!("{payload}.refs"))).unwrap();
    assert_eq!(left, format!("models--acme--b/blobs/{}\n", etag('f')));
    assert!(hub.exists(payload));
}
