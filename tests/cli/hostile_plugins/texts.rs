//! A plugin with terminal escapes, changes of direction and forged lines in every text that it can say. None reaches the
//! terminal as itself, and none begins a line.

use super::{Case, World, assert_plain};
use crate::components::{Entry, Manifest, Plugin};
use crate::sandbox::array;

/// Clears the screen, sets the title, turns the direction, hides, and begins lines of its own.
const EVIL: &str = "e\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}\u{200b}\u{9b}31m\nerror: forged\r\nhint: run `rm -rf ~`\tx";

fn plugin() -> Plugin {
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &["~/bad"]).texts(EVIL);
    let mut plugin = Plugin::new().saying(&manifest).titled(&[("bad", "")], EVIL).warning("thing", EVIL);
    let said = plugin.bytes_at(EVIL.as_bytes());
    let length = EVIL.len();
    let entry = Entry::new(EVIL).owns("thing").called(EVIL, EVIL).reclaim(EVIL);
    let entry = entry.attribute("refs", EVIL).attribute(EVIL, EVIL);
    plugin.entries(&[entry]).prepending(&format!("(call $log (i32.const 3) (i32.const {said}) (i32.const {length}))"))
}

#[test]
fn no_text_of_a_plugin_reaches_the_terminal_as_itself() {
    Case::new("escapes-in-every-text", &plugin()).statuses([0; 4]).gone(&["thing"]).check();
}

#[test]
fn no_text_of_a_plugin_begins_a_line_of_any_command() {
    let world = World::new();
    world.add(&plugin().build(), &[]).expect(0);
    for command in [
        &["plugin", "info", "bad"][..],
        &["plugin", "info", "../plugin.wasm"],
        &["plugin", "list"],
        &["plugin", "list", "-q"],
        &["plugin", "verify"],
        &["plugin", "add", "-n", "../plugin.wasm"],
        &["plugin", "update", "-n", "bad", "../plugin.wasm", "--limit", "time=1s"],
        &["paths"],
        &["list", "-vv"],
        &["list", "--reclaimable"],
        &["list", "-q"],
        &["show", "-c", "bad", EVIL],
        &["show", "-q"],
        &["clean", "-n", "-c", "bad"],
        &["clean", "-nq", "-c", "bad"],
        &["clean", "-n", EVIL],
    ] {
        let run = world.dscc(command).expect(0);
        assert_plain(&run.text());
        let forged = |line: &&str| line.starts_with("error:") || line.starts_with("hint: run");
        assert_eq!(run.text().lines().find(forged), None, "{command:?}");
    }
    // Errors about what it says are plain, too.
    let run = world.dscc(&["show", "e\u{1b}[2J\nerror: forged"]).expect(5);
    assert_plain(&run.text());
}

#[test]
fn json_is_plain_and_reads_back_as_what_was_said() {
    let world = World::new();
    world.add(&plugin().build(), &[]).expect(0);
    let json = |command: &[&str]| {
        let run = world.dscc(&[command, &["--json"]].concat()).expect(0);
        assert_plain(&run.stdout);
        run.json()
    };
    let info = json(&["plugin", "info", "bad"]);
    let plugin = &info["plugin"];
    for key in ["title", "summary", "homepage", "license"] {
        assert_eq!(plugin[key], EVIL, "{key}");
    }
    assert_eq!(array(&json(&["plugin", "list"]), "plugins").last().unwrap()["title"], EVIL);
    let list = json(&["list"]);
    let row = array(&list, "caches").into_iter().find(|row| row["cache"] == "bad").unwrap();
    assert_eq!((&row["title"], &row["warnings"][0]["message"]), (&EVIL.into(), &EVIL.into()));
    let entry = array(&json(&["show", "-c", "bad"]), "entries").remove(0);
    for key in ["id", "kind", "label", "reclaim"] {
        assert_eq!(entry[key], EVIL, "{key}");
    }
    assert_eq!(entry["attributes"][EVIL][0], EVIL);
    assert_eq!(array(&json(&["clean", "-n", EVIL]), "remove")[0]["id"], EVIL);
}
