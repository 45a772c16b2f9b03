//! The grammar of a location: `${VAR}/hub`, `~/.cache/x`, `{cache}/*`, `{temp}`, `/opt/x`. A text that is accepted here
//! can be evaluated in any environment.

use std::str::FromStr;

/// A location's text, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pub(super) parts: Vec<Part>,
}

/// One component of a location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// `/` at the start.
    Top,
    /// `~` at the start.
    Home,
    /// `{cache}` at the start.
    Cache,
    /// `{temp}` at the start.
    Temp,
    /// `${NAME}`
    Variable(String),
    /// A name.
    Name(String),
    /// A name with its one `*`.
    Star(String),
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// The first component gives no directory to start from.
    #[error("the location `{0}` has to start with `${{VARIABLE}}`, `~`, `{{cache}}`, `{{temp}}` or `/`")]
    Start(String),
    /// A component that is neither a name, nor a variable, nor a pattern.
    #[error(
        "the location `{location}` has the component `{component}`, which is neither a name nor a whole `${{VARIABLE}}`"
    )]
    Component {
        /// The whole text.
        location: String,
        /// The component.
        component: String,
    },
    /// More than one `*`.
    #[error("the location `{0}` has more than one `*`")]
    Stars(String),
}

impl FromStr for Template {
    type Err = LocationError;

    /// Takes a location's text apart.
    fn from_str(text: &str) -> Result<Self, LocationError> {
        let (first, rest) = match text.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        let start = match first {
            "" if rest.is_some() => Part::Top,
            "~" => Part::Home,
            "{cache}" => Part::Cache,
            "{temp}" => Part::Temp,
            other => variable(other).ok_or_else(|| LocationError::Start(text.to_owned()))?,
        };
        let mut parts = vec![start];
        for component in rest.into_iter().flat_map(|rest| rest.split('/')) {
            parts.push(part(component).ok_or_else(|| LocationError::Component {
                location: text.to_owned(),
                component: component.to_owned(),
            })?);
        }
        if text.matches('*').count() > 1 {
            return Err(LocationError::Stars(text.to_owned()));
        }
        Ok(Self { parts })
    }
}

impl Template {
    /// The variables that must be set for the location to apply.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| if let Part::Variable(name) = part { Some(name.as_str()) } else { None })
    }

    /// Whether a component is to be looked for on disk.
    pub fn has_star(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Star(_)))
    }
}

fn part(component: &str) -> Option<Part> {
    if let Some(variable) = variable(component) {
        return Some(variable);
    }
    if matches!(component, "" | "." | ".." | "~") || component.contains(['$', '{', '}', '\\', '\0', ':']) {
        return None;
    }
    Some(if component.contains('*') { Part::Star(component.to_owned()) } else { Part::Name(component.to_owned()) })
}

fn variable(component: &str) -> Option<Part> {
    let name = component.strip_prefix("${")?.strip_suffix('}')?;
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    (starts_well && plain).then(|| Part::Variable(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_that_could_mean_something_else_are_no_locations() {
        for bad in [
            "",
            "x",
            "x/y",
            "~user/x",
            "$HOME/x",
            "${}/x",
            "${A-B}/x",
            "${A}x/y",
            "~/a//b",
            "~/a/",
            "~/../x",
            "~/./x",
            "~/~",
            "~/$A",
            "~/a${A}",
            "~/{cache}",
            "{home}/x",
            "{cache}/*/*",
            "{cache}/*a*",
            "*/x",
            "~/a\\b",
            "~/C:",
            "${1A}/x",
        ] {
            assert!(bad.parse::<Template>().is_err(), "{bad:?} was taken");
        }
    }

    #[test]
    fn every_documented_form_is_a_location() {
        for good in
            ["${VAR}/hub", "${VAR}", "~", "~/.cache/x", "{cache}/*", "{temp}", "{temp}/a-*/b", "/opt/x", "~/x/${SUB}"]
        {
            assert!(good.parse::<Template>().is_ok(), "{good:?} was refused");
        }
        let template: Template = "${A}/x/${B}/y-*".parse().unwrap();
        assert_eq!(template.variables().collect::<Vec<_>>(), ["A", "B"]);
        assert!(template.has_star());
    }
}
