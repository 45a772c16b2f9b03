//! What every command needs: the folders, the plugins, the output, and the common ways of telling problems.

use std::sync::Arc;

use crate::clean::Weights;
use crate::folders::Folders;
use crate::model::Problem;
use crate::plugins::{Catalog, Folder};
use crate::roots::{Environment, Origin, Outcome};
use crate::runtime::{Limits, OnDemand};
use crate::settings::Settings;
use crate::survey::{self, Found, Scope, Survey};
use crate::tree;
use crate::tree::OpenFiles;
use crate::ui::{Output, Progress, json};

use super::args::{Caches, Global};
use super::exit::{Failure, Status};

pub(super) struct Context {
    pub(super) global: Global,
    pub(super) folders: Folders,
    pub(super) output: Output,
    /// Plugins to run instead of those that there are.
    pub(super) only: Option<Catalog>,
}

impl Context {
    pub(super) fn new(global: Global) -> Result<Self, Failure> {
        let output = Output::of_process(global.color, global.quiet);
        let mut folders = Folders::of_process()?;
        if let Some(dir) = &global.plugins_dir {
            folders.plugins = std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
        }
        Ok(Self { folders, global, output, only: None })
    }

    /// What the user has settled.
    pub(super) fn settings(&self) -> Result<Settings, Failure> {
        Ok(Settings::read(&self.folders.config)?)
    }

    /// The plugins of this run, to be asked.
    pub(super) fn survey(&self) -> Survey {
        Survey::new(self.runtime(), self.catalog(), self.environment(), self.global.roots.clone())
    }

    /// The engine, which starts when it is needed.
    pub(super) fn runtime(&self) -> OnDemand {
        OnDemand::new(&self.folders.cache)
    }

    /// The built-in and the installed plugins, or the ones that run instead.
    pub(super) fn catalog(&self) -> Catalog {
        self.only.clone().unwrap_or_else(|| Catalog::read(&self.plugins_folder(), Limits::default()))
    }

    /// Where plugins are installed.
    pub(super) fn plugins_folder(&self) -> Folder {
        Folder::new(&self.folders.plugins)
    }

    /// What roots are resolved against.
    pub(super) fn environment(&self) -> Environment {
        let Folders { config, plugins, state, cache } = self.folders.clone();
        Environment::of_process(vec![config, plugins, state, cache])
    }

    /// Shows what is done, if it takes long, while the counters run.
    pub(super) fn progress(&self, what: &str) -> (Arc<tree::Progress>, Progress) {
        let counters = Arc::new(tree::Progress::default());
        let shown = Arc::clone(&counters);
        let quiet = self.global.quiet || self.global.json;
        (counters, Progress::start(what, None, quiet, move || (shown.entries(), shown.bytes())))
    }

    /// Finds the caches that `-c` names.
    pub(super) fn find(&self, survey: &Survey, caches: &Caches) -> Result<(Scope, Found), Failure> {
        self.find_in(survey, Scope { names: caches.caches.clone(), with_neighbours: false })
    }

    /// Finds the caches in scope.
    pub(super) fn find_in(&self, survey: &Survey, scope: Scope) -> Result<(Scope, Found), Failure> {
        let found = {
            // Another version of dscc compiles what is needed once more, which takes seconds.
            let (_counters, _shown) = self.progress("looking for caches");
            survey.find(&scope)
        };
        survey.check_scope(&scope, &found.inventories)?;
        let named = |place: &&survey::Place| {
            place.candidate.origin == Origin::Named && place.candidate.outcome == Outcome::Absent
        };
        if let Some(place) = found.places.iter().find(named) {
            let message = place.candidate.message().unwrap_or_default();
            return Err(Failure::new(Status::NotFound, message).hint("create the folder, or name one that exists"));
        }
        if let Some(problem) = found.problems.iter().find(|problem| problem.code == "root-unknown-rule") {
            let failure = Failure::new(Status::NotFound, problem.message.clone());
            return Err(failure.hint(problem.hint.clone().unwrap_or_default()));
        }
        Ok((scope, found))
    }

    /// Measures what was found, with progress.
    pub(super) fn weigh(&self, found: &Found) -> Vec<Weights> {
        let (counters, _shown) = self.progress("measuring");
        survey::weigh(&found.inventories, None, &counters)
    }

    /// The same, and looks for what would be in the way of a removal.
    pub(super) fn weigh_for_removal(&self, found: &Found, open: &OpenFiles) -> Vec<Weights> {
        let (counters, _shown) = self.progress("measuring");
        survey::weigh(&found.inventories, Some(open), &counters)
    }

    /// Prints a document.
    pub(super) fn print_json(&mut self, document: &impl serde::Serialize) -> Result<(), Failure> {
        let text = json::to_text(document).map_err(|e| Failure::new(Status::Failed, format!("writing JSON: {e}")))?;
        Ok(self.output.print(&text)?)
    }

    /// Tells problems on standard error.
    pub(super) fn tell(&mut self, problems: &[Problem]) {
        for (at, problem) in problems.iter().enumerate() {
            let same = |other: &&Problem| other.code == problem.code && other.cause == problem.cause;
            // There may be very many without a cause, and those are not compared with one another.
            let (before, after): (&[Problem], &[Problem]) = match problem.cause {
                Some(_) => (&problems[..at], &problems[at + 1..]),
                None => (&[], &[]),
            };
            if before.iter().any(|other| same(&other)) {
                continue;
            }
            let mut lines = problem.message.lines();
            self.output.warning(lines.next().unwrap_or_default());
            lines.for_each(|line| self.output.continuation(line));
            let others: Vec<&str> = after.iter().filter(same).filter_map(|other| other.cache.as_deref()).collect();
            if !others.is_empty() {
                self.output.continuation(&format!("and so it is with {}", others.join(", ")));
            }
            if let Some(hint) = &problem.hint {
                self.output.hint(hint);
            }
        }
    }

    /// Tells problems of one cache, by its name: what a plugin says of itself could be about anything.
    pub(super) fn tell_of(&mut self, cache: &str, problems: &[Problem]) {
        let of_cache = |it: &Problem| Problem { message: format!("{cache}: {}", it.message), ..it.clone() };
        self.tell(&problems.iter().map(of_cache).collect::<Vec<_>>());
    }

    /// Tells what plugins logged, where it was asked for.
    pub(super) fn tell_log(&mut self, survey: &Survey) {
        if self.global.verbose == 0 {
            return;
        }
        for loaded in survey.plugins() {
            for line in loaded.take_log() {
                self.output.note(&format!("{} {}: {}", loaded.known.name(), line.level, line.text));
            }
        }
    }
}

/// Whether a plugin failed, so that something is missing from the answer.
pub(super) fn status_of(problems: &[Problem]) -> Status {
    let failed = problems.iter().any(|problem| problem.code.starts_with("plugin"));
    if failed { Status::Failed } else { Status::Done }
}
