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
use crate::sandbox::{Run, Sandbox, array, ids, reason};
use crate::tree;

/// A hub with a repository of two revisions and one of one.
pub fn world() -> (Sandbox, Hub, Repo) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("w", 'b', 30), ("both", 'a', 0)]).refs("dev", 'b');
    hub.model("b", 30);
    (sandbox, hub, repo)
}

/// A plan for these targets.
pub fn plan(sandbox: &Sandbox, targets: &[&str]) -> Value {
    sandbox.json([&["clean", "-n"], targets].concat())
}

pub fn save(sandbox: &Sandbox, plan: &Value) -> PathBuf {
    let path = sandbox.path("plan.json");
    fs::write(&path, serde_json::to_vec(plan).unwrap()).unwrap();
    path
}

/// Applies a plan without a question.
pub fn apply(sandbox: &Sandbox, plan: &Value) -> Run {
    let path = save(sandbox, plan);
    sandbox.dscc([OsStr::new("apply"), path.as_os_str(), OsStr::new("-y"), OsStr::new("--json")])
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
    // Revisions go without saying, as before.
    let told = "Nothing to remove.\nLeft out: 2 entries: it is not there any more\n  model/acme/a\n  model/acme/b\n";
    assert_eq!(text.stdout, told);
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
        ("model/acme/a", |repo| assert!(repo.revision('c', &[("w", 'c', 4)]).path("").exists()), "the plan was made"),
        (
            "model/acme/a@dev",
            |repo| assert!(repo.refs("v1", 'b').path("refs/v1").exists()),
            "`models--acme--a/refs/v1` came to it",
        ),
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
        |repo| assert!(repo.refs("v2", 'b').path("refs/v2").exists()),
        |repo| assert!(repo.revision('c', &[("w", 'a', 0), ("x", 'c', 7)]).path("").exists()),
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
