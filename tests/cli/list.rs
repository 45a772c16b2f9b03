//! `dscc list`: where the disk went, for people, for programs and for pipes.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::hub::etag;
use crate::privileges::skipped;
use crate::sandbox::{Sandbox, array};
use crate::tree;

pub fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap_or_else(|| panic!("no object: {value:#}")).keys().map(String::as_str).collect()
}

#[test]
fn an_empty_home_gets_a_sentence_with_the_places_and_the_way_out_and_status_0() {
    let sandbox = Sandbox::new();
    for command in ["list", "show"] {
        let run = sandbox.dscc([command]).expect(0);
        let place = sandbox.home().join(".cache/huggingface/hub");
        assert!(run.stdout.contains("Nothing found"), "{}", run.stdout);
        assert!(run.stdout.contains(place.to_str().unwrap()), "{}", run.stdout);
        assert!(run.stdout.contains("--root"), "{}", run.stdout);
        assert_eq!(run.stderr, "");
    }
}

#[test]
fn an_empty_home_is_an_empty_document_with_every_key() {
    let sandbox = Sandbox::new();
    let list = sandbox.json(["list"]);
    assert_eq!(list, serde_json::json!({"schema_version": 1, "size": 0, "caches": [], "held": [], "errors": []}));
    let show = sandbox.json(["show"]);
    assert_eq!(show, serde_json::json!({"schema_version": 1, "entries": [], "errors": []}));
    let mut clean = sandbox.json(["clean", "--all", "-n"]);
    assert!(clean.as_object_mut().unwrap().remove("plan").is_some(), "what `dscc apply` takes");
    let none: [Value; 0] = [];
    let expected = serde_json::json!({"schema_version": 1, "dry_run": true, "expected": 0, "freed": 0, "freed_disk": 0,
        "freed_disk_at_least": 0, "remove": none, "keep": none, "failed": none, "errors": none});
    assert_eq!(clean, expected);
}

#[test]
fn a_row_has_exactly_the_published_keys() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.repo("models--acme--b").raw_ref("main", b"x").revision('b', &[]).link('b', "f", "/nowhere");
    let list = sandbox.json(["list"]);
    assert_eq!(keys(&list), BTreeSet::from(["schema_version", "size", "caches", "held", "errors"]));
    let expected = BTreeSet::from([
        "cache",
        "plugin",
        "title",
        "root",
        "entries",
        "size",
        "disk_size",
        "files",
        "reclaimable",
        "unclaimed",
        "last_used",
        "lower_bound",
        "warnings",
    ]);
    let rows = array(&list, "caches");
    assert_eq!(keys(&rows[0]), expected);
    assert_eq!((&rows[0]["cache"], &rows[0]["plugin"]), (&"hub".into(), &"hf-hub".into()));
    assert_eq!(rows[0]["root"], hub.root.to_str().unwrap());
    assert_eq!(rows[0]["lower_bound"], false);
}

#[test]
fn the_size_is_every_byte_of_the_root_with_what_nobody_claims() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000).revision('b', &[("weights", 'a', 1000), ("config", 'c', 30)]);
    hub.model("b", 5);
    std::fs::write(hub.root.join("version.txt"), "1234567").unwrap();
    let list = sandbox.json(["list"]);
    let row = &array(&list, "caches")[0];
    assert_eq!(row["entries"], 2);
    assert_eq!(row["size"].as_u64(), Some(tree::size(&hub.root)));
    assert_eq!(list["size"], row["size"]);
    assert_eq!(row["unclaimed"], 7);
    // Two weights, one config, two refs, two lock files, one stray file.
    assert_eq!(row["files"], 8);
    let run = sandbox.dscc(["list"]).expect(0);
    assert!(run.stderr.contains("7 B belong to no entry and are never removed"), "{}", run.stderr);
}

#[test]
fn several_roots_are_rows_and_the_total_is_their_sum() {
    let sandbox = Sandbox::new();
    let one = crate::hub::Hub::at(sandbox.home().join("one"));
    let two = crate::hub::Hub::at(sandbox.home().join("two"));
    one.model("a", 100);
    two.model("b", 23);
    let roots = [format!("--root=hub={}", one.root.display()), format!("--root=hub={}", two.root.display())];
    let list = sandbox.json([["list"].as_slice(), &[&roots[0], &roots[1]]].concat());
    let sizes: Vec<u64> = array(&list, "caches").iter().map(|row| row["size"].as_u64().unwrap()).collect();
    assert_eq!(sizes, [140, 63]);
    assert_eq!(list["size"], 203);
    let run = sandbox.dscc(["list", &roots[0], &roots[1]]).expect(0);
    let total = run.stdout.lines().last().unwrap();
    assert!(total.starts_with("TOTAL") && total.contains("203 B"), "{}", run.stdout);
}

#[test]
fn reclaimable_is_null_until_it_is_asked_for_and_then_what_the_library_would_not_miss() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    // A revision without a ref: its own blob goes, the shared one stays.
    repo.revision('b', &[("weights", 'a', 1000), ("new", 'b', 200)]);
    repo.blob(&etag('c'), 50).blob(&format!("{}.0a1b2c3d.incomplete", etag('d')), 4);
    assert_eq!(array(&sandbox.json(["list"]), "caches")[0]["reclaimable"], Value::Null);
    assert_eq!(array(&sandbox.json(["list", "--reclaimable"]), "caches")[0]["reclaimable"], 254);
    let table = sandbox.dscc(["list", "--reclaimable"]).expect(0).stdout;
    assert!(table.contains("RECLAIMABLE") && table.contains("254 B"), "{table}");
    assert!(!sandbox.dscc(["list"]).expect(0).stdout.contains("RECLAIMABLE"));
}

#[test]
fn ls_is_list() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    assert_eq!(sandbox.dscc(["ls"]).expect(0).stdout, sandbox.dscc(["list"]).expect(0).stdout);
}

#[test]
fn quiet_is_the_names_alone_and_no_remark() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    std::fs::write(hub.root.join("stray"), "x").unwrap();
    let run = sandbox.dscc(["list", "-q"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("hub\n", ""));
    sandbox.dscc(["list", "-q", "--json"]).expect(2);
}

#[test]
fn a_pipe_gets_no_colour_unless_it_is_asked_for() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.repo("models--acme--b").blob(&etag('a'), 3);
    let escape = '\u{1b}';
    for args in [["list", "--color=auto"], ["show", "--children"], ["list", "--color=never"], ["paths", "--color=auto"]]
    {
        assert!(!sandbox.dscc(args).expect(0).text().contains(escape), "{args:?}");
    }
    assert!(sandbox.dscc(["list", "--color", "always"]).expect(0).stdout.contains(escape));
    assert!(!sandbox.dscc(["list", "--color", "always", "--json"]).expect(0).stdout.contains(escape));
    let forced = |refused: bool| {
        let mut command = sandbox.command(["list"]);
        command.env("CLICOLOR_FORCE", "1");
        if refused {
            command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
        }
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(forced(false).contains(escape) && !forced(true).contains(escape));
    sandbox.dscc(["list", "--color", "sometimes"]).expect(2);
}

#[test]
fn a_reader_that_leaves_early_ends_the_program_quietly() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for index in 0..400 {
        // Long names: much more than a pipe holds.
        hub.repo(&format!("models--acme--{}{index}", "long".repeat(40))).revision('a', &[]);
    }
    for args in [["show", "--json"], ["show", "--children"]] {
        let mut child = sandbox.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(16, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!line.is_empty());
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_fails() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full");
    let Ok(full) = full else {
        skipped("a_full_disk_is_told_and_fails", "this system has no /dev/full");
        return;
    };
    let sandbox = Sandbox::new();
    let output = sandbox.command(["list"]).stdout(full).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("standard output"));
}
