//! `dscc clean`: selection -> plan -> question -> removal -> report. What is shown, asked for, done and reported is one
//! plan; under the locks everything is looked at again, and nothing goes that was not in it.

mod kept;
mod print;

use std::io::stdin;

use crate::clean::{
    Advice, Chosen, EntryIx, Force, HeldEntries, Hold, Inventory, Keeping, Locks, Outcome, Plan, RootPlan, Selection,
    Target, beyond, execute, plan, probe, select,
};
use crate::model::{Detail, Edit, Problem};
use crate::survey::{Found, Scope, Survey};
use crate::tree::Progress;
use crate::ui::{Answer, ask, can_ask};

use super::args::{Clean, Protection};
use super::context::{Context, status_of};
use super::exit::{Failure, Status};

/// What was found and what is to be done about it.
struct Prepared {
    found: Found,
    plan: Plan,
}

pub(super) fn run(context: &mut Context, args: &Clean) -> Result<Status, Failure> {
    check_usage(context, args)?;
    let survey = context.survey();
    let mut seen = prepare(context, &survey, args)?;
    let mut told = Vec::new();
    context.tell_log(&survey);
    if seen.plan.roots.iter().all(RootPlan::is_empty) || args.dry_run {
        print::plan(context, &seen, args.dry_run)?;
        return Ok(status_of_plan(&seen));
    }
    if !args.yes {
        print::plan(context, &seen, false)?;
        context.output.flush()?;
        if !can_ask() {
            let failure = Failure::new(Status::Refused, "there is no terminal to ask on");
            return Err(failure.hint("-n shows the plan, -y carries it out without asking"));
        }
        let question = print::question(&seen.plan);
        let list = || print::full_list(&seen.plan);
        let answer = ask(&question, list, &mut stdin().lock(), context.output.questions());
        if answer.map_err(anyhow::Error::from)? == Answer::No {
            context.output.note("Nothing was removed.");
            return Ok(Status::Done);
        }
        told.clone_from(&seen.found.problems);
    }
    let outcomes = carry_out(context, &survey, args, &mut seen)?;
    print::report(context, &seen, &outcomes, &told)?;
    let complete = outcomes.iter().all(|outcome| outcome.failed.is_empty());
    Ok(if complete { status_of_plan(&seen) } else { Status::Failed })
}

fn check_usage(context: &Context, args: &Clean) -> Result<(), Failure> {
    if args.caches.caches.is_empty() && args.entries.is_empty() && !args.all {
        let message = "nothing is named to be cleaned";
        return Err(Failure::new(Status::Usage, message)
            .hint("name entries, or caches with -c, or say --all; `dscc show` lists them"));
    }
    if !cfg!(unix) && !args.dry_run {
        let message = "dscc cannot remove safely on this platform yet: it has no removal beneath a folder handle here";
        return Err(Failure::new(Status::Refused, message).hint("`dscc clean -n` shows what would go"));
    }
    if args.dry_run || args.yes {
        return Ok(());
    }
    if context.global.json {
        let message = "--json never asks, so it needs to be told";
        return Err(Failure::new(Status::Refused, message).hint("-n shows the plan, -y carries it out"));
    }
    Ok(())
}

/// What the plan alone says of the exit status: all of it held back, or something that the user named.
fn status_of_plan(prepared: &Prepared) -> Status {
    let empty = prepared.plan.roots.iter().all(RootPlan::is_empty);
    let kept: Vec<&Keeping> = prepared.plan.roots.iter().flat_map(|root| &root.keep).collect();
    let failed = kept.iter().any(|keeping| keeping.held.hold == Hold::Unadvised);
    if empty && !kept.is_empty() && !failed {
        Status::Refused
    } else if kept.iter().any(|keeping| keeping.named) {
        Status::Failed
    } else {
        status_of(&prepared.found.problems)
    }
}

/// Looks, selects and plans, without holding any lock.
fn prepare(context: &Context, survey: &Survey, args: &Clean) -> Result<Prepared, Failure> {
    let (found, chosen) = look(context, survey, args)?;
    let weights = context.weigh(&found);
    let mut advisor = Advisor { survey, locks: None };
    let plan = plan(&found.inventories, &weights, &chosen, force(args), Vec::new(), &mut advisor);
    Ok(Prepared::new(found, plan))
}

impl Prepared {
    /// Plugins that failed to advise are among the problems, like those that failed to list.
    fn new(mut found: Found, plan: Plan) -> Self {
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
        Self { found, plan }
    }
}

fn look(context: &Context, survey: &Survey, args: &Clean) -> Result<(Found, Vec<Vec<Chosen>>), Failure> {
    let (_counters, _shown) = context.progress("listing");
    // What is out of scope and stays may need what is in scope.
    let scope = Scope { names: args.caches.caches.clone(), with_neighbours: true };
    let (_, mut found) = context.find_in(survey, scope)?;
    let targets: Vec<Target> = args.entries.iter().map(|text| Target { text: text.clone() }).collect();
    let all = args.all || targets.is_empty();
    if all {
        survey.list_whole(&mut found.inventories, &mut found.problems);
    } else {
        survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
        survey.list_for(&targets, &mut found.inventories, &mut found.problems);
    }
    let chosen = select(&found.inventories, &Selection { targets, all })?;
    for (inventory, chosen) in found.inventories.iter_mut().zip(&chosen) {
        let tops: Vec<_> = chosen.iter().map(|chosen| chosen.entry).collect();
        survey.list_below(inventory, &tops, &mut found.problems);
    }
    Ok((found, chosen))
}

fn force(args: &Clean) -> Force {
    let has = |protection| args.force.contains(&protection);
    Force { irreplaceable: has(Protection::Irreplaceable), needed: has(Protection::Needed) }
}

/// Asks the plugins about indexes, and the lock files about use: holding the locks, or only trying them.
struct Advisor<'a> {
    survey: &'a Survey,
    locks: Option<&'a mut Locks>,
}

impl Advice for Advisor<'_> {
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        self.survey.edits(inventory, cache, ids)
    }

    fn in_use(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String> {
        match &mut self.locks {
            Some(locks) => locks.take(inventory, ix),
            None => probe(inventory, ix),
        }
    }
}

/// Takes the locks, looks again, and removes what is still as it was shown. `seen` becomes what was carried out.
fn carry_out(
    context: &mut Context,
    survey: &Survey,
    args: &Clean,
    seen: &mut Prepared,
) -> Result<Vec<Outcome>, Failure> {
    let mut locks = Locks::new();
    for (inventory, root) in seen.found.inventories.iter().zip(&seen.plan.roots) {
        for removing in &root.remove {
            // Whoever holds one of them is found again below, and the entry stays.
            let _ = locks.take(inventory, removing.entry);
        }
    }
    let (found, chosen) = look(context, survey, args)?;
    let weights = context.weigh(&found);
    let mut held = vec![HeldEntries::new(); found.inventories.len()];
    let approved = loop {
        let mut advisor = Advisor { survey, locks: Some(&mut locks) };
        let mut fresh = plan(&found.inventories, &weights, &chosen, force(args), held.clone(), &mut advisor);
        let mut stable = true;
        for (at, root) in fresh.roots.iter_mut().enumerate() {
            let shown = approved_for(seen, &found.inventories[at]);
            let more = beyond(shown.unwrap_or(&RootPlan::default()), root);
            stable &= more.is_empty();
            held[at].extend(more);
        }
        if stable {
            break fresh;
        }
    };
    let (counters, shown) = context.progress("removing");
    let run = |(inventory, root): (&Inventory, &RootPlan)| execute(inventory, root, &counters as &Progress);
    let outcomes = found.inventories.iter().zip(&approved.roots).map(run).collect();
    drop(shown);
    *seen = Prepared::new(found, approved);
    Ok(outcomes)
}

fn approved_for<'a>(seen: &'a Prepared, inventory: &Inventory) -> Option<&'a RootPlan> {
    let same = |it: &Inventory| it.root.identity() == inventory.root.identity();
    let at = seen.found.inventories.iter().position(same)?;
    seen.plan.roots.get(at)
}
