//! Folders in which we may not remove anything, and what belongs to others.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{By, KINDS, World, reasons};
use crate::privileges::{Need, User, can};

const US: u32 = 4_711;
const OTHERS: u32 = 4_712;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Gives a file, link or folder away, without what is in it.
fn give(path: &Path, uid: u32) {
    lchown(path, Some(uid), Some(uid)).unwrap();
}

/// Worlds that belong to a user for whom permissions count.
fn of_user() -> impl Iterator<Item = World> {
    KINDS.into_iter().map(|kind| {
        let (world, user) = (World::new(kind), User::new(US));
        user.give(&world.sandbox.home());
        world.by(By::Other(user))
    })
}

#[test]
fn a_folder_that_may_only_be_read_is_told_before_and_goes_when_it_may_be_changed() {
    for (kind, mode) in KINDS.into_iter().flat_map(|kind| [(kind, 0o555), (kind, 0o500)]) {
        let world = World::new(kind).by(By::Bound);
        set_mode(&world.folder(), mode);
        world.assert_stays(&world.folder(), &["you may not remove anything", "chmod u+w", "its owner"]);
        set_mode(&world.folder(), 0o700);
        world.assert_goes(&[]);
    }
}

#[test]
fn files_and_empty_folders_that_may_only_be_read_are_no_hindrance() {
    for kind in KINDS {
        let world = World::new(kind).by(By::Bound);
        fs::create_dir(world.folder().join("empty")).unwrap();
        set_mode(&world.folder().join("empty"), 0o555);
        set_mode(&world.file(), 0o444);
        world.assert_goes(&[]);
    }
}

#[test]
fn a_file_of_another_user_is_told_before_and_goes_on_request() {
    if !can("a_file_of_another_user_is_told_before_and_goes_on_request", &[Need::Root]) {
        return;
    }
    for world in of_user() {
        give(&world.file(), OTHERS);
        world.assert_stays(&world.file(), &["belongs to another user (4712)", "--include-others"]);
        world.assert_goes(&["--include-others"]);
    }
}

#[test]
fn the_cache_of_another_user_stays_whatever_is_asked_for() {
    if !can("the_cache_of_another_user_stays_whatever_is_asked_for", &[Need::Root]) {
        return;
    }
    for mut world in of_user() {
        give(&world.root, OTHERS);
        let others = [world.top(), world.folder(), world.file()];
        others.iter().for_each(|path| give(path, OTHERS));
        for id in [world.kind.id(), world.kind.other()] {
            world.assert_kept(id, &world.root, &[]);
        }
        world.more = &["--include-others"];
        for id in [world.kind.id(), world.kind.other()] {
            world.assert_kept(
                id,
                &world.root,
                &["the cache's folder is a folder in which you may not remove anything"],
            );
        }
    }
}

#[test]
fn in_a_cache_that_many_share_what_others_put_there_stays_whatever_is_asked_for() {
    if !can("in_a_cache_that_many_share_what_others_put_there_stays_whatever_is_asked_for", &[Need::Root]) {
        return;
    }
    for mut world in of_user() {
        give(&world.root, OTHERS);
        set_mode(&world.root, 0o1777);
        give(&world.top(), OTHERS);
        set_mode(&world.top(), 0o777);
        let id = world.kind.id();
        world.assert_kept(id, &world.top(), &["belongs to another user (4712)", "--include-others"]);
        world.more = &["--include-others"];
        world.assert_stays(&world.top(), &["is not yours", "only the owner of a thing may remove it", "ask its owner"]);
        give(&world.top(), US);
        world.assert_goes(&[]);
    }
}

/// What may lie in a folder and weighs nothing.
fn weightless(make: &str, at: &Path) {
    match make {
        "link" => symlink("nowhere", at).unwrap(),
        "fifo" => mknodat(CWD, at, FileType::Fifo, Mode::RWXU, 0).unwrap(),
        _ => fs::create_dir(at).unwrap(),
    }
}

#[test]
fn weightless_things_of_others_in_a_folder_that_many_share_are_told_before() {
    if !can("weightless_things_of_others_in_a_folder_that_many_share_are_told_before", &[Need::Root]) {
        return;
    }
    for world in of_user() {
        give(&world.folder(), OTHERS);
        set_mode(&world.folder(), 0o1777);
        let things: Vec<PathBuf> = ["link", "fifo", "folder"].map(|thing| world.folder().join(thing)).to_vec();
        for thing in &things {
            weightless(thing.file_name().unwrap().to_str().unwrap(), thing);
            give(thing, OTHERS);
            let document = world.run(&["clean", "-n", world.kind.id(), "--include-others", "--json"]).json();
            let (why, name) = (reasons(&document, world.kind.id()), thing.strip_prefix(&world.root).unwrap());
            assert!(why.contains("only the owner of a thing may remove it"), "{why}");
            assert!(why.contains(name.to_str().unwrap()), "{why}");
            give(thing, US);
        }
        world.assert_goes(&["--include-others"]);
    }
}

#[test]
fn root_asks_for_a_flag_where_everybody_may_change_the_cache() {
    if !can("root_asks_for_a_flag_where_everybody_may_change_the_cache", &[Need::Root]) {
        return;
    }
    for kind in KINDS {
        for mode in [0o777, 0o1777] {
            let world = World::new(kind);
            set_mode(&world.root, mode);
            for id in [kind.id(), kind.other()] {
                world.assert_kept(id, &world.root, &["you are root", "--include-others"]);
            }
            world.run(&["clean", "-y", "--all"]).expect(3);
            world.assert_goes(&["--include-others"]);
        }
    }
}
