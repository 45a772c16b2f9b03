//! Times: as ages for people, as RFC 3339 in UTC for programs.

use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How long ago, in the largest unit that fits: `just now`, `5 minutes ago`, `3 days ago`, `2 years ago`. Clocks differ
/// by a little, so less than a minute ahead is now; more is `in the future`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second());
    if seconds <= -MINUTE {
        return "in the future".to_owned();
    }
    let (count, unit) = match seconds {
        ..MINUTE => return "just now".to_owned(),
        MINUTE..HOUR => (seconds / MINUTE, "minute"),
        HOUR..DAY => (seconds / HOUR, "hour"),
        DAY.. => match seconds / DAY {
            days @ ..14 => (days, "day"),
            days @ 14..61 => (days / 7, "week"),
            days @ 61..731 => (days * 100 / 3044, "month"),
            days => (days * 100 / 36525, "year"),
        },
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural} ago")
}

/// A time to the minute, as the clock on the wall shows it.
pub fn local(time: Timestamp) -> String {
    time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M").to_string()
}

/// A time from nanoseconds since 1970, as file systems give it.
pub fn timestamp(nanoseconds: i64) -> Timestamp {
    // 64 bits of nanoseconds reach from 1677 to 2262, well within the range.
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `2024-03-01T12:00:00Z`, with as many digits after the second as are needed.
pub fn rfc3339(time: Timestamp) -> String {
    time.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ages_are_in_the_largest_unit_that_fits() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let table = [
            (-DAY, "in the future"),
            (-60, "in the future"),
            (-59, "just now"),
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (HOUR - 1, "59 minutes ago"),
            (HOUR, "1 hour ago"),
            (DAY, "1 day ago"),
            (3 * DAY, "3 days ago"),
            (14 * DAY, "2 weeks ago"),
            (61 * DAY, "2 months ago"),
            (729 * DAY, "23 months ago"),
            (730 * DAY, "23 months ago"),
            (731 * DAY, "2 years ago"),
        ];
        for (seconds, text) in table {
            let then = Timestamp::from_second(now.as_second() - seconds).unwrap();
            assert_eq!(age(then, now), text, "{seconds} s");
        }
        assert_eq!(age(Timestamp::MAX, Timestamp::MIN), "in the future");
    }

    #[test]
    fn times_for_programs_are_rfc_3339_in_utc() {
        assert_eq!(rfc3339(timestamp(1_709_294_400_000_000_000)), "2024-03-01T12:00:00Z");
        assert_eq!(rfc3339(timestamp(1_500_000_000)), "1970-01-01T00:00:01.5Z");
    }

    proptest! {
        #[test]
        fn every_time_of_a_file_system_is_kept(nanoseconds: i64) {
            prop_assert_eq!(timestamp(nanoseconds).as_nanosecond(), i128::from(nanoseconds));
            prop_assert_eq!(rfc3339(timestamp(nanoseconds)).parse::<Timestamp>().unwrap(), timestamp(nanoseconds));
        }
    }
}
