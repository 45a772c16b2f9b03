//! The JSON documents, which are an interface: names, nulls and order of the fields are kept within a `schema_version`.
//! Sizes are bytes, times are RFC 3339 in UTC or null, what is empty is there as an empty list.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use super::age::rfc3339;
use super::escape::is_hidden;
use crate::clean::Saved;
use crate::model::{Problem, Recovery, State};

/// The version of these shapes; always the first field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SchemaVersion;

impl Serialize for SchemaVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(1)
    }
}

/// What `dscc list --json` prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListDocument {
    /// 1
    pub schema_version: SchemaVersion,
    /// Bytes of all caches, an inode once.
    pub size: u64,
    /// A row for each cache.
    pub caches: Vec<ListCache>,
    /// Runs of `clean` of which something waits, be it for `dscc undo` or because they were killed. Their bytes are not
    /// free, and no cache's.
    pub held: Vec<ListHeld>,
    /// What could not be looked at.
    pub errors: Vec<Problem>,
}

/// A run of which something waits.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListHeld {
    /// What `dscc undo` takes.
    pub run: String,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// How many entries it took, without those in others.
    pub entries: u64,
    /// Bytes that wait.
    pub size: u64,
    /// Until when they are kept.
    pub until: Option<Timestamp>,
    /// Whether it was killed.
    pub interrupted: bool,
}

/// A cache in `list`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ListCache {
    /// What `-c` takes.
    pub cache: String,
    /// The plugin that knows it.
    pub plugin: String,
    /// For people.
    pub title: String,
    /// The folder.
    pub root: String,
    /// How many entries there are on the first level.
    pub entries: u64,
    /// Bytes of its entries and of what none claims.
    pub size: u64,
    /// Allocated bytes.
    pub disk_size: u64,
    /// Regular files.
    pub files: u64,
    /// Bytes that the library would not miss; null unless asked for.
    pub reclaimable: Option<u64>,
    /// Bytes that no entry claims.
    pub unclaimed: u64,
    /// The latest use that is known of.
    #[serde(serialize_with = "time")]
    pub last_used: Option<Timestamp>,
    /// Whether something could not be read, so that there may be more than the figures say.
    pub lower_bound: bool,
    /// What the plugin and the host have to say of it.
    pub warnings: Vec<Problem>,
}

/// What `dscc show --json` prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ShowDocument {
    /// 1
    pub schema_version: SchemaVersion,
    /// All levels in one list; children name their parent.
    pub entries: Vec<ShowEntry>,
    /// What could not be looked at.
    pub errors: Vec<Problem>,
}

/// An entry in `show`.
#[derive(Clone, Debug, Serialize)]
pub struct ShowEntry {
    /// The cache it is in.
    pub cache: String,
    /// The cache's root.
    pub root: String,
    /// What names it on the command line.
    pub id: String,
    /// The entry that it is a child of.
    pub parent: Option<String>,
    /// One word for what it is.
    pub kind: String,
    /// What a user calls it.
    pub label: String,
    /// Whether it is whole.
    pub state: State,
    /// Why the library would not miss it.
    pub reclaim: Option<String>,
    /// What it costs to have it back.
    pub recovery: Recovery,
    /// Bytes that it owns or shares.
    pub size: u64,
    /// Bytes that would be freed if it alone went.
    pub unique_size: u64,
    /// Allocated bytes.
    pub disk_size: u64,
    /// Regular files.
    pub files: u64,
    /// The newest modification in it.
    #[serde(serialize_with = "time")]
    pub modified: Option<Timestamp>,
    /// From the library's records, or the newest access.
    #[serde(serialize_with = "time")]
    pub last_used: Option<Timestamp>,
    /// From the library's records.
    #[serde(serialize_with = "time")]
    pub created: Option<Timestamp>,
    /// What it owns, relative to the root.
    pub paths: Vec<String>,
    /// Each name with all of its values.
    pub attributes: BTreeMap<String, Vec<String>>,
}

/// What `dscc clean --json` prints.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CleanDocument {
    /// 1
    pub schema_version: SchemaVersion,
    /// Whether nothing was to be done.
    pub dry_run: bool,
    /// Bytes that the plan frees.
    pub expected: u64,
    /// Bytes that were freed, measured; 0 in a dry run.
    pub freed: u64,
    /// Allocated bytes that were freed.
    pub freed_disk: u64,
    /// How many of them are free for sure: less where files that stay may share blocks with what went.
    pub freed_disk_at_least: u64,
    /// What goes, or went.
    pub remove: Vec<CleanRemove>,
    /// What was selected and stays.
    pub keep: Vec<CleanKeep>,
    /// What should have gone and is still there.
    pub failed: Vec<Problem>,
    /// What could not be looked at.
    pub errors: Vec<Problem>,
    /// In a dry run: what `dscc apply` needs besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Saved>,
}

/// An entry that goes.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CleanRemove {
    /// The cache it is in.
    pub cache: String,
    /// The cache's root.
    pub root: String,
    /// The entry.
    pub id: String,
    /// Why it was selected.
    pub reason: String,
    /// Bytes that it owns or shares.
    pub size: u64,
    /// What goes with it, relative to the root.
    pub paths: Vec<String>,
}

/// An entry that was selected and stays.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CleanKeep {
    /// The cache it is in.
    pub cache: String,
    /// The cache's root.
    pub root: String,
    /// The entry.
    pub id: String,
    /// Why it stays.
    pub reason: String,
    /// Bytes of it that stay.
    pub size: u64,
}

/// A plugin's pairs as JSON has them: each name once, with its values in the plugin's order.
pub fn attributes(pairs: &[(String, String)]) -> BTreeMap<String, Vec<String>> {
    let mut map: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in pairs {
        map.entry(name.clone()).or_default().push(value.clone());
    }
    map
}

/// A document as text with a line end. Characters that a terminal would not show are written as JSON escapes, so that
/// the text is safe to look at and reads back the same.
///
/// # Errors
/// When a value cannot be serialized, which none of the documents here do.
pub fn to_text(document: &impl Serialize) -> serde_json::Result<String> {
    let plain = serde_json::to_string_pretty(document)?;
    let mut text = String::with_capacity(plain.len() + 1);
    for character in plain.chars() {
        // Outside its strings JSON is printable ASCII and line ends, so everything hidden is within a string.
        if character == '\n' || !is_hidden(character) {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    text.push('\n');
    Ok(text)
}

fn time<S: Serializer>(time: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&rfc3339(*time)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn compact(document: &impl Serialize) -> String {
        serde_json::to_string(document).unwrap()
    }

    fn entry() -> ShowEntry {
        ShowEntry {
            cache: "hub".into(),
            root: "/r".into(),
            id: "model/a/b".into(),
            parent: None,
            kind: "model".into(),
            label: "a/b".into(),
            state: State::Complete,
            reclaim: None,
            recovery: Recovery::Download,
            size: 3,
            unique_size: 2,
            disk_size: 4096,
            files: 1,
            modified: Some("2024-03-01T12:00:00Z".parse().unwrap()),
            last_used: None,
            created: None,
            paths: vec!["models--a--b".into()],
            attributes: attributes(&[
                ("refs".into(), "main".into()),
                ("x".into(), "1".into()),
                ("refs".into(), "dev".into()),
            ]),
        }
    }

    #[test]
    fn documents_have_exactly_the_published_fields_in_their_order() {
        assert_eq!(
            compact(&ListDocument::default()),
            r#"{"schema_version":1,"size":0,"caches":[],"held":[],"errors":[]}"#
        );
        assert_eq!(
            compact(&ListCache { cache: "hub".into(), reclaimable: Some(5), ..ListCache::default() }),
            r#"{"cache":"hub","plugin":"","title":"","root":"","entries":0,"size":0,"disk_size":0,"files":0,"reclaimable":5,"unclaimed":0,"last_used":null,"lower_bound":false,"warnings":[]}"#
        );
        assert_eq!(compact(&ShowDocument::default()), r#"{"schema_version":1,"entries":[],"errors":[]}"#);
        assert_eq!(
            compact(&entry()),
            r#"{"cache":"hub","root":"/r","id":"model/a/b","parent":null,"kind":"model","label":"a/b","state":"complete","reclaim":null,"recovery":"download","size":3,"unique_size":2,"disk_size":4096,"files":1,"modified":"2024-03-01T12:00:00Z","last_used":null,"created":null,"paths":["models--a--b"],"attributes":{"refs":["main","dev"],"x":["1"]}}"#
        );
        assert_eq!(
            compact(&CleanDocument {
                remove: vec![CleanRemove::default()],
                keep: vec![CleanKeep::default()],
                ..CleanDocument::default()
            }),
            r#"{"schema_version":1,"dry_run":false,"expected":0,"freed":0,"freed_disk":0,"freed_disk_at_least":0,"remove":[{"cache":"","root":"","id":"","reason":"","size":0,"paths":[]}],"keep":[{"cache":"","root":"","id":"","reason":"","size":0}],"failed":[],"errors":[]}"#
        );
        assert_eq!(
            compact(&Problem { code: "root-relative".into(), hint: Some("h".into()), ..Problem::default() }),
            r#"{"code":"root-relative","plugin":null,"cache":null,"id":null,"path":null,"message":"","hint":"h"}"#
        );
    }

    #[test]
    fn an_empty_document_is_still_a_document() {
        let text = to_text(&ShowDocument::default()).unwrap();
        assert_eq!(text, "{\n  \"schema_version\": 1,\n  \"entries\": [],\n  \"errors\": []\n}\n");
    }

    proptest! {
        #[test]
        fn any_name_is_safe_to_look_at_and_reads_back_the_same(name in "(\\PC|[\\p{C}\\p{Z}]|[\"\\\\]){0,20}") {
            let document = ShowDocument { entries: vec![ShowEntry { id: name.clone(), ..entry() }], ..ShowDocument::default() };
            let text = to_text(&document).unwrap();
            prop_assert!(!text.chars().any(|character| character != '\n' && is_hidden(character)));
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(read["entries"][0]["id"].as_str(), Some(name.as_str()));
        }
    }
}
