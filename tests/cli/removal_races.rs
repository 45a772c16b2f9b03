//! Removals with a way back while somebody exchanges what they work on: folders, the root, and the folder in which things
//! wait, by the same user and by another one. `host/src/runs/tests.rs` does the same thousands of times without the
//! program around it.

use std::fs::{self, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::hub::{Hub, Repo, commit, etag};
use crate::sandbox::{Run, Sandbox, array, is_root};
use crate::tree;

const ENTRY: &str = "model/acme/a";

/// A hub with what goes and what stays, and outside what everything is exchanged for.
struct Scene {
    sandbox: Sandbox,
    hub: Hub,
    base: PathBuf,
}

impl Scene {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        hub.model("b", 30).revision('b', &[("w", 'b', 30)]);
        let victim = sandbox.outside().join("victim");
        for folder in ["", "blobs", "snapshots", "refs"] {
            fs::create_dir_all(victim.join(folder)).unwrap();
            for name in [etag('a'), etag('b'), "weights".into(), "main".into(), commit('a'), "0".into(), "1".into()] {
                let _ = fs::write(victim.join(folder).join(name), "precious");
            }
        }
        fs::create_dir_all(sandbox.path("spare")).unwrap();
        let user = rustix::process::geteuid().as_raw();
        let base = hub.root.parent().unwrap().join(format!(".dscc-quarantine-{user}"));
        Self { sandbox, hub, base }
    }

    fn build(&self) -> Repo {
        let repo = self.hub.model("a", 1000);
        repo.revision('b', &[("w", 'b', 30), ("s/x", 'a', 0)]).refs("refs/pr/1", 'b');
        repo
    }

    fn spare(&self, name: &str) -> PathBuf {
        self.sandbox.path("spare").join(name)
    }

    /// A link to something outside that is exchanged for something else; made once.
    fn link(&self, name: &str, target: &str) -> PathBuf {
        let link = self.spare(name);
        if link.symlink_metadata().is_err() {
            let _ = symlink(self.sandbox.outside().join(target), &link);
        }
        link
    }
}

fn exchange(one: &Path, two: &Path) -> bool {
    renameat_with(CWD, one, CWD, two, RenameFlags::EXCHANGE).is_ok()
}

/// One attempt to disturb, and how what it exchanged comes back to its place.
struct Disturbance {
    name: &'static str,
    attempt: fn(&Scene),
    put_right: fn(&Scene),
}

const NOTHING: fn(&Scene) = |_| {};

const DISTURBANCES: [Disturbance; 6] = [
    Disturbance {
        name: "a link for the blobs",
        attempt: |scene| {
            let blobs = scene.hub.root.join("models--acme--a/blobs");
            exchange(&blobs, &scene.link("blobs", "victim/blobs"));
        },
        put_right: NOTHING,
    },
    Disturbance {
        name: "a link for the repository",
        attempt: |scene| {
            exchange(&scene.hub.root.join("models--acme--a"), &scene.link("repository", "victim"));
        },
        put_right: NOTHING,
    },
    Disturbance {
        name: "the repository moved away and back",
        attempt: |scene| {
            let (here, there) = (scene.hub.root.join("models--acme--a"), scene.spare("away"));
            if renameat_with(CWD, &here, CWD, &there, RenameFlags::NOREPLACE).is_ok() {
                std::thread::yield_now();
                let _ = renameat_with(CWD, &there, CWD, &here, RenameFlags::NOREPLACE);
            }
        },
        put_right: NOTHING,
    },
    Disturbance {
        name: "a link for what holds all that waits",
        attempt: |scene| {
            exchange(&scene.base, &scene.link("base", "victim"));
        },
        put_right: |scene| put_right(&scene.base, &scene.spare("base")),
    },
    Disturbance {
        name: "another folder for the one that things wait in",
        attempt: |scene| {
            let Some(Ok(run)) = fs::read_dir(&scene.base).ok().and_then(|mut it| it.find(|it| is_run(it))) else { return };
            let decoy = scene.spare("decoy");
            if !decoy.exists() {
                fs::DirBuilder::new().mode(0o700).create(&decoy).unwrap();
                (0..9).for_each(|number| fs::write(decoy.join(number.to_string()), "decoy").unwrap());
            }
            if exchange(&run.path(), &decoy) {
                std::thread::yield_now();
                assert!(exchange(&run.path(), &decoy));
            }
        },
        put_right: NOTHING,
    },
    Disturbance {
        name: "a link for the root",
        attempt: |scene| {
            exchange(&scene.hub.root, &scene.link("root", "folder"));
        },
        put_right: |scene| put_right(&scene.hub.root, &scene.spare("root")),
    },
];

fn is_run(entry: &std::io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().is_ok_and(|it| it.file_type().is_ok_and(|kind| kind.is_dir()))
}

/// A folder that was exchanged for a link goes back to its place.
fn put_right(place: &Path, spare: &Path) {
    if place.is_symlink() {
        assert!(exchange(place, spare));
    } else if spare.is_dir() && !spare.is_symlink() {
        // The place was given up meanwhile, or is used anew.
        if renameat_with(CWD, spare, CWD, place, RenameFlags::NOREPLACE).is_err() {
            fs::remove_file(spare.join("CACHEDIR.TAG")).unwrap();
            fs::remove_dir(spare).unwrap();
        }
    }
}

/// While `work` runs, disturbs it again and again.
fn during(scene: &Scene, disturbance: &Disturbance, work: impl FnOnce()) -> u32 {
    let (stop, times) = (AtomicBool::new(false), AtomicU32::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                (disturbance.attempt)(scene);
                times.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_micros(50));
            }
        });
        let _stopped = Stopped(&stop);
        work();
    });
    (disturbance.put_right)(scene);
    times.into_inner()
}

/// Sets the flag when it goes, also when an assertion fails.
struct Stopped<'a>(&'a AtomicBool);

impl Drop for Stopped<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// What the commands are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Clean,
    Undone,
    Discarded,
    NoRecord,
}

const WAYS: [Way; 4] = [Way::Clean, Way::Undone, Way::Discarded, Way::NoRecord];

/// The run said what it did: success only where nothing failed, and no more bytes than there are.
fn assert_honest(run: &Run, what: &str) {
    assert!([0, 1, 3, 5].contains(&run.status), "{what}: {}: {}", run.status, run.text());
    if run.stdout.is_empty() {
        assert!(run.status != 0 && !run.stderr.is_empty(), "{what}: {}", run.text());
        return;
    }
    let document = run.json();
    let count = |key: &str| document[key].as_array().map_or(0, Vec::len);
    if run.status == 0 {
        assert_eq!((count("failed"), count("left")), (0, 0), "{what}: {document:#}");
    } else {
        assert!(count("failed") + count("left") + count("keep") + count("errors") > 0, "{what}: {document:#}");
    }
    // A revision and a repository weigh at most this.
    assert!(document["freed"].as_u64().unwrap_or(0) < 2000, "{what}: {document:#}");
}

fn play(scene: &Scene, way: Way, what: &str) {
    let run = |args: &[&str]| assert_honest(&scene.sandbox.dscc(args.iter().chain(&["--json"])), what);
    match way {
        Way::Clean => run(&["clean", "-y", ENTRY, "--force", "needed"]),
        Way::NoRecord => run(&["clean", "-y", ENTRY, "--no-record"]),
        Way::Undone => {
            run(&["clean", "-y", ENTRY, "--keep-undo"]);
            run(&["undo"]);
        }
        Way::Discarded => {
            run(&["clean", "-y", ENTRY, "--keep-undo"]);
            run(&["undo", "--discard", "-y"]);
        }
    }
}

/// Folders and records that dscc has made and not removed.
fn left(scene: &Scene) -> Vec<PathBuf> {
    let all = walkdir::WalkDir::new(scene.sandbox.path("")).into_iter().map(|it| it.unwrap().into_path());
    let is_record = |path: &Path| path.extension().is_some_and(|it| it == "jsonl") && path.to_string_lossy().contains("runs");
    let is_base = |path: &Path| path.file_name().is_some_and(|it| it.to_string_lossy().starts_with(".dscc-"));
    all.filter(|path| is_record(path) || is_base(path)).collect()
}

/// After all is quiet, one more run brings everything to an end.
fn bring_to_an_end(scene: &Scene, what: &str) {
    // As a person would who is told that something is in the way.
    let place = scene.hub.root.join("models--acme--a");
    if !left(scene).is_empty() && place.symlink_metadata().is_ok() {
        fs::rename(&place, scene.spare("in-the-way")).unwrap();
    }
    let mut said = String::new();
    for args in [&["clean", "-y", ENTRY, "--force", "needed"][..], &["undo", "--discard", "-y"]] {
        let run = scene.sandbox.dscc(args);
        said += &run.text();
        assert!([0, 5].contains(&run.status), "{what}: {args:?}: {}: {}", run.status, run.text());
    }
    if !left(scene).is_empty() {
        // What was emptied while it was elsewhere goes with the next run that uses it.
        scene.build();
        scene.sandbox.dscc(["clean", "-y", ENTRY]).expect(0);
    }
    assert_eq!(left(scene), [PathBuf::new(); 0], "{what}: {said}");
}

#[test]
fn whatever_is_exchanged_during_a_removal_nothing_outside_changes_and_one_more_run_ends_it() {
    let asked = std::env::var("DSCC_RACE_SECONDS").ok().and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let (mut rounds, mut times) = (0, 0);
    for disturbance in &DISTURBANCES {
        let scene = Scene::new();
        let outside = tree::read(&scene.sandbox.outside());
        let kept = tree::read(&scene.hub.root.join("models--acme--b"));
        let begun = Instant::now();
        let mut round = 0;
        while round < WAYS.len() || asked.is_some_and(|asked| begun.elapsed() < asked / 6) {
            let way = WAYS[round % WAYS.len()];
            let what = format!("{}, {way:?}, round {round}", disturbance.name);
            scene.build();
            times += during(&scene, disturbance, || play(&scene, way, &what));
            bring_to_an_end(&scene, &what);
            assert_eq!(tree::read(&scene.sandbox.outside()), outside, "{what}");
            assert_eq!(tree::read(&scene.hub.root.join("models--acme--b")), kept, "{what}");
            // What is left of this round is not exchanged in the next one.
            for leftover in fs::read_dir(scene.sandbox.path("spare")).unwrap() {
                discard(&leftover.unwrap().path());
            }
            discard(&scene.hub.root.join("models--acme--a"));
            round += 1;
        }
        rounds += round;
    }
    assert!(times > 100, "{rounds} rounds, disturbed {times} times");
}

/// Removes whatever has this name, and never what a link there leads to.
fn discard(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}

/// Whether a test that only root can run is run; if not, it says so past the capture of the test runner.
fn only_root(name: &str) -> bool {
    if !is_root() {
        assert!(std::env::var_os("DSCC_TESTS_MUST_RUN").is_none(), "{name} must run here, as root");
        let _ = writeln!(std::io::stderr(), "skipped: {name}: only root may be another user");
    }
    is_root()
}

const OTHER: u32 = 65_534;

/// A hub in a folder that everybody may write to, where another user can come first.
fn shared(mode: u32) -> (Sandbox, Hub, PathBuf) {
    let sandbox = Sandbox::new();
    let shared = sandbox.path("shared");
    let hub = Hub::at(shared.join("hub"));
    hub.model("a", 1000);
    for (folder, mode) in [(sandbox.path(""), 0o711), (shared.clone(), mode)] {
        fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
    }
    let base = shared.join(".dscc-quarantine-0");
    (sandbox, hub, base)
}

#[test]
fn where_another_user_came_first_things_wait_in_the_root_and_theirs_is_left_alone() {
    if !only_root("where_another_user_came_first_things_wait_in_the_root_and_theirs_is_left_alone") {
        return;
    }
    for (mode, kind) in [(0o1777, "folder"), (0o1777, "link"), (0o1777, "file"), (0o777, "nothing"), (0o777, "folder")] {
        let (sandbox, hub, base) = shared(mode);
        match kind {
            "folder" => fs::create_dir(&base).unwrap(),
            "link" => symlink(sandbox.outside(), &base).unwrap(),
            "file" => fs::write(&base, "theirs").unwrap(),
            _ => {}
        }
        if kind != "nothing" {
            std::os::unix::fs::lchown(&base, Some(OTHER), Some(OTHER)).unwrap();
        }
        let all = tree::read(&sandbox.path(""));
        let root = format!("hub={}", hub.root.display());
        sandbox.dscc(["clean", "-y", ENTRY, "--keep-undo", "--root", &root]).expect(0);
        // Among the locks, where the library does not look for repositories.
        assert!(hub.exists(".locks/.dscc-quarantine-0") && !hub.exists("models--acme--a"), "{mode:o} {kind}");
        sandbox.dscc(["undo"]).expect(0);
        assert_eq!(tree::read(&sandbox.path("")), all, "{mode:o} {kind}");
    }
}

/// Makes and moves what it can, as another user, until this goes.
struct Attacker(Child);

impl Attacker {
    fn new(base: &Path, hub: &Hub, outside: &Path) -> Self {
        let script = r#"cd "$1"; mkdir -p own; while :; do
            ln -s "$3" "$2"; mv -T "$2" own/link; mkdir "$2"; mv -T "$2" own/folder; rm -rf own/*
            mv -T hub away; ln -s "$3" hub; rm -f hub; mv -T away hub
        done 2>/dev/null"#;
        let folder = base.parent().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args([folder, base, outside]).uid(OTHER).gid(OTHER);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
        let _ = hub;
        Self(child.unwrap())
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        if let Some(group) = rustix::process::Pid::from_raw(self.0.id().cast_signed()) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

#[test]
fn another_user_in_a_shared_folder_cannot_lead_a_removal_or_an_undo_astray() {
    if !only_root("another_user_in_a_shared_folder_cannot_lead_a_removal_or_an_undo_astray") {
        return;
    }
    for mode in [0o1777, 0o777] {
        let (sandbox, hub, base) = shared(mode);
        let outside = tree::read(&sandbox.outside());
        let root = format!("hub={}", hub.root.display());
        {
            let _attacker = Attacker::new(&base, &hub, &sandbox.outside());
            for round in 0..5 {
                for args in [&["clean", "-y", ENTRY, "--keep-undo", "--root", &root][..], &["undo"]] {
                    let run = sandbox.dscc(args);
                    assert!([0, 1, 2, 3, 5].contains(&run.status), "{mode:o} {round}: {}: {}", run.status, run.text());
                }
            }
        }
        let (away, place) = (sandbox.path("shared/away"), sandbox.path("shared/hub"));
        if away.is_dir() {
            let _ = fs::remove_file(&place);
            fs::rename(away, place).unwrap();
        }
        assert_eq!(tree::read(&sandbox.outside()), outside, "{mode:o}");
        // Undone or not yet, it is whole.
        let run = sandbox.dscc(["undo"]);
        assert!([0, 5].contains(&run.status), "{mode:o}: {}", run.text());
        assert_eq!(fs::metadata(hub.root.join("models--acme--a/blobs").join(etag('a'))).unwrap().len(), 1000);
        assert!(hub.root.join("models--acme--a/refs/main").exists());
        assert!(!hub.exists(".dscc-quarantine-0") && !hub.exists(".locks/.dscc-quarantine-0"));
    }
}

#[test]
fn records_that_others_could_write_are_not_followed_and_none_is_begun_there() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    sandbox.dscc(["clean", "-y", ENTRY, "--keep-undo"]).expect(0);
    hub.model("b", 10);
    let records = sandbox.home().join(".local/state/dscc/runs");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    for (path, mode) in [(&records, 0o777), (&record, 0o622)] {
        let before = fs::metadata(path).unwrap().permissions();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        let all = tree::read(&sandbox.path(""));
        let run = sandbox.dscc(["undo"]).expect(5);
        assert!(run.stderr.contains("not yours alone"), "{}", run.text());
        if path == &records {
            let run = sandbox.dscc(["clean", "-y", "model/acme/b"]).expect(1);
            assert!(run.stderr.contains("nothing was removed") && run.stderr.contains("DSCC_STATE_DIR"), "{}", run.text());
        }
        assert_eq!(tree::read(&sandbox.path("")), all);
        fs::set_permissions(path, before).unwrap();
    }
    if is_root() {
        chown(&record, Some(OTHER), None).unwrap();
        sandbox.dscc(["undo"]).expect(5);
        chown(&record, Some(0), None).unwrap();
    }
    sandbox.dscc(["undo"]).expect(0);
    assert!(hub.exists("models--acme--a"));
}

#[test]
fn what_waits_on_a_disk_that_is_not_there_is_not_forgotten() {
    let sandbox = Sandbox::new();
    let hub = Hub::at(sandbox.path("disk/cache/hub"));
    hub.model("a", 1000);
    let before = tree::read(&hub.root);
    let root = format!("hub={}", hub.root.display());
    sandbox.dscc(["clean", "-y", ENTRY, "--keep-undo", "--root", &root]).expect(0);
    fs::rename(sandbox.path("disk"), sandbox.path("unplugged")).unwrap();
    fs::create_dir(sandbox.path("disk")).unwrap();
    let run = sandbox.dscc(["undo"]).expect(1);
    assert!(run.stderr.contains("cannot be opened"), "{}", run.text());
    assert_eq!(array(&sandbox.json(["list"]), "held").len(), 1);
    fs::remove_dir(sandbox.path("disk")).unwrap();
    fs::rename(sandbox.path("unplugged"), sandbox.path("disk")).unwrap();
    sandbox.dscc(["undo"]).expect(0);
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn what_was_deleted_by_hand_while_it_waited_is_told_and_the_run_can_be_forgotten() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    sandbox.dscc(["clean", "-y", ENTRY, "--keep-undo"]).expect(0);
    let base = fs::read_dir(hub.root.parent().unwrap()).unwrap().map(|it| it.unwrap().path());
    let base = base.into_iter().find(|it| it.to_string_lossy().contains(".dscc-quarantine")).unwrap();
    fs::remove_dir_all(base).unwrap();
    let run = sandbox.dscc(["undo"]).expect(1);
    assert!(run.stderr.contains("not there any more"), "{}", run.text());
    sandbox.dscc(["undo", "--discard", "-y"]).expect(0);
    sandbox.dscc(["undo"]).expect(5);
}
