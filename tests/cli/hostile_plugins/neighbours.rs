//! Plugins that reach for what another plugin holds: in the same folder, in a folder within theirs, or in an entry of
//! their own that does not hold it.

use super::{Case, World};
use crate::components::{Entry, Plugin};
use crate::hub::{commit, etag};
use crate::sandbox::array;

const REPO: &str = "models--acme--a";

/// A plugin whose root is the hub's own folder.
fn in_the_hub(entries: &[Entry]) -> Plugin {
    Plugin::new().manifest("bad", "1.0.0", "bad", "~/.cache/huggingface/hub").entries(entries)
}

#[test]
fn a_child_that_claims_what_its_parent_does_not_hold() {
    let parent = || Entry::new("thing").owns("thing").with_children();
    for (name, child) in [
        ("child-that-owns-another-entrys", Entry::new("thing/x").owns("other/file")),
        ("child-that-shares-what-is-nobodys", Entry::new("thing/x").shares("notes")),
        ("child-that-owns-what-holds-its-parent", Entry::new("thing/x").owns("other").owns("index")),
    ] {
        let plugin = Plugin::new().levels(&[parent(), Entry::new("other").owns("other")], &[child]);
        Case::new(name, &plugin).statuses([0, 1, 1, 1]).gone(&["other"]).check();
    }
}

#[test]
fn claims_on_what_the_hub_holds_in_the_same_folder() {
    let snapshot = format!("{REPO}/snapshots/{}", commit('a'));
    let blob = format!("{REPO}/blobs/{}", etag('a'));
    for (name, entry) in [
        ("same-folder-as-the-hub", Entry::new("mine").owns(REPO)),
        ("part-of-the-hubs-repository", Entry::new("mine").owns(&snapshot)),
        ("share-of-the-hubs-blob", Entry::new("mine").shares(&blob)),
        ("orphan-that-is-the-hubs-blob", Entry::new("orphan").owns(&blob).reclaim("nobody refers to it")),
    ] {
        let plugin = in_the_hub(&[entry]);
        Case::new(name, &plugin).statuses([0; 4]).check();
        takes_nothing_of_the_hub(&plugin);
    }
}

#[test]
fn claims_on_what_lies_in_a_folder_of_the_hub() {
    let above = |entry: Entry| Plugin::new().manifest("bad", "1.0.0", "bad", "~/.cache/huggingface").entries(&[entry]);
    let blob = format!("hub/{REPO}/blobs/{}", etag('a'));
    for (name, entry) in [
        ("root-above-that-claims-the-hub", Entry::new("mine").owns("hub")),
        ("root-above-that-claims-a-repository", Entry::new("mine").owns(&format!("hub/{REPO}"))),
        ("root-above-that-claims-an-orphan", Entry::new("orphan").owns(&blob).reclaim("nobody refers to it")),
    ] {
        let plugin = above(entry);
        Case::new(name, &plugin).statuses([0; 4]).check();
        takes_nothing_of_the_hub(&plugin);
    }
}

#[test]
fn needs_keep_what_they_name_and_say_who_asked() {
    // Keeping is all that a plugin can do to another's entries; the user sees for whose sake, and can lift it.
    let world = World::new();
    let need = world.sandbox.hub().root.join(REPO);
    let plugin = Plugin::new().entries(&[Entry::new("thing").owns("thing").needs(need.to_str().unwrap())]);
    world.add(&plugin.build(), &[]).expect(0);
    let run = world.dscc(&["clean", "-y", "model/acme/a"]);
    let text = world.told("clean -y model/acme/a", &run);
    super::snapshot("need-of-what-is-the-hubs", &text);
    assert!(world.sandbox.hub().exists(REPO));
    world.dscc(&["clean", "-y", "model/acme/a", "--force", "needed"]).expect(0);
    assert!(!world.sandbox.hub().exists(REPO));
}

/// Cleaning the plugin's cache alone, and the reclaimable sum, take and promise nothing that is the hub's.
#[track_caller]
fn takes_nothing_of_the_hub(plugin: &Plugin) {
    let world = World::new();
    world.add(&plugin.build(), &[]).expect(0);
    let before = world.tree();
    let list = world.dscc(&["list", "--reclaimable", "--json"]).expect(0).json();
    for row in array(&list, "caches") {
        assert_eq!(row["reclaimable"], 0, "{row}");
    }
    let run = world.dscc(&["clean", "-y", "-c", "bad"]);
    assert_eq!(world.tree(), before, "{}", run.text());
}
