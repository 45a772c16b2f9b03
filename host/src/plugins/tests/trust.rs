//! A plugins directory in which others can write is not used: they would decide what runs.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

use super::*;
use crate::skipped::skipped;

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn assert_untrusted(folder: &Folder, why: &str) {
    for result in [folder.read().map(drop), add(folder, "later", "1.0.0")] {
        let error = result.unwrap_err();
        assert!(matches!(error, FolderError::Untrusted(_)), "{why}: {error}");
        assert!(error.to_string().contains(why) && !error.hint().is_empty(), "{error}");
    }
}

#[test]
fn a_folder_or_lock_file_that_others_can_write_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("plugins"));
    add(&folder, "alpha", "1.0.0").unwrap();
    for (place, sound, modes) in [
        (folder.path().to_owned(), 0o700, [0o777, 0o770, 0o702]),
        (folder.lock_file_path(), 0o600, [0o666, 0o660, 0o602]),
    ] {
        for mode in modes {
            set_mode(&place, mode);
            assert_untrusted(&folder, "can be written by other users");
        }
        set_mode(&place, sound);
        assert_eq!(folder.read().unwrap().records.len(), 1);
    }
}

#[test]
fn what_belongs_to_another_user_is_not_used() {
    if !rustix::process::geteuid().is_root() {
        return skipped("what_belongs_to_another_user_is_not_used", "only root may give a file away");
    }
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("plugins"));
    add(&folder, "alpha", "1.0.0").unwrap();
    for place in [folder.path().to_owned(), folder.lock_file_path()] {
        chown(&place, Some(65_534), None).unwrap();
        assert_untrusted(&folder, "belongs to another user");
        chown(&place, Some(0), None).unwrap();
    }
    assert_eq!(folder.read().unwrap().records.len(), 1);
}

#[test]
fn an_empty_folder_of_others_is_not_filled() {
    let dir = tempfile::tempdir().unwrap();
    set_mode(dir.path(), 0o777);
    let folder = Folder::new(dir.path());
    assert_eq!(folder.read().unwrap(), LockFile::default());
    assert!(matches!(add(&folder, "alpha", "1.0.0"), Err(FolderError::Untrusted(_))));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn what_is_made_nobody_else_may_change_and_the_folder_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path().join("a/plugins"));
    add(&folder, "alpha", "1.0.0").unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o022, 0, "{mode:o}");
    }
    assert_eq!(folder.path().metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_folder_that_could_be_swapped_from_above_is_not_used() {
    let dir = tempfile::tempdir().unwrap();
    let above = dir.path().join("above");
    let folder = Folder::new(above.join("deeper/plugins"));
    add(&folder, "alpha", "1.0.0").unwrap();
    set_mode(&above, 0o777);
    assert!(matches!(folder.read(), Err(FolderError::Untrusted(why)) if why.contains("above")));
    // Where each may only move what is theirs, as in a folder for temporary files, nobody can.
    set_mode(&above, 0o1777);
    assert_eq!(folder.read().unwrap().records.len(), 1);
}
