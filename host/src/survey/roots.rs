//! From rules to open roots with their caches.

use rayon::prelude::*;

use crate::clean::Inventory;
use crate::model::{Cache, Problem, RootRule, escape_text};
use crate::roots::{Candidate, Origin, Outcome, Override, resolve};
use crate::tree::{FsError, Root};

use super::scope::Scope;
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
            for rule in &loaded.manifest().roots {
                self.open_rule(loaded, rule, &mut opened, &mut found);
            }
        }
        let identities: Vec<(u64, u64)> = opened.iter().map(|it| it.root.identity()).collect();
        let asked: Vec<_> = opened
            .into_par_iter()
            .map(|Opened { loaded, rule, root }| {
                let others = identities.iter().copied().filter(|it| *it != root.identity()).collect();
                let root = root.with_cuts(others);
                let caches = self.load(loaded).and_then(|plugin| plugin.discover(&root, &rule.id));
                (loaded, rule, root, caches)
            })
            .collect();
        for (loaded, rule, root, caches) in asked {
            let name = &loaded.manifest().name;
            match caches {
                Ok(caches) => {
                    let caches: Vec<Cache> = caches.into_iter().filter(|it| scope.has(name, &it.id)).collect();
                    if !caches.is_empty() {
                        found.inventories.push(Inventory::new(root, name.clone(), rule, caches));
                    }
                }
                Err(error) => {
                    let problem = of_plugin(&error, Some(&rule.id));
                    found.problems.push(problem.at(escape_text(root.given().as_os_str())));
                }
            }
        }
        found.places.retain(|place| {
            scope.has(&place.plugin, &place.candidate.rule) || self.has_cache(&found.inventories, scope, place)
        });
        found
    }

    fn has_cache(&self, inventories: &[Inventory], scope: &Scope, place: &Place) -> bool {
        inventories.iter().any(|inventory| {
            let of_rule = inventory.plugin == place.plugin && inventory.rule == place.candidate.rule;
            of_rule && inventory.caches.iter().any(|cache| scope.has(&place.plugin, &cache.cache.id))
        })
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
            found.places.push(Place { plugin: loaded.manifest().name.clone(), candidate });
        }
    }

    fn unknown_overrides(&self) -> Vec<Problem> {
        let known = |rule: &str| self.plugins.iter().flat_map(|it| &it.manifest().roots).any(|it| it.id == rule);
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

fn is_known(opened: &[Opened<'_>], loaded: &Loaded, root: &Root) -> bool {
    let same =
        |it: &Opened<'_>| it.loaded.manifest().name == loaded.manifest().name && it.root.identity() == root.identity();
    opened.iter().any(same)
}

fn about(candidate: &Candidate, loaded: &Loaded, problem: Problem) -> Problem {
    let path = escape_text(candidate.path.as_os_str());
    Problem { plugin: Some(loaded.manifest().name.clone()), cache: Some(candidate.rule.clone()), ..problem }.at(path)
}
