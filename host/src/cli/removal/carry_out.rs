//! Planning without locks, to be shown; and again under the locks, to be carried out.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::clean::{
    Advice, Approved, EntryIx, Held, HeldEntries, Hold, Inventory, Locks, Plan, Removing, RootPlan, Weights, plan,
};
use crate::model::{Edit, Problem, RelPath};
use crate::runs::{Afterwards, Again, Guard, Runs, Watch, remove, remove_unrecorded, sweep};
use crate::survey::Survey;
use crate::tree::OpenFiles;

use super::super::context::Context;
use super::super::exit::Failure;
use super::super::signals::Signals;
use super::{Done, Looked, Prepared, Waiting, Way, Wish};

/// Looks, selects and plans, without holding any lock.
pub(super) fn prepare(context: &Context, survey: &Survey, wish: &dyn Wish, way: Way) -> Result<Prepared, Failure> {
    let mut looked = wish.look(context, survey)?;
    if !wish.how().dry_run {
        // What no record tells of is found only where roots are.
        looked.found.inventories.iter().for_each(|inventory| sweep(&inventory.root));
    }
    let mut locks = Locks::probing(way.until);
    // Whoever had a lock and gave it back while we waited is no user any more.
    for (inventory, chosen) in looked.found.inventories.iter().zip(&looked.chosen) {
        let entries = chosen.iter().flat_map(|chosen| inventory.subtree(chosen.entry));
        entries.for_each(|ix| drop(locks.take(inventory, ix)));
    }
    let open = OpenFiles::look();
    let weights = context.weigh_for_removal(&looked.found, &open);
    let mut advisor = Advisor { survey, locks: &mut locks };
    let plan = plan_within(&looked, &weights, wish, &mut advisor, &|_, _| HeldEntries::new());
    if plan.roots.iter().any(|root| !root.is_empty()) {
        looked.found.problems.extend(unseen(&open));
    }
    Ok(Prepared::new(looked, plan))
}

/// Plans anew until nothing goes that may not, be it for the command's own reasons or because of `limit`.
fn plan_within(
    looked: &Looked,
    weights: &[Weights],
    wish: &dyn Wish,
    advisor: &mut Advisor<'_>,
    limit: &dyn Fn(&Inventory, &mut RootPlan) -> HeldEntries,
) -> Plan {
    let inventories = &looked.found.inventories;
    let mut held = vec![HeldEntries::new(); inventories.len()];
    loop {
        let mut fresh = plan(inventories, weights, &looked.chosen, wish.terms(), held.clone(), advisor);
        let mut stable = true;
        for (at, (inventory, root)) in inventories.iter().zip(&mut fresh.roots).enumerate() {
            let mut more = wish.withheld(inventory, root);
            for (entry, why) in limit(inventory, root) {
                more.entry(entry).or_insert(why);
            }
            stable &= more.is_empty();
            held[at].extend(more);
        }
        if stable {
            return fresh;
        }
    }
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
pub(super) fn carry_out(
    context: &Context,
    survey: &Survey,
    wish: &dyn Wish,
    way: Way,
    seen: &mut Prepared,
) -> Result<Done, Failure> {
    let (_guards, busy) = keep_others_away(seen, way);
    let mut locks = Locks::holding(way.until);
    for (inventory, root) in seen.looked.found.inventories.iter().zip(&seen.plan.roots) {
        for removing in &root.remove {
            // Whoever holds one of them is found again below, and the entry stays.
            let _ = locks.take(inventory, removing.entry);
        }
    }
    let looked = wish.look(context, survey)?;
    let weights = context.weigh_for_removal(&looked.found, &OpenFiles::look());
    let mut advisor = Advisor { survey, locks: &mut locks };
    let shown = |inventory: &Inventory, fresh: &mut RootPlan| {
        let shown = approved_for(seen, inventory).map(Approved::by).unwrap_or_default();
        let mut more = shown.beyond(inventory, fresh);
        if let Some(reason) = busy.get(&inventory.root.identity()) {
            let hold = |it: &Removing| (it.entry, Held { hold: Hold::InUse, reason: reason.clone() });
            more.extend(fresh.remove.iter().map(hold));
        }
        more
    };
    let approved = plan_within(&looked, &weights, wish, &mut advisor, &shown);
    let (done, remarks) = remove_all(context, survey, (wish, way), (&looked, &approved))?;
    *seen = Prepared::new(looked, approved);
    seen.looked.found.problems.extend(remarks.into_iter().map(|remark| Problem::new("journal", remark)));
    Ok(done)
}

/// From here on signals stop the work between two things. What else went wrong comes along.
fn remove_all(
    context: &Context,
    survey: &Survey,
    (wish, way): (&dyn Wish, Way),
    (looked, plan): (&Looked, &Plan),
) -> Result<(Done, Vec<String>), Failure> {
    let signals = Signals::catch();
    let watch = Arc::new(Watch::until(signals.stop()));
    let _shown = context.watch("putting aside", Some(plan.expected().size), &watch);
    let (inventories, roots) = (looked.found.inventories.as_slice(), &plan.roots);
    let runs = Runs::new(&context.folders.state);
    let command: Vec<String> = std::env::args().skip(1).collect();
    let claimed = |at: usize| claimed_again(survey, &inventories[at], &roots[at]);
    let mut again = |at: usize| Again { claimed: claimed(at), spare_used: !wish.terms().in_use };
    let removed = if wish.how().no_record {
        remove_unrecorded(&runs, &command, (inventories, plan), &mut again, &watch)
    } else {
        remove(&runs, command, (inventories, plan), &mut again, way.afterwards, &watch)?
    };
    let why = if removed.afterwards == Afterwards::Delete { Waiting::ForDeletion } else { Waiting::ForUndo };
    let waits = removed.held.map(|run| (run, why));
    Ok((Done { outcomes: removed.outcomes, waits, linked: removed.linked, signal: signals.caught() }, removed.remarks))
}

/// Lets no other run move things in the roots that this one takes something from, until this one has ended. Why that
/// cannot be is told by root, where another run goes on.
fn keep_others_away(seen: &Prepared, way: Way) -> (Vec<Guard>, HashMap<(u64, u64), String>) {
    let used = seen.looked.found.inventories.iter().zip(&seen.plan.roots).filter(|(_, plan)| !plan.is_empty());
    let mut roots: Vec<_> = used.map(|(inventory, _)| &inventory.root).collect();
    // In the same order in every run: none waits for one that waits for it.
    roots.sort_by_key(|root| root.identity());
    let (mut guards, mut busy) = (Vec::new(), HashMap::new());
    for root in roots {
        match Guard::of(root, way.until) {
            Ok(guard) => guards.push(guard),
            Err(reason) => drop(busy.insert(root.identity(), reason)),
        }
    }
    (guards, busy)
}

/// The places of what went that something which stays claims by now: somebody downloaded in between.
fn claimed_again(survey: &Survey, inventory: &Inventory, plan: &RootPlan) -> Result<HashSet<RelPath>, String> {
    let shared = |removing: &Removing| !inventory.items[removing.entry].entry.shares.is_empty();
    if !plan.remove.iter().any(shared) {
        return Ok(HashSet::new());
    }
    survey.claims_now(inventory, plan)
}

fn approved_for<'a>(seen: &'a Prepared, inventory: &Inventory) -> Option<&'a RootPlan> {
    let same = |it: &Inventory| it.root.identity() == inventory.root.identity();
    let at = seen.looked.found.inventories.iter().position(same)?;
    seen.plan.roots.get(at)
}
