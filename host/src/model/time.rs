//! Times as libraries write them. One lenient reader serves every plugin, so that none has to carry a date parser.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Parses RFC 3339, a date and time without a zone (this machine's local time), or a number of seconds or milliseconds
/// since 1970. What it cannot parse is unknown.
pub fn parse_timestamp(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        // Seconds stay below this until the year 5138; milliseconds were above it from 1973 on.
        return if number < 100_000_000_000 {
            Timestamp::from_second(number).ok()
        } else {
            Timestamp::from_millisecond(number).ok()
        };
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    local.to_zoned(TimeZone::system()).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read_and_nonsense_is_unknown() {
        let expected: Timestamp = "2024-03-01T12:00:00Z".parse().unwrap();
        for text in ["2024-03-01T12:00:00Z", "2024-03-01T13:00:00+01:00", "1709294400", "1709294400000", " 1709294400 "]
        {
            assert_eq!(parse_timestamp(text), Some(expected), "{text}");
        }
        assert!(parse_timestamp("2024-03-01T12:00:00").is_some());
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "99999999999999999999999"] {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }
}
