//! Paths beneath a root in their one text form, the same in WIT, JSON, plans and on the command line: `/` between
//! components, bytes that are not part of valid UTF-8 as `\xhh`, a backslash as `\\`. The form is reversible, so a name
//! that is no UTF-8 can be shown, saved, typed and found again.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

/// Longest path that is taken from a plugin or the command line, in bytes of its text form.
const MAX_PATH: usize = 16 * 1024;

/// A place beneath a root, checked: relative, no empty, `.` or `..` component, no NUL. `""` is the root itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Box<str>);

/// Why a text is not a path beneath a root.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Starts with `/`, or with a drive letter on Windows.
    #[error("`{0}` is absolute; paths are relative to the root")]
    Absolute(String),
    /// A component that is empty, `.`, `..` or not a name on this platform.
    #[error("`{0}` has an empty, `.` or `..` component, or one that is no file name here")]
    Component(String),
    /// A backslash that starts neither `\\` nor `\xhh`, or one that hides a character which needs no escape.
    #[error("`{0}` has a malformed escape; a backslash is written `\\\\` and a raw byte `\\xhh`")]
    Escape(String),
    /// Longer than any real path.
    #[error("a path of {0} bytes is too long")]
    TooLong(usize),
}

impl RelPath {
    /// The root itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Checks a text in the escaped form.
    ///
    /// # Errors
    /// When the text is absolute, has a component that could lead elsewhere, or is not in canonical escaped form.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.len() > MAX_PATH {
            return Err(PathError::TooLong(text.len()));
        }
        if text.starts_with('/') {
            return Err(PathError::Absolute(text.to_owned()));
        }
        if text.is_empty() {
            return Ok(Self::root());
        }
        for component in text.split('/') {
            if !is_name(component) {
                return Err(PathError::Component(text.to_owned()));
            }
            if !component.contains('\\') {
                continue; // By far the most: the text is the name.
            }
            let name = unescape_name(component).ok_or_else(|| PathError::Escape(text.to_owned()))?;
            if escape_name(&name) != component {
                return Err(PathError::Escape(text.to_owned()));
            }
        }
        Ok(Self(text.into()))
    }

    /// Joins components that are already in the escaped form, as the walk and the path tree hold them.
    pub(crate) fn from_components<'a>(components: impl IntoIterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for component in components {
            if !text.is_empty() {
                text.push('/');
            }
            text.push_str(component);
        }
        Self(text.into())
    }

    /// The text form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the root itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The components in the text form; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|component| !component.is_empty())
    }

    /// The last component; none for the root.
    pub fn name(&self) -> Option<&str> {
        self.components().next_back()
    }

    /// The path above; none for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or("", |(parent, _)| parent).into()))
    }

    /// This path and one more component, which is given in the text form and must be a name.
    pub(crate) fn join(&self, name: &str) -> Self {
        debug_assert!(is_name(name), "{name:?} is no name");
        if self.is_root() { Self(name.into()) } else { Self(format!("{}/{name}", self.0).into()) }
    }

    /// Whether `self` is `other` or lies beneath it.
    pub fn starts_with(&self, other: &Self) -> bool {
        other.is_root() || self.0.strip_prefix(&*other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The names on disk, component by component.
    pub fn names(&self) -> impl Iterator<Item = OsString> + '_ {
        // Every constructor has checked that the components unescape.
        self.components().map(|component| unescape_name(component).unwrap_or_else(|| component.into()))
    }

    /// The path as the system writes it, still relative.
    pub fn to_path_buf(&self) -> PathBuf {
        self.names().collect()
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl serde::Serialize for RelPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A path in which `*` stands for any part of one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(RelPath);

impl Pattern {
    /// Checks a pattern.
    ///
    /// # Errors
    /// As for [`RelPath::parse`].
    pub fn parse(text: &str) -> Result<Self, PathError> {
        RelPath::parse(text).map(Self)
    }

    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The pattern's components, each of which may hold `*`.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.components()
    }

    /// Whether the whole path matches.
    pub fn matches(&self, path: &RelPath) -> bool {
        self.components().count() == path.components().count()
            && self.components().zip(path.components()).all(|(pattern, name)| Self::name_matches(pattern, name))
    }

    /// Whether one component matches one component pattern.
    pub fn name_matches(pattern: &str, name: &str) -> bool {
        let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
        let Some(mut name) = name.strip_prefix(head) else { return false };
        let mut parts: Vec<&str> = rest.split('*').collect();
        let last = parts.pop().unwrap_or_default();
        for part in parts {
            let Some(at) = name.find(part) else { return false };
            name = &name[at + part.len()..];
        }
        name.ends_with(last)
    }
}

impl serde::Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

fn is_name(component: &str) -> bool {
    let plain = !matches!(component, "" | "." | "..") && !component.bytes().any(|byte| matches!(byte, b'/' | b'\0'));
    // An escape can hide a NUL; on Windows a drive or a separator is no part of a name.
    plain
        && (!component.contains('\\') || !component.contains("\\x00"))
        && (cfg!(unix) || !component.contains([':', '\\']))
}

/// One name from disk in the text form. Most names need no change and are only borrowed.
pub fn escape_name(name: &OsStr) -> Cow<'_, str> {
    let bytes = name.as_encoded_bytes();
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\\') => Cow::Borrowed(text),
        _ => Cow::Owned(escape_bytes(bytes)),
    }
}

/// A whole text, such as a link's target, in the same form.
pub fn escape_text(text: &OsStr) -> String {
    escape_name(text).into_owned()
}

fn escape_bytes(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' {
                out.push_str("\\\\");
            } else {
                out.push(character);
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// The name that a text stands for; none if an escape is malformed.
pub fn unescape_name(text: &str) -> Option<OsString> {
    if !text.contains('\\') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            bytes.push(b'\\');
            rest = after;
        } else {
            let digits = escape.strip_prefix('x').and_then(|digits| digits.get(..2))?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &escape[3..];
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    os_string(bytes)
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    use std::os::unix::ffi::OsStringExt;
    Some(OsString::from_vec(bytes))
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> Option<OsString> {
    String::from_utf8(bytes).ok().map(OsString::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        for bad in
            ["/etc", "a//b", "a/", "a/./b", "..", "a/../b", "a\0b", "a\\x00b", "\\x", "\\xZZ", "a\\b", "\\x41", "\\x2f"]
        {
            assert!(RelPath::parse(bad).is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn ordinary_and_odd_names_are_taken() {
        for good in ["", "a", "a/b", "...", ".hidden", "a b/\u{e9}", "\\xff/\\\\", "new\nline"] {
            assert_eq!(RelPath::parse(good).map(|path| path.as_str().to_owned()).as_deref(), Ok(good));
        }
    }

    #[test]
    fn patterns_match_within_one_component() {
        let pattern = Pattern::parse("blobs/*/*.refs").unwrap();
        assert!(pattern.matches(&RelPath::parse("blobs/ab/abc.refs").unwrap()));
        assert!(!pattern.matches(&RelPath::parse("blobs/ab/c/abc.refs").unwrap()));
        assert!(!pattern.matches(&RelPath::parse("blobs/ab/abc.ref").unwrap()));
        assert!(Pattern::name_matches("a*a", "aa") && !Pattern::name_matches("a*a", "a"));
        assert!(Pattern::name_matches("*--*", "models--x") && !Pattern::name_matches("*--*", "models-x"));
    }

    #[test]
    fn beneath_is_by_component() {
        let path = |text: &str| RelPath::parse(text).unwrap();
        assert!(path("a/b").starts_with(&path("a")) && path("a").starts_with(&path("a")));
        assert!(!path("ab").starts_with(&path("a")));
        assert_eq!(path("a/b").parent(), Some(path("a")));
        assert_eq!(path("a").parent(), Some(RelPath::root()));
    }

    proptest! {
        #[test]
        fn a_text_is_refused_or_means_what_it_says(text in "(\\PC|[/\\\\x.0-9a-f]){0,24}") {
            if let Ok(path) = RelPath::parse(&text) {
                prop_assert_eq!(path.as_str(), &text);
                prop_assert!(path.to_path_buf().components().all(|it| matches!(it, std::path::Component::Normal(_))));
            }
        }
    }

    #[cfg(unix)]
    proptest! {
        #[test]
        fn every_name_has_one_reversible_text(bytes in proptest::collection::vec(1u8..=255, 1..40)) {
            use std::os::unix::ffi::OsStrExt;
            let name = OsStr::from_bytes(&bytes);
            let text = escape_name(name);
            prop_assert_eq!(unescape_name(&text).unwrap(), name);
            if !bytes.contains(&b'/') && text != "." && text != ".." {
                prop_assert_eq!(RelPath::parse(&text).unwrap().to_path_buf().into_os_string(), name.to_owned());
            }
        }
    }
}
