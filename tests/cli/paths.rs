//! `dscc paths`, `--root` and `--version`: where things are, and whose word on it counts.

use std::collections::BTreeSet;

use dscc::plugins::built_in;
use serde_json::json;

use crate::hub::Hub;
use crate::list::keys;
use crate::sandbox::{Sandbox, array};

#[test]
fn paths_prints_all_four_folders_as_they_were_overridden() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["paths", "--json"]);
    let variables = ["DSCC_CONFIG", "DSCC_PLUGINS_DIR", "DSCC_STATE_DIR", "DSCC_CACHE_DIR"];
    for variable in variables {
        command.env(variable, sandbox.home().join(variable));
    }
    let document: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    let expected = ["schema_version", "config", "plugins", "state", "cache", "roots", "errors"];
    assert_eq!(keys(&document), BTreeSet::from(expected));
    for (key, variable) in ["config", "plugins", "state", "cache"].iter().zip(variables) {
        assert_eq!(document[key], sandbox.home().join(variable).to_str().unwrap());
    }
}

#[test]
fn without_overrides_the_folders_are_the_platforms() {
    let sandbox = Sandbox::new();
    let mut command = sandbox.command(["paths", "--json"]);
    for variable in ["DSCC_CONFIG", "DSCC_PLUGINS_DIR", "DSCC_STATE_DIR", "DSCC_CACHE_DIR"] {
        command.env_remove(variable);
    }
    for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env_remove(variable);
    }
    let document: serde_json::Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    for key in ["config", "plugins", "state", "cache"] {
        let path = document[key].as_str().unwrap();
        assert!(path.starts_with(sandbox.home().to_str().unwrap()) && path.contains("dscc"), "{key}: {path}");
    }
    let table = sandbox.dscc(["paths"]).expect(0).stdout;
    for variable in ["DSCC_CONFIG", "DSCC_PLUGINS_DIR", "DSCC_STATE_DIR", "DSCC_CACHE_DIR"] {
        assert!(table.contains(variable), "{table}");
    }
}

#[test]
fn paths_tells_for_each_rule_where_the_root_comes_from_and_what_came_of_it() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let mut rows = array(&sandbox.json(["paths"]), "roots");
    assert!(built_in().iter().all(|it| rows.iter().any(|row| row["plugin"] == it.facts.manifest.name)));
    rows.retain(|row| row["path"] == hub.root.to_str().unwrap());
    let expected = BTreeSet::from(["plugin", "rule", "path", "origin", "outcome", "message"]);
    assert!(rows.iter().all(|row| keys(row) == expected));
    assert_eq!((&rows[0]["plugin"], &rows[0]["rule"]), (&json!("hf-hub"), &json!("hub")));
    assert!(rows[0]["origin"].as_str().unwrap().starts_with("XDG_CACHE_HOME="), "{}", rows[0]["origin"]);
}

#[test]
fn a_named_root_replaces_what_the_rule_finds() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("here", 10);
    let other = Hub::at(sandbox.home().join("other"));
    other.model("there", 10);
    let document = sandbox.json(["show", "--root", &format!("hub={}", other.root.display())]);
    let entries = array(&document, "entries");
    assert_eq!(crate::sandbox::ids(&entries), ["model/acme/there"]);
    // As in a shell, a relative one is beneath the working folder.
    let document = sandbox.json(["show", "--root", "hub=other"]);
    assert_eq!(array(&document, "entries").len(), 1);
}

#[test]
fn the_same_root_named_twice_is_one_row() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    std::os::unix::fs::symlink(&hub.root, sandbox.home().join("link")).unwrap();
    let root = format!("--root=hub={}", hub.root.display());
    let list = sandbox.json(["list", &root, &root, "--root=hub=link"]);
    assert_eq!(array(&list, "caches").len(), 1);
    assert_eq!(list["size"].as_u64(), Some(crate::tree::size(&hub.root)));
}

#[test]
fn a_root_that_does_not_exist_and_a_rule_that_nobody_has_exit_5() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    for command in [vec!["list"], vec!["show"], vec!["clean", "--all", "-y"]] {
        let absent = [command.as_slice(), &["--root", "hub=/nonexistent/hub"]].concat();
        let run = sandbox.dscc(&absent).expect(5);
        assert!(run.stderr.contains("/nonexistent/hub"), "{}", run.stderr);
        let unknown = [command.as_slice(), &["--root", "hbu=/tmp"]].concat();
        let run = sandbox.dscc(&unknown).expect(5);
        assert!(run.stderr.contains("hbu") && run.stderr.contains("dscc paths"), "{}", run.stderr);
    }
    for malformed in ["hub", "hub=", "=x"] {
        sandbox.dscc(["list", "--root", malformed]).expect(2);
    }
    assert!(sandbox.hub().exists("models--acme--a"));
}

#[test]
fn the_version_says_release_commit_and_interface() {
    let sandbox = Sandbox::new();
    let version = sandbox.dscc(["--version"]).expect(0).stdout;
    let rest = version.strip_prefix(&format!("dscc {} (commit ", env!("CARGO_PKG_VERSION"))).expect(&version);
    let (commit, interface) = rest.split_once(", interface ").expect(rest);
    let is_commit = commit.len() == 12 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    assert!(is_commit || commit == "unknown", "{commit}");
    assert_eq!(interface, format!("{})\n", dscc::runtime::INTERFACE_VERSION));
}

#[test]
fn a_usage_error_exits_2_and_help_exits_0() {
    let sandbox = Sandbox::new();
    for args in [vec!["lisst"], vec!["list", "--no-such-option"], vec![], vec!["show", "--color"]] {
        sandbox.dscc(&args).expect(2);
    }
    for args in [["--help", "list"], ["clean", "--help"]] {
        assert!(sandbox.dscc(args).expect(0).stdout.contains("Usage"));
    }
}
