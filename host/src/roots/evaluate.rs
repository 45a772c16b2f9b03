//! A location in an environment: its variables' values, expanded as the library expands them, joined as paths.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::environment::{Environment, from_bytes};
use super::location::{Part, Template};
use crate::model::Expansion;

/// A location that applies.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Evaluated {
    /// The location's variables with their values as they are set.
    pub variables: Vec<(String, OsString)>,
    /// The path as the library would write it, up to the component with the `*`.
    pub base: PathBuf,
    /// The component with the `*`, and what comes after it.
    pub star: Option<(String, PathBuf)>,
    /// `~` or `{cache}` is meant, and the home directory is unknown.
    pub homeless: bool,
}

/// The path that a location gives; none if one of its variables is not set.
pub(super) fn evaluate(template: &Template, expand: Expansion, environment: &Environment) -> Option<Evaluated> {
    let mut out = Evaluated { variables: Vec::new(), base: PathBuf::new(), star: None, homeless: false };
    for part in &template.parts {
        let component = match part {
            Part::Top => Path::new("/").to_owned(),
            Part::Home => environment.home().map(Path::to_owned).unwrap_or_default(),
            Part::Cache => environment.cache.clone(),
            Part::Temp => environment.temp.clone(),
            Part::Name(name) => PathBuf::from(name),
            Part::Star(pattern) => {
                out.star = Some((pattern.clone(), PathBuf::new()));
                continue;
            }
            Part::Variable(name) => {
                let value = environment.variable(name).filter(|value| expand.empty || !value.is_empty())?;
                out.variables.push((name.clone(), value.to_owned()));
                PathBuf::from(expanded(value, expand, environment))
            }
        };
        out.homeless |= matches!(part, Part::Home | Part::Cache) && component.as_os_str().is_empty();
        out.star.as_mut().map_or(&mut out.base, |(_, rest)| rest).push(component);
    }
    Some(out)
}

/// `~` first, then variables, each once: the order of Python's `expandvars(expanduser(value))`.
fn expanded(value: &OsStr, expand: Expansion, environment: &Environment) -> OsString {
    let mut value = value.to_owned();
    if expand.home {
        value = expand_home(&value, environment).unwrap_or(value);
    }
    if expand.variables {
        value = expand_variables(&value, environment).unwrap_or(value);
    }
    value
}

/// `~`, `~/x` and, where there is an account table, `~user/x`. None: stays as it is written.
fn expand_home(value: &OsStr, environment: &Environment) -> Option<OsString> {
    let rest = value.as_encoded_bytes().strip_prefix(b"~")?;
    let is_separator = |byte: &u8| *byte == b'/' || cfg!(windows) && *byte == b'\\';
    let end = rest.iter().position(is_separator).unwrap_or(rest.len());
    let (user, tail) = rest.split_at(end);
    let home = if user.is_empty() { environment.home()?.to_owned() } else { environment.home_of(user)? };
    let home = home.into_os_string().into_encoded_bytes();
    let home = home.strip_suffix(b"/").unwrap_or(&home);
    from_bytes([home, tail].concat()).map(|path| if path.is_empty() { "/".into() } else { path })
}

/// `$NAME` and `${NAME}`; what is unknown stays as it is written, and what was put in is not looked at again.
fn expand_variables(value: &OsStr, environment: &Environment) -> Option<OsString> {
    let mut rest = value.as_encoded_bytes();
    let mut out = Vec::with_capacity(rest.len());
    while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let (name, length) = name_after_dollar(rest);
        let known = std::str::from_utf8(name).ok().and_then(|name| environment.variable(name));
        match known {
            Some(value) if !name.is_empty() => out.extend_from_slice(value.as_encoded_bytes()),
            _ => out.extend_from_slice(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out.extend_from_slice(rest);
    from_bytes(out)
}

/// The name that starts with the `$` in front of `text`, and how many bytes it takes; empty if there is none.
fn name_after_dollar(text: &[u8]) -> (&[u8], usize) {
    let after = &text[1..];
    if after.first() == Some(&b'{') {
        return match after.iter().position(|byte| *byte == b'}') {
            Some(close) => (&after[1..close], close + 2),
            None => (&[], 1),
        };
    }
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = after.iter().position(|byte| !is_word(byte)).unwrap_or(after.len());
    (&after[..end], end + 1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn environment() -> Environment {
        let variables = [("HOME", "/home/user"), ("SUB", "s"), ("EMPTY", ""), ("DOLLAR", "$SUB")];
        Environment {
            variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            home: Some("/home/user".into()),
            ..Environment::default()
        }
    }

    #[test]
    fn values_expand_as_python_expands_them() {
        let table = [
            ("~", "/home/user"),
            ("~/x", "/home/user/x"),
            ("~nobody-of-that-name/x", "~nobody-of-that-name/x"),
            ("x/~", "x/~"),
            ("$HOME/x", "/home/user/x"),
            ("${HOME}/x$SUB", "/home/user/xs"),
            ("~/${SUB}/$SUB", "/home/user/s/s"),
            ("$UNKNOWN/${UNKNOWN}/$", "$UNKNOWN/${UNKNOWN}/$"),
            ("${HOME/x", "${HOME/x"),
            ("${}/$-", "${}/$-"),
            ("$EMPTY/x", "/x"),
            ("$DOLLAR", "$SUB"),
            ("$SUBx", "$SUBx"),
        ];
        let expand = Expansion { home: true, variables: true, empty: true };
        for (value, expected) in table {
            assert_eq!(expanded(value.as_ref(), expand, &environment()), OsString::from(expected), "{value}");
        }
    }

    #[test]
    fn what_the_library_does_not_expand_stays() {
        let home_only = Expansion { home: true, ..Expansion::default() };
        assert_eq!(expanded("~/$SUB".as_ref(), home_only, &environment()), "/home/user/$SUB");
        assert_eq!(expanded("~/$SUB".as_ref(), Expansion::default(), &environment()), "~/$SUB");
    }

    #[test]
    fn an_account_of_the_machine_is_found_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let accounts = folder.path().join("passwd");
        std::fs::write(&accounts, "root:x:0:0:root:/root:/bin/sh\nbroken\nann:x:7:7::/people/ann:/bin/sh\n").unwrap();
        let environment = Environment { accounts, ..environment() };
        let home = Expansion { home: true, ..Expansion::default() };
        assert_eq!(expanded("~ann/hub".as_ref(), home, &environment), "/people/ann/hub");
        assert_eq!(expanded("~broken/hub".as_ref(), home, &environment), "~broken/hub");
    }

    #[test]
    fn bytes_that_are_no_text_survive_expansion() {
        use std::os::unix::ffi::OsStrExt;
        let expand = Expansion { home: true, variables: true, empty: false };
        let value = expanded(OsStr::from_bytes(b"~/\xff/$SUB"), expand, &environment());
        assert_eq!(value.as_bytes(), b"/home/user/\xff/s");
    }
}
