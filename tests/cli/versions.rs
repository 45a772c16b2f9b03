//! Versions of the plugin interface: the components of `tests/versions` are those of today's texts, today's interface
//! takes them, and a change that would break a plugin is caught before it is made. See the README there.

use std::fs;
use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata, semver_check, targets};
use wit_parser::{Resolve, SourceMap, WorldId};

use crate::project::workspace;

/// An interface's text: the files of a folder, by name.
type Texts = Vec<(String, String)>;

fn texts(folder: &Path) -> Texts {
    let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let mut texts: Texts = files.map(|file| (file.display().to_string(), fs::read_to_string(&file).unwrap())).collect();
    texts.sort();
    texts
}

/// Adds an interface to others, and finds its world.
fn add(resolve: &mut Resolve, texts: &Texts) -> WorldId {
    let mut sources = SourceMap::new();
    texts.iter().for_each(|(name, text)| sources.push_str(name, text.as_str()));
    let group = sources.parse().unwrap_or_else(|(_, error)| panic!("{error}"));
    let package = resolve.push_group(group).unwrap();
    resolve.select_world(&[package], Some("plugin")).unwrap()
}

/// The component that a core module in text gives, built against an interface.
fn build(interface: &Texts, core: &Path) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let world = add(&mut resolve, interface);
    let mut module = wat::parse_file(core).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().validate(true).module(&module).unwrap().encode().unwrap()
}

/// Whether a component that was built against the first may be called through the second, which follows it.
fn follows(before: &Texts, after: &Texts) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let before = add(&mut resolve, before);
    // One name cannot be there twice; the check itself goes by content.
    let version = |text: &String| text.replace("package dscc:plugin@0.1.0;", "package dscc:plugin@0.1.999;");
    let after = after.iter().map(|(name, text)| (name.clone(), version(text))).collect();
    let after = add(&mut resolve, &after);
    semver_check(resolve, before, after).map_err(|error| format!("{error:#}"))
}

/// Whether a host that speaks an interface can run a component.
fn runs(interface: &Texts, component: &[u8]) -> Result<(), String> {
    let mut resolve = Resolve::default();
    let world = add(&mut resolve, interface);
    targets(&resolve, world, component).map_err(|error| format!("{error:#}"))
}

#[test]
fn the_committed_components_are_those_of_todays_texts() {
    let Some(root) = workspace() else { return };
    let versions = root.join("tests/versions");
    for (name, interface) in [("plugin-0.1", root.join("wit")), ("plugin-0.2", versions.join("0.2"))] {
        let today = build(&texts(&interface), &versions.join(format!("{name}.wat")));
        let committed = versions.join(format!("{name}.wasm"));
        if std::env::var_os("DSCC_BLESS").is_some() {
            fs::write(&committed, today).unwrap();
        } else {
            let same = fs::read(&committed).is_ok_and(|committed| committed == today);
            assert!(same, "{name}.wasm is not what its text and its interface give: run `.ci/rebuild` and commit it");
        }
    }
}

#[test]
fn the_committed_component_runs_on_todays_interface() {
    let Some(root) = workspace() else { return };
    let component = fs::read(root.join("tests/versions/plugin-0.1.wasm")).unwrap();
    assert_eq!(runs(&texts(&root.join("wit")), &component), Ok(()));
    assert!(runs(&texts(&root.join("tests/versions/0.2")), &component).is_err());
}

/// Changes of the interface, each a text and what stands in its place.
const BREAKING: [(&str, &str, &str); 6] = [
    ("a record has one more field", "label: string,", "label: string,\n icon: string,"),
    ("a record has one field less", "summary: string,", ""),
    ("an enum has one more case", "broken,\n", "broken,\n archived,\n"),
    ("a variant has one more case", "lines(list<string>),", "lines(list<string>),\n rows(list<string>),"),
    ("an import has one more parameter", "next: func(max: u32)", "next: func(max: u32, most: u64)"),
    (
        "a plugin has one more function to export",
        "describe: func() -> manifest;",
        "describe: func() -> manifest;\n check: func();",
    ),
];

const HARMLESS: [(&str, &str, &str); 4] = [
    ("a resource has one more function", "names: func()", "given: func() -> string;\n names: func()"),
    ("an imported interface has one more function", "log: func(", "flush: func();\n log: func("),
    ("one more interface is imported", "import log;", "import log;\n import clock;"),
    ("a remark is another", "/// Adds one line.", "/// Adds a line."),
];

/// The interface with one change; what is imported besides is there, whether or not it is asked for.
fn changed(interface: &Texts, (what, from, to): &(&str, &str, &str)) -> Texts {
    let count: usize = interface.iter().map(|(_, text)| text.matches(from).count()).sum();
    assert_eq!(count, 1, "{what}: `{from}` is not in the interface, or not only once");
    let mut texts: Texts = interface.iter().map(|(name, text)| (name.clone(), text.replace(from, to))).collect();
    texts.push(("clock.wit".into(), "interface clock { now: func() -> u64; }".into()));
    texts
}

#[test]
fn a_change_that_would_break_a_plugin_is_caught_and_one_that_would_not_is_let_pass() {
    let Some(root) = workspace() else { return };
    let interface = texts(&root.join("wit"));
    let component = fs::read(root.join("tests/versions/plugin-0.1.wasm")).unwrap();
    assert_eq!(follows(&interface, &interface), Ok(()));
    for change in &BREAKING {
        let changed = changed(&interface, change);
        assert!(follows(&interface, &changed).is_err(), "{} passed the check", change.0);
        assert!(runs(&changed, &component).is_err(), "{}: the committed component still runs", change.0);
    }
    for change in &HARMLESS {
        let changed = changed(&interface, change);
        assert_eq!(follows(&interface, &changed), Ok(()), "{}", change.0);
        assert_eq!(runs(&changed, &component), Ok(()), "{}", change.0);
    }
}
