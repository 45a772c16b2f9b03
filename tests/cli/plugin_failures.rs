//! What a plugin's failure costs: a row of unknown size, and nothing of anybody else. Commands that are about other
//! caches do not ask it at all.

use crate::plugins::{codes, lib, tamper};
use crate::sandbox::{Sandbox, array};

/// A hub, a plugin that works and one whose component was changed.
fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    for name in ["good", "bad"] {
        sandbox.fill(name);
    }
    sandbox.install("good", &lib("good", "1.0.0"));
    let bytes = sandbox.install("bad", &lib("bad", "1.0.0"));
    tamper(&sandbox.installed_component(&bytes));
    sandbox
}

#[test]
fn the_root_of_a_plugin_that_cannot_run_is_a_row_of_unknown_size() {
    let sandbox = world();
    let listed = sandbox.dscc(["list", "--json"]).expect(1).json();
    let rows = array(&listed, "caches");
    let row = |name: &str| rows.iter().find(|row| row["cache"] == name).unwrap().clone();
    assert_eq!((&row("good")["size"], &row("hub")["size"]), (&5.into(), &50.into()));
    let bad = row("bad");
    assert_eq!((&bad["lower_bound"], &bad["entries"], &bad["size"]), (&true.into(), &0.into(), &0.into()));
    assert_eq!((codes(&listed, "errors"), &listed["size"]), (vec!["plugin-changed".to_owned()], &55.into()));
    let text = sandbox.dscc(["list"]).expect(1);
    assert!(text.stdout.lines().any(|line| line.starts_with("bad ") && line.contains('?')), "{}", text.stdout);
}

#[test]
fn a_failure_is_told_once_however_many_roots_it_costs() {
    let sandbox = world();
    let other = sandbox.path("other");
    std::fs::create_dir(&other).unwrap();
    let named = |path: &std::path::Path| format!("bad={}", path.display());
    let (first, second) = (named(&sandbox.home().join("bad")), named(&other));
    let run = sandbox.dscc(["list", "--json", "--root", &first, "--root", &second]).expect(1).json();
    assert_eq!(codes(&run, "errors"), ["plugin-changed"]);
    assert_eq!(array(&run, "caches").iter().filter(|row| row["cache"] == "bad").count(), 2);
}

#[test]
fn a_command_about_another_cache_is_not_concerned() {
    let sandbox = world();
    for scope in ["hub", "hf-hub", "good"] {
        for command in [&["list"][..], &["show"], &["clean", "-n"], &["paths"]] {
            let args = command.iter().copied().chain(["-c", scope, "--json"]);
            let run = sandbox.dscc(args).expect(0).json();
            assert_eq!(codes(&run, "errors"), Vec::<String>::new(), "{command:?} -c {scope}");
        }
    }
    let run = sandbox.dscc(["list", "-c", "bad", "--json"]).expect(1).json();
    assert_eq!(codes(&run, "errors"), ["plugin-changed"]);
    // A word that nobody has may be one of its caches.
    sandbox.dscc(["list", "-c", "unheard-of"]).expect(5);
}

#[test]
fn where_nothing_can_be_shown_because_of_it_that_is_said() {
    let sandbox = Sandbox::new();
    sandbox.fill("bad");
    let bytes = sandbox.install("bad", &lib("bad", "1.0.0"));
    tamper(&sandbox.installed_component(&bytes));
    let run = sandbox.dscc(["show"]).expect(1);
    assert!(run.stdout.contains("what is in it is unknown, because the plugin failed"), "{}", run.stdout);
}

#[test]
fn rows_and_messages_come_in_the_same_order_however_the_plugins_take_turns() {
    let sandbox = world();
    for number in 0..12 {
        let name = format!("lib-{number}");
        sandbox.fill(&name);
        let plugin = lib(&name, "1.0.0");
        sandbox.install(&name, &if number % 3 == 0 { plugin.listing("(unreachable)") } else { plugin });
    }
    let first = sandbox.dscc(["list", "--json"]).expect(1).stdout;
    for _ in 0..20 {
        assert_eq!(sandbox.dscc(["list", "--json"]).stdout, first);
    }
    let shown = sandbox.dscc(["show", "--json"]).stdout;
    assert!((0..20).all(|_| sandbox.dscc(["show", "--json"]).stdout == shown));
}
