//! A plugin as a row: the same facts in the table, in `info` and as JSON.

use jiff::Timestamp;
use serde::Serialize;

use crate::model::Problem;
use crate::plugins::{Facts, Record};
use crate::roots::Environment;
use crate::ui::json::SchemaVersion;
use crate::ui::rfc3339;

use super::rights::caches_found;

/// What `dscc plugin list --json` prints.
#[derive(Serialize)]
pub(super) struct ListDocument {
    pub(super) schema_version: SchemaVersion,
    pub(super) plugins: Vec<Row>,
    pub(super) errors: Vec<Problem>,
}

/// A plugin.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) digest: String,
    pub(super) size: u64,
    pub(super) interface: String,
    pub(super) built_in: bool,
    /// Whether it is asked for caches.
    pub(super) runs: bool,
    /// The plugin that runs instead of it.
    pub(super) overridden_by: Option<String>,
    /// The built-in plugins that do not run because of it.
    pub(super) overrides: Vec<String>,
    /// The file that it was added from.
    pub(super) source: Option<String>,
    pub(super) added: Option<String>,
    /// The rules whose directory is there.
    pub(super) caches: Vec<String>,
}

impl Row {
    /// A plugin that is not installed, or built in.
    pub(super) fn of(facts: &Facts, environment: &Environment) -> Self {
        let manifest = &facts.manifest;
        Self {
            name: manifest.name.clone(),
            version: manifest.version.clone(),
            title: manifest.title.clone(),
            summary: manifest.summary.clone(),
            digest: facts.digest.clone(),
            size: facts.size,
            interface: facts.interface.clone(),
            built_in: false,
            runs: true,
            overridden_by: None,
            overrides: Vec::new(),
            source: None,
            added: None,
            caches: caches_found(facts, environment),
        }
    }

    /// An installed plugin.
    pub(super) fn installed(record: &Record, environment: &Environment) -> Self {
        Self {
            overrides: record.overrides.iter().cloned().collect(),
            source: record.source.clone(),
            added: Some(time(record.added)),
            ..Self::of(&record.facts, environment)
        }
    }

    /// Where it comes from, in one word or two.
    pub(super) fn origin(&self) -> String {
        match (self.built_in, &self.overridden_by) {
            (true, None) => "built-in".into(),
            (true, Some(by)) => format!("built-in, overridden by {by}"),
            (false, _) if !self.runs => "installed, does not run".into(),
            (false, _) if self.overrides.is_empty() => "installed".into(),
            (false, _) => format!("installed, overrides {}", self.overrides.join(", ")),
        }
    }
}

pub(super) fn time(time: Timestamp) -> String {
    rfc3339(time)
}
