//! `--root RULE=PATH`: the user's own word on where a root is.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::environment::from_bytes;

/// A root that was named on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// The rule's id.
    pub rule: String,
    /// The folder: absolute, or starting with `~`, which the environment's home then stands for.
    pub path: PathBuf,
}

/// Why a text is no override.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    /// No `=`, or nothing on one of its sides.
    #[error("`{0}` is not of the form RULE=PATH, as in `--root hub=/data/hub`; `dscc paths` lists the rules")]
    Form(String),
    /// A relative path, and the working folder is unknown.
    #[error("`{0}` is relative and the working folder cannot be found; give an absolute path")]
    Relative(String),
}

impl Override {
    /// Reads `RULE=PATH`. A relative path is one from the working folder, as anywhere in a shell.
    ///
    /// # Errors
    /// When a side is missing, or the working folder is gone.
    pub fn parse(text: &OsStr) -> Result<Self, OverrideError> {
        let form = || OverrideError::Form(super::shown(text));
        let bytes = text.as_encoded_bytes();
        let at = bytes.iter().position(|byte| *byte == b'=').ok_or_else(form)?;
        let rule = std::str::from_utf8(&bytes[..at]).map_err(|_| form())?;
        let path = from_bytes(bytes[at + 1..].to_vec()).map(PathBuf::from).ok_or_else(form)?;
        if rule.is_empty() || path.as_os_str().is_empty() {
            return Err(form());
        }
        if path.starts_with("~") {
            return Ok(Self { rule: rule.to_owned(), path });
        }
        let path = std::path::absolute(&path).map_err(|_| OverrideError::Relative(super::shown(text)))?;
        Ok(Self { rule: rule.to_owned(), path })
    }

    /// The paths that were named for a rule, in the order of the command line.
    pub fn for_rule(overrides: &[Self], rule: &str) -> Vec<PathBuf> {
        overrides.iter().filter(|named| named.rule == rule).map(|named| named.path.clone()).collect()
    }
}

impl FromStr for Override {
    type Err = OverrideError;

    fn from_str(text: &str) -> Result<Self, OverrideError> {
        Self::parse(&OsString::from(text))
    }
}

/// A named path with its `~` replaced; as it is where there is no home.
pub(super) fn with_home(path: &Path, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~"), home) {
        (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home.to_owned(),
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_side_is_an_error_that_shows_the_form() {
        for bad in ["", "hub", "hub=", "=/x", "="] {
            let error = bad.parse::<Override>().unwrap_err();
            assert!(error.to_string().contains("RULE=PATH"), "{bad:?}: {error}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_is_taken_whole_and_made_absolute() {
        let named: Override = "hub=/data/a=b".parse().unwrap();
        assert_eq!(named, Override { rule: "hub".into(), path: "/data/a=b".into() });
        let named: Override = "hub=some/where".parse().unwrap();
        assert!(named.path.is_absolute() && named.path.ends_with("some/where"));
        let named: Override = "hub=~/x".parse().unwrap();
        assert_eq!(with_home(&named.path, Some(Path::new("/home/user"))), Path::new("/home/user/x"));
    }
}
