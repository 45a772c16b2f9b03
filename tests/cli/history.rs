//! `dscc history` and the journal behind it: every run is told, whatever became of it; a journal that cannot be written
//! stops a run before anything is touched. And the settings, which decide what runs do by default.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::hub::Hub;
use crate::privileges::{Mark, Need, can};
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

fn world() -> (Sandbox, Hub) {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for (name, size) in [("a", 1000), ("b", 30), ("c", 7)] {
        hub.model(name, size);
    }
    (sandbox, hub)
}

fn journal(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join(".local/state/dscc/journal.jsonl")
}

/// The runs that are known, the latest first.
fn runs(sandbox: &Sandbox) -> Vec<Value> {
    array(&sandbox.json(["history"]), "runs")
}

/// Its name has the second in which it began, and several are told apart by that.
fn next_second() {
    std::thread::sleep(Duration::from_millis(1010));
}

#[test]
fn every_run_is_told_with_its_plan_what_came_of_it_and_what_became_of_it_later() {
    let (sandbox, _) = world();
    assert_eq!(sandbox.json(["history"]), json!({"schema_version": 1, "runs": [], "errors": []}));
    sandbox.dscc(["history", "20200101T000000Z-1"]).expect(5);
    assert!(sandbox.dscc(["history"]).expect(0).stdout.contains("No run"));
    let gone = sandbox.json(["clean", "-y", "model/acme/a"]);
    let held = sandbox.json(["clean", "-y", "model/acme/b", "--keep-undo=2h"]);
    sandbox.dscc(["clean", "-n", "--all"]).expect(0);
    let all = runs(&sandbox);
    let states: Vec<&str> = all.iter().filter_map(|run| run["state"].as_str()).collect();
    assert_eq!(states, ["held", "done"], "a dry run is none: {all:#?}");
    let (last, first) = (&all[0], &all[1]);
    assert_eq!((&first["freed"], &first["expected"]), (&gone["freed"], &gone["expected"]));
    assert_eq!((&last["freed"], &last["expected"]), (&json!(0), &held["expected"]));
    assert_eq!((&first["waits"], &last["waits"], &first["recorded"]), (&json!(false), &json!(true), &json!(true)));
    assert!(last["until"].is_string() && first["until"].is_null() && first["ended"].is_string());
    assert_eq!(first["command"], json!(["clean", "-y", "model/acme/a", "--json"]));
    for (document, run) in [(&gone, first), (&held, last)] {
        assert_eq!(ids(&array(run, "remove")), ids(&array(document, "remove")));
        for (told, planned) in array(run, "remove").iter().zip(array(document, "remove")) {
            for key in ["cache", "root", "id", "reason", "size"] {
                assert_eq!(told[key], planned[key], "{key}");
            }
            assert_eq!(told["outcome"], "removed");
        }
    }
    let name = last["run"].as_str().unwrap();
    sandbox.dscc(["undo", name]).expect(0);
    let undone = &runs(&sandbox)[0];
    assert_eq!((&undone["state"], &undone["waits"]), (&json!("undone"), &json!(false)));
    let later = array(undone, "later");
    assert_eq!((later.len(), &later[0]["what"], &later[0]["because"]), (1, &json!("undone"), &json!("asked")));
    assert_eq!(ids(&array(&later[0], "back")).len(), array(undone, "remove").len());
    next_second();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    sandbox.dscc(["undo", "--discard", "-y"]).expect(0);
    let discarded = &runs(&sandbox)[0];
    assert_eq!((&discarded["state"], &discarded["freed"]), (&json!("discarded"), &held["expected"]));
    let table = sandbox.dscc(["history"]).expect(0).stdout;
    let names: Vec<String> = sandbox.dscc(["history", "-q"]).expect(0).stdout.lines().map(str::to_owned).collect();
    assert!(names.len() == 3 && names.iter().all(|name| table.contains(name)), "{table}");
    assert!(table.contains("undone") && table.contains("deleted for good") && table.contains("clean -y"), "{table}");
    let one = sandbox.dscc(["history", name]).expect(0).stdout;
    assert!(one.contains("model/acme/b@") && one.contains(" put back ") && !one.contains(" removed "), "{one}");
    assert_eq!(
        array(&sandbox.json(["history", name]), "runs").as_slice(),
        std::slice::from_ref(&all_but_age(&sandbox, name))
    );
}

/// A run as the whole list tells it.
fn all_but_age(sandbox: &Sandbox, name: &str) -> Value {
    runs(sandbox).into_iter().find(|run| run["run"] == name).unwrap()
}

#[test]
fn the_document_has_exactly_the_published_keys() {
    let (sandbox, _) = world();
    sandbox.dscc(["clean", "-y", "model/acme/b", "--keep-undo"]).expect(0);
    sandbox.dscc(["undo"]).expect(0);
    let document = sandbox.json(["history"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    let run = &document["runs"][0];
    assert_eq!(keys(&document), "errors runs schema_version");
    assert_eq!(
        keys(run),
        "begun command ended expected failed freed freed_disk keep later recorded remove run state until waits"
    );
    assert_eq!(keys(&run["remove"][0]), "cache id outcome reason root size");
    assert_eq!(keys(&run["later"][0]), "at back because failed freed left what");
}

#[test]
fn what_stays_and_what_fails_is_told_with_path_and_reason() {
    let (sandbox, hub) = world();
    let user = rustix::process::geteuid().as_raw();
    for place in [hub.root.join(".."), hub.root.clone(), hub.root.join(".locks")] {
        fs::write(place.join(format!(".dscc-quarantine-{user}")), "in the way").unwrap();
    }
    hub.model("d", 3).own_file('a', "notes", "mine");
    sandbox.dscc(["clean", "-y", "model/acme/a", "model/acme/d"]).expect(1);
    let run = &runs(&sandbox)[0];
    assert_eq!((&run["state"], &run["freed"]), (&json!("partly"), &json!(0)));
    let failed = array(run, "failed");
    assert_eq!((&failed[0]["id"], &failed[0]["cache"]), (&json!("model/acme/a"), &json!("hub")), "{run:#}");
    assert!(failed[0]["path"].as_str().is_some_and(|path| path.contains("models--acme--a")), "{run:#}");
    assert!(failed[0]["message"].as_str().unwrap().contains("--no-record"), "{run:#}");
    let outcome = |id: &str| array(run, "remove").iter().find(|row| row["id"] == id).unwrap()["outcome"].clone();
    assert_eq!(outcome("model/acme/a"), "failed");
    assert!(ids(&array(run, "keep")).contains(&"model/acme/d"), "{run:#}");
    let text = sandbox.dscc(["history", run["run"].as_str().unwrap()]).expect(0).stdout;
    assert!(text.contains("models--acme--a") && text.contains("--no-record") && text.contains("failed"), "{text}");
}

/// The journal and the record as they are when a run is killed before its end.
#[test]
fn a_killed_run_is_seen_by_its_missing_end_and_who_brings_it_to_an_end_is_told() {
    for (phase, after) in [("moving", "undone"), ("purging", "discarded")] {
        let (sandbox, _) = world();
        sandbox.dscc(["clean", "-y", "model/acme/a", "--keep-undo"]).expect(0);
        let text = fs::read_to_string(journal(&sandbox)).unwrap();
        let begun: String = text.split_inclusive('\n').take(2).collect();
        fs::write(journal(&sandbox), format!("{begun}{{\"event\":\"en")).unwrap();
        let text = fs::read_to_string(sandbox.record()).unwrap();
        let text = text.replace("\"phase\":\"held\"", &format!("\"phase\":\"{phase}\""));
        fs::write(sandbox.record(), text).unwrap();
        let run = &runs(&sandbox)[0];
        assert_eq!(
            (&run["state"], &run["ended"], &run["remove"][0]["outcome"]),
            (&json!("killed"), &json!(null), &json!(null))
        );
        next_second();
        sandbox.dscc(["clean", "-y", "model/acme/b"]).expect(0);
        let document = sandbox.dscc(["history", "--json"]).expect(1).json();
        let all = array(&document, "runs");
        assert_eq!((&all[0]["state"], &all[1]["state"]), (&json!("done"), &json!(after)), "{all:#?}");
        assert_eq!(all[1]["later"][0]["because"], "killed");
        let errors = array(&document, "errors");
        assert!(errors.len() == 1 && errors[0]["message"].as_str().unwrap().contains("line 3"), "{errors:?}");
        let table = sandbox.dscc(["history"]).expect(1);
        assert!(table.stdout.contains("killed, and") && table.stderr.contains("line 3"), "{}", table.text());
    }
}

#[test]
fn a_run_that_goes_on_and_one_that_a_signal_ends_early_are_told_so() {
    for _ in 0..5 {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        (0..300).for_each(|number| drop(hub.model(&format!("m{number}"), 10)));
        let mut child = start(&sandbox, &["clean", "-y", "--all"]);
        let started = Instant::now();
        while hub.exists("models--acme--m0") && started.elapsed() < Duration::from_secs(60) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = rustix::process::Pid::from_child(&child);
        let send = |signal| rustix::process::kill_process(pid, signal).is_ok();
        send(Signal::STOP);
        let meanwhile = runs(&sandbox)[0]["state"].clone();
        send(Signal::INT);
        send(Signal::CONT);
        let status = child.wait().unwrap().code();
        let run = &runs(&sandbox)[0];
        let is_kept = |row: &Value| row["outcome"] == "kept";
        let kept = array(run, "remove").iter().filter(|row| is_kept(row)).count();
        if status == Some(130) && kept > 0 {
            assert_eq!(run["state"], "interrupted", "{run:#}");
            assert!(run["ended"].is_string() && meanwhile == "goes-on", "{meanwhile}");
            return;
        }
    }
    panic!("the run is always over before the signal arrives");
}

fn start(sandbox: &Sandbox, arguments: &[&str]) -> Child {
    let mut command = sandbox.command(arguments);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn runs_at_the_same_time_do_not_mix_their_lines() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    (0..6).for_each(|number| drop(hub.model(&format!("m{number}"), 10)));
    let ids: Vec<String> = (0..6).map(|number| format!("model/acme/m{number}")).collect();
    // Whether one stays because another run looks into it at that moment is not the point here.
    let run = |id: &String| i32::from(sandbox.dscc(["clean", "-y", "--wait", "60", id]).status == 0);
    let done: i32 = std::thread::scope(|scope| {
        let runs: Vec<_> = ids.iter().map(|id| scope.spawn(|| run(id))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    });
    let document = sandbox.json(["history"]);
    let all = array(&document, "runs");
    let ended = all.iter().filter(|run| run["ended"].is_string()).count();
    assert!(ended == all.len() && ended as i32 >= done && done > 0, "{document:#}");
    let mode = fs::metadata(journal(&sandbox)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

/// What a run says that must not begin, because of the journal; everything is as it was.
#[track_caller]
fn assert_stopped(sandbox: &Sandbox, hub: &Hub, words: &str, run: impl Fn(&[&str]) -> Run) {
    let before = tree::read(&hub.root);
    let told = fs::read(journal(sandbox)).ok();
    let stopped = run(&["clean", "-y", "model/acme/a"]).expect(1);
    let file = journal(sandbox);
    assert!(stopped.stderr.contains(file.to_str().unwrap()) && stopped.stderr.contains(words), "{}", stopped.text());
    assert_eq!(tree::read(&hub.root), before);
    assert_eq!(fs::read(journal(sandbox)).ok(), told);
    // Without a record nothing is promised, and the journal is no condition.
    let run = run(&["clean", "-y", "model/acme/b", "--no-record"]).expect(0);
    assert!(run.stderr.contains("no undo") && run.stderr.contains("not told"), "{}", run.text());
    assert!(!hub.exists("models--acme--b"));
}

#[test]
fn a_journal_that_cannot_be_written_stops_a_run_before_anything_is_touched() {
    let (sandbox, hub) = world();
    sandbox.dscc(["clean", "-y", "model/acme/c"]).expect(0);
    fs::set_permissions(journal(&sandbox), fs::Permissions::from_mode(0o400)).unwrap();
    assert_stopped(&sandbox, &hub, "--no-record", |arguments| sandbox.dscc_bound(arguments));

    let (sandbox, hub) = world();
    fs::create_dir_all(journal(&sandbox)).unwrap();
    let run = sandbox.dscc(["clean", "-y", "model/acme/a"]).expect(1);
    assert!(run.stderr.contains("journal.jsonl") && hub.exists("models--acme--a"), "{}", run.text());
}

#[test]
fn a_journal_of_a_later_format_is_told_and_left_alone() {
    let (sandbox, hub) = world();
    fs::create_dir_all(journal(&sandbox).parent().unwrap()).unwrap();
    fs::write(journal(&sandbox), "{\"format\":2}\n{\"event\":\"of tomorrow\"}\n").unwrap();
    assert_stopped(&sandbox, &hub, "upgrade dscc", |arguments| sandbox.dscc(arguments));
    let document = sandbox.dscc(["history", "--json"]).expect(1).json();
    assert!(document["errors"][0]["message"].as_str().unwrap().contains("upgrade dscc"), "{document:#}");
}

#[test]
fn a_journal_marked_immutable_stops_a_run_and_one_marked_append_only_does_not() {
    if !can("a_journal_marked_immutable_stops_a_run_and_one_marked_append_only_does_not", &[Need::Root, Need::Marks]) {
        return;
    }
    let (sandbox, hub) = world();
    sandbox.dscc(["clean", "-y", "model/acme/c"]).expect(0);
    {
        let _mark = Mark::new('i', &journal(&sandbox));
        assert_stopped(&sandbox, &hub, "--no-record", |arguments| sandbox.dscc(arguments));
    }
    let _mark = Mark::new('a', &journal(&sandbox));
    next_second();
    sandbox.dscc(["clean", "-y", "model/acme/a"]).expect(0);
    let states: Vec<Value> = runs(&sandbox).iter().map(|run| run["state"].clone()).collect();
    assert_eq!(states, ["done", "done"]);
}

#[test]
fn undo_does_not_wait_for_the_journal() {
    let (sandbox, hub) = world();
    let before = tree::read(&hub.root);
    sandbox.dscc(["clean", "-y", "model/acme/a", "--keep-undo"]).expect(0);
    fs::set_permissions(journal(&sandbox), fs::Permissions::from_mode(0o400)).unwrap();
    let run = sandbox.dscc_bound(["undo"]).expect(0);
    assert!(run.stderr.contains("journal"), "{}", run.text());
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn without_the_journal_a_run_that_waits_is_still_known() {
    let (sandbox, _) = world();
    let document = sandbox.json(["clean", "-y", "model/acme/a", "--keep-undo"]);
    fs::remove_file(journal(&sandbox)).unwrap();
    let all = runs(&sandbox);
    assert_eq!((all.len(), &all[0]["state"], &all[0]["waits"]), (1, &json!("held"), &json!(true)));
    assert_eq!(ids(&array(&all[0], "remove")), ids(&array(&document, "remove")));
}

/// A command with these settings in the file.
fn with_settings(sandbox: &Sandbox, text: &str, arguments: &[&str]) -> Command {
    let file = sandbox.home().join(".config/dscc/config.toml");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    sandbox.command(arguments)
}

fn output(command: &mut Command) -> Run {
    Run::of(command.output().unwrap())
}

#[test]
fn settings_keep_what_goes_for_undo_unless_the_environment_or_the_command_line_say_otherwise() {
    let week = "keep-undo = \"7d\"\n";
    let id = "model/acme/a";
    for (variable, arguments, is_held) in [
        ("", &["clean", "-y", id][..], true),
        ("", &["clean", "-y", id, "--keep-undo=0s"], false),
        ("0s", &["clean", "-y", id], false),
        ("0s", &["clean", "-y", id, "--keep-undo=1h"], true),
        ("", &["clean", "-y", id, "--no-record"], false),
    ] {
        let (sandbox, _) = world();
        let run = output(with_settings(&sandbox, week, arguments).env("DSCC_KEEP_UNDO", variable)).expect(0);
        assert_eq!(run.stdout.contains("not free yet"), is_held, "{variable} {arguments:?}: {}", run.text());
        sandbox.dscc(["undo"]).expect(if is_held { 0 } else { 5 });
    }
    let (sandbox, _) = world();
    let plan = output(&mut with_settings(&sandbox, week, &["clean", "-n", id])).expect(0).stdout;
    assert!(plan.contains("not free until") && !plan.contains("will be free"), "{plan}");
    let run = output(with_settings(&sandbox, "", &["clean", "-y", id]).env("DSCC_KEEP_UNDO", "1h")).expect(0);
    assert!(run.stdout.contains("not free yet"), "{}", run.text());
}

#[test]
fn settings_that_make_no_sense_are_told_with_file_and_line_and_nothing_is_touched() {
    let (sandbox, hub) = world();
    let before = tree::read(&hub.root);
    let file = sandbox.home().join(".config/dscc/config.toml");
    for (text, words) in
        [("\nkeep-undoo = \"7d\"\n", "keep-undoo"), ("\nkeep-undo = \"soon\"", "soon"), ("\nx", "line 2")]
    {
        let run = output(&mut with_settings(&sandbox, text, &["clean", "-y", "--all"])).expect(2);
        assert!(run.stderr.contains("line 2") && run.stderr.contains(words), "{}", run.text());
        assert!(run.stderr.contains(file.to_str().unwrap()), "{}", run.text());
    }
    let run = output(with_settings(&sandbox, "", &["clean", "-y", "--all"]).env("DSCC_KEEP_UNDO", "soon")).expect(2);
    assert!(run.stderr.contains("DSCC_KEEP_UNDO"), "{}", run.text());
    assert_eq!(tree::read(&hub.root), before);
}
