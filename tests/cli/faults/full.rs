//! A cache on a file system that is full, which is when somebody wants to clean it. Records are elsewhere here.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::mounts::ext4;
use super::{KINDS, Kind, World, array, assert_freed};
use crate::privileges::{Mount, Need, can};
use crate::tree;

/// Fills a file system to the last byte, or the last inode.
fn fill(root: &Path) {
    let mut rest = fs::File::create(root.join("antique.rest")).unwrap();
    for size in [1 << 16, 1 << 10, 1] {
        while rest.write_all(&vec![0; size]).is_ok() {}
    }
    for number in 0.. {
        if fs::create_dir(root.join(format!("rest{number}"))).is_err() {
            break;
        }
    }
}

#[test]
fn with_too_little_room_for_what_waits_nothing_of_ours_is_left_behind() {
    let name = "with_too_little_room_for_what_waits_nothing_of_ours_is_left_behind";
    if !can(name, &[Need::Root, Need::Mounts]) {
        return;
    }
    for spare in 1..5 {
        let world = World::on(Kind::IrDatasets, tmpfs);
        fill(&world.root);
        (0..spare).for_each(|number| fs::remove_dir(world.root.join(format!("rest{number}"))).unwrap());
        let before = tree::read(&world.root);
        let run = world.run(&["clean", "-y", world.kind.id(), "--keep-undo"]);
        if run.status == 0 {
            assert!(spare > 2, "{spare}: {}", run.text());
            world.run(&["undo"]).expect(0);
        }
        assert_eq!(tree::read(&world.root), before, "{spare}");
    }
}

fn tmpfs(root: &Path) -> Vec<Mount> {
    vec![Mount::new(&["-t", "tmpfs", "-o", "mode=755,size=200k,nr_inodes=100", "tmpfs"], root)]
}

#[test]
fn a_cache_on_a_full_file_system_can_be_cleaned() {
    if !can("a_cache_on_a_full_file_system_can_be_cleaned", &[Need::Root, Need::Mounts, Need::Ext4]) {
        return;
    }
    for kind in KINDS {
        for mount in [tmpfs, |root: &Path| ext4(root, 1)] {
            let world = World::on(kind, mount);
            fill(&world.root);
            assert!(fs::create_dir(world.root.join("another")).is_err());
            let size = tree::size(&world.root);
            let before = tree::read(&world.root);
            // Without room there is no undo, and nothing goes unless somebody says that it may go without.
            for options in [&["-y", kind.id(), "--keep-undo"][..], &["-y", kind.id()]] {
                let document = world.clean(1, options);
                let failed = array(&document, "failed");
                let message = failed[0]["message"].as_str().unwrap();
                assert!(message.contains("full") && message.contains("--no-record"), "{message}");
                assert_eq!((&document["freed"], tree::read(&world.root)), (&0.into(), before.clone()));
                assert!(world.is_listed(kind.id()));
            }
            let document = world.clean(0, &["-y", kind.id(), "--no-record"]);
            assert_freed(&document, size - tree::size(&world.root));
            assert!(!world.top().exists());
            world.run(&["clean", "-y", kind.id()]).expect(5);
        }
    }
}
