//! One look at a tree through the plugin, as the commands look: everything listed in full and weighed.

use std::sync::atomic::AtomicBool;

use std::time::Instant;

use crate::clean::{Advice, Chosen, EntryIx, Inventory, Locks, Outcome, Plan, Terms, Weights, execute, plan};
use crate::model::{Detail, Edit, Entry, Listing, Problem, RelPath, RootRule};
use crate::survey::{Found, Scope, Survey, weigh};
use crate::tree::{LinkTally, Progress};

use super::home::Home;
use super::report::Findings;

/// The plugin that is looked at.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) survey: &'a Survey,
    pub(super) progress: &'a Progress,
}

impl Subject<'_> {
    /// What it asks for.
    pub(super) fn rules(&self) -> &[RootRule] {
        self.survey.plugins().first().map(|it| it.manifest().roots.as_slice()).unwrap_or_default()
    }

    /// The same, looking at a home.
    pub(super) fn survey_of(&self, home: &Home) -> Survey {
        self.survey.elsewhere(home.environment.clone())
    }
}

/// What was found in a home.
pub(super) struct Look<'a> {
    pub(super) subject: Subject<'a>,
    survey: Survey,
    pub(super) found: Found,
    pub(super) weights: Vec<Weights>,
}

/// An entry as the plugin told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) cache: String,
    pub(super) parent: Option<String>,
    pub(super) entry: Entry<RelPath>,
}

impl<'a> Look<'a> {
    /// Looks at everything.
    pub(super) fn of(subject: Subject<'a>, home: &Home) -> Self {
        let survey = subject.survey_of(home);
        let mut found = survey.find(&Scope::default());
        survey.list_whole(&mut found.inventories, &mut found.problems);
        let weights = weigh(&found.inventories, None, subject.progress);
        Self { subject, survey, found, weights }
    }

    /// Tells calls that failed and answers that were refused, and whether there are any. What a rule did not lead to is
    /// no failure.
    pub(super) fn failures(&self, home: &Home, when: &str, findings: &mut Findings) -> bool {
        let mut any = false;
        for problem in home.failures(&self.found.problems) {
            findings.add(code(problem), format!("{when}{}", problem.message));
            any = true;
        }
        any
    }

    /// What is in an entry, as the plugin says when it is asked.
    pub(super) fn ask(&self, inventory: &Inventory, cache: usize, parent: &str) -> Option<Listing> {
        self.survey.ask(inventory, cache, Some(parent), Detail::Full).ok()
    }

    /// All entries, parents before children.
    pub(super) fn told(&self) -> Vec<Told> {
        self.found.inventories.iter().flat_map(|it| (0..it.items.len()).map(move |ix| told(it, ix))).collect()
    }

    /// The entries of the first level.
    pub(super) fn tops(&self) -> Vec<Told> {
        let mut told = self.told();
        told.retain(|it| it.parent.is_none());
        told
    }

    /// Chooses entries of the first level, as if the user had named them or not.
    pub(super) fn choose(&self, named: bool, wanted: impl Fn(&Told) -> bool) -> Vec<Vec<Chosen>> {
        let of = |inventory: &Inventory| {
            let tops = inventory.caches.iter().flat_map(|cache| &cache.top);
            let tops = tops.filter(|ix| wanted(&told(inventory, **ix)));
            tops.map(|&entry| Chosen { entry, reason: "test".into(), named }).collect()
        };
        self.found.inventories.iter().map(of).collect()
    }

    /// Plans a removal; `probes` tells whether locks are looked at.
    pub(super) fn plan(&self, chosen: &[Vec<Chosen>], force: Terms, probes: bool) -> Plan {
        let locks = probes.then(|| Locks::probing(Instant::now()));
        let mut advice = Asking { survey: &self.survey, locks };
        plan(&self.found.inventories, &self.weights, chosen, force, Vec::new(), &mut advice)
    }

    /// Carries a plan out.
    pub(super) fn execute(&self, plan: &Plan) -> Vec<Outcome> {
        execute(&self.found.inventories, plan, &LinkTally::default(), self.subject.progress, &AtomicBool::new(false))
    }
}

/// The check that a plugin's failure breaks.
fn code(problem: &Problem) -> &'static str {
    if problem.code == "plugin-answer" { "answers" } else { "runs" }
}

pub(super) fn told(inventory: &Inventory, ix: EntryIx) -> Told {
    let item = &inventory.items[ix];
    Told {
        cache: inventory.cache_id(ix).to_owned(),
        parent: item.parent.map(|parent| inventory.items[parent].entry.id.clone()),
        entry: item.entry.clone().map_claims(|path| inventory.paths.path(path)),
    }
}

/// Asks the plugin about indexes, and the lock files about use.
struct Asking<'a> {
    survey: &'a Survey,
    locks: Option<Locks>,
}

impl Advice for Asking<'_> {
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        self.survey.edits(inventory, cache, ids)
    }

    fn in_use(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String> {
        self.locks.as_mut()?.take(inventory, ix)
    }
}
