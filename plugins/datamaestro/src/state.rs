//! A dataset's own record, `.state.json`: which of its resources have been downloaded. A resource goes by the name that
//! the dataset's definition gives it, which says nothing about its files.

use dscc_sdk::FsError;
use serde_json::Value;

/// The record's name.
pub const FILE: &str = ".state.json";
/// Locked while a download runs; stays afterwards.
pub const LOCK: &str = ".state.lock";
/// Where resources are before they are complete.
pub const UNFINISHED: &str = ".downloads";
/// What datamaestro itself takes for no content; the temporary is of an interrupted write.
pub const OWN: [&str; 4] = [FILE, LOCK, ".state.tmp", ".state.json.tmp"];
/// A record is some hundred bytes.
pub const LIMIT: u32 = 1 << 20;

/// The only layout that is known.
const VERSION: u64 = 1;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// There is none: an old dataset, or a download that got nowhere.
    Absent,
    /// Resources and their states.
    Known(Vec<(String, Step)>),
    /// What datamaestro itself cannot read, and why.
    Broken(String),
}

/// How far a resource is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Not downloaded, or deleted once what is made from it was complete.
    None,
    /// A part is kept, and can be resumed.
    Partial,
    /// All there.
    Complete,
}

impl Record {
    /// Reads leniently what datamaestro reads leniently: nothing has to be there but the states' own words.
    pub fn parse(content: Result<Vec<u8>, FsError>) -> Self {
        let content = match content {
            Ok(content) => content,
            Err(FsError::NotFound) => return Self::Absent,
            Err(error) => return Self::Broken(error.text()),
        };
        let record: Value = match serde_json::from_slice(&content) {
            Ok(record) => record,
            Err(error) => return Self::Broken(format!("it is no JSON: {error}")),
        };
        let Some(fields) = record.as_object() else { return Self::Broken("it is no record".into()) };
        if let Some(version) = fields.get("version").filter(|version| version.as_u64() != Some(VERSION)) {
            return Self::Broken(format!("its version {version} is unknown; upgrade dscc"));
        }
        let resources = match fields.get("resources") {
            None => return Self::Known(vec![]),
            Some(Value::Object(resources)) => resources,
            Some(_) => return Self::Broken("its resources are no record".into()),
        };
        let step =
            |(name, resource): (&String, &Value)| Some((name.clone(), Step::parse(resource["state"].as_str()?)?));
        let known: Option<Vec<_>> = resources.iter().map(step).collect();
        known.map_or_else(|| Self::Broken("a resource is in an unknown state".into()), Self::Known)
    }

    /// The resources; none if they are not known.
    pub fn resources(&self) -> &[(String, Step)] {
        match self {
            Self::Known(resources) => resources,
            Self::Absent | Self::Broken(_) => &[],
        }
    }

    /// Whether a resource is in this state.
    pub fn has(&self, step: Step) -> bool {
        self.resources().iter().any(|(_, other)| *other == step)
    }
}

impl Step {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "none" => Some(Self::None),
            "partial" => Some(Self::Partial),
            "complete" => Some(Self::Complete),
            _ => None,
        }
    }

    /// The library's word.
    pub fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Partial => "partial",
            Self::Complete => "complete",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Record {
        Record::parse(Ok(text.into()))
    }

    #[test]
    fn states_are_read_as_the_library_writes_them() {
        let text = r#"{"version": 1, "resources": {"B": {"state": "complete"}, "a": {"state": "none"}}}"#;
        assert_eq!(parse(text).resources(), [("B".into(), Step::Complete), ("a".into(), Step::None)]);
        assert_eq!(parse("{}"), Record::Known(vec![]));
        assert_eq!(Record::parse(Err(FsError::NotFound)), Record::Absent);
    }

    #[test]
    fn what_the_library_could_not_read_is_broken_and_another_version_is_not_guessed_at() {
        for text in [
            "",
            "{",
            "[]",
            r#"{"version": 2, "resources": {}}"#,
            r#"{"version": 1, "resources": []}"#,
            r#"{"version": 1, "resources": {"a": {"state": "done"}}}"#,
            r#"{"version": 1, "resources": {"a": "complete"}}"#,
        ] {
            assert!(matches!(parse(text), Record::Broken(_)), "{text}");
        }
        assert!(matches!(Record::parse(Err(FsError::TooLarge)), Record::Broken(_)));
    }
}
