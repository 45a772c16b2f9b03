//! All limits on a plugin in one table. Each has its own error, and a test with a component that runs into it. Those with
//! a name can be set for one plugin, and are approved with it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::SignedDuration;

/// What a plugin may use up in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time in the plugin's own code; the host's walking and reading on its behalf is not charged.
    pub guest_time: Duration,
    /// Time of the host's walking and reading on its behalf: far more than any real cache takes.
    pub host_time: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Memories of that size, tables, and instances within the component. Components of other languages have a few.
    pub memories: usize,
    /// See `memories`.
    pub tables: usize,
    /// See `memories`.
    pub instances: usize,
    /// Bytes of the machine stack.
    pub stack: usize,
    /// Bytes that one call may hand over in either direction.
    pub call_data: usize,
    /// Resources (directories, walkers) held at one time.
    pub handles: usize,
    /// Bytes of log and standard error kept; the rest is counted.
    pub log: usize,
    /// Entries in one level.
    pub entries: usize,
    /// Bytes of one text other than a path, such as an id or a label.
    pub text: usize,
    /// Bytes of a component.
    pub component: usize,
    /// What one entry owns, shares, needs and locks: each.
    pub references: usize,
    /// Index files in one answer, and records that it drops from all of them: each.
    pub records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_time: Duration::from_secs(5),
            host_time: Duration::from_secs(600),
            memory: 256 << 20,
            table_elements: 1 << 20,
            memories: 4,
            tables: 100,
            instances: 200,
            stack: 512 << 10,
            call_data: 128 << 20,
            handles: 1000,
            log: 64 << 10,
            entries: 1_000_000,
            text: 16 << 10,
            component: 128 << 20,
            references: 1_000_000,
            records: 1_000_000,
        }
    }
}

/// Limits that differ from the default, by name. Times are milliseconds.
pub type LimitSettings = BTreeMap<String, u64>;

/// A limit that can be set for one plugin.
pub struct Named {
    /// What `--limit NAME=VALUE` and the lock file call it.
    pub name: &'static str,
    unit: Unit,
    /// More than this is no limit any more.
    most: u64,
    get: fn(&Limits) -> u64,
    set: fn(&mut Limits, u64),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Bytes,
    Number,
}

/// A setting that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// No `=`.
    #[error("`{0}` is not of the form NAME=VALUE, as in `--limit memory=512MiB`")]
    Form(String),
    /// A name that is not in the table.
    #[error("there is no limit `{0}`; there are: {names}", names = NAMED.map(|it| it.name).join(", "))]
    Unknown(String),
    /// A value of another kind.
    #[error("`{value}` is no value for the limit `{name}`; write it as in `{name}={example}`")]
    Value {
        /// The limit.
        name: &'static str,
        /// What was given for it.
        value: String,
        /// How its values look.
        example: &'static str,
    },
    /// Zero, or beyond the most.
    #[error("the limit `{name}` must be more than 0 and at most {most}")]
    Range {
        /// The limit.
        name: &'static str,
        /// As text.
        most: String,
    },
}

const SECOND: u64 = 1000;
const MIB: u64 = 1 << 20;

/// A row of the table: its name, its unit, the most it may be, and the field it stands for.
macro_rules! named {
    ($name:literal, Milliseconds, $most:expr, $field:ident) => {
        Named {
            name: $name,
            unit: Unit::Milliseconds,
            most: $most,
            get: |it| milliseconds(it.$field),
            set: |it, value| it.$field = Duration::from_millis(value),
        }
    };
    ($name:literal, $unit:ident, $most:expr, $field:ident) => {
        Named {
            name: $name,
            unit: Unit::$unit,
            most: $most,
            get: |it| it.$field as u64,
            set: |it, value| it.$field = as_size(value),
        }
    };
}

/// The limits with a name.
pub const NAMED: [Named; 11] = [
    named!("time", Milliseconds, 600 * SECOND, guest_time),
    named!("host-time", Milliseconds, 3600 * SECOND, host_time),
    named!("memory", Bytes, 4096 * MIB, memory),
    named!("table-elements", Number, 100 << 20, table_elements),
    named!("call-data", Bytes, 4096 * MIB, call_data),
    named!("handles", Number, 1 << 20, handles),
    named!("log", Bytes, 64 * MIB, log),
    named!("entries", Number, 100_000_000, entries),
    named!("text", Bytes, MIB, text),
    named!("references", Number, 100_000_000, references),
    named!("records", Number, 100_000_000, records),
];

impl Limits {
    /// These limits with some of them set otherwise. Names and values are checked by [`check_settings`].
    #[must_use]
    pub fn with(mut self, settings: &LimitSettings) -> Self {
        for named in &NAMED {
            if let Some(&value) = settings.get(named.name) {
                (named.set)(&mut self, value);
            }
        }
        self
    }
}

impl Named {
    /// Its value in a table of limits.
    pub fn of(&self, limits: &Limits) -> u64 {
        (self.get)(limits)
    }

    /// A value as people write it.
    pub fn shown(&self, value: u64) -> String {
        match self.unit {
            Unit::Milliseconds if value.is_multiple_of(SECOND) => format!("{} s", value / SECOND),
            Unit::Milliseconds => format!("{value} ms"),
            Unit::Bytes => ByteSize::b(value).display().iec().to_string(),
            Unit::Number => value.to_string(),
        }
    }

    fn parse(&self, text: &str) -> Result<u64, LimitError> {
        let value = match self.unit {
            Unit::Milliseconds => text.parse::<SignedDuration>().ok().and_then(|it| it.as_millis().try_into().ok()),
            Unit::Bytes => text.parse::<ByteSize>().ok().map(|it| it.as_u64()),
            Unit::Number => text.parse().ok(),
        };
        value.ok_or_else(|| LimitError::Value { name: self.name, value: text.to_owned(), example: self.example() })
    }

    fn example(&self) -> &'static str {
        match self.unit {
            Unit::Milliseconds => "10s",
            Unit::Bytes => "512MiB",
            Unit::Number => "1000000",
        }
    }

    fn check(&self, value: u64) -> Result<(), LimitError> {
        let good = (1..=self.most).contains(&value);
        if good { Ok(()) } else { Err(LimitError::Range { name: self.name, most: self.shown(self.most) }) }
    }
}

/// The limit of that name.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<&'static Named, LimitError> {
    NAMED.iter().find(|it| it.name == name).ok_or_else(|| LimitError::Unknown(name.to_owned()))
}

/// Reads `NAME=VALUE`.
///
/// # Errors
/// When the name or the value is none.
pub fn parse_setting(text: &str) -> Result<(String, u64), LimitError> {
    let (name, value) = text.split_once('=').ok_or_else(|| LimitError::Form(text.to_owned()))?;
    let named = named(name)?;
    let value = named.parse(value)?;
    named.check(value)?;
    Ok((named.name.to_owned(), value))
}

/// Makes sure that settings from elsewhere are such as [`parse_setting`] gives.
///
/// # Errors
/// For the first that is not.
pub fn check_settings(settings: &LimitSettings) -> Result<(), LimitError> {
    settings.iter().try_for_each(|(name, value)| named(name)?.check(*value))
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn as_size(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_with_their_units_and_kept_in_range() {
        for (text, value) in [("time=10s", 10_000), ("time=300ms", 300), ("memory=512MiB", 512 << 20), ("entries=7", 7)]
        {
            let (name, read) = parse_setting(text).unwrap();
            assert_eq!(read, value, "{text}");
            let settings = LimitSettings::from([(name.clone(), read)]);
            assert_eq!(check_settings(&settings), Ok(()));
            assert_eq!(named(&name).unwrap().of(&Limits::default().with(&settings)), value);
        }
        for text in
            ["", "time", "time=", "time=10", "time=-5s", "time=0s", "time=1h", "stack=1", "memory=x", "memory=5GiB"]
        {
            assert!(parse_setting(text).is_err(), "{text} was taken");
        }
    }

    #[test]
    fn the_defaults_are_settings_themselves() {
        for named in &NAMED {
            let value = named.of(&Limits::default());
            assert_eq!(named.check(value), Ok(()), "{}", named.name);
            assert_eq!(
                Limits::default().with(&LimitSettings::from([(named.name.to_owned(), value)])),
                Limits::default()
            );
        }
    }

    #[test]
    fn a_setting_from_a_file_is_checked_like_one_from_the_command_line() {
        for (name, value) in [("memory", u64::MAX), ("time", 0), ("stack", 1), ("", 1)] {
            assert!(check_settings(&LimitSettings::from([(name.to_owned(), value)])).is_err(), "{name}");
        }
    }
}
