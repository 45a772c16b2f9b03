//! What a kill leaves that `tests/oracle/check_crash.py` found, made by hand: the next run brings it to an end.

use std::fs::{self, File};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::PathBuf;

use crate::hub::{Hub, etag};
use crate::sandbox::Sandbox;

/// Two repositories that share a payload; the list of its holders is in this folder.
fn world() -> (Sandbox, Hub, PathBuf) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let (one, other) = (hub.repo("models--acme--one"), hub.repo("models--acme--other"));
    let payload = hub.payload('f', 60, &[&other.holds('2'), &one.holds('1')]);
    one.shared('a', "w", '1', &payload).refs("main", 'a');
    other.shared('a', "w", '2', &payload).refs("main", 'a');
    let folder = hub.root.join("blobs/ff");
    (sandbox, hub, folder)
}

/// What has a name of dscc's own in a folder.
fn ours(folder: &std::path::Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(".dscc-")).collect()
}

#[test]
fn an_undo_says_in_the_record_that_it_began_so_that_the_next_run_goes_on_with_it() {
    let (sandbox, hub, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/one", "--keep-undo"]).expect(0);
    // It does not come to an end, because something is in the way; what waits is held again.
    fs::create_dir_all(hub.root.join("models--acme--one/refs")).unwrap();
    sandbox.dscc(["undo"]).expect(1);
    let text = fs::read_to_string(sandbox.record()).unwrap();
    let phases: Vec<&str> =
        text.lines().filter_map(|line| line.split("\"phase\":\"").nth(1)?.split('"').next()).collect();
    assert_eq!(phases, ["moving", "held", "moving", "held"], "{text}");
    let until = |line: &str| line.split("\"until\":").nth(1).map(str::to_owned);
    let held: Vec<_> = text.lines().filter(|line| line.contains("\"held\"")).map(until).collect();
    assert_eq!(held[0], held[1], "until when it waits stays the same");
    // Killed between the two it goes on.
    fs::remove_dir_all(hub.root.join("models--acme--one")).unwrap();
    let (begun, _) = text.trim_end().rsplit_once('\n').unwrap();
    fs::write(sandbox.record(), format!("{begun}\n")).unwrap();
    sandbox.dscc(["clean", "-y", "model/acme/nothing"]).expect(5);
    assert!(hub.exists("models--acme--one/refs/main") && ours(hub.root.parent().unwrap()).is_empty());
}

#[test]
fn what_a_killed_rewriting_of_an_index_left_goes_and_what_another_process_writes_stays() {
    let (sandbox, hub, folder) = world();
    let name = |digit: &str| folder.join(format!(".dscc-{}.tmp", digit.repeat(32)));
    fs::write(name("1"), "left").unwrap();
    let other = File::create(name("2")).unwrap();
    other.lock().unwrap();
    // When it is written again.
    sandbox.dscc(["clean", "-y", "model/acme/one", "--keep-undo"]).expect(0);
    assert_eq!(ours(&folder), [".dscc-22222222222222222222222222222222.tmp"]);
    // When the run that was killed is undone, before it came to that.
    sandbox.dscc(["undo"]).expect(0);
    sandbox.dscc(["clean", "-y", "model/acme/one", "--keep-undo"]).expect(0);
    let manifest = folder.join(format!("{}.refs", etag('f')));
    let whole =
        format!("{}\n{}\n", hub.repo("models--acme--other").holds('2'), hub.repo("models--acme--one").holds('1'));
    fs::write(&manifest, whole).unwrap();
    fs::write(name("1"), "left").unwrap();
    let text = fs::read_to_string(sandbox.record()).unwrap();
    fs::write(sandbox.record(), text.replace("\"phase\":\"held\"", "\"phase\":\"moving\"")).unwrap();
    sandbox.dscc(["clean", "-y", "model/acme/nothing"]).expect(5);
    assert!(hub.exists("models--acme--one/refs/main"));
    assert_eq!(ours(&folder), [".dscc-22222222222222222222222222222222.tmp"]);
}

#[test]
fn an_undo_restores_the_times_of_the_folder_whose_index_it_rewrites() {
    let (sandbox, _, folder) = world();
    let time = || {
        let it = folder.metadata().unwrap();
        (it.mtime(), it.mtime_nsec())
    };
    let before = time();
    sandbox.dscc(["clean", "-y", "model/acme/one", "--keep-undo"]).expect(0);
    assert_ne!(time(), before);
    sandbox.dscc(["undo"]).expect(0);
    assert_eq!(time(), before);
}

#[test]
fn what_a_killed_run_without_a_record_took_out_is_deleted_by_the_next_one_and_not_while_it_goes_on() {
    let (sandbox, hub, _) = world();
    let base = |uid: u32| hub.root.parent().unwrap().join(format!(".dscc-quarantine-{uid}"));
    let base = base(hub.root.metadata().unwrap().uid());
    let make = |name: &str| {
        let folder = base.join(name);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder.join("0/below")).unwrap();
        fs::write(folder.join("0/below/file"), "x").unwrap();
        folder
    };
    let (killed, goes_on, recorded) = (make("unrecorded-1-1"), make("unrecorded-2-2"), make("20260101T000000Z-1.0"));
    let lock = File::open(&goes_on).unwrap();
    lock.lock().unwrap();
    sandbox.dscc(["clean", "-n", "--all"]).expect(0);
    assert!(killed.exists(), "looking deletes nothing");
    sandbox.dscc(["clean", "-y", "model/acme/nothing"]).expect(5);
    assert!(!killed.exists() && goes_on.join("0/below/file").exists());
    drop(lock);
    sandbox.dscc(["clean", "-y", "model/acme/one", "--no-record"]).expect(0);
    assert!(!goes_on.exists() && recorded.join("0/below/file").exists(), "of others a record tells, perhaps elsewhere");
}

#[test]
fn without_a_record_and_without_a_place_beside_the_cache_things_are_deleted_where_they_are() {
    let (sandbox, hub, _) = world();
    let name = format!(".dscc-quarantine-{}", hub.root.metadata().unwrap().uid());
    for folder in [hub.root.parent().unwrap(), &hub.root] {
        fs::write(folder.join(&name), "in the way").unwrap();
    }
    let document = sandbox.json(["clean", "-y", "model/acme/one", "--no-record"]);
    assert_eq!(document["freed"], document["expected"]);
    assert!(!hub.exists("models--acme--one") && hub.exists("models--acme--other/refs/main"));
}
