//! Several at once, and killed at any moment: nothing that was installed is lost, and the next command works.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::plugins::lib;
use crate::sandbox::{Run, Sandbox};

fn path(name: &str) -> String {
    format!("../{name}.wasm")
}

/// Components that are compiled already, so that the runs are about the folder.
fn prepare(sandbox: &Sandbox, names: &[String]) {
    for name in names {
        sandbox.component(&format!("{name}.wasm"), &lib(name, "1.0.0"));
        sandbox.plugin(["add", "-n", &path(name)]).expect(0);
    }
}

fn names(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{prefix}{number}")).collect()
}

#[test]
fn adding_at_once_loses_nothing() {
    let sandbox = Sandbox::new();
    let all = names("lib", 8);
    prepare(&sandbox, &all);
    let children = all.iter().map(|name| {
        let mut command = sandbox.command(["plugin", "add", "-y", &path(name)]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for child in children.collect::<Vec<_>>() {
        Run::of(child.wait_with_output().unwrap()).expect(0);
    }
    assert_eq!(sandbox.running()[1..], all);
    sandbox.plugin(["verify"]).expect(0);
}

#[test]
fn adding_the_same_at_once_succeeds_everywhere() {
    let sandbox = Sandbox::new();
    prepare(&sandbox, &names("lib", 1));
    let children = (0..6).map(|_| {
        let mut command = sandbox.command(["plugin", "add", "-y", "../lib0.wasm"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    });
    for child in children.collect::<Vec<_>>() {
        Run::of(child.wait_with_output().unwrap()).expect(0);
    }
    assert_eq!(sandbox.running(), ["hf-hub", "lib0"]);
}

#[test]
fn listing_and_verifying_while_others_add_and_remove_never_fails() {
    let sandbox = Sandbox::new();
    let (going, coming) = (names("going", 3), names("coming", 3));
    prepare(&sandbox, &[going.clone(), coming.clone()].concat());
    for name in &going {
        sandbox.plugin(["add", "-y", &path(name)]).expect(0);
    }
    std::thread::scope(|scope| {
        let adding = scope.spawn(|| {
            coming.iter().for_each(|name| drop(sandbox.plugin(["add", "-y", &path(name)]).expect(0)));
        });
        let removing = scope.spawn(|| {
            going.iter().for_each(|name| drop(sandbox.plugin(["remove", name]).expect(0)));
        });
        let known: BTreeSet<String> = going.iter().chain(&coming).cloned().chain(["hf-hub".to_owned()]).collect();
        while !(adding.is_finished() && removing.is_finished()) {
            sandbox.plugin(["list"]).expect(0);
            sandbox.plugin(["verify"]).expect(0);
            let running = sandbox.running();
            assert!(running.iter().all(|name| known.contains(name)), "{running:?}");
        }
    });
    assert_eq!(sandbox.running()[1..], coming);
}

/// Kills the program after a while; whether it was still running.
fn killed(sandbox: &Sandbox, args: &[&str], after: Duration) -> bool {
    let mut command = sandbox.command(["plugin"].iter().chain(args));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    sleep(after);
    child.kill().unwrap();
    child.wait().unwrap().signal().is_some()
}

#[test]
fn killed_at_any_moment_the_next_run_goes_on() {
    let sandbox = Sandbox::new();
    prepare(&sandbox, &names("lib", 1));
    let (old, new) = (lib("other", "1.0.0"), lib("other", "2.0.0"));
    sandbox.component("old.wasm", &old);
    sandbox.component("new.wasm", &new);
    sandbox.install("stays", &lib("stays", "1.0.0"));
    // How long a whole run takes here decides where the kills fall.
    let start = Instant::now();
    sandbox.plugin(["add", "-y", "../lib0.wasm"]).expect(0);
    let whole = start.elapsed();
    sandbox.plugin(["remove", "lib0"]).expect(0);
    let steps = 12;
    let mut kills = 0;
    for step in 0..steps {
        let after = whole * step / (steps - 2);
        sandbox.plugin(["add", "-y", "--replace", "../old.wasm"]).expect(0);
        let commands: [&[&str]; 3] =
            [&["add", "-y", "../lib0.wasm"], &["update", "other", "../new.wasm"], &["remove", "other"]];
        for (command, done) in commands.into_iter().zip(["lib0", "other", ""]) {
            kills += usize::from(killed(&sandbox, command, after));
            let running = sandbox.plugin(["list", "-q"]).expect(0).stdout;
            assert!(running.lines().any(|name| name == "stays"), "{running}");
            let status = sandbox.plugin(["verify", "-q"]).status;
            assert!([0, 4].contains(&status), "{status}");
            // The same again: done now, or found to be done.
            let again = sandbox.plugin(command.iter().copied());
            assert!(again.status == 0 || command[0] == "remove" && again.status == 5, "{command:?}: {}", again.text());
            let running = sandbox.running();
            assert!(done.is_empty() || running.iter().any(|name| name == done), "{running:?}");
            assert!(!done.is_empty() || !running.iter().any(|name| name == "other"), "{running:?}");
        }
        sandbox.plugin(["remove", "lib0"]).expect(0);
    }
    assert!(kills > 5, "{kills} kills of {}", steps * 3);
    sandbox.plugin(["add", "-y", "../lib0.wasm"]).expect(0);
    let left = sandbox.plugins_tree();
    assert!(!left.keys().any(|name| name.to_str().unwrap().starts_with(".new-")), "{left:?}");
}
