//! What a plugin may do, in a few lines for a person who is about to decide, and as JSON.

use serde::Serialize;

use crate::model::{RootRule, escape_text};
use crate::plugins::{Facts, Request};
use crate::roots::{Candidate, Environment, Outcome, resolve};
use crate::runtime::{LimitSettings, Limits, NAMED, is_inert};
use crate::ui::size;

/// A kind of directory that a plugin may read, and what that is on this machine.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Root {
    rule: String,
    /// In order of precedence.
    locations: Vec<String>,
    /// What such a directory has to show.
    marks: Vec<String>,
    /// The files from which lines may be dropped.
    indexes: Vec<String>,
    here: Vec<Here>,
}

/// A directory of this machine.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Here {
    path: String,
    origin: String,
    outcome: &'static str,
    message: Option<String>,
}

/// An interface that a plugin calls.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Import {
    pub(super) name: String,
    /// Linked, and empty: no file, no variable, no clock, no network behind it.
    pub(super) inert: bool,
}

/// A limit and its value.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Limit {
    name: &'static str,
    value: u64,
    default: u64,
}

pub(super) fn roots(facts: &Facts, environment: &Environment) -> Vec<Root> {
    facts.manifest.roots.iter().map(|rule| root(rule, environment)).collect()
}

fn root(rule: &RootRule, environment: &Environment) -> Root {
    let texts = |patterns: &[crate::model::Pattern]| patterns.iter().map(|it| it.as_str().to_owned()).collect();
    Root {
        rule: rule.id.clone(),
        locations: rule.locations.iter().map(|location| location.path.clone()).collect(),
        marks: texts(&rule.marks),
        indexes: texts(&rule.indexes),
        here: resolve(rule, environment, &[]).iter().map(here).collect(),
    }
}

fn here(candidate: &Candidate) -> Here {
    Here {
        path: escape_text(candidate.path.as_os_str()),
        origin: candidate.origin.to_string(),
        outcome: candidate.code(),
        message: candidate.message(),
    }
}

/// The ids of the rules whose directory is there.
pub(super) fn caches_found(facts: &Facts, environment: &Environment) -> Vec<String> {
    let found = |rule: &&RootRule| {
        let found = |it: &Candidate| matches!(it.outcome, Outcome::Found { .. });
        resolve(rule, environment, &[]).iter().any(found)
    };
    facts.manifest.roots.iter().filter(found).map(|rule| rule.id.clone()).collect()
}

pub(super) fn imports(facts: &Facts) -> Vec<Import> {
    facts.imports.iter().map(|name| Import { name: name.clone(), inert: is_inert(name) }).collect()
}

pub(super) fn limits(settings: &LimitSettings) -> Vec<Limit> {
    let (defaults, set) = (Limits::default(), Limits::default().with(settings));
    NAMED.iter().map(|it| Limit { name: it.name, value: it.of(&set), default: it.of(&defaults) }).collect()
}

/// What the component is and what it may touch, as label and text.
pub(super) fn lines(facts: &Facts, request: &Request, environment: &Environment) -> Vec<(&'static str, String)> {
    let mut lines = vec![("digest", format!("{} ({}, interface {})", facts.digest, size(facts.size), facts.interface))];
    if facts.manifest.roots.is_empty() {
        lines.push(("reads", "nothing".into()));
    }
    for root in roots(facts, environment) {
        lines.extend(root_lines(&root));
    }
    lines.push(("calls", calls(facts)));
    let raised = limit_texts(&request.limits);
    if !raised.is_empty() {
        lines.push(("limits", raised.join(", ")));
    }
    if !request.overrides.is_empty() {
        let names: Vec<&str> = request.overrides.iter().map(String::as_str).collect();
        lines.push(("replaces", format!("the built-in {}, which will not run", names.join(", "))));
    }
    lines
}

/// The limits that are not the default.
fn limit_texts(settings: &LimitSettings) -> Vec<String> {
    let other = limits(settings).into_iter().zip(&NAMED).filter(|(limit, _)| limit.value != limit.default);
    other
        .map(|(it, named)| format!("{} {} (not {})", it.name, named.shown(it.value), named.shown(it.default)))
        .collect()
}

fn root_lines(root: &Root) -> Vec<(&'static str, String)> {
    let mut lines = vec![("reads", format!("{}: {}", root.rule, root.locations.join(", else ")))];
    for here in &root.here {
        let text = match (&here.message, here.outcome) {
            (None, _) => format!("here {}", here.path),
            (Some(_), "root-absent") => format!("here {}, which does not exist", here.path),
            (Some(message), _) => message.clone(),
        };
        lines.push(("", text));
    }
    if root.here.is_empty() {
        lines.push(("", "nothing here: none of the variables is set".into()));
    }
    if !root.indexes.is_empty() {
        lines.push(("drops", format!("lines of {}", root.indexes.join(", "))));
    }
    lines
}

fn calls(facts: &Facts) -> String {
    let nothing = "dscc's own functions only: no network, no program, no other file, no writing";
    if facts.imports.iter().any(|name| is_inert(name)) {
        format!("{nothing} (WASI is there and empty)")
    } else {
        nothing.to_owned()
    }
}
