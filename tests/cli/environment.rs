//! Variables that name roots, and folders that are never one: refused with the variable's name, and nothing is tried in
//! their place.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::Value;

use crate::hub::Hub;
use crate::sandbox::{Run, Sandbox, array, give_away};

/// Runs with one more variable.
fn with(sandbox: &Sandbox, variable: &str, value: impl AsRef<std::ffi::OsStr>, args: &[&str]) -> Run {
    Run::of(sandbox.command(args).env(variable, value).output().unwrap())
}

fn only_root(list: &Value) -> String {
    let rows = array(list, "caches");
    assert_eq!(rows.len(), 1, "{list:#}");
    rows[0]["root"].as_str().unwrap().to_owned()
}

#[test]
fn each_variable_of_the_library_names_the_root() {
    for (variable, below) in
        [("HF_HUB_CACHE", ""), ("HUGGINGFACE_HUB_CACHE", ""), ("HF_HOME", "hub"), ("XDG_CACHE_HOME", "huggingface/hub")]
    {
        let sandbox = Sandbox::new();
        sandbox.hub().model("default", 10);
        let hub = Hub::at(sandbox.home().join("elsewhere").join(below));
        hub.model("a", 10);
        let list = with(&sandbox, variable, sandbox.home().join("elsewhere"), &["list", "--json"]).expect(0).json();
        assert_eq!(Path::new(&only_root(&list)), hub.root, "{variable}");
    }
}

#[test]
fn the_first_variable_counts_and_nothing_is_tried_in_its_place() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("default", 10);
    let run = with(&sandbox, "HF_HUB_CACHE", sandbox.home().join("absent"), &["list"]).expect(0);
    assert!(run.stdout.contains("Nothing found") && run.stdout.contains("HF_HUB_CACHE"), "{}", run.text());
}

#[test]
fn values_are_expanded_as_the_library_expands_them() {
    let sandbox = Sandbox::new();
    let hub = Hub::at(sandbox.home().join("elsewhere"));
    hub.model("a", 10);
    for value in ["~/elsewhere", "$HOME/elsewhere", "${HOME}/elsewhere"] {
        let list = with(&sandbox, "HF_HUB_CACHE", value, &["list", "--json"]).expect(0).json();
        assert_eq!(Path::new(&only_root(&list)), hub.root, "{value}");
    }
}

#[test]
fn a_root_that_is_no_place_for_a_cache_is_refused_with_its_variable_and_status_0() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("default", 10);
    // A home that looks like a cache is a home all the same.
    Hub::at(sandbox.home()).repo("models--acme--home").revision('a', &[]);
    fs::create_dir_all(sandbox.home().join(".ssh")).unwrap();
    let before = sandbox.all_but(Path::new(""));
    let home = sandbox.home().to_str().unwrap().to_owned();
    let above = sandbox.path("").to_str().unwrap().to_owned();
    for (value, code) in [
        ("/", "root-top"),
        ("", "root-empty"),
        ("relative/hub", "root-relative"),
        (".", "root-relative"),
        ("~", "root-home"),
        (&home, "root-home"),
        (&format!("{home}/."), "root-home"),
        (&format!("{home}/x/.."), "root-home"),
        (&above, "root-home"),
        ("~/.ssh", "root-private"),
        ("~/.ssh/hub", "root-private"),
        ("~/.gnupg", "root-private"),
        ("/etc", "root-system"),
        ("/usr", "root-system"),
        ("/proc/self", "root-system"),
    ] {
        let document = with(&sandbox, "HF_HUB_CACHE", value, &["list", "--json"]).expect(0).json();
        let errors = array(&document, "errors");
        assert_eq!((array(&document, "caches").len(), errors.len()), (0, 1), "{value:?}: {document:#}");
        assert_eq!(errors[0]["code"], code, "{value:?}");
        assert!(errors[0]["message"].as_str().unwrap().contains("HF_HUB_CACHE"), "{}", errors[0]);
        assert!(errors[0]["hint"].as_str().unwrap().contains("HF_HUB_CACHE"), "{}", errors[0]);
        let run = with(&sandbox, "HF_HUB_CACHE", value, &["list"]).expect(0);
        assert!(run.stderr.contains("warning:") && run.stderr.contains("HF_HUB_CACHE"), "{}", run.stderr);
        with(&sandbox, "HF_HUB_CACHE", value, &["clean", "-y", "--all"]).expect(0);
    }
    assert_eq!(sandbox.all_but(Path::new("")), before);
}

#[test]
fn a_link_to_a_home_is_refused_and_a_link_to_a_cache_is_not() {
    let sandbox = Sandbox::new();
    let disk = Hub::at(sandbox.path("big-disk/hub"));
    disk.model("a", 10);
    symlink(sandbox.home(), sandbox.path("to-home")).unwrap();
    symlink(&disk.root, sandbox.path("to-hub")).unwrap();
    let refused = with(&sandbox, "HF_HUB_CACHE", sandbox.path("to-home"), &["list", "--json"]).expect(0).json();
    assert_eq!(array(&refused, "errors")[0]["code"], "root-home");
    let found = with(&sandbox, "HF_HUB_CACHE", sandbox.path("to-hub"), &["list", "--json"]).expect(0).json();
    assert_eq!(Path::new(&only_root(&found)), sandbox.path("to-hub"));
    with(&sandbox, "HF_HUB_CACHE", sandbox.path("to-hub"), &["clean", "-y", "model/acme/a"]).expect(0);
    assert!(!disk.exists("models--acme--a") && sandbox.path("to-hub").is_symlink());
}

#[test]
fn the_programs_own_folders_are_no_roots() {
    let sandbox = Sandbox::new();
    let own = sandbox.home().join(".local/share/dscc/plugins");
    Hub::at(own.clone()).model("a", 10);
    for place in [own.clone(), own.join("models--acme--a"), sandbox.home().join(".local/share/dscc")] {
        let document = with(&sandbox, "HF_HUB_CACHE", &place, &["list", "--json"]).expect(0).json();
        assert_eq!(array(&document, "errors")[0]["code"], "root-own", "{document:#}");
    }
}

#[test]
fn a_folder_that_shows_no_mark_is_no_hub_and_an_empty_one_is() {
    let sandbox = Sandbox::new();
    let work = sandbox.home().join("work");
    fs::create_dir_all(work.join("thesis")).unwrap();
    let root = format!("--root=hub={}", work.display());
    let document = sandbox.json(["list", &root]);
    assert_eq!(array(&document, "errors")[0]["code"], "root-unmarked", "{document:#}");
    sandbox.dscc(["clean", "-y", "--all", &root]).expect(0);
    assert!(work.join("thesis").exists());
    fs::remove_dir(work.join("thesis")).unwrap();
    assert_eq!(array(&sandbox.json(["list", &root]), "caches").len(), 1);
}

#[test]
fn a_root_that_is_a_file_is_refused() {
    let sandbox = Sandbox::new();
    let file = sandbox.home().join("hub");
    fs::write(&file, "x").unwrap();
    let document = with(&sandbox, "HF_HUB_CACHE", &file, &["list", "--json"]).expect(0).json();
    assert_eq!(array(&document, "errors")[0]["code"], "root-not-directory");
}

#[test]
fn a_hub_of_somebody_else_is_a_row_with_a_lower_bound_and_never_0() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    give_away(&hub.root);
    let document = sandbox.dscc_bound(["list", "--json"]).expect(0).json();
    assert_eq!(Path::new(&only_root(&document)), hub.root);
    let row = &array(&document, "caches")[0];
    assert_eq!((&row["cache"], &row["lower_bound"]), (&"hub".into(), &true.into()));
    assert!(!array(&document, "errors").is_empty());
    let table = sandbox.dscc_bound(["list"]).expect(0);
    let line = table.stdout.lines().find(|line| line.starts_with("hub")).expect("a row");
    assert!(line.contains('\u{2265}') && !line.contains("0 B"), "{line}");
    assert!(table.stderr.contains("cannot be looked into"), "{}", table.stderr);
    for args in [["clean", "-y", "--all"], ["show", "--children", "-v"]] {
        let run = sandbox.dscc_bound(args).expect(0);
        assert!(run.text().contains(hub.root.to_str().unwrap()), "{}", run.text());
    }
}

#[test]
fn a_home_of_somebody_else_above_the_hub_is_a_row_too() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    give_away(&sandbox.home().join(".cache/huggingface"));
    let document = sandbox.dscc_bound(["list", "--json"]).expect(0).json();
    assert_eq!(array(&document, "caches")[0]["lower_bound"], true);
}

#[test]
fn without_a_home_the_program_says_what_to_set() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["list"]);
    for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env_remove(variable);
    }
    // An account without a home directory cannot be made up here; a relative one counts as none.
    let run = Run::of(command.env("HOME", "relative").output().unwrap());
    assert!(run.stdout.contains("Nothing found") || run.stderr.contains("home"), "{}", run.text());
    assert!(!sandbox.home().join("relative").exists());
}

#[test]
fn reading_leaves_no_trace_in_the_home() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let before = sandbox.all_but(Path::new(""));
    for args in [vec!["list"], vec!["show", "--children"], vec!["paths"], vec!["clean", "-n", "--all"]] {
        sandbox.dscc(&args).expect(0);
    }
    assert_eq!(sandbox.all_but(Path::new("")), before);
}

#[test]
fn a_hub_that_may_only_be_read_is_listed_whole() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    for folder in ["", "models--acme--a", "models--acme--a/blobs", "models--acme--a/refs"] {
        fs::set_permissions(hub.root.join(folder), fs::Permissions::from_mode(0o555)).unwrap();
    }
    let row = &array(&sandbox.dscc_bound(["list", "--json"]).expect(0).json(), "caches")[0];
    assert_eq!((&row["size"], &row["lower_bound"]), (&1040.into(), &false.into()));
}

#[test]
fn a_variable_that_spoils_many_roots_is_told_once_with_all_of_them() {
    let sandbox = Sandbox::new();
    let run = Run::of(sandbox.command(["list"]).env("HF_HOME", "relative").output().unwrap()).expect(0);
    assert_eq!(run.stderr.matches("warning:").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("datasets, assets, xet, modules, evaluate, metrics"), "{}", run.stderr);
    assert_eq!(run.stderr.matches("HF_HOME to an absolute path").count(), 1, "{}", run.stderr);
    let json = Run::of(sandbox.command(["list", "--json"]).env("HF_HOME", "relative").output().unwrap()).expect(0);
    assert!(array(&json.json(), "errors").len() > 6, "JSON has a row for each");
}
