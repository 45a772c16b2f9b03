//! Entries that would go and have to stay because of what the measuring pass met at their places: processes that use
//! them, changes of a moment ago, things of other users, folders in which nothing can be removed.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::model::{PathId, RelPath, State};
use crate::tree::{Hindrance, Obstacle};

use super::decide::{Decision, Grace, Held, Hold, Terms};
use super::inventory::Inventory;
use super::plan::{HeldEntries, RootPlan};
use super::territory::Territory;
use super::weigh::Weights;

/// The entries that have to stay.
pub(super) fn hindered(
    inventory: &Inventory,
    weights: &Weights,
    decision: &Decision,
    plan: &RootPlan,
    territory: &Territory,
    terms: Terms,
) -> HeldEntries {
    let mut found = HeldEntries::new();
    let mut hold = |removing: usize, hold: Hold, reason: String| {
        found.entry(plan.remove[removing].entry).or_insert(Held { hold, reason });
    };
    if let Some((kind, reason)) = of_root(inventory, terms) {
        (0..plan.remove.len()).for_each(|removing| hold(removing, kind, reason.into()));
    }
    for hindrance in weights.measure().hindrances.iter().filter(|it| counts(&it.obstacle, terms)) {
        for removing in concerned(hindrance, plan, territory) {
            hold(removing, kind(&hindrance.obstacle), reason(hindrance));
        }
    }
    for (path, error) in &weights.measure().unreadable {
        for removing in inside(path, plan) {
            hold(removing, Hold::Hindered, format!("`{path}` in it cannot be looked into: {error}"));
        }
    }
    let is_remote = inventory.root.is_remote();
    for (removing, paths) in territory.of_entry.iter().enumerate() {
        let entry = &inventory.items[plan.remove[removing].entry].entry;
        let named = decision.named.contains(&plan.remove[removing].entry);
        let spared = terms.in_use || (named && entry.state != State::Partial);
        let grace = terms.grace.filter(|_| !spared);
        let changed = || weights.sum(paths).changed;
        if let Some(reason) = grace.and_then(|grace| too_young(grace, is_remote, changed()?)) {
            hold(removing, Hold::Young, reason);
        }
    }
    found
}

/// What is in use and goes all the same, because the user insisted: one reason for each entry.
pub(super) fn forced(
    weights: &Weights,
    plan: &RootPlan,
    territory: &Territory,
    terms: Terms,
) -> BTreeMap<usize, String> {
    let mut found = BTreeMap::new();
    let used = |it: &&Hindrance| terms.in_use && matches!(it.obstacle, Obstacle::Used(_));
    for hindrance in weights.measure().hindrances.iter().filter(used) {
        for removing in concerned(hindrance, plan, territory) {
            found.entry(removing).or_insert_with(|| format!("{} {}", place(&hindrance.path), hindrance.obstacle));
        }
    }
    found
}

fn of_root(inventory: &Inventory, terms: Terms) -> Option<(Hold, &'static str)> {
    if inventory.root.is_read_only() {
        let reason = "its file system is mounted read-only; mount it for writing (`mount -o remount,rw`) and try again";
        Some((Hold::Hindered, reason))
    } else if !terms.others && inventory.root.is_exposed() {
        let reason = "everybody may change this folder, and you are root: clean it as its owner, or with \
                      `--include-others`";
        Some((Hold::Hindered, reason))
    } else {
        None
    }
}

/// Whether an obstacle is one on these terms.
fn counts(obstacle: &Obstacle, terms: Terms) -> bool {
    match obstacle {
        Obstacle::Used(_) => !terms.in_use,
        Obstacle::Foreign(_) => !terms.others,
        Obstacle::Protected | Obstacle::Sealed | Obstacle::Closed | Obstacle::Sticky => true,
    }
}

/// The entries that go and meet it: the one that takes the place, and those with something directly in the folder.
fn concerned<'a>(
    hindrance: &'a Hindrance,
    plan: &'a RootPlan,
    territory: &'a Territory,
) -> impl Iterator<Item = usize> + 'a {
    let taker = territory.taker.get(PathId::index(hindrance.bucket)).copied().flatten();
    let in_folder = plan
        .steps
        .iter()
        .filter(|step| hindrance.obstacle.is_of_folder() && step.path.parent().as_ref() == Some(&hindrance.path));
    taker.into_iter().chain(in_folder.map(|step| step.removing))
}

/// The entries that would take a place along.
fn inside<'a>(path: &'a RelPath, plan: &'a RootPlan) -> impl Iterator<Item = usize> + 'a {
    plan.steps.iter().filter(|step| path.starts_with(&step.path)).map(|step| step.removing)
}

fn kind(obstacle: &Obstacle) -> Hold {
    if matches!(obstacle, Obstacle::Used(_)) { Hold::InUse } else { Hold::Hindered }
}

fn reason(Hindrance { path, obstacle, .. }: &Hindrance) -> String {
    let way_out = match obstacle {
        Obstacle::Used(_) => "; end it and try again (`--force in-use` lifts this)",
        Obstacle::Foreign(_) => "; `--include-others` lifts this",
        Obstacle::Protected | Obstacle::Sealed => "; `chattr -i -a` takes the mark off",
        Obstacle::Closed => "; make it writable (`chmod u+w`), or ask its owner",
        Obstacle::Sticky => "; ask its owner",
    };
    format!("{} {obstacle}{way_out}", place(path))
}

fn place(path: &RelPath) -> String {
    if path.is_root() { "the cache's folder".to_owned() } else { format!("`{path}`") }
}

/// The same words for all that is too young: what stays for one reason is told together.
fn too_young(grace: Grace, is_remote: bool, changed: i64) -> Option<String> {
    let least = grace.least(is_remote);
    (grace.now.saturating_sub(changed) < least).then(|| {
        let least = SignedDuration::from_secs(least / 1_000_000_000);
        let place = if is_remote { ", on a file system that other machines may use" } else { "" };
        format!("it changed less than {least:#} ago{place}, and may be in the making (`--grace 0s` lifts this)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_other_machines_may_be_at_work_things_must_be_older_to_go() {
        let hours = |number: i64| number * 3_600_000_000_000;
        let grace = Grace { now: hours(100), age: None };
        let two_hours_old = hours(98);
        assert_eq!(too_young(grace, false, two_hours_old), None);
        assert!(too_young(grace, true, two_hours_old).unwrap().contains("other machines"));
        assert_eq!(too_young(grace, true, hours(76)), None);
    }
}
