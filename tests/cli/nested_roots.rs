//! Folders of plugins in each other: the inner one wins, and the outer one's plugin cannot count, claim, read or remove it.

use std::fs;
use std::path::Path;

use crate::components::{Entry, Plugin};
use crate::hub::{Hub, etag};
use crate::sandbox::{Sandbox, array};
use crate::tree;
use crate::world::{REPO, World, write};

/// A hub within what a plugin of another folder claims.
fn nested(change: impl FnOnce(Plugin) -> Plugin) -> (World, Hub) {
    let mut world = World::new();
    let home = world.sandbox.home();
    let hub = Hub::at(home.join("bad/thing/hub"));
    hub.model("a", 10);
    write(&home.join("bad/thing/file"), 300);
    write(&home.join("bad/stray"), 7);
    world.hub = Some(hub.root.clone());
    world.plugin("bad", "~/bad", change);
    (world, hub)
}

#[test]
fn of_nested_folders_the_inner_one_is_not_counted_nor_removed_with_the_outer() {
    let inner = format!("thing/hub/{REPO}");
    let claims = ["thing", "thing/hub", &inner];
    let entries = claims.map(|claim| Entry::new(claim.replace('/', "-")).owns(claim));
    let (world, hub) = nested(|plugin| plugin.entries(&entries));
    let seen = world.look();
    assert_eq!((seen.size("hub"), seen.size("bad"), seen.unclaimed("bad"), seen.total()), (50, 307, 7, 357));
    let remark = format!("`{}` in it is counted as hub (hf-hub)", hub.root.display());
    assert_eq!(seen.remarks("bad"), [("root-nested", remark.as_str())]);
    assert_eq!(seen.remarks("hub"), []);
    let (bad, _) = seen.cache("bad");
    let inventory = &seen.found.inventories[bad];
    assert_eq!((seen.top("bad"), seen.weights[bad].entry(inventory, 0).size), (vec!["thing"], 300));
    let before = tree::read(&world.sandbox.home().join("bad"));
    assert_eq!(seen.clean(&["bad:thing"]), 300);
    tree::assert_gone(&before, &tree::read(&world.sandbox.home().join("bad")), &["thing/file"]);
}

#[test]
fn an_inner_folder_of_a_plugin_that_fails_stays_its_own_and_is_counted_nowhere() {
    let (mut world, hub) = nested(|plugin| plugin);
    world.plugin("worse", "~/bad/thing/worse", |plugin| plugin.caches(&[("worse", "..")]));
    write(&world.sandbox.home().join("bad/thing/worse/file"), 1000);
    let seen = world.look();
    assert_eq!((seen.told().len(), seen.remarks("bad").len(), seen.size("bad"), seen.total()), (1, 1, 307, 357));
    assert_eq!(seen.clean(&["thing"]), 300);
    assert!(world.sandbox.home().join("bad/thing/worse/file").exists() && hub.exists(REPO));
}

#[test]
fn the_plugin_of_the_outer_folder_cannot_read_or_walk_the_inner_one_by_its_path() {
    let mut plugin = Plugin::new();
    let refs = format!("thing/hub/{REPO}/refs/main");
    let (files, count) = plugin.texts_at(&["thing/file", &refs]);
    let paths = ["thing", "thing/hub", &format!("thing/hub/{REPO}")];
    let walked: Vec<(u32, usize)> = paths.iter().map(|path| (plugin.bytes_at(path.as_bytes()), path.len())).collect();
    let text = plugin.bytes_at(b"-----");
    let answer = plugin.error_at(text, 5);
    let digit = |at: u32, result: &str| {
        format!(
            "(i32.store8 (i32.const {}) (i32.add (i32.const 48) (select
               (i32.add (i32.const 1) (i32.load8_u offset=4 {result})) (i32.const 0) (i32.load8_u {result}))))",
            text + at
        )
    };
    // 0 for what was granted, else 1 more than the error's place in `fs-error`.
    let mut body = format!(
        "(call $read (local.get $root) (i32.const {files}) (i32.const {count}) (i32.const 1000) (i32.const 0x100))"
    );
    body += &digit(0, "(i32.load (i32.const 0x100))");
    body += &digit(1, "(i32.add (i32.load (i32.const 0x100)) (i32.const 12))");
    for (place, (at, length)) in walked.into_iter().enumerate() {
        body += &format!(
            "(call $walk (local.get $root) (i32.const {at}) (i32.const {length}) (i32.const 0) (i32.const 0)
               (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0x180))"
        );
        body += &digit(2 + u32::try_from(place).unwrap(), "(i32.const 0x180)");
    }
    body += &format!("(call $drop (local.get $root)) (i32.const {answer})");
    let (world, _) = nested(|_| plugin.listing(&body));
    let seen = world.look();
    let told = seen.told();
    // `not-found` is the first error.
    assert!(told.len() == 1 && told[0].0 == "plugin-error" && told[0].1.contains(": 01011"), "{told:?}");
}

#[test]
fn a_hard_link_between_two_folders_is_counted_once_in_all() {
    let (mut world, hub) = World::with_hub();
    let home = world.sandbox.home();
    fs::create_dir_all(home.join("bad/thing")).unwrap();
    let blob = hub.root.join(REPO).join("blobs").join(etag('a'));
    fs::hard_link(blob, home.join("bad/thing/link")).unwrap();
    write(&home.join("bad/thing/file"), 300);
    world.plugin("bad", "~/bad", |plugin| plugin);
    let seen = world.look();
    assert_eq!((seen.size("hub"), seen.size("bad"), seen.total()), (50, 310, 350));
}

/// Two hubs, one in the other: the whole program with what is built in.
#[test]
fn list_tells_of_nested_folders_and_counts_a_hard_link_once() {
    let sandbox = Sandbox::new();
    let outer = Hub::at(sandbox.home().join("outer"));
    let inner = Hub::at(outer.root.join("models--acme--a/inner"));
    outer.model("a", 100);
    inner.model("b", 20);
    let blob = Path::new("blobs").join(etag('a'));
    fs::hard_link(inner.root.join("models--acme--b").join(&blob), outer.root.join("linked")).unwrap();
    let roots = [&outer, &inner].map(|hub| format!("--root=hub={}", hub.root.display()));
    let list = sandbox.json(["list", &roots[0], &roots[1]]);
    let rows = array(&list, "caches");
    let sizes: Vec<u64> = rows.iter().map(|row| row["size"].as_u64().unwrap()).collect();
    assert_eq!((sizes, &list["size"]), (vec![160, 60], &200.into()));
    let remark = format!("`{}` in it is counted as hub (hf-hub)", inner.root.display());
    let warnings = array(&rows[0], "warnings");
    assert_eq!((&warnings[0]["code"], &warnings[0]["message"]), (&"root-nested".into(), &remark.as_str().into()));
    assert_eq!((&warnings[0]["cache"], &warnings[0]["plugin"]), (&"hub".into(), &"hf-hub".into()));
    assert_eq!((warnings.len(), array(&rows[1], "warnings").len()), (1, 0));
    let run = sandbox.dscc(["list", &roots[0], &roots[1]]).expect(0);
    assert!(run.stdout.lines().last().unwrap().contains("200 B"), "{}", run.stdout);
    assert!(run.stderr.lines().any(|line| line.contains(&remark)), "{}", run.stderr);
    let before = tree::read(&outer.root);
    sandbox.dscc(["clean", "-y", "model/acme/a", &roots[0], &roots[1]]).expect(0);
    let gone = ["blobs", "refs", "snapshots"].map(|part| format!("{REPO}/{part}"));
    let locks = format!(".locks/{REPO}");
    let gone = [&gone[0], &gone[1], &gone[2], &locks].map(String::as_str);
    let after = tree::read(&outer.root);
    assert!(gone.iter().all(|path| !after.contains_key(Path::new(path))), "{after:?}");
    let within = |path: &Path| path.starts_with(format!("{REPO}/inner")) || path == Path::new("linked");
    let kept = |tree: &tree::Tree| tree.clone().into_iter().filter(|(path, _)| within(path)).collect::<Vec<_>>();
    assert_eq!(kept(&before), kept(&after));
}

#[test]
fn an_inner_folder_in_which_its_plugin_knows_of_nothing_takes_nothing_from_the_outer() {
    let (mut world, _) = nested(|plugin| plugin);
    world.plugin("idle", "~/bad/thing/idle", |plugin| plugin.caches(&[]));
    write(&world.sandbox.home().join("bad/thing/idle/file"), 1000);
    let seen = world.look();
    assert_eq!((seen.told(), seen.size("bad"), seen.total()), (vec![], 1307, 1357));
    assert_eq!(seen.clean(&["thing"]), 1300);
}
