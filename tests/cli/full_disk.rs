//! A full disk, which is when a cleaner is needed most: the reserve carries record and journal, and without it nothing
//! is touched, and `--no-record` is named. On ext4 and on tmpfs; with dscc's state on the full disk, with the cache on
//! it, and with both.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::hub::Hub;
use crate::privileges::{Mount, Need, can, make_ext4};
use crate::sandbox::{Run, Sandbox, array};
use crate::tree;

/// So much does each model weigh.
const MODEL: u64 = 3 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ext4,
    Tmpfs,
}

/// What is on the disk that will be full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    State,
    Cache,
    Both,
}

struct World {
    hub: Hub,
    state: PathBuf,
    disk: PathBuf,
    // In this order: what is mounted goes before what it is mounted on.
    _mount: Mount,
    sandbox: Sandbox,
}

impl World {
    fn new(kind: Kind, on: On) -> Self {
        let sandbox = Sandbox::new();
        let disk = sandbox.path("disk");
        fs::create_dir(&disk).unwrap();
        let mount = match kind {
            Kind::Tmpfs => Mount::new(&["-t", "tmpfs", "-o", "mode=755,size=24m", "tmpfs"], &disk),
            Kind::Ext4 => {
                let image = sandbox.path("image");
                assert!(make_ext4(&image, 32));
                Mount::new(&["-o", "loop", image.to_str().unwrap()], &disk)
            }
        };
        let place = |full: bool, name: &str| if full { disk.join(name) } else { sandbox.home().join(name) };
        let hub = Hub::at(place(on != On::State, "hub"));
        let state = place(on != On::Cache, "state");
        for name in ["first", "second", "third"] {
            hub.model(name, MODEL as usize);
        }
        let world = Self { hub, state, disk, _mount: mount, sandbox };
        // There is room still, for the reserve too.
        world.run(&["clean", "-y", "model/acme/first"]).expect(0);
        assert!(world.reserve() >= 1 << 20, "{kind:?} {on:?}");
        world
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let mut command = self.sandbox.command(arguments);
        command.env("DSCC_STATE_DIR", &self.state).env("HF_HUB_CACHE", &self.hub.root);
        Run::of(command.output().unwrap())
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.run(&[arguments, &["--json"]].concat()).expect(0).json()
    }

    /// Not a byte is left, and no block for a folder.
    fn fill(&self) {
        for number in 0..3 {
            let mut file = File::create(self.disk.join(format!("antique{number}"))).unwrap();
            for size in [1 << 16, 1 << 12, 1] {
                while file.write_all(&vec![1; size]).is_ok() {}
            }
            // What the file system held back for itself comes free again.
            self.sync();
        }
        assert!(fs::write(self.disk.join("antique"), [1; 4096]).is_err(), "{} bytes are free", self.free());
    }

    fn sync(&self) {
        let done = Command::new("sync").arg("-f").arg(&self.disk).status().unwrap();
        assert!(done.success());
    }

    fn free(&self) -> u64 {
        self.sync();
        let stat = rustix::fs::statvfs(&self.disk).unwrap();
        stat.f_bfree * stat.f_frsize
    }

    /// Bytes that the reserve has.
    fn reserve(&self) -> u64 {
        use std::os::unix::fs::MetadataExt as _;
        self.state.join("reserve").metadata().map_or(0, |it| it.blocks() * 512)
    }

    fn is_there(&self, name: &str) -> bool {
        self.hub.exists(format!("models--acme--{name}/snapshots"))
    }

    /// The last run, as the journal tells it.
    fn last(&self) -> Value {
        array(&self.json(&["history"]), "runs").remove(0)
    }

    /// Nothing goes, and what would help is said.
    #[track_caller]
    fn assert_refused(&self, arguments: &[&str]) {
        let (before, free) = (tree::read(&self.hub.root), self.free());
        let run = self.run(arguments).expect(1);
        assert!(run.stderr.contains("--no-record") && run.stderr.contains("no undo"), "{}", run.text());
        assert_eq!(tree::read(&self.hub.root), before);
        assert!(!self.sandbox.is_anything_held() && self.free() >= free, "{} bytes were free", free);
    }

    /// What frees space when nothing else does.
    #[track_caller]
    fn assert_goes_without_record(&self, on: On) {
        let before = self.free();
        let run = self.run(&["clean", "-y", "model/acme/second", "--no-record"]).expect(0);
        assert!(run.stderr.contains("There is no undo"), "{}", run.text());
        assert!(!self.is_there("second") && self.is_there("third") && !self.sandbox.is_anything_held());
        if on != On::State {
            // The reserve is made again where there is room.
            assert!(self.free() + self.reserve() >= before + MODEL - (64 << 10), "{} {}", before, self.free());
            assert!(self.free() > before + (1 << 20));
            assert_eq!(self.last()["state"], "done");
        }
    }
}

/// A test for each kind of file system.
fn on_each(name: &str, test: fn(Kind)) {
    if can(name, &[Need::Root, Need::Mounts, Need::Ext4]) {
        [Kind::Ext4, Kind::Tmpfs].into_iter().for_each(test);
    }
}

#[test]
fn the_reserve_carries_record_and_journal_where_the_disk_is_full() {
    on_each("the_reserve_carries_record_and_journal_where_the_disk_is_full", |kind| {
        for on in [On::State, On::Both] {
            let world = World::new(kind, on);
            world.fill();
            let before = world.free() + world.reserve();
            let document = world.json(&["clean", "-y", "model/acme/second"]);
            assert_eq!((&document["freed"], array(&document, "errors").len()), (&document["expected"], 0));
            assert!(!world.is_there("second") && world.is_there("third") && !world.sandbox.is_anything_held());
            let last = world.last();
            assert_eq!((&last["state"], &last["freed"]), (&json!("done"), &document["freed"]), "{kind:?} {on:?}");
            assert_eq!(array(&world.json(&["history"]), "runs").len(), 2);
            let after = world.free() + world.reserve();
            if on == On::Both {
                assert!(after >= before + MODEL - (64 << 10) && world.free() >= MODEL - (64 << 10), "{before} {after}");
                assert!(world.reserve() >= 1 << 20, "it is ready for the next time");
            } else {
                assert!(after + (64 << 10) >= before && world.reserve() >= 1 << 19, "{before} {after}");
            }
        }
    });
}

#[test]
fn on_a_full_disk_what_is_kept_for_undo_comes_back_or_is_deleted() {
    on_each("on_a_full_disk_what_is_kept_for_undo_comes_back_or_is_deleted", |kind| {
        for on in [On::State, On::Both] {
            let world = World::new(kind, on);
            world.fill();
            let before = tree::read(&world.hub.root);
            let held = world.json(&["clean", "-y", "model/acme/second", "--keep-undo"]);
            assert!(!world.is_there("second") && held["freed"] == 0);
            assert_eq!((&world.last()["state"], &world.last()["waits"]), (&json!("held"), &json!(true)));
            world.fill(); // and somebody took what the reserve had left
            world.run(&["undo"]).expect(0);
            assert_eq!(tree::read(&world.hub.root), before, "{kind:?} {on:?}");
            assert_eq!(world.last()["state"], "undone");
            assert!(!world.sandbox.is_anything_held());
        }
        let world = World::new(kind, On::Both);
        world.fill();
        world.json(&["clean", "-y", "model/acme/second", "--keep-undo"]);
        world.fill();
        let freed = world.json(&["undo", "--discard", "-y"]);
        assert!(freed["freed"].as_u64().unwrap() >= MODEL && !world.sandbox.is_anything_held(), "{freed:#}");
        assert!(world.free() + world.reserve() >= MODEL - (64 << 10));
        assert_eq!(world.last()["state"], "discarded");
    });
}

#[test]
fn without_the_reserve_nothing_is_touched_on_a_full_disk_unless_without_a_record() {
    on_each("without_the_reserve_nothing_is_touched_on_a_full_disk_unless_without_a_record", |kind| {
        for on in [On::State, On::Both] {
            let world = World::new(kind, on);
            fs::remove_file(world.state.join("reserve")).unwrap();
            world.fill();
            world.assert_refused(&["clean", "-y", "model/acme/second"]);
            world.assert_refused(&["clean", "-y", "model/acme/second", "--keep-undo"]);
            world.assert_goes_without_record(on);
        }
    });
}

#[test]
fn where_the_cache_is_on_a_full_disk_and_there_is_no_room_for_what_waits_nothing_is_touched() {
    on_each("where_the_cache_is_on_a_full_disk_and_there_is_no_room_for_what_waits_nothing_is_touched", |kind| {
        let world = World::new(kind, On::Cache);
        world.fill();
        if kind == Kind::Ext4 {
            world.assert_refused(&["clean", "-y", "model/acme/second"]);
            assert_eq!(world.last()["state"], "partly");
            world.assert_goes_without_record(On::Cache);
        } else {
            // Folders take no room there.
            world.json(&["clean", "-y", "model/acme/second"]);
            assert!(world.free() >= MODEL && world.is_there("third") && !world.sandbox.is_anything_held());
            assert_eq!(world.last()["state"], "done");
        }
    });
}

#[test]
fn a_record_that_the_reserve_cannot_carry_stops_the_run_before_anything_is_touched() {
    on_each("a_record_that_the_reserve_cannot_carry_stops_the_run_before_anything_is_touched", |kind| {
        let world = World::new(kind, On::State);
        (0..300).for_each(|number| drop(world.hub.model(&format!("m{number}"), 1)));
        fs::write(world.state.join("reserve"), vec![1; 1 << 16]).unwrap();
        world.fill();
        world.assert_refused(&["clean", "-y", "--all"]);
        assert!(fs::read_dir(world.state.join("runs")).unwrap().next().is_none(), "half a record is none");
        // A smaller one goes.
        world.json(&["clean", "-y", "model/acme/second"]);
        assert!(!world.is_there("second") && world.is_there("m0"));
        assert_eq!(world.last()["state"], "done");
    });
}

#[test]
fn a_first_run_on_a_full_disk_is_refused_and_leaves_nothing() {
    on_each("a_first_run_on_a_full_disk_is_refused_and_leaves_nothing", |kind| {
        let world = World::new(kind, On::Both);
        fs::remove_dir_all(&world.state).unwrap();
        world.fill();
        let before = tree::read(&world.disk);
        if kind == Kind::Ext4 {
            world.assert_refused(&["clean", "-y", "model/acme/second"]);
            assert_eq!(tree::read(&world.disk), before);
        }
        world.assert_goes_without_record(On::Both);
        assert!(world.reserve() > 0, "there is room for it now");
    });
}
