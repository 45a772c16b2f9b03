//! `dscc clean`: selection -> plan -> question -> removal -> report. What is shown, asked for, done and reported is one
//! plan; under the locks everything is looked at again, and nothing goes that was not in it.

mod kept;
mod print;

use std::collections::{HashMap, HashSet};
use std::io::stdin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::clean::{
    Advice, Chosen, EntryIx, Grace, Held, HeldEntries, Hold, Inventory, Keeping, Locks, Outcome, Plan, Removing,
    RootPlan, Selection, Target, Terms, beyond, execute, plan, select,
};
use crate::model::{Detail, Edit, Problem, RelPath};
use crate::runs::{Afterwards, Again, Guard, Runs, recover, remove};
use crate::survey::{Found, Scope, Survey};
use crate::tree::{OpenFiles, Progress};
use crate::ui::{Answer, ask, can_ask};

use super::args::{Clean, Protection};
use super::context::{Context, status_of};
use super::exit::{Failure, Status};

/// What was done.
struct Done {
    outcomes: Vec<Outcome>,
    /// The run, if what it took waits.
    held: Option<String>,
    /// Whether a signal ended it early.
    stopped: bool,
}

/// What was found and what is to be done about it.
struct Prepared {
    found: Found,
    plan: Plan,
}

pub(super) fn run(context: &mut Context, args: &Clean) -> Result<Status, Failure> {
    check_usage(context, args)?;
    if !args.dry_run {
        recover(&Runs::new(&context.folders.state)).iter().for_each(|said| context.output.warning(said));
    }
    let survey = context.survey();
    let wish = Wish::of(args);
    let mut seen = prepare(context, &survey, &wish)?;
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
    let done = carry_out(context, &survey, &wish, &mut seen)?;
    print::report(context, &seen, &done, &told)?;
    let complete = done.outcomes.iter().all(|outcome| outcome.failed.is_empty());
    Ok(if done.stopped {
        Status::Interrupted
    } else if complete {
        status_of_plan(&seen)
    } else {
        Status::Failed
    })
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

/// What the user wants, and on what terms; the same for the plan that is shown and the one that is carried out.
struct Wish<'a> {
    args: &'a Clean,
    terms: Terms,
    /// Until when held locks are waited for.
    until: Instant,
}

impl Wish<'_> {
    fn afterwards(&self) -> Afterwards {
        match self.args.keep_undo {
            None => Afterwards::Delete,
            Some(age) => Afterwards::Wait(Timestamp::now().checked_add(age).ok()),
        }
    }
}

impl<'a> Wish<'a> {
    fn of(args: &'a Clean) -> Self {
        let has = |protection| args.force.contains(&protection);
        let nanoseconds = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        let now = nanoseconds(Timestamp::now().as_nanosecond());
        let terms = Terms {
            irreplaceable: has(Protection::Irreplaceable),
            needed: has(Protection::Needed),
            in_use: has(Protection::InUse),
            others: args.include_others,
            grace: Some(Grace { now, age: nanoseconds(args.grace.as_nanos()) }),
        };
        Self { args, terms, until: Instant::now() + Duration::from_secs(args.wait.into()) }
    }
}

/// Looks, selects and plans, without holding any lock.
fn prepare(context: &Context, survey: &Survey, wish: &Wish) -> Result<Prepared, Failure> {
    let (mut found, chosen) = look(context, survey, wish.args)?;
    let mut locks = Locks::probing(wish.until);
    // Whoever had a lock and gave it back while we waited is no user any more.
    for (inventory, chosen) in found.inventories.iter().zip(&chosen) {
        let entries = chosen.iter().flat_map(|chosen| inventory.subtree(chosen.entry));
        entries.for_each(|ix| drop(locks.take(inventory, ix)));
    }
    let open = OpenFiles::look();
    let weights = context.weigh_for_removal(&found, &open);
    let mut advisor = Advisor { survey, locks: &mut locks };
    let plan = plan(&found.inventories, &weights, &chosen, wish.terms, Vec::new(), &mut advisor);
    if plan.roots.iter().any(|root| !root.is_empty()) {
        found.problems.extend(unseen(&open));
    }
    Ok(Prepared::new(found, plan))
}

/// What is to be said where not every use can be seen.
fn unseen(open: &OpenFiles) -> Option<Problem> {
    let message = match open {
        OpenFiles { unknown: true, .. } => "this system does not tell which files are in use".to_owned(),
        OpenFiles { unseen: 0, .. } => return None,
        OpenFiles { unseen: 1, .. } => "one process of another user may not be looked at; it may use what goes".into(),
        OpenFiles { unseen, .. } => {
            format!("{unseen} processes of other users may not be looked at; they may use what goes")
        }
    };
    Some(Problem::new("processes-unseen", message))
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

/// Asks the plugins about indexes, and the lock files about use: holding the locks, or only trying them.
struct Advisor<'a> {
    survey: &'a Survey,
    locks: &'a mut Locks,
}

impl Advice for Advisor<'_> {
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String> {
        self.survey.edits(inventory, cache, ids)
    }

    fn in_use(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String> {
        self.locks.take(inventory, ix)
    }
}

/// Takes the locks, looks again, and removes what is still as it was shown. `seen` becomes what was carried out.
fn carry_out(context: &mut Context, survey: &Survey, wish: &Wish, seen: &mut Prepared) -> Result<Done, Failure> {
    let (_guards, busy) = keep_others_away(seen, wish);
    let mut locks = Locks::holding(wish.until);
    for (inventory, root) in seen.found.inventories.iter().zip(&seen.plan.roots) {
        for removing in &root.remove {
            // Whoever holds one of them is found again below, and the entry stays.
            let _ = locks.take(inventory, removing.entry);
        }
    }
    let (found, chosen) = look(context, survey, wish.args)?;
    let weights = context.weigh_for_removal(&found, &OpenFiles::look());
    let mut held = vec![HeldEntries::new(); found.inventories.len()];
    let approved = loop {
        let mut advisor = Advisor { survey, locks: &mut locks };
        let mut fresh = plan(&found.inventories, &weights, &chosen, wish.terms, held.clone(), &mut advisor);
        let mut stable = true;
        for (at, root) in fresh.roots.iter_mut().enumerate() {
            let shown = approved_for(seen, &found.inventories[at]);
            let mut more = beyond(shown.unwrap_or(&RootPlan::default()), root);
            if let Some(reason) = busy.get(&found.inventories[at].root.identity()) {
                let hold = |it: &Removing| (it.entry, Held { hold: Hold::InUse, reason: reason.clone() });
                more.extend(root.remove.iter().map(hold));
            }
            stable &= more.is_empty();
            held[at].extend(more);
        }
        if stable {
            break fresh;
        }
    };
    let (counters, shown) = context.progress("removing");
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // Without it the signal kills the run, which the next one brings to an end.
        let _ = signal_hook::flag::register(signal, stop.clone());
    }
    let (inventories, roots) = (&found.inventories, &approved.roots);
    let mut held = None;
    let outcomes = if wish.args.no_record {
        let run = |(inventory, root): (&Inventory, &RootPlan)| execute(inventory, root, &counters as &Progress);
        inventories.iter().zip(roots).map(run).collect()
    } else {
        let runs = Runs::new(&context.folders.state);
        let spare_used = !wish.terms.in_use;
        let mut again = |at: usize| Again { claimed: claimed_again(survey, &inventories[at], &roots[at]), spare_used };
        let command = std::env::args().skip(1).collect();
        let removed = remove(&runs, command, (inventories, &approved), &mut again, wish.afterwards(), &counters, &stop);
        let removed = removed.map_err(|error| {
            let failure =
                Failure::new(Status::Failed, format!("nothing was removed, because it could not be recorded: {error}"));
            failure.hint("make DSCC_STATE_DIR writable; `--no-record` removes without a record, and without a way back")
        })?;
        held = removed.held;
        removed.outcomes
    };
    drop(shown);
    *seen = Prepared::new(found, approved);
    Ok(Done { outcomes, held, stopped: stop.load(Relaxed) })
}

/// Lets no other run move things in the roots that this one takes something from, until this one has ended. Why that
/// cannot be is told by root, where another run goes on.
fn keep_others_away(seen: &Prepared, wish: &Wish) -> (Vec<Guard>, HashMap<(u64, u64), String>) {
    let used = seen.found.inventories.iter().zip(&seen.plan.roots).filter(|(_, plan)| !plan.is_empty());
    let mut roots: Vec<_> = used.map(|(inventory, _)| &inventory.root).collect();
    // In the same order in every run: none waits for one that waits for it.
    roots.sort_by_key(|root| root.identity());
    let (mut guards, mut busy) = (Vec::new(), HashMap::new());
    for root in roots {
        match Guard::of(root, wish.until) {
            Ok(guard) => guards.push(guard),
            Err(reason) => drop(busy.insert(root.identity(), reason)),
        }
    }
    (guards, busy)
}

/// The places of what went that something which stays claims by now: somebody downloaded in between.
fn claimed_again(survey: &Survey, inventory: &Inventory, plan: &RootPlan) -> HashSet<RelPath> {
    let shared = |removing: &Removing| !inventory.items[removing.entry].entry.shares.is_empty();
    if !plan.remove.iter().any(shared) {
        return HashSet::new();
    }
    let entries: Vec<EntryIx> = plan.remove.iter().map(|removing| removing.entry).collect();
    survey.claims_now(inventory, &entries)
}

fn approved_for<'a>(seen: &'a Prepared, inventory: &Inventory) -> Option<&'a RootPlan> {
    let same = |it: &Inventory| it.root.identity() == inventory.root.identity();
    let at = seen.found.inventories.iter().position(same)?;
    seen.plan.roots.get(at)
}
