//! From rules to open roots with their caches.

use rayon::prelude::*;

use crate::clean::{CacheState, Inventory};
use crate::model::{Cache, Problem, RootRule, escape_text};
use crate::roots::{Candidate, Origin, Outcome, Override, resolve};
use crate::tree::{FsError, Root};

use super::scope::Scope;
use super::shared::{self, Answer, Words};
use super::{Found, Loaded, Place, Survey, of_plugin};

/// A root that is open and not yet asked about.
struct Opened<'a> {
    loaded: &'a Loaded,
    rule: &'a RootRule,
    root: Root,
}

impl Survey {
    /// Resolves the rules, opens what is there and asks which caches it holds. Caches out of scope are left out.
    pub fn find(&self, scope: &Scope) -> Found {
        let mut found = Found { problems: self.problems.clone(), ..Found::default() };
        found.problems.extend(self.unknown_overrides());
        let mut opened = Vec::new();
        for loaded in &self.plugins {
            for rule in &loaded.manifest.roots {
                self.open_rule(loaded, rule, &mut opened, &mut found);
            }
        }
        let identities: Vec<(u64, u64)> = opened.iter().map(|it| it.root.identity()).collect();
        let asked: Vec<_> = opened
            .into_par_iter()
            .map(|Opened { loaded, rule, root }| {
                let others = identities.iter().copied().filter(|it| *it != root.identity()).collect();
                let root = root.with_cuts(others);
                let caches = loaded.plugin.discover(&root, &rule.id);
                (loaded, rule, root, caches)
            })
            .collect();
        let mut words = Words::new(self.plugins.iter().map(|loaded| &loaded.manifest));
        let mut answers = Vec::new();
        for (loaded, rule, root, caches) in asked {
            let plugin = loaded.manifest.name.as_str();
            let take = |caches: Vec<Cache>| match words.take(plugin, &caches) {
                Ok(()) => Ok(caches),
                Err(broken) => Err(loaded.plugin.refuse("discover", broken)),
            };
            match caches.and_then(take) {
                Ok(caches) => answers.push(Answer { plugin, rule, root, caches: Some(caches) }),
                Err(error) => {
                    let problem = of_plugin(&error, Some(&rule.id));
                    found.problems.push(problem.at(escape_text(root.given().as_os_str())));
                    answers.push(Answer { plugin, rule, root, caches: None });
                }
            }
        }
        found.inventories = shared::inventories(answers, scope);
        found
            .places
            .retain(|place| scope.has(&place.plugin, &place.candidate.rule) || has_cache(&found.inventories, place));
        found
    }

    fn open_rule<'a>(&self, loaded: &'a Loaded, rule: &'a RootRule, opened: &mut Vec<Opened<'a>>, found: &mut Found) {
        let named = Override::for_rule(&self.overrides, &rule.id);
        for candidate in resolve(rule, &self.environment, &named) {
            if let Outcome::Found { resolved } = &candidate.outcome {
                let same = |root: Root| if root.path() == resolved { Ok(root) } else { Err(FsError::Changed) };
                match Root::open(&candidate.path).and_then(same) {
                    Ok(root) if !is_known(opened, loaded, &root) => opened.push(Opened { loaded, rule, root }),
                    Ok(_) => {}
                    Err(error) => {
                        let message =
                            format!("`{}` cannot be opened: {error}", escape_text(candidate.path.as_os_str()));
                        found.problems.push(about(&candidate, loaded, Problem::new("root-unreadable", message)));
                    }
                }
            } else if is_problem(&candidate) {
                let message = candidate.message().unwrap_or_default();
                let problem = about(&candidate, loaded, Problem::new(candidate.code(), message));
                found.problems.push(Problem { hint: candidate.hint(), ..problem });
            }
            found.places.push(Place { plugin: loaded.manifest.name.clone(), candidate });
        }
    }

    fn unknown_overrides(&self) -> Vec<Problem> {
        let known = |rule: &str| self.plugins.iter().flat_map(|it| &it.manifest.roots).any(|it| it.id == rule);
        let unknown = self.overrides.iter().filter(|it| !known(&it.rule));
        let problem = |it: &Override| {
            let message = format!("`--root {}=...` names a rule that no plugin has", it.rule);
            Problem::new("root-unknown-rule", message).hint("`dscc paths` lists the rules")
        };
        unknown.map(problem).collect()
    }
}

/// Absent folders are no problem, unless the user named them.
fn is_problem(candidate: &Candidate) -> bool {
    match candidate.outcome {
        Outcome::Found { .. } => false,
        Outcome::Absent => candidate.origin == Origin::Named,
        Outcome::Unmarked { .. } | Outcome::Unreadable(_) | Outcome::Refused(_) => true,
    }
}

/// Whether a place's rule gave a cache in scope.
fn has_cache(inventories: &[Inventory], place: &Place) -> bool {
    let of_rule = |cache: &CacheState| cache.plugin == place.plugin && cache.rule == place.candidate.rule;
    inventories.iter().flat_map(|inventory| &inventory.caches).any(|cache| cache.in_scope && of_rule(cache))
}

fn is_known(opened: &[Opened<'_>], loaded: &Loaded, root: &Root) -> bool {
    let same =
        |it: &Opened<'_>| it.loaded.manifest.name == loaded.manifest.name && it.root.identity() == root.identity();
    opened.iter().any(same)
}

fn about(candidate: &Candidate, loaded: &Loaded, problem: Problem) -> Problem {
    let path = escape_text(candidate.path.as_os_str());
    Problem { plugin: Some(loaded.manifest.name.clone()), cache: Some(candidate.rule.clone()), ..problem }.at(path)
}
