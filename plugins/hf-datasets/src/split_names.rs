//! The names of a build's splits in the order in which the library wrote them, and its users know them; a map in memory
//! would sort them.

use std::fmt::{self, Formatter};

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

/// The names in a record; none if it is not as it should be.
pub fn read(record: &[u8]) -> Vec<String> {
    serde_json::from_slice::<Names>(record).map(|names| names.splits.0).unwrap_or_default()
}

#[derive(serde::Deserialize)]
struct Names {
    splits: Keys,
}

/// The keys of a map, in the order of the file.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Collector)
    }
}

struct Collector;

impl<'de> Visitor<'de> for Collector {
    type Value = Keys;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("splits by their names")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
        let mut keys = vec![];
        while let Some((key, IgnoredAny)) = map.next_entry()? {
            keys.push(key);
        }
        Ok(Keys(keys))
    }
}
