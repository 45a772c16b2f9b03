//! Holding a fresh plan to the one that was approved: what was seen is what goes. Under the locks everything is listed
//! again, and an entry that would now take anything with it that the user was not shown stays.

use std::collections::HashSet;

use super::decide::{Held, Hold};
use super::plan::{HeldEntries, RootPlan, StepKind};

/// The entries of the fresh plan that go beyond the approved one. Folders that are empty now and were not then are
/// simply left out.
pub fn beyond(approved: &RootPlan, fresh: &mut RootPlan) -> HeldEntries {
    let entries: HashSet<(&str, &str)> = approved.remove.iter().map(|r| (r.cache.as_str(), r.id.as_str())).collect();
    let steps: HashSet<_> = approved.steps.iter().map(|step| (&step.path, step.identity)).collect();
    fresh.steps.retain(|step| step.kind == StepKind::Claim || steps.contains(&(&step.path, step.identity)));
    let mut held = HeldEntries::new();
    let mut hold = |removing: usize, reason: String| {
        held.entry(fresh.remove[removing].entry).or_insert(Held { hold: Hold::Changed, reason });
    };
    for (removing, entry) in fresh.remove.iter().enumerate() {
        if !entries.contains(&(entry.cache.as_str(), entry.id.as_str())) {
            hold(removing, "it was not in the plan that you saw; run the command again to see it".into());
        }
    }
    for step in &fresh.steps {
        if !steps.contains(&(&step.path, step.identity)) {
            let path = &step.path;
            hold(step.removing, format!("`{path}` changed since you saw the plan; run the command again to see it"));
        }
    }
    held
}
