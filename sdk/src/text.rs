//! Texts: ones that may be absent, and several as one.

/// A text, or an optional one: what a lenient reader of other programs' files has in its hands.
///
/// ```
/// use dscc_sdk::Text;
///
/// assert_eq!("en".text(), Some("en".to_owned()));
/// assert_eq!(None::<&str>.text(), None);
/// ```
pub trait Text {
    /// The text, if there is one.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Text::text(Some("en")).as_deref(), Some("en"));
    /// ```
    fn text(self) -> Option<String>;
}

impl Text for String {
    fn text(self) -> Option<String> {
        Some(self)
    }
}

impl Text for &String {
    fn text(self) -> Option<String> {
        Some(self.clone())
    }
}

impl Text for &str {
    fn text(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl<T: Text> Text for Option<T> {
    fn text(self) -> Option<String> {
        self.and_then(Text::text)
    }
}

/// All of them in a row; a fraction of the code that `concat` and `format!` become.
#[inline(never)]
pub fn joined(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}
