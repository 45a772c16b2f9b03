//! One rule of the model of claims in each test.

use std::fs;

use super::world::{World, entry, path};
use crate::clean::{Approved, Held, HeldEntries, Hold, Terms};
use crate::model::{Edit, Listing, Moment, Recovery};

/// A repository `r` with two revisions that share a blob, each with one of its own, and one blob beside.
fn repository() -> World {
    World::new(
        &[
            ("r/snap/1/link", 1),
            ("r/snap/2/link", 1),
            ("r/blob/a", 10),
            ("r/blob/b", 20),
            ("r/blob/ab", 40),
            ("r/x", 80),
        ],
        vec![
            ("", vec![entry("r").owning(&["r"]).with(|it| it.has_children = true)]),
            (
                "r",
                vec![
                    entry("r@1")
                        .owning(&["r/snap/1"])
                        .sharing(&["r/blob/a", "r/blob/ab"])
                        .with(|it| it.keeps_parent = true),
                    entry("r@2")
                        .owning(&["r/snap/2"])
                        .sharing(&["r/blob/b", "r/blob/ab"])
                        .with(|it| it.keeps_parent = true),
                ],
            ),
        ],
    )
}

#[test]
fn what_is_shared_goes_with_its_last_holder_only() {
    let world = repository();
    let plan = world.plan_for(&["r@1"]);
    assert_eq!((plan.roots[0].expected.size, plan.roots[0].shared.size), (11, 40));
    assert_eq!(
        world.clean(&["r@1"]),
        ["r/", "r/blob/", "r/blob/ab", "r/blob/b", "r/snap/", "r/snap/2/", "r/snap/2/link", "r/x"]
    );
}

#[test]
fn the_parent_goes_with_the_last_child_that_keeps_it_and_with_all_that_is_left_in_it() {
    assert_eq!(repository().clean(&["r@1", "r@2"]), [""; 0]);
}

#[test]
fn a_parent_weighs_its_children_and_unique_is_what_would_be_freed() {
    let world = repository();
    let weights = world.weights();
    let of =
        |id: &str| (weights.entry(&world.inventory, world.ix(id)).size, weights.unique(&world.inventory, world.ix(id)));
    assert_eq!((of("r"), of("r@1"), of("r@2")), ((152, 152), (51, 11), (61, 21)));
}

#[test]
fn a_child_in_use_keeps_its_parent_and_its_shares_but_not_its_siblings() {
    let world = repository();
    let held = Held { hold: Hold::InUse, reason: "busy".into() };
    let plan = world.plan(world.chosen(&["r"]), Terms::default(), HeldEntries::from([(world.ix("r@2"), held)]));
    let ids: Vec<&str> = plan.roots[0].remove.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["r@1"]);
    let kept: Vec<_> = plan.roots[0].keep.iter().map(|it| (it.id.as_str(), it.held.hold)).collect();
    assert_eq!(kept, [("r", Hold::Holds), ("r@2", Hold::InUse)]);
    world.execute(&plan);
    assert!(world.left().contains(&"r/blob/ab".into()) && !world.left().contains(&"r/blob/a".into()));
}

#[test]
fn children_go_before_their_parents_and_references_before_content() {
    let world = repository();
    let steps: Vec<String> = world.plan_for(&["r"]).roots[0].steps.iter().map(|step| step.path.to_string()).collect();
    assert_eq!(steps, ["r/snap/1", "r/snap/2", "r"]);
    let world = repository();
    let steps: Vec<String> = world.plan_for(&["r@1"]).roots[0].steps.iter().map(|step| step.path.to_string()).collect();
    assert_eq!(steps, ["r/snap/1", "r/blob/a"]);
}

#[test]
fn what_is_shared_goes_after_the_last_of_those_who_share_it() {
    let levels = vec![("", vec![entry("a").owning(&["a"]).sharing(&["s"]), entry("b").owning(&["b"]).sharing(&["s"])])];
    let world = World::new(&[("a", 1), ("b", 2), ("s", 4)], levels);
    let steps: Vec<String> = world.plan_for(&["a", "b"]).roots[0].steps.iter().map(|it| it.path.to_string()).collect();
    assert_eq!(steps, ["a", "b", "s"]);
}

#[test]
fn after_a_failure_nothing_goes_that_had_to_go_after_it() {
    let child = |id: &str, path: &str| entry(id).owning(&[path]).sharing(&["s"]);
    let world = World::new(
        &[("p/1", 1), ("p/2", 2), ("s", 4)],
        vec![
            ("", vec![entry("p").owning(&["p"]).with(|it| it.has_children = true)]),
            ("p", vec![child("p/1", "p/1"), child("p/2", "p/2")]),
        ],
    );
    let plan = world.plan_for(&["p"]);
    let root = world.dir.path().join("root");
    fs::rename(root.join("p/1"), root.join("moved")).unwrap();
    fs::create_dir(root.join("p/1")).unwrap();
    let outcome = world.execute(&plan);
    assert_eq!(world.left(), ["moved", "p/", "p/1/", "s"], "neither the folder nor what both shared");
    let gone: Vec<&str> = outcome.removed.iter().map(|&at| plan.roots[0].remove[at].id.as_str()).collect();
    assert!(gone.is_empty() && outcome.freed.size == 2, "{gone:?}");
}

#[test]
fn what_others_claim_beneath_a_folder_that_goes_stays() {
    let world = World::new(
        &[("a/1", 1), ("a/b/2", 2), ("a/b/c/3", 4), ("a/s", 8)],
        vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["a/b/c"]).sharing(&["a/s"])])],
    );
    assert_eq!(world.plan_for(&["a"]).roots[0].expected.size, 3);
    assert_eq!(world.clean(&["a"]), ["a/", "a/b/", "a/b/c/", "a/b/c/3", "a/s"]);
}

#[test]
fn folders_left_empty_go_but_not_the_root_nor_what_somebody_claims() {
    let world = World::new(
        &[("d/e/f/1", 1), ("claimed/2", 2), ("other/3", 3), ("other/4", 4)],
        vec![(
            "",
            vec![
                entry("deep").owning(&["d/e/f/1"]),
                entry("file").owning(&["claimed/2"]),
                entry("folder").owning(&["claimed"]),
                entry("one").owning(&["other/3"]),
            ],
        )],
    );
    assert_eq!(world.clean(&["deep", "file", "one"]), ["claimed/", "other/", "other/4"]);
}

#[test]
fn a_folder_goes_after_the_last_thing_in_it_however_many_went_before() {
    let entries = vec![entry("a").owning(&["a/1/2/3/f"]), entry("x").owning(&["b/x"]), entry("y").owning(&["b/y"])];
    let world = World::new(&[("a/1/2/3/f", 1), ("b/x", 1), ("b/y", 1)], vec![("", entries)]);
    assert_eq!(world.clean(&["a", "x", "y"]), [""; 0]);
}

#[test]
fn what_an_entry_that_stays_needs_stays_too_until_forced() {
    let levels = || {
        vec![(
            "",
            vec![
                entry("target")
                    .owning(&["t"])
                    .with(|it| it.attributes = vec![("together".into(), "or all is lost".into())]),
                entry("link").owning(&["l"]).with(|it| it.needs = vec!["t/inside".into()]),
                entry("chain").owning(&["c"]).with(|it| it.needs = vec!["l".into()]),
            ],
        )]
    };
    let files = [("t/inside", 1), ("l", 2), ("c", 4)];
    let world = World::new(&files, levels());
    let plan = world.plan_for(&["target", "link"]);
    assert!(plan.roots[0].is_empty());
    let kept: Vec<_> = plan.roots[0].keep.iter().map(|it| (it.id.as_str(), it.held.hold)).collect();
    assert_eq!(kept, [("target", Hold::Needed), ("link", Hold::Needed)]);
    let reason = &plan.roots[0].keep[0].held.reason;
    assert_eq!(reason, "`link` stays and needs it: or all is lost (`--force needed` lifts this)");
    assert_eq!(World::new(&files, levels()).clean(&["target", "link", "chain"]), [""; 0]);
    let forced = world.plan(world.chosen(&["target"]), Terms { needed: true, ..Terms::default() }, HeldEntries::new());
    assert_eq!(forced.roots[0].expected.size, 1);
}

#[test]
fn an_absolute_need_protects_the_place_in_the_root_it_leads_to() {
    let mut world = World::new(&[("t/1", 1), ("l", 2)], vec![]);
    let need = world.dir.path().join("root/t").to_str().unwrap().to_owned();
    let entries = vec![entry("target").owning(&["t"]), entry("link").owning(&["l"]).with(|it| it.needs = vec![need])];
    world.inventory.add(0, None, Listing { entries, ..Listing::default() });
    assert_eq!(world.plan_for(&["target"]).roots[0].keep[0].held.hold, Hold::Needed);
}

#[test]
fn irreplaceable_goes_only_named_and_forced_and_uncertain_only_named() {
    let world = World::new(
        &[("i", 1), ("u", 2), ("d", 4)],
        vec![(
            "",
            vec![
                entry("i").owning(&["i"]).with(|it| it.recovery = Recovery::Irreplaceable),
                entry("u").owning(&["u"]).with(|it| it.recovery = Recovery::Uncertain),
                entry("d").owning(&["d"]),
            ],
        )],
    );
    let expected = |ids: &[&str], irreplaceable| {
        let force = Terms { irreplaceable, needed: true, ..Terms::default() };
        world.plan(world.chosen(ids), force, HeldEntries::new()).roots[0].expected.size
    };
    assert_eq!(expected(&["*i", "*u", "*d"], true), 4);
    assert_eq!(expected(&["i", "u", "d"], false), 6);
    assert_eq!(expected(&["i", "u", "d"], true), 7);
}

#[test]
fn an_irreplaceable_part_keeps_the_whole_but_not_the_other_parts() {
    let world = World::new(
        &[("p/own", 1), ("p/mine", 2), ("p/theirs", 4)],
        vec![
            ("", vec![entry("p").owning(&["p"]).with(|it| it.has_children = true)]),
            (
                "p",
                vec![
                    entry("p/mine").owning(&["p/mine"]).with(|it| it.recovery = Recovery::Irreplaceable),
                    entry("p/theirs").owning(&["p/theirs"]),
                ],
            ),
        ],
    );
    assert_eq!(world.clean(&["*p"]), ["p/", "p/mine", "p/own"]);
}

#[test]
fn nothing_is_freed_for_want_of_holders_at_a_level_that_was_not_read_completely() {
    let mut world = repository();
    let parent = world.ix("r");
    world.inventory.items[parent].incomplete = true;
    let plan = world.plan_for(&["r@1", "r@2"]);
    assert_eq!(plan.roots[0].expected.size, 2, "only the two links");
    assert!(plan.roots[0].remove.iter().all(|it| it.id != "r"), "the parent may hold more than was seen");
    let whole = world.plan_for(&["r"]);
    assert_eq!(whole.roots[0].keep[0].held.hold, Hold::Unknown, "who knows what else would go");
}

#[test]
fn an_unreadable_neighbour_costs_nothing_that_lies_in_an_entrys_own_place() {
    let mut world = repository();
    world.inventory.caches[0].incomplete = true;
    assert_eq!(world.plan_for(&["r@1"]).roots[0].expected.size, 11);
    assert_eq!(world.clean(&["r"]), [""; 0]);
}

#[test]
fn what_lies_beside_stays_if_a_neighbour_that_cannot_be_read_may_hold_it() {
    let levels = vec![("", vec![entry("a").owning(&["a"]).sharing(&["pool"])])];
    let mut world = World::new(&[("a", 1), ("pool", 2)], levels);
    world.inventory.caches[0].incomplete = true;
    assert_eq!(world.clean(&["a"]), ["pool"]);
}

#[test]
fn an_entry_whose_children_could_not_be_listed_stays() {
    let world =
        World::new(&[("p/1", 1)], vec![("", vec![entry("p").owning(&["p"]).with(|it| it.has_children = true)])]);
    assert_eq!(world.plan_for(&["p"]).roots[0].keep[0].held.hold, Hold::Unknown);
}

#[test]
fn hard_links_weigh_once_and_are_freed_only_with_all_of_their_names() {
    let world =
        World::new(&[("a/1", 100), ("b/", 0)], vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["b"])])]);
    let root = world.dir.path().join("root");
    fs::hard_link(root.join("a/1"), root.join("b/1")).unwrap();
    assert_eq!(world.plan_for(&["a"]).roots[0].expected.size, 0);
    assert_eq!(world.plan_for(&["a", "b"]).roots[0].expected.size, 100);
    fs::hard_link(root.join("a/1"), world.dir.path().join("elsewhere")).unwrap();
    let plan = world.plan_for(&["a", "b"]);
    assert_eq!(plan.roots[0].expected.size, 0);
    assert_eq!(world.execute(&plan).freed.size, 0);
}

#[test]
fn an_index_loses_the_records_and_one_that_goes_itself_is_left_alone() {
    let mut world = World::new(
        &[("a", 1), ("b", 2), ("keep.index", 0), ("b.index", 3)],
        vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["b", "b.index"])])],
    );
    let root = world.dir.path().join("root");
    fs::write(root.join("keep.index"), "a\nb\nc\n").unwrap();
    let edit = |file: &str| Edit { file: path(file), at: Moment::After, drop_lines: vec!["a".into(), "b".into()] };
    world.edits = vec![edit("keep.index"), edit("b.index")];
    let plan = world.plan_for(&["a", "b"]);
    assert_eq!(plan.roots[0].edits.len(), 1);
    world.execute(&plan);
    assert_eq!(fs::read_to_string(root.join("keep.index")).unwrap(), "c\n");
}

#[test]
fn an_edit_of_a_file_that_the_manifest_does_not_declare_keeps_the_entries() {
    let mut world = World::new(&[("a", 1), ("config", 5)], vec![("", vec![entry("a").owning(&["a"])])]);
    world.edits = vec![Edit { file: path("config"), at: Moment::Before, drop_lines: vec!["x".into()] }];
    let plan = world.plan_for(&["a"]);
    assert!(plan.roots[0].is_empty() && plan.roots[0].keep[0].held.hold == Hold::Unadvised);
}

#[test]
fn a_path_that_was_replaced_after_the_plan_is_left_alone_and_told() {
    let world =
        World::new(&[("a/1", 1), ("b", 2)], vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["b"])])]);
    let plan = world.plan_for(&["a", "b"]);
    let root = world.dir.path().join("root");
    fs::rename(root.join("a"), root.join("elsewhere")).unwrap();
    fs::create_dir(root.join("a")).unwrap();
    fs::write(root.join("a/new"), "new").unwrap();
    let outcome = world.execute(&plan);
    assert_eq!((outcome.removed.len(), outcome.failed.len(), outcome.freed.size), (1, 1, 2));
    assert_eq!(world.left(), ["a/", "a/new", "elsewhere/", "elsewhere/1"]);
}

#[test]
fn a_fresh_plan_that_wants_more_than_was_shown_keeps_that_entry() {
    let world =
        World::new(&[("a", 1), ("b", 2)], vec![("", vec![entry("a").owning(&["a"]), entry("b").owning(&["b"])])]);
    let shown = world.plan_for(&["a", "b"]);
    let root = world.dir.path().join("root");
    fs::remove_file(root.join("b")).unwrap();
    fs::create_dir(root.join("b")).unwrap(); // a folder for certain has another inode kind
    let mut fresh = world.plan_for(&["a", "b"]);
    let held = Approved::by(&shown.roots[0]).beyond(&world.inventory, &mut fresh.roots[0]);
    assert_eq!(held.into_keys().collect::<Vec<_>>(), [world.ix("b")]);
}
