//! The digests that such files are named by, and whether a record is that of its file.

use sha2::{Digest as _, Sha256};

use crate::UrlFile;

/// The SHA-256 of a text in lower-case hex digits.
pub fn digest(text: &str) -> String {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(text.as_bytes()) {
        hex.extend([byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    }
    hex
}

impl UrlFile {
    /// The digest of the server's tag in the name, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.name.split('.').nth(1).filter(|part| part.len() == 64)
    }

    /// Whether the file is named by what the record says.
    pub(crate) fn is_named_by_record(&self) -> bool {
        let tag = self.etag.as_deref().filter(|etag| !etag.is_empty()).map(digest);
        self.url.as_deref().is_some_and(|url| digest(url) == self.key()) && tag.as_deref() == self.tag()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://huggingface.co/bert-base-uncased/resolve/main/config.json";
    const KEY: &str = "3c61d016573b14f7f008c02c4e51a366c67ab274726fe2910691e2a761acf43e";

    fn file(name: &str, url: &str, etag: Option<&str>) -> UrlFile {
        let (url, etag) = (Some(url.to_owned()), etag.map(str::to_owned));
        UrlFile { name: name.to_owned(), url, etag, ..UrlFile::default() }
    }

    #[test]
    fn a_record_fits_the_name_that_the_library_makes_of_it() {
        let etag = "\"fc4ec9323262a690c77580018b150014e0e79cf0\"";
        let tag = "3552da3040b3241d8efbffb99ff254af82ecbf7a01fc754ae967293a546ace9f";
        assert_eq!((digest(URL).as_str(), digest(etag).as_str()), (KEY, tag));
        let name = format!("{KEY}.{tag}");
        assert!(file(&name, URL, Some(etag)).is_named_by_record());
        assert!(file(&format!("{name}.h5"), URL, Some(etag)).is_named_by_record());
        assert!(file(KEY, URL, None).is_named_by_record() && file(KEY, URL, Some("")).is_named_by_record());
        assert!(!file(&name, &URL[1..], Some(etag)).is_named_by_record());
        assert!(!file(&name, URL, Some(etag.trim_matches('"'))).is_named_by_record());
        assert!(!file(KEY, URL, Some(etag)).is_named_by_record());
        assert!(!UrlFile { name, ..UrlFile::default() }.is_named_by_record());
    }

    #[test]
    fn a_suffix_is_no_tag() {
        assert_eq!(file(&format!("{KEY}.h5"), URL, None).tag(), None);
        assert_eq!(file(&format!("{KEY}.{KEY}.h5"), URL, None).tag(), Some(KEY));
    }
}
