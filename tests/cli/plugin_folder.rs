//! The plugins directory itself: where it is, who may have written it, and what becomes of a lock file that is damaged or
//! of a later time.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::plugins::{codes, command_in, lib};
use crate::privileges::{Need, can};
use crate::sandbox::{Run, Sandbox, array, give_away};

fn change_record(sandbox: &Sandbox, change: impl FnOnce(&mut Value)) {
    let mut document: Value = serde_json::from_slice(&fs::read(sandbox.lock_file()).unwrap()).unwrap();
    change(&mut document["plugins"][0]);
    fs::write(sandbox.lock_file(), serde_json::to_vec(&document).unwrap()).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Built-in plugins alone run, every listing says why, and the words are there.
#[track_caller]
fn built_in_alone(sandbox: &Sandbox, code: &str, words: &str) {
    assert_eq!(sandbox.caches(), ["hub"]);
    assert_eq!(sandbox.running(), ["hf-hub"]);
    for args in [&["list"][..], &["plugin", "list"]] {
        let run = sandbox.dscc(args).expect(1);
        assert!(run.stderr.contains(words), "{}", run.stderr);
        let document = sandbox.dscc(args.iter().chain(&["--json"])).expect(1).json();
        assert_eq!(codes(&document, "errors"), [code]);
    }
    sandbox.plugin(["verify"]).expect(4);
}

fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    sandbox.fill("lib");
    sandbox.install("lib", &lib("lib", "1.0.0"));
    sandbox.component("other.wasm", &lib("other", "1.0.0"));
    sandbox
}

#[test]
fn a_lock_file_of_a_later_format_is_reported_and_never_rewritten() {
    let sandbox = world();
    fs::write(sandbox.lock_file(), json!({"format": 2, "plugins": {"new": "form"}}).to_string()).unwrap();
    let before = sandbox.plugins_tree();
    built_in_alone(&sandbox, "plugins-lock-file-newer", "upgrade dscc");
    let commands: [&[&str]; 5] = [
        &["add", "-y", "../other.wasm"],
        &["add", "-n", "../other.wasm"],
        &["update", "lib"],
        &["remove", "lib"],
        &["info", "lib"],
    ];
    for command in commands {
        let run = sandbox.plugin(command.iter().copied()).expect(1);
        assert!(run.stderr.contains("upgrade dscc"), "{command:?}: {}", run.stderr);
    }
    assert!(sandbox.plugins_tree() == before);
    sandbox.plugin(["info", "hf-hub"]).expect(0);
}

#[test]
fn a_lock_file_that_is_none_is_reported_and_the_way_out_works() {
    for text in ["", "{", "[]", "{}", "not json", "{\"format\":1,\"plugins\":[]}{", "\0\0\0"] {
        let sandbox = world();
        fs::write(sandbox.lock_file(), text).unwrap();
        let before = sandbox.plugins_tree();
        built_in_alone(&sandbox, "plugins-lock-file", "move the folder");
        sandbox.plugin(["add", "-y", "../other.wasm"]).expect(1);
        assert!(sandbox.plugins_tree() == before, "{text}");
        let moved = sandbox.path("moved");
        fs::rename(sandbox.plugins_dir(), &moved).unwrap();
        let components = fs::read_dir(&moved).unwrap().map(|it| it.unwrap().path());
        for component in components.filter(|it| it.extension().is_some_and(|it| it == "wasm")) {
            sandbox.plugin(["add", "-y", component.to_str().unwrap()]).expect(0);
        }
        assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
    }
}

#[test]
fn a_damaged_record_costs_its_plugin_alone_and_both_named_ways_out_work() {
    for way in ["dscc plugin add", "dscc plugin remove"] {
        let sandbox = world();
        change_record(&sandbox, |record| record["facts"]["manifest"]["roots"][0]["locations"][0]["path"] = "~".into());
        sandbox.plugin(["add", "-y", "../other.wasm"]).expect(0);
        assert_eq!(sandbox.running(), ["hf-hub", "other"]);
        let run = sandbox.dscc(["list"]).expect(1);
        assert!(run.stderr.contains("something else than was approved"), "{}", run.stderr);
        assert_eq!(codes(&sandbox.plugin(["verify", "--json"]).expect(4).json(), "findings"), ["plugin-record"]);
        let run_info = sandbox.plugin(["info", "lib"]).expect(1);
        assert!(run_info.stderr.contains("is damaged"), "{}", run_info.stderr);
        let mut command = command_in(&run.stderr, way);
        if way.ends_with("add") {
            *command.last_mut().unwrap() = "../lib.wasm".into();
            command.push("-y".into());
        }
        sandbox.dscc(command).expect(0);
        sandbox.plugin(["verify"]).expect(0);
        let expected: &[&str] = if way.ends_with("add") { &["hf-hub", "lib", "other"] } else { &["hf-hub", "other"] };
        assert_eq!(sandbox.running(), expected);
    }
}

#[test]
fn a_record_that_lost_its_name_is_healed_by_adding_its_component() {
    for name in [json!(null), json!("../x"), json!("\u{1b}[2J"), json!(7)] {
        let sandbox = world();
        change_record(&sandbox, |record| record["facts"]["manifest"]["name"] = name);
        let run = sandbox.dscc(["list"]).expect(1);
        assert!(run.stderr.contains("(no name)") && !run.stderr.contains('\u{1b}'), "{}", run.stderr);
        sandbox.plugin(["add", "-y", "../lib.wasm"]).expect(0);
        sandbox.plugin(["verify"]).expect(0);
        assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
    }
}

#[test]
fn a_record_cannot_make_the_program_read_without_end() {
    let sandbox = world();
    for size in [u64::MAX, u64::MAX - 1, 1 << 60] {
        change_record(&sandbox, |record| record["facts"]["size"] = size.into());
        let run = sandbox.dscc(["list"]).expect(1);
        assert!(run.stderr.contains("no component has"), "{}", run.stderr);
    }
}

#[test]
fn a_folder_that_others_can_write_is_not_used() {
    let sandbox = world();
    for (path, sound) in [(sandbox.plugins_dir(), 0o700), (sandbox.lock_file(), 0o600)] {
        set_mode(&path, sound | 0o022);
        built_in_alone(&sandbox, "plugins-folder-untrusted", "chmod go-w");
        sandbox.plugin(["add", "-y", "../other.wasm"]).expect(1);
        set_mode(&path, sound);
        assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
    }
}

#[test]
fn a_folder_of_another_user_is_not_used() {
    if !can("a_folder_of_another_user_is_not_used", &[Need::Root]) {
        return;
    }
    let sandbox = world();
    give_away(&sandbox.plugins_dir());
    built_in_alone(&sandbox, "plugins-folder-untrusted", "belongs to another user");
}

#[test]
fn a_generous_mask_makes_nothing_that_is_not_trusted_afterwards() {
    for mask in ["000", "002", "022", "077"] {
        let sandbox = Sandbox::new();
        sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
        let model = sandbox.command::<&str>([]);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("umask {mask}; exec '{}' plugin add -y ../lib.wasm", env!("CARGO_BIN_EXE_dscc"))]);
        command.env_clear().current_dir(sandbox.home());
        command.envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run::of(command.output().unwrap()).expect(0);
        assert_eq!(sandbox.running(), ["hf-hub", "lib"], "{mask}");
        sandbox.plugin(["remove", "lib"]).expect(0);
    }
}

#[test]
fn a_read_only_folder_lists_and_says_why_it_takes_nothing() {
    let sandbox = world();
    set_mode(&sandbox.plugins_dir(), 0o500);
    for guard in [true, false] {
        for args in [&["list"][..], &["plugin", "list"], &["plugin", "verify"], &["plugin", "info", "lib"]] {
            sandbox.dscc_bound(args).expect(0);
        }
        for args in [&["plugin", "add", "-y", "../other.wasm"][..], &["plugin", "remove", "lib"]] {
            let run = sandbox.dscc_bound(args).expect(1);
            assert!(
                run.stderr.contains("ermission denied") && run.stderr.contains("DSCC_PLUGINS_DIR"),
                "{}",
                run.stderr
            );
        }
        if guard {
            set_mode(&sandbox.plugins_dir(), 0o700);
            fs::remove_file(sandbox.plugins_dir().join(".guard")).unwrap();
            set_mode(&sandbox.plugins_dir(), 0o500);
        }
    }
    set_mode(&sandbox.plugins_dir(), 0o700);
    assert_eq!(sandbox.running(), ["hf-hub", "lib"]);
}

#[test]
fn a_folder_that_cannot_be_made_or_is_none_is_said() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let locked = sandbox.path("locked");
    fs::create_dir(&locked).unwrap();
    set_mode(&locked, 0o500);
    fs::write(sandbox.path("file"), "x").unwrap();
    for (dir, lists) in [(locked.join("plugins"), 0), (sandbox.path("file"), 1)] {
        let dir = dir.to_str().unwrap();
        let run = sandbox.dscc_bound(["list", "--json", "--plugins-dir", dir]).expect(lists);
        assert_eq!(array(&run.json(), "caches").len(), 1);
        let run = sandbox.dscc_bound(["plugin", "add", "-y", "../lib.wasm", "--plugins-dir", dir]).expect(1);
        assert!(run.stderr.contains("make the folder readable and writable"), "{}", run.stderr);
    }
    assert_eq!(fs::read(sandbox.path("file")).unwrap(), b"x");
}

#[test]
fn the_folder_is_where_the_option_says_else_the_variable() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let run = |args: &[&str]| {
        let mut command = sandbox.command(args);
        Run::of(command.env("DSCC_PLUGINS_DIR", "by-variable").output().unwrap()).expect(0)
    };
    run(&["plugin", "add", "-y", "../lib.wasm"]);
    assert!(sandbox.home().join("by-variable/plugins-lock.json").exists());
    run(&["--plugins-dir", "by-option", "plugin", "add", "-y", "../lib.wasm"]);
    assert!(sandbox.home().join("by-option/plugins-lock.json").exists());
    let paths = run(&["paths", "--json", "--plugins-dir", "by-option"]).json();
    assert_eq!(paths["plugins"], sandbox.home().join("by-option").to_str().unwrap());
    assert!(!sandbox.plugins_dir().exists());
    sandbox.dscc(["plugin", "list", "--plugins-dir", ""]).expect(2);
}
