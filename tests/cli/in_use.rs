//! What is in use stays, and the reason names who uses it; what cannot be removed is told before anybody is asked.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::hub::{Hub, Repo, commit, etag};
use crate::privileges::{Need, can};
use crate::sandbox::{Run, Sandbox, array, ids, reason};
use crate::tree;

/// A process that runs until the test ends.
struct Running(Child);

impl Running {
    /// A program that sleeps, with this for its standard input.
    fn reading(path: &Path) -> Self {
        Self::of(Command::new("sleep").arg("300").stdin(File::open(path).unwrap()))
    }

    fn of(command: &mut Command) -> Self {
        Self(command.stdout(Stdio::null()).spawn().unwrap())
    }

    fn said(&self) -> String {
        format!("(process {})", self.0.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn world() -> (Sandbox, Hub, Repo) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    hub.model("b", 30);
    (sandbox, hub, repo)
}

#[test]
#[cfg(target_os = "linux")]
fn what_a_process_has_open_stays_with_its_name_and_goes_when_forced_which_is_said() {
    let (sandbox, hub, repo) = world();
    let reader = Running::reading(&repo.path("blobs").join(etag('a')));
    let run = sandbox.dscc(["clean", "-n", "--all"]).expect(0);
    assert!(run.stdout.contains("sleep") && run.stdout.contains(&reader.said()), "{}", run.text());
    let before = tree::read(&repo.path(""));
    let document = sandbox.json(["clean", "-y", "--all"]);
    assert!(reason(&document, "model/acme/a").contains(&reader.said()), "{document:#}");
    assert!(!hub.exists("models--acme--b"));
    assert_eq!(tree::read(&repo.path("")), before);
    // Naming it does not lift this.
    sandbox.dscc(["clean", "-y", "model/acme/a"]).expect(3);
    let document = sandbox.json(["clean", "-y", "--all", "--force", "in-use"]);
    let is_told = |row: &Value| {
        let why = row["reason"].as_str().unwrap();
        why.contains("although") && why.contains(&reader.said())
    };
    assert!(array(&document, "remove").iter().any(is_told), "{document:#}");
    assert!(!hub.exists("models--acme--a"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_is_mapped_and_not_open_any_more_is_in_use() {
    let (sandbox, _, repo) = world();
    let blob = repo.path("blobs").join(etag('a'));
    let sleep = ["/bin/sleep", "/usr/bin/sleep"].iter().find(|path| Path::new(path).exists()).unwrap();
    fs::copy(fs::canonicalize(sleep).unwrap(), &blob).unwrap();
    // Some systems have one program for many names.
    let name = std::os::unix::process::CommandExt::arg0(&mut Command::new(&blob), "sleep").arg("300").spawn().unwrap();
    let runner = Running(name);
    let document = sandbox.dscc(["clean", "-y", "model/acme/a", "--json"]).expect(3).json();
    assert!(reason(&document, "model/acme/a").contains(&runner.said()), "{document:#}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_a_process_stands_in_is_in_use() {
    let (sandbox, _, repo) = world();
    let standing = Running::of(Command::new("sleep").arg("300").current_dir(repo.path("snapshots")));
    let document = sandbox.dscc(["clean", "-y", "model/acme/a", "--json"]).expect(3).json();
    assert!(reason(&document, "model/acme/a").contains(&standing.said()), "{document:#}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_blob_that_is_read_keeps_every_revision_that_shares_it_and_no_other() {
    let (sandbox, hub, repo) = world();
    repo.revision('b', &[("w", 'b', 30)]);
    let _reader = Running::reading(&repo.path("blobs").join(etag('b')));
    let [one, other] = ['a', 'b'].map(|digit| format!("model/acme/a@{}", commit(digit)));
    let document = sandbox.dscc(["clean", "-y", &one, &other, "--json"]).expect(1).json();
    assert_eq!(ids(&array(&document, "remove")), [one.as_str()]);
    assert!(reason(&document, &other).contains(&etag('b')), "{document:#}");
    assert!(hub.exists(format!("models--acme--a/blobs/{}", etag('b'))));
}

#[test]
fn what_has_just_changed_stays_unless_it_is_named_and_a_partial_download_stays_all_the_same() {
    let (sandbox, _, repo) = world();
    let partial = format!("{}.0a1b2c3d.incomplete", etag('d'));
    repo.blob(&partial, 500);
    let clean = |args: &[&str]| {
        let mut command = sandbox.command(["clean", "--json"]);
        command.env_remove("DSCC_GRACE").args(args);
        Run::of(command.output().unwrap())
    };
    let document = clean(&["-y", "--all"]).expect(3).json();
    assert!(reason(&document, "model/acme/b").contains("--grace 0s"), "{document:#}");
    let of_partial = format!("model/acme/a/blobs/{partial}");
    clean(&["-y", &of_partial]).expect(3);
    clean(&["-y", &of_partial, "--grace", "2 hours"]).expect(3);
    let document = clean(&["-n", "--all", "--grace", "0s"]).expect(0).json();
    assert_eq!(array(&document, "keep").len(), 0, "{document:#}");
    clean(&["-y", "model/acme/b"]).expect(0);
    clean(&["-y", &of_partial, "--grace", "0s"]).expect(0);
    for wrong in ["soon", "-1h", "1 month"] {
        clean(&["-n", "--all", &format!("--grace={wrong}")]).expect(2);
    }
}

#[test]
fn what_entries_that_stay_share_is_counted_once() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (one, other) = (hub.repo("models--acme--one"), hub.repo("models--acme--other"));
    let payload = hub.payload('f', 50_000, &[&other.holds('2'), &one.holds('1')]);
    one.shared('a', "w", '1', &payload).refs("main", 'a');
    other.shared('a', "w", '2', &payload).refs("main", 'a');
    let mut command = sandbox.command(["clean", "-n", "--all"]);
    let text = Run::of(command.env_remove("DSCC_GRACE").output().unwrap()).expect(3).stdout;
    let row = &array(&sandbox.json(["list"]), "caches")[0];
    let stays = row["size"].as_u64().unwrap() - row["unclaimed"].as_u64().unwrap();
    assert!(text.contains(&format!("Stay: 3 entries ({}): ", dscc::ui::size(stays))), "{stays}: {text}");
}

#[test]
#[cfg(target_os = "linux")]
fn whoever_holds_a_lock_is_named_and_waited_for_on_request() {
    if !can("whoever_holds_a_lock_is_named_and_waited_for_on_request", &[Need::Tool("flock")]) {
        return;
    }
    let (sandbox, hub, repo) = world();
    let lock = repo.lock('a');
    let _holder = Running::of(Command::new("flock").arg(&lock).args(["sleep", "3"]));
    let begun = Instant::now();
    while File::open(&lock).unwrap().try_lock().is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
    let document = sandbox.dscc(["clean", "-y", "model/acme/a", "--json"]).expect(3).json();
    let reason = reason(&document, "model/acme/a");
    assert!(reason.contains("(process "), "{reason}");
    sandbox.dscc(["clean", "-y", "model/acme/a", "--wait", "60"]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_folder_in_which_nothing_can_be_removed_is_told_before_anybody_is_asked() {
    for part in ["blobs", "snapshots", ""] {
        let (sandbox, hub, repo) = world();
        let folder = if part.is_empty() { hub.root.clone() } else { repo.path(part) };
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        let before = tree::read(&hub.root);
        let document = sandbox.dscc_bound(["clean", "-n", "model/acme/a", "--json"]).expect(3).json();
        assert!(reason(&document, "model/acme/a").contains("you may not remove anything"), "{part}: {document:#}");
        sandbox.dscc_bound(["clean", "-y", "model/acme/a"]).expect(3);
        assert_eq!(tree::read(&hub.root), before);
        let status = if part.is_empty() { 3 } else { 0 };
        sandbox.dscc_bound(["clean", "-y", "--all"]).expect(status);
        assert_eq!(hub.exists("models--acme--b"), part.is_empty());
    }
}

#[test]
fn what_belongs_to_another_user_stays_unless_others_are_included() {
    if !can("what_belongs_to_another_user_stays_unless_others_are_included", &[Need::Root]) {
        return;
    }
    let (sandbox, hub, repo) = world();
    chown(repo.path("blobs").join(etag('a')), Some(65_534), None).unwrap();
    let document = sandbox.json(["clean", "-n", "--all"]);
    let why = reason(&document, "model/acme/a");
    assert!(why.contains("another user (65534)") && why.contains("--include-others"), "{why}");
    sandbox.dscc(["clean", "-y", "--all", "--include-others"]).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn root_refuses_a_folder_that_everybody_may_change_unless_others_are_included() {
    if !can("root_refuses_a_folder_that_everybody_may_change_unless_others_are_included", &[Need::Root]) {
        return;
    }
    let (sandbox, hub, _) = world();
    fs::set_permissions(&hub.root, fs::Permissions::from_mode(0o1777)).unwrap();
    let document = sandbox.dscc(["clean", "-y", "--all", "--json"]).expect(3).json();
    assert!(reason(&document, "model/acme/a").contains("you are root"), "{document:#}");
    sandbox.dscc(["clean", "-y", "--all", "--include-others"]).expect(0);
}
