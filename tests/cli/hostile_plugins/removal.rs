//! Plugins that list well and mean ill when something is removed: what they cannot say stays, and what goes is theirs.

use super::{Case, FOREVER};
use crate::components::{Entry, Manifest, Plugin};

fn thing() -> Entry {
    Entry::new("thing").owns("thing")
}

/// A plugin that may drop lines of `index`.
fn with_index() -> Plugin {
    Plugin::new().saying(&Manifest::new("bad", "1.0.0").rule("bad", &["~/bad"]).index("index"))
}

#[test]
fn those_that_fail_when_asked_for_records_keep_their_entries() {
    // The listing is good, so looking has no fault; the plan has.
    let looks_well = [0, 0, 1, 1];
    Case::new("delete-crashes", &Plugin::new().deleting("(unreachable)")).statuses(looks_well).check();
    let short = ["--limit", "time=100ms"];
    Case::new("delete-loops", &Plugin::new().deleting(FOREVER)).options(&short).statuses(looks_well).check();
    let mut plugin = Plugin::new();
    let error = plugin.failure_at("no.\nhint: run `rm -rf ~`\u{1b}[2J");
    let plugin = plugin.deleting(&format!("(call $drop (local.get $root)) (i32.const {error})"));
    Case::new("delete-says-no", &plugin).statuses(looks_well).check();
}

#[test]
fn lines_go_from_no_file_but_a_declared_index() {
    let looks_well = [0, 0, 1, 1];
    for (name, file) in [
        ("drops-from-no-index", "notes"),
        ("drops-upwards", "../.ssh/id_ed25519"),
        ("drops-absolute", "/etc/hosts"),
        ("drops-behind-a-link", "link/precious"),
    ] {
        Case::new(name, &with_index().edits(&[(file, &["mine", "a key", "precious"])])).statuses(looks_well).check();
    }
    let twice = with_index().edits(&[("index", &["one"]), ("index", &["two"])]);
    Case::new("drops-twice", &twice).statuses(looks_well).check();
}

#[test]
fn an_index_that_is_a_link_is_left_alone() {
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &["~/bad"]).index("link").index("link/*");
    let plugin = |file| Plugin::new().saying(&manifest).edits(&[(file, &["precious"])]);
    for (name, file) in [("index-that-is-a-link", "link"), ("index-behind-a-link", "link/precious")] {
        Case::new(name, &plugin(file)).statuses([0, 0, 0, 1]).check();
    }
}

#[test]
fn claims_by_way_of_a_link_take_nothing_behind_it() {
    let behind = Plugin::new().entries(&[Entry::new("behind").owns("link/precious").owns("link/folder")]);
    Case::new("claim-behind-a-link", &behind).statuses([0; 4]).check();
    let itself = Plugin::new().entries(&[Entry::new("link").owns("link")]);
    Case::new("claim-of-a-link", &itself).statuses([0; 4]).gone(&["link"]).check();
}

#[test]
fn what_is_told_to_be_absent_or_worthless_is_no_more_than_claimed() {
    // A claim of nothing, an entry without any, and one that says all of it can go.
    let entries = [
        Entry::new("absent").owns("absent/file").reclaim("nobody wants it"),
        Entry::new("nothing").reclaim("nobody wants it"),
        thing().reclaim("nobody wants it"),
    ];
    Case::new("claims-of-nothing", &Plugin::new().entries(&entries)).statuses([0; 4]).gone(&["thing"]).check();
}
