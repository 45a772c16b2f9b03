//! The question on a terminal. The terminal is made by `script`, which comes with the basic tools of most Linux systems;
//! where it is missing, the tests of `ui::prompt` have to do.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::sandbox::Sandbox;
use crate::tree;

/// The program as a shell is told of it; as with [`Sandbox::command`], Ctrl-C is not ignored.
fn program(model: &Command) -> String {
    let words = [model.get_program()].into_iter().chain(model.get_args());
    words.map(|word| format!("'{}'", word.to_str().unwrap())).collect::<Vec<_>>().join(" ")
}

/// The program on a terminal, for whoever talks to it.
pub fn terminal(sandbox: &Sandbox, args: &str) -> Command {
    // The program itself lends its environment.
    let model = sandbox.command::<&str>([]);
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--echo", "never", "--command"]);
    command.arg(format!("exec {} {args}", program(&model))).arg("/dev/null").env_clear();
    command
        .envs(model.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .env("TERM", "xterm")
        .env("SHELL", "/bin/sh");
    command.current_dir(sandbox.home()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the program on a terminal on which this is typed; none without a terminal.
pub fn on_a_terminal(sandbox: &Sandbox, args: &str, typed: &str) -> Option<(i32, String)> {
    let mut child = start(sandbox, args)?;
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    Some(ended(child, String::new()))
}

/// The same, and what is typed comes only when this was shown, and something was done.
pub fn answering_on_a_terminal(
    sandbox: &Sandbox,
    args: &str,
    question: &str,
    meanwhile: impl FnOnce(),
    typed: &str,
) -> Option<(i32, String)> {
    let mut child = start(sandbox, args)?;
    let mut shown = Vec::new();
    let stdout = child.stdout.as_mut().unwrap();
    while !String::from_utf8_lossy(&shown).contains(question) {
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&shown));
        shown.extend(byte);
    }
    meanwhile();
    child.stdin.as_mut().unwrap().write_all(typed.as_bytes()).unwrap();
    Some(ended(child, String::from_utf8_lossy(&shown).replace('\r', "")))
}

fn start(sandbox: &Sandbox, args: &str) -> Option<Child> {
    let version = Command::new("script").arg("--version").output().ok()?;
    let is_there = String::from_utf8_lossy(&version.stdout).contains("util-linux");
    is_there.then(|| terminal(sandbox, args).spawn().unwrap())
}

fn ended(child: Child, before: String) -> (i32, String) {
    let Output { status, stdout, .. } = child.wait_with_output().unwrap();
    let shown = before + &String::from_utf8_lossy(&stdout).replace('\r', "");
    assert!(!shown.contains("panicked"), "{shown}");
    (status.code().unwrap(), shown)
}

#[test]
fn the_plan_is_shown_and_only_a_yes_removes_it() {
    for (typed, goes) in
        [("\n", false), ("n\n", false), ("yeah\nn\n", false), ("\u{4}", false), ("y\n", true), ("YES\n", true)]
    {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        hub.model("a", 5000);
        let before = tree::read(&hub.root);
        let Some((status, shown)) = on_a_terminal(&sandbox, "clean --all", typed) else { return };
        assert_eq!(status, 0, "{typed:?}: {shown}");
        assert!(shown.contains("model/acme/a") && shown.contains("5.0 kB"), "{shown}");
        assert!(shown.contains("[y/N"), "{shown}");
        assert_eq!(hub.exists("models--acme--a"), !goes, "{typed:?}: {shown}");
        assert!(goes || tree::read(&hub.root) == before && shown.contains("Nothing was removed"), "{shown}");
    }
}

#[test]
fn the_ten_largest_are_shown_and_l_lists_all() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for size in 1..=12 {
        hub.model(&format!("m{size:02}"), size * 1000);
    }
    let Some((_, short)) = on_a_terminal(&sandbox, "clean --all", "n\n") else { return };
    assert!(short.contains("m12") && short.contains("m03") && short.contains("and 2 more"), "{short}");
    assert!(!short.contains("m01"), "{short}");
    let Some((_, long)) = on_a_terminal(&sandbox, "clean --all", "l\nn\n") else { return };
    assert!(long.contains("m01") && long.contains("models--acme--m01"), "{long}");
    assert_eq!(long.matches("[y/N").count(), 2, "{long}");
    assert!(hub.exists("models--acme--m01"));
}

#[test]
fn quiet_results_are_what_went_and_the_plan_is_shown_to_who_is_asked() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let Some((_, shown)) = on_a_terminal(&sandbox, "clean -q --all > out", "n\n") else { return };
    let results = || std::fs::read_to_string(sandbox.home().join("out")).unwrap();
    assert!(shown.contains("model/acme/a") && shown.contains("[y/N") && results().is_empty(), "{shown}");
    on_a_terminal(&sandbox, "clean -q --all > out", "y\n");
    assert_eq!(results(), "model/acme/a\n");
}

#[test]
fn messages_come_after_the_results_that_they_are_about_and_what_stays_is_told_once() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10);
    hub.model("mine", 10).own_file('a', "notes.md", "weeks of work");
    let Some((_, shown)) = on_a_terminal(&sandbox, "clean --all --keep-undo", "y\n") else { return };
    let at = |words: &str| shown.find(words).unwrap_or_else(|| panic!("{words}: {shown}"));
    assert!(at("Stays: ") < at("[y/N") && at("[y/N") < at("Removed 1 entry") && at("Removed") < at("hint:"), "{shown}");
    assert_eq!(shown.matches("Stays: model/acme/mine").count(), 1, "{shown}");
}

/// However long somebody thinks about the question.
#[test]
fn locks_are_waited_for_after_the_answer() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let lock = hub.model("a", 10).lock('a');
    let thinking = || {
        std::thread::sleep(Duration::from_millis(2500));
        let lock = File::open(&lock).unwrap();
        lock.lock().unwrap();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(700));
            drop(lock);
        });
    };
    let args = "clean --wait 2 model/acme/a";
    let Some((status, shown)) = answering_on_a_terminal(&sandbox, args, "[y/N", thinking, "y\n") else { return };
    assert!(status == 0 && !hub.exists("models--acme--a"), "{shown}");
}

#[test]
fn a_terminal_gets_colour_unless_it_or_the_user_wants_none() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let Some((_, coloured)) = on_a_terminal(&sandbox, "list", "") else { return };
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
    let Some((_, plain)) = on_a_terminal(&sandbox, "list --color never", "") else { return };
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn what_cannot_be_had_back_is_told_before_the_question() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 10).own_file('a', "notes.md", "weeks of work");
    let asked = on_a_terminal(&sandbox, "clean model/acme/a --force irreplaceable", "n\n");
    let Some((_, shown)) = asked else { return };
    let (told, question) = (shown.find("CANNOT BE HAD BACK"), shown.find("[y/N"));
    assert!(told.is_some() && told < question, "{shown}");
    assert!(hub.exists("models--acme--a"));
}
