//! What a plugin may do, in a few lines for a person who is about to decide, and as JSON.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{RootRule, escape_text};
use crate::plugins::{Catalog, Facts, Request};
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
    /// How it lies to the directories of other plugins.
    note: Option<String>,
}

/// The directories of the other plugins.
pub(super) struct Neighbours(Vec<(PathBuf, String)>);

impl Neighbours {
    /// Those of all plugins but the one with these facts.
    pub(super) fn of(facts: &Facts, catalog: &Catalog, environment: &Environment) -> Self {
        let others = catalog.plugins.iter().filter(|it| it.facts.words().is_disjoint(&facts.words()));
        let rules = others.flat_map(|it| it.facts.manifest.roots.iter().map(move |rule| (it, rule)));
        let found = rules.flat_map(|(it, rule)| {
            let whose = format!("{} ({})", rule.id, it.name());
            resolve(rule, environment, &[])
                .into_iter()
                .filter_map(move |it| Some((found(&it)?.to_owned(), whose.clone())))
        });
        Self(found.collect())
    }

    fn note(&self, path: &Path) -> Option<String> {
        self.0.iter().find_map(|(other, whose)| {
            if other == path {
                Some(format!("which is the folder of {whose}, too: what that claims stays its own"))
            } else if path.starts_with(other) {
                Some(format!("which lies in the folder of {whose}, and will not be counted there"))
            } else if other.starts_with(path) {
                Some(format!("in which {whose} has its folder: that is left out"))
            } else {
                None
            }
        })
    }
}

fn found(candidate: &Candidate) -> Option<&Path> {
    if let Outcome::Found { resolved } = &candidate.outcome { Some(resolved) } else { None }
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

pub(super) fn roots(facts: &Facts, catalog: &Catalog, environment: &Environment) -> Vec<Root> {
    let neighbours = Neighbours::of(facts, catalog, environment);
    facts.manifest.roots.iter().map(|rule| root(rule, environment, &neighbours)).collect()
}

fn root(rule: &RootRule, environment: &Environment, neighbours: &Neighbours) -> Root {
    let texts = |patterns: &[crate::model::Pattern]| patterns.iter().map(|it| it.as_str().to_owned()).collect();
    Root {
        rule: rule.id.clone(),
        locations: rule.locations.iter().map(|location| location.path.clone()).collect(),
        marks: texts(&rule.marks),
        indexes: texts(&rule.indexes),
        here: resolve(rule, environment, &[]).iter().map(|candidate| here(candidate, neighbours)).collect(),
    }
}

fn here(candidate: &Candidate, neighbours: &Neighbours) -> Here {
    Here {
        path: escape_text(candidate.path.as_os_str()),
        origin: candidate.origin.to_string(),
        outcome: candidate.code(),
        message: candidate.message(),
        note: found(candidate).and_then(|path| neighbours.note(path)),
    }
}

/// The ids of the rules whose directory is there.
pub(super) fn caches_found(facts: &Facts, environment: &Environment) -> Vec<String> {
    let is_found = |rule: &&RootRule| resolve(rule, environment, &[]).iter().any(|it| found(it).is_some());
    facts.manifest.roots.iter().filter(is_found).map(|rule| rule.id.clone()).collect()
}

pub(super) fn imports(facts: &Facts) -> Vec<Import> {
    facts.imports.iter().map(|name| Import { name: name.clone(), inert: is_inert(name) }).collect()
}

pub(super) fn limits(settings: &LimitSettings) -> Vec<Limit> {
    let (defaults, set) = (Limits::default(), Limits::default().with(settings));
    NAMED.iter().map(|it| Limit { name: it.name, value: it.of(&set), default: it.of(&defaults) }).collect()
}

/// What the component is and what it may touch, as label and text.
pub(super) fn lines(
    facts: &Facts,
    request: &Request,
    catalog: &Catalog,
    environment: &Environment,
) -> Vec<(&'static str, String)> {
    let mut lines = vec![("digest", format!("{} ({}, interface {})", facts.digest, size(facts.size), facts.interface))];
    if facts.manifest.roots.is_empty() {
        lines.push(("reads", "nothing".into()));
    }
    for root in roots(facts, catalog, environment) {
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
    lines.extend(here_lines(root).into_iter().map(|text| ("", text)));
    if !root.indexes.is_empty() {
        lines.push(("drops", format!("lines of {}", root.indexes.join(", "))));
    }
    lines
}

/// What rules that are new or not what they were come to on this machine.
pub(super) fn lines_of_changed_rules(
    facts: &Facts,
    before: &Facts,
    catalog: &Catalog,
    environment: &Environment,
) -> Vec<String> {
    let rules = facts.manifest.roots.iter().zip(roots(facts, catalog, environment));
    let changed = rules.filter(|(rule, _)| !before.manifest.roots.contains(rule));
    changed
        .flat_map(|(_, root)| here_lines(&root).into_iter().map(move |text| format!("{}: {text}", root.rule)))
        .collect()
}

/// What a rule comes to on this machine, a line for each directory.
fn here_lines(root: &Root) -> Vec<String> {
    let mut lines = Vec::new();
    for here in &root.here {
        let text = match (&here.message, here.outcome) {
            (None, _) if here.note.is_some() => {
                format!("here {}, {}", here.path, here.note.as_deref().unwrap_or_default())
            }
            (None, _) => format!("here {}", here.path),
            (Some(_), "root-absent") => format!("here {}, which does not exist", here.path),
            (Some(message), _) => message.clone(),
        };
        lines.push(text);
    }
    if root.here.is_empty() {
        lines.push("nothing here: none of the variables is set".into());
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
