//! Ctrl-C and requests to end: before anything was begun they kill, and nothing changed; from then on the first one stops
//! the work between two things and tells what was done, a second one kills. And what a terminal shows of long work.
//!
//! Time is made by a plugin that counts for seconds once its cache was taken: it is asked then who still claims what was
//! put aside.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::components::{Entry, Plugin};
use crate::plugins::lib;
use crate::prompt::{answering_on_a_terminal, on_a_terminal};
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;

/// How far the plugin counts.
const LAPS: u64 = 1_500_000_000;

/// Two caches: as soon as that of `slow` was taken, its plugin takes its time. `swift` comes after it.
fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    let mut plugin = Plugin::new().manifest("slow", "1.0.0", "slow", "~/slow").caches(&[("slow", "")]);
    let is_there = plugin.exists("thing");
    let entries = [Entry::new("thing").owns("thing").shares("pool")];
    let count = "(local.set $n (i64.add (local.get $n) (i64.const 1)))";
    let spin = format!("(loop $spin {count} (br_if $spin (i64.lt_u (local.get $n) (i64.const {LAPS}))))");
    let plugin =
        plugin.entries(&entries).prepending(&format!("(local $n i64) (if (i32.eqz {is_there}) (then {spin}))"));
    let path = sandbox.component("slow.wasm", &plugin);
    sandbox.plugin(["add", "-y", "--limit", "time=300s", path.to_str().unwrap()]).expect(0);
    sandbox.install("swift", &lib("swift", "1.0.0"));
    sandbox.fill("swift");
    fs::create_dir(sandbox.home().join("slow")).unwrap();
    for name in ["thing", "pool"] {
        fs::write(sandbox.home().join("slow").join(name), name).unwrap();
    }
    sandbox
}

const CLEAN: [&str; 7] = ["clean", "-y", "--json", "-c", "slow", "-c", "swift"];

/// Begins to remove both, and comes back when all of `slow` is taken.
fn begin(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.command(CLEAN);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let left = ["slow/thing", "slow/pool"].map(|name| sandbox.home().join(name));
    wait_until(|| left.iter().all(|path| !path.exists()) || child.try_wait().unwrap().is_some());
    child
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(120), "it does not come to it");
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

#[test]
fn a_signal_stops_between_two_things_with_a_report_and_its_own_status() {
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let sandbox = world();
        let swift = tree::read(&sandbox.home().join("swift"));
        let child = begin(&sandbox);
        send(&child, signal);
        let run = Run::of(child.wait_with_output().unwrap()).expect(status);
        let document: Value = run.json();
        assert_eq!((&document["freed"], ids(&array(&document, "remove"))), (&0.into(), vec!["thing", "thing"]));
        assert_eq!(tree::read(&sandbox.home().join("swift")), swift);
        let failed = array(&document, "failed");
        let of = |cache: &str| {
            let row = failed.iter().find(|row| row["cache"] == cache).unwrap_or_else(|| panic!("{cache}: {failed:?}"));
            row["message"].as_str().unwrap().to_owned()
        };
        assert!(of("swift").contains("not removed any more, because the command was interrupted"), "{failed:?}");
        assert!(of("slow").contains("was not deleted any more, because the command was interrupted"), "{failed:?}");
        assert!(sandbox.is_anything_held(), "what was put aside waits");
        // It cannot be put back any more, and the next run deletes it.
        sandbox.dscc(["undo"]).expect(5);
        let next = sandbox.dscc(["clean", "-y", "-c", "swift"]).expect(0);
        assert!(next.stderr.contains("was finished"), "{}", next.text());
        assert!(!sandbox.is_anything_held() && !sandbox.home().join("swift/thing").exists());
    }
}

#[test]
fn a_second_signal_kills_at_once_and_the_next_run_puts_everything_back() {
    let sandbox = world();
    let [slow, swift] = ["slow", "swift"].map(|name| sandbox.home().join(name));
    let before = (tree::read(&slow), tree::read(&swift));
    let mut child = begin(&sandbox);
    send(&child, Signal::INT);
    send(&child, Signal::TERM);
    let status: ExitStatus = child.wait().unwrap();
    // Whichever of the two was handled last.
    assert!(matches!(status.signal(), Some(2 | 15)), "{status}");
    assert!(sandbox.is_anything_held());
    let next = sandbox.dscc(["clean", "-y", "nothing"]).expect(5);
    assert!(next.stderr.contains("was put back"), "{}", next.text());
    assert_eq!((tree::read(&slow), tree::read(&swift)), before);
    assert!(!sandbox.is_anything_held());
}

#[test]
#[cfg(target_os = "linux")]
fn a_signal_while_locks_are_waited_for_kills_and_nothing_was_begun() {
    for signal in [Signal::INT, Signal::TERM] {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        let lock = hub.model("a", 1000).lock('a');
        let before = sandbox.all_but(std::path::Path::new(""));
        let held = fs::File::open(&lock).unwrap();
        held.try_lock().unwrap();
        let mut command = sandbox.command(["clean", "-y", "--all", "--wait", "600"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let files = format!("/proc/{}/fd", child.id());
        let waits = || {
            let open = fs::read_dir(&files).unwrap().flatten();
            open.into_iter().any(|file| fs::read_link(file.path()).is_ok_and(|to| to == lock))
        };
        wait_until(waits);
        send(&child, signal);
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status}");
        assert_eq!(sandbox.all_but(std::path::Path::new("")), before);
    }
}

#[test]
fn ctrl_c_at_the_question_ends_with_its_status_and_nothing_was_removed() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    let before = tree::read(&hub.root);
    let Some((status, shown)) = answering_on_a_terminal(&sandbox, "clean --all", "[y/N/l] ", || (), "\u{3}") else {
        return;
    };
    assert_eq!(status, 130, "{shown}");
    assert_eq!(tree::read(&hub.root), before);
}

#[test]
fn long_work_is_shown_on_a_terminal_and_nowhere_else() {
    let on_terminal = |options: &str| {
        let sandbox = world();
        let (status, shown) = on_a_terminal(&sandbox, &format!("clean -y -c slow -c swift {options}"), "")?;
        assert_eq!(status, 0, "{shown}");
        assert!(!sandbox.home().join("slow/thing").exists());
        Some(shown)
    };
    std::thread::scope(|scope| {
        let [plain, quiet, json] = ["", "--quiet", "--json"].map(|options| scope.spawn(move || on_terminal(options)));
        let in_a_pipe = world().dscc(CLEAN[..2].iter().chain(&CLEAN[3..])).expect(0);
        assert_eq!(in_a_pipe.stderr, "");
        let [plain, quiet, json] = [plain, quiet, json].map(|it| it.join().unwrap());
        let Some(plain) = plain else { return };
        assert!(plain.contains("putting aside") && plain.contains("2 items"), "{plain}");
        for other in [quiet, json].map(Option::unwrap) {
            assert!(!other.contains("putting aside") && !other.contains("2 items"), "{other:?}");
        }
    });
}
