//! The lock file: which plugins are installed, what is known of each, and what of it the user approved. It is JSON and is
//! only ever replaced whole. A record that does not make sense costs that plugin and is kept as it is; a file of a later
//! format is left alone.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::check::slug;
use crate::runtime::{LimitSettings, Limits, check_settings, is_digest};

use super::facts::Facts;
use super::request::Request;

/// The format that is written here; a later one is not touched.
pub const FORMAT: u64 = 1;

/// What the lock file says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LockFile {
    /// By name.
    pub records: Vec<Record>,
    /// What could not be made sense of.
    pub damaged: Vec<Damaged>,
}

/// An installed plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// What the component is and asks for.
    pub facts: Facts,
    /// The file it was added from, escaped; none for standard input.
    pub source: Option<String>,
    /// When.
    pub added: Timestamp,
    /// The limits that are not the default.
    pub limits: LimitSettings,
    /// The built-in plugins that it may run instead of.
    pub overrides: BTreeSet<String>,
    /// What was approved.
    pub grant: Grant,
}

/// An approval: these bytes, asking for this. Anything else has to be approved anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The component's digest.
    pub digest: String,
    /// The request's digest.
    pub request: String,
}

/// A record that is none; its plugin does not run.
#[derive(Clone, Debug, PartialEq)]
pub struct Damaged {
    /// The plugin's name, if that much can be told.
    pub name: Option<String>,
    /// The component's digest, likewise.
    pub digest: Option<String>,
    /// What is wrong.
    pub why: String,
    /// As it is in the file.
    raw: Value,
}

/// Why a lock file cannot be used at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockFileError {
    /// Made by a later program.
    #[error("it has format {found}, this dscc knows format {FORMAT}")]
    Newer {
        /// Its format.
        found: u64,
    },
    /// Cut off, changed by hand, something else.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: u64,
    plugins: Vec<Value>,
}

impl LockFile {
    /// Reads a lock file's text.
    ///
    /// # Errors
    /// When it is no lock file, or one of a later format.
    pub fn parse(text: &[u8]) -> Result<Self, LockFileError> {
        let damaged = |error: serde_json::Error| LockFileError::Damaged(error.to_string());
        let value: Value = serde_json::from_slice(text).map_err(damaged)?;
        let format = value.get("format").and_then(Value::as_u64);
        if let Some(found) = format.filter(|found| *found > FORMAT) {
            return Err(LockFileError::Newer { found });
        }
        let File { plugins, .. } = serde_json::from_value(value).map_err(damaged)?;
        if format != Some(FORMAT) {
            return Err(LockFileError::Damaged("there is no such format".into()));
        }
        let mut file = Self::default();
        for raw in plugins {
            match file.read_record(&raw) {
                Ok(record) => file.records.push(record),
                Err(why) => file.damaged.push(Damaged::new(raw, why)),
            }
        }
        file.sort();
        Ok(file)
    }

    fn read_record(&self, raw: &Value) -> Result<Record, String> {
        let record = Record::deserialize(raw).map_err(|error| error.to_string())?;
        record.check()?;
        let twice = self.get(record.name()).is_some();
        if twice { Err(format!("`{}` is there twice", record.name())) } else { Ok(record) }
    }

    /// The file's text.
    pub fn to_text(&self) -> Vec<u8> {
        // Strings, numbers, lists and maps with string keys always have a JSON form.
        let records = self.records.iter().map(|record| serde_json::to_value(record).unwrap_or_default());
        let plugins = records.chain(self.damaged.iter().map(|it| it.raw.clone())).collect();
        let mut text = serde_json::to_vec_pretty(&File { format: FORMAT, plugins }).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// The record of that name.
    pub fn get(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name() == name)
    }

    /// Adds a record, in the place of one with its name, sound or damaged, and of damaged ones about its component.
    pub fn put(&mut self, record: Record) {
        self.remove(record.name());
        self.damaged.retain(|damaged| damaged.digest.as_ref() != Some(&record.facts.digest));
        self.records.push(record);
        self.sort();
    }

    /// Removes the record of that name, sound or damaged; says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.records.len() + self.damaged.len();
        self.records.retain(|record| record.name() != name);
        self.damaged.retain(|damaged| damaged.name.as_deref() != Some(name));
        before > self.records.len() + self.damaged.len()
    }

    /// The digests of all components that a record names, sound or damaged.
    pub fn digests(&self) -> BTreeSet<String> {
        let damaged = self.damaged.iter().filter_map(|it| it.digest.clone());
        self.records.iter().map(|it| it.facts.digest.clone()).chain(damaged).collect()
    }

    fn sort(&mut self) {
        self.records.sort_by(|one, other| one.name().cmp(other.name()));
    }
}

impl Damaged {
    /// Only a name that a plugin can have, and a digest that is one, can be told.
    fn new(raw: Value, why: String) -> Self {
        let text = |place: &str| raw.pointer(place).and_then(Value::as_str).map(str::to_owned);
        let name = text("/facts/manifest/name").filter(|name| slug("the name", name).is_ok());
        Self { name, digest: text("/facts/digest").filter(|digest| is_digest(digest)), why, raw }
    }

    /// The name, or that there is none to be told.
    pub fn shown_name(&self) -> &str {
        self.name.as_deref().unwrap_or("(no name)")
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match &self.name {
            Some(name) => format!("`dscc plugin add PATH` adds it again; `dscc plugin remove {name}` forgets it"),
            None => "`dscc plugin add PATH` adds it again; or take that record out of the file".into(),
        }
    }
}

impl Record {
    /// A record of what was just approved.
    pub fn approved(
        facts: Facts,
        source: Option<String>,
        added: Timestamp,
        limits: LimitSettings,
        overrides: BTreeSet<String>,
    ) -> Self {
        let grant = Grant { digest: facts.digest.clone(), request: String::new() };
        let mut record = Self { facts, source, added, limits, overrides, grant };
        record.grant.request = record.request().digest();
        record
    }

    /// The plugin's name.
    pub fn name(&self) -> &str {
        &self.facts.manifest.name
    }

    /// What it asks for.
    pub fn request(&self) -> Request {
        request(&self.facts, &self.limits, &self.overrides)
    }

    /// The limits it runs within.
    pub fn limits(&self, defaults: Limits) -> Limits {
        defaults.with(&self.limits)
    }

    fn check(&self) -> Result<(), String> {
        check_settings(&self.limits).map_err(|error| error.to_string())?;
        self.facts.check(&self.limits(Limits::default()))?;
        let asked = Grant { digest: self.facts.digest.clone(), request: self.request().digest() };
        if self.grant == asked { Ok(()) } else { Err("it asks for something else than was approved".into()) }
    }
}

/// What a component with these facts asks for, within these limits.
pub fn request(facts: &Facts, limits: &LimitSettings, overrides: &BTreeSet<String>) -> Request {
    Request {
        name: facts.manifest.name.clone(),
        roots: facts.manifest.roots.clone(),
        imports: facts.imports.clone(),
        limits: limits.clone(),
        overrides: overrides.clone(),
    }
}
