//! Whole runs over roots that a test makes: what the second look finds decides.

use std::collections::HashSet;

use crate::clean::tests::world::{World, entry, path};
use crate::model::RelPath;
use crate::tree::Progress;

use crate::runs::{Afterwards, Again, Removed, Runs, Watch, put_back, remove};

pub(super) fn world() -> World {
    let entries = vec![
        entry("a").owning(&["a"]).sharing(&["blobs/shared"]),
        entry("b").owning(&["b"]).sharing(&["blobs/shared"]),
        entry("c").owning(&["c"]),
    ];
    World::new(&[("a/x", 10), ("b/x", 20), ("c/x", 40), ("blobs/shared", 100)], vec![("", entries)])
}

/// Removes all but `c`, with this for the answer of the second look.
fn remove_all_but_c(world: &World, again: Result<HashSet<RelPath>, String>) -> Removed {
    let plan = world.plan_for(&["a", "b"]);
    let runs = Runs::new(&world.dir.path().join("state"));
    let mut again = Some(again);
    let removed = remove(
        &runs,
        vec!["clean".into()],
        (std::slice::from_ref(&world.inventory), &plan),
        &mut |_| Again { claimed: again.take().unwrap(), spare_used: true },
        Afterwards::Delete,
        &Watch::default(),
    );
    removed.unwrap()
}

#[test]
fn what_somebody_holds_again_is_put_back_and_the_rest_goes() {
    let world = world();
    let removed = remove_all_but_c(&world, Ok(HashSet::from([path("blobs/shared")])));
    let outcome = &removed.outcomes[0];
    assert_eq!((world.left().join(" ").as_str(), outcome.freed.size), ("blobs/ blobs/shared c/ c/x", 30));
    let why = outcome.failed[0].consequence.as_deref().unwrap();
    assert!(outcome.failed.len() == 1 && why.contains("uses it by now"), "{:?}", outcome.failed);
}

#[test]
fn if_the_second_look_fails_everything_is_put_back() {
    let world = world();
    let before = world.contents();
    let removed = remove_all_but_c(&world, Err("the plugin trapped".into()));
    let outcome = &removed.outcomes[0];
    assert_eq!((world.contents(), outcome.freed.size), (before, 0));
    assert!(outcome.removed.is_empty() && removed.held.is_none(), "{:?}", outcome.removed);
    let why = outcome.failed[0].consequence.as_deref().unwrap();
    assert!(why.contains("not known") && why.contains("the plugin trapped"), "{why}");
}

#[test]
fn what_was_to_be_put_back_and_cannot_be_waits_and_is_not_deleted() {
    let world = world();
    let root = world.dir.path().join("root");
    let plan = world.plan_for(&["a", "b"]);
    let runs = Runs::new(&world.dir.path().join("state"));
    let mut again = |_| {
        std::fs::create_dir_all(root.join("blobs/shared/in/the/way")).unwrap();
        Again { claimed: Ok(HashSet::from([path("blobs/shared")])), spare_used: true }
    };
    let what = (std::slice::from_ref(&world.inventory), &plan);
    let removed = remove(&runs, vec![], what, &mut again, Afterwards::Delete, &Watch::default()).unwrap();
    assert_eq!((removed.outcomes[0].freed.size, removed.afterwards), (0, Afterwards::Wait(None)));
    std::fs::remove_dir_all(root.join("blobs")).unwrap();
    let (run, record) = runs.take_over(&removed.held.unwrap()).unwrap().unwrap();
    assert_eq!(put_back(run, &record, &Progress::default()).unwrap().left, []);
    assert_eq!(world.bytes(), 170);
}
