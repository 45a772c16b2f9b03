//! Times in the form that entries have them: the host parses RFC 3339 and numbers, and refuses anything else.

/// Seconds since 1970 as an entry's time, from the nanoseconds of a [`Node`](crate::Node); none before 1970.
///
/// ```
/// assert_eq!(dscc_sdk::time::from_nanoseconds(1_700_000_000_999_999_999).as_deref(), Some("1700000000"));
/// assert_eq!(dscc_sdk::time::from_nanoseconds(-1), None);
/// ```
pub fn from_nanoseconds(nanoseconds: i64) -> Option<String> {
    u64::try_from(nanoseconds).ok().map(|nanoseconds| (nanoseconds / 1_000_000_000).to_string())
}
