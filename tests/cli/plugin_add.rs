//! `dscc plugin add`, as somebody uses it who was given a component: what is shown, what is asked, what is there then.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use crate::components::{Entry, Manifest, Plugin, Rule};
use crate::plugins::{digest_of, found_in, lib, tamper};
use crate::prompt::on_a_terminal;
use crate::sandbox::{Run, Sandbox, array};
use crate::tree;

#[test]
fn only_a_yes_installs_and_the_default_is_no() {
    for (typed, installs) in [("\n", false), ("n\n", false), ("what\n\n", false), ("\u{4}", false), ("y\n", true)] {
        let sandbox = Sandbox::new();
        sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
        let Some((status, shown)) = on_a_terminal(&sandbox, "plugin add ../lib.wasm", typed) else { return };
        assert_eq!(status, 0, "{typed:?}: {shown}");
        assert!(shown.contains("Install it? [y/N]") && shown.contains("reads     lib: ~/lib"), "{shown}");
        assert_eq!(sandbox.lock_file().exists(), installs, "{typed:?}: {shown}");
        assert!(installs || sandbox.plugins_tree().is_empty() && shown.contains("Nothing was installed"), "{shown}");
    }
}

#[test]
fn without_a_terminal_what_would_be_asked_is_shown_and_nothing_is_installed() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let run = sandbox.plugin(["add", "../lib.wasm"]).expect(3);
    assert!(run.stdout.contains("reads     lib: ~/lib") && run.stderr.contains("-y"), "{}", run.text());
    let run = sandbox.plugin(["add", "../lib.wasm", "--json"]).expect(3);
    assert!(run.stdout.is_empty() && run.stderr.contains("--json never asks"), "{}", run.text());
    assert!(sandbox.plugins_tree().is_empty());
}

#[test]
fn an_installed_plugin_lists_its_cache_and_is_shown_with_where_it_came_from() {
    let sandbox = Sandbox::new();
    sandbox.fill("lib");
    let bytes = sandbox.install("lib", &lib("lib", "1.0.0"));
    assert_eq!(sandbox.caches(), ["lib"]);
    let rows = array(&sandbox.plugin_json(["list"]), "plugins");
    let row = rows.iter().find(|row| row["name"] == "lib").unwrap();
    assert_eq!(row["digest"], digest_of(&bytes));
    assert_eq!(row["source"], sandbox.path("lib.wasm").to_str().unwrap());
    assert_eq!((&row["built_in"], &row["runs"], &row["caches"][0]), (&false.into(), &true.into(), &"lib".into()));
    assert!(row["added"].as_str().unwrap().ends_with('Z') && row["interface"] == "0.1.0" && row["version"] == "1.0.0");
    assert_eq!(fs::read(sandbox.installed_component(&bytes)).unwrap(), bytes);
}

#[test]
fn a_dry_run_shows_the_same_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    sandbox.install("old", &lib("old", "1.0.0"));
    sandbox.component("newer.wasm", &lib("old", "2.0.0"));
    let before = tree::read(&sandbox.path(""));
    let real = sandbox.plugin(["add", "../lib.wasm"]).expect(3);
    for args in [["add", "-n", "../lib.wasm"], ["add", "-ny", "../lib.wasm"]] {
        let run = sandbox.plugin(args).expect(0);
        assert_eq!(run.stdout, real.stdout);
        assert!(run.stderr.contains("dry run"), "{}", run.stderr);
    }
    let document = sandbox.plugin_json(["add", "-n", "../lib.wasm"]);
    assert_eq!((&document["dry_run"], &document["action"]), (&true.into(), &"add".into()));
    sandbox.plugin(["update", "-n", "old", "../newer.wasm"]).expect(0);
    sandbox.plugin(["remove", "-n", "old"]).expect(0);
    sandbox.plugin(["info", "../lib.wasm"]).expect(0);
    assert!(tree::read(&sandbox.path("")) == before);
}

#[test]
fn the_json_document_says_what_was_done_and_what_was_approved() {
    let sandbox = Sandbox::new();
    let rules = [Rule { id: "lib", locations: &["${LIB}/x", "~/lib"], marks: &["*.lib"], indexes: &["index"] }];
    let plugin = found_in(Plugin::new().manifest_of("lib", "1.0.0", &rules), "lib");
    sandbox.component("lib.wasm", &plugin);
    let document = sandbox.plugin_json(["add", "-y", "../lib.wasm", "--limit", "memory=512MiB"]);
    assert_eq!((&document["schema_version"], &document["action"]), (&1.into(), &"add".into()));
    assert_eq!(document["plugin"]["name"], "lib");
    let root = &document["roots"][0];
    assert_eq!(root["locations"], serde_json::json!(["${LIB}/x", "~/lib"]));
    assert_eq!((&root["marks"][0], &root["indexes"][0]), (&"*.lib".into(), &"index".into()));
    assert_eq!(root["here"][0]["outcome"], "root-absent");
    let memory = array(&document, "limits").into_iter().find(|it| it["name"] == "memory").unwrap();
    assert_eq!(memory["value"], 512 << 20);
    assert_eq!((array(&document, "changes"), array(&document, "removes")), (vec![], vec![]));
}

#[test]
fn adding_what_is_there_is_said_and_changes_nothing() {
    let sandbox = Sandbox::new();
    sandbox.install("lib", &lib("lib", "1.0.0"));
    let before = sandbox.plugins_tree();
    for args in [&["add", "../lib.wasm"][..], &["add", "../lib.wasm", "--replace", "-y"], &["update", "lib"]] {
        let run = sandbox.plugin(args.iter().copied()).expect(0);
        assert!(run.stderr.contains("installed already"), "{}", run.text());
        assert_eq!(run.stdout, "", "nothing is asked");
    }
    assert_eq!(sandbox.plugin_json(["add", "../lib.wasm", "-y"])["action"], "none");
    assert!(sandbox.plugins_tree() == before);
}

#[test]
fn a_component_comes_from_standard_input() {
    let sandbox = Sandbox::new();
    let bytes = lib("lib", "1.0.0").build();
    let piped = |args: &[&str]| {
        let mut command = sandbox.command(args);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&bytes).unwrap();
        Run::of(child.wait_with_output().unwrap())
    };
    piped(&["plugin", "add", "-"]).expect(3);
    assert_eq!(piped(&["plugin", "info", "-", "--json"]).expect(0).json()["plugin"]["name"], "lib");
    piped(&["plugin", "add", "-y", "-"]).expect(0);
    assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
    let run = sandbox.plugin(["update", "lib"]).expect(2);
    assert!(run.stderr.contains("dscc plugin update NAME PATH"), "{}", run.stderr);
    // What standard input gave can be had back from standard input.
    fs::remove_file(sandbox.installed_component(&bytes)).unwrap();
    piped(&["plugin", "add", "-"]).expect(0);
    sandbox.plugin(["verify", "lib"]).expect(0);
}

#[test]
fn what_the_rules_match_here_is_shown_and_refused_roots_are_explained() {
    let sandbox = Sandbox::new();
    sandbox.fill("there");
    let rules: Vec<Rule> = [
        ("found", &["~/there"][..]),
        ("absent", &["~/absent"]),
        ("home", &["~"]),
        ("keys", &["~/.ssh/x"]),
        ("relative", &["${LIB_CACHE}"]),
        ("unset", &["${NOT_SET}/x"]),
        ("named", &[]),
    ]
    .map(|(id, locations)| Rule { id, locations, ..Rule::default() })
    .into();
    sandbox.component("lib.wasm", &found_in(Plugin::new().manifest_of("lib", "1.0.0", &rules), "found"));
    let mut command = sandbox.command(["plugin", "add", "-n", "../lib.wasm"]);
    let shown = Run::of(command.env("LIB_CACHE", "relative/x").output().unwrap()).expect(0).stdout;
    let home = sandbox.home();
    for words in [
        format!("here {}/there\n", home.display()),
        format!("here {}/absent, which does not exist", home.display()),
        format!("is refused as a root: it is the home directory `{}`", home.display()),
        ".ssh`, which keeps keys or settings".into(),
        "LIB_CACHE=relative/x".into(),
        "none of the variables is set".into(),
    ] {
        assert!(shown.contains(&words), "{words} is not in\n{shown}");
    }
}

#[test]
fn a_limit_is_kept_shown_and_asked_about_when_it_is_raised() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    for wrong in ["memory", "memory=0", "stack=1", "memory=1PiB", "time=soon"] {
        sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", wrong]).expect(2);
    }
    let run = sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "memory=512MiB", "--limit=time=9s"]).expect(0);
    assert!(run.stdout.contains("memory 512.0 MiB (not 256.0 MiB)"), "{}", run.stdout);
    let limits = |sandbox: &Sandbox| {
        let limits = array(&sandbox.plugin_json(["info", "lib"])["plugin"], "limits");
        let value = |name: &str| limits.iter().find(|it| it["name"] == name).unwrap()["value"].as_u64().unwrap();
        (value("memory"), value("time"))
    };
    assert_eq!(limits(&sandbox), (512 << 20, 9000));
    // Raised: asked about, by that line alone. Lowered: a note.
    let run = sandbox.plugin(["add", "../lib.wasm", "--limit", "memory=1GiB"]).expect(3);
    assert!(run.stdout.contains("+ memory 1.0 GiB (was 512.0 MiB)") && !run.stdout.contains("reads"), "{}", run.stdout);
    sandbox.plugin(["add", "../lib.wasm", "--limit", "memory=300MiB"]).expect(0);
    // An update and a repair leave them.
    sandbox.component("lib.wasm", &lib("lib", "1.1.0"));
    sandbox.plugin(["update", "lib"]).expect(0);
    sandbox.plugin(["add", "-y", "../lib.wasm"]).expect(0);
    assert_eq!(limits(&sandbox), (300 << 20, 9000));
}

#[test]
fn a_limit_holds_also_while_the_component_is_looked_into() {
    let sandbox = Sandbox::new();
    let plugin = lib("lib", "1.0.0").with("(memory 0) (func (export \"x\"))");
    sandbox.component("lib.wasm", &plugin);
    let run = sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "memory=1MiB"]).expect(1);
    assert!(run.stderr.contains("more than 1 MiB of memory"), "{}", run.stderr);
    assert!(sandbox.plugins_tree().is_empty());
}

#[test]
fn a_plugin_runs_within_the_limits_that_were_set_for_it() {
    let sandbox = Sandbox::new();
    sandbox.fill("lib");
    let entries = [Entry::new("one").owns("thing/file"), Entry::new("two").owns("other")];
    sandbox.component("lib.wasm", &lib("lib", "1.0.0").entries(&entries));
    sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "entries=1"]).expect(0);
    let run = sandbox.dscc(["list"]).expect(1);
    assert!(run.stderr.contains("2 entries in one level; the limit is 1"), "{}", run.stderr);
    sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "entries=2"]).expect(0);
    sandbox.dscc(["list"]).expect(0);
}

#[test]
fn a_plugin_that_needs_more_than_others_is_verified_and_repaired_within_its_own_limits() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &hungry("lib", "1.0.0"));
    let run = sandbox.plugin(["add", "-y", "../lib.wasm"]).expect(1);
    assert!(run.stderr.contains("more than 256 MiB of memory"), "{}", run.stderr);
    sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "memory=512MiB"]).expect(0);
    sandbox.plugin(["verify"]).expect(0);
    tamper(&sandbox.installed_component(&fs::read(sandbox.path("lib.wasm")).unwrap()));
    sandbox.plugin(["verify"]).expect(4);
    sandbox.plugin(["add", "../lib.wasm"]).expect(0);
    sandbox.plugin(["verify"]).expect(0);
    sandbox.component("lib.wasm", &hungry("lib", "1.1.0"));
    sandbox.plugin(["update", "lib"]).expect(0);
}

/// A plugin that takes 320 MiB before it says anything.
fn hungry(name: &str, version: &str) -> Plugin {
    lib(name, version).with("(start $grow) (func $grow (drop (memory.grow $memory (i32.const 5120))))")
}

#[test]
fn of_a_file_nothing_runs_but_its_description() {
    let sandbox = Sandbox::new();
    sandbox.fill("lib");
    sandbox.component("lib.wasm", &lib("lib", "1.0.0").listing("(unreachable)"));
    let plugin = &sandbox.plugin_json(["info", "../lib.wasm"])["plugin"];
    assert_eq!((&plugin["installed"], &plugin["name"]), (&false.into(), &"lib".into()));
    assert!(plugin["code"]["size"].as_u64().unwrap() > 0 && plugin["code"]["compile_ms"].as_f64().unwrap() > 0.0);
    assert!(sandbox.plugins_tree().is_empty() && sandbox.caches().is_empty());
    let shown = sandbox.plugin(["info", "../lib.wasm"]).expect(0).stdout;
    assert!(shown.contains("a file, not installed") && shown.contains("no network"), "{shown}");
}

#[test]
fn a_longer_text_than_others_may_have_is_taken_and_read_back_within_the_plugins_own_limit() {
    let sandbox = Sandbox::new();
    let mut manifest = Manifest::new("wordy", "1.0.0").rule("wordy", &["~/wordy"]);
    manifest.summary = "x".repeat(20_000);
    let path = sandbox.component("wordy.wasm", &found_in(Plugin::new().saying(&manifest), "wordy"));
    let path = path.to_str().unwrap();
    sandbox.plugin(["add", "-y", path]).expect(1);
    sandbox.plugin(["add", "-y", "--limit", "text=64KiB", path]).expect(0);
    sandbox.plugin(["list"]).expect(0);
    assert!(sandbox.running().contains(&"wordy".to_owned()));
    sandbox.plugin(["verify"]).expect(0);
}

#[test]
fn its_own_praise_does_not_push_what_it_asks_for_off_the_screen() {
    let sandbox = Sandbox::new();
    let mut manifest = Manifest::new("loud", "1.0.0").rule("loud", &["~/loud"]);
    (manifest.title, manifest.summary) = ("praise ".repeat(2000), "praise ".repeat(2000));
    let path = sandbox.component("loud.wasm", &found_in(Plugin::new().saying(&manifest), "loud"));
    let shown = sandbox.plugin(["add", "-n", path.to_str().unwrap()]).expect(0).stdout;
    assert!(shown.len() < 1500 && shown.contains("~/loud") && shown.contains("praise"), "{shown}");
    for locations in [17, 64] {
        let many: Vec<String> = (0..locations).map(|number| format!("~/place-{number}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let path =
            sandbox.component("many.wasm", &Plugin::new().saying(&Manifest::new("many", "1.0.0").rule("many", &many)));
        let run = sandbox.plugin(["add", "-n", path.to_str().unwrap()]).expect(1);
        assert!(run.stderr.contains("locations; the limit is 16"), "{}", run.stderr);
    }
}
