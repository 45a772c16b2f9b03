//! Files with several names, some of which nobody knew of when the plan was made.

use std::fs;
use std::sync::atomic::AtomicBool;

use super::world::{World, entry};
use crate::clean::execute;
use crate::tree::{LinkTally, Progress};

#[test]
fn a_name_that_a_file_got_after_the_plan_is_seen_and_its_bytes_are_not_freed() {
    let world = World::new(&[("a/f", 100), ("a/g", 7)], vec![("", vec![entry("a").owning(&["a"])])]);
    let root = world.dir.path().join("root");
    fs::hard_link(root.join("a/g"), world.dir.path().join("known")).unwrap();
    let plan = world.plan_for(&["a"]);
    assert_eq!((plan.expected().size, plan.linked.size), (100, 7));
    fs::hard_link(root.join("a/f"), world.dir.path().join("new")).unwrap();
    let tally = LinkTally::default();
    let outcomes =
        execute(std::slice::from_ref(&world.inventory), &plan, &tally, &Progress::default(), &AtomicBool::new(false));
    assert_eq!((outcomes[0].freed.size, tally.linked()), (0, 107));
}

#[test]
fn a_file_is_freed_with_its_last_name_whatever_entries_and_roots_the_names_were_in() {
    let levels = || vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["b"])])];
    let (one, other) = (World::new(&[("a", 100), ("b", 1)], levels()), World::new(&[("a", 30)], levels()));
    let of = |world: &World, name: &str| world.dir.path().join("root").join(name);
    fs::hard_link(of(&one, "a"), of(&other, "b")).unwrap();
    fs::hard_link(of(&other, "a"), other.dir.path().join("elsewhere")).unwrap();
    let (weights, chosen) = ([one.weights(), other.weights()], [one.chosen(&["a"]), other.chosen(&["a", "b"])]);
    let inventories = [one.inventory, other.inventory];
    let mut advice = super::world::Fixed(vec![]);
    let plan = crate::clean::plan(&inventories, &weights, &chosen, Default::default(), vec![], &mut advice);
    assert_eq!((plan.expected().size, plan.across.size, plan.linked.size), (100, 100, 30));
    let tally = LinkTally::default();
    let outcomes = execute(&inventories, &plan, &tally, &Progress::default(), &AtomicBool::new(false));
    let freed: Vec<u64> = outcomes.iter().map(|outcome| outcome.freed.size).collect();
    assert_eq!((freed, tally.linked()), (vec![0, 100], 30), "with the root that had the last name");
}
