//! The places where things and records wait: another user may have come first, or may come at any moment; a disk may be
//! gone for a while; somebody may have deleted by hand what waits.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::hub::{Hub, etag};
use crate::privileges::{Need, can};
use crate::removal_races::ENTRY;
use crate::sandbox::{Sandbox, array, is_root};
use crate::tree;

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
    if !can("where_another_user_came_first_things_wait_in_the_root_and_theirs_is_left_alone", &[Need::Root]) {
        return;
    }
    for (mode, kind) in [(0o1777, "folder"), (0o1777, "link"), (0o1777, "file"), (0o777, "nothing"), (0o777, "folder")]
    {
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
    fn new(base: &Path, outside: &Path) -> Self {
        let script = r#"cd "$1"; mkdir -p own; while :; do
            ln -s "$3" "$2"; mv -T "$2" own/link; mkdir "$2"; mv -T "$2" own/folder; rm -rf own/*
            mv -T hub away; ln -s "$3" hub; rm -f hub; mv -T away hub
        done 2>/dev/null"#;
        let folder = base.parent().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh"]).args([folder, base, outside]).uid(OTHER).gid(OTHER);
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0).spawn();
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
    if !can("another_user_in_a_shared_folder_cannot_lead_a_removal_or_an_undo_astray", &[Need::Root]) {
        return;
    }
    for mode in [0o1777, 0o777] {
        let (sandbox, hub, base) = shared(mode);
        let outside = tree::read(&sandbox.outside());
        let root = format!("hub={}", hub.root.display());
        {
            let _attacker = Attacker::new(&base, &sandbox.outside());
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
            assert!(
                run.stderr.contains("nothing was removed") && run.stderr.contains("DSCC_STATE_DIR"),
                "{}",
                run.text()
            );
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
