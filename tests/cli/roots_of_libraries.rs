//! Where the built-in plugins look, beside where the libraries do: `tests/roots.json` has the libraries' answers for every
//! setting of the environment, and the oracle asks them again. What a library takes relative to the working folder is
//! refused, with the variable's name, and nothing is tried in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::sandbox::{Run, Sandbox, array};

/// Variables with their values, or none where one is taken away; places by question, or none where nobody knows.
type Setting = BTreeMap<String, Option<String>>;

/// One line of the table.
struct Line {
    setting: Setting,
    /// By question: `LIBRARY VERSION: PLACE`.
    places: Setting,
    /// What `dscc paths` says.
    roots: Vec<Value>,
}

fn table() -> Value {
    serde_json::from_str(include_str!("../roots.json")).unwrap()
}

fn texts(value: &Value) -> Setting {
    let pairs = value.as_object().unwrap().iter();
    pairs.map(|(key, value)| (key.clone(), value.as_str().map(str::to_owned))).collect()
}

/// The table with real folders, and what the program says to each of its settings. It is run once for all tests.
fn lines() -> &'static [Line] {
    static LINES: OnceLock<Vec<Line>> = OnceLock::new();
    LINES.get_or_init(|| {
        let sandbox = world();
        let table = table();
        let settings: Vec<(Setting, Setting)> =
            array(&table, "settings").iter().map(|row| (texts(&row["set"]), texts(&row["roots"]))).collect();
        let usual = texts(&table["usual"]);
        let line = |(setting, changed): &(Setting, Setting)| {
            let setting = real(&sandbox, setting);
            let known = usual.iter().chain(changed).map(|(question, path)| (question.clone(), path.clone()));
            let places = real(&sandbox, &known.collect());
            let roots = array(&paths(&sandbox, &setting), "roots");
            Line { setting, places, roots }
        };
        let all: Vec<_> = [(Setting::new(), Setting::new())].into_iter().chain(settings).collect();
        let parts = all.chunks(all.len().div_ceil(4));
        std::thread::scope(|scope| {
            let threads: Vec<_> = parts.map(|part| scope.spawn(|| part.iter().map(line).collect::<Vec<_>>())).collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    })
}

/// The folders that the table speaks of.
fn world() -> Sandbox {
    let sandbox = Sandbox::new();
    for folder in ["tmp", "abs/tmp", "abs/other", "cwd"] {
        fs::create_dir_all(sandbox.path(folder)).unwrap();
    }
    fs::write(sandbox.path("abs/file"), "no folder").unwrap();
    sandbox
}

fn real(sandbox: &Sandbox, texts: &Setting) -> Setting {
    let folder = |text: String| {
        ["home", "abs", "tmp"]
            .iter()
            .fold(text, |text, name| text.replace(&format!("{{{name}}}"), sandbox.path(name).to_str().unwrap()))
    };
    texts.iter().map(|(key, text)| (key.clone(), text.clone().map(folder))).collect()
}

fn paths(sandbox: &Sandbox, setting: &Setting) -> Value {
    run(sandbox, setting, &["paths", "--json"]).expect(0).json()
}

/// Runs the program with no variable set but these.
fn run(sandbox: &Sandbox, setting: &Setting, args: &[&str]) -> Run {
    let mut command = sandbox.command(args);
    command.current_dir(sandbox.path("cwd")).env("TMPDIR", sandbox.path("tmp"));
    for variable in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env_remove(variable);
    }
    for (variable, value) in setting {
        match value {
            Some(value) => command.env(variable, value),
            None => command.env_remove(variable),
        };
    }
    Run::of(command.output().unwrap())
}

/// The working folder itself is `.` for some, and nothing for others.
fn plain(path: &str) -> String {
    let path: PathBuf = Path::new(path).components().collect();
    if path == Path::new(".") { String::new() } else { path.to_str().unwrap().to_owned() }
}

/// What is wrong with a plugin's row for a place where a library looks.
fn wrong(line: &Line, plugin: &str, place: &str) -> Option<String> {
    let rows: Vec<&Value> = line.roots.iter().filter(|row| row["plugin"] == plugin).collect();
    let is_at = |row: &&&Value| plain(row["path"].as_str().unwrap()) == plain(place);
    let Some(row) = rows.iter().find(is_at) else {
        // A folder in one that is a root needs no rule of its own.
        let beneath = |row: &&Value| {
            Path::new(place).is_absolute() && Path::new(place).starts_with(row["path"].as_str().unwrap())
        };
        return if rows.iter().any(beneath) { None } else { Some("nobody looks there".to_owned()) };
    };
    let message = row["message"].as_str().unwrap_or_default();
    let named = line.setting.keys().any(|variable| message.contains(&format!("{variable}=")));
    match (Path::new(place).is_absolute(), row["outcome"].as_str().unwrap()) {
        (false, "root-relative" | "root-empty") if named => None,
        (true, "root-relative" | "root-empty") | (false, _) => Some(format!("{}: {message}", row["outcome"])),
        (true, _) => None,
    }
}

/// The plugin looks where its libraries do, under every setting.
#[track_caller]
fn agrees(plugin: &str) {
    let table = table();
    let mut differences = BTreeSet::new();
    for line in lines() {
        for (question, place) in line.places.iter().filter_map(|(question, place)| Some((question, place.as_ref()?))) {
            let (_, kind) = question.split_once(": ").unwrap();
            if table["plugins"][kind] == plugin
                && let Some(what) = wrong(line, plugin, place)
            {
                differences.insert(format!("{:?}\n  {question} is in `{place}`: {what}", line.setting));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn the_hub_is_where_huggingface_hub_and_those_who_use_it_look() {
    agrees("hf-hub");
}

#[test]
fn the_flat_cache_is_where_the_old_transformers_look() {
    agrees("transformers");
}

#[test]
fn prepared_datasets_and_downloads_are_where_datasets_looks() {
    agrees("hf-datasets");
}

#[test]
fn the_rest_of_the_hugging_face_home_is_where_its_libraries_look() {
    agrees("hf-home");
}

#[test]
fn ir_datasets_is_where_it_looks() {
    agrees("ir-datasets");
}

#[test]
fn datamaestro_is_where_it_looks() {
    agrees("datamaestro");
}

#[test]
fn nobody_looks_where_no_library_does() {
    let known: Vec<String> =
        array(&table(), "elsewhere").iter().map(|path| path.as_str().unwrap().to_owned()).collect();
    let mut differences = BTreeSet::new();
    for line in lines().iter().filter(|line| line.places.values().all(Option::is_some)) {
        let places: BTreeSet<String> = line.places.values().flatten().map(|place| plain(place)).collect();
        for row in &line.roots {
            let path = row["path"].as_str().unwrap();
            let expected = places.contains(&plain(path)) || known.iter().any(|end| path.ends_with(end.as_str()));
            if !expected {
                differences.insert(format!("{:?}\n  {} looks in `{path}`", line.setting, row["plugin"]));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The variables that name a root itself, not a folder above it, by what the table says of them.
fn naming_a_root() -> BTreeSet<String> {
    let direct = |line: &&Line| line.places.values().flatten().any(|place| place.ends_with("/abs/v"));
    lines().iter().filter(direct).flat_map(|line| line.setting.keys().cloned()).collect()
}

#[test]
fn a_file_the_home_and_the_top_are_refused_and_the_variable_is_named() {
    let sandbox = world();
    let home = sandbox.home();
    let places = [(sandbox.path("abs/file"), "root-not-directory"), (home, "root-home"), ("/".into(), "root-top")];
    let variables = naming_a_root();
    assert!(variables.len() >= 14, "{variables:?}");
    for variable in variables {
        for (place, code) in &places {
            let setting = Setting::from([(variable.clone(), Some(place.to_str().unwrap().to_owned()))]);
            let errors = array(&run(&sandbox, &setting, &["list", "--json"]).expect(0).json(), "errors");
            let told = |error: &Value| {
                let message = error["message"].as_str().unwrap();
                error["code"] == *code && message.contains(&format!("{variable}=")) && error["hint"].is_string()
            };
            assert!(errors.iter().any(told), "{variable}={}: {errors:#?}", place.display());
        }
    }
}

#[test]
fn a_folder_that_is_not_there_is_no_problem_however_it_is_named() {
    let sandbox = world();
    for variable in naming_a_root() {
        let nothing = sandbox.path("abs/nothing").to_str().unwrap().to_owned();
        let setting = Setting::from([(variable.clone(), Some(nothing.clone()))]);
        let document = run(&sandbox, &setting, &["list", "--json"]).expect(0).json();
        assert_eq!(array(&document, "errors"), Vec::<Value>::new(), "{variable}");
        assert!(!Path::new(&nothing).exists());
    }
}
