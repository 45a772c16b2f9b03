//! What a plan of whole caches leaves out, and how it says so; and when something was last used, on whose word.

use std::fs;

use serde_json::{Value, json};

use crate::components::{Entry, Plugin};
use crate::sandbox::{Sandbox, array, ids};
use crate::world::write;

/// The cache `bad` in a home, with these entries.
fn with(entries: &[Entry], below: &[Entry]) -> Sandbox {
    let sandbox = Sandbox::new();
    fs::write(sandbox.path("plugin.wasm"), Plugin::new().levels(entries, below).build()).unwrap();
    sandbox.dscc(["plugin", "add", "-y", "../plugin.wasm"]).expect(0);
    sandbox
}

/// Something to download, something uncertain of 20 bytes, something irreplaceable of 300, and a dataset of which a part
/// of 4000 bytes is irreplaceable.
fn treasury() -> Sandbox {
    let top = [
        Entry::new("plain").owns("plain"),
        Entry::new("rare").owns("rare").uncertain(),
        Entry::new("mine").owns("mine").irreplaceable(),
        Entry::new("set").owns("set").with_children(),
    ];
    let below = [Entry::new("set@own").owns("set/own").irreplaceable(), Entry::new("set@rest").owns("set/rest")];
    let sandbox = with(&top, &below);
    for (file, size) in [("plain", 1), ("rare", 20), ("mine", 300), ("set/own/f", 4000), ("set/rest/f", 50_000)] {
        write(&sandbox.home().join("bad").join(file), size);
    }
    sandbox
}

fn kept(document: &Value) -> Vec<(String, u64)> {
    let row = |row: &Value| (row["id"].as_str().unwrap().to_owned(), row["size"].as_u64().unwrap());
    let mut rows: Vec<_> = array(document, "keep").iter().map(row).collect();
    rows.sort();
    rows
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected.iter().map(|(id, size)| ((*id).to_owned(), *size)).collect()
}

#[test]
fn whole_caches_go_without_what_may_not_come_back_and_its_size_is_told() {
    for selection in [["-c", "bad"].as_slice(), &["--all"], &["--all", "--force", "irreplaceable"]] {
        let sandbox = treasury();
        let dry = sandbox.json([["clean", "-n"].as_slice(), selection].concat());
        let done = sandbox.json([["clean", "-y"].as_slice(), selection].concat());
        for document in [&dry, &done] {
            assert_eq!(kept(document), pairs(&[("mine", 300), ("rare", 20), ("set", 4000), ("set@own", 4000)]));
            assert_eq!(document["expected"], 50_001, "{document:#}");
        }
        assert_eq!(done["freed"], 50_001);
        let left = ["mine", "rare", "set/own/f"].map(|file| sandbox.home().join("bad").join(file).exists());
        assert_eq!(left, [true; 3]);
    }
}

#[test]
fn a_person_reads_the_sizes_of_what_is_left_out_and_how_it_would_go() {
    let sandbox = treasury();
    for mode in ["-n", "-y"] {
        let text = sandbox.dscc(["clean", mode, "--all"]).expect(0).stdout;
        let lines = [
            "Stay: 2 entries (4.3 kB): it cannot be had back: name it and add `--force irreplaceable` if it shall go\n",
            "\n  set@own (4.0 kB)\n  mine (300 B)\n",
            "Stays: rare (20 B): it can perhaps not be had back: name it if it shall go\n",
        ];
        for line in lines {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("in it stays"), "{text}");
    }
}

#[test]
fn when_all_of_a_cache_is_left_out_that_is_a_refusal_with_the_sizes() {
    let sandbox = with(&[Entry::new("rare").owns("rare").uncertain()], &[]);
    write(&sandbox.home().join("bad/rare"), 20);
    let text = sandbox.dscc(["clean", "-y", "-c", "bad"]).expect(3).stdout;
    assert!(text.contains("Nothing to remove") && text.contains("Stays: rare (20 B)"), "{text}");
}

#[test]
fn what_is_uncertain_goes_when_it_is_named_and_that_is_said() {
    let sandbox = treasury();
    let run = sandbox.dscc(["clean", "-y", "rare"]).expect(0);
    assert!(!sandbox.home().join("bad/rare").exists());
    assert!(sandbox.dscc(["clean", "-n", "mine"]).expect(3).stdout.contains("Stays: mine (300 B)"), "{}", run.stdout);
    let sandbox = treasury();
    let dry = sandbox.dscc(["clean", "-n", "rare"]).expect(0).stdout;
    assert!(dry.contains("Can perhaps not be had back: rare (20 B)"), "{dry}");
}

#[test]
fn what_is_irreplaceable_in_something_that_goes_is_said_too() {
    let sandbox = treasury();
    let dry = sandbox.dscc(["clean", "-n", "set", "--force", "irreplaceable"]).expect(0).stdout;
    assert!(dry.contains("CANNOT BE HAD BACK: set@own (4.0 kB)"), "{dry}");
    let refused = sandbox.dscc(["clean", "-n", "set"]).expect(1).stdout;
    assert!(refused.contains("Stays: set (4.0 kB): `set@own` in it stays"), "{refused}");
}

#[test]
fn many_entries_of_one_reason_are_one_reason_with_their_sum() {
    let names: Vec<String> = (0..40).map(|at| format!("own{at:02}")).collect();
    let entries: Vec<Entry> = names.iter().map(|name| Entry::new(name).owns(name).irreplaceable()).collect();
    let sandbox = with(&entries, &[]);
    names.iter().for_each(|name| write(&sandbox.home().join("bad").join(name), 10));
    let text = sandbox.dscc(["clean", "-n", "--all"]).expect(3).stdout;
    assert_eq!(text.lines().count(), 13, "{text}");
    assert!(text.contains("Stay: 40 entries (400 B)") && text.contains("  and 30 more (300 B)"), "{text}");
    assert_eq!(array(&sandbox.dscc(["clean", "-n", "--all", "--json"]).expect(3).json(), "keep").len(), 40);
}

#[test]
fn the_librarys_record_of_the_last_use_counts_and_else_the_last_access() {
    let recorded = Entry::new("recorded").owns("recorded").last_used("2024-03-01T12:00:00Z");
    let sandbox = with(&[recorded, Entry::new("read").owns("read"), Entry::new("empty").owns("empty")], &[]);
    fs::create_dir_all(sandbox.home().join("bad/empty")).unwrap();
    let month_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(40 * 24 * 3600);
    for name in ["recorded", "read"] {
        let file = sandbox.home().join("bad").join(name);
        fs::write(&file, "x").unwrap();
        let times = fs::FileTimes::new().set_accessed(month_ago);
        fs::File::options().write(true).open(&file).unwrap().set_times(times).unwrap();
    }
    let entries = array(&sandbox.json(["show"]), "entries");
    assert_eq!(ids(&entries), ["recorded", "read", "empty"]);
    let time = |at: usize| entries[at]["last_used"].clone();
    assert_eq!((time(0), time(2)), (json!("2024-03-01T12:00:00Z"), Value::Null));
    let table = sandbox.dscc(["show"]).expect(0).stdout;
    let cell = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(cell("recorded").contains(" years ago") && !cell("recorded").contains("read "), "{table}");
    assert!(time(1).is_null() || cell("read").contains("read 5 weeks ago"), "{table}");
    assert!(cell("empty").ends_with("  -                 label"), "{table}");
    let details = sandbox.dscc(["show", "recorded"]).expect(0).stdout;
    assert!(details.contains("2024-03-01T12:00:00Z (the library's own record)"), "{details}");
    let listed = sandbox.dscc(["list"]).expect(0).stdout;
    assert!(listed.contains(" years ago") && !listed.contains("read "), "{listed}");
}
