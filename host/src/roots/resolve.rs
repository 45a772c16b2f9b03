//! A rule's candidates, in order: the first location that applies or the folders that the user named, each judged.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use super::evaluate::{Evaluated, evaluate};
use super::look::{Identity, Look, Marks, look, look_for};
use super::overrides::with_home;
use super::protected::{Protected, looks_like_home};
use super::{Candidate, Environment, LocationError, Origin, Outcome, Refusal, Template};
use crate::model::{Location, Pattern, RootRule, escape_name};

/// How a place came to be looked at, which decides what it has to show.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// A location named it.
    Rule,
    /// A `*` came upon it: it is a root only if it shows a mark.
    Star,
    /// The user named it, which is good enough for a mount point.
    Named,
}

/// The places that a rule gives in this environment, or those that the user named instead. The first location that
/// applies is taken whether or not it exists, and nothing is tried in its place. None if no location applies. A
/// directory that is reached in two ways is given once.
pub fn resolve(rule: &RootRule, environment: &Environment, overrides: &[PathBuf]) -> Vec<Candidate> {
    let mut resolver = Resolver {
        rule,
        environment,
        as_written: Protected::as_written(environment),
        on_disk: None,
        seen: HashSet::new(),
        candidates: Vec::new(),
    };
    if overrides.is_empty() {
        match first_that_applies(rule, environment) {
            Some((location, Ok(evaluated))) => resolver.add_location(location, evaluated),
            Some((location, Err(error))) => {
                let origin = Origin::Location { text: location.path.clone(), variables: Vec::new() };
                resolver.push(PathBuf::new(), origin, Outcome::Refused(error.into()));
            }
            None => {}
        }
    }
    for path in overrides {
        resolver.add(with_home(path, environment.home()), Origin::Named, How::Named);
    }
    resolver.candidates
}

fn first_that_applies<'a>(
    rule: &'a RootRule,
    environment: &Environment,
) -> Option<(&'a Location, Result<Evaluated, LocationError>)> {
    rule.locations.iter().find_map(|location| {
        let evaluated = match location.path.parse::<Template>() {
            Ok(template) => Ok(evaluate(&template, location.expand, environment)?),
            Err(error) => Err(error),
        };
        Some((location, evaluated))
    })
}

struct Resolver<'a> {
    rule: &'a RootRule,
    environment: &'a Environment,
    as_written: Protected,
    on_disk: Option<Protected>,
    seen: HashSet<Identity>,
    candidates: Vec<Candidate>,
}

impl Resolver<'_> {
    fn push(&mut self, path: PathBuf, origin: Origin, outcome: Outcome) {
        if !self.candidates.iter().any(|known| known.path == path) {
            self.candidates.push(Candidate { rule: self.rule.id.clone(), path, origin, outcome });
        }
    }

    fn add_location(&mut self, location: &Location, evaluated: Evaluated) {
        let Evaluated { variables, base, star, homeless } = evaluated;
        let origin = Origin::Location { text: location.path.clone(), variables };
        if homeless {
            return self.push(base, origin, Outcome::Refused(Refusal::NoHome));
        }
        match star {
            Some((pattern, rest)) if base.is_absolute() => self.add_matches(&base, &pattern, &rest, origin),
            _ => self.add(base, origin, How::Rule),
        }
    }

    /// What a `*` stands for on disk. What is no root there goes without a word; if all of it, the pattern is absent.
    fn add_matches(&mut self, base: &Path, pattern: &str, rest: &Path, origin: Origin) {
        let before = self.candidates.len();
        let place =
            |name: &Path| if rest.as_os_str().is_empty() { base.join(name) } else { base.join(name).join(rest) };
        let names = match matching_names(base, pattern) {
            Ok(names) => names,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return self.push(place(Path::new(pattern)), origin, Outcome::Unreadable(error.kind())),
        };
        for name in names {
            self.add(place(&name), origin.clone(), How::Star);
        }
        if self.candidates.len() == before {
            self.push(place(Path::new(pattern)), origin, Outcome::Absent);
        }
    }

    fn add(&mut self, path: PathBuf, origin: Origin, how: How) {
        let (outcome, identity) = self.judge(&path, how);
        let no_root = match &outcome {
            Outcome::Absent | Outcome::Unmarked { .. } => true,
            // Whether it would have shown a mark does not matter for what can be none, and for what nobody named.
            Outcome::Refused(Refusal::NotDirectory | Refusal::Own(_) | Refusal::Private(_)) => true,
            Outcome::Refused(_) => look_for(&self.rule.marks, &path) != Marks::Shown,
            Outcome::Found { .. } | Outcome::Unreadable(_) => false,
        };
        if how == How::Star && no_root || identity.is_some_and(|identity| !self.seen.insert(identity)) {
            return;
        }
        self.push(path, origin, outcome);
    }

    fn judge(&mut self, path: &Path, how: How) -> (Outcome, Option<Identity>) {
        if path.as_os_str().is_empty() {
            return (Outcome::Refused(Refusal::Empty), None);
        }
        if !path.is_absolute() {
            return (Outcome::Refused(Refusal::Relative), None);
        }
        if let Some(refusal) = self.as_written.refuse(path) {
            return (Outcome::Refused(refusal), None);
        }
        let Look { resolved, identity, mount_point } = match look(path) {
            Ok(look) => look,
            Err(outcome) => return (outcome, None),
        };
        let environment = self.environment;
        let on_disk = self.on_disk.get_or_insert_with(|| Protected::on_disk(environment));
        if let Some(refusal) = on_disk.refuse(&resolved).or_else(|| looks_like_home(&resolved)) {
            return (Outcome::Refused(refusal), Some(identity));
        }
        (judge_marks(&self.rule.marks, resolved, mount_point, how), Some(identity))
    }
}

pub(super) fn judge_marks(marks: &[Pattern], resolved: PathBuf, mount_point: bool, how: How) -> Outcome {
    let unmarked = || Outcome::Unmarked { marks: marks.iter().map(|mark| mark.as_str().to_owned()).collect() };
    match look_for(marks, &resolved) {
        Marks::Unknown(kind) => Outcome::Unreadable(kind),
        Marks::Shown => Outcome::Found { resolved },
        _ if how == How::Star => unmarked(),
        _ if mount_point && how != How::Named => Outcome::Refused(Refusal::MountPoint),
        Marks::Empty | Marks::NotAsked => Outcome::Found { resolved },
        Marks::Missing => unmarked(),
    }
}

fn matching_names(base: &Path, pattern: &str) -> io::Result<Vec<PathBuf>> {
    let mut names = Vec::new();
    for entry in base.read_dir()? {
        let name = entry?.file_name();
        if Pattern::name_matches(pattern, &escape_name(&name)) {
            names.push(PathBuf::from(name));
        }
    }
    names.sort();
    Ok(names)
}
