//! Checks that texts and lists from outside pass, wherever they come from. Each says what breaks the rule, in the form
//! that a plugin's author reads.

use hashbrown::HashSet;

/// The result of a check: nothing, or the rule that is broken.
pub(crate) type Checked<T = ()> = Result<T, String>;

/// Longest key of a pair, in bytes.
const MAX_KEY: usize = 256;

/// A text has at most so many bytes.
pub(crate) fn bounded(what: &str, text: &str, limit: usize) -> Checked {
    if text.len() <= limit { Ok(()) } else { Err(format!("{what} has {} bytes; the limit is {limit}", text.len())) }
}

/// A list has at most so many items.
pub(crate) fn at_most(what: &str, found: usize, limit: usize) -> Checked {
    if found <= limit { Ok(()) } else { Err(format!("{found} {what}; the limit is {limit}")) }
}

/// A word that the command line takes: it cannot be mistaken for an option, a path or a pair.
pub(crate) fn slug(what: &str, text: &str) -> Checked {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    let good = (1..=64).contains(&text.len()) && text.bytes().all(fits) && text.as_bytes()[0].is_ascii_lowercase();
    if good {
        return Ok(());
    }
    let shown: String = text.chars().take(64).collect();
    Err(format!(
        "{what} is `{shown}`; it must start with a lower-case letter and have letters, digits, `-` and `_` only"
    ))
}

/// No text appears twice.
pub(crate) fn unique<'a>(what: &str, items: impl Iterator<Item = &'a str>) -> Checked {
    let mut seen = HashSet::new();
    for item in items {
        if !seen.insert(item) {
            return Err(format!("{what} `{item}` appears twice"));
        }
    }
    Ok(())
}

/// Pairs of a short key, which is not reserved, and a text.
pub(crate) fn pairs(what: &str, pairs: &[(String, String)], most: usize, text_limit: usize) -> Checked {
    at_most(what, pairs.len(), most)?;
    for (key, value) in pairs {
        if key.len() > MAX_KEY || value.len() > text_limit {
            return Err(format!(
                "one of the {what} is longer than {MAX_KEY} bytes (key) or {text_limit} bytes (value)"
            ));
        }
        if key.starts_with("dscc.") {
            return Err(format!("the key `{key}` of the {what} is reserved"));
        }
    }
    Ok(())
}
