//! Names and cache ids are one namespace. Whoever has a word keeps it, unless `--replace` says otherwise; `-y` never does.

use crate::components::{Plugin, Rule};
use crate::plugins::{codes, command_in, digest_of, found_in, lib};
use crate::prompt::on_a_terminal;
use crate::sandbox::{Sandbox, array};

/// Plugins that would have a word of the built-in hub.
fn impostors() -> [Plugin; 3] {
    let two = [
        Rule { id: "lib", locations: &["~/lib"], ..Rule::default() },
        Rule { id: "hub", locations: &["~/lib"], ..Rule::default() },
    ];
    [
        Plugin::new().manifest("hf-hub", "9.0.0", "lib", "~/lib"),
        Plugin::new().manifest("hub", "9.0.0", "lib", "~/lib"),
        Plugin::new().manifest_of("lib", "9.0.0", &two),
    ]
    .map(|plugin| found_in(plugin, "lib"))
}

#[test]
fn a_built_in_plugin_is_never_overridden_by_yes_alone() {
    for plugin in impostors() {
        let sandbox = Sandbox::new();
        sandbox.component("lib.wasm", &plugin);
        for args in [&["add", "-y", "../lib.wasm"][..], &["add", "-n", "../lib.wasm"], &["add", "../lib.wasm"]] {
            let run = sandbox.plugin(args.iter().copied()).expect(3);
            assert!(run.stderr.contains("built-in") && run.stderr.contains("--replace"), "{}", run.stderr);
        }
        // Nor by --replace alone: it is a question all the same.
        let run = sandbox.plugin(["add", "--replace", "../lib.wasm"]).expect(3);
        assert!(run.stdout.contains("the built-in hf-hub, which will not run"), "{}", run.stdout);
        assert!(sandbox.plugins_tree().is_empty());
    }
}

#[test]
fn every_listing_says_that_a_built_in_is_overridden_and_removing_brings_it_back() {
    for plugin in impostors() {
        let sandbox = Sandbox::new();
        sandbox.hub().model("a", 10);
        sandbox.fill("lib");
        sandbox.component("lib.wasm", &plugin);
        sandbox.plugin(["add", "-y", "--replace", "../lib.wasm"]).expect(0);
        let rows = array(&sandbox.plugin_json(["list"]), "plugins");
        let name = rows.iter().find(|row| row["built_in"] == false).unwrap()["name"].as_str().unwrap().to_owned();
        for args in [&["list"][..], &["show"], &["plugin", "list"], &["clean", "--all", "-n"]] {
            let run = sandbox.dscc(args).expect(0);
            assert!(run.text().contains("overridden by"), "{args:?}: {}", run.text());
            let json = sandbox.json(args.iter().copied());
            // Another built-in plugin looks into the same folder, and tells that it is none of its own.
            let told: Vec<String> = codes(&json, "errors").into_iter().filter(|code| code != "root-unmarked").collect();
            assert_eq!(told, ["built-in-overridden"], "{args:?}");
        }
        assert_eq!(sandbox.caches(), ["lib"]);
        assert_eq!(sandbox.running(), [name.as_str()]);
        let run = sandbox.plugin(["remove", &name]).expect(0);
        assert!(run.stderr.contains("The built-in plugin hf-hub runs again"), "{}", run.stderr);
        assert_eq!(sandbox.caches(), ["hub"]);
    }
}

#[test]
fn an_approved_override_is_not_asked_about_again_and_a_new_one_is() {
    let sandbox = Sandbox::new();
    let with_hub = |version: &str| found_in(Plugin::new().manifest("lib", version, "hub", "~/lib"), "lib");
    sandbox.install("plain", &lib("lib", "1.0.0"));
    sandbox.component("lib.wasm", &with_hub("2.0.0"));
    sandbox.plugin(["update", "-y", "lib", "../lib.wasm"]).expect(3);
    let run = sandbox.plugin(["update", "--replace", "lib", "../lib.wasm"]).expect(3);
    assert!(run.stdout.contains("+ runs instead of the built-in `hf-hub`"), "{}", run.stdout);
    sandbox.plugin(["update", "-y", "--replace", "lib", "../lib.wasm"]).expect(0);
    sandbox.component("lib.wasm", &with_hub("2.1.0"));
    sandbox.plugin(["update", "lib"]).expect(0);
}

#[test]
fn the_word_of_an_installed_plugin_needs_replace_and_then_that_plugin_goes() {
    let sandbox = Sandbox::new();
    let code = sandbox.path("code");
    let plugin = |args: &[&str]| {
        let mut command = sandbox.command(["plugin"].iter().chain(args));
        crate::sandbox::Run::of(command.env("DSCC_CACHE_DIR", &code).output().unwrap())
    };
    sandbox.component("first.wasm", &lib("first", "1.0.0"));
    sandbox.component("second.wasm", &found_in(Plugin::new().manifest("second", "1.0.0", "first", "~/x"), "first"));
    plugin(&["add", "-y", "../first.wasm"]).expect(0);
    let run = plugin(&["add", "-y", "../second.wasm"]).expect(3);
    assert!(run.stderr.contains("the installed plugin `first`"), "{}", run.stderr);
    let run = plugin(&["add", "--replace", "../second.wasm"]).expect(3);
    assert!(run.stdout.contains("removes   the installed plugin first"), "{}", run.stdout);
    let first = lib("first", "1.0.0").build();
    let is_compiled = || {
        let files = walkdir::WalkDir::new(&code).into_iter().flatten();
        files.into_iter().any(|it| it.file_name().to_str() == Some(&digest_of(&first)))
    };
    assert!(is_compiled());
    plugin(&["add", "-y", "--replace", "../second.wasm"]).expect(0);
    assert_eq!(sandbox.running(), ["hf-hub", "second"]);
    assert!(!sandbox.installed_component(&first).exists() && !is_compiled());
}

#[test]
fn an_update_that_removes_another_plugin_is_a_question() {
    let sandbox = Sandbox::new();
    sandbox.install("first", &lib("first", "1.0.0"));
    sandbox.install("second", &lib("second", "1.0.0"));
    // A rule without a location: nothing more is read unless `--root` says so, and yet `first` would go.
    let rules =
        [Rule { id: "second", locations: &["~/second"], ..Rule::default() }, Rule { id: "first", ..Rule::default() }];
    sandbox.component("new.wasm", &found_in(Plugin::new().manifest_of("second", "1.1.0", &rules), "second"));
    sandbox.plugin(["update", "--replace", "second", "../new.wasm"]).expect(3);
    assert_eq!(sandbox.running(), ["hf-hub", "first", "second"]);
    let asked = on_a_terminal(&sandbox, "plugin update --replace second ../new.wasm", "y\n");
    let Some((_, shown)) = asked else { return };
    assert!(shown.contains("removes   the installed plugin first"), "{shown}");
    assert!(shown.contains("+ reads what `--root first=PATH` names"), "{shown}");
    assert_eq!(sandbox.running(), ["hf-hub", "second"]);
}

/// As after an upgrade that brought a built-in plugin with that word: the approval does not name it.
#[test]
fn an_installed_plugin_whose_word_became_a_built_ins_does_not_run_and_is_told() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    sandbox.fill("lib");
    let plugin = found_in(Plugin::new().manifest("lib", "1.0.0", "hub", "~/lib"), "lib");
    let bytes = plugin.build();
    sandbox.component("lib.wasm", &plugin);
    write_record_by_hand(&sandbox, &bytes);
    assert_eq!(sandbox.caches(), ["hub"]);
    let run = sandbox.dscc(["list"]).expect(1);
    assert!(run.stderr.contains("the installed plugin `lib` does not run"), "{}", run.stderr);
    assert_eq!(sandbox.running(), ["hf-hub"]);
    sandbox.plugin(["verify"]).expect(4);
    // Both ways out work.
    let mut command = command_in(&run.stderr, "dscc plugin add --replace");
    *command.last_mut().unwrap() = "../lib.wasm".into();
    sandbox.dscc(command.iter().map(String::as_str).chain(["-y"])).expect(0);
    assert_eq!(sandbox.running(), ["lib"]);
    write_record_by_hand(&sandbox, &bytes);
    sandbox.dscc(command_in(&run.stderr, "dscc plugin remove")).expect(0);
    assert_eq!(sandbox.running(), ["hf-hub"]);
    sandbox.plugin(["verify"]).expect(0);
}

fn write_record_by_hand(sandbox: &Sandbox, bytes: &[u8]) {
    use dscc::plugins::{Facts, LockFile, Record};
    use dscc::runtime::{Limits, Runtime};
    let runtime = Runtime::new(&crate::sandbox::code_dir(), Limits::default()).unwrap();
    let facts = Facts::of(&runtime, "lib", bytes, Limits::default()).unwrap();
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut file = LockFile::default();
    file.put(Record::approved(facts, None, now, Default::default(), Default::default()));
    std::fs::create_dir_all(sandbox.plugins_dir()).unwrap();
    std::fs::write(sandbox.lock_file(), file.to_text()).unwrap();
    std::fs::write(sandbox.installed_component(bytes), bytes).unwrap();
}
