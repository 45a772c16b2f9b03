//! What `dscc plugin add` does not install, each told by its reason and with its exit status; nothing is left of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::components::{Plugin, parse};
use crate::plugins::{digest_of, lib};
use crate::sandbox::Sandbox;

#[track_caller]
fn refused(sandbox: &Sandbox, path: &str, status: i32, words: &[&str]) {
    for command in ["add", "info"] {
        let args: &[&str] = if command == "add" { &["add", "-y", path] } else { &["info", path] };
        let run = sandbox.dscc_bound(["plugin"].iter().chain(args)).expect(status);
        for word in words {
            assert!(run.stderr.contains(word), "{command} {path}: no `{word}` in {}", run.stderr);
        }
    }
    assert!(sandbox.plugins_tree().is_empty(), "{path} left something");
}

#[test]
fn what_is_no_readable_file_is_told_by_its_status() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    fs::set_permissions(sandbox.path("lib.wasm"), fs::Permissions::from_mode(0o000)).unwrap();
    refused(&sandbox, "../nothing.wasm", 5, &["nothing.wasm"]);
    refused(&sandbox, "../outside", 2, &["is a folder", "dscc plugin build"]);
    refused(&sandbox, "../lib.wasm", 1, &["cannot be read", "make the file readable"]);
}

#[test]
fn what_is_no_component_is_told_before_anything_compiles() {
    let sandbox = Sandbox::new();
    let whole = lib("lib", "1.0.0").build();
    for (bytes, word) in [
        (Vec::new(), "not a WebAssembly component"),
        (b"(component)".to_vec(), "not a WebAssembly component"),
        (b"\x7fELF\x02\x01\x01".to_vec(), "not a WebAssembly component"),
        (parse("(module)"), "core WebAssembly module"),
        (whole[..whole.len() / 2].to_vec(), "not a WebAssembly component"),
        (parse("(component)"), "does not export"),
        (newer(&Plugin::new().text()), "upgrade dscc"),
    ] {
        fs::write(sandbox.path("file.wasm"), bytes).unwrap();
        refused(&sandbox, "../file.wasm", 1, &[word]);
    }
}

fn newer(text: &str) -> Vec<u8> {
    parse(&text.replace("dscc:plugin/cache-plugin@0.1.0", "dscc:plugin/cache-plugin@0.2.0"))
}

#[test]
fn a_component_larger_than_any_is_not_read_to_its_end() {
    let sandbox = Sandbox::new();
    // Sparse: it takes no room.
    fs::File::create(sandbox.path("large.wasm")).unwrap().set_len(1 << 40).unwrap();
    let run = sandbox.plugin(["add", "-y", "../large.wasm"]).expect(1);
    assert!(run.stderr.contains("the limit is 134217728"), "{}", run.stderr);
}

#[test]
fn all_forbidden_imports_are_named() {
    let sandbox = Sandbox::new();
    let imports = ["wasi:http/outgoing-handler@0.2.0", "wasi:filesystem/types@0.3.0", "evil:thing/do"];
    let plugin = imports
        .iter()
        .fold(lib("lib", "1.0.0"), |plugin, import| plugin.importing(&format!("(import \"{import}\" (instance))")));
    sandbox.component("lib.wasm", &plugin);
    refused(&sandbox, "../lib.wasm", 1, &imports);
}

#[test]
fn a_manifest_that_breaks_a_rule_is_refused_with_the_rule() {
    let sandbox = Sandbox::new();
    let of =
        |name: &str, version: &str, rule: &str, location: &str| Plugin::new().manifest(name, version, rule, location);
    for (plugin, word) in [
        (of("Lib", "1.0.0", "lib", "~/lib"), "lower-case letter"),
        (of("all", "1.0.0", "lib", "~/lib"), "reserved"),
        (of("lib", "1.0.0", "dscc", "~/lib"), "reserved"),
        (of("lib", "1", "lib", "~/lib"), "1.2.3"),
        (of("lib", "1.0.0", "-lib", "~/lib"), "lower-case letter"),
        (of("lib", "1.0.0", "lib", "~/../lib"), "the location `~/../lib`"),
        (of("lib", "1.0.0", "lib", "~/*"), "no marks"),
        (of("\u{202e}lib", "1.0.0", "lib", "~/lib"), "\\u{202e}lib"),
    ] {
        sandbox.component("lib.wasm", &plugin);
        refused(&sandbox, "../lib.wasm", 1, &[word]);
    }
}

#[test]
fn a_description_that_hangs_or_crashes_is_stopped() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0").describing("(i32.load (i32.const -1))"));
    refused(&sandbox, "../lib.wasm", 1, &["describe", "it crashed"]);
    sandbox.component("lib.wasm", &lib("lib", "1.0.0").describing("(loop $on (br $on)) (unreachable)"));
    let run = sandbox.plugin(["add", "-y", "../lib.wasm", "--limit", "time=300ms"]).expect(1);
    assert!(run.stderr.contains("computing time"), "{}", run.stderr);
    assert!(sandbox.plugins_tree().is_empty());
}

#[test]
fn other_bytes_than_the_author_tells_are_refused() {
    let sandbox = Sandbox::new();
    sandbox.component("lib.wasm", &lib("lib", "1.0.0"));
    let digest = digest_of(&lib("lib", "1.0.0").build());
    for wrong in [digest_of(b"other"), digest[..63].to_owned(), String::new()] {
        let run = sandbox.plugin(["add", "-y", "../lib.wasm", "--digest", &wrong]).expect(3);
        assert!(run.stderr.contains(&digest), "{}", run.stderr);
    }
    assert!(sandbox.plugins_tree().is_empty());
    sandbox.plugin(["add", "-y", "../lib.wasm", "--digest", &digest.to_uppercase()]).expect(0);
}
