//! Promises of the repository itself: the licences of what the program is made of, what lies at the top, and that the
//! built-in components are those of today's sources. Without a checkout there is nothing to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dscc::plugins::{Facts, built_in};
use dscc::runtime::{Limits, Runtime};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::sandbox::code_dir;

/// Licences under which anyone may pass the program on, also without its source.
const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

const TOP: [&str; 9] = ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "host", "plugins", "sdk", "tests", "wit"];

/// The workspace, if this is a checkout of it.
pub fn workspace() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?.to_owned();
    let all = ["Cargo.lock", "host/Cargo.toml", "plugins", "sdk", "wit"].iter().all(|part| root.join(part).exists());
    all.then_some(root)
}

/// Whether an SPDX expression leaves a choice that is on the list; no, if it cannot be read. `/` is how old manifests
/// write `OR`.
fn allowed(expression: &str) -> bool {
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut rest = words.as_slice();
    any_of(&mut rest).is_some_and(|verdict| verdict && rest.is_empty())
}

fn any_of(rest: &mut &[&str]) -> Option<bool> {
    let mut verdict = all_of(rest)?;
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        *rest = after;
        verdict |= all_of(rest)?;
    }
    Some(verdict)
}

fn all_of(rest: &mut &[&str]) -> Option<bool> {
    let mut verdict = one(rest)?;
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        *rest = after;
        verdict &= one(rest)?;
    }
    Some(verdict)
}

fn one(rest: &mut &[&str]) -> Option<bool> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    if *first == "(" {
        let verdict = any_of(rest)?;
        *rest = rest.strip_prefix(&[")"])?;
        return Some(verdict);
    }
    let mut licence = (*first).to_owned();
    if let ["WITH", exception, after @ ..] = *rest {
        licence = format!("{licence} WITH {exception}");
        *rest = after;
    }
    Some(LICENCES.contains(&licence.as_str()))
}

#[test]
fn expressions_are_read_as_spdx_means_them() {
    let good = [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0/Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "GPL-2.0 AND MIT OR Zlib",
    ];
    let bad = [
        "",
        "GPL-3.0",
        "MIT AND GPL-3.0",
        "MIT OR",
        "(MIT",
        "MIT)",
        "Apache-2.0 WITH Other-exception",
        "mit",
        "(MIT OR Apache-2.0) AND OpenSSL",
        "MIT MIT",
    ];
    assert!(good.iter().all(|expression| allowed(expression)), "{good:?}");
    for expression in bad {
        assert!(!allowed(expression), "{expression}");
    }
}

#[test]
fn every_dependency_has_a_licence_of_the_list() {
    let Some(root) = workspace() else { return };
    let metadata = metadata(&root);
    let packages = metadata["packages"].as_array().unwrap();
    let licence = |package: &Value| package["license"].as_str().map(str::to_owned);
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !licence(package).is_some_and(|expression| allowed(&expression)))
        .map(|package| format!("{} {}: {:?}", package["name"], package["version"], licence(package)))
        .collect();
    assert!(refused.is_empty(), "not on the list of licences: {refused:#?}");
    let members = metadata["workspace_members"].as_array().unwrap();
    let mut ours = packages.iter().filter(|package| members.contains(&package["id"]));
    assert!(ours.all(|package| licence(package).as_deref() == Some("MIT")) && packages.len() > 50);
}

/// What the program is made of, on every system if that is known here or can be fetched, else on this one.
fn metadata(root: &Path) -> Value {
    let version = Command::new("rustc").arg("-vV").output().map(|output| output.stdout).unwrap_or_default();
    let version = String::from_utf8_lossy(&version).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let ways: [&[&str]; 3] = [&["--offline"], &[], &["--offline", "--filter-platform", host]];
    let ask = |way: &&[&str]| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.current_dir(root).args(["metadata", "--format-version", "1", "--locked"]).args(*way);
        let output = command.output().ok().filter(|output| output.status.success())?;
        serde_json::from_slice(&output.stdout).ok()
    };
    let mut answers = ways.iter().map(ask);
    answers.by_ref().flatten().next().expect("`cargo metadata` works where these tests were built")
}

#[test]
fn the_top_level_is_what_was_agreed() {
    let Some(root) = workspace() else { return };
    // What git would take, whatever lies about besides.
    let listing = Command::new("git")
        .current_dir(&root)
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .output();
    let Some(listing) = listing.ok().filter(|output| output.status.success()) else { return };
    let listing = String::from_utf8(listing.stdout).unwrap();
    let tops: BTreeSet<&str> = listing.lines().filter_map(|path| path.split('/').next()).collect();
    let here = |name: &&&str| root.join(name).symlink_metadata().is_ok();
    let visible: Vec<&str> = tops.iter().filter(|name| !name.starts_with('.')).filter(here).copied().collect();
    let expected: Vec<&str> =
        TOP.iter().copied().chain(visible.iter().copied().filter(|name| *name == "rust-toolchain.toml")).collect();
    assert_eq!(visible, expected);
    // Another repository within this one would not be part of it.
    assert!(!listing.lines().any(|path| path.split('/').any(|part| part == ".git")));
}

/// The sources that decide a component's bytes, by their path in the workspace, with their digests.
fn sources(root: &Path) -> BTreeMap<String, String> {
    let mut files = vec![root.join("Cargo.lock")];
    let others = ["plugins/built", "sdk/examples", "sdk/template"].map(|folder| root.join(folder));
    for folder in ["plugins", "sdk", "wit"] {
        let walk = walkdir::WalkDir::new(root.join(folder)).into_iter();
        let left_out = |path: &Path| path.ends_with("target") || others.iter().any(|other| other == path);
        for entry in walk.filter_entry(|entry| !left_out(entry.path())) {
            let path = entry.unwrap().into_path();
            let ending = path.extension().and_then(|ending| ending.to_str());
            if path.is_file() && matches!(ending, Some("rs" | "toml" | "tsv" | "wit")) {
                files.push(path);
            }
        }
    }
    let digest = |path: &Path| -> String {
        Sha256::digest(fs::read(path).unwrap()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let name = |path: &Path| path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    files.iter().map(|path| (name(path), digest(path))).collect()
}

#[test]
fn the_built_in_components_are_those_of_todays_sources() {
    let Some(root) = workspace() else { return };
    let renew =
        "run `.ci/rebuild`, which builds the components again and records their sources, and commit plugins/built/";
    let recorded = fs::read_to_string(root.join("plugins/built/sources.sha256"))
        .unwrap_or_else(|error| panic!("plugins/built/sources.sha256 cannot be read ({error}): {renew}"));
    let line = |line: &str| line.split_once("  ").map(|(digest, path)| (path.to_owned(), digest.to_owned()));
    let known: BTreeMap<String, String> = recorded.lines().filter_map(line).collect();
    let today = sources(&root);
    let changed: BTreeSet<&String> =
        known.keys().chain(today.keys()).filter(|path| known.get(*path) != today.get(*path)).collect();
    assert!(
        changed.is_empty(),
        "the built-in components are not built from these sources as they are now: {changed:#?}\n{renew}"
    );
    let expected: String = today.iter().map(|(path, digest)| format!("{digest}  {path}\n")).collect();
    assert_eq!(recorded, expected, "the lines are not in the order of their paths: {renew}");
}

/// With DSCC_BLESS set the facts are written instead.
#[test]
fn the_facts_beside_the_built_in_components_are_what_they_say() {
    let Some(root) = workspace() else { return };
    let built = root.join("plugins/built");
    let runtime = Runtime::new(&code_dir(), Limits::default()).unwrap();
    let mut names = Vec::new();
    for folder in fs::read_dir(root.join("plugins")).unwrap().map(|entry| entry.unwrap().path()) {
        if !fs::read_to_string(folder.join("Cargo.toml")).is_ok_and(|text| text.contains("cdylib")) {
            continue; // the folder of the components, or a library that plugins share
        }
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let component = fs::read(built.join(format!("{name}.wasm"))).unwrap();
        let facts = Facts::of(&runtime, &name, &component, Limits::default()).unwrap();
        assert_eq!(facts.manifest.name, name);
        let text = serde_json::to_string_pretty(&facts).unwrap() + "\n";
        let path = built.join(format!("{name}.json"));
        if std::env::var_os("DSCC_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        assert!(fs::read_to_string(&path).unwrap() == text, "{} is old; run .ci/rebuild", path.display());
        names.push(name);
    }
    if std::env::var_os("DSCC_BLESS").is_none() {
        let embedded: BTreeSet<&str> = built_in().iter().map(|it| it.facts.manifest.name.as_str()).collect();
        assert_eq!(embedded, names.iter().map(String::as_str).collect(), "host/src/plugins/builtin.rs");
    }
}

#[test]
fn a_built_in_component_names_no_folder_of_the_machine_that_built_it() {
    for it in built_in() {
        let text = String::from_utf8_lossy(it.component);
        for place in ["registry/src", "/home/", "/root/", "/Users/", "/tmp/", ".cargo"] {
            assert!(!text.contains(place), "{} has `{place}` in it", it.facts.manifest.name);
        }
    }
}
