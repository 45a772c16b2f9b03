//! Times as libraries write them. One lenient reader serves every plugin, so that none has to carry a date parser.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Parses RFC 3339, a date and time without a zone (this machine's local time), or a number of seconds or milliseconds
/// since 1970. None for anything else, and for what is beyond the year 9999.
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
        for text in
            ["", "yesterday", "2024-13-01T00:00:00Z", "99999999999999999999999", "-1", "1e9", "2024-03-01T25:00:00"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_no_calendar_holds_is_unknown_and_the_last_one_is_read() {
        assert_eq!(
            parse_timestamp("99999999999").map(|time| time.to_string()).as_deref(),
            Some("5138-11-16T09:46:39Z")
        );
        assert!(parse_timestamp("253402207200000").is_some() && parse_timestamp("9999-12-30T22:00:00Z").is_some());
        let max = i64::MAX.to_string();
        for text in
            ["253402207201000", &max, "+010000-01-01T00:00:00Z", "-010000-01-01T00:00:00", "10000-01-01T00:00:00"]
        {
            assert_eq!(parse_timestamp(text), None, "{text}");
        }
        // Whether the last hours of the last year are a time depends on the zone; that they are read or not is all.
        let _ = parse_timestamp("9999-12-31T23:59:59");
    }
}
