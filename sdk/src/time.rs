//! Times in the form that entries have them: RFC 3339, or a number of seconds or milliseconds since 1970. The host parses
//! them, and refuses a whole listing with anything else in it; so what another program wrote goes through [`lenient`].

/// The last millisecond that the host takes: its calendar ends with the year 9999.
const LAST: u64 = 253_402_207_200_000;

/// Seconds since 1970 as an entry's time, from the nanoseconds of a [`Node`](crate::Node); none before 1970.
///
/// ```
/// assert_eq!(dscc_sdk::time::from_nanoseconds(1_700_000_000_999_999_999).as_deref(), Some("1700000000"));
/// assert_eq!(dscc_sdk::time::from_nanoseconds(-1), None);
/// ```
pub fn from_nanoseconds(nanoseconds: i64) -> Option<String> {
    u64::try_from(nanoseconds).ok().map(|nanoseconds| (nanoseconds / 1_000_000_000).to_string())
}

/// A time as a library wrote it, if the host would take it; else none. Of a number the fraction is cut off.
///
/// ```
/// use dscc_sdk::{Entry, time};
///
/// assert_eq!(time::lenient("2024-03-01T12:00:00Z").as_deref(), Some("2024-03-01T12:00:00Z"));
/// assert_eq!(time::lenient("1709294400.25").as_deref(), Some("1709294400"));
/// assert_eq!(Entry::at("news", "corpus").last_used(time::lenient("yesterday")).last_used, None);
/// ```
pub fn lenient(text: &str) -> Option<String> {
    let text = text.trim();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    if !whole.is_empty() && whole.bytes().all(|byte| byte.is_ascii_digit()) {
        let fraction = text.get(whole.len() + 1..).unwrap_or_default();
        let number: u64 = whole.parse().ok().filter(|_| fraction.bytes().all(|byte| byte.is_ascii_digit()))?;
        return (number <= LAST).then(|| number.to_string());
    }
    is_date_time(text).then(|| text.to_owned())
}

/// `2024-03-01T12:00:00`, with or without a fraction and a zone.
fn is_date_time(text: &str) -> bool {
    let number = |at: std::ops::Range<usize>| {
        let digits = text.get(at).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u32>().ok())
    };
    let sign = |at: usize| text.as_bytes().get(at).copied().unwrap_or_default();
    let (Some(year), Some(month), Some(day)) = (number(0..4), number(5..7), number(8..10)) else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(11..13), number(14..16), number(17..19)) else {
        return false;
    };
    let signs = [sign(4), sign(7), sign(13), sign(16)] == *b"--::" && matches!(sign(10), b'T' | b't' | b' ');
    let is_leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let date = (1..9999).contains(&year) && (1..=12).contains(&month) && (1..=days).contains(&day);
    signs && date && hour < 24 && minute < 60 && second < 60 && text.get(19..).is_some_and(is_rest)
}

/// What may follow the seconds.
fn is_rest(rest: &str) -> bool {
    let digits = rest.strip_prefix('.').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
    let zone = if digits == 0 { rest } else { rest.get(1 + digits..).unwrap_or_default() };
    let offset = |zone: &str| {
        let (hours, minutes) = zone.split_once(':')?;
        let two = |text: &str| text.parse::<u32>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
        Some(two(hours)? < 24 && two(minutes)? < 60)
    };
    let zoned = zone.strip_prefix(['+', '-']).is_some_and(|zone| offset(zone) == Some(true));
    digits <= 9 && (zoned || matches!(zone, "" | "Z" | "z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_takes_is_kept_as_it_is() {
        for text in [
            "2024-03-01T12:00:00Z",
            "2024-02-29t12:00:00.123456+01:00",
            "2024-03-01 12:00:00",
            "1709294400",
            "1709294400000",
            "0",
            "253402207200",
        ] {
            assert_eq!(lenient(text).as_deref(), Some(text));
        }
        assert_eq!(lenient(" 1709294400.999 ").as_deref(), Some("1709294400"));
    }

    #[test]
    fn what_the_host_would_refuse_is_none() {
        for text in [
            "",
            ".5",
            "-1",
            "1e9",
            "1.5e9",
            "yesterday",
            "2024-03-01",
            "2024-13-01T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2024-03-01T25:00:00",
            "2024-03-01T12:00:00+1:00",
            "2024-03-01T12:00:00+24:00",
            "2024-03-01T12:00:00.",
            "2024-03-01T12:00:00.1234567890Z",
            "2024-03-01T12:00:00Z and more",
            "+010000-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59",
            "253402207200001",
            "99999999999999999999999",
            "2024-03-0１T12:00:00Z",
        ] {
            assert_eq!(lenient(text), None, "{text}");
        }
    }
}
