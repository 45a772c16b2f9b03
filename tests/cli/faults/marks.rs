//! Marks that bind everybody, root too: immutable and append-only files and folders.

use std::fs;
use std::path::Path;

use super::{KINDS, World};
use crate::privileges::{Mark, Need, can};

const WAY_OUT: &str = "chattr -i -a";

/// With each mark on what `choose` names of a world, the entry stays; without it, it goes.
#[track_caller]
fn try_marks(name: &str, choose: impl Fn(&World) -> std::path::PathBuf) {
    if !can(name, &[Need::Root, Need::Marks]) {
        return;
    }
    for kind in KINDS {
        for mark in ['i', 'a'] {
            let world = World::new(kind);
            let place = choose(&world);
            let marked = Mark::new(mark, &place);
            world.assert_stays(&place, &["is", "marked immutable or append-only", WAY_OUT]);
            drop(marked);
            world.assert_goes(&[]);
        }
    }
}

#[test]
fn a_marked_file_is_told_before_and_goes_without_the_mark() {
    try_marks("a_marked_file_is_told_before_and_goes_without_the_mark", World::file);
}

#[test]
fn a_marked_folder_is_told_before_and_goes_without_the_mark() {
    try_marks("a_marked_folder_is_told_before_and_goes_without_the_mark", World::folder);
}

#[test]
fn a_marked_folder_without_anything_in_it_is_told_before_and_goes_without_the_mark() {
    try_marks("a_marked_folder_without_anything_in_it_is_told_before_and_goes_without_the_mark", |world| {
        let empty = world.folder().join("empty");
        fs::create_dir(&empty).unwrap();
        empty
    });
}

#[test]
fn in_a_cache_that_is_marked_everything_stays() {
    if !can("in_a_cache_that_is_marked_everything_stays", &[Need::Root, Need::Marks]) {
        return;
    }
    for kind in KINDS {
        let world = World::new(kind);
        let marked = Mark::new('i', &world.root);
        for id in [kind.id(), kind.other()] {
            world.assert_kept(id, &world.root, &["the cache's folder is a folder that is marked", WAY_OUT]);
        }
        drop(marked);
        world.assert_goes(&[]);
    }
}
