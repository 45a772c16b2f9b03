//! Paths beneath a root as text: `/` between components, a byte that is not part of valid UTF-8 as `\xhh`, a backslash
//! as `\\`. Taking one from the host, joining and comparing are always right; text that comes from elsewhere, such as
//! a line of an index file, is escaped first.

use crate::text::joined;

/// Both parts with `/` between them; an empty part adds nothing.
///
/// ```
/// assert_eq!(dscc_sdk::path::join("a", "b"), "a/b");
/// assert_eq!(dscc_sdk::path::join("", "b"), "b");
/// ```
pub fn join(parent: &str, child: &str) -> String {
    if parent.is_empty() || child.is_empty() {
        return joined(&[parent, child]);
    }
    joined(&[parent, "/", child])
}

/// The last component.
///
/// ```
/// assert_eq!(dscc_sdk::path::name("a/b"), "b");
/// ```
pub fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// What is above the last component; `""` for a path of one component.
///
/// ```
/// assert_eq!(dscc_sdk::path::parent("a/b"), "a");
/// ```
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Raw bytes, such as a line of a file, in the form that paths have.
///
/// ```
/// assert_eq!(dscc_sdk::path::escape(b"a\\b\xff"), r"a\\b\xff");
/// ```
pub fn escape(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    for chunk in raw.utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            text.push_str("\\x");
            text.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
        }
    }
    text
}

/// The bytes that a path in its text form stands for; none if an escape is malformed.
///
/// ```
/// assert_eq!(dscc_sdk::path::unescape(r"a\\b\xff").as_deref(), Some(&b"a\\b\xff"[..]));
/// ```
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        raw.extend_from_slice(plain.as_bytes());
        if let Some(after) = escape.strip_prefix('\\') {
            raw.push(b'\\');
            rest = after;
        } else {
            let digits = escape.strip_prefix('x')?.get(..2)?;
            raw.push(u8::from_str_radix(digits, 16).ok()?);
            rest = escape.get(3..)?;
        }
    }
    raw.extend_from_slice(rest.as_bytes());
    Some(raw)
}
