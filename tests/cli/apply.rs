//! `dscc apply`: of a saved plan only that goes which is still as it was and may still go; whatever the file says, nothing
//! else does.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::hub::{Hub, Repo, commit, etag};
use crate::list::keys;
use crate::prompt::on_a_terminal;
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

/// A hub with a repository of two revisions and one of one.
fn world() -> (Sandbox, Hub, Repo) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("w", 'b', 30), ("both", 'a', 0)]).refs("dev", 'b');
    hub.model("b", 30);
    (sandbox, hub, repo)
}

/// A plan for these targets.
fn plan(sandbox: &Sandbox, targets: &[&str]) -> Value {
    sandbox.json([&["clean", "-n"], targets].concat())
}

fn save(sandbox: &Sandbox, plan: &Value) -> PathBuf {
    let path = sandbox.path("plan.json");
    fs::write(&path, serde_json::to_vec(plan).unwrap()).unwrap();
    path
}

/// Applies a plan without a question.
fn apply(sandbox: &Sandbox, plan: &Value) -> Run {
    let path = save(sandbox, plan);
    sandbox.dscc([OsStr::new("apply"), path.as_os_str(), OsStr::new("-y"), OsStr::new("--json")])
}

/// The reason why an entry stays or was left out.
#[track_caller]
fn reason(document: &Value, id: &str) -> String {
    let keep = array(document, "keep");
    let row = keep.iter().find(|row| row["id"] == id);
    row.unwrap_or_else(|| panic!("{id} is not kept: {document:#}"))["reason"].as_str().unwrap().to_owned()
}

fn whole_revision(digit: char) -> String {
    format!("model/acme/a@{}", commit(digit))
}

#[test]
fn what_was_planned_goes_and_the_report_is_that_of_a_clean() {
    for targets in [&["--all"][..], &["model/acme/a@dev"], &["model/acme/a@main", "model/acme/a@dev"], &["-c", "hub"]] {
        let (sandbox, hub, _) = world();
        let shown = plan(&sandbox, targets);
        let (outside, size) = (sandbox.all_but(&hub.root), tree::size(&hub.root));
        let document = apply(&sandbox, &shown).expect(0).json();
        assert_eq!(ids(&array(&document, "remove")), ids(&array(&shown, "remove")), "{targets:?}");
        assert_eq!((&document["expected"], &document["freed"]), (&shown["expected"], &shown["expected"]));
        assert_eq!(document["freed"].as_u64(), Some(size - tree::size(&hub.root)));
        assert_eq!((array(&document, "keep"), array(&document, "failed")), (vec![], vec![]));
        fs::remove_file(sandbox.path("plan.json")).unwrap();
        assert_eq!(sandbox.all_but(&hub.root), outside);
    }
}

#[test]
fn a_plan_is_the_published_document_and_one_more_key_with_the_documented_ones_in_it() {
    let (sandbox, hub, _) = world();
    hub.payload('f', 60, &["models--acme--a/blobs/x"]);
    let shown = plan(&sandbox, &["model/acme/a", "--force", "in-use", "--grace", "90s", "--include-others"]);
    let expected =
        "dry_run errors expected failed freed freed_disk freed_disk_at_least keep plan remove schema_version";
    assert_eq!(keys(&shown).into_iter().collect::<Vec<_>>().join(" "), expected);
    let saved = &shown["plan"];
    let of = |value: &Value| keys(value).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(of(saved), "format made roots terms");
    assert_eq!(saved["terms"], json!({"force": ["in-use"], "grace": 90, "include_others": true}));
    let root = &array(saved, "roots")[0];
    assert_eq!(of(root), "dev edits entries ino path steps");
    let entries = array(root, "entries");
    assert_eq!(of(&entries[0]), "cache chosen files id modified named plugin size");
    let step = array(root, "steps").into_iter().find(|it| it["path"] == "models--acme--a").unwrap();
    assert_eq!(of(&step), "dev emptied entry ino kind modified path size");
    assert_eq!((&step["kind"], &step["size"]), (&json!("directory"), &json!(null)));
    assert_eq!(root["path"].as_str(), fs::canonicalize(&hub.root).unwrap().to_str());
    let real = sandbox.json(["clean", "-y", "model/acme/b"]);
    assert!(real.get("plan").is_none(), "only a dry run has a plan");
}

#[test]
fn a_plan_names_claims_and_not_what_is_in_them() {
    let (sandbox, _, repo) = world();
    let before = plan(&sandbox, &["model/acme/a"])["plan"].to_string().len();
    for number in 0..500 {
        fs::write(repo.path(format!("stray-{number}")), "x").unwrap();
    }
    let after = plan(&sandbox, &["model/acme/a"])["plan"].to_string().len();
    assert!(after < before + 20, "{before} -> {after}");
}

#[test]
fn names_that_are_not_utf_8_are_applied_as_well() {
    let (sandbox, hub, repo) = world();
    let name = OsStr::from_bytes(b"v\xff\\");
    fs::write(repo.path("refs").join(name), commit('b')).unwrap();
    let shown = plan(&sandbox, &[&whole_revision('b')]);
    assert!(shown.to_string().contains(r"models--acme--a/refs/v\\xff\\\\"), "{shown:#}");
    apply(&sandbox, &shown).expect(0);
    assert!(!repo.path("refs").join(name).exists() && hub.exists("models--acme--a/refs/main"));
}

#[test]
fn a_plan_that_was_applied_has_nothing_left_and_each_entry_is_told_as_gone() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["--all"]);
    apply(&sandbox, &shown).expect(0);
    let before = tree::read(&hub.root);
    let document = apply(&sandbox, &shown).expect(3).json();
    for row in array(&shown, "remove") {
        let id = row["id"].as_str().unwrap();
        assert_eq!(reason(&document, id), "it is not there any more");
    }
    assert_eq!(tree::read(&hub.root), before);
    let text = sandbox.dscc(["apply", "-y", sandbox.path("plan.json").to_str().unwrap()]).expect(3);
    assert!(text.stdout.contains("Nothing to remove") && text.stdout.contains("not there any more"), "{}", text.text());
}

#[test]
fn what_was_undone_is_the_same_again_and_its_plan_can_be_applied_again() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["model/acme/a"]);
    let path = save(&sandbox, &shown);
    let before = tree::read(&hub.root);
    sandbox.dscc([OsStr::new("apply"), path.as_os_str(), OsStr::new("-y"), OsStr::new("--keep-undo")]).expect(0);
    assert!(!hub.exists("models--acme--a"));
    sandbox.dscc(["undo"]).expect(0);
    assert_eq!(tree::read(&hub.root), before);
    apply(&sandbox, &shown).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn what_changed_since_stays_with_the_reason_and_the_rest_goes() {
    type Change = fn(&Repo);
    let changes: [(&str, Change, &str); 7] = [
        ("model/acme/a", |repo| append(&repo.path("blobs").join(etag('b'))), "5 files with 1114 bytes"),
        ("model/acme/a", |repo| fs::write(repo.path("notes"), "mine").unwrap(), "it has 6 files"),
        ("model/acme/a", |repo| drop(repo.revision('c', &[("w", 'c', 4)])), "the plan was made"),
        ("model/acme/a@dev", |repo| drop(repo.refs("v1", 'b')), "`models--acme--a/refs/v1` came to it"),
        ("model/acme/a@dev", |repo| replace(&repo.path("refs/dev")), "`models--acme--a/refs/dev` changed"),
        ("model/acme/a@dev", |repo| replace(&repo.path("blobs").join(etag('b'))), "changed"),
        ("model/acme/a@dev", |repo| touch(&repo.path("blobs").join(etag('b'))), "changed since"),
    ];
    for (at, (target, change, why)) in changes.into_iter().enumerate() {
        let (sandbox, hub, repo) = world();
        let shown = plan(&sandbox, &[target, "model/acme/b"]);
        change(&repo);
        let before = tree::read(&repo.path(""));
        let document = apply(&sandbox, &shown).expect(1).json();
        let id = if target.ends_with("@dev") { whole_revision('b') } else { target.to_owned() };
        let reason = reason(&document, &id);
        assert!(reason.contains(why) && reason.contains("make a new one"), "{at}: {reason}");
        assert_eq!(tree::read(&repo.path("")), before, "{at}");
        assert!(!hub.exists("models--acme--b"), "{at}: {document:#}");
        // A new plan has it.
        apply(&sandbox, &plan(&sandbox, &[target])).expect(0);
    }
}

fn append(path: &Path) {
    File::options().append(true).open(path).unwrap().write_all(b"more").unwrap();
}

/// The same content under another inode.
fn replace(path: &Path) {
    let other = path.with_extension("other");
    fs::copy(path, &other).unwrap();
    fs::rename(other, path).unwrap();
}

/// The same inode and size, written later.
fn touch(path: &Path) {
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(5);
    File::options().append(true).open(path).unwrap().set_modified(later).unwrap();
}

#[test]
fn what_is_shared_with_something_new_stays_for_it() {
    let (sandbox, _, repo) = world();
    let shown = plan(&sandbox, &["model/acme/a@dev"]);
    assert_eq!(shown["expected"], 30 + 40);
    repo.revision('c', &[("w", 'b', 0)]).refs("new", 'c');
    let document = apply(&sandbox, &shown).expect(0).json();
    assert_eq!(document["freed"], 40);
    assert!(fs::read(repo.path("snapshots").join(commit('c')).join("w")).is_ok());
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_in_use_by_now_stays() {
    let (sandbox, hub, repo) = world();
    let shown = plan(&sandbox, &["--all"]);
    let mut sleep = Command::new("sleep");
    let blob = File::open(repo.path("blobs").join(etag('b'))).unwrap();
    let mut reader = sleep.arg("300").stdin(blob).stdout(Stdio::null()).spawn().unwrap();
    drop(sleep);
    let document = apply(&sandbox, &shown);
    reader.kill().unwrap();
    reader.wait().unwrap();
    let document = document.expect(1).json();
    let why = reason(&document, "model/acme/a");
    assert!(why.contains(&format!("(process {})", reader.id())), "{why}");
    assert!(hub.exists("models--acme--a") && !hub.exists("models--acme--b"));
}

#[test]
fn the_terms_are_those_of_the_plan() {
    let (sandbox, hub, _) = world();
    let mut shown = plan(&sandbox, &["-c", "hub"]);
    assert_eq!(shown["plan"]["terms"]["grace"], 0);
    shown["plan"]["terms"]["grace"] = json!(3600);
    let document = apply(&sandbox, &shown).expect(3).json();
    assert!(reason(&document, "model/acme/b").contains("may be in the making"), "{document:#}");
    shown["plan"]["terms"]["grace"] = json!(0);
    let path = save(&sandbox, &shown);
    let mut command = sandbox.command([OsStr::new("apply"), path.as_os_str(), OsStr::new("-y")]);
    Run::of(command.env("DSCC_GRACE", "2h").output().unwrap()).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

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
fn another_folder_in_the_place_of_the_root_is_told_and_left_alone() {
    let (sandbox, hub, _) = world();
    let shown = plan(&sandbox, &["--all"]);
    let old = hub.root.with_extension("old");
    fs::rename(&hub.root, &old).unwrap();
    hub.model("b", 30);
    let before = tree::read(&hub.root);
    let document = apply(&sandbox, &shown).expect(3).json();
    assert!(reason(&document, "model/acme/b").contains("folder is another one"), "{document:#}");
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn a_plan_for_a_named_root_needs_the_same_root() {
    let sandbox = Sandbox::new();
    let hub = Hub::at(sandbox.path("elsewhere"));
    hub.model("a", 10);
    let root = format!("hub={}", hub.root.display());
    let shown = plan(&sandbox, &["--all", "--root", &root]);
    apply(&sandbox, &shown).expect(5);
    let path = save(&sandbox, &shown);
    sandbox.dscc([OsStr::new("apply"), path.as_os_str(), OsStr::new("-y"), "--root".as_ref(), root.as_ref()]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn nothing_goes_without_a_yes_and_what_would_go_can_be_shown() {
    let (sandbox, hub, _) = world();
    let path = save(&sandbox, &plan(&sandbox, &["--all"]));
    let path = path.to_str().unwrap();
    let before = tree::read(&hub.root);
    sandbox.dscc(["apply", path]).expect(3);
    sandbox.dscc(["apply", path, "--json"]).expect(3);
    sandbox.dscc(["apply", "-"]).expect(3);
    sandbox.dscc(["apply", sandbox.path("nothing").to_str().unwrap()]).expect(5);
    sandbox.dscc(["apply"]).expect(2);
    let shown = sandbox.dscc(["apply", "-n", path]).expect(0);
    assert!(shown.stdout.contains("model/acme/a") && shown.stdout.contains("dry run"), "{}", shown.text());
    assert!(shown.stderr.contains("A plan of ") && shown.stderr.contains("--grace 0s"), "{}", shown.text());
    let again = sandbox.json(["apply", "-n", path]);
    assert_eq!(tree::read(&hub.root), before);
    if let Some((_, asked)) = on_a_terminal(&sandbox, &format!("apply {path}"), "n\n") {
        assert!(asked.contains("[y/N/l]") && asked.contains("Nothing was removed"), "{asked}");
        assert_eq!(tree::read(&hub.root), before);
    }
    // What a dry run of it prints is a plan again, also from standard input.
    let mut child = sandbox.command(["apply", "-", "-y"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(again.to_string().as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn an_empty_plan_does_nothing() {
    let sandbox = Sandbox::new();
    sandbox.hub();
    let shown = plan(&sandbox, &["--all"]);
    assert_eq!(shown["plan"]["roots"], json!([]));
    let document = apply(&sandbox, &shown).expect(0).json();
    assert_eq!((array(&document, "remove"), array(&document, "keep")), (vec![], vec![]));
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

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[test]
fn whatever_happens_between_plan_and_apply_only_paths_of_the_plan_go() {
    let changes: [fn(&Repo); 6] = [
        |repo| append(&repo.path("blobs").join(etag('b'))),
        |repo| drop(repo.refs("v2", 'b')),
        |repo| drop(repo.revision('c', &[("w", 'a', 0), ("x", 'c', 7)])),
        |repo| fs::remove_file(repo.path("refs/dev")).unwrap(),
        |repo| replace(&repo.path("blobs").join(etag('a'))),
        |repo| fs::rename(repo.path("snapshots"), repo.path("snapshots-old")).unwrap(),
    ];
    for seed in 0..10 {
        let mut dice = Dice(seed);
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let names = ["a", "b", "c", "d"];
        let mut targets = Vec::new();
        for name in names {
            let repo = hub.model(name, 1000);
            repo.revision('b', &[("w", 'b', 30), ("both", 'a', 0)]).refs("dev", 'b');
            let part = ["", "@main", "@dev", "-"][dice.roll(4)];
            targets.extend((part != "-").then(|| format!("model/acme/{name}{part}")));
        }
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let shown = plan(&sandbox, if targets.is_empty() { &["--all"] } else { &targets });
        for name in names {
            let repo = hub.repo(&format!("models--acme--{name}"));
            changes.get(dice.roll(changes.len() * 2)).into_iter().for_each(|change| change(&repo));
        }
        let (before, outside) = (tree::read(&hub.root), sandbox.all_but(&hub.root));
        let run = apply(&sandbox, &shown);
        assert!(matches!(run.status, 0 | 1 | 3), "{seed}: {}", run.text());
        fs::remove_file(sandbox.path("plan.json")).unwrap();
        assert_eq!(sandbox.all_but(&hub.root), outside, "{seed}");
        let steps = array(&shown["plan"]["roots"][0], "steps");
        let planned: Vec<&str> = steps.iter().map(|step| step["path"].as_str().unwrap()).collect();
        let after = tree::read(&hub.root);
        for (path, node) in &before {
            let may_go = path.ancestors().any(|above| planned.iter().any(|step| above == Path::new(step)));
            let stays = after.get(path) == Some(node);
            assert!(stays || (may_go && !after.contains_key(path)), "{seed}: {}", path.display());
        }
        assert!(after.keys().all(|path| before.contains_key(path)), "{seed}");
    }
}
