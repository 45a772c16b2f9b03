//! Table tests for the whole way from a rule to its candidates, most on paths that need not exist.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::*;
use crate::model::{Expansion, Location, Pattern, RootRule};

fn location(path: &str, expand: Expansion) -> Location {
    Location { path: path.to_owned(), expand }
}

fn rule(locations: Vec<Location>, marks: &[&str]) -> RootRule {
    let marks = marks.iter().map(|mark| Pattern::parse(mark).unwrap()).collect();
    RootRule { id: "hub".to_owned(), locations, marks, indexes: Vec::new() }
}

/// The rule of the Hugging Face hub, as its library resolves its variables.
fn hub_rule() -> RootRule {
    let python = Expansion { home: true, variables: true, empty: true };
    let texts = ["${HF_HUB_CACHE}", "${HUGGINGFACE_HUB_CACHE}", "${HF_HOME}/hub", "${XDG_CACHE_HOME}/huggingface/hub"];
    let mut locations: Vec<Location> = texts.iter().map(|text| location(text, python)).collect();
    locations.push(location("~/.cache/huggingface/hub", Expansion::default()));
    rule(locations, &["*--*", ".locks", "CACHEDIR.TAG"])
}

fn environment(settings: &[(&str, &str)]) -> Environment {
    let home = ("HOME", "/home/user");
    let variables = settings.iter().chain([&home]).map(|(name, value)| (name.into(), value.into())).collect();
    Environment {
        variables,
        home: Some("/home/user".into()),
        cache: "/home/user/.cache".into(),
        temp: "/tmp".into(),
        own: vec!["/home/user/.cache/dscc".into(), "/home/user/.config/dscc".into()],
        accounts: PathBuf::new(),
    }
}

/// A home directory on disk, with an environment in which it is the home.
fn home_on_disk() -> (tempfile::TempDir, PathBuf, Environment) {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().canonicalize().unwrap().join("home");
    fs::create_dir_all(home.join(".cache/dscc")).unwrap();
    let mut environment = environment(&[]);
    environment.variables.insert("HOME".into(), home.clone().into());
    environment.cache = home.join(".cache");
    environment.own = vec![home.join(".cache/dscc")];
    environment.home = Some(home.clone());
    (folder, home, environment)
}

fn one(mut candidates: Vec<Candidate>) -> Candidate {
    assert_eq!(candidates.len(), 1, "{candidates:?}");
    candidates.remove(0)
}

fn refusal(candidate: &Candidate) -> &str {
    match &candidate.outcome {
        Outcome::Refused(refusal) => refusal.code(),
        other => panic!("{:?} was not refused: {other:?}", candidate.path),
    }
}

/// What huggingface_hub 2.4.0 answers for HF_HUB_CACHE with HOME=/home/user, setting by setting.
const HUB_CACHE: &[(&[(&str, &str)], &str)] = &[
    (&[], "/home/user/.cache/huggingface/hub"),
    (&[("XDG_CACHE_HOME", "/abs/xdg")], "/abs/xdg/huggingface/hub"),
    (&[("XDG_CACHE_HOME", "~/xdg")], "/home/user/xdg/huggingface/hub"),
    (&[("XDG_CACHE_HOME", "$HOME/xdg")], "/home/user/xdg/huggingface/hub"),
    (&[("XDG_CACHE_HOME", "")], "huggingface/hub"),
    (&[("HF_HOME", "/abs/hf")], "/abs/hf/hub"),
    (&[("HF_HOME", "~/hf")], "/home/user/hf/hub"),
    (&[("HF_HOME", "$HOME/hf")], "/home/user/hf/hub"),
    (&[("HF_HOME", "~/${SUB}/hf"), ("SUB", "s")], "/home/user/s/hf/hub"),
    (&[("HF_HOME", "rel/hf")], "rel/hf/hub"),
    (&[("HF_HOME", "")], "hub"),
    (&[("HF_HOME", "/abs/hf"), ("XDG_CACHE_HOME", "/abs/xdg")], "/abs/hf/hub"),
    (&[("HF_HUB_CACHE", "~/hub")], "/home/user/hub"),
    (&[("HF_HUB_CACHE", "$HOME/hub")], "/home/user/hub"),
    (&[("HF_HUB_CACHE", "")], ""),
    (&[("HUGGINGFACE_HUB_CACHE", "~/old")], "/home/user/old"),
    (&[("HF_HUB_CACHE", "/abs/new"), ("HUGGINGFACE_HUB_CACHE", "/abs/old")], "/abs/new"),
    (&[("HF_ASSETS_CACHE", "~/a")], "/home/user/.cache/huggingface/hub"),
    (&[("HUGGINGFACE_ASSETS_CACHE", "$HOME/a")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_TOKEN_PATH", "~/secrets/token")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_XET_CACHE", "~/xet")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_XET_CACHE", "$HOME/xet")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_XET_CACHE", "/abs/xet")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_DATASETS_CACHE", "~/ds")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_DATASETS_CACHE", "$HOME/ds")], "/home/user/.cache/huggingface/hub"),
    (
        &[("HF_DATASETS_CACHE", "/abs/ds"), ("HF_DATASETS_DOWNLOADED_DATASETS_PATH", "/abs/dl")],
        "/home/user/.cache/huggingface/hub",
    ),
    (&[("HF_DATASETS_DOWNLOADED_DATASETS_PATH", "/abs/dl")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_DATASETS_EXTRACTED_DATASETS_PATH", "/abs/ex")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_MODULES_CACHE", "~/mod")], "/home/user/.cache/huggingface/hub"),
    (&[("TRANSFORMERS_CACHE", "~/tf")], "/home/user/.cache/huggingface/hub"),
    (&[("PYTORCH_TRANSFORMERS_CACHE", "/abs/pt")], "/home/user/.cache/huggingface/hub"),
    (&[("PYTORCH_PRETRAINED_BERT_CACHE", "/abs/bert")], "/home/user/.cache/huggingface/hub"),
    (&[("HF_HOME", "/abs/hf"), ("TRANSFORMERS_CACHE", "/abs/tf")], "/abs/hf/hub"),
    (&[("HUGGINGFACE_CO_STAGING", "1")], "/home/user/.cache/huggingface/hub"),
];

#[test]
fn the_hub_is_looked_for_where_its_library_looks() {
    for (settings, expected) in HUB_CACHE {
        let candidate = one(resolve(&hub_rule(), &environment(settings), &[]));
        assert_eq!(candidate.path, Path::new(expected), "{settings:?}");
        match expected {
            absolute if absolute.starts_with('/') => assert_eq!(candidate.outcome, Outcome::Absent, "{settings:?}"),
            _ => {
                assert!(matches!(refusal(&candidate), "root-relative" | "root-empty"), "{settings:?}");
                let (name, value) = settings[0];
                let message = candidate.message().unwrap();
                assert!(message.contains(&format!("{name}={value}")), "{message}");
                assert!(candidate.hint().unwrap().contains("--root hub=") && candidate.hint().unwrap().contains(name));
            }
        }
    }
}

#[test]
fn an_empty_variable_is_unset_for_libraries_that_see_it_so() {
    let rule = rule(vec![location("${A}/x", Expansion::default()), location("~/y", Expansion::default())], &[]);
    assert_eq!(one(resolve(&rule, &environment(&[("A", "")]), &[])).path, Path::new("/home/user/y"));
}

#[test]
fn a_rule_without_a_location_that_applies_gives_nothing() {
    let rule = rule(vec![location("${UNSET}/x", Expansion::default())], &[]);
    assert_eq!(resolve(&rule, &environment(&[]), &[]), []);
}

#[test]
fn an_unknown_home_is_said_and_not_guessed() {
    let rule = rule(vec![location("~/x", Expansion::default()), location("/abs/x", Expansion::default())], &[]);
    for home in [None, Some(PathBuf::new()), Some("relative".into())] {
        let environment = Environment { home, ..environment(&[]) };
        assert_eq!(refusal(&one(resolve(&rule, &environment, &[]))), "root-no-home");
    }
}

#[test]
fn a_malformed_location_is_reported_and_not_skipped() {
    let rule = rule(vec![location("$HOME/x", Expansion::default()), location("~/y", Expansion::default())], &[]);
    assert_eq!(refusal(&one(resolve(&rule, &environment(&[]), &[]))), "root-bad-location");
}

#[test]
fn folders_that_are_never_a_root_are_refused_whoever_names_them() {
    let table = [
        ("/", "root-top"),
        ("//", "root-top"),
        ("/home/..", "root-top"),
        ("/home/user", "root-home"),
        ("/home/user/", "root-home"),
        ("/home/user/./x/..", "root-home"),
        ("/home", "root-home"),
        ("/home/user/.cache/dscc", "root-own"),
        ("/home/user/.cache/dscc/x", "root-own"),
        ("/home/user/.cache", "root-own"),
        ("/home/user/.ssh", "root-private"),
        ("/home/user/.gnupg/x", "root-private"),
        ("/home/user/.aws", "root-private"),
        ("/home/user/.kube", "root-private"),
        ("/home/user/.config/x", "root-private"),
        ("/home/user/.local/share/keyrings", "root-private"),
        ("/home/user/.local", "root-private"),
        ("/etc", "root-system"),
        ("/etc/hub", "root-system"),
        ("/usr", "root-system"),
        ("/usr/bin", "root-system"),
        ("/bin", "root-system"),
        ("/lib/x", "root-system"),
        ("/boot", "root-system"),
        ("/dev/shm/hub", "root-system"),
        ("/proc/self/root", "root-system"),
        ("/sys/x", "root-system"),
        ("/run", "root-system"),
        ("/var", "root-system"),
        ("/root", "root-system"),
        ("relative", "root-relative"),
    ];
    for (path, code) in table {
        let set = environment(&[("HF_HUB_CACHE", path), ("HF_HOME", "/abs/hf")]);
        let by_variable = one(resolve(&hub_rule(), &set, &[]));
        assert_eq!(refusal(&by_variable), code, "{path}");
        let message = by_variable.message().unwrap();
        assert!(message.contains(&format!("HF_HUB_CACHE={path}")) && message.contains(path), "{message}");
        let named = one(resolve(&hub_rule(), &environment(&[]), &[PathBuf::from(path)]));
        assert_eq!((refusal(&named), &named.origin), (code, &Origin::Named), "{path}");
    }
}

#[test]
fn folders_beside_the_forbidden_ones_are_fine() {
    for path in [
        "/data/hub",
        "/home/user/.sshx",
        "/home/user/.cache/huggingface",
        "/var/cache/hub",
        "/usr/local/share/hub",
        "/etcetera",
    ] {
        let candidate = one(resolve(&hub_rule(), &environment(&[("HF_HUB_CACHE", path)]), &[]));
        assert_eq!(candidate.outcome, Outcome::Absent, "{path}");
    }
}

#[test]
fn a_link_to_a_forbidden_folder_is_refused_like_the_folder() {
    let (_folder, home, environment) = home_on_disk();
    fs::create_dir_all(home.join(".ssh")).unwrap();
    for (name, target, code) in [
        ("a", Path::new("/"), "root-top"),
        ("b", &home, "root-home"),
        ("c", &home.join(".ssh"), "root-private"),
        ("d", Path::new("/etc"), "root-system"),
    ] {
        symlink(target, home.join(name)).unwrap();
        assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, &[home.join(name)]))), code, "{name}");
    }
}

#[test]
fn a_folder_of_credentials_and_what_is_in_it_are_no_roots_and_what_holds_it_may_be_one() {
    let (folder, home, mut environment) = home_on_disk();
    fs::create_dir_all(home.join(".ir_datasets/auth/site")).unwrap();
    fs::create_dir_all(folder.path().join("moved/site")).unwrap();
    fs::create_dir_all(home.join("ir")).unwrap();
    symlink(folder.path().join("moved"), home.join("ir/auth")).unwrap();
    symlink(home.join(".ir_datasets/auth"), home.join("link")).unwrap();
    environment.variables.insert("IR_DATASETS_HOME".into(), home.join("ir").into());
    let outcome = |path: PathBuf| one(resolve(&rule(Vec::new(), &[]), &environment, &[path]));
    for place in [".ir_datasets/auth", ".ir_datasets/auth/site", "ir/auth", "ir/auth/site", "link", "../moved/site"] {
        let candidate = outcome(home.join(place));
        assert_eq!(refusal(&candidate), "root-private", "{place}");
        assert!(candidate.message().unwrap().contains("keeps keys or settings"), "{:?}", candidate.message());
    }
    for place in [".ir_datasets", "ir"] {
        assert!(matches!(outcome(home.join(place)).outcome, Outcome::Found { .. }), "{place}");
    }
}

#[test]
fn a_protected_folder_behind_a_link_is_found_out() {
    let (folder, home, mut environment) = home_on_disk();
    let link = folder.path().join("link");
    symlink(&home, &link).unwrap();
    environment.home = Some(link.clone());
    environment.own = vec![link.join("not/yet/made")];
    assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, std::slice::from_ref(&home)))), "root-home");
    fs::create_dir_all(home.join("not")).unwrap();
    assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, &[home.join("not")]))), "root-own");
}

#[test]
fn other_home_directories_are_refused_too() {
    let (folder, home, mut environment) = home_on_disk();
    let other = folder.path().join("people/ann");
    fs::create_dir_all(&other).unwrap();
    environment.accounts = folder.path().join("passwd");
    fs::write(&environment.accounts, format!("ann:x:7:7::{}:/bin/sh\n", other.display())).unwrap();
    for path in [&other, other.parent().unwrap()] {
        assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, &[path.to_owned()]))), "root-home");
    }
    let unlisted = home.join("unlisted");
    fs::create_dir_all(unlisted.join(".ssh")).unwrap();
    assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, &[unlisted]))), "root-home");
}

#[test]
fn a_root_shows_a_mark_or_is_empty() {
    let (_folder, home, environment) = home_on_disk();
    let root = home.join("hub");
    let outcome = || one(resolve(&hub_rule(), &environment, std::slice::from_ref(&root))).outcome;
    assert_eq!(outcome(), Outcome::Absent);
    fs::create_dir(&root).unwrap();
    assert_eq!(outcome(), Outcome::Found { resolved: root.clone() });
    fs::write(root.join("thesis.tex"), "x").unwrap();
    assert_eq!(outcome(), Outcome::Unmarked { marks: ["*--*", ".locks", "CACHEDIR.TAG"].map(String::from).to_vec() });
    fs::create_dir(root.join("models--a--b")).unwrap();
    assert_eq!(outcome(), Outcome::Found { resolved: root.clone() });
}

#[test]
fn marks_are_looked_for_without_following_links() {
    let (_folder, home, environment) = home_on_disk();
    let (root, elsewhere) = (home.join("root"), home.join("elsewhere"));
    fs::create_dir_all(elsewhere.join("deep")).unwrap();
    fs::create_dir_all(root.join("b")).unwrap();
    symlink(&elsewhere, root.join("a")).unwrap();
    let outcome =
        |mark: &str| one(resolve(&rule(Vec::new(), &[mark]), &environment, std::slice::from_ref(&root))).outcome;
    for absent in ["a/deep", "*/deep", "a/*", "b/x/y"] {
        assert!(matches!(outcome(absent), Outcome::Unmarked { .. }), "{absent}");
    }
    fs::create_dir_all(root.join("b/deep")).unwrap();
    for present in ["a", "b/deep", "*/deep", "b/d*p"] {
        assert!(matches!(outcome(present), Outcome::Found { .. }), "{present}");
    }
}

#[test]
fn a_file_is_no_root() {
    let (_folder, home, environment) = home_on_disk();
    fs::write(home.join("file"), "x").unwrap();
    assert_eq!(refusal(&one(resolve(&hub_rule(), &environment, &[home.join("file")]))), "root-not-directory");
    assert_eq!(one(resolve(&hub_rule(), &environment, &[home.join("file/hub")])).outcome, Outcome::Absent);
}

#[test]
fn a_root_that_is_a_link_keeps_its_written_name() {
    let (_folder, home, environment) = home_on_disk();
    fs::create_dir(home.join("disk")).unwrap();
    symlink(home.join("disk"), home.join("hub")).unwrap();
    let candidate = one(resolve(&hub_rule(), &environment, &[home.join("hub")]));
    assert_eq!((candidate.path, candidate.outcome), (home.join("hub"), Outcome::Found { resolved: home.join("disk") }));
}

#[test]
fn a_directory_that_is_reached_twice_is_given_once() {
    let (_folder, home, environment) = home_on_disk();
    fs::create_dir_all(home.join("hub/.locks")).unwrap();
    fs::create_dir(home.join("other")).unwrap();
    symlink(home.join("hub"), home.join("link")).unwrap();
    let named = ["hub", "hub/", "link", "other", "absent", "absent"].map(|name| home.join(name));
    let paths: Vec<PathBuf> = resolve(&hub_rule(), &environment, &named).into_iter().map(|found| found.path).collect();
    assert_eq!(paths, ["hub", "other", "absent"].map(|name| home.join(name)));
}

#[test]
fn named_folders_replace_what_the_rule_finds() {
    let environment = environment(&[("HF_HUB_CACHE", "/abs/hub")]);
    let candidate = one(resolve(&hub_rule(), &environment, &["/other".into()]));
    assert_eq!((candidate.path.as_path(), candidate.outcome), (Path::new("/other"), Outcome::Absent));
}

#[test]
fn a_star_gives_what_shows_a_mark_and_nothing_else() {
    let (_folder, home, environment) = home_on_disk();
    let cache = home.join(".cache");
    let star = |text: &str| rule(vec![location(text, Expansion::default())], &["CACHEDIR.TAG"]);
    assert_eq!(one(resolve(&star("{cache}/*"), &environment, &[])).path, cache.join("*"));
    for name in ["b", "a", "empty", "dscc"] {
        fs::create_dir_all(cache.join(name)).unwrap();
    }
    for name in ["b", "a", "dscc"] {
        fs::write(cache.join(name).join("CACHEDIR.TAG"), "x").unwrap();
    }
    fs::write(cache.join("file"), "x").unwrap();
    symlink("a", cache.join("again")).unwrap();
    let found = |text: &str| -> Vec<PathBuf> {
        resolve(&star(text), &environment, &[]).into_iter().map(|one| one.path).collect()
    };
    assert_eq!(found("{cache}/*"), [cache.join("a"), cache.join("b")]);
    assert_eq!(found("~/*/b"), [cache.join("b")]);
    assert_eq!(found("{cache}/a*"), [cache.join("a")]);
    assert_eq!(found("{temp}/nothing-of-this-name-*"), [Path::new("/tmp/nothing-of-this-name-*")]);
}

#[test]
fn a_star_in_a_value_is_only_a_character() {
    let (_folder, home, mut environment) = home_on_disk();
    fs::create_dir_all(home.join("ab")).unwrap();
    environment.variables.insert("HF_HUB_CACHE".into(), home.join("a*").into());
    assert_eq!(one(resolve(&hub_rule(), &environment, &[])).outcome, Outcome::Absent);
}

/// A mount point of this machine that may be listed and is none of the forbidden folders' business.
#[cfg(target_os = "linux")]
#[test]
fn a_mount_point_without_a_mark_needs_the_users_word() {
    use super::look::look;
    let (_folder, home, _) = home_on_disk();
    assert!(look(Path::new("/proc")).is_ok_and(|look| look.mount_point));
    assert!(look(&home).is_ok_and(|look| !look.mount_point));
    let judged =
        |marks: &[&str], how| super::resolve::judge_marks(&rule(Vec::new(), marks).marks, home.clone(), true, how);
    use super::resolve::How;
    let refused = Outcome::Refused(Refusal::MountPoint);
    assert_eq!(judged(&["x"], How::Rule), refused);
    assert_eq!(judged(&[], How::Rule), refused);
    assert_eq!(judged(&[".cache"], How::Rule), Outcome::Found { resolved: home.clone() });
    assert_eq!(judged(&[], How::Named), Outcome::Found { resolved: home.clone() });
    assert!(matches!(judged(&["x"], How::Named), Outcome::Unmarked { .. }));
}

/// Runs the check in a thread without rights of its own, so that it means something when the tests run as root.
#[cfg(target_os = "linux")]
#[test]
fn what_may_not_be_looked_into_is_unknown_and_not_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, home, environment) = home_on_disk();
    let (closed, open) = (home.join("closed"), home.join("open"));
    fs::create_dir_all(closed.join("hub/models--a--b")).unwrap();
    fs::create_dir_all(open.join("locked")).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(folder.path(), 0o755);
    mode(&closed, 0o000);
    mode(&open.join("locked"), 0o000);
    let named = [closed.clone(), closed.join("hub"), open.clone()];
    let candidates = std::thread::spawn(move || {
        if rustix::process::geteuid().is_root() {
            rustix::thread::set_thread_uid(rustix::fs::Uid::from_raw(65_534)).unwrap();
        }
        let deep = rule(Vec::new(), &["locked/x"]);
        (resolve(&hub_rule(), &environment, &named[..2]), resolve(&deep, &environment, &named[2..]))
    });
    let (hubs, deep) = candidates.join().unwrap();
    for candidate in hubs.iter().chain(&deep) {
        assert_eq!(candidate.outcome, Outcome::Unreadable(std::io::ErrorKind::PermissionDenied), "{candidate:?}");
    }
    assert_eq!((hubs.len(), deep.len()), (2, 1));
    mode(&closed, 0o755);
    mode(&open.join("locked"), 0o755);
}
