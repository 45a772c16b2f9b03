//! What the user has settled once for all: `config.toml`, the file that `dscc paths` shows. The command line overrides the
//! environment, and that this file.

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Span, SpanRelativeTo};
use serde::{Deserialize, Deserializer};

/// The variable that overrides [`Settings::keep_undo`].
const KEEP_UNDO: &str = "DSCC_KEEP_UNDO";

/// The settings; what is not settled is none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Settings {
    /// For how long what `clean` takes waits for `dscc undo`; zero for not at all.
    #[serde(deserialize_with = "age")]
    pub keep_undo: Option<SignedDuration>,
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("the settings in `{}` cannot be read: {}", .0.display(), .1)]
    Io(PathBuf, #[source] io::Error),
    /// Something in it makes no sense.
    #[error("line {line} of the settings in `{}` makes no sense: {message}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A variable makes no sense.
    #[error("{variable}={value} makes no sense: {message}")]
    Variable {
        /// Its name.
        variable: &'static str,
        /// Its value.
        value: String,
        /// What is wrong.
        message: String,
    },
}

impl Settings {
    /// The settings in a file, which need not exist, as the environment overrides them.
    ///
    /// # Errors
    /// When one of them makes no sense, or the file cannot be read.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = match std::fs::read_to_string(path) {
            // As where a part of the path is a file.
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                String::new()
            }
            other => other.map_err(|error| SettingsError::Io(path.to_owned(), error))?,
        };
        let mut settings = Self::parse(&text).map_err(|(line, message)| SettingsError::Line {
            path: path.to_owned(),
            line,
            message,
        })?;
        if let Some(value) = std::env::var_os(KEEP_UNDO).filter(|value| !value.is_empty()) {
            let value = value.to_string_lossy().into_owned();
            match parse_age(&value) {
                Ok(age) => settings.keep_undo = Some(age),
                Err(message) => return Err(SettingsError::Variable { variable: KEEP_UNDO, value, message }),
            }
        }
        Ok(settings)
    }

    /// The line that makes no sense, and why.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        toml::from_str(text).map_err(|error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            (1 + before.matches('\n').count(), error.message().to_owned())
        })
    }
}

fn age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SignedDuration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_age(&text).map(Some).map_err(|message| serde::de::Error::custom(format!("`{text}`: {message}")))
}

/// An age, in which a day has 24 hours.
///
/// # Errors
/// A sentence for whoever wrote it.
pub fn parse_age(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|_| "write it as 90s, 1h or 2d".to_owned())?;
    let age = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    if age.is_negative() { Err("it is negative".into()) } else { Ok(age) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_makes_no_sense_is_told_with_its_line() {
        assert_eq!(Settings::parse("").unwrap(), Settings::default());
        let week = Some(SignedDuration::from_hours(7 * 24));
        assert_eq!(Settings::parse("# a comment\nkeep-undo = \"7d\"\n").unwrap().keep_undo, week);
        for (text, line, words) in [
            ("\n\nkeep-undoo = \"7d\"\n", 3, "keep-undoo"),
            ("keep-undo = 7\n", 1, "string"),
            ("\nkeep-undo = \"soon\"\n", 2, "`soon`: write it as"),
            ("keep-undo = \"-1h\"", 1, "negative"),
            ("keep-undo = \"1h\"\nkeep-undo = \"2h\"\n", 2, "duplicate"),
            ("keep-undo = \"1h\"\n[", 2, ""),
        ] {
            let (at, message) = Settings::parse(text).unwrap_err();
            assert!(at == line && message.contains(words), "{text:?}: line {at}: {message}");
        }
    }
}
