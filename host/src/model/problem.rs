//! Something that went wrong and that the user has to know: a warning, an error, something that was not removed. The
//! same row for people and for JSON.

use std::path::Path;

use serde::Serialize;

use super::{RelPath, escape_text};

/// What went wrong, where, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A stable word for programs.
    pub code: String,
    /// The plugin it is about.
    pub plugin: Option<String>,
    /// The cache it is about.
    pub cache: Option<String>,
    /// The entry it is about.
    pub id: Option<String>,
    /// The place it is about.
    pub path: Option<String>,
    /// One sentence; further lines are what a plugin printed.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
    /// What else would be wrong for the same reason has the same text here: people are told once, programs each time.
    #[serde(skip)]
    pub cause: Option<String>,
}

impl Problem {
    /// A problem with a code and a message.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), ..Self::default() }
    }

    /// The same problem, about a place.
    #[must_use]
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// The same problem, about a path beneath a root.
    #[must_use]
    pub fn beneath(self, root: &Path, path: &RelPath) -> Self {
        let full = if path.is_root() { root.to_owned() } else { root.join(path.to_path_buf()) };
        self.at(escape_text(full.as_os_str()))
    }

    /// The same problem, with what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
