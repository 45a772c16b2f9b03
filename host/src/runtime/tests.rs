//! Files whose bytes were read before are not read again; any change of them is.

#![cfg(unix)]

use std::cell::Cell;
use std::fs::{self, File};
use std::path::Path;

use super::stamp::Stamp;
use super::{Limits, Plugin, PluginError, PluginErrorKind, Runtime, digest};

const COMPONENT: &[u8] = include_bytes!("../../versions/plugin-0.1.wasm");

/// A component file, and compiled code beside it.
struct World {
    dir: tempfile::TempDir,
    runtime: Runtime,
    digest: String,
    reads: Cell<usize>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("component"), COMPONENT).unwrap();
        let runtime = Runtime::new(&dir.path().join("code"), Limits::default()).unwrap();
        Self { dir, runtime, digest: digest(COMPONENT), reads: Cell::new(0) }
    }

    fn component(&self) -> std::path::PathBuf {
        self.dir.path().join("component")
    }

    fn load(&self) -> Result<Plugin, PluginError> {
        let read = || {
            self.reads.update(|reads| reads + 1);
            let bytes = fs::read(self.component()).unwrap();
            let changed = || PluginError::of_file("it", PluginErrorKind::Replaced);
            Some(bytes).filter(|bytes| digest(bytes) == self.digest).ok_or_else(changed)
        };
        let file = File::open(self.component()).unwrap();
        self.runtime.load_file("it", &self.digest, &file, Limits::default(), read)
    }

    /// As if it had been read when it was settled.
    fn remember(&self) {
        self.load().unwrap();
        let stamp = Stamp::of(&File::open(self.component()).unwrap());
        let seal = self.runtime.code.seal(&self.digest).unwrap();
        self.runtime.code.put_seal(&self.digest, &super::seal::Seal { component: stamp, ..seal });
        self.reads.set(0);
    }
}

#[test]
fn a_component_that_was_read_before_and_is_the_same_since_is_not_read_and_runs() {
    let world = World::new();
    world.remember();
    let plugin = world.load().unwrap();
    assert_eq!(world.reads.get(), 0);
    assert_eq!(plugin.describe().unwrap().name, "fixture");
    assert_eq!(plugin.digest(), world.digest);
}

#[test]
fn a_component_is_read_again_after_any_change_and_does_not_run_if_it_is_another() {
    let flip = |path: &Path| {
        let mut bytes = fs::read(path).unwrap();
        bytes[COMPONENT.len() / 2] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    assert_read_again(&flip, false);
    assert_read_again(&|path| fs::write(path, "shorter").unwrap(), false);
    assert_read_again(&|path| fs::write(path, COMPONENT).unwrap(), true);
}

/// The time of the change is put back, as careful tools do.
#[track_caller]
fn assert_read_again(change: &dyn Fn(&Path), runs: bool) {
    let world = World::new();
    world.remember();
    let time = fs::metadata(world.component()).unwrap().modified().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(30));
    change(&world.component());
    File::options().write(true).open(world.component()).unwrap().set_modified(time).unwrap();
    assert_eq!(world.load().is_ok(), runs);
    assert_eq!(world.reads.get(), 1);
}

#[test]
fn a_component_without_compiled_code_is_read_and_compiled() {
    let world = World::new();
    world.remember();
    super::forget_code(&world.dir.path().join("code"), &world.digest);
    world.load().unwrap();
    assert_eq!(world.reads.get(), 1);
}
