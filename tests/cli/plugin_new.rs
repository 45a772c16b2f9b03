//! `dscc plugin new`: what a project is made of, and when none is made. That it builds and works is what
//! `tests/tutorial.sh` shows.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::project::workspace;
use crate::sandbox::{Sandbox, array};

/// The files beneath a folder, by their paths in it.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let walk = walkdir::WalkDir::new(folder).into_iter().map(|entry| entry.unwrap().into_path());
    let name = |path: &Path| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let texts = walk.filter(|path| path.is_file()).map(|path| (name(&path), fs::read_to_string(&path).unwrap()));
    texts.collect()
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

#[test]
fn a_project_has_what_an_author_needs_and_every_placeholder_is_filled() {
    let sandbox = Sandbox::new();
    let document = sandbox.plugin_json(["new", "lab-data"]);
    assert_eq!((&document["schema_version"], &document["name"]), (&1.into(), &"lab-data".into()));
    let files = files(&sandbox.home().join("lab-data"));
    let listed: Vec<_> = array(&document, "files").iter().map(|it| it.as_str().unwrap().to_owned()).collect();
    assert_eq!(listed, files.keys().cloned().collect::<Vec<_>>());
    for needed in [
        ".github/workflows/ci.yml",
        ".gitignore",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "sdk/Cargo.toml",
        "sdk/LICENSE",
        "sdk/src/lib.rs",
        "sdk/wit/world.wit",
        "src/lib.rs",
    ] {
        assert!(files.contains_key(needed), "{needed}");
    }
    assert!(files.keys().any(|path| path.starts_with("cases/")));
    assert!(files["src/lib.rs"].contains("\"~/.cache/lab-data\"") && files["src/lib.rs"].contains("${LAB_DATA_HOME}"));
    assert!(files["src/lib.rs"].contains("#[test]"));
    filled(&files);
}

#[test]
fn there_is_a_whole_project_for_each_language() {
    let manifests = [("rust", "Cargo.toml"), ("python", "pyproject.toml"), ("javascript", "package.json")];
    for (language, manifest) in manifests {
        let sandbox = Sandbox::new();
        sandbox.plugin(["new", "lab-data", "--lang", language]).expect(0);
        let files = files(&sandbox.home().join("lab-data"));
        for needed in [".github/workflows/ci.yml", ".gitignore", "LICENSE", "README.md", manifest] {
            assert!(files.contains_key(needed), "{language}: {needed}");
        }
        let is_in = |folder: &str, end: &str| files.keys().any(|path| path.starts_with(folder) && path.ends_with(end));
        let interface = if language == "rust" { "sdk/wit/" } else { "wit/" };
        assert!(is_in("cases/", "/tree.txt") && is_in("cases/", "/expected.json") && is_in("cases/", "/plan.json"));
        assert!(is_in(interface, "world.wit") && files[manifest].contains("\"dscc-plugin-lab-data\""), "{language}");
        let source: String = files.iter().filter(|(path, _)| !path.contains("sdk/")).map(|(_, text)| &**text).collect();
        for part in ["~/.cache/lab-data", "${LAB_DATA_HOME}", "Lab data"] {
            assert!(source.contains(part), "{language}: {part}");
        }
        filled(&files);
    }
}

/// No placeholder is left outside of the SDK, where these words are others.
#[track_caller]
fn filled(files: &BTreeMap<String, String>) {
    for (path, text) in files.iter().filter(|(path, _)| !path.starts_with("sdk/") && !path.starts_with("wit/")) {
        let left = text.split(|it| !is_word(it)).find(|word| ["NAME", "NAME_HOME", "TITLE", "YEAR"].contains(word));
        assert_eq!(left, None, "{path}");
    }
}

#[test]
fn a_project_names_no_place_of_this_machine() {
    let sandbox = Sandbox::new();
    sandbox.plugin(["new", "labdata"]).expect(0);
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned();
    let here = [Some(workspace), Some(sandbox.path("")), std::env::home_dir()];
    let here: Vec<String> = here.into_iter().flatten().map(|path| format!("{}/", path.display())).collect();
    for (path, text) in files(&sandbox.home().join("labdata")) {
        for place in &here {
            assert!(!text.contains(place.as_str()), "{path} has {place}");
        }
    }
}

#[test]
fn the_sdk_in_a_project_is_the_workspaces() {
    let Some(root) = workspace() else { return };
    let sandbox = Sandbox::new();
    sandbox.plugin(["new", "labdata"]).expect(0);
    let project = sandbox.home().join("labdata");
    assert_eq!(files(&project.join("sdk/src")), files(&root.join("sdk/src")));
    assert_eq!(files(&project.join("sdk/wit")), files(&root.join("wit")));
}

#[test]
fn nothing_in_a_folder_is_overwritten() {
    let sandbox = Sandbox::new();
    let dir = sandbox.home().join("labdata");
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("notes"), "mine").unwrap();
    let run = sandbox.plugin(["new", "labdata"]).expect(3);
    assert!(run.stderr.contains("labdata") && run.stderr.contains("--dir"), "{}", run.stderr);
    assert_eq!(files(&dir).keys().collect::<Vec<_>>(), ["notes"]);
    fs::write(sandbox.home().join("file"), "mine").unwrap();
    sandbox.plugin(["new", "labdata", "--dir", "file"]).expect(3);
    assert_eq!(fs::read_to_string(sandbox.home().join("file")).unwrap(), "mine");
    sandbox.plugin(["new", "labdata", "--dir", "labdata/below/it"]).expect(0);
    assert!(dir.join("below/it/Cargo.toml").exists());
}

#[test]
fn an_empty_folder_is_filled_where_it_is() {
    let sandbox = Sandbox::new();
    fs::create_dir(sandbox.home().join("empty")).unwrap();
    let run = sandbox.plugin(["new", "labdata", "--dir", "empty"]).expect(0);
    assert!(run.stdout.contains("cd empty") && run.stdout.contains("dscc plugin build"), "{}", run.stdout);
    assert!(sandbox.home().join("empty/src/lib.rs").exists() && !sandbox.home().join("labdata").exists());
}

#[test]
fn a_name_that_no_plugin_can_have_is_refused_before_anything_is_written() {
    let sandbox = Sandbox::new();
    for (name, status) in [("Lab", 2), ("1lab", 2), ("lab/data", 2), ("..", 2), ("all", 2), ("hub", 3), ("hf-hub", 3)] {
        let run = sandbox.plugin(["new", name]).expect(status);
        assert!(run.stderr.contains(name), "{}", run.stderr);
    }
    assert_eq!(fs::read_dir(sandbox.home()).unwrap().count(), 0);
}
