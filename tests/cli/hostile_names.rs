//! Names that are no text, too long, or made to deceive: each has one form that is safe to look at, and that form given
//! back names the same thing again.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use crate::hub::{Hub, commit};
use crate::sandbox::{Sandbox, array, ids, is_root};
use crate::tree;

/// Not every file system takes names that are no UTF-8.
fn takes(hub: &Hub, name: &OsStr) -> bool {
    let place = hub.root.join(name);
    let made = fs::create_dir(&place);
    let _ = fs::remove_dir(&place);
    made.is_ok()
}

fn odd_names() -> Vec<OsString> {
    let texts = [
        "models--acme--new\nline",
        "models--acme--\u{1b}[31mred\u{7}",
        "models--acme--\u{202e}txt.exe",
        "models--acme--zero\u{200b}width",
        "models--acme--back\\slash",
        "models--acme--\\xff",
        "models--acme--quote'\"$(id)`",
        "models--acme--*",
        "models--acme- -n",
        "models--acme--a b",
        "models--acme--blank ",
        "models---y",
        "models--hub:model",
        "models--\u{6a21}\u{578b}\u{1f917}",
        "models--acme--a@b",
        "models--",
    ];
    let mut names: Vec<OsString> = texts.iter().map(OsString::from).collect();
    names.push(OsStr::from_bytes(b"models--acme--\xff\xfe").to_owned());
    names.push(OsStr::from_bytes(b"models--\xe2\x82--cut").to_owned());
    names.push(format!("models--acme--{}", "x".repeat(255 - 14)).into());
    names
}

#[test]
fn every_id_that_is_shown_can_be_given_back_and_names_that_entry_alone() {
    for name in odd_names() {
        let sandbox = Sandbox::new();
        let hub = sandbox.hub();
        if !takes(&hub, &name) {
            continue;
        }
        hub.model("other", 10);
        let snapshot = hub.root.join(&name).join("snapshots").join(commit('a'));
        fs::create_dir_all(&snapshot).unwrap();
        let entries = array(&sandbox.json(["show"]), "entries");
        let ids: Vec<&str> = ids(&entries).into_iter().filter(|id| *id != "model/acme/other").collect();
        let [id] = ids.as_slice() else { panic!("{name:?}: {ids:?}") };
        let before = tree::read(&hub.root);
        // As anyone would who does not want it to be taken for an option.
        sandbox.dscc(["clean", "-y", "--force", "irreplaceable", "--", id]).expect(0);
        assert!(!hub.root.join(&name).exists(), "{name:?}");
        let left = tree::read(&hub.root);
        assert_eq!(left.len(), before.keys().filter(|path| !path.starts_with(&name)).count(), "{name:?}");
    }
}

#[test]
fn all_odd_names_at_once_are_told_apart() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let names: Vec<OsString> = odd_names().into_iter().filter(|name| takes(&hub, name)).collect();
    for name in &names {
        fs::create_dir_all(hub.root.join(name).join("snapshots").join(commit('a'))).unwrap();
    }
    let entries = array(&sandbox.json(["show"]), "entries");
    let mut all = ids(&entries);
    assert_eq!(all.len(), names.len());
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), names.len(), "{all:?}");
    let before = sandbox.all_but(&hub.root);
    sandbox.dscc(["clean", "-y", "--all", "--force", "irreplaceable"]).expect(0);
    assert_eq!(sandbox.all_but(&hub.root), before);
    assert_eq!(fs::read_dir(&hub.root).unwrap().count(), 0);
}

#[test]
fn odd_names_within_a_repository_go_with_it_and_are_counted() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.model("a", 10);
    let snapshot = repo.path("snapshots").join(commit('a'));
    let long = "n".repeat(255);
    let names: [&OsStr; 8] = [
        OsStr::from_bytes(b"\xff\xfe"),
        OsStr::new("new\nline"),
        OsStr::new("\u{1b}]0;title\u{7}"),
        OsStr::new(&long),
        OsStr::new("-rf"),
        OsStr::new("..."),
        OsStr::new(" "),
        OsStr::new("blank\u{a0}"),
    ];
    let taken: Vec<&&OsStr> = names.iter().filter(|name| takes(&hub, name)).collect();
    for name in &taken {
        repo.link('a', name, Path::new("../../blobs").join(name));
        fs::create_dir_all(repo.path("refs")).unwrap();
        fs::write(repo.path("blobs").join(name), "12").unwrap();
        fs::write(repo.path("refs").join(name), commit('a')).unwrap();
        assert!(snapshot.join(name).exists());
    }
    let size = 50 + 42 * taken.len() as u64;
    let entry = sandbox.entry("model/acme/a");
    assert_eq!((&entry["state"], entry["size"].as_u64()), (&"complete".into(), Some(size)), "{entry:#}");
    for args in [vec!["show", "--children"], vec!["show", "model/acme/a@main"], vec!["clean", "-n", "--all"]] {
        let run = sandbox.dscc(&args).expect(0);
        assert!(!run.text().contains(|c: char| c.is_control() && c != '\n'), "{:?}", run.text());
    }
    assert_eq!(sandbox.json(["clean", "-y", "model/acme/a"])["freed"].as_u64(), Some(size));
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_root_with_an_odd_name_is_found_shown_and_cleaned() {
    let sandbox = Sandbox::new();
    let name = OsStr::from_bytes(b"r\xffoot\n\x1b[2J=x");
    let place = sandbox.home().join(name);
    if fs::create_dir(&place).is_err() {
        return;
    }
    let hub = Hub::at(place.clone());
    hub.model("a", 10);
    let mut command = sandbox.command(["list"]);
    let run = crate::sandbox::Run::of(command.env("HF_HUB_CACHE", &place).output().unwrap()).expect(0);
    assert!(run.stdout.contains("r\\xffoot\\u{a}\\u{1b}[2J=x"), "{}", run.stdout);
    let mut command = sandbox.command(["clean", "-y", "model/acme/a"]);
    crate::sandbox::Run::of(command.env("HF_HUB_CACHE", &place).output().unwrap()).expect(0);
    assert!(!hub.exists("models--acme--a"));
}

#[test]
fn a_root_with_an_odd_name_can_be_named_on_the_command_line() {
    let sandbox = Sandbox::new();
    let place = sandbox.home().join(OsStr::from_bytes(b"r\xff"));
    if fs::create_dir(&place).is_err() {
        return;
    }
    Hub::at(place.clone()).model("a", 10);
    let mut root = OsString::from("--root=hub=");
    root.push(&place);
    let run = sandbox.dscc([OsStr::new("list"), OsStr::new("-q"), &root]).expect(0);
    assert_eq!(run.stdout, "hub\n");
}

#[test]
fn what_is_no_text_on_the_command_line_is_a_usage_error() {
    let sandbox = Sandbox::new();
    sandbox.hub().model("a", 10);
    let run = sandbox.dscc([OsStr::new("clean"), OsStr::new("-y"), OsStr::from_bytes(b"model/\xff")]).expect(2);
    assert!(!run.stderr.is_empty());
}

#[test]
fn what_is_shown_of_an_unreadable_name_is_safe_too() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    let repo = hub.repo("models--acme--\u{1b}[2Jx");
    repo.revision('a', &[]).refs("main", 'a');
    crate::sandbox::give_away(&repo.path("snapshots"));
    for args in [vec!["list"], vec!["show", "--children"], vec!["clean", "-y", "--all"], vec!["list", "--json"]] {
        let run = sandbox.dscc_bound(&args);
        assert!(!run.text().contains('\u{1b}'), "{args:?} as {}: {:?}", is_root(), run.text());
        assert!(run.text().contains("[2Jx"), "{args:?}: {}", run.text());
    }
}
