//! What a plugin's functions fail with: a sentence, which the user reads.

use std::fmt::{self, Debug, Display, Formatter};

use crate::FsError;
use crate::text::joined;

/// What a plugin's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A sentence for the user: what failed, on what, what to do.
///
/// `?` makes one of the errors that plugins meet; [`Context`] says what was being done.
///
/// ```
/// use dscc_sdk::{Error, FsError, Result};
///
/// fn version(text: &str) -> Result<u32> {
///     if text.is_empty() {
///         return Err(Error::new("the version file is empty; let the library write it again"));
///     }
///     Ok(text.trim().parse::<u32>()?)
/// }
///
/// assert!(version("").is_err());
/// assert_eq!(Error::from(FsError::Denied).to_string(), "permission denied");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(String);

impl Error {
    /// An error of this text.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Error::new("the index is empty").to_string(), "the index is empty");
    /// ```
    pub fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Debug for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl From<Error> for String {
    fn from(error: Error) -> Self {
        error.0
    }
}

impl From<String> for Error {
    fn from(sentence: String) -> Self {
        Self(sentence)
    }
}

impl From<&str> for Error {
    fn from(sentence: &str) -> Self {
        Self(sentence.to_owned())
    }
}

impl From<FsError> for Error {
    fn from(error: FsError) -> Self {
        Self(error.text())
    }
}

/// Errors of the standard library that parsing small files gives, and those of `serde_json`.
macro_rules! from_display {
    ($($error:ty),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self(error.to_string())
            }
        }
    )*};
}

from_display!(std::num::ParseIntError, std::num::ParseFloatError, std::str::Utf8Error, std::string::FromUtf8Error);

#[cfg(feature = "json")]
from_display!(serde_json::Error);

/// Says what was being done when something failed.
///
/// ```
/// use dscc_sdk::{Context, FsError};
///
/// let failed: Result<(), _> = Err(FsError::Denied);
/// let error = failed.context("the index cannot be read").unwrap_err();
/// assert_eq!(error.to_string(), "the index cannot be read: permission denied");
///
/// let error = "model".split_once('/').with_context(|| format!("`{}` is no model", "model")).unwrap_err();
/// assert_eq!(error.to_string(), "`model` is no model");
/// ```
pub trait Context<T>: Sized {
    /// `what: why`; of an absent value, `what` alone.
    ///
    /// # Errors
    /// When there is no value.
    fn context(self, what: &str) -> Result<T> {
        self.with_context(|| what.to_owned())
    }

    /// The same, with a text that is made when it is needed.
    ///
    /// # Errors
    /// When there is no value.
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error(joined(&[&what(), ": ", &error.into().0])))
    }
}

impl<T> Context<T> for Option<T> {
    fn with_context(self, what: impl FnOnce() -> String) -> Result<T> {
        self.ok_or_else(|| Error(what()))
    }
}
