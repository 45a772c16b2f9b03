//! Compiled code on disk: made once, healed when damaged, never needed and never trusted from where others can write.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::plugins::{codes, lib};
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
    files.map(walkdir::DirEntry::into_path).filter(|path| path.extension().is_none()).collect()
}

/// What is known of the code in such a file.
fn seal(code: &Path) -> PathBuf {
    code.with_extension("seal")
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
    let written = || {
        // Once the code is settled, that is noted.
        let name = seal(&files[0]).file_name().unwrap().to_owned();
        let tree = tree::read(&cache).into_iter().filter(|(path, _)| path.file_name() != Some(&name));
        (tree.collect::<Vec<_>>(), identity(&files[0]))
    };
    let before = written();
    assert_eq!(run(&sandbox, &cache).stdout, first);
    assert_eq!(written(), before);
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
    for text in ["", "dscc-code 1\n", "planted"] {
        fs::write(seal(file), text).unwrap();
        assert_eq!(run(&sandbox, &cache).stdout, answer);
        assert_ne!(fs::read_to_string(seal(file)).unwrap(), text);
    }
}

/// Neither the time of its last change nor its size tells on such a file.
fn damage_unnoticed(file: &Path) {
    let time = file.metadata().unwrap().modified().unwrap();
    let mut bytes = fs::read(file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    fs::write(file, bytes).unwrap();
    fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

#[test]
fn what_was_read_when_it_was_settled_is_read_again_when_it_changed() {
    let sandbox = Sandbox::new();
    sandbox.fill("lib");
    let bytes = sandbox.install("lib", &lib("lib", "1.0.0"));
    let cache = sandbox.path("cache");
    let answer = run(&sandbox, &cache).stdout;
    std::thread::sleep(Duration::from_millis(3100));
    assert_eq!(run(&sandbox, &cache).stdout, answer);
    let file = &code(&cache)[0];
    let text = fs::read_to_string(seal(file)).unwrap();
    assert!(text.lines().all(|line| line != "-"), "both are known now: {text}");
    let settled = identity(file);
    assert_eq!(run(&sandbox, &cache).stdout, answer);
    assert_eq!((identity(file), fs::read_to_string(seal(file)).unwrap()), (settled, text));
    damage_unnoticed(file);
    assert_eq!(run(&sandbox, &cache).stdout, answer);
    assert_ne!(identity(file), settled, "it was made again");
    damage_unnoticed(&sandbox.installed_component(&bytes));
    let listed = Run::of(output(&sandbox, &cache)).expect(1).json();
    assert_eq!(codes(&listed, "errors"), ["plugin-changed"]);
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
