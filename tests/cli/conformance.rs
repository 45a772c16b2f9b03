//! `dscc plugin test`: each check catches a plugin that breaks it and nothing else, the built-in plugins pass with their
//! cases, and a test leaves nothing behind.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dscc::plugins::built_in;
use serde_json::Value;

use crate::components::{Entry, Level, Manifest, Plugin};
use crate::project::workspace;
use crate::sandbox::{Run, Sandbox, array, is_root};
use crate::tree;

/// Two folders, of which the plugin below makes an entry each.
const TREE: &str = "a/file 10 bytes\nb/file 20 bytes\nlink -> a\n";

/// Whether the root's name is the longer one of those that a test gives it.
const LONG_NAME: &str = "(block (result i32) (call $names (local.get $root) (i32.const 256))
    (i32.and (i32.load offset=4 (i32.load (i32.const 256))) (i32.const 8)))";
/// Whether the parent's id has more than one letter.
const LONG_PARENT: &str = "(i32.gt_u (local.get $parent-length) (i32.const 1))";

/// An author's folder with a component and one case, which is blessed.
struct Author {
    sandbox: Sandbox,
}

impl Author {
    fn new(component: &[u8], tree: &str) -> Self {
        let sandbox = Sandbox::new();
        fs::create_dir_all(sandbox.path("plugin/cases/one")).unwrap();
        fs::write(sandbox.path("plugin/bad.wasm"), component).unwrap();
        fs::write(sandbox.path("plugin/cases/one/tree.txt"), tree).unwrap();
        Self { sandbox }
    }

    /// Tests with the case and the trees made of it.
    fn test(&self, options: &[&str]) -> Run {
        self.sandbox.dscc([&["plugin", "test", "../plugin", "--case", "one"], options].concat())
    }

    /// The checks that failed, each with what was said.
    fn failed(&self, options: &[&str]) -> Vec<(String, String)> {
        let run = self.test(&[options, &["--json"]].concat());
        let json = run.json();
        let failed: Vec<Value> = array(&json, "checks").into_iter().filter(|row| row["passed"] == false).collect();
        assert_eq!(run.status, if failed.is_empty() { 0 } else { 4 }, "{}", run.text());
        assert_eq!(json["passed"], failed.is_empty());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        failed.iter().map(|row| (text(&row["code"]), text(&row["message"]))).collect()
    }
}

/// A plugin that lists `a` and `b` where their files are.
fn good() -> Plugin {
    by_files(|holds, level| match level {
        Level::Children => None,
        _ => Some(a(holds[0]).into_iter().chain(b(holds[1])).collect()),
    })
}

fn by_files(answer: impl Fn(&[bool], Level) -> Option<Vec<Entry>>) -> Plugin {
    by_files_and(&[], answer)
}

fn by_files_and(more: &[&str], answer: impl Fn(&[bool], Level) -> Option<Vec<Entry>>) -> Plugin {
    let mut plugin = Plugin::new();
    let files = [plugin.exists("a/file"), plugin.exists("b/file")];
    let conditions: Vec<String> = files.into_iter().chain(more.iter().map(|it| (*it).to_owned())).collect();
    plugin.levels_by(&conditions, answer)
}

/// Of the first level, what this gives.
fn tops(answer: impl Fn(&[bool]) -> Vec<Entry>) -> Plugin {
    by_files(move |holds, level| (level != Level::Children).then(|| answer(holds)))
}

fn a(there: bool) -> Option<Entry> {
    there.then(|| Entry::new("a").owns("a"))
}

fn b(there: bool) -> Option<Entry> {
    there.then(|| Entry::new("b").owns("b"))
}

/// Exactly this check fails, and says this.
#[track_caller]
fn caught(plugin: &Plugin, code: &str, message: &str) {
    caught_with(plugin, TREE, code, message);
}

#[track_caller]
fn caught_with(plugin: &Plugin, tree: &str, code: &str, message: &str) {
    let author = Author::new(&plugin.build(), tree);
    let failed = author.failed(&["--bless"]);
    let codes: Vec<&str> = failed.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(codes, [code], "{failed:#?}");
    assert!(failed[0].1.contains(message), "{}", failed[0].1);
}

#[test]
fn a_good_plugin_passes_and_the_test_leaves_nothing_behind() {
    let author = Author::new(&good().build(), TREE);
    author.test(&["--bless"]).expect(0);
    let before = tree::read(&author.sandbox.path(""));
    let run = author.sandbox.dscc(["plugin", "test", "../plugin"]).expect(0);
    assert!(run.stdout.starts_with("bad 1.0.0: ") && run.stdout.ends_with("all passed\n"), "{}", run.text());
    assert_eq!(tree::read(&author.sandbox.path("")), before);
}

#[test]
fn manifest_catches_a_version_that_is_none() {
    let plugin = Plugin::new().saying(&Manifest::new("bad", "one").rule("bad", &["~/bad"]));
    caught(&plugin, "manifest", "not of the form 1.2.3");
}

#[test]
fn runs_catches_a_plugin_that_fails_on_a_damaged_tree() {
    let plugin =
        by_files(|holds, level| (level != Level::Children && holds[1]).then(|| a(holds[0]).into_iter().collect()));
    caught(&plugin, "runs", "without `b/file`: ");
}

#[test]
fn answers_catches_each_answer_that_breaks_a_rule_of_the_interface() {
    let cases: [(Vec<Entry>, &str); 5] = [
        (vec![Entry::new("a").owns("../a")], "`a` owns"),
        (vec![Entry::new("a").owns("a"), Entry::new("a").owns("b")], "entry `a` appears twice"),
        (vec![Entry::new("a").owns("a"), Entry::new("b").owns("a")], "owned path `a` appears twice"),
        (vec![Entry::new("a").owns("a").lock("/lock")], "a lock"),
        (vec![Entry::new("a").owns("a").needs("../b")], "a need of `a`"),
    ];
    for (entries, message) in cases {
        caught(&Plugin::new().entries(&entries), "answers", message);
    }
    let outside = Plugin::new().levels(&[Entry::new("a").owns("a").with_children()], &[Entry::new("a/1").owns("b")]);
    caught(&outside, "answers", "which its parent `a` does not claim");
}

#[test]
fn root_catches_a_case_that_the_rules_do_not_lead_to() {
    caught_with(
        &good(),
        &format!("at: ~/elsewhere\n{TREE}"),
        "root",
        "the tree is at `~/elsewhere`, and the rules lead to: ~/bad",
    );
}

#[test]
fn bytes_catches_a_cache_that_does_not_cover_its_root() {
    let plugin = tops(|holds| holds[0].then(|| Entry::new("a").owns("a/file")).into_iter().collect());
    caught(&plugin.caches(&[("bad", "a")]), "bytes", "`b/file` is beneath no cache's path");
}

#[test]
fn owned_exists_catches_a_claim_of_what_is_not_there() {
    let plugin = tops(|holds| a(holds[0]).map(|it| it.owns("a.lock")).into_iter().chain(b(holds[1])).collect());
    caught(&plugin, "owned-exists", "`a` owns `a.lock`, which is not there");
}

#[test]
fn one_owner_catches_children_of_two_entries_that_own_one_path() {
    let plugin = by_files_and(&[LONG_PARENT], |holds, level| match level {
        _ if !holds[0] => Some(Vec::new()),
        Level::Children if holds[2] => Some(vec![Entry::new("xx/1").owns("a")]),
        Level::Children => Some(vec![Entry::new("x/1").owns("a")]),
        _ => Some(["x", "xx"].map(|id| Entry::new(id).shares("a").with_children()).into()),
    });
    caught(&plugin, "one-owner", "`a` is owned by `x/1` and by `xx/1`");
}

#[test]
fn overlap_catches_an_entry_within_another_unless_one_of_them_says_so() {
    let tree = "a/file 10 bytes\na/inner/file 10 bytes\n";
    let plugin = |inner: Entry| {
        let mut plugin = Plugin::new();
        let conditions = ["a/file", "a/inner/file"].map(|file| plugin.exists(file));
        plugin.levels_by(&conditions, |holds, level| {
            let inner = || Some(inner.clone()).filter(|_| holds[1]);
            (level != Level::Children).then(|| a(holds[0]).into_iter().chain(inner()).collect())
        })
    };
    let inner = Entry::new("inner").owns("a/inner");
    caught_with(&plugin(inner.clone()), tree, "overlap", "`inner` claims `a/inner`, which lies in what `a` owns");
    assert_eq!(Author::new(&plugin(inner.needs("a")).build(), tree).failed(&["--bless"]), []);
}

#[test]
fn unique_ids_catches_an_id_on_two_levels() {
    let plugin = by_files(|holds, level| match level {
        _ if !holds[0] => Some(Vec::new()),
        Level::Children => Some(vec![Entry::new("x/1").owns("a/file")]),
        _ => Some(vec![Entry::new("x").owns("a").with_children(), Entry::new("x/1").shares("b")]),
    });
    caught(&plugin, "unique-ids", "`x/1` is the id of two entries");
}

#[test]
fn needs_catches_an_entry_that_needs_itself() {
    let plugin = tops(|holds| a(holds[0]).map(|it| it.needs("a/file")).into_iter().chain(b(holds[1])).collect());
    caught(&plugin, "needs", "`a` needs `a/file`, which it owns itself");
}

#[test]
fn locks_catches_a_lock_that_is_a_link() {
    let plugin = tops(|holds| a(holds[0]).map(|it| it.lock("link")).into_iter().chain(b(holds[1])).collect());
    caught(&plugin, "locks", "the lock `link` of `a` is no file and no folder");
}

#[test]
fn outline_catches_an_entry_that_it_lacks() {
    let plugin = by_files(|holds, level| match level {
        Level::Children => None,
        Level::Outline => Some(a(holds[0]).into_iter().collect()),
        Level::Full => Some(a(holds[0]).into_iter().chain(b(holds[1])).collect()),
    });
    caught(&plugin, "outline", "the full listing has `b`, the outline has not");
}

#[test]
fn has_children_catches_children_of_an_entry_without_any() {
    let plugin = by_files(|holds, level| match level {
        Level::Children => Some(holds[0].then(|| Entry::new("a/1").owns("a/file")).into_iter().collect()),
        _ => Some(a(holds[0]).into_iter().collect()),
    });
    caught(&plugin, "has-children", "`a` says that it has no children, and `a/1` is one");
}

#[test]
fn stable_ids_catches_an_id_made_from_the_roots_name() {
    let plugin = by_files_and(&[LONG_NAME], |holds, level| {
        let entry = || Entry::new(if holds[2] { "long" } else { "short" }).owns("a");
        (level != Level::Children).then(|| holds[0].then(entry).into_iter().collect())
    });
    caught(&plugin, "stable-ids", "is listed in one home, and not in another one");
}

#[test]
fn deterministic_catches_a_label_made_from_the_roots_name() {
    let plugin = by_files_and(&[LONG_NAME], |holds, level| {
        let entry = || Entry::new("a").owns("a").called("thing", if holds[2] { "long" } else { "short" });
        (level != Level::Children).then(|| holds[0].then(entry).into_iter().collect())
    });
    caught(&plugin, "deterministic", "what is said of `a` differs from home to home");
}

#[test]
fn edits_catches_records_dropped_from_what_is_no_index() {
    caught(&good().edits(&[("notes", &["a"])]), "edits", "its manifest does not name as an index");
}

#[test]
fn removal_catches_an_entry_that_comes_back() {
    let plugin = tops(|holds| {
        let place = if holds[0] { Some("a") } else { holds[1].then_some("b") };
        place.map(|place| Entry::new("x").owns(place)).into_iter().collect()
    });
    caught(&plugin, "removal", "`x` is listed although");
}

#[test]
fn neighbours_catches_an_entry_that_is_lost_with_another() {
    let plugin = tops(|holds| a(holds[0]).into_iter().chain(b(holds[0] && holds[1])).collect());
    caught(&plugin, "neighbours", "`b` is listed no more after `a` was removed");
}

#[test]
fn expected_and_plan_are_compared_line_by_line_and_written_by_bless() {
    let author = Author::new(&good().build(), TREE);
    let failed = author.failed(&[]);
    assert_eq!(failed.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["expected", "plan"], "{failed:?}");
    assert!(failed[0].1.contains("there is no expected.json; `--bless` writes it"), "{}", failed[0].1);
    author.test(&["--bless"]).expect(0);
    author.test(&[]).expect(0);
    let file = author.sandbox.path("plugin/cases/one/expected.json");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("\"root\": \"~/bad\"") && !text.contains("disk_size"), "{text}");
    fs::write(&file, text.replace("\"size\": 10", "\"size\": 11")).unwrap();
    let run = author.test(&[]).expect(4);
    assert!(run.stdout.contains("    -      \"size\": 11,\n    +      \"size\": 10,\n"), "{}", run.stdout);
    let first = run.stdout.lines().next().unwrap();
    assert!(first.starts_with("failed: one: expected: expected.json expects something else"), "{first}");
}

/// The roots of the entries that a blessed case expects.
fn roots(author: &Author) -> Vec<String> {
    let text = fs::read_to_string(author.sandbox.path("plugin/cases/one/expected.json")).unwrap();
    let entries = array(&serde_json::from_str(&text).unwrap(), "entries");
    entries.iter().map(|it| it["root"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_real_folder_is_a_tree_too() {
    let author = Author::new(&good().build(), "b/file 20 bytes\n");
    let tree = author.sandbox.path("plugin/cases/one/tree");
    fs::create_dir_all(tree.join("a")).unwrap();
    fs::write(tree.join("a/file"), "content").unwrap();
    symlink("a", tree.join("link = of a name for which there is no line")).unwrap();
    author.test(&["--bless"]).expect(0);
    assert_eq!(roots(&author), ["~/bad", "~/bad"]);
}

#[test]
fn a_tree_in_the_home_holds_what_the_rules_lead_to() {
    let author = Author::new(&good().build(), "at: ~\nbad/a/file 10 bytes\n.config/settings 5 bytes\n");
    author.test(&["--bless"]).expect(0);
    assert_eq!(roots(&author), ["~/bad"]);
}

#[test]
fn variables_are_those_of_the_case_and_not_the_users() {
    let plugin = || good().saying(&Manifest::new("bad", "1.0.0").rule("bad", &["${BAD_HOME}/x"]));
    for (header, root) in [("", "~/BAD_HOME/x"), ("env: BAD_HOME=$HOME/other\n", "~/other/x")] {
        let author = Author::new(&plugin().build(), &format!("{header}a/file 10 bytes\n"));
        let users = author.sandbox.home();
        fs::create_dir_all(users.join("x/a")).unwrap();
        fs::write(users.join("x/a/file"), "the user's").unwrap();
        let before = tree::read(&users);
        let mut command = author.sandbox.command(["plugin", "test", "../plugin", "--case", "one", "--bless"]);
        Run::of(command.env("BAD_HOME", &users).output().unwrap()).expect(0);
        assert_eq!(roots(&author), [root]);
        assert_eq!(tree::read(&users), before);
    }
}

#[test]
fn a_case_with_something_unreadable_waits_for_a_user_for_whom_permissions_count() {
    let author = Author::new(&good().build(), "a/file 10 bytes\nlocked/ (mode 000)\n");
    let bound =
        || author.sandbox.bound(author.sandbox.command(["plugin", "test", "../plugin", "--case", "one", "--bless"]));
    if is_root() {
        let run = author.test(&[]).expect(0);
        assert!(run.stderr.contains("skipped: one, because permissions do not count"), "{}", run.stderr);
    }
    let run = bound().expect(0);
    assert!(!run.stderr.contains("skipped"), "{}", run.stderr);
    assert_eq!(roots(&author), ["~/bad"]);
}

#[test]
fn what_cannot_run_is_no_failed_check() {
    let author = Author::new(b"no component", TREE);
    let run = author.test(&[]).expect(1);
    assert!(run.stderr.contains("bad.wasm"), "{}", run.stderr);
    author.sandbox.dscc(["plugin", "test", "../plugin", "--case", "two"]).expect(2);
    author.sandbox.dscc(["plugin", "test", "."]).expect(5);
}

/// Every built-in plugin, as it is committed.
#[test]
fn the_built_in_plugins_pass_with_their_cases() {
    let Some(root) = workspace() else { return };
    for it in built_in() {
        let name = &it.facts.manifest.name;
        let folder = root.join("plugins").join(name);
        let cases = folder.join("cases");
        assert!(fs::read_dir(&cases).is_ok_and(|it| it.count() >= 4), "{} has too few cases", folder.display());
        let component = root.join(format!("plugins/built/{name}.wasm"));
        let args = [Path::new("plugin"), Path::new("test"), &component, Path::new("--cases"), &cases];
        let run = Sandbox::new().dscc(args).expect(0);
        assert!(run.stdout.contains("all passed"), "{}", run.text());
    }
}
