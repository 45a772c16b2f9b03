//! What the tree module promises, each promise tried with both ways of taking a path.

mod cutting;
mod denied;
mod errors;
mod hiding;
mod hostile;
mod keeping;
mod measuring;
mod mounts;
mod race;
mod reach;
mod recount;
mod remembering;
mod removing;
mod rewriting;
mod walking;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::beneath::Way;
use super::*;
use crate::model::{PathId, PathTree, RelPath};
use crate::skipped::skipped;

/// A directory that is to be a root, and one outside it that must never change.
struct Sandbox {
    dir: tempfile::TempDir,
}

impl Sandbox {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("root")).unwrap();
        fs::create_dir(dir.path().join("outside")).unwrap();
        fs::write(dir.path().join("outside/precious"), "precious").unwrap();
        Self { dir }
    }

    fn root_path(&self) -> PathBuf {
        self.dir.path().join("root")
    }

    fn outside(&self) -> PathBuf {
        self.dir.path().join("outside")
    }

    /// A place in the root, with the folders above it made.
    fn at(&self, path: &str) -> PathBuf {
        let path = self.root_path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn file(&self, path: &str, size: usize) {
        fs::write(self.at(path), vec![b'x'; size]).unwrap();
    }

    fn folder(&self, path: &str) {
        fs::create_dir_all(self.at(path)).unwrap();
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) {
        symlink(target, self.at(path)).unwrap();
    }

    fn has(&self, path: &str) -> bool {
        self.root_path().join(path).symlink_metadata().is_ok()
    }

    fn root(&self, way: Way) -> Root {
        Root::open_by(&self.root_path(), Some(way)).unwrap()
    }

    fn assert_outside_untouched(&self) {
        let names: Vec<_> = fs::read_dir(self.outside()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["precious"]);
        assert_eq!(fs::read_to_string(self.outside().join("precious")).unwrap(), "precious");
    }
}

/// All ways that this system has.
fn ways() -> Vec<Way> {
    vec![
        #[cfg(target_os = "linux")]
        Way::Kernel,
        Way::Steps,
    ]
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// Removes a path as it is now, with nothing to be kept.
fn remove(root: &Root, at: &str, tally: &LinkTally) -> Removal {
    let expected = root.stat(&path(at)).unwrap().identity;
    let nothing = Keep { paths: &PathTree::default(), kept: &[] };
    root.remove(&path(at), expected, &nothing, tally, &Progress::default())
}

/// Measures all of a root into one sum.
fn measure_all(root: &Root) -> Measure {
    root.measure(&PathTree::default(), &[true], &[PathId::ROOT], &Progress::default())
}

/// Whether this is the child that a test started to run itself under other conditions.
fn is_child() -> bool {
    std::env::var_os("TREE_TEST_CHILD").is_some()
}

/// Runs a test of this binary again in a child that `prepare` has set up; false if it could not be started at all.
fn run_again(test: &str, dir: &Path, mut command: std::process::Command) -> bool {
    command.args(["--exact", test, "--nocapture"]).env("TREE_TEST_CHILD", dir).current_dir("/");
    match command.output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && text.contains("1 passed"), "{text}");
            true
        }
        Err(error) => {
            skipped(test, &format!("no child under other conditions can be started here: {error}"));
            false
        }
    }
}

/// The name of a test as the test runner knows it.
macro_rules! test_name {
    ($name:literal) => {
        concat!(module_path!(), "::", $name).split_once("::").unwrap().1
    };
}
use test_name;
