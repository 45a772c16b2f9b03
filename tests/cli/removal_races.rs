//! Removals with a way back while somebody exchanges what they work on: folders, the root, and the folder in which things
//! wait. `host/src/runs/tests.rs` does the same thousands of times without the program around it.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::hub::{Hub, Repo, commit, etag};
use crate::sandbox::{Run, Sandbox};
use crate::tree;

pub const ENTRY: &str = "model/acme/a";

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
            let Some(Ok(run)) = fs::read_dir(&scene.base).ok().and_then(|mut it| it.find(is_run)) else {
                return;
            };
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

/// After all is quiet, one more run brings everything to an end.
fn bring_to_an_end(scene: &Scene, what: &str) {
    // As a person would who is told that something is in the way.
    let place = scene.hub.root.join("models--acme--a");
    if !scene.sandbox.leftovers().is_empty() && place.symlink_metadata().is_ok() {
        fs::rename(&place, scene.spare("in-the-way")).unwrap();
    }
    let mut said = String::new();
    for args in [&["clean", "-y", ENTRY, "--force", "needed"][..], &["undo", "--discard", "-y"]] {
        let run = scene.sandbox.dscc(args);
        said += &run.text();
        assert!([0, 5].contains(&run.status), "{what}: {args:?}: {}: {}", run.status, run.text());
    }
    if !scene.sandbox.leftovers().is_empty() {
        // What was emptied while it was elsewhere goes with the next run that uses it.
        scene.build();
        scene.sandbox.dscc(["clean", "-y", ENTRY]).expect(0);
    }
    assert_eq!(scene.sandbox.leftovers(), Vec::<PathBuf>::new(), "{what}: {said}");
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
    assert!(times > 20, "{rounds} rounds, disturbed {times} times");
}

/// Removes whatever has this name, and never what a link there leads to.
fn discard(path: &Path) {
    let _ = fs::remove_file(path).or_else(|_| fs::remove_dir_all(path));
}
