//! `dscc undo`: what a run took goes back as it was, entry by entry, or is deleted for good; what was killed is brought
//! to an end.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::hub::{Hub, commit, etag};
use crate::privileges::{Mark, Need, can};
use crate::prompt::on_a_terminal;
use crate::sandbox::{Sandbox, array, ids};
use crate::tree;

/// A hub with what is delicate to put back: shared blobs and payloads, nested refs, a link that leads outside, hard links.
fn world() -> (Sandbox, Hub) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 1000);
    repo.revision('b', &[("w", 'b', 30), ("s/x", 'a', 0)]).refs("refs/pr/1", 'b').no_exist('b', "y").tree('b', 7);
    hub.mark_store("1\n");
    hub.payload('f', 60, &["models--acme--a", "models--acme--b"]);
    hub.model("b", 30);
    symlink(sandbox.outside().join("precious"), repo.path("snapshots").join(commit('a')).join("mine")).unwrap();
    fs::hard_link(repo.path("blobs").join(etag('a')), repo.path("blobs").join(etag('e'))).unwrap();
    (sandbox, hub)
}

/// Everything below a folder with inode, links, size and time of change, by path.
fn exactly(root: &Path) -> Vec<(PathBuf, u64, u64, u64, i64, i64)> {
    let all = walkdir::WalkDir::new(root).sort_by_file_name().into_iter().filter_map(Result::ok);
    let of = |entry: walkdir::DirEntry| {
        let it = entry.path().symlink_metadata().unwrap();
        (entry.into_path(), it.ino(), it.nlink(), it.size(), it.mtime(), it.mtime_nsec())
    };
    all.map(of).collect()
}

#[test]
fn what_is_kept_for_undo_comes_back_as_it_was_and_leaves_nothing_behind() {
    for targets in
        [&["--all"][..], &["model/acme/a"], &["model/acme/a@main"], &["model/acme/a@bbbbbbb", "model/acme/b"]]
    {
        let (sandbox, hub) = world();
        let before = exactly(&hub.root);
        let outside = sandbox.all_but(&hub.root);
        let document = sandbox.json(["clean", "-y", "--keep-undo"].iter().chain(targets));
        assert!(document["freed"] == 0 && !array(&document, "remove").is_empty(), "{document:#}");
        assert!(sandbox.is_anything_held());
        assert!(exactly(&hub.root).len() < before.len());
        let undone = sandbox.json(["undo"]);
        assert_eq!((array(&undone, "left").len(), array(&undone, "errors").len()), (0, 0), "{targets:?}: {undone:#}");
        assert_eq!(ids(&array(&undone, "done")).len(), array(&document, "remove").len());
        assert_eq!(exactly(&hub.root), before, "{targets:?}");
        assert_eq!(sandbox.all_but(&hub.root), outside);
        assert!(!sandbox.is_anything_held());
        sandbox.dscc(["undo"]).expect(5);
    }
}

#[test]
fn a_removal_without_undo_leaves_nothing_behind_and_cannot_be_undone() {
    let (sandbox, hub) = world();
    let outside = sandbox.all_but(&hub.root);
    sandbox.dscc(["clean", "-y", "model/acme/a"]).expect(0);
    assert!(!sandbox.is_anything_held());
    assert_eq!(sandbox.all_but(&hub.root), outside);
    let run = sandbox.dscc(["undo"]).expect(5);
    assert!(run.stderr.contains("--keep-undo"), "{}", run.text());
}

#[test]
fn what_waits_is_no_part_of_any_cache_and_is_deleted_on_request_only() {
    let (sandbox, hub) = world();
    let size = tree::size(&hub.root);
    let document = sandbox.json(["clean", "-y", "model/acme/a", "--keep-undo=1h"]);
    let listed = sandbox.json(["list"]);
    assert_eq!(array(&listed, "caches")[0]["size"].as_u64(), Some(tree::size(&hub.root)));
    let held = array(&listed, "held");
    assert_eq!((held.len(), &held[0]["size"], &held[0]["interrupted"]), (1, &document["expected"], &json!(false)));
    let table = sandbox.dscc(["list"]).expect(0).stdout;
    assert!(table.contains("for undo") && table.contains(&format!("dscc undo {}", held[0]["run"].as_str().unwrap())));
    assert_eq!(array(&sandbox.json(["list", "-c", "hub"]), "held").len(), 0);
    sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(sandbox.is_anything_held(), "another run deletes only its own");
    sandbox.dscc(["undo", "--discard", "--older", "1h", "-y"]).expect(5);
    sandbox.dscc(["undo", "--discard"]).expect(3);
    let freed = sandbox.json(["undo", "--discard", "-y"]);
    assert_eq!(freed["freed"], document["expected"]);
    assert!(size > 0 && !sandbox.is_anything_held());
    sandbox.dscc(["undo"]).expect(5);
}

#[test]
fn an_entry_whose_place_is_taken_stays_where_it_waits_and_the_others_come_back() {
    let (sandbox, hub) = world();
    hub.model("c", 20);
    let before = tree::read(&hub.root.join("models--acme--c"));
    sandbox.dscc(["clean", "-y", "--all", "--keep-undo"]).expect(0);
    fs::create_dir_all(hub.root.join("models--acme--b/refs")).unwrap();
    let undone = sandbox.dscc(["undo", "--json"]).expect(1).json();
    let left = array(&undone, "left");
    assert!(ids(&left).contains(&"model/acme/b"), "{undone:#}");
    assert!(left.iter().all(|row| row["reason"].as_str().unwrap().contains("models--acme--b")), "{undone:#}");
    assert!(ids(&array(&undone, "done")).contains(&"model/acme/c"), "{undone:#}");
    assert!(left.iter().any(|row| row["id"].as_str().unwrap().starts_with("model/acme/b@")), "{undone:#}");
    assert_eq!(tree::read(&hub.root.join("models--acme--c")), before);
    assert!(sandbox.is_anything_held());
    // Once there is room again, it goes on.
    fs::remove_dir_all(hub.root.join("models--acme--b")).unwrap();
    sandbox.dscc(["undo"]).expect(0);
    assert!(hub.exists(format!("models--acme--b/blobs/{}", etag('a'))) && !sandbox.is_anything_held());
}

#[test]
fn a_record_of_a_later_format_is_told_and_left_alone() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    let records = sandbox.home().join(".local/state/dscc/runs");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&record).unwrap().replacen("\"format\":1", "\"format\":99", 1);
    fs::write(&record, &text).unwrap();
    let run = sandbox.dscc(["undo"]).expect(5);
    assert!(run.stderr.contains("upgrade dscc"), "{}", run.text());
    assert_eq!(fs::read_to_string(&record).unwrap(), text);
}

#[test]
fn a_damaged_record_leads_nowhere_but_to_its_own_roots() {
    let (sandbox, hub) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    let records = sandbox.home().join(".local/state/dscc/runs");
    let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
    let text = fs::read_to_string(&record).unwrap();
    let outside = sandbox.all_but(&hub.root);
    for (from, to) in [("models--acme--b", "../outside"), ("models--acme--b", "/etc"), ("\"item\"", "\"thing\"")] {
        fs::write(&record, text.replace(from, to)).unwrap();
        let run = sandbox.dscc(["undo"]).expect(5);
        assert!(run.stderr.contains("cannot be understood"), "{}", run.text());
    }
    fs::write(&record, &text).unwrap();
    assert_eq!(sandbox.all_but(&hub.root), outside);
    sandbox.dscc(["undo"]).expect(0);
}

/// The record as it is when a run is killed: without its last line, or with another last phase.
#[test]
fn a_killed_run_is_undone_or_finished_by_the_next_one() {
    for (phase, is_back) in [("moving", true), ("purging", false)] {
        let (sandbox, hub) = world();
        let before = exactly(&hub.root);
        sandbox.dscc(["clean", "-y", "model/acme/a@main", "model/acme/b", "--keep-undo"]).expect(0);
        let records = sandbox.home().join(".local/state/dscc/runs");
        let record = fs::read_dir(&records).unwrap().next().unwrap().unwrap().path();
        let text =
            fs::read_to_string(&record).unwrap().replace("\"phase\":\"held\"", &format!("\"phase\":\"{phase}\""));
        // A kill may cut the last line off.
        fs::write(&record, format!("{text}{{\"line\":\"pha")).unwrap();
        let run = sandbox.dscc(["clean", "-n", "--all"]).expect(0);
        assert!(!run.stderr.contains("interrupted"), "looking changes nothing: {}", run.text());
        let run = sandbox.dscc(["clean", "-y", "model/acme/nothing"]).expect(5);
        assert!(run.stderr.contains("interrupted run"), "{}", run.text());
        assert_eq!(exactly(&hub.root) == before, is_back, "{phase}");
        assert!(!sandbox.is_anything_held());
        sandbox.dscc(["undo"]).expect(5);
    }
}

#[test]
fn what_was_being_deleted_is_not_put_back() {
    let (sandbox, hub) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    let name = name_of_the_only_record(&sandbox);
    let record = sandbox.home().join(format!(".local/state/dscc/runs/{name}.jsonl"));
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, text.replace("\"phase\":\"held\"", "\"phase\":\"purging\"")).unwrap();
    sandbox.dscc(["undo"]).expect(5);
    let run = sandbox.dscc(["undo", &name]).expect(3);
    assert!(run.stderr.contains("partly deleted") && run.stderr.contains("--discard"), "{}", run.text());
    assert!(!hub.exists("models--acme--b"));
    sandbox.dscc(["undo", "--discard", "-y"]).expect(0);
    assert!(!sandbox.is_anything_held());
}

#[test]
fn what_cannot_be_recorded_does_not_begin_and_no_record_goes_without_a_way_back() {
    let (sandbox, hub) = world();
    let before = exactly(&hub.root);
    fs::create_dir_all(sandbox.home().join(".local/state")).unwrap();
    fs::write(sandbox.home().join(".local/state/dscc"), "in the way").unwrap();
    let run = sandbox.dscc(["clean", "-y", "model/acme/a"]).expect(1);
    assert!(run.stderr.contains("--no-record") && run.stderr.contains("nothing was removed"), "{}", run.text());
    assert_eq!(exactly(&hub.root), before);
    let document = sandbox.json(["clean", "-y", "model/acme/a", "--no-record"]);
    assert_eq!(document["freed"], document["expected"]);
    assert!(!hub.exists("models--acme--a") && !sandbox.is_anything_held());
}

#[test]
fn two_runs_wait_and_each_can_be_named() {
    let (sandbox, hub) = world();
    sandbox.dscc(["clean", "-y", "model/acme/a", "--keep-undo"]).expect(0);
    let first = name_of_the_only_record(&sandbox);
    std::thread::sleep(Duration::from_millis(1100)); // runs are named by the second
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    let undone = sandbox.json(["undo", &first]);
    assert_eq!(undone["runs"], json!([first]));
    assert!(hub.exists("models--acme--a") && !hub.exists("models--acme--b"));
    sandbox.dscc(["undo", "nothing"]).expect(5);
    sandbox.dscc(["undo"]).expect(0);
    assert!(hub.exists("models--acme--b"));
}

fn name_of_the_only_record(sandbox: &Sandbox) -> String {
    sandbox.record().file_stem().unwrap().to_str().unwrap().to_owned()
}

/// As `clean` counts them: a revision is told with its repository.
#[test]
fn entries_in_others_are_not_counted_again() {
    let (sandbox, _) = world();
    let document = sandbox.json(["clean", "-y", "--all", "--keep-undo"]);
    assert!(array(&document, "remove").len() > 3, "{document:#}");
    let run = name_of_the_only_record(&sandbox);
    assert_eq!(array(&sandbox.json(["list"]), "held")[0]["entries"], 2);
    let told = |words: &str| {
        let text = sandbox.dscc(["history", &run]).expect(0).stdout;
        assert!(text.contains(words), "{words}: {text}");
    };
    told(" waits ");
    let undone = sandbox.dscc(["undo"]).expect(0);
    assert_eq!(undone.stdout, "Put back 2 entries.\n");
    told(": 2 entries put back\n");
    told(" put back ");
    sandbox.dscc(["clean", "-y", "--all", "--keep-undo"]).expect(0);
    let deleted = sandbox.dscc(["undo", "--discard", "-y"]).expect(0);
    assert!(deleted.stdout.starts_with("Deleted 2 entries for good, freed "), "{}", deleted.text());
}

#[test]
fn the_question_before_what_waits_is_deleted_lists_it_on_demand() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/a", "--keep-undo"]).expect(0);
    let run = name_of_the_only_record(&sandbox);
    let Some((status, shown)) = on_a_terminal(&sandbox, "undo --discard", "l\nn\n") else { return };
    assert!(status == 0 && shown.contains(&format!("{run}  ")) && shown.contains("\n  model/acme/a\n"), "{shown}");
    assert!(sandbox.is_anything_held() && shown.contains("Nothing was deleted"), "{shown}");
}

#[test]
fn a_run_that_somebody_works_on_is_not_said_to_be_none() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/a", "--keep-undo"]).expect(0);
    let run = name_of_the_only_record(&sandbox);
    let record = fs::File::open(sandbox.record()).unwrap();
    record.lock().unwrap();
    for args in [&["undo", &run][..], &["undo", "--discard", "-y", &run]] {
        let run = sandbox.dscc(args).expect(3);
        assert!(run.stderr.contains("goes on"), "{}", run.text());
    }
    drop(record);
    sandbox.dscc(["undo", &run]).expect(0);
}

#[test]
fn what_was_freed_before_something_could_not_be_deleted_is_told() {
    if !can("what_was_freed_before_something_could_not_be_deleted_is_told", &[Need::Root, Need::Marks]) {
        return;
    }
    let (sandbox, _) = world();
    let planned = sandbox.json(["clean", "-y", "model/acme/a", "model/acme/b", "--keep-undo"])["expected"].as_u64();
    let all = walkdir::WalkDir::new(sandbox.home()).into_iter().map(|it| it.unwrap().into_path());
    let waits = |path: &PathBuf| path.to_string_lossy().contains("/.dscc-quarantine");
    let stuck = all.filter(waits).find(|path| path.metadata().is_ok_and(|it| it.is_file() && it.len() == 30)).unwrap();
    let mark = Mark::new('i', &stuck);
    let run = sandbox.dscc(["undo", "--discard", "-y", "--json"]).expect(1);
    let freed = run.json()["freed"].as_u64().unwrap();
    assert!(freed > 0 && Some(freed) < planned, "{freed} of {planned:?}: {}", run.text());
    assert_eq!(sandbox.json(["history"])["runs"][0]["freed"], freed);
    drop(mark);
    let rest = sandbox.json(["undo", "--discard", "-y"])["freed"].as_u64().unwrap();
    assert_eq!(Some(freed + rest), planned);
    assert_eq!(sandbox.json(["history"])["runs"][0]["freed"], freed + rest);
}

#[test]
fn the_document_of_an_undo_has_exactly_the_published_keys() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    let undone: Value = sandbox.json(["undo"]);
    let keys: Vec<&str> = undone.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["done", "errors", "freed", "left", "runs", "schema_version"]);
}

#[test]
fn what_has_waited_long_enough_goes_with_the_next_run() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo=1s"]).expect(0);
    std::thread::sleep(Duration::from_millis(1100));
    sandbox.dscc(["clean", "-n", "--all"]).expect(0);
    assert!(sandbox.is_anything_held(), "looking deletes nothing");
    let run = sandbox.dscc(["clean", "-y", "--all"]).expect(0);
    assert!(run.stderr.contains("long enough") && !sandbox.is_anything_held(), "{}", run.text());
}

/// Kills at moments spread over a whole run. Whatever was done, each repository is there as it was or gone, and nothing is
/// left between once the next run has begun.
#[test]
fn a_run_that_is_killed_at_any_moment_leaves_every_repository_whole_or_gone() {
    let names: Vec<String> = (0..12).map(|number| format!("r{number}")).collect();
    let mut killed = 0;
    for moment in 0..30 {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        for name in &names {
            hub.model(name, 100).revision('b', &[("w", 'b', 30), ("s/x", 'a', 0)]).refs("refs/pr/1", 'b');
        }
        let before: Vec<_> =
            names.iter().map(|name| exactly(&hub.root.join(format!("models--acme--{name}")))).collect();
        let mut targets: Vec<String> = names.iter().map(|name| format!("model/acme/{name}@main")).collect();
        targets.extend(names.iter().skip(6).map(|name| format!("model/acme/{name}")));
        let mut child = sandbox
            .command(["clean", "-y"])
            .args(&targets)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(4 * moment));
        let _ = child.kill();
        killed += u32::from(!child.wait().unwrap().success());
        // The next run, whatever it is about, brings this one to an end.
        sandbox.dscc(["clean", "-y", "model/acme/nothing"]).expect(5);
        assert!(!sandbox.is_anything_held(), "{moment}");
        for (name, before) in names.iter().zip(before) {
            let folder = hub.root.join(format!("models--acme--{name}"));
            let is_whole = exactly(&folder) == before;
            let is_gone = !folder.exists() || !folder.join("snapshots").join(commit('a')).exists();
            assert!(is_whole || is_gone, "{moment}: {name}");
            let dangling = |it: &walkdir::DirEntry| it.path_is_symlink() && !it.path().exists();
            let links = walkdir::WalkDir::new(&folder).into_iter().flatten();
            assert_eq!(links.filter(|it| dangling(it)).count(), 0, "{moment}: {name}");
        }
        sandbox.dscc(["clean", "-y", "--all"]).expect(0);
        assert_eq!(tree::size(&hub.root), 0);
    }
    assert!(killed > 3, "the runs are too fast to be killed");
}
