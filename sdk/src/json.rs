//! Small JSON files, read leniently (feature `json`): what is absent or odd is [`Value::Null`], and indexing that gives
//! `Null` again. So a plugin asks for what it wants to know, and a file that is not as it should be costs that.

use crate::{Directory, FsError, Listing};

#[doc(no_inline)]
pub use serde_json::Value;

/// A time in a JSON file, whether as text or as a number of seconds or milliseconds; none if the host would refuse it.
///
/// ```
/// use dscc_sdk::json::{Value, time};
///
/// assert_eq!(time(&Value::from(1_709_294_400.25)).as_deref(), Some("1709294400"));
/// assert_eq!(time(&Value::from("2024-03-01T12:00:00Z")).as_deref(), Some("2024-03-01T12:00:00Z"));
/// assert_eq!(time(&Value::Null), None);
/// ```
pub fn time(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => crate::time::lenient(text),
        Value::Number(number) => crate::time::lenient(&number.to_string()),
        _ => None,
    }
}

impl dyn Directory + '_ {
    /// The content of one JSON file; `Null` if it is absent. One that is there and cannot be read, is longer than
    /// `limit` bytes or is no JSON is `Null` too, with a warning in the listing.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Entry, Listing, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().file("news/info.json", r#"{"language": "en"}"#).file("old/info.json", "{");
    /// let (root, mut listing) = (&root as &dyn Directory, Listing::default());
    ///
    /// let info = root.read_json("news/info.json", 65_536, &mut listing);
    /// let entry = Entry::at("news", "corpus").attribute("language", info["language"].as_str());
    /// assert_eq!(entry.attributes.len(), 1);
    ///
    /// assert!(root.read_json("none/info.json", 65_536, &mut listing)["language"].is_null());
    /// assert!(listing.warnings.is_empty());
    /// assert!(root.read_json("old/info.json", 65_536, &mut listing).is_null());
    /// assert_eq!(listing.warnings[0].path, "old/info.json");
    /// ```
    pub fn read_json(&self, file: &str, limit: u32, listing: &mut Listing) -> Value {
        self.read_jsons(&[file.to_owned()], limit, listing).pop().unwrap_or_default()
    }

    /// The same of many files in the order asked, which costs less than one by one.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Listing, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a.json", "1").file("b.json", "[2]");
    /// let read = root.read_jsons(&["a.json".into(), "b.json".into()], 64, &mut Listing::default());
    /// assert_eq!((read[0].as_u64(), read[1][0].as_u64()), (Some(1), Some(2)));
    /// ```
    pub fn read_jsons(&self, files: &[String], limit: u32, listing: &mut Listing) -> Vec<Value> {
        let contents = self.read(files, limit);
        let values = files.iter().zip(contents).map(|(file, content)| match content {
            Ok(content) => serde_json::from_slice(&content).unwrap_or_else(|error| {
                listing.warn(file, format!("it is no JSON: {error}"));
                Value::Null
            }),
            Err(FsError::NotFound) => Value::Null,
            Err(error) => {
                listing.warn(file, error.text());
                Value::Null
            }
        });
        values.collect()
    }
}
