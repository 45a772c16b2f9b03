//! Two versions in one runtime: the real one and one that is made up, each with its committed component.

mod v0_2;

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use crate::model::{Cache, Detail, Edit, Manifest, Moment, Recovery, RelPath, State};
use crate::runtime::{Limits, LogLine, Plugin, PluginError, PluginErrorKind, Runtime};
use crate::tree::Root;

use super::{INTERFACES, Interface, choose, v0_1};

const BOTH: &[Interface] = &[v0_1::INTERFACE, v0_2::INTERFACE];
const PLUGIN_0_1: &[u8] = include_bytes!("../../../versions/plugin-0.1.wasm");
const PLUGIN_0_2: &[u8] = include_bytes!("../../../versions/plugin-0.2.wasm");

/// A root with an index and a directory, and beside it a place for compiled code.
struct World {
    dir: TempDir,
    root: Root,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("root/thing")).unwrap();
        fs::write(dir.path().join("root/index"), "a line").unwrap();
        let root = Root::open(&dir.path().join("root")).unwrap();
        Self { dir, root }
    }

    fn code(&self) -> std::path::PathBuf {
        self.dir.path().join("code")
    }

    fn load(&self, rows: &'static [Interface], bytes: &[u8]) -> Result<Plugin, PluginError> {
        Runtime::speaking(rows, &self.code(), Limits::default()).unwrap().load("fixture", bytes, Limits::default())
    }
}

fn path(text: &str) -> RelPath {
    RelPath::parse(text).unwrap()
}

/// What every version's component says in its own way: the manifest, the log, one cache, the edits.
fn speaks(plugin: &Plugin, world: &World, version: &str, title: &str, edit: Moment) -> (Manifest, Cache) {
    let manifest = plugin.describe().unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("fixture", version));
    assert_eq!(manifest.title, title);
    assert_eq!((manifest.roots[0].id.as_str(), manifest.roots[0].indexes[0].as_str()), ("fixture", "index"));
    assert_eq!(manifest.roots[0].locations[0].path, "~/fixture");
    assert_eq!(plugin.take_log(), [LogLine { level: "info", text: "note".into() }]);
    let [cache] = <[Cache; 1]>::try_from(plugin.discover(&world.root, "fixture").unwrap()).unwrap();
    assert_eq!((cache.id.as_str(), &cache.path), ("fixture", &RelPath::root()));
    assert!(cache.title.starts_with(world.root.given().to_str().unwrap()), "{}", cache.title);
    let below = plugin.list_entries(&world.root, &cache, Some("fixture"), Detail::Full).unwrap();
    assert_eq!(below.entries, []);
    let edits = plugin.delete_entry(&world.root, &cache, &["fixture".into()]).unwrap();
    assert_eq!(edits, [Edit { file: path("index"), at: edit, drop_lines: vec!["a line".into()] }]);
    (manifest, cache)
}

#[test]
fn the_committed_component_of_the_real_version_is_understood() {
    let world = World::new();
    for rows in [INTERFACES, BOTH] {
        let plugin = world.load(rows, PLUGIN_0_1).unwrap();
        let (manifest, cache) = speaks(&plugin, &world, "1.0.0", "Interface 0.1", Moment::After);
        let expand = manifest.roots[0].locations[0].expand;
        assert!(expand.home && expand.variables && expand.empty);
        for detail in [Detail::Outline, Detail::Full] {
            let level = plugin.list_entries(&world.root, &cache, None, detail).unwrap();
            let [entry] = level.entries.as_slice() else { panic!("{level:?}") };
            assert_eq!((entry.id.as_str(), entry.kind.as_str(), entry.label.as_str()), ("fixture", "note", "thing"));
            assert_eq!((&entry.owns, entry.has_children, entry.keeps_parent), (&vec![path("thing")], true, false));
            assert_eq!((entry.state, entry.recovery), (State::Stale, Recovery::Uncertain));
        }
    }
}

#[test]
fn the_committed_component_of_the_made_up_version_is_understood_beside_it() {
    let world = World::new();
    let plugin = world.load(BOTH, PLUGIN_0_2).unwrap();
    let (_, cache) = speaks(&plugin, &world, "2.0.0", "Interface 0.2", Moment::Before);
    assert!(cache.title.ends_with(" (note)"), "{}", cache.title);
    let level = plugin.list_entries(&world.root, &cache, None, Detail::Full).unwrap();
    let [entry] = level.entries.as_slice() else { panic!("{level:?}") };
    assert_eq!((entry.id.as_str(), &entry.owns), ("fixture", &vec![path("index")]));
    assert_eq!(entry.label, world.root.given().to_str().unwrap());
    assert_eq!(entry.state, State::Detached, "what the newest version has no word for is told in its nearest");
    assert_eq!(entry.attribute("tag").collect::<Vec<_>>(), ["note"]);
}

#[test]
fn a_rule_is_kept_whatever_version_an_answer_comes_from() {
    let world = World::new();
    for bytes in [PLUGIN_0_1, PLUGIN_0_2] {
        let bytes = replaced(bytes, b"\x07fixture", b"\x07Fixture");
        let error = world.load(BOTH, &bytes).unwrap().describe().unwrap_err();
        assert!(
            error.to_string().contains("describe: its answer breaks a rule: a root rule's id is `Fixture`"),
            "{error}"
        );
    }
}

#[test]
fn a_version_that_is_not_spoken_is_told_before_anything_is_compiled() {
    let world = World::new();
    let refusal = |bytes: &[u8]| world.load(INTERFACES, bytes).err().unwrap().to_string();
    assert!(refusal(PLUGIN_0_2).contains("it speaks interface 0.2.0, this dscc speaks 0.1.0; upgrade dscc"));
    let old = replaced(PLUGIN_0_1, b"@0.1.0", b"@0.0.9");
    assert!(refusal(&old).contains("it speaks interface 0.0.9, this dscc speaks 0.1.0; update the plugin"));
    assert!(!world.code().exists(), "something was compiled");
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

#[test]
fn the_row_is_that_of_the_versions_track() {
    const ROWS: &[Interface] = &[
        Interface { version: "0.2.3", ..v0_1::INTERFACE },
        Interface { version: "0.3.0", ..v0_1::INTERFACE },
        Interface { version: "1.4.0", ..v0_1::INTERFACE },
    ];
    for (found, row) in
        [("0.2.0", "0.2.3"), ("0.2.3", "0.2.3"), ("0.3.0", "0.3.0"), ("1.0.0", "1.4.0"), ("1.4.0", "1.4.0")]
    {
        assert_eq!(choose(ROWS, found).map(|row| row.version), Ok(row), "{found}");
    }
    let ours = "0.2.3 and 0.3.0 and 1.4.0";
    for found in ["0.2.4", "0.3.1", "1.4.1", "1.5.0", "2.0.0"] {
        let refusal = PluginErrorKind::TooNew { found: found.into(), ours: ours.into() };
        assert_eq!(choose(ROWS, found).err(), Some(refusal), "{found}");
    }
    for found in ["0.0.1", "0.1.9", "0.4.0", "0.2.0-draft", "1.0.0-rc.1"] {
        let refusal = PluginErrorKind::TooOld { found: found.into(), ours: ours.into() };
        assert_eq!(choose(ROWS, found).err(), Some(refusal), "{found}");
    }
    for found in ["", "1", "0.2", "x"] {
        assert!(matches!(choose(ROWS, found), Err(PluginErrorKind::MissingExport(_))), "{found}");
    }
}

#[test]
fn the_table_says_what_the_texts_of_the_interfaces_say() {
    for (row, folder) in BOTH.iter().zip(["wit", "versions/0.2"]) {
        let mut resolve = wit_parser::Resolve::default();
        let (package, _) = resolve.push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        assert_eq!(
            resolve.packages[package].name.version.as_ref().map(ToString::to_string).as_deref(),
            Some(row.version)
        );
        let world = resolve.select_world(&[package], Some("plugin")).unwrap();
        let imports = resolve.worlds[world].imports.keys().map(|key| resolve.name_world_key(key));
        let listed = row.imports.iter().map(|name| format!("dscc:plugin/{name}@{}", row.version));
        let sorted = |names: Vec<String>| names.into_iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(sorted(imports.collect()), sorted(listed.collect()));
    }
    let ascending = |rows: &[Interface]| rows.is_sorted_by_key(|row| semver::Version::parse(row.version).unwrap());
    assert!(ascending(INTERFACES) && ascending(BOTH), "the newest is the last");
}
