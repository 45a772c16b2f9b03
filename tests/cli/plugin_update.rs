//! `dscc plugin update`: the same or fewer rights are a note, more rights a question that shows only them.

use crate::components::{Plugin, Rule};
use crate::plugins::{found_in, lib};
use crate::prompt::on_a_terminal;
use crate::sandbox::{Run, Sandbox};

fn wider(version: &str) -> Plugin {
    let rules = [
        Rule { id: "lib", locations: &["~/lib"], indexes: &["index"], ..Rule::default() },
        Rule { id: "more", locations: &["~/more"], ..Rule::default() },
    ];
    found_in(Plugin::new().manifest_of("lib", version, &rules), "lib")
}

fn version(sandbox: &Sandbox) -> String {
    sandbox.plugin_json(["info", "lib"])["plugin"]["version"].as_str().unwrap().to_owned()
}

#[test]
fn the_same_or_fewer_rights_are_a_note_and_the_old_component_goes() {
    let sandbox = Sandbox::new();
    let old = sandbox.install("old", &wider("1.0.0"));
    sandbox.component("lib.wasm", &wider("1.1.0"));
    let run = sandbox.plugin(["update", "lib", "../lib.wasm"]).expect(0);
    assert!(run.stdout.contains("1.0.0 -> 1.1.0") && run.stdout.contains("the same as before"), "{}", run.stdout);
    assert!(!sandbox.installed_component(&old).exists());
    sandbox.component("lib.wasm", &lib("lib", "1.2.0"));
    let run = sandbox.plugin(["update", "lib"]).expect(0);
    assert!(
        run.stdout.contains("- drops lines of index") && run.stdout.contains("- the root `more`"),
        "{}",
        run.stdout
    );
    assert_eq!(version(&sandbox), "1.2.0");
}

#[test]
fn more_rights_are_a_question_that_shows_only_them() {
    for (typed, updates) in [("\n", false), ("y\n", true)] {
        let sandbox = Sandbox::new();
        sandbox.install("old", &lib("lib", "1.0.0"));
        sandbox.component("new.wasm", &wider("1.1.0"));
        let before = sandbox.plugins_tree();
        let run = sandbox.plugin(["update", "lib", "../new.wasm"]).expect(3);
        assert!(run.stdout.contains("+ reads ~/more (more)"), "{}", run.stdout);
        let Some((status, shown)) = on_a_terminal(&sandbox, "plugin update lib ../new.wasm", typed) else { return };
        assert_eq!(status, 0, "{shown}");
        assert!(shown.contains("Allow this? [y/N]") && shown.contains("+ drops lines of index (lib)"), "{shown}");
        assert!(!shown.contains("~/lib"), "what was approved is not asked again: {shown}");
        assert_eq!(version(&sandbox), if updates { "1.1.0" } else { "1.0.0" });
        assert!(updates || sandbox.plugins_tree() == before);
    }
}

#[test]
fn more_rights_without_an_answer_change_nothing_and_yes_approves_them() {
    let sandbox = Sandbox::new();
    sandbox.install("old", &lib("lib", "1.0.0"));
    sandbox.component("new.wasm", &wider("1.1.0"));
    let before = sandbox.plugins_tree();
    for args in [&["update", "lib", "../new.wasm"][..], &["update", "lib", "../new.wasm", "--json"]] {
        sandbox.plugin(args.iter().copied()).expect(3);
        assert!(sandbox.plugins_tree() == before);
    }
    let document = sandbox.plugin_json(["update", "-y", "lib", "../new.wasm"]);
    assert_eq!(document["action"], "update");
    let changes = document["changes"].as_array().unwrap();
    assert!(changes.len() == 2 && changes.iter().all(|it| it["widens"] == true), "{changes:?}");
}

#[test]
fn a_downgrade_needs_replace() {
    let sandbox = Sandbox::new();
    sandbox.install("old", &lib("lib", "1.1.0"));
    sandbox.component("new.wasm", &lib("lib", "1.1.0-rc.1"));
    for command in [&["update", "-y", "lib", "../new.wasm"][..], &["add", "-y", "../new.wasm"]] {
        let run = sandbox.plugin(command.iter().copied()).expect(3);
        assert!(run.stderr.contains("1.1.0") && run.stderr.contains("--replace"), "{}", run.stderr);
    }
    assert_eq!(version(&sandbox), "1.1.0");
    sandbox.plugin(["update", "lib", "../new.wasm", "--replace"]).expect(0);
    assert_eq!(version(&sandbox), "1.1.0-rc.1");
}

#[test]
fn add_of_another_version_points_to_update() {
    let sandbox = Sandbox::new();
    sandbox.install("old", &lib("lib", "1.0.0"));
    sandbox.component("new.wasm", &lib("lib", "2.0.0"));
    let run = sandbox.plugin(["add", "-y", "../new.wasm"]).expect(3);
    assert!(run.stderr.contains("dscc plugin update lib PATH"), "{}", run.stderr);
    assert_eq!(version(&sandbox), "1.0.0");
}

#[test]
fn what_cannot_be_updated_is_told_by_its_status() {
    let sandbox = Sandbox::new();
    let path = sandbox.component("other.wasm", &lib("other", "1.0.0"));
    sandbox.plugin(["update", "lib"]).expect(5);
    sandbox.plugin(["update", "hf-hub", "../other.wasm"]).expect(5);
    sandbox.install("lib", &lib("lib", "1.0.0"));
    let run = sandbox.plugin(["update", "-y", "lib", "../other.wasm"]).expect(2);
    assert!(run.stderr.contains("this is `other`, not `lib`"), "{}", run.stderr);
    sandbox.plugin(["update", "lib", "../nothing.wasm"]).expect(5);
    std::fs::remove_file(sandbox.path("lib.wasm")).unwrap();
    let run = sandbox.plugin(["update", "lib"]).expect(5);
    assert!(run.stderr.contains("lib.wasm"), "{}", run.stderr);
    assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
    drop(path);
}

#[test]
fn a_source_is_found_again_whatever_it_is_called() {
    use std::os::unix::ffi::OsStringExt as _;
    let sandbox = Sandbox::new();
    let name = std::ffi::OsString::from_vec(b"a b'\\\xff\n.wasm".to_vec());
    let path = sandbox.path(&name);
    std::fs::write(&path, lib("lib", "1.0.0").build()).unwrap();
    let add = |sandbox: &Sandbox| {
        let mut command = sandbox.command(["plugin", "add", "-y"]);
        Run::of(command.arg(&path).output().unwrap())
    };
    add(&sandbox).expect(0);
    std::fs::write(&path, lib("lib", "1.1.0").build()).unwrap();
    sandbox.plugin(["update", "lib"]).expect(0);
    assert_eq!(version(&sandbox), "1.1.0");
}
