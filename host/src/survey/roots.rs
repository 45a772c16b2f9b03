//! From rules to open roots with their caches.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::clean::{CacheState, Inventory};
use crate::model::{Cache, Problem, RootRule, escape_text};
use crate::roots::{Candidate, Origin, Outcome, Override, Refusal, never, resolve};
use crate::runtime::PluginError;
use crate::tree::{FsError, Root, Secrets};

use super::scope::Scope;
use super::shared::{self, Answer, Words};
use super::{FailedRoot, Found, Loaded, Place, Survey, of_plugin};

/// A root that is open and not yet asked about.
struct Opened<'a> {
    loaded: &'a Loaded,
    rule: &'a RootRule,
    root: Root,
}

impl Found {
    /// A root whose caches are unknown is shown as that. What keeps a plugin from being loaded is told once.
    fn add_failure(&mut self, loaded: &Loaded, rule: &RootRule, root: &Root, error: &PluginError) {
        let mut problem = of_plugin(error, Some(&rule.id));
        if error.function == "load" {
            problem.cache = None;
        } else {
            problem = problem.at(escape_text(root.given().as_os_str()));
        }
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        let (plugin, rule, path) = (loaded.known.name().to_owned(), rule.id.clone(), root.given().to_owned());
        self.failed.push(FailedRoot { plugin, rule, path });
    }
}

impl Survey {
    /// Resolves the rules, opens what is there and asks which caches it holds. Caches out of scope are left out, unless
    /// they are in one folder with one in scope.
    pub fn find(&self, scope: &Scope) -> Found {
        let mut found = Found { problems: self.problems.clone(), ..Found::default() };
        let mut opened = Vec::new();
        for loaded in &self.plugins {
            for rule in &loaded.manifest().roots {
                self.open_rule(loaded, rule, &mut opened, &mut found);
            }
        }
        self.keep_concerned(scope, &mut found.problems);
        let concerned = |place: &&Place| self.plugin(&place.plugin).is_some_and(|it| self.concerns(scope, it));
        found.problems.extend(problems_of(&found.places, concerned));
        found.problems.extend(self.unknown_overrides());
        let answers = self.ask_roots(self.without_secrets(opened), scope, &mut found);
        found.inventories = shared::inventories(answers, scope);
        found
            .places
            .retain(|place| scope.has(&place.plugin, &place.candidate.rule) || has_cache(&found.inventories, place));
        found
    }

    /// Takes credentials out of the roots.
    fn without_secrets<'a>(&self, opened: Vec<Opened<'a>>) -> Vec<Opened<'a>> {
        if opened.is_empty() {
            return opened;
        }
        let secrets = Secrets::find(&never(&self.environment));
        opened.into_iter().map(|it| Opened { root: it.root.without(&secrets), ..it }).collect()
    }

    /// Asks the plugins in scope, and those that have a root in common with them or in one of theirs, in parallel.
    fn ask_roots<'a>(&self, opened: Vec<Opened<'a>>, scope: &Scope, found: &mut Found) -> Vec<Answer<'a>> {
        let roots: Vec<(u64, u64)> = opened.iter().map(|it| it.root.identity()).collect();
        let meant = opened.iter().filter(|it| self.concerns(scope, it.loaded));
        let meant: Vec<PathBuf> = meant.map(|it| it.root.path().to_owned()).collect();
        let is_asked =
            |it: &Opened<'_>| scope.with_neighbours || meant.iter().any(|path| it.root.path().starts_with(path));
        let ask = |Opened { loaded, rule, root }: Opened<'a>| {
            let root = root.with_cuts(roots.clone());
            let caches = self.load(loaded).and_then(|plugin| plugin.discover(&root, &rule.id));
            (loaded, rule, root, caches)
        };
        let asked: Vec<Opened<'a>> = opened.into_iter().filter(is_asked).collect();
        let asked: Vec<_> = asked.into_par_iter().map(ask).collect();
        let mut words = Words::new(self.plugins.iter().map(Loaded::manifest));
        let mut answers = Vec::new();
        for (loaded, rule, root, caches) in asked {
            let plugin = loaded.known.name();
            let take = |caches: Vec<Cache>| match words.take(plugin, &caches) {
                Ok(()) => Ok(caches),
                Err(broken) => Err(PluginError::invalid(plugin, "discover", broken)),
            };
            let caches = caches.and_then(take);
            if let Err(error) = &caches
                && self.concerns(scope, loaded)
            {
                found.add_failure(loaded, rule, &root, error);
            }
            answers.push(Answer { loaded, rule, root, caches: caches.ok() });
        }
        cut_by_caches(answers)
    }

    /// Whether a command with this scope is about a plugin. A word that no plugin has may be any one's cache.
    fn concerns(&self, scope: &Scope, loaded: &Loaded) -> bool {
        let has = |loaded: &Loaded, name: &String| loaded.known.facts.words().contains(name.as_str());
        let any = |name: &String| has(loaded, name) || !self.plugins.iter().any(|it| has(it, name));
        scope.names.is_empty() || scope.names.iter().any(any)
    }

    /// Leaves out what is wrong with plugins that the command is not about.
    fn keep_concerned(&self, scope: &Scope, problems: &mut Vec<Problem>) {
        let others = self.plugins.iter().filter(|it| !self.concerns(scope, it));
        let others: HashSet<&str> = others.map(|it| it.known.name()).collect();
        problems.retain(|problem| problem.plugin.as_deref().is_none_or(|plugin| !others.contains(plugin)));
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
                        let problem = Problem::new("root-unreadable", message);
                        found.problems.push(about(&candidate, &loaded.manifest().name, problem));
                    }
                }
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

/// Takes out of each root the others in it, but for those of which nobody knows a cache: they take nothing from it.
fn cut_by_caches(mut answers: Vec<Answer<'_>>) -> Vec<Answer<'_>> {
    let known = answers.iter().filter(|it| it.caches.as_ref().is_none_or(|caches| !caches.is_empty()));
    let known: Vec<(u64, u64)> = known.map(|it| it.root.identity()).collect();
    for answer in &mut answers {
        answer.root = answer.root.clone().with_cuts(known.clone());
    }
    answers
}

/// Absent folders are no problem, unless the user named them.
fn is_problem(candidate: &Candidate) -> bool {
    match candidate.outcome {
        Outcome::Found { .. } => false,
        Outcome::Absent => candidate.origin == Origin::Named,
        Outcome::Unmarked { .. } | Outcome::Unreadable(_) | Outcome::Refused(_) => true,
    }
}

/// What is wrong with places. Variables outlive the layouts of what they name, so several rules may lead to one folder:
/// what is wrong with it is told once, and that it is no cache of one kind not at all where another rule takes it.
fn problems_of(places: &[Place], concerned: impl Fn(&&Place) -> bool) -> Vec<Problem> {
    let is_root = |place: &&Place| matches!(place.candidate.outcome, Outcome::Found { .. });
    let roots: HashSet<&Path> = places.iter().filter(is_root).map(|place| place.candidate.path.as_path()).collect();
    let asks_marks = |it: &Outcome| matches!(it, Outcome::Unmarked { .. } | Outcome::Refused(Refusal::MountPoint));
    let mut told = HashSet::new();
    let mut problems = Vec::new();
    for place in places.iter().filter(concerned) {
        let Place { plugin, candidate } = place;
        let (path, code) = (candidate.path.as_path(), candidate.code());
        let taken = asks_marks(&candidate.outcome) && roots.contains(path);
        if is_problem(candidate) && !taken && told.insert((path, code)) {
            let problem = Problem::new(code, candidate.message().unwrap_or_default());
            let (hint, cause) = (candidate.hint(), candidate.cause());
            problems.push(Problem { hint, cause, ..about(candidate, plugin, problem) });
        }
    }
    problems
}

/// Whether a place's rule gave a cache in scope.
fn has_cache(inventories: &[Inventory], place: &Place) -> bool {
    let of_rule = |cache: &CacheState| cache.plugin == place.plugin && cache.rule == place.candidate.rule;
    inventories.iter().flat_map(|inventory| &inventory.caches).any(|cache| cache.in_scope && of_rule(cache))
}

fn is_known(opened: &[Opened<'_>], loaded: &Loaded, root: &Root) -> bool {
    let same =
        |it: &Opened<'_>| it.loaded.manifest().name == loaded.manifest().name && it.root.identity() == root.identity();
    opened.iter().any(same)
}

fn about(candidate: &Candidate, plugin: &str, problem: Problem) -> Problem {
    let path = escape_text(candidate.path.as_os_str());
    Problem { plugin: Some(plugin.to_owned()), cache: Some(candidate.rule.clone()), ..problem }.at(path)
}
