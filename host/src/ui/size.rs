//! Sizes for people, in one system everywhere: decimal, as the hubs, disk makers and most download pages count.

const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];

/// `456 B`, `1.9 GB`, `120 MB`: two or three digits, rounded to the nearest.
pub fn size(bytes: u64) -> String {
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let bytes = u128::from(bytes);
    let mut unit = 1000u128;
    for name in UNITS {
        let tenths = (bytes * 10 + unit / 2) / unit;
        if tenths < 1000 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        let whole = (bytes + unit / 2) / unit;
        if whole < 1000 {
            return format!("{whole} {name}");
        }
        unit *= 1000;
    }
    // 64 bits end at 18 EB.
    unreachable!("{bytes} bytes are more than 64 bits can say")
}

/// A size with `≥` before it where it is only a lower bound, because something could not be read.
pub fn at_least(bytes: u64, lower_bound: bool) -> String {
    if lower_bound { format!("\u{2265} {}", size(bytes)) } else { size(bytes) }
}

/// `1 entry`, `2 entries`.
pub fn count(number: usize, one: &str, several: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_read_as_people_write_them() {
        let table = [
            (0, "0 B"),
            (456, "456 B"),
            (999, "999 B"),
            (1000, "1.0 kB"),
            (1_049, "1.0 kB"),
            (1_050, "1.1 kB"),
            (99_949, "99.9 kB"),
            (99_950, "100 kB"),
            (999_499, "999 kB"),
            (999_500, "1.0 MB"),
            (1_900_000_000, "1.9 GB"),
            (u64::MAX, "18.4 EB"),
        ];
        for (bytes, text) in table {
            assert_eq!(size(bytes), text);
        }
        assert_eq!(at_least(1_900_000_000, true), "≥ 1.9 GB");
        assert_eq!(at_least(0, false), "0 B");
    }

    proptest! {
        #[test]
        fn a_size_is_short_and_right_within_a_twentieth(bytes: u64) {
            let text = size(bytes);
            let (number, unit) = text.split_once(' ').unwrap();
            let power = ["B", "kB", "MB", "GB", "TB", "PB", "EB"].iter().position(|name| *name == unit).unwrap();
            let read = number.parse::<f64>().unwrap() * 1000f64.powi(i32::try_from(power).unwrap());
            prop_assert!((read - bytes as f64).abs() <= bytes as f64 / 20.0 + 1.0, "{} for {}", text, bytes);
            prop_assert!(text.len() <= 7);
        }
    }
}
