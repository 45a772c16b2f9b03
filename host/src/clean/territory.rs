//! Whose each claimed path is, once it is decided who goes.

use hashbrown::{HashMap, HashSet};

use crate::model::PathId;

use super::inventory::Inventory;
use super::plan::{RootPlan, StepKind};
use super::steps::Fate;

/// Which of the entries that go takes each claimed path: the nearest one at or above it, unless something that stays is
/// nearer.
pub(super) struct Territory {
    /// By [`PathId`]: an index into [`RootPlan::remove`].
    pub(super) taker: Vec<Option<usize>>,
    /// The same the other way round.
    pub(super) of_entry: Vec<HashSet<PathId>>,
}

impl Territory {
    pub(super) fn of(inventory: &Inventory, fate: &Fate, plan: &RootPlan) -> Self {
        let mut step_at: HashMap<PathId, usize> = HashMap::new();
        for step in plan.steps.iter().filter(|step| step.kind == StepKind::Claim) {
            if let Some(path) = inventory.paths.find(&step.path) {
                step_at.insert(path, step.removing);
            }
        }
        let mut taker: Vec<Option<usize>> = Vec::with_capacity(inventory.paths.len());
        let mut of_entry: Vec<HashSet<PathId>> = vec![HashSet::new(); plan.remove.len()];
        for path in inventory.paths.ids() {
            let above = inventory.paths.parent(path).and_then(|parent| taker[parent.index()]);
            let here = if fate.kept[path.index()] { None } else { step_at.get(&path).copied().or(above) };
            taker.push(here);
            if let Some(removing) = here {
                of_entry[removing].insert(path);
            }
        }
        Self { taker, of_entry }
    }
}
