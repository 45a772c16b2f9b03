//! A lock file that was cut, changed or made by an enemy: it is read or refused, nothing in it has more rights than were
//! approved, and what cannot be understood is kept for whoever can.

use std::fs;

use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::super::record::{FORMAT, LockFileError};
use super::*;
use crate::plugins::Catalog;
use crate::runtime::Limits;

/// What became of a text.
#[derive(Clone, Debug)]
enum Damage {
    Cut(usize),
    Change(usize, u8),
    Insert(usize, Vec<u8>),
    Drop(usize, usize),
}

/// What became of a value in the document, at a place that is counted through.
#[derive(Clone, Debug)]
enum Twist {
    Replace(usize, Value),
    Remove(usize),
    Copy(usize, usize),
    Twice(usize),
}

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    let at = 0usize..10_000;
    let damage = prop_oneof![
        1 => at.clone().prop_map(Damage::Cut),
        4 => (at.clone(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
        4 => (at.clone(), "[\\[\\]{}\",:0-9a-z]").prop_map(|(at, text)| Damage::Change(at, text.as_bytes()[0])),
        2 => (at.clone(), proptest::collection::vec(any::<u8>(), 1..5)).prop_map(|(at, it)| Damage::Insert(at, it)),
        2 => (at, 1usize..40).prop_map(|(at, length)| Damage::Drop(at, length)),
    ];
    proptest::collection::vec(damage, 1..4)
}

fn damaged(mut text: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        let place = |at: &usize| if text.is_empty() { 0 } else { at % text.len() };
        match damage {
            Damage::Cut(at) => text.truncate(place(at)),
            Damage::Change(..) if text.is_empty() => {}
            Damage::Change(at, byte) => {
                let at = place(at);
                text[at] = *byte;
            }
            Damage::Insert(at, bytes) => {
                let at = place(at);
                text.splice(at..at, bytes.iter().copied());
            }
            Damage::Drop(at, length) => {
                let at = place(at);
                text.drain(at..(at + length).min(text.len()));
            }
        }
    }
    text
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,6}".prop_map(Value::from),
        "(alpha|beta|gamma|hf-hub|hub|~|/|~/.ssh|\\$\\{HOME\\}|\\*|1\\.0\\.0|memory|dscc:plugin/log@0\\.1\\.0)"
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::vec(("[a-z]{1,6}", inner), 0..3)
                .prop_map(|it| Value::Object(it.into_iter().collect())),
        ]
    })
}

fn twists() -> impl Strategy<Value = Vec<Twist>> {
    let at = 0usize..10_000;
    let twist = prop_oneof![
        4 => (at.clone(), value()).prop_map(|(at, value)| Twist::Replace(at, value)),
        1 => at.clone().prop_map(Twist::Remove),
        3 => (at.clone(), at.clone()).prop_map(|(from, to)| Twist::Copy(from, to)),
        1 => at.prop_map(Twist::Twice),
    ];
    proptest::collection::vec(twist, 1..3)
}

/// Every place in a document.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(key, it)| places(it, &format!("{at}/{key}"), all)),
        Value::Object(items) => items.iter().for_each(|(key, it)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            places(it, &format!("{at}/{key}"), all);
        }),
        _ => {}
    }
}

fn twisted(mut document: Value, twists: &[Twist]) -> Value {
    for twist in twists {
        let mut all = Vec::new();
        places(&document, "", &mut all);
        let place = |at: &usize| all[at % all.len()].clone();
        match twist {
            Twist::Replace(at, value) => *document.pointer_mut(&place(at)).unwrap() = value.clone(),
            Twist::Copy(from, to) => {
                let copy = document.pointer(&place(from)).unwrap().clone();
                *document.pointer_mut(&place(to)).unwrap() = copy;
            }
            Twist::Remove(at) | Twist::Twice(at) => {
                let place = place(at);
                let Some((above, key)) = place.rsplit_once('/') else { continue };
                match (document.pointer_mut(above), twist) {
                    (Some(Value::Array(items)), Twist::Twice(_)) => {
                        let copy = items[key.parse::<usize>().unwrap()].clone();
                        items.push(copy);
                    }
                    (Some(Value::Array(items)), _) => drop(items.remove(key.parse().unwrap())),
                    (Some(Value::Object(items)), Twist::Remove(_)) => drop(items.remove(key)),
                    _ => {}
                }
            }
        }
    }
    document
}

fn twisted_text(twists: &[Twist]) -> Vec<u8> {
    let document = serde_json::from_slice(&three().to_text()).unwrap();
    serde_json::to_vec(&twisted(document, twists)).unwrap()
}

/// No record that is taken has other rights, or other bytes, than were approved under its name.
fn assert_nothing_wider(file: &LockFile) {
    let approved = three();
    for record in &file.records {
        let before = approved.get(record.name()).unwrap_or_else(|| panic!("{} is new", record.name()));
        assert_eq!(record.request(), before.request());
        assert_eq!(record.facts.digest, before.facts.digest);
        assert_eq!(record.limits(Limits::default()), before.limits(Limits::default()));
    }
    for damaged in &file.damaged {
        assert!(!damaged.why.is_empty() && !damaged.hint().is_empty());
    }
}

/// What every command does first: it says what is wrong, and the built-in plugins are there unless approval says so.
fn assert_told(folder: &Folder) {
    let catalog = Catalog::read(folder, Limits::default());
    match folder.read() {
        Ok(file) => assert_eq!(catalog.problems.len(), file.damaged.len()),
        Err(error) => assert!(!error.hint().is_empty() && catalog.problems.len() == 1),
    }
    assert!(catalog.problems.iter().all(|it| it.hint.is_some() && it.code.starts_with("plugin")));
    assert!(catalog.plugins.iter().any(|it| it.is_built_in()) || catalog.overridden.len() == 1);
}

/// The next one, or any after it.
fn later() -> impl Strategy<Value = u64> {
    prop_oneof![Just(FORMAT + 1), FORMAT + 1..]
}

fn raw_records(text: &[u8]) -> Vec<Value> {
    serde_json::from_slice::<Value>(text).unwrap()["plugins"].as_array().unwrap().clone()
}

/// What is not understood is there afterwards, as it was, unless it is about the plugin that is added.
fn assert_kept(folder: &Folder, file: &LockFile, added: &str) {
    let understood = |raw: &Value| Record::deserialize(raw).is_ok_and(|record| file.records.contains(&record));
    let before = raw_records(&fs::read(folder.lock_file_path()).unwrap());
    add(folder, added, "9.0.0").unwrap();
    let after = raw_records(&fs::read(folder.lock_file_path()).unwrap());
    let again = folder.read().unwrap();
    assert!(again.damaged.iter().all(|it| it.name.as_deref() != Some(added)), "{added} is still damaged");
    assert!(again.get(added).is_some());
    for raw in before.iter().filter(|raw| raw.pointer("/facts/manifest/name") != Some(&json!(added))) {
        assert!(understood(raw) || after.contains(raw) || file.get(added).is_some(), "{raw} is lost");
    }
    let expected = file.damaged.iter().filter(|it| it.name.as_deref() != Some(added)).count();
    assert_eq!(again.damaged.len(), expected);
}

/// A folder whose lock file has this text.
fn folder_with(text: &[u8]) -> (tempfile::TempDir, Folder) {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::new(dir.path());
    fs::write(folder.lock_file_path(), text).unwrap();
    (dir, folder)
}

/// What reading alone comes to, which is quick.
fn judge(text: &[u8]) {
    match LockFile::parse(text) {
        Ok(file) => assert_nothing_wider(&file),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// What the next commands make of it.
fn judge_on_disk(text: &[u8], added: &str) {
    let (_dir, folder) = folder_with(text);
    assert_told(&folder);
    match LockFile::parse(text) {
        Ok(file) => assert_kept(&folder, &file, added),
        Err(_) => {
            assert!(add(&folder, added, "9.0.0").is_err());
            assert_eq!(fs::read(folder.lock_file_path()).unwrap(), text, "rewritten");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn a_damaged_text_gives_no_right(damages in damages()) {
        judge(&damaged(three().to_text(), &damages));
    }

    #[test]
    fn a_twisted_document_gives_no_right(twists in twists()) {
        judge(&twisted_text(&twists));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_damaged_text_is_told_and_loses_nothing(damages in damages(), added in "(alpha|beta|delta)") {
        judge_on_disk(&damaged(three().to_text(), &damages), &added);
    }

    #[test]
    fn a_twisted_document_is_told_and_loses_nothing(twists in twists(), added in "(alpha|beta|delta)") {
        judge_on_disk(&twisted_text(&twists), &added);
    }

    #[test]
    fn a_later_format_is_reported_and_never_rewritten(format in later(), rest in value(), extra in value()) {
        let text = serde_json::to_vec(&json!({"format": format, "plugins": rest, "more": extra})).unwrap();
        prop_assert_eq!(LockFile::parse(&text), Err(LockFileError::Newer { found: format }));
        let (_dir, folder) = folder_with(&text);
        let error = add(&folder, "delta", "1.0.0").unwrap_err();
        prop_assert!(error.code() == "plugins-lock-file-newer" && error.hint().contains("upgrade dscc"));
        prop_assert_eq!(fs::read(folder.lock_file_path()).unwrap(), text);
    }
}

#[test]
fn what_was_written_reads_back() {
    assert_eq!(LockFile::parse(&three().to_text()), Ok(three()));
    assert_eq!(LockFile::parse(&LockFile::default().to_text()), Ok(LockFile::default()));
}

#[test]
fn every_widened_right_is_found_out_by_its_approval() {
    let edits: [(&str, Value); 9] = [
        ("/plugins/1/facts/manifest/name", json!("other")),
        ("/plugins/1/facts/manifest/roots/0/locations/0/path", json!("~/else")),
        ("/plugins/1/facts/manifest/roots/0/locations/0/expand/variables", json!(true)),
        ("/plugins/1/facts/manifest/roots/1/marks", json!(["*"])),
        ("/plugins/1/facts/manifest/roots/1/indexes", json!(["*"])),
        ("/plugins/1/facts/imports", json!(["wasi:http/outgoing-handler@0.2.0"])),
        ("/plugins/1/limits/memory", json!(1u64 << 31)),
        ("/plugins/1/overrides", json!(["hf-hub", "other"])),
        ("/plugins/1/facts/digest", json!(digest(b"other"))),
    ];
    for (place, value) in edits {
        let mut document: Value = serde_json::from_slice(&three().to_text()).unwrap();
        *document.pointer_mut(place).unwrap() = value;
        let file = LockFile::parse(&serde_json::to_vec(&document).unwrap()).unwrap();
        assert_eq!((file.records.len(), file.damaged.len()), (2, 1), "{place}");
    }
}

#[test]
fn an_approval_of_what_no_plugin_may_ask_for_is_no_approval() {
    type Edit = fn(&mut Record);
    let edits: [(&str, Edit); 5] = [
        ("a size", |it| it.facts.size = u64::MAX),
        ("a digest", |it| it.facts.digest = "../../x".into()),
        ("a limit", |it| _ = it.limits.insert("memory".into(), u64::MAX)),
        ("a name", |it| it.facts.manifest.name = "../x".into()),
        ("a location", |it| it.facts.manifest.roots[0].locations[0].path = "../x".into()),
    ];
    for (what, edit) in edits {
        let mut record = record("alpha", "1.0.0");
        edit(&mut record);
        // Whoever writes the file can also write an approval that fits.
        let record = Record::approved(record.facts, record.source, record.added, record.limits, record.overrides);
        let mut file = LockFile::default();
        file.records.push(record);
        let file = LockFile::parse(&file.to_text()).unwrap();
        assert_eq!((file.records.len(), file.damaged.len()), (0, 1), "{what}");
        assert!(file.damaged[0].name.is_none() == (what == "a name"), "{:?}", file.damaged);
    }
}

#[test]
fn removing_or_adding_by_name_heals_a_damaged_record_and_its_component_goes_with_it() {
    let mut document: Value = serde_json::from_slice(&three().to_text()).unwrap();
    document["plugins"][0]["limits"] = json!({"memory": 1});
    document["plugins"][2]["facts"]["manifest"]["name"] = json!("../gamma");
    let (_dir, folder) = folder_with(&serde_json::to_vec(&document).unwrap());
    let file = folder.read().unwrap();
    assert_eq!((file.records.len(), file.damaged.len()), (1, 2));
    let component_of_alpha = folder.component_path(&facts("alpha", "1.0.0").digest);
    fs::write(&component_of_alpha, component("alpha", "1.0.0")).unwrap();
    assert!(folder.strays(&file).unwrap().is_empty(), "a damaged record's component is no stray");
    let removed = folder.change(None, |file| Ok::<_, FolderError>(file.remove("alpha"))).unwrap();
    assert!(removed && !component_of_alpha.exists());
    add(&folder, "gamma", "0.1.0").unwrap();
    let file = folder.read().unwrap();
    assert!(file.damaged.is_empty(), "its component is added again: {:?}", file.damaged);
    assert_eq!(file.records.iter().map(Record::name).collect::<Vec<_>>(), ["beta", "gamma"]);
}
