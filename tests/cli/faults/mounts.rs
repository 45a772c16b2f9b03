//! Mounts in a cache and under it, and where things wait then.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{By, KINDS, Kind, World, array};
use crate::privileges::{Mount, Need, can, make_ext4, privileged};
use crate::sandbox::Sandbox;
use crate::tree;

const TMPFS: [&str; 5] = ["-t", "tmpfs", "-o", "mode=755", "tmpfs"];

/// A file system of memory.
pub(super) fn tmpfs(root: &Path) -> Vec<Mount> {
    vec![Mount::new(&TMPFS, root)]
}

/// An ext4 file system of so many megabytes, in a file beside the home.
pub(super) fn ext4(root: &Path, megabytes: u64) -> Vec<Mount> {
    let mut above = root.ancestors();
    let image = above.find(|it| it.ends_with("home")).unwrap().with_file_name("image");
    assert!(make_ext4(&image, megabytes));
    let mount = Mount::new(&["-o", "loop", image.to_str().unwrap()], root);
    // A cache has no such folder.
    fs::remove_dir(root.join("lost+found")).unwrap();
    vec![mount]
}

/// Where things wait.
pub(super) fn waiting(above: &Path) -> PathBuf {
    above.join(format!(".dscc-quarantine-{}", rustix::process::geteuid().as_raw()))
}

/// Where things wait in a cache: where its library does not look, if there is such a place.
fn waiting_in(root: &Path) -> PathBuf {
    let unseen = root.join(".locks");
    waiting(if unseen.is_dir() { &unseen } else { root })
}

#[test]
fn what_is_mounted_in_an_entry_is_told_before_and_never_emptied() {
    if !privileged("what_is_mounted_in_an_entry_is_told_before_and_never_emptied") {
        return;
    }
    for kind in KINDS {
        let world = World::new(kind);
        let inner = world.folder().join("mount");
        fs::create_dir(&inner).unwrap();
        let (precious, outside) = (world.sandbox.outside().join("precious"), world.sandbox.outside());
        let bind = |from: &Path, at: &Path| Mount::new(&["--bind", from.to_str().unwrap()], at);
        let words = ["it is on another file system", "unmount it"];
        for place in [world.folder(), world.top()] {
            let mount = if kind == Kind::Hub { Mount::new(&TMPFS, &place) } else { bind(&outside, &place) };
            fs::write(place.join("mine"), "mine").unwrap();
            world.assert_kept(kind.id(), &place, &words);
            assert_eq!(fs::read_to_string(place.join("mine")).unwrap(), "mine");
            fs::remove_file(place.join("mine")).unwrap();
            drop(mount);
        }
        let mount = bind(&precious, &world.file());
        world.assert_kept(kind.id(), &world.file(), &words);
        drop(mount);
        let mount = Mount::new(&TMPFS, &inner);
        world.assert_stays(&inner, &words);
        drop(mount);
        world.assert_goes(&[]);
    }
}

#[test]
fn on_a_file_system_that_is_mounted_read_only_everything_stays() {
    if !privileged("on_a_file_system_that_is_mounted_read_only_everything_stays") {
        return;
    }
    let bound = |root: &Path| vec![Mount::new(&["--bind", root.to_str().unwrap()], root)];
    let mounts = [(tmpfs as fn(&Path) -> Vec<Mount>, ["ro", "rw"]), (bound, ["bind,ro", "bind,rw"])];
    for (kind, (mount, options)) in KINDS.into_iter().zip(mounts) {
        let world = World::on(kind, mount);
        world.mounts[0].remount(options[0]);
        for id in [kind.id(), kind.other()] {
            world.assert_kept(id, &world.root, &["mounted read-only", "-o remount,rw"]);
        }
        world.run(&["clean", "-y", "--all"]).expect(3);
        world.mounts[0].remount(options[1]);
        world.assert_goes(&[]);
    }
}

#[test]
fn a_cache_that_is_a_mount_point_keeps_in_itself_what_waits_and_nobody_sees_it() {
    let name = "a_cache_that_is_a_mount_point_keeps_in_itself_what_waits_and_nobody_sees_it";
    if !can(name, &[Need::Root, Need::Mounts, Need::Ext4]) {
        return;
    }
    let mounts = [tmpfs, |root: &Path| ext4(root, 8)];
    for (kind, mount) in KINDS.into_iter().zip(mounts) {
        let world = World::on(kind, mount);
        world.assert_goes(&[]);
        let size = tree::size(&world.root);
        world.clean(0, &["-y", "--all", "--keep-undo"]);
        assert!(waiting_in(&world.root).join("CACHEDIR.TAG").exists());
        let listed = world.json(0, &["list"]);
        assert_eq!((&listed["size"], &array(&listed, "held")[0]["size"]), (&0.into(), &size.into()), "{listed:#}");
        let waits = tree::read(&waiting_in(&world.root));
        world.run(&["clean", "-y", "--all"]).expect(0);
        assert_eq!(tree::read(&waiting_in(&world.root)), waits, "another run frees nothing of it");
        assert_eq!(world.json(0, &["undo", "--discard", "-y"])["freed"], size);
        let _ = fs::remove_dir(world.root.join(".locks")); // the library's, and empty
        assert!(tree::read(&world.root).is_empty());
    }
}

#[test]
fn where_nothing_may_be_made_beside_the_cache_things_wait_in_it() {
    for kind in KINDS {
        let world = World::new(kind).by(By::Bound);
        fs::create_dir_all(world.sandbox.home().join(".local/state/dscc/runs")).unwrap();
        let above = world.root.parent().unwrap();
        fs::set_permissions(above, fs::Permissions::from_mode(0o555)).unwrap();
        world.assert_goes(&[]);
        world.clean(0, &["-y", "--all", "--keep-undo"]);
        assert!(waiting_in(&world.root).exists());
    }
}

#[test]
fn a_place_that_somebody_took_is_left_alone_and_another_one_is_used() {
    for kind in KINDS {
        for make in [
            |at: &Path| fs::write(at, "mine").unwrap(),
            |at: &Path| {
                fs::create_dir(at).unwrap();
                fs::set_permissions(at, fs::Permissions::from_mode(0o777)).unwrap();
            },
        ] {
            let world = World::new(kind);
            let beside = waiting(world.root.parent().unwrap());
            make(&beside);
            world.assert_goes(&[]);
            assert!(beside.exists());
            // With nowhere else to go, nothing goes.
            let world = World::new(kind);
            let above = [world.root.parent().unwrap(), &world.root, &world.root.join(".locks")];
            above.iter().filter(|above| above.is_dir()).for_each(|above| make(&waiting(above)));
            let before = world.all();
            let document = world.clean(1, &["-y", kind.id()]);
            let failed = array(&document, "failed");
            let message = failed[0]["message"].as_str().unwrap();
            assert!(message.contains("no place to put it aside") && message.contains("--no-record"), "{message}");
            assert!(failed.iter().all(|row| row["id"].as_str().unwrap().starts_with(kind.id())), "{document:#}");
            assert_eq!((&document["freed"], world.all()), (&0.into(), before));
            assert!(world.is_listed(kind.id()));
            let size = tree::size(&world.root);
            let document = world.clean(0, &["-y", kind.id(), "--no-record"]);
            super::assert_freed(&document, size - tree::size(&world.root));
            assert!(!world.top().exists());
        }
    }
}

#[test]
fn what_is_in_a_lower_layer_of_an_overlay_goes_without_a_record_and_is_told_so() {
    if !privileged("what_is_in_a_lower_layer_of_an_overlay_goes_without_a_record_and_is_told_so") {
        return;
    }
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("baked", 100);
    let layers = sandbox.outside().join("layers");
    fs::create_dir(&layers).unwrap();
    let _layers = Mount::new(&TMPFS, &layers);
    ["upper", "work"].iter().for_each(|name| fs::create_dir(layers.join(name)).unwrap());
    let (lower, layers) = (hub.root.display(), layers.display());
    let options = format!("lowerdir={lower},upperdir={layers}/upper,workdir={layers}/work,redirect_dir=off");
    let _overlay = Mount::new(&["-t", "overlay", "overlay", "-o", &options], &hub.root);
    let before = tree::read(&hub.root);
    let run = sandbox.dscc(["clean", "-y", "--all"]).expect(1);
    assert!(run.stderr.contains("overlay") && run.stderr.contains("--no-record"), "{}", run.text());
    assert_eq!(tree::read(&hub.root), before);
    sandbox.dscc(["clean", "-y", "--all", "--no-record"]).expect(0);
    assert!(!hub.exists("models--acme--baked"));
}
