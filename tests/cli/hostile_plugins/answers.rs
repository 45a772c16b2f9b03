//! Plugins that look well when they are installed, and hang, hog, crash or lie when they are asked about a cache.

use super::{Case, DEEP, FOREVER, GROW, RECURSE, World};
use crate::components::{Entry, Manifest, Plugin};

const SHORT: &[&str] = &["--limit", "time=100ms"];

fn thing() -> Entry {
    Entry::new("thing").owns("thing")
}

#[test]
fn those_that_hang_or_crash_where_caches_are_looked_for() {
    Case::new("discover-loops", &Plugin::new().discovering(FOREVER)).options(SHORT).check();
    Case::new("discover-crashes", &Plugin::new().discovering("(unreachable)")).check();
    let mut plugin = Plugin::new();
    let error = plugin.failure_at("no.\nerror: forged\nhint: run `rm -rf ~`\r\u{1b}[2J\u{202e}");
    let plugin = plugin.discovering(&format!("(call $drop (local.get $root)) (i32.const {error})"));
    Case::new("discover-says-no", &plugin).check();
}

#[test]
fn those_that_hang_hog_or_crash_where_entries_are_listed() {
    Case::new("list-loops", &Plugin::new().listing(FOREVER)).options(SHORT).check();
    Case::new("list-hogs-memory", &Plugin::new().listing(GROW)).check();
    let grow = "(drop (table.grow $table (ref.null func) (i32.const 100000000))) (unreachable)";
    Case::new("list-hogs-tables", &Plugin::new().with("(table $table 1 funcref)").listing(grow)).check();
    Case::new("list-recurses", &Plugin::new().with(DEEP).listing(RECURSE)).check();
    Case::new("list-crashes", &Plugin::new().listing("(unreachable)")).check();
    let exit = "(call $exit (i32.const 0)) (unreachable)";
    Case::new("list-exits", &Plugin::new().with_wasi().listing(exit)).check();
}

#[test]
fn answers_without_end() {
    let mut plugin = Plugin::new();
    let answer = plugin.error_at(0, 150_000_000);
    let body = format!("(drop (memory.grow (i32.const 2500))) (call $drop (local.get $root)) (i32.const {answer})");
    Case::new("text-of-150-megabytes", &plugin.listing(&body)).check();
    let mut plugin = Plugin::new();
    let answer = plugin.error_at(0, 1 << 30);
    let body = format!("(call $drop (local.get $root)) (i32.const {answer})");
    Case::new("text-of-a-gigabyte", &plugin.listing(&body)).check();
    // Zeroes read as entries without anything in them.
    let body = "(i32.store (i32.const 0x204) (i32.const 0x210000)) (i32.store (i32.const 0x208) (i32.const 10000000))
        (call $drop (local.get $root)) (i32.const 0x200)";
    Case::new("ten-million-entries", &Plugin::new().listing(body)).check();
    let entries: Vec<Entry> = (0..21).map(|n| Entry::new(format!("e{n}")).owns(&format!("p{n}"))).collect();
    let limit = ["--limit", "entries=20"];
    Case::new("more-entries-than-the-limit", &Plugin::new().entries(&entries)).options(&limit).check();
}

#[test]
fn a_failure_told_in_a_million_words_is_cut() {
    let mut plugin = Plugin::new();
    let text = plugin.bytes_at("no\u{1b}[31m! ".repeat(20_000).as_bytes());
    let answer = plugin.error_at(text, 180_000);
    let plugin = plugin.listing(&format!("(call $drop (local.get $root)) (i32.const {answer})"));
    let world = World::new();
    world.add(&plugin.build(), &[]).expect(0);
    for command in [&["list"][..], &["show"], &["clean", "--all", "-n"], &["list", "--json"]] {
        let run = world.dscc(command).expect(1);
        super::assert_plain(&run.text());
        let cut = run.text().contains("... (180028 bytes)");
        assert!(cut && run.text().len() < 20_000, "{} bytes", run.text().len());
    }
}

#[test]
fn paths_that_lead_out_of_the_root_or_the_cache() {
    for (name, path) in [
        ("path-absolute", "/etc/passwd"),
        ("path-upwards", "../.ssh/id_ed25519"),
        ("path-upwards-inside", "thing/../../.ssh"),
        ("path-with-nul", "thing\0/../../.ssh"),
        ("path-with-escapes", "thing\\x2e\\x2e/\u{1b}[2J"),
        ("path-of-the-root", ""),
    ] {
        Case::new(name, &Plugin::new().entries(&[Entry::new("thing").owns(path)])).check();
    }
    let plugin = Plugin::new().caches(&[("bad", "thing")]).entries(&[Entry::new("other").owns("other")]);
    Case::new("path-of-another-cache", &plugin).check();
    Case::new("cache-upwards", &Plugin::new().caches(&[("bad", "../.ssh")])).check();
    Case::new("lock-upwards", &Plugin::new().entries(&[thing().lock("../.ssh/id_ed25519")])).check();
}

#[test]
fn entries_that_contradict_each_other() {
    let twice = [thing(), Entry::new("thing").owns("other")];
    Case::new("ids-twice", &Plugin::new().entries(&twice)).check();
    let both = [thing(), Entry::new("other").owns("thing")];
    Case::new("path-of-two-owners", &Plugin::new().entries(&both)).check();
    let both = [thing(), Entry::new("other").shares("thing")];
    Case::new("path-owned-and-shared", &Plugin::new().entries(&both)).check();
    Case::new("caches-twice", &Plugin::new().caches(&[("bad", ""), ("bad", "thing")])).check();
}

#[test]
fn parents_that_are_their_own_children() {
    let parent = || thing().with_children();
    let below = [0, 1, 1, 1]; // An outline does not go below.
    let itself = Plugin::new().levels(&[parent()], &[parent()]);
    Case::new("child-that-is-its-parent", &itself).statuses(below).check();
    // Each names the other as its child.
    let ring = Plugin::new().levels(&[parent()], &[Entry::new("thing/x").owns("thing/file").with_children()]);
    Case::new("children-without-end", &ring).statuses(below).check();
    let stranger = Plugin::new().levels(&[parent()], &[Entry::new("other").owns("thing/file")]);
    Case::new("child-of-another-name", &stranger).statuses(below).check();
}

#[test]
fn a_flood_of_log_lines_costs_nothing() {
    let mut plugin = Plugin::new();
    let text = plugin.bytes_at("\u{1b}]0;title\u{7}\u{202e} flood ".repeat(40).as_bytes());
    let plugin = plugin.prepending(&format!(
        "(local $left i32) (local.set $left (i32.const 20000))
        (loop $more
          (call $log (i32.const 1) (i32.const {text}) (i32.const 800))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $more (local.get $left)))"
    ));
    let world = World::new();
    world.add(&plugin.build(), &[]).expect(0);
    let run = world.dscc(&["list", "-v"]).expect(0);
    super::assert_plain(&run.text());
    assert!(run.stderr.contains("bad info: ") && run.stderr.len() < 400_000, "{} bytes", run.stderr.len());
    Case::new("log-flood", &plugin).statuses([0; 4]).gone(&["thing"]).check();
}

#[test]
fn files_outside_cannot_be_read_by_any_path() {
    let paths = ["/etc/passwd", "../../outside/precious", "../.ssh/id_ed25519", "link/precious", "link", "thing/file"];
    // Bad paths, things of the wrong kind, and the one file that is there.
    Case::new("reads-outside", &Plugin::new().reading(&paths)).check();
}

#[test]
fn folders_outside_cannot_be_walked_by_any_path() {
    let mut plugin = Plugin::new();
    let paths = ["/etc", "../.ssh", "link", "thing/../../.ssh", "thing"]
        .map(|path| (plugin.bytes_at(path.as_bytes()), path.len()));
    let text = plugin.bytes_at(&[b'-'; 5]);
    let answer = plugin.error_at(text, 5);
    let walk = |(at, (path, length)): (u32, &(u32, usize))| {
        format!(
            "(call $walk (local.get $root) (i32.const {path}) (i32.const {length}) (i32.const 0) (i32.const 0)
              (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x100))
            (i32.store8 (i32.const {}) (i32.add (i32.const 48) (select
              (i32.add (i32.const 1) (i32.load8_u (i32.const 0x104))) (i32.const 0) (i32.load8_u (i32.const 0x100)))))",
            text + at
        )
    };
    let body: String = (0..).zip(&paths).map(walk).collect();
    let body = format!("{body} (call $drop (local.get $root)) (i32.const {answer})");
    // Bad paths, a thing of the wrong kind, and the one folder that is there.
    Case::new("walks-outside", &plugin.listing(&body)).check();
}

#[test]
fn a_manifest_that_would_be_another_one_each_time_is_the_one_that_was_approved() {
    // By the clock or by chance, it asks for keys; both stand still. And only adding asks at all.
    let mut plugin = Plugin::new().with_wasi();
    let modest = plugin.manifest_at(&Manifest::new("bad", "1.0.0").rule("bad", &["~/bad"]));
    let greedy = plugin.manifest_at(&Manifest::new("bad", "1.0.0").rule("bad", &["~/.ssh"]).rule("more", &["~"]));
    let said = plugin.bytes_at(b"described");
    let plugin = plugin.describing(&format!(
        "(call $log (i32.const 1) (i32.const {said}) (i32.const 9))
        (call $now (i32.const 0x100))
        (select (i32.const {greedy}) (i32.const {modest})
          (i32.or (i32.wrap_i64 (call $get-random)) (i32.wrap_i64 (i64.load (i32.const 0x100)))))"
    ));
    let world = World::new();
    world.add(&plugin.build(), &[]).expect(0);
    let lock_file = world.sandbox.home().join(".local/share/dscc/plugins/plugins-lock.json");
    let before = std::fs::read_to_string(&lock_file).unwrap();
    for _ in 0..3 {
        let run = world.dscc(&["list", "-vv"]).expect(0);
        assert!(!run.stderr.contains("described"), "{}", run.stderr);
        let info = world.dscc(&["plugin", "info", "bad"]).expect(0);
        assert!(info.stdout.contains("~/bad") && !info.stdout.contains(".ssh"), "{}", info.stdout);
        let again = world.dscc(&["plugin", "update", "bad", "../plugin.wasm", "-y"]).expect(0);
        assert!(again.stderr.contains("nothing to do"), "{}", again.text());
    }
    assert_eq!(std::fs::read_to_string(&lock_file).unwrap(), before);
}

#[test]
fn a_plugin_that_calls_the_host_while_the_host_is_giving_it_something() {
    let log = "(call $log (i32.const 1) (i32.const 0) (i32.const 0))";
    Case::new("calls-back", &Plugin::new().allocating(log)).check();
}

#[test]
fn times_that_are_none() {
    Case::new("time-that-is-none", &Plugin::new().entries(&[thing().created("yesterday\u{1b}[2J")])).check();
}
