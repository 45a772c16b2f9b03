//! Trees that are deep, wide or large, also with few descriptors to open them with.

use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

use super::{KINDS, Kind, World, array, assert_freed};
use crate::privileges::{Mount, Need, can};
use crate::sandbox::Run;
use crate::tree;

/// A chain of so many folders, with a file of five bytes at its end. It is deeper than any path can be written, so it is
/// built from the inside out.
fn make_deep(world: &World, levels: usize) {
    let (piece, parts) = ("d/".repeat(99), levels / 100);
    let mut inner = world.sandbox.path("deep");
    fs::create_dir_all(&inner).unwrap();
    fs::write(inner.join("bottom"), "12345").unwrap();
    for part in 0..parts {
        let outer = world.sandbox.path(format!("deep{part}"));
        fs::create_dir_all(outer.join(&piece)).unwrap();
        fs::rename(&inner, outer.join(&piece).join("d")).unwrap();
        inner = outer;
    }
    fs::rename(&inner, world.folder().join("deep")).unwrap();
}

/// How deep the chain is.
fn depth(at: &Path) -> usize {
    let fd = |dir: &std::os::fd::OwnedFd| {
        let flags = rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC;
        rustix::fs::openat(dir, "d", flags, rustix::fs::Mode::empty()).ok()
    };
    let mut dir = fs::File::open(at).unwrap().into();
    let mut levels = 0;
    while let Some(next) = fd(&dir) {
        (dir, levels) = (next, levels + 1);
    }
    levels
}

/// The program with a limit of so many open files.
fn with_descriptors(world: &World, limit: u32, args: &[&str]) -> Run {
    let model = world.command(args);
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("ulimit -n {limit}; exec \"$0\" \"$@\""))
        .arg(model.get_program())
        .args(model.get_args());
    command.env_clear().envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
    Run::of(command.current_dir(world.sandbox.home()).output().unwrap())
}

#[test]
fn a_tree_4000_levels_deep_waits_comes_back_and_goes() {
    for kind in KINDS {
        let world = World::new(kind);
        make_deep(&world, 4000);
        let at = world.folder().join("deep");
        let levels = depth(&at);
        assert!(levels >= 4000);
        world.clean(0, &["-y", kind.id(), "--keep-undo"]);
        assert!(!world.top().exists());
        let held = array(&world.json(0, &["list"]), "held");
        assert_eq!(held[0]["size"], super::SIZE + 5);
        world.run(&["undo"]).expect(0);
        assert_eq!(depth(&at), levels);
        let size = |world: &World| world.json(0, &["list"])["size"].as_u64().unwrap();
        let before = size(&world);
        let document = with_descriptors(&world, 48, &["clean", "-y", kind.id(), "--json"]).expect(0).json();
        assert_freed(&document, before - size(&world));
        assert_eq!(document["freed"], super::SIZE + 5);
        assert!(!world.top().exists());
    }
}

#[test]
fn of_200000_files_in_one_folder_all_go_and_are_counted() {
    if !can("of_200000_files_in_one_folder_all_go_and_are_counted", &[Need::Root, Need::Mounts]) {
        return;
    }
    // In memory, where files are made quickly.
    let tmpfs = |root: &Path| vec![Mount::new(&["-t", "tmpfs", "-o", "mode=755,nr_inodes=0", "tmpfs"], root)];
    let world = World::on(Kind::IrDatasets, tmpfs);
    let folder = world.folder();
    for thread in (0..2).map(|half| {
        let folder = folder.clone();
        std::thread::spawn(move || {
            for number in (half..200_000).step_by(2) {
                let file = fs::File::create(folder.join(format!("{number:06}.json"))).unwrap();
                if number % 10_000 == 0 {
                    file.write_at(b"1234567", 0).unwrap();
                }
            }
        })
    }) {
        thread.join().unwrap();
    }
    let blocks = |path: &Path| -> u64 {
        let all = walkdir::WalkDir::new(path).into_iter().map(|it| it.unwrap().metadata().unwrap());
        all.filter(fs::Metadata::is_file).map(|it| it.blocks() * 512).sum()
    };
    let (size, disk) = (tree::size(&world.root), blocks(&world.root));
    assert_eq!(size, super::SIZE + super::OTHER_SIZE + 20 * 7);
    let document = with_descriptors(&world, 48, &["clean", "-y", world.kind.id(), "--json"]).expect(0).json();
    assert_freed(&document, size - tree::size(&world.root));
    assert_eq!(document["freed_disk"], disk - blocks(&world.root));
    assert!(!world.top().exists());
}
