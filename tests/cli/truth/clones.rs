//! Files that share blocks with clones of them, on a file system that has such: what goes is not all free, and nobody is
//! told that it were.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::hub::{Hub, etag};
use crate::sandbox::{Sandbox, is_root};

const MEGABYTE: u64 = 1 << 20;

/// A mounted Btrfs, until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// None, and the test's name on standard error, where that cannot be had.
    fn new(sandbox: &Sandbox, name: &str) -> Option<Self> {
        let (image, at) = (sandbox.path("image"), sandbox.path("mounted"));
        fs::create_dir(&at).unwrap();
        fs::File::create(&image).unwrap().set_len(128 * MEGABYTE).unwrap();
        let made = is_root()
            && succeeds(Command::new("mkfs.btrfs").arg("-q").arg(&image))
            && succeeds(Command::new("mount").args(["-o", "loop"]).args([&image, &at]));
        if !made {
            // Past the capture of the test runner.
            let _ = writeln!(std::io::stderr(), "skipped: {name}: no Btrfs can be made and mounted here");
        }
        made.then_some(Self(at))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        succeeds(Command::new("umount").arg("-l").arg(&self.0));
    }
}

fn succeeds(command: &mut Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// A hub with two models of 4 MB each, of which one has a clone outside of it.
fn hub(at: &Path) -> Hub {
    let hub = Hub::at(at.join("hub"));
    for name in ["a", "b"] {
        let blob = hub.model(name, 0).path("blobs").join(etag('a'));
        // What does not compress.
        let noise = (0..4 * MEGABYTE / 8).scan(u64::from(name.as_bytes()[0]), |state, _| {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            Some((*state ^ *state >> 29).to_le_bytes())
        });
        fs::write(&blob, noise.flatten().collect::<Vec<u8>>()).unwrap();
    }
    let cloned = hub.root.join("models--acme--a/blobs").join(etag('a'));
    assert!(succeeds(Command::new("cp").arg("--reflink=always").args([&cloned, &at.join("clone")])));
    assert!(succeeds(Command::new("sync").arg("-f").arg(at)));
    hub
}

#[test]
fn what_clones_share_is_not_told_to_be_free() {
    let sandbox = Sandbox::new();
    let Some(mounted) = Mounted::new(&sandbox, "what_clones_share_is_not_told_to_be_free") else { return };
    for way in [&["-y"][..], &["-y", "--no-record"]] {
        let root = format!("--root=hub={}", hub(&mounted.0).root.display());
        let plan = sandbox.dscc(["clean", "-n", "--all", &root]).expect(0);
        assert!(plan.stdout.contains("At most 8.4 MB will be free"), "{}", plan.text());
        let document = sandbox.json([&["clean", "--all", &root], way].concat());
        let number = |key: &str| document[key].as_u64().unwrap();
        assert_eq!(number("freed"), number("expected"));
        let (disk, least) = (number("freed_disk"), number("freed_disk_at_least"));
        assert!(disk >= 8 * MEGABYTE && (3 * MEGABYTE..6 * MEGABYTE).contains(&least), "{document:#}");
        hub(&mounted.0);
        let report = sandbox.dscc([&["clean", "--all", &root], way].concat()).expect(0);
        assert!(report.stdout.contains("freed at least 4."), "{}", report.text());
    }
}

#[test]
fn where_no_files_share_blocks_all_that_is_freed_is_certain() {
    let sandbox = Sandbox::new();
    // ext4, and memory.
    if ![0xef53, 0x0102_1994].contains(&rustix::fs::statfs(sandbox.path("").as_path()).unwrap().f_type) {
        let name = "where_no_files_share_blocks_all_that_is_freed_is_certain";
        let _ = writeln!(std::io::stderr(), "skipped: {name}: temporary files are on another file system");
        return;
    }
    sandbox.hub().model("a", 10_000);
    let plan = sandbox.dscc(["clean", "-n", "--all"]).expect(0).stdout;
    assert!(plan.contains("10.0 kB will be free.") && !plan.contains("At most"), "{plan}");
    let document = sandbox.json(["clean", "-y", "--all"]);
    assert_eq!(document["freed_disk_at_least"], document["freed_disk"]);
    assert!(document["freed_disk"].as_u64() >= Some(10_000), "{document:#}");
}

#[test]
fn of_a_file_with_holes_the_report_says_what_it_had_on_the_disk() {
    let sandbox = Sandbox::new();
    let repo = sandbox.hub().model("a", 1000);
    let blob = fs::File::options().write(true).open(repo.path("blobs").join(etag('a'))).unwrap();
    blob.set_len(40 * MEGABYTE).unwrap();
    drop(blob);
    let report = sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(report.stdout.contains("freed 41.9 MB (8.2 kB on disk)."), "{}", report.text());
}
