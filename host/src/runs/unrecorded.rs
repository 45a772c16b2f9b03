//! Removing without a record, where none can be written. The order is the same, and things are taken out of the cache
//! before they are deleted, so that a kill leaves no half of anything in it; but nothing tells where they were, so that
//! the next run can only finish.

use std::collections::HashSet;
use std::sync::atomic::AtomicBool;

use crate::clean::{Inventory, Outcome, RootPlan, execute};
use crate::model::{PathTree, RelPath};
use crate::tree::{Holding, Keep, LinkTally, Progress, Root};

use super::aside::Aside;
use super::removal::purge_part;

/// Carries out the plan for one root without a record. `again` tells what in it is claimed by something that stays, once
/// everything is aside: that is put back.
pub fn remove_unrecorded(
    inventory: &Inventory,
    plan: &RootPlan,
    again: &mut dyn FnMut() -> HashSet<RelPath>,
    progress: &Progress,
    stop: &AtomicBool,
) -> Outcome {
    if plan.is_empty() {
        return Outcome::default();
    }
    let aside = Holding::make_unrecorded(&inventory.root).map(|holding| Aside::new(inventory, plan, holding, stop));
    let Ok(mut aside) = aside else {
        // A full disk may have no room for a folder. What is deleted where it is makes some.
        return execute(inventory, plan, progress);
    };
    let mut outcome = aside.carry_out();
    aside.put_back_claimed(&again(), &mut outcome);
    purge_part(&aside, &mut outcome, progress);
    outcome
}

/// Deletes what killed runs without a record had taken out of a root.
pub fn sweep(root: &Root) {
    for holding in Holding::unrecorded(root) {
        let Ok(place) = holding.as_root() else { continue };
        let (tally, progress) = (LinkTally::default(), Progress::default());
        for name in place.names(&RelPath::root()).unwrap_or_default() {
            let at = RelPath::root().join(&name);
            let Ok(stat) = place.stat(&at) else { continue };
            // What cannot be deleted now is tried again by the next run.
            place.remove(&at, stat.identity, &Keep { paths: &PathTree::default(), kept: &[] }, &tally, &progress);
        }
        let _ = holding.remove_if_empty();
    }
    // Killed earlier it left the folder above, which goes if no run has anything in it.
    Holding::places(root, "none").iter().for_each(|place| Holding::clear_away(place));
}
