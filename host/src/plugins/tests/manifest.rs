//! Whatever a manifest says, checking and resolving it ends, and no folder that must never be a root becomes one.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::roots::{Environment, Outcome, check_manifest, resolve};

fn location() -> impl Strategy<Value = String> {
    let start = "(\\$\\{(HOME|EVIL|EMPTY|UNSET)\\}|~|\\{cache\\}|\\{temp\\}||/|\\.\\.|x)";
    let component = prop_oneof![
        "(x|hub|\\.ssh|\\.config|\\.cache|dscc|plugins|\\*|h\\*|\\.\\.|\\.|~|\\$\\{EVIL\\}|etc|home)",
        ".{0,4}",
    ];
    let built = (start, proptest::collection::vec(component, 0..4))
        .prop_map(|(start, components)| [vec![start], components].concat().join("/"));
    prop_oneof![8 => built, 1 => ".{0,20}"]
}

fn pattern() -> impl Strategy<Value = Option<Pattern>> {
    "(\\*|x|hub|a/b|h\\*/x|.{0,4})".prop_map(|text| Pattern::parse(&text).ok())
}

fn root_rule() -> impl Strategy<Value = RootRule> {
    let expand = (any::<bool>(), any::<bool>(), any::<bool>());
    let location = (location(), expand)
        .prop_map(|(path, (home, variables, empty))| Location { path, expand: Expansion { home, variables, empty } });
    let patterns = || proptest::collection::vec(pattern(), 0..3).prop_map(|it| it.into_iter().flatten().collect());
    ("([a-z]{1,8}|.{0,4}|all)", proptest::collection::vec(location, 0..3), patterns(), patterns())
        .prop_map(|(id, locations, marks, indexes)| RootRule { id, locations, marks, indexes })
}

fn manifest() -> impl Strategy<Value = Manifest> {
    let words =
        ("([a-z]{1,8}|.{0,4}|dscc)", "(1\\.[0-9]\\.0|.{0,6})", "(A title|.{0,3})", proptest::option::of(".{0,9}"));
    let lists = (proptest::collection::vec(root_rule(), 0..3), proptest::collection::vec((".{0,3}", ".{0,3}"), 0..2));
    (words, lists).prop_map(|((name, version, title, homepage), (roots, extra))| Manifest {
        name,
        version,
        title,
        summary: String::new(),
        license: homepage.clone(),
        homepage,
        roots,
        extra,
    })
}

/// A home with what must never be a root, and something that may.
fn home() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().canonicalize().unwrap().join("home");
    for folder in [".ssh/x", ".config/x", ".cache/hub/x", ".cache/dscc/plugins", "x/hub", "hub"] {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    (dir, home)
}

fn environment(home: &Path, evil: &str) -> Environment {
    let variables = [("HOME", home.to_str().unwrap()), ("EVIL", evil), ("EMPTY", "")];
    Environment {
        variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        home: Some(home.to_owned()),
        cache: home.join(".cache"),
        temp: home.join("temp"),
        own: vec![home.join(".cache/dscc")],
        accounts: PathBuf::new(),
    }
}

fn assert_sane(root: &Path, home: &Path) {
    assert!(root.is_absolute() && !home.starts_with(root), "{}", root.display());
    for folder in [".ssh", ".config", ".cache/dscc"] {
        let folder = home.join(folder);
        assert!(!root.starts_with(&folder) && !folder.starts_with(root), "{}", root.display());
    }
    for folder in ["/etc", "/bin", "/dev", "/proc", "/sys"] {
        assert!(!root.starts_with(folder), "{}", root.display());
    }
}

proptest! {
    #[test]
    fn no_rule_makes_a_root_of_what_must_be_none(
        mut rule in root_rule(),
        evil in "(/|/etc|/home|\\.\\.|x|~|~/\\.ssh|\\$HOME|\\$\\{HOME\\}/\\.\\.|.{0,5})",
    ) {
        let (_dir, home) = home();
        // A mark that everything shows, so that nothing is saved by the lack of one.
        rule.marks.extend(Pattern::parse("*").ok());
        for candidate in resolve(&rule, &environment(&home, &evil), &[]) {
            let _ = (candidate.message(), candidate.hint(), candidate.code());
            if let Outcome::Found { resolved } = &candidate.outcome {
                assert_sane(resolved, &home);
            }
        }
    }

    #[test]
    fn a_manifest_is_taken_or_refused_and_what_is_taken_reads_back(manifest in manifest()) {
        let verdict = check_manifest(&manifest, 100);
        let mut facts = facts("alpha", "1.0.0");
        facts.manifest = manifest.clone();
        let record = record_of(facts);
        let mut file = LockFile::default();
        file.records.push(record.clone());
        let file = LockFile::parse(&file.to_text()).unwrap();
        match verdict {
            Ok(()) => prop_assert_eq!(file.records, [record]),
            Err(why) => {
                prop_assert!(!why.is_empty());
                prop_assert!(file.records.is_empty() && file.damaged.len() == 1);
            }
        }
    }
}
