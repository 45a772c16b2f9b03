//! Removing without a record, where none can be written. The order is the same, and things are taken out of the cache
//! before they are deleted, so that a kill leaves no half of anything in it; but nothing tells where they were, so that
//! the next run can only finish.

use crate::clean::{Inventory, Outcome, RootPlan, execute_part};
use crate::model::{PathTree, RelPath};
use crate::tree::{Holding, Keep, LinkTally, Progress, Root};

use super::aside::Aside;
use super::removal::{Again, purge_part, put_part_aside};
use super::watch::Watch;

/// Carries out the plan for one root. What else is to be said comes along.
pub(super) fn remove_part(
    (inventory, plan): (&Inventory, &RootPlan),
    again: &mut dyn FnMut() -> Again,
    tally: &LinkTally,
    watch: &Watch,
) -> (Outcome, Option<String>) {
    if plan.is_empty() {
        return (Outcome::default(), None);
    }
    let root = Some(&inventory.root).filter(|root| !root.is_layered());
    let holding = root.and_then(|root| Holding::make_unrecorded(root).ok());
    let Some(mut aside) = holding.map(|holding| Aside::new(inventory, plan, holding, watch)) else {
        // A full disk may have no room for a folder: what is deleted where it is makes some. An overlay may not move it.
        return (execute_part((inventory, plan), tally, &watch.deleted, watch.stop()), None);
    };
    let mut outcome = put_part_aside(&mut aside, again);
    if aside.stuck {
        // What was to be put back and could not be must not be deleted, by nobody.
        let place = aside.holding.keep().unwrap_or_else(|_| aside.holding.path().to_owned());
        return (outcome, Some(format!("what could not be put back is in `{}`: it is yours to move", place.display())));
    }
    purge_part(&aside, &mut outcome, tally, watch);
    (outcome, None)
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
