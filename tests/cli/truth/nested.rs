//! One root in another: what waits of the inner one lies in the outer one, and is nobody's there.

use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::recount::Count;
use crate::components::{Entry, Plugin};
use crate::hub::Hub;
use crate::sandbox::{Sandbox, array, ids};
use crate::world::write;

/// A hub in what an entry of another plugin owns, beside 300 bytes of that entry's own; 7 bytes nobody claims.
struct Nested {
    sandbox: Sandbox,
    outer: PathBuf,
    hub: Hub,
}

impl Nested {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let outer = sandbox.home().join("bad");
        let hub = Hub::at(outer.join("thing/hub"));
        hub.model("a", 1000).revision('b', &[("w", 'b', 20)]);
        hub.model("b", 50);
        write(&outer.join("thing/file"), 300);
        write(&outer.join("stray"), 7);
        fs::write(sandbox.path("plugin.wasm"), Plugin::new().entries(&[Entry::new("thing").owns("thing")]).build())
            .unwrap();
        sandbox.dscc(["plugin", "add", "-y", "../plugin.wasm"]).expect(0);
        Self { sandbox, outer, hub }
    }

    fn json(&self, args: &[&str]) -> Value {
        let root = format!("--root=hub={}", self.hub.root.display());
        self.sandbox.json(args.iter().copied().chain([root.as_str()]))
    }

    /// Size and unclaimed bytes of the two caches, and the size of all.
    fn sizes(&self) -> (Value, Value, u64) {
        let list = self.json(&["list"]);
        let of = |id: &str| {
            let row = array(&list, "caches").into_iter().find(|row| row["cache"] == id);
            row.map_or(Value::Null, |row| json!([row["size"], row["unclaimed"]]))
        };
        (of("bad"), of("hub"), list["size"].as_u64().unwrap())
    }

    fn held(&self) -> Vec<Value> {
        array(&self.json(&["list"]), "held")
    }

    /// Everything, but for the times of the folder in which the hub is.
    fn count(&self) -> Count {
        let mut count = Count::of(&self.outer, Path::new(""));
        count.0.entry(self.outer.join("thing")).and_modify(|found| found.modified = (0, 0));
        count
    }

    fn waits_in_outer(&self) -> bool {
        let is_ours = |entry: walkdir::DirEntry| entry.file_name().as_bytes().starts_with(b".dscc-");
        walkdir::WalkDir::new(&self.outer).into_iter().flatten().any(is_ours)
    }
}

#[test]
fn what_waits_of_an_inner_root_is_counted_for_undo_alone() {
    let nested = Nested::new();
    let before = nested.count();
    let (bad, hub, total) = nested.sizes();
    assert_eq!((&bad, &hub, total), (&json!([307, 7]), &json!([1150, 0]), 1457));
    let entries = nested.json(&["show", "--children", "-c", "bad"]);
    let held = nested.json(&["clean", "-y", "--keep-undo", "model/acme/a"]);
    assert!(nested.waits_in_outer());
    let waits = held["expected"].as_u64().unwrap();
    assert_eq!(nested.sizes(), (bad, json!([90, 0]), total - waits));
    assert_eq!(nested.held()[0]["size"], waits);
    let paths =
        |document: &Value| document["entries"].as_array().unwrap().iter().map(|it| it["size"].clone()).collect();
    let (now, was): (Vec<Value>, Vec<Value>) =
        (paths(&nested.json(&["show", "--children", "-c", "bad"])), paths(&entries));
    assert_eq!(now, was);
    // Nobody can name it, either.
    let plan = nested.json(&["clean", "-n", "--all"]);
    assert!(!plan.to_string().contains(".dscc-"), "{plan:#}");
    nested.json(&["undo"]);
    assert_eq!(nested.count(), before);
}

#[test]
fn cleaning_the_outer_root_leaves_what_waits_of_the_inner_one() {
    for way in [&["-y"][..], &["-y", "--no-record"], &["-y", "--keep-undo"]] {
        let nested = Nested::new();
        let before = nested.count();
        nested.json(&["clean", "-y", "--keep-undo", "model/acme/a"]);
        let run = nested.held()[0]["run"].as_str().unwrap().to_owned();
        let document = nested.json(&[&["clean", "--all"], way].concat());
        assert_eq!(document["expected"], 390, "{document:#}");
        let removed = array(&document, "remove");
        assert!(ids(&removed).contains(&"thing") && ids(&removed).contains(&"model/acme/b"), "{document:#}");
        assert!(!nested.outer.join("thing/file").exists() && nested.waits_in_outer());
        let undone = nested.json(&["undo", &run]);
        assert_eq!((array(&undone, "left"), array(&undone, "errors")), (vec![], vec![]), "{way:?}");
        let after = nested.count();
        let model = |path: &Path| path.to_str().unwrap().contains("models--acme--a");
        for (path, was) in before.0.iter().filter(|(path, _)| model(path)) {
            assert_eq!(Some(was), after.0.get(path), "{way:?}: {}", path.display());
        }
    }
}

#[test]
fn both_roots_wait_at_once_are_counted_once_and_come_back() {
    let nested = Nested::new();
    let before = nested.count();
    let (.., total) = nested.sizes();
    let held = nested.json(&["clean", "-y", "--keep-undo", "--all"]);
    let waits = held["expected"].as_u64().unwrap();
    assert_eq!((waits, nested.held()[0]["size"].as_u64()), (1450, Some(1450)));
    assert_eq!(nested.sizes().2, total - waits);
    nested.json(&["undo"]);
    assert_eq!(nested.count(), before);
    assert!(!nested.waits_in_outer());
}
