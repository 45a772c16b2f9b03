//! Several caches in one root, of one plugin or of several: each byte has one owner, and nobody takes another's.

use std::collections::BTreeMap;
use std::fs;

use proptest::prelude::*;

use super::world::{World, entry, path};
use crate::clean::{Hold, union};
use crate::model::{Edit, Entry, Listing, Moment};

/// Two repositories of the first plugin, in the second one a blob, and a file that nobody claims.
fn hub() -> World {
    let files = [("models--x/blobs/1", 1), ("models--x/blobs/2", 2), ("models--y/1", 4), ("pool/1", 8), ("stray", 16)];
    let entries = vec![entry("x").owning(&["models--x"]).sharing(&["pool/1"]), entry("y").owning(&["models--y/1"])];
    World::new(&files, vec![("", entries)])
}

/// The sizes of all caches, what is unclaimed in each, and all of it together.
fn figures(world: &World) -> (Vec<u64>, Vec<u64>, u64) {
    let (inventory, weights) = (&world.inventory, world.weights());
    let caches = 0..inventory.caches.len();
    let sizes = caches.clone().map(|cache| weights.cache(inventory, cache).size).collect();
    let unclaimed = caches.map(|cache| weights.unclaimed(cache).size).collect();
    (sizes, unclaimed, union(std::slice::from_ref(inventory), std::slice::from_ref(&weights)).size)
}

#[test]
fn disjoint_claims_add_up_and_what_nobody_claims_counts_once() {
    let mut world = hub();
    fs::write(world.dir.path().join("root/old"), vec![0; 32]).unwrap();
    assert_eq!(world.join("q", "d", "", vec![entry("old").owning(&["old"])]), [""; 0]);
    assert_eq!(figures(&world), (vec![31, 32], vec![16, 0], 63));
    assert_eq!(figures(&world).2, world.bytes());
    let others: Vec<String> = world.left().into_iter().filter(|name| name != "old").collect();
    assert_eq!(world.clean(&["old"]), others);
}

#[test]
fn an_entry_that_claims_anothers_place_or_one_in_it_or_around_it_is_left_out() {
    for claim in ["models--x", "models--x/blobs/1", "models--x/nothing", "pool/1", "pool", "models--y", "models--y/1"] {
        for entry_of in [|claim| entry("fake").owning(&[claim]), |claim| entry("fake").sharing(&[claim])] {
            let mut world = hub();
            let kept = entry("mine").owning(&["stray"]);
            let remarks = world.join("q", "d", "", vec![entry_of(claim), kept]);
            assert_eq!(remarks, ["1 entry is left out, because p claims the same place: `fake`"], "{claim}");
            assert_eq!(world.inventory.find(1, "fake"), None);
            assert_eq!(figures(&world), (vec![15, 16], vec![0, 0], 31), "{claim}");
            let others: Vec<String> = world.left().into_iter().filter(|name| name != "stray").collect();
            assert_eq!(world.clean(&["mine"]), others, "{claim}");
        }
    }
}

#[test]
fn many_entries_that_are_left_out_are_one_remark_and_those_beside_them_stay() {
    let mut world = hub();
    let fakes = (1..=3).map(|n| entry(&format!("fake{n}")).owning(&[&format!("models--x/blobs/{n}")]));
    let beside = ["models--xx", "models", "stray", "pool/2", "models--y/2"].map(|at| entry(at).owning(&[at]));
    let remarks = world.join("q", "d", "", fakes.chain(beside).chain([entry("record")]).collect());
    assert_eq!(remarks, ["3 entries are left out, because p claims the same places: the first is `fake1`"]);
    assert_eq!(world.inventory.caches[1].top.len(), 6);
}

#[test]
fn the_caches_of_one_plugin_may_lie_in_each_other() {
    let mut world = hub();
    assert_eq!(world.join("p", "d", "", vec![entry("inner").owning(&["models--x/blobs"])]), [""; 0]);
    assert_eq!(figures(&world), (vec![28, 3], vec![16, 0], 31));
}

#[test]
fn what_was_left_out_claims_nothing_from_a_third() {
    let mut world = hub();
    world.join("q", "d", "", vec![entry("fake").owning(&["models--x", "stray"])]);
    assert_eq!(world.join("s", "e", "", vec![entry("mine").owning(&["stray"])]), [""; 0]);
    let remarks = world.join("t", "f", "", vec![entry("late").owning(&["stray"])]);
    assert_eq!(remarks, ["1 entry is left out, because s claims the same place: `late`"]);
}

#[test]
fn nothing_of_a_later_plugin_goes_while_the_first_ones_claims_are_not_all_known() {
    let mut world = hub();
    world.inventory.caches[0].incomplete = true;
    let parent = entry("mine").owning(&["stray"]).with(|it| {
        it.has_children = true;
        it.reclaim = Some("old".into());
    });
    world.join("q", "d", "", vec![parent]);
    let mine = world.ix("mine");
    let child = entry("mine/1").owning(&["stray"]);
    world.inventory.add(1, Some(mine), Listing { entries: vec![child], ..Listing::default() });
    for id in ["mine", "mine/1"] {
        let plan = world.plan_for(&[id]);
        assert!(plan.roots[0].is_empty() && plan.roots[0].keep[0].held.hold == Hold::Unknown, "{id}");
    }
    assert_eq!(world.inventory.items[mine].entry.reclaim, None);
    assert!(!world.clean(&["y"]).contains(&"models--y/1".to_owned()), "the first one's own is as it was");
}

#[test]
fn no_records_are_dropped_from_an_index_that_an_earlier_plugin_claims() {
    let mut world = hub();
    fs::write(world.dir.path().join("root/a.index"), "a\n").unwrap();
    world.inventory.add(0, None, Listing { entries: vec![entry("a").owning(&["a.index"])], ..Listing::default() });
    world.join("q", "d", "", vec![entry("mine").owning(&["stray"])]);
    world.edits = vec![Edit { file: path("a.index"), at: Moment::After, drop_lines: vec!["a".into()] }];
    let plan = world.plan_for(&["mine"]);
    assert!(plan.roots[0].is_empty(), "{:?}", plan.roots[0].remove);
    let reason = &plan.roots[0].keep[0].held.reason;
    assert!(reason.contains("`q`") && reason.contains("`a.index`, which belongs to p"), "{reason}");
    let own = world.plan_for(&["y"]);
    assert_eq!(own.roots[0].edits.len(), 1, "the one whose it is may");
}

#[test]
fn a_deeper_cache_has_its_own_unclaimed_bytes_unless_an_entry_claims_all_of_it() {
    let files = [("deep/1", 1), ("deep/stray", 2), ("a/in/1", 4), ("stray", 8)];
    let mut world = World::new(&files, vec![("", vec![entry("a").owning(&["a"])])]);
    world.join("q", "d", "deep", vec![entry("one").owning(&["deep/1"])]);
    world.join("q", "e", "a/in", vec![]);
    world.join("s", "f", "deep", vec![]);
    assert_eq!(figures(&world), (vec![12, 3, 0, 0], vec![8, 2, 0, 0], 15));
    let weights = world.weights();
    assert_eq!(weights.entry(&world.inventory, world.ix("a")).size, 4);
}

#[test]
fn a_hard_link_between_two_roots_counts_once_in_all() {
    let (one, other) = (hub(), hub());
    fs::hard_link(one.dir.path().join("root/stray"), other.dir.path().join("root/models--y/link")).unwrap();
    let worlds = [one, other];
    let weights = [worlds[0].weights(), worlds[1].weights()];
    let sizes = [0, 1].map(|at: usize| weights[at].cache(&worlds[at].inventory, 0).size);
    assert_eq!(sizes, [31, 47]);
    let [one, other] = worlds;
    let inventories = [one.inventory, other.inventory];
    assert_eq!(union(&inventories, &weights).size, 31 + 31);
}

#[test]
fn children_stay_within_what_their_parent_owns_or_shares() {
    let world = hub();
    let check = |child: Entry| {
        let listing = Listing { entries: vec![entry("x/0").owning(&["models--x"]), child], ..Listing::default() };
        world.inventory.check_children(world.ix("x"), &listing)
    };
    for within in ["models--x", "models--x/blobs/1", "models--x/new", "pool/1", "pool/1/deeper"] {
        assert_eq!(check(entry("x/1").owning(&[within])), Ok(()), "{within}");
        assert_eq!(check(entry("x/1").sharing(&[within])), Ok(()), "{within}");
    }
    for beside in ["models--y", "models--xx", "models", "pool", "pool/2"] {
        let error = check(entry("x/1").owning(&["models--x/1", beside])).unwrap_err();
        assert_eq!(error, format!("`x/1` owns `{beside}`, which its parent `x` does not claim"));
        let error = check(entry("x/1").sharing(&[beside])).unwrap_err();
        assert_eq!(error, format!("`x/1` shares `{beside}`, which its parent `x` does not claim"));
    }
}

const FILES: [&str; 7] = ["a", "b/1", "b/2", "b/c/3", "b/c/4", "d/5", "d/6"];
const PLACES: [&str; 10] = ["a", "b", "b/1", "b/2", "b/c", "b/c/3", "b/c/4", "d", "d/5", "d/6"];

/// Whether one place is the other, or in it.
fn in_place(one: &str, other: &str) -> bool {
    one == other || one.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Each plugin's entries are masks over `PLACES`; the oracle compares the places' texts.
    #[test]
    fn each_byte_has_one_plugin_and_cleaning_one_plugin_leaves_the_others_alone(
        plugins in proptest::collection::vec(proptest::collection::vec(0u16..1024, 0..4), 2..4), last in any::<bool>(),
    ) {
        let sized: Vec<(&str, usize)> = FILES.iter().enumerate().map(|(at, name)| (*name, 1 << at)).collect();
        let mut world = World::new(&sized, vec![]);
        let mut kept: Vec<(usize, String, Vec<&str>)> = Vec::new();
        for (plugin, entries) in plugins.iter().enumerate() {
            let mut owned = 0;
            let mut listed: Vec<Entry> = Vec::new();
            for (at, mask) in entries.iter().enumerate() {
                let claims: Vec<&str> = (0..PLACES.len())
                    .filter(|bit| (mask & !owned) >> bit & 1 == 1).map(|bit| PLACES[bit]).collect();
                owned |= mask;
                let id = format!("e{plugin}{at}");
                listed.push(entry(&id).owning(&claims));
                let taken = kept.iter().filter(|(of, ..)| *of != plugin).flat_map(|(_, _, theirs)| theirs)
                    .any(|their| claims.iter().any(|mine| in_place(mine, their) || in_place(their, mine)));
                if !taken {
                    kept.push((plugin, id, claims));
                }
            }
            world.join(&format!("p{plugin}"), &format!("c{plugin}"), "", listed);
        }
        let ids: Vec<&str> = world.inventory.items.iter().map(|item| item.entry.id.as_str()).collect();
        prop_assert_eq!(ids, kept.iter().map(|(_, id, _)| id.as_str()).collect::<Vec<_>>());

        let (sizes, _, union) = figures(&world);
        prop_assert_eq!((sizes.iter().sum::<u64>(), union), (world.bytes(), world.bytes()));

        let cleaned = if last { plugins.len() - 1 } else { 0 };
        let before: BTreeMap<String, Vec<u8>> = world.contents();
        let ids: Vec<&str> = kept.iter().filter(|(of, ..)| *of == cleaned).map(|(_, id, _)| id.as_str()).collect();
        world.clean(&ids);
        let after = world.contents();
        for (name, content) in before.iter().filter(|(name, _)| !name.ends_with('/')) {
            let claimed = kept.iter().filter(|(of, ..)| *of == cleaned)
                .any(|(_, _, claims)| claims.iter().any(|claim| in_place(name, claim)));
            prop_assert_eq!(after.get(name), (!claimed).then_some(content), "{}", name);
        }
    }
}
