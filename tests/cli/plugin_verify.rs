//! What is on disk is not what was approved: it does not run, it is told, the rest goes on, and the command that the
//! message names repairs it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::components::Plugin;
use crate::plugins::{codes, command_in, digest_of, found_in, lib, tamper};
use crate::sandbox::{Run, Sandbox, array};

/// Two plugins with a cache each, beside the hub; `bad`'s bytes.
fn world() -> (Sandbox, Vec<u8>) {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    for name in ["bad", "good"] {
        sandbox.fill(name);
        sandbox.install(name, &lib(name, "1.0.0"));
    }
    let bytes = fs::read(sandbox.path("bad.wasm")).unwrap();
    (sandbox, bytes)
}

fn damages() -> [fn(&Path); 4] {
    [
        tamper,
        |path| fs::remove_file(path).unwrap(),
        |path| fs::File::options().write(true).open(path).unwrap().set_len(100).unwrap(),
        |path| {
            let longer = [fs::read(path).unwrap(), vec![0]].concat();
            fs::write(path, longer).unwrap();
        },
    ]
}

#[test]
fn a_component_that_is_not_the_approved_one_does_not_run_and_the_named_command_repairs_it() {
    for damage in damages() {
        let (sandbox, bytes) = world();
        damage(&sandbox.installed_component(&bytes));
        let listed = sandbox.dscc(["list", "--json"]).expect(1).json();
        assert_eq!(codes(&listed, "errors"), ["plugin-changed"]);
        assert!(sandbox.caches().contains(&"good".into()) && sandbox.caches().contains(&"hub".into()));
        let run = sandbox.plugin(["verify"]).expect(4);
        assert!(run.stdout.contains("not sound"), "{}", run.stdout);
        assert_eq!(codes(&sandbox.plugin(["verify", "--json"]).expect(4).json(), "findings"), ["plugin-changed"]);
        sandbox.plugin(["verify", "good"]).expect(0);
        sandbox.plugin(["info", "bad"]).expect(1);
        sandbox.plugin(["list"]).expect(0);
        let message = array(&listed, "errors")[0]["message"].as_str().unwrap().to_owned();
        let run = sandbox.dscc(command_in(&message, "dscc plugin add")).expect(0);
        assert!(run.stderr.contains("as it was approved again"), "{}", run.text());
        sandbox.dscc(["list"]).expect(0);
        sandbox.plugin(["verify"]).expect(0);
        assert_eq!(fs::read(sandbox.installed_component(&bytes)).unwrap(), bytes);
    }
}

#[test]
fn the_command_that_repairs_can_be_pasted_whatever_the_file_is_called() {
    use std::os::unix::ffi::OsStringExt as _;
    for name in [&b"a b's $(x) \xc3\xa9.wasm"[..], b"a\\b '\xff.wasm"] {
        let sandbox = Sandbox::new();
        sandbox.fill("lib");
        let bytes = lib("lib", "1.0.0").build();
        let path = sandbox.path(std::ffi::OsString::from_vec(name.to_vec()));
        fs::write(&path, &bytes).unwrap();
        let mut add = sandbox.command(["plugin", "add", "-y"]);
        Run::of(add.arg(&path).output().unwrap()).expect(0);
        tamper(&sandbox.installed_component(&bytes));
        let listed = sandbox.dscc(["list", "--json"]).expect(1).json();
        let message = array(&listed, "errors")[0]["message"].as_str().unwrap().to_owned();
        let at = message.find("`dscc plugin add").unwrap();
        let command = message[at + "`dscc".len()..].split('`').next().unwrap();
        let model = sandbox.command::<&str>([]);
        let mut shell = std::process::Command::new("bash");
        shell.args(["-c", &format!("'{}'{command}", env!("CARGO_BIN_EXE_dscc"))]);
        shell.current_dir(sandbox.home()).env_clear();
        shell.envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Run::of(shell.output().unwrap()).expect(0);
        sandbox.dscc(["list"]).expect(0);
    }
}

#[test]
fn a_changed_component_can_be_removed_and_updated_too() {
    let (sandbox, bytes) = world();
    tamper(&sandbox.installed_component(&bytes));
    sandbox.component("new.wasm", &lib("bad", "1.1.0"));
    sandbox.plugin(["update", "bad", "../new.wasm"]).expect(0);
    sandbox.dscc(["list"]).expect(0);
    let installed = sandbox.installed_component(&fs::read(sandbox.path("new.wasm")).unwrap());
    tamper(&installed);
    sandbox.plugin(["remove", "bad"]).expect(0);
    sandbox.dscc(["list"]).expect(0);
    assert!(!installed.exists());
}

/// The program with compiled code of its own.
fn with_code(sandbox: &Sandbox, args: &[&str]) -> Run {
    let mut command = sandbox.command(args);
    Run::of(command.env("DSCC_CACHE_DIR", sandbox.path("code")).output().unwrap())
}

fn code_of(sandbox: &Sandbox, bytes: &[u8]) -> Option<PathBuf> {
    let files = walkdir::WalkDir::new(sandbox.path("code")).into_iter().flatten();
    files.map(walkdir::DirEntry::into_path).find(|it| it.file_name().unwrap().to_str() == Some(&digest_of(bytes)))
}

#[test]
fn damaged_compiled_code_is_a_finding_until_it_is_used_and_never_runs() {
    let sandbox = Sandbox::new();
    sandbox.fill("lib");
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let bytes = lib("lib", "1.0.0").build();
    with_code(&sandbox, &["plugin", "add", "-y", "../lib.wasm"]).expect(0);
    let code = code_of(&sandbox, &bytes).expect("it is compiled when it is installed");
    with_code(&sandbox, &["plugin", "verify", "lib"]).expect(0);
    tamper(&code);
    for _ in 0..2 {
        let document = with_code(&sandbox, &["plugin", "verify", "lib", "--json"]).expect(4).json();
        assert_eq!(codes(&document, "findings"), ["plugin-code-damaged"], "looking does not mend");
        assert_eq!(document["plugins"][0]["code"], "damaged");
    }
    assert!(with_code(&sandbox, &["list"]).expect(0).stdout.contains("lib"));
    with_code(&sandbox, &["plugin", "verify", "lib"]).expect(0);
}

#[test]
fn removing_deletes_the_component_and_its_compiled_code_and_no_cache() {
    let sandbox = Sandbox::new();
    let cache = sandbox.fill("lib");
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let bytes = lib("lib", "1.0.0").build();
    with_code(&sandbox, &["plugin", "add", "-y", "../lib.wasm"]).expect(0);
    let before = sandbox.all_but(&sandbox.plugins_dir());
    let code = code_of(&sandbox, &bytes).unwrap();
    let run = with_code(&sandbox, &["plugin", "remove", "lib", "lib"]).expect(0);
    assert!(run.stderr.contains("its caches stay"), "{}", run.stderr);
    assert!(!sandbox.installed_component(&bytes).exists() && !code.exists() && cache.join("thing/file").exists());
    let code = code.strip_prefix(sandbox.path("")).unwrap().to_owned();
    let gone = [code.to_str().unwrap(), code.with_extension("seal").to_str().unwrap()].map(str::to_owned);
    crate::tree::assert_gone(&before, &sandbox.all_but(&sandbox.plugins_dir()), &gone.each_ref().map(String::as_str));
    with_code(&sandbox, &["plugin", "remove", "lib"]).expect(5);
    with_code(&sandbox, &["plugin", "remove", "hf-hub"]).expect(3);
}

#[test]
fn removing_several_is_all_or_none_and_the_json_names_them() {
    let (sandbox, _) = world();
    let before = sandbox.plugins_tree();
    sandbox.plugin(["remove", "bad", "ghost"]).expect(5);
    sandbox.plugin(["remove", "bad", "hf-hub"]).expect(3);
    assert!(sandbox.plugins_tree() == before);
    let document = sandbox.plugin_json(["remove", "bad", "good"]);
    assert_eq!(document["removed"], serde_json::json!(["bad", "good"]));
    assert_eq!(sandbox.running(), ["hf-hub"]);
}

#[test]
fn what_nothing_names_is_a_finding() {
    let (sandbox, _) = world();
    sandbox.plugin(["verify"]).expect(0);
    let stray = sandbox.installed_component(b"stray");
    fs::write(&stray, b"stray").unwrap();
    let document = sandbox.plugin(["verify", "--json"]).expect(4).json();
    assert_eq!(codes(&document, "findings"), ["plugin-stray-file"]);
    assert_eq!(document["findings"][0]["path"], stray.to_str().unwrap());
    sandbox.dscc(["list"]).expect(0);
    sandbox.plugin(["verify", "nobody"]).expect(5);
}

/// The component and its compiled code are needed by whoever has such a cache, and by nobody else.
#[test]
fn listing_a_home_without_the_plugins_cache_reads_no_component_and_compiles_nothing() {
    let sandbox = Sandbox::new();
    let bytes = sandbox.install("lib", &lib("lib", "1.0.0"));
    tamper(&sandbox.installed_component(&bytes));
    fs::create_dir(sandbox.path("code")).unwrap();
    for args in
        [&["list"][..], &["show"], &["paths"], &["plugin", "list"], &["list", "-c", "lib"], &["clean", "--all", "-n"]]
    {
        let run = with_code(&sandbox, args).expect(0);
        assert_eq!(run.stderr, "", "{args:?}");
    }
    assert_eq!(fs::read_dir(sandbox.path("code")).unwrap().count(), 0);
    sandbox.fill("lib");
    with_code(&sandbox, &["list"]).expect(1);
}

#[test]
fn a_built_in_plugin_is_verified_by_its_name_also_while_another_runs_instead() {
    let sandbox = Sandbox::new();
    sandbox.plugin(["verify", "hf-hub"]).expect(0);
    let taking = Plugin::new().manifest("mine", "1.0.0", "hub", "~/mine");
    let path = sandbox.component("mine.wasm", &found_in(taking, "hub"));
    sandbox.plugin(["add", "-y", "--replace", path.to_str().unwrap()]).expect(0);
    let run = sandbox.plugin(["verify", "hf-hub"]).expect(0);
    assert!(run.stdout.contains("hf-hub"), "{}", run.stdout);
}
