//! What commands that remove have in common: selection -> plan -> question -> removal -> report. What is shown, asked for,
//! done and reported is one plan; under the locks everything is looked at again, and nothing goes that was not in it.

mod carry_out;
mod kept;
mod print;

use std::io::stdin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clean::{Chosen, HeldEntries, Hold, Inventory, Keeping, Outcome, Plan, RootPlan, Terms, Weights};
use crate::model::Problem;
use crate::runs::{Afterwards, GivenUp, Runs, Watch, recover, sweep};
use crate::settings::Settings;
use crate::survey::{Found, Scope, Survey};
use crate::ui::json::CleanKeep;
use crate::ui::{Answer, ask, can_ask};

use super::args::Removing;
use super::context::{Context, status_of};
use super::exit::{Failure, Status};

/// What a command wants removed, and on what terms: the same for the plan that is shown and the one that is carried out.
pub(super) trait Wish {
    /// How it is carried out.
    fn how(&self) -> &Removing;

    /// On what terms entries go.
    fn terms(&self) -> Terms;

    /// Looks, and selects.
    fn look(&self, context: &Context, survey: &Survey) -> Result<Looked, Failure>;

    /// The entries of a plan that do not go for reasons of the command's own; the plan loses the steps that may not be in it.
    fn withheld(&self, _: &Inventory, _: &mut RootPlan) -> HeldEntries {
        HeldEntries::new()
    }

    /// Whether the user named this entry, so that it is a failure if it stays.
    fn is_named(&self, keeping: &Keeping) -> bool {
        keeping.named
    }

    /// What is told before the plan.
    fn preamble(&self) -> Option<String> {
        None
    }
}

/// What was found and selected.
pub(super) struct Looked {
    found: Found,
    chosen: Vec<Vec<Chosen>>,
    /// What should have been selected, and is not there any more.
    gone: Vec<Gone>,
}

/// An entry that is not there any more.
pub(super) struct Gone {
    pub(super) row: CleanKeep,
    /// Whether it was only in something that was selected.
    pub(super) part: bool,
}

impl Looked {
    /// With everything listed that is in what was chosen.
    pub(super) fn new(survey: &Survey, mut found: Found, chosen: Vec<Vec<Chosen>>) -> Self {
        for (inventory, chosen) in found.inventories.iter_mut().zip(&chosen) {
            let tops: Vec<_> = chosen.iter().map(|chosen| chosen.entry).collect();
            survey.list_below(inventory, &tops, &mut found.problems);
        }
        Self { found, chosen, gone: Vec::new() }
    }

    /// What was found.
    pub(super) fn found(&self) -> &Found {
        &self.found
    }

    /// The same without some things that are gone.
    pub(super) fn without(self, gone: Vec<Gone>) -> Self {
        Self { gone, ..self }
    }
}

/// What was found and what is to be done about it.
struct Prepared {
    looked: Looked,
    weights: Vec<Weights>,
    plan: Plan,
}

impl Prepared {
    /// Whether nothing goes.
    fn is_empty(&self) -> bool {
        self.plan.roots.iter().all(RootPlan::is_empty)
    }
}

/// What was told before the question, and is not told again after it.
#[derive(Default)]
struct Told {
    problems: Vec<Problem>,
    stays: Vec<String>,
}

/// How the command goes about it.
#[derive(Clone, Copy)]
struct Way {
    /// What becomes of what went.
    afterwards: Afterwards,
    /// Until when held locks are waited for.
    until: Instant,
}

impl Way {
    /// Locks are waited for from now on, and so does wait what waits.
    fn of(how: &Removing, settings: &Settings) -> Self {
        let age = how.keep_undo.or(settings.keep_undo).filter(|age| !age.is_zero() && !how.no_record);
        let afterwards = age.map_or(Afterwards::Delete, |age| Afterwards::Wait(Timestamp::now().checked_add(age).ok()));
        Self { afterwards, until: Instant::now() + Duration::from_secs(how.wait.into()) }
    }
}

/// What was done.
#[derive(Default)]
struct Done {
    outcomes: Vec<Outcome>,
    /// The run, if something that it took waits, and why.
    waits: Option<(String, Waiting)>,
    /// Bytes of what went that are not free, because they have further names.
    linked: u64,
    /// The signal that ended it early.
    signal: Option<u8>,
}

/// Why something waits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// It can be put back.
    ForUndo,
    /// It could not be deleted, or not any more.
    ForDeletion,
}

/// Finds the roots, and deletes what killed runs without a record left at them: nobody else knows of it.
pub(super) fn find(context: &Context, survey: &Survey, how: &Removing, scope: Scope) -> Result<Found, Failure> {
    let (_, found) = context.find_in(survey, scope)?;
    if !how.dry_run {
        found.inventories.iter().for_each(|inventory| sweep(&inventory.root));
    }
    Ok(found)
}

/// Does what a command wants.
pub(super) fn run(context: &mut Context, wish: &dyn Wish) -> Result<Status, Failure> {
    let how = wish.how();
    check_usage(context, how)?;
    let settings = context.settings()?;
    let mut way = Way::of(how, &settings);
    if !how.dry_run {
        let runs = Runs::new(&context.folders.state);
        if !how.no_record {
            runs.journal().check().map_err(GivenUp::Before)?;
        }
        let said = {
            let watch = Arc::new(Watch::default());
            let _shown = context.watch("putting back", None, &watch);
            recover(&runs, &watch)
        };
        said.iter().for_each(|said| context.output.warning(said));
    }
    let survey = context.survey();
    if how.yes && !how.dry_run {
        let (seen, done) = carry_out::at_once(context, &survey, wish, way)?;
        introduce(context, &survey, wish);
        return if seen.is_empty() {
            show(context, wish, way, &seen)
        } else {
            report(context, wish, &seen, &done, &Told::default())
        };
    }
    let mut seen = carry_out::prepare(context, &survey, wish, way)?;
    introduce(context, &survey, wish);
    if seen.is_empty() || how.dry_run {
        return show(context, wish, way, &seen);
    }
    print::plan(context, &seen, None, way.afterwards)?;
    if confirm(context, &seen.plan, way)? == Answer::No {
        context.output.note("Nothing was removed.");
        return Ok(Status::Done);
    }
    let told = Told { problems: seen.looked.found.problems.clone(), stays: kept::lines(&seen) };
    // However long the answer took.
    way = Way::of(how, &settings);
    let done = carry_out::carry_out(context, &survey, wish, way, &mut seen)?;
    report(context, wish, &seen, &done, &told)
}

/// What comes before the plan, or the report.
fn introduce(context: &mut Context, survey: &Survey, wish: &dyn Wish) {
    context.tell_log(survey);
    if let Some(preamble) = wish.preamble() {
        context.output.note(&preamble);
    }
    if wish.how().no_record && !wish.how().dry_run {
        context.output.note("There is no undo, and what an interruption leaves stays so: nothing is recorded.");
    }
}

/// A plan of which nothing is carried out.
fn show(context: &mut Context, wish: &dyn Wish, way: Way, seen: &Prepared) -> Result<Status, Failure> {
    print::plan(context, seen, wish.how().dry_run.then(|| wish.terms()).as_ref(), way.afterwards)?;
    Ok(status_of_plan(seen, wish))
}

fn report(
    context: &mut Context,
    wish: &dyn Wish,
    seen: &Prepared,
    done: &Done,
    told: &Told,
) -> Result<Status, Failure> {
    print::report(context, seen, done, told)?;
    let complete = done.outcomes.iter().all(|outcome| outcome.failed.is_empty());
    Ok(match done.signal {
        Some(signal) => Status::Interrupted(signal),
        None if complete => status_of_plan(seen, wish),
        None => Status::Failed,
    })
}

fn check_usage(context: &Context, how: &Removing) -> Result<(), Failure> {
    if !cfg!(unix) && !how.dry_run {
        let message = "dscc cannot remove safely on this platform yet: it has no removal beneath a folder handle here";
        return Err(Failure::new(Status::Refused, message).hint("-n shows what would go"));
    }
    if context.global.json && !how.dry_run && !how.yes {
        let message = "--json never asks, so it needs to be told";
        return Err(Failure::new(Status::Refused, message).hint("-n shows the plan, -y carries it out"));
    }
    Ok(())
}

/// Signals still kill at once here: nothing was begun.
fn confirm(context: &mut Context, plan: &Plan, way: Way) -> Result<Answer, Failure> {
    context.output.flush()?;
    if !can_ask() {
        let failure = Failure::new(Status::Refused, "there is no terminal to ask on");
        return Err(failure.hint("-n shows the plan, -y carries it out without asking"));
    }
    let question = print::question(plan, way.afterwards);
    let list = || print::full_list(plan);
    let answer = ask(&question, list, &mut stdin().lock(), context.output.questions());
    Ok(answer.map_err(anyhow::Error::from)?)
}

/// What the plan alone says of the exit status: all of it held back, or something that the user named.
fn status_of_plan(prepared: &Prepared, wish: &dyn Wish) -> Status {
    let Prepared { looked, plan, .. } = prepared;
    let empty = plan.roots.iter().all(RootPlan::is_empty);
    let kept: Vec<&Keeping> = plan.roots.iter().flat_map(|root| &root.keep).collect();
    let failed = kept.iter().any(|keeping| keeping.held.hold == Hold::Unadvised);
    let nothing_stays = kept.is_empty() && looked.gone.is_empty();
    if empty && !nothing_stays && !failed {
        Status::Refused
    } else if !looked.gone.is_empty() || kept.iter().any(|keeping| wish.is_named(keeping)) {
        Status::Failed
    } else {
        status_of(&looked.found.problems)
    }
}

impl Prepared {
    /// Plugins that failed to advise are among the problems, like those that failed to list.
    fn new(mut looked: Looked, weights: Vec<Weights>, plan: Plan) -> Self {
        let found = &mut looked.found;
        for (inventory, root) in found.inventories.iter().zip(&plan.roots) {
            let unadvised = root.keep.iter().filter(|keeping| keeping.held.hold == Hold::Unadvised);
            for keeping in unadvised {
                let problem = Problem {
                    plugin: Some(inventory.caches[inventory.items[keeping.entry].cache].plugin.clone()),
                    cache: Some(keeping.cache.clone()),
                    ..Problem::new("plugin-edits", keeping.held.reason.clone())
                };
                let problem = problem.hint("its entries stay; tell the plugin's author what was printed");
                if !found.problems.contains(&problem) {
                    found.problems.push(problem);
                }
            }
        }
        Self { looked, weights, plan }
    }
}
