//! Reading a saved plan. The file may come from anybody: what is not exactly a plan is refused, every path is checked, and
//! what was cut out of one part of it and not of the others is told instead of guessed at.

use std::collections::HashSet;

use serde::Deserialize;

use super::{FORMAT, Saved, SavedRoot};

/// Why a file is no plan that can be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// Something else, or cut off.
    #[error("it is not what `dscc clean --dry-run --json` prints: {0}")]
    NoPlan(String),
    /// A plan that was carried out.
    #[error("it is the report of a run and not a plan")]
    Report,
    /// From before plans could be saved.
    #[error("there is no plan in it: an older dscc made it")]
    Older,
    /// Made by a later program.
    #[error("its plan has format {0}, which this version of dscc does not know; upgrade dscc")]
    Newer(u64),
    /// It says something that no plan says.
    #[error("its plan is damaged: {0}")]
    Damaged(String),
}

/// What tells whether the rest can be understood.
#[derive(Deserialize)]
struct Head {
    schema_version: u64,
    dry_run: bool,
    plan: Option<PlanHead>,
}

#[derive(Deserialize)]
struct PlanHead {
    format: u64,
}

/// The document of `clean`, as far as it has to agree with its plan.
#[derive(Deserialize)]
struct Document {
    remove: Vec<Row>,
    plan: Saved,
}

#[derive(Deserialize)]
struct Row {
    cache: String,
    id: String,
}

impl Saved {
    /// A file that is longer is not read. A plan with half a million paths is shorter.
    pub const MOST_BYTES: u64 = 256 << 20;

    /// Reads what `dscc clean --dry-run --json` has printed.
    ///
    /// # Errors
    /// When it is anything else, of a later format, or contradicts itself.
    pub fn read(text: &[u8]) -> Result<Self, SavedError> {
        let head: Head = serde_json::from_slice(text).map_err(|error| SavedError::NoPlan(error.to_string()))?;
        if head.schema_version > 1 {
            return Err(SavedError::Newer(head.schema_version));
        }
        if !head.dry_run {
            return Err(SavedError::Report);
        }
        let format = head.plan.ok_or(SavedError::Older)?.format;
        if format > u64::from(FORMAT) {
            return Err(SavedError::Newer(format));
        }
        let Document { remove, plan }: Document =
            serde_json::from_slice(text).map_err(|error| SavedError::Damaged(error.to_string()))?;
        plan.roots.iter().try_for_each(SavedRoot::check)?;
        let planned = plan.roots.iter().flat_map(|root| &root.entries).map(|it| (&it.cache, &it.id));
        if !planned.eq(remove.iter().map(|row| (&row.cache, &row.id))) {
            let what = "`remove` and `plan` name other entries; it cannot be edited, make a new one";
            return Err(SavedError::Damaged(what.into()));
        }
        let mut roots = HashSet::new();
        match plan.roots.iter().find(|root| !roots.insert(&root.path)) {
            Some(twice) => Err(SavedError::Damaged(format!("`{}` is in it twice", twice.path.display()))),
            None => Ok(plan),
        }
    }
}

impl SavedRoot {
    fn check(&self) -> Result<(), SavedError> {
        let damaged = |what: String| Err(SavedError::Damaged(what));
        let (mut entries, mut paths) = (HashSet::new(), HashSet::new());
        for entry in &self.entries {
            if !entries.insert((&entry.cache, &entry.id)) {
                return damaged(format!("the entry `{}` is in it twice", entry.id));
            }
        }
        for step in &self.steps {
            if step.path.is_root() {
                return damaged("a root itself is to go".into());
            }
            if step.entry >= self.entries.len() || !paths.insert(&step.path) {
                return damaged(format!("`{}` belongs to no entry, or is in it twice", step.path));
            }
        }
        Ok(())
    }
}

/// An absolute path in the text form of all names.
pub(super) mod absolute {
    use std::path::{Path, PathBuf};

    use serde::{Deserialize as _, Deserializer, Serializer, de};

    use crate::model::{escape_text, unescape_name};

    pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape_text(path.as_os_str()))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = unescape_name(&text).map(PathBuf::from).filter(|path| path.is_absolute());
        path.ok_or_else(|| de::Error::custom("a root's path is absolute"))
    }
}
