//! How downloads are named: by the SHA-256 of the address as a JSON text.

use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// The longest last component that goes into an id.
const LONGEST: usize = 80;

/// The name that datamaestro gives to what it downloads from there.
pub fn digest(url: &str) -> String {
    Sha256::digest(json_text(url)).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}"); // writing to a String cannot fail
        hex
    })
}

/// A string in JSON as Python writes it by default: nothing but printable ASCII.
fn json_text(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    json.push('"');
    for sign in text.chars() {
        match sign {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            '\r' => json.push_str("\\r"),
            '\t' => json.push_str("\\t"),
            '\u{8}' => json.push_str("\\b"),
            '\u{c}' => json.push_str("\\f"),
            ' '..='~' => json.push(sign),
            _ => {
                for unit in sign.encode_utf16(&mut [0; 2]) {
                    let _ = write!(json, "\\u{unit:04x}"); // writing to a String cannot fail
                }
            }
        }
    }
    json.push('"');
    json
}

/// Whether a name is such a digest.
pub fn is_digest(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// What a user would call what is at an address: its last component, else the server. None if that is nothing to type.
pub fn file_name(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next()?.trim_end_matches('/');
    let name = path.rsplit('/').next()?;
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'+' | b'%' | b'=');
    ((1..=LONGEST).contains(&name.len()) && name.bytes().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_the_one_that_python_computes() {
        assert_eq!(
            digest("http://dm.corpus.test/killed.bin"),
            "13c3208c0289d7f177ca1bdc17660db260111d692f3e54c739bec6b3e1e134b3"
        );
        assert_eq!(json_text("a\"\\\n\u{7f}é😀"), r#""a\"\\\n\u007f\u00e9\ud83d\ude00""#);
    }

    #[test]
    fn a_download_is_called_as_the_file_is() {
        assert_eq!(file_name("http://x.org/a/b.tar.gz?v=1#top"), Some("b.tar.gz"));
        assert_eq!(file_name("http://x.org/"), Some("x.org"));
        assert_eq!(file_name("http://x.org/a b"), None);
        assert_eq!(file_name(""), None);
    }
}
