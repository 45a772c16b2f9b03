//! Compiled code on disk: made once, healed when damaged, never needed and never trusted from where others can write.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::sandbox::{Run, Sandbox};
use crate::tree;

fn run(sandbox: &Sandbox, cache: &Path) -> Run {
    Run::of(output(sandbox, cache)).expect(0)
}

fn output(sandbox: &Sandbox, cache: &Path) -> Output {
    sandbox.command(["list", "--json"]).env("DSCC_CACHE_DIR", cache).output().unwrap()
}

/// The files with code.
fn code(cache: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(cache).into_iter().flatten().filter(|entry| entry.file_type().is_file());
    files.map(walkdir::DirEntry::into_path).collect()
}

/// What changes when a file is made again.
fn identity(file: &Path) -> (u64, i64, i64) {
    let metadata = file.metadata().unwrap();
    (metadata.ino(), metadata.mtime(), metadata.mtime_nsec())
}

#[test]
fn the_second_run_writes_nothing_and_the_folder_is_private() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let cache = sandbox.path("cache");
    let first = run(&sandbox, &cache).stdout;
    let files = code(&cache);
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].parent().unwrap().metadata().unwrap().mode() & 0o077, 0);
    let before = (tree::read(&cache), identity(&files[0]));
    assert_eq!(run(&sandbox, &cache).stdout, first);
    assert_eq!((tree::read(&cache), identity(&files[0])), before);
}

#[test]
fn damaged_code_is_made_again_and_never_run() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let cache = sandbox.path("cache");
    let answer = run(&sandbox, &cache).stdout;
    let file = &code(&cache)[0];
    let sound = fs::read(file).unwrap();
    let (half, mut header, mut middle) = (sound[..sound.len() / 2].to_vec(), sound.clone(), sound.clone());
    header[2] ^= 1;
    middle[sound.len() / 2] ^= 0xff;
    for bytes in [Vec::new(), half, header, middle] {
        fs::write(file, &bytes).unwrap();
        assert_eq!(run(&sandbox, &cache).stdout, answer);
        assert_eq!(fs::read(file).unwrap().len(), sound.len());
        assert_ne!(fs::read(file).unwrap(), bytes);
    }
}

#[test]
fn a_folder_that_cannot_be_written_costs_time_and_not_the_command() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let locked = sandbox.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    fs::write(sandbox.path("file"), "x").unwrap();
    for cache in [locked.join("cache"), locked.clone(), sandbox.path("file"), sandbox.path("file/below")] {
        let answer = {
            let mut command = sandbox.command(["show", "-q"]);
            command.env("DSCC_CACHE_DIR", &cache);
            sandbox.bound(command).expect(0)
        };
        assert_eq!((answer.stdout.as_str(), answer.stderr.as_str()), ("model/acme/a\n", ""), "{}", cache.display());
    }
    assert_eq!(tree::read(&locked).len(), 0);
}

#[test]
fn code_in_a_folder_that_others_can_write_is_not_used() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let cache = sandbox.path("cache");
    let answer = run(&sandbox, &cache).stdout;
    let file = code(&cache)[0].clone();
    let folder = file.parent().unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
    // Were it looked at, it would be healed.
    fs::write(&file, "planted").unwrap();
    assert_eq!(run(&sandbox, &cache).stdout, answer);
    assert_eq!(fs::read(&file).unwrap(), b"planted");
    assert_eq!(code(&cache).len(), 1);
}

#[test]
fn code_behind_a_link_is_not_used() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let cache = sandbox.path("cache");
    let answer = run(&sandbox, &cache).stdout;
    let file = code(&cache)[0].clone();
    let folder = file.parent().unwrap();
    let moved = sandbox.path("moved");
    fs::rename(folder, &moved).unwrap();
    std::os::unix::fs::symlink(&moved, folder).unwrap();
    let planted = moved.join(file.file_name().unwrap());
    fs::write(&planted, "planted").unwrap();
    assert_eq!(run(&sandbox, &cache).stdout, answer);
    assert_eq!(fs::read(&planted).unwrap(), b"planted");
}

#[test]
fn many_first_runs_at_once_all_succeed_and_leave_one_file() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let cache = sandbox.path("cache");
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| run(&sandbox, &cache));
        }
    });
    assert_eq!(code(&cache).len(), 1);
}
