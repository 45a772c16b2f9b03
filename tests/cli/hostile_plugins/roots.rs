//! Plugins that ask for what is no cache. They may be installed, which shows what they ask for, and get no root by it.

use super::{Case, World};
use crate::components::{Entry, Manifest, Plugin};

/// A refused folder is a warning, like one that the user's own variables name: nothing is missing from the answer.
#[track_caller]
fn no_root(name: &str, location: &str) {
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &[location]);
    Case::new(name, &Plugin::new().saying(&manifest)).statuses([0; 4]).check();
}

#[test]
fn the_home_the_system_and_private_folders_are_no_roots() {
    for (name, location) in [
        ("root-of-home", "~"),
        ("root-of-keys", "~/.ssh"),
        ("root-of-the-system", "/etc"),
        ("root-above-dscc", "~/.local/share"),
        ("root-of-dscc", "~/.local/share/dscc/plugins"),
    ] {
        no_root(name, location);
    }
}

#[test]
fn a_variable_that_leads_to_keys_is_refused_with_its_name() {
    let mut world = World::new();
    world.variables.push(("BAD_HOME", world.sandbox.home().join(".ssh")));
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &["${BAD_HOME}", "~/bad"]);
    Case::new("root-of-keys-by-a-variable", &Plugin::new().saying(&manifest)).statuses([0; 4]).check_in(&world);
}

#[test]
fn a_link_to_a_folder_of_others_is_a_root_of_what_is_there_and_nothing_above() {
    // The user may have moved the cache to another disk; what leads there is the user's own link.
    let manifest = Manifest::new("bad", "1.0.0").rule("bad", &["~/bad/link"]);
    let entries = [Entry::new("up").owns("../bad"), Entry::new("file").owns("precious")];
    let plugin = Plugin::new().saying(&manifest).entries(&entries);
    Case::new("root-that-is-a-link", &plugin).check();
}
