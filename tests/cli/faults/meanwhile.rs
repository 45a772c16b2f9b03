//! What the system says no to in the middle of a removal, although nothing could be known before: `strace` makes each such
//! answer. And what is gone already when its turn comes.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use super::mounts::waiting;
use super::{KINDS, Kind, SIZE, World, array, assert_freed};
use crate::privileges::{Mark, Mount, Need, can};
use crate::sandbox::Run;
use crate::tree;

/// Runs the program, with some of its system calls answered by an error.
fn injected(world: &World, inject: &str, args: &[&str]) -> Run {
    Run::of(under_strace(world, inject, args).output().unwrap())
}

fn under_strace(world: &World, inject: &str, args: &[&str]) -> Command {
    let model = world.command(&[&["clean", "-y", "--json"], args].concat());
    let mut command = Command::new("strace");
    let trace = format!("trace={}", inject.split_once(':').unwrap().0);
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &format!("inject={inject}")]);
    command.arg(model.get_program()).args(model.get_args()).env_clear();
    command.envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(world.sandbox.home()).stdin(Stdio::null());
    command
}

/// Errors and what is said of them.
const ERRORS: [(&str, &str); 8] = [
    ("EBUSY", "the system is using it"),
    ("EPERM", "not permitted"),
    ("EACCES", "permission denied"),
    ("EROFS", "mounted read-only"),
    ("ETXTBSY", "a program that is running"),
    ("ESTALE", "stale handle"),
    ("EDQUOT", "quota is full"),
    ("EIO", "input/output error"),
];

/// What is said of the first thing that was to go and is still there.
#[track_caller]
fn first_failure(document: &Value) -> (String, String) {
    let row = &array(document, "failed")[0];
    (row["path"].as_str().unwrap().to_owned(), row["message"].as_str().unwrap().to_owned())
}

/// Asserts that nothing of ours is left, and the neighbour is whole.
#[track_caller]
fn assert_clean(world: &World, other: &tree::Tree) {
    assert_eq!(tree::read(&world.root.join(world.kind.tops()[1])), *other);
    let of_ours = |path: &std::path::PathBuf| path.to_str().unwrap().contains("dscc-quarantine");
    let all = world.all();
    assert!(!all.keys().any(of_ours), "{all:#?}");
}

#[test]
fn what_cannot_be_deleted_is_told_with_its_place_and_the_next_run_goes_on() {
    let name = "what_cannot_be_deleted_is_told_with_its_place_and_the_next_run_goes_on";
    if !can(name, &[Need::Tool("strace")]) {
        return;
    }
    for ((errno, words), kind) in ERRORS.into_iter().zip(KINDS.into_iter().cycle()) {
        let world = World::new(kind);
        let other = tree::read(&world.root.join(kind.tops()[1]));
        let size = tree::size(&world.root);
        let document = injected(&world, &format!("unlinkat:error={errno}"), &[kind.id()]).expect(1).json();
        let (path, message) = first_failure(&document);
        assert!(path.starts_with(kind.tops()[0]) && message.contains(words), "{path}: {message}");
        assert!(message.contains("dscc undo --discard"), "{message}");
        assert_eq!((&document["freed"], array(&document, "remove").is_empty()), (&0.into(), false));
        assert!(!world.top().exists() && !world.is_listed(kind.id()));
        let held = array(&world.json(0, &["list"]), "held");
        assert_eq!(held[0]["size"], size - tree::size(&world.root), "{held:#?}");
        if errno == "EIO" {
            let freed = world.json(0, &["undo", "--discard", "-y"]);
            assert_eq!(freed["freed"], size - tree::size(&world.root));
        }
        world.run(&["clean", "-y", kind.id()]).expect(5);
        assert_clean(&world, &other);
    }
}

#[test]
fn what_cannot_be_put_aside_stays_whole_and_goes_with_the_next_run() {
    if !can("what_cannot_be_put_aside_stays_whole_and_goes_with_the_next_run", &[Need::Tool("strace")]) {
        return;
    }
    for (at, ((errno, words), kind)) in ERRORS.into_iter().zip(KINDS.into_iter().cycle()).enumerate() {
        let world = World::new(kind);
        let before = world.all();
        // Of a repository, the second move is one of several of its revision: the first is taken back then.
        let when = if kind == Kind::Hub && at % 4 == 0 { 2 } else { 1 };
        let inject = format!("renameat2:error={errno}:when={when}");
        let document = injected(&world, &inject, &[kind.id()]).expect(1).json();
        let (path, message) = first_failure(&document);
        assert!(path.starts_with(kind.tops()[0]) && message.contains(words), "{path}: {message}");
        assert_eq!(document["freed"], 0);
        assert_eq!(world.all(), before);
        world.assert_goes(&[]);
    }
}

#[test]
fn a_file_system_that_cannot_rename_without_replacing_is_cleaned_too() {
    if !can("a_file_system_that_cannot_rename_without_replacing_is_cleaned_too", &[Need::Tool("strace")]) {
        return;
    }
    for kind in KINDS {
        let world = World::new(kind);
        let size = tree::size(&world.root);
        let document = injected(&world, "renameat2:error=EINVAL", &[kind.id()]).expect(0).json();
        assert_freed(&document, size - tree::size(&world.root));
        assert!(!world.top().exists());
    }
}

/// Runs the program, and does something when all is planned and nothing is moved yet.
fn interrupted(world: &World, args: &[&str], meanwhile: impl FnOnce()) -> Run {
    let mut child = under_strace(world, "mkdirat:signal=STOP:when=1", args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let made = waiting(world.root.parent().unwrap());
    while !made.exists() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    meanwhile();
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    for pid in children.split_whitespace().filter_map(|pid| rustix::process::Pid::from_raw(pid.parse().ok()?)) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::CONT);
    }
    Run::of(child.wait_with_output().unwrap())
}

#[test]
fn what_went_by_itself_meanwhile_counts_as_gone_and_not_as_freed() {
    if !can("what_went_by_itself_meanwhile_counts_as_gone_and_not_as_freed", &[Need::Tool("strace")]) {
        return;
    }
    for kind in KINDS {
        for whole in [false, true] {
            let world = World::new(kind);
            let other = tree::read(&world.root.join(kind.tops()[1]));
            let vanish =
                || if whole { fs::remove_dir_all(world.top()) } else { fs::remove_file(world.file()) }.unwrap();
            let document = interrupted(&world, &[kind.id()], vanish).expect(0).json();
            let left = if whole || kind == Kind::IrDatasets { 0 } else { 40 };
            assert_eq!((&document["expected"], &document["freed"]), (&SIZE.into(), &left.into()), "{document:#}");
            assert_eq!(array(&document, "failed"), Vec::<Value>::new());
            assert!(!world.top().exists());
            assert_clean(&world, &other);
        }
    }
}

#[test]
fn what_was_marked_or_mounted_meanwhile_stays_and_is_told() {
    let name = "what_was_marked_or_mounted_meanwhile_stays_and_is_told";
    if !can(name, &[Need::Root, Need::Mounts, Need::Marks, Need::Tool("strace")]) {
        return;
    }
    for kind in KINDS {
        let world = World::new(kind);
        let other = tree::read(&world.root.join(kind.tops()[1]));
        let mut marked = None;
        let run = interrupted(&world, &[kind.id()], || marked = Some(Mark::new('i', &world.file())));
        let (path, message) = first_failure(&run.expect(1).json());
        assert_eq!(world.root.join(path), world.file());
        assert!(message.contains("chattr -i -a") && message.contains("dscc undo --discard"), "{message}");
        // It is no part of the cache any more, and can be told by the list.
        assert!(!world.is_listed(kind.id()));
        let left = world.run(&["undo", "--discard", "-y"]).expect(1);
        assert!(left.stderr.contains("chattr -i -a"), "{}", left.text());
        let place = waiting(world.root.parent().unwrap());
        let all = walkdir::WalkDir::new(&place).into_iter().map(|it| it.unwrap().into_path());
        let file = all.into_iter().find(|path| path.ends_with(kind.inside().1)).unwrap();
        drop(Mark::new('i', &file));
        world.run(&["undo", "--discard", "-y"]).expect(0);
        assert_clean(&world, &other);
        drop(marked);
    }
    for kind in KINDS {
        let world = World::new(kind);
        fs::create_dir(world.folder().join("mount")).unwrap();
        let mut mount = None;
        let mounted = |mount: &mut Option<Mount>| {
            let at = world.folder().join("mount");
            *mount = Some(Mount::new(&["--bind", world.sandbox.outside().to_str().unwrap()], &at));
        };
        let outside = tree::read(&world.sandbox.outside());
        let document = interrupted(&world, &[kind.id()], || mounted(&mut mount)).expect(1).json();
        let (path, message) = first_failure(&document);
        assert_eq!(world.root.join(path), world.folder().join("mount"));
        assert!(message.contains("it is on another file system"), "{message}");
        assert_eq!(tree::read(&world.sandbox.outside()), outside);
        let place = waiting(world.root.parent().unwrap());
        let all = walkdir::WalkDir::new(&place).into_iter().map(|it| it.unwrap().into_path());
        let moved = all.into_iter().find(|path| path.ends_with("mount")).unwrap();
        assert!(Command::new("umount").arg(&moved).status().unwrap().success());
        world.run(&["clean", "-y", kind.id()]).expect(5);
        assert_eq!(tree::read(&world.sandbox.outside()), outside);
        assert!(!place.exists());
    }
}

#[test]
fn a_program_that_runs_from_the_cache_stays_and_goes_when_it_has_ended() {
    let sleep = ["/bin/sleep", "/usr/bin/sleep"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    for kind in KINDS {
        let world = World::new(kind);
        let program = world.file();
        fs::copy(fs::canonicalize(sleep).unwrap(), &program).unwrap();
        // Some systems have one program for many names.
        let mut running = Command::new(&program).arg0("sleep").arg("300").spawn().unwrap();
        let process = format!("(process {})", running.id());
        world.assert_stays(&program, &["is used by", &process, "--force in-use"]);
        running.kill().unwrap();
        running.wait().unwrap();
        world.assert_goes(&[]);
    }
}
