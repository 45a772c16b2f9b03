//! Components that answer in good form and lie: each answer that breaks a rule is refused whole, the rule is named, and
//! nobody else pays.

use dscc::runtime::{Limits, Runtime};

use crate::components::{Entry, Plugin};
use crate::hostile_components::{ask, fails_by};
use crate::sandbox::code_dir;

#[track_caller]
fn refused(plugin: &Plugin, words: &str) {
    fails_by(&plugin.build(), Limits::default(), "plugin-answer", words);
}

fn thing() -> Entry {
    Entry::new("thing")
}

#[test]
fn claims_outside_of_the_root_are_refused() {
    for path in ["/etc", "..", "../outside", "a/../..", "a/./b", "a//b", "a/", "a\0b", "\\x2e\\x2e", "\\q"] {
        refused(&Plugin::new().entries(&[thing().owns(path)]), "a path that `thing` owns");
        refused(&Plugin::new().entries(&[thing().shares(path)]), "a path that `thing` shares");
        refused(&Plugin::new().entries(&[thing().owns("thing").lock(path)]), "a lock");
    }
    refused(&Plugin::new().entries(&[thing().owns("thing").needs("../x")]), "a need");
}

#[test]
fn the_root_itself_cannot_be_claimed() {
    refused(&Plugin::new().entries(&[thing().owns("")]), "not beneath the cache's own path");
    refused(&Plugin::new().entries(&[thing().shares("")]), "not beneath the cache's own path");
}

#[test]
fn claims_outside_of_the_cache_are_refused() {
    let plugin = |path: &str| Plugin::new().caches(&[("bad", "sub")]).entries(&[thing().owns(path)]);
    for path in ["other", "sub", "subway/x", "thing"] {
        refused(&plugin(path), "not beneath the cache's own path");
    }
    assert_eq!(ask(&plugin("sub/thing").build(), Limits::default()).rows, ["thing"]);
}

#[test]
fn a_cache_outside_of_the_root_is_refused() {
    for path in ["..", "/", "a/.."] {
        refused(&Plugin::new().caches(&[("bad", path)]), "a cache's path");
    }
    refused(&Plugin::new().caches(&[("bad", "a"), ("bad", "b")]), "appears twice");
    for id in ["", "Bad", "-c", "a b", "a:b", "\u{202e}", &"a".repeat(65)] {
        refused(&Plugin::new().caches(&[(id, "")]), "a cache's id");
    }
}

#[test]
fn two_entries_of_one_id_are_refused() {
    refused(&Plugin::new().entries(&[thing().owns("a"), thing().owns("b")]), "entry `thing` appears twice");
}

#[test]
fn a_path_with_two_owners_is_refused() {
    refused(
        &Plugin::new().entries(&[thing().owns("a"), Entry::new("other").owns("a")]),
        "owned path `a` appears twice",
    );
    refused(&Plugin::new().entries(&[thing().owns("a").owns("a")]), "appears twice");
    refused(
        &Plugin::new().entries(&[thing().owns("a"), Entry::new("other").shares("a")]),
        "owned by one entry and shared",
    );
}

#[test]
fn ids_that_nobody_could_name_are_refused() {
    for id in ["", &"x".repeat(5000)] {
        refused(&Plugin::new().entries(&[Entry::new(id).owns("a")]), "id");
    }
}

#[test]
fn a_text_that_is_no_utf_8_is_refused() {
    for id in [&b"\xff"[..], b"a\xc3", b"\xed\xa0\x80", b"\xc0\x80"] {
        let component = Plugin::new().entries(&[Entry::new(id).owns("a")]).build();
        fails_by(&component, Limits::default(), "plugin-crash", "utf-8");
    }
}

#[test]
fn reserved_and_endless_attributes_are_refused() {
    refused(&Plugin::new().entries(&[thing().owns("a").attribute("dscc.kept", "1")]), "reserved");
    refused(&Plugin::new().entries(&[thing().owns("a").attribute(&"k".repeat(300), "1")]), "longer than");
    refused(&Plugin::new().entries(&[thing().owns("a").attribute("k", &"v".repeat(20_000))]), "longer than");
}

#[test]
fn a_time_that_is_none_is_refused_with_its_name() {
    for time in ["", "yesterday", "2024-13-01", "999999999999999999", "+010000-01-01T00:00:00Z"] {
        refused(&Plugin::new().entries(&[thing().owns("a").created(time)]), "the time `created` of `thing` is");
    }
    let endless = "1".repeat(101);
    refused(&Plugin::new().entries(&[thing().owns("a").created(&endless)]), "`created` of `thing` has 101 bytes");
    let good = Plugin::new().entries(&[thing().owns("a").created("2024-03-01T12:00:00Z")]);
    assert_eq!(ask(&good.build(), Limits::default()).rows, ["thing"]);
}

#[test]
fn more_references_of_an_entry_than_the_limit_are_refused() {
    let limits = Limits { references: 2, ..Limits::default() };
    let three = |add: fn(Entry, &str) -> Entry| ["a", "b", "c"].into_iter().fold(thing(), add);
    for (entry, words) in [
        (three(Entry::owns), "3 owned paths of `thing`; the limit is 2"),
        (three(Entry::shares), "3 shared paths of `thing`"),
        (three(Entry::needs), "3 needs of `thing`"),
        (three(Entry::lock), "3 locks of `thing`"),
    ] {
        fails_by(&Plugin::new().entries(&[entry]).build(), limits, "plugin-answer", words);
    }
}

#[test]
fn more_entries_than_the_limit_are_refused() {
    let entries: Vec<Entry> = (0..21).map(|n| Entry::new(format!("e{n}")).owns(&format!("p{n}"))).collect();
    let limits = Limits { entries: 20, ..Limits::default() };
    fails_by(&Plugin::new().entries(&entries).build(), limits, "plugin-answer", "21 entries in one level");
}

#[test]
fn a_child_whose_id_does_not_start_with_its_parents_is_refused_and_costs_its_level() {
    for id in ["other", "thin", "thing"] {
        let plugin =
            Plugin::new().levels(&[thing().owns("thing").with_children()], &[Entry::new(id).owns("thing/file")]);
        let outcome = ask(&plugin.build(), Limits::default());
        let told: Vec<_> = outcome.problems.iter().map(|it| (it.code.as_str(), it.id.as_deref())).collect();
        assert_eq!(told, [("plugin-answer", Some("thing"))], "{:?}", outcome.problems);
        assert!(outcome.problems[0].message.contains("does not start with its parent's"), "{:?}", outcome.problems);
        assert_eq!(outcome.rows, ["thing"]);
    }
}

#[test]
fn children_without_end_are_stopped() {
    // Each entry has the same one child again, with a longer name: as many levels as anybody asks for.
    let child = Entry::new("thing/x").owns("thing/file").with_children();
    let plugin = Plugin::new().levels(&[thing().owns("thing").with_children()], &[child]);
    let outcome = ask(&plugin.build(), Limits::default());
    assert_eq!(outcome.rows, ["thing", "thing/x"]);
    assert!(outcome.problems.iter().all(|problem| problem.code == "plugin-answer"), "{:?}", outcome.problems);
    assert!(!outcome.problems.is_empty());
}

#[test]
fn a_manifest_that_breaks_a_rule_is_refused() {
    for name in ["", "all", "Bad", "a b", "../x", "-n", "\u{1b}[2J"] {
        refused(&Plugin::new().manifest(name, "1.0.0", "bad", "~/bad"), "name");
    }
    for version in ["", "1", "1.0.0.0", "x"] {
        refused(&Plugin::new().manifest("bad", version, "bad", "~/bad"), "version");
    }
    refused(&Plugin::new().manifest("bad", "1.0.0", "a=b", "~/bad"), "a root rule's id");
    for location in ["~/../x", "relative/x", "${A", "~/*/*", ""] {
        refused(&Plugin::new().manifest("bad", "1.0.0", "bad", location), "location");
    }
    refused(&Plugin::new().manifest("bad", "1.0.0", "bad", "~/*"), "no marks");
}

#[test]
fn a_rule_that_asks_for_a_home_or_the_system_gets_no_root() {
    for location in ["/", "~", "/etc", "~/.ssh", "/usr", "{temp}/../.."] {
        let outcome = ask(&Plugin::new().manifest("bad", "1.0.0", "bad", location).build(), Limits::default());
        assert_eq!(outcome.rows, Vec::<String>::new(), "{location}");
        assert!(outcome.problems.len() <= 1, "{:?}", outcome.problems);
    }
}

#[test]
fn bytes_changed_at_random_never_crash_the_host() {
    let whole = Plugin::new().build();
    let limits = Limits { guest_time: std::time::Duration::from_millis(50), ..Limits::default() };
    let folder = tempfile::tempdir().unwrap();
    let runtime = Runtime::new(folder.path(), limits).unwrap();
    code_dir(); // compiled by now, so that this does not compete with it
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..150 {
        let mut bytes = whole.clone();
        for _ in 0..2 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = usize::try_from(random >> 16).unwrap() % bytes.len();
            bytes[at] ^= 1 << (random & 7);
        }
        // Whether it is taken or refused: with a named kind, and no panic.
        if let Err(error) = runtime.load("bad", &bytes, limits).and_then(|plugin| plugin.describe()) {
            assert!(error.code().starts_with("plugin-"), "{error}");
        }
    }
}
