//! Random caches, random selections: the plan's promise, the deed and a recount agree, and nothing that stays loses a
//! byte.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;

use super::world::{World, entry};
use crate::clean::{EntryIx, HeldEntries, Terms};
use crate::model::{Entry, Listing, Recovery};

const FILES: [&str; 6] = ["0", "1", "2", "s/3", "s/4", "t/u/5"];

/// What a child claims: bits of `FILES` that it owns or shares.
#[derive(Clone, Debug)]
struct Child {
    owns: u8,
    shares: u8,
    pool: u8,
    keeps_parent: bool,
    recovery: Recovery,
}

#[derive(Clone, Debug)]
struct Parent {
    children: Vec<Child>,
    recovery: Recovery,
    incomplete: bool,
}

fn recovery() -> impl Strategy<Value = Recovery> {
    prop_oneof![
        6 => Just(Recovery::Download),
        1 => Just(Recovery::Uncertain),
        1 => Just(Recovery::Irreplaceable),
    ]
}

fn parents() -> impl Strategy<Value = Vec<Parent>> {
    let child = (0u8..64, 0u8..64, 0u8..8, any::<bool>(), recovery())
        .prop_map(|(owns, shares, pool, keeps, recovery)| Child { owns, shares, pool, keeps_parent: keeps, recovery });
    let parent = (proptest::collection::vec(child, 0..4), recovery(), proptest::bool::weighted(0.1));
    let parent = parent.prop_map(|(children, recovery, incomplete)| Parent { children, recovery, incomplete });
    proptest::collection::vec(parent, 1..4)
}

fn bits(mask: u8, names: &[String]) -> Vec<&str> {
    names.iter().enumerate().filter(|(bit, _)| mask >> bit & 1 == 1).map(|(_, name)| name.as_str()).collect()
}

/// Each parent owns a folder of its own with all `FILES` in it; children own or share some of them, and all may share
/// what is in the pool beside.
fn world(parents: &[Parent]) -> World {
    let pool: Vec<String> = (0..3).map(|n| format!("pool/{n}")).collect();
    let mut files: Vec<(String, usize)> =
        pool.iter().zip([1000, 2000, 4000]).map(|(p, size)| (p.clone(), size)).collect();
    files.push(("unclaimed".into(), 77));
    for p in 0..parents.len() {
        files.extend(FILES.iter().enumerate().map(|(n, name)| (format!("p{p}/{name}"), (p + 1) << (n + 1))));
    }
    let sized: Vec<(&str, usize)> = files.iter().map(|(name, size)| (name.as_str(), *size)).collect();
    let mut world = World::new(&sized, vec![]);
    let mut top = Vec::new();
    for (p, parent) in parents.iter().enumerate() {
        let shared = parent.children.iter().fold(0, |all, child| all | child.pool);
        top.push(entry(&format!("p{p}")).owning(&[&format!("p{p}")]).sharing(&bits(shared, &pool)).with(|it| {
            it.has_children = true;
            it.recovery = parent.recovery;
        }));
    }
    world.inventory.add(0, None, Listing { entries: top, ..Listing::default() });
    for (p, parent) in parents.iter().enumerate() {
        let names: Vec<String> = FILES.iter().map(|name| format!("p{p}/{name}")).collect();
        let mut owned = 0;
        let all_owned = parent.children.iter().fold(0, |all, child| all | child.owns);
        let mut children: Vec<Entry> = Vec::new();
        for (c, child) in parent.children.iter().enumerate() {
            let owns = child.owns & !owned;
            owned |= child.owns;
            let shares = [bits(child.shares & !all_owned, &names), bits(child.pool, &pool)].concat();
            children.push(entry(&format!("p{p}/c{c}")).owning(&bits(owns, &names)).sharing(&shares).with(|it| {
                it.keeps_parent = child.keeps_parent;
                it.recovery = child.recovery;
            }));
        }
        let ix = world.ix(&format!("p{p}"));
        world.inventory.add(
            0,
            Some(ix),
            Listing { entries: children, incomplete: parent.incomplete, ..Listing::default() },
        );
    }
    world
}

/// The content at and beneath the claims of an entry and all below it.
fn claimed(world: &World, ix: EntryIx, contents: &BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    let entry = &world.inventory.items[ix].entry;
    let claims: Vec<String> =
        entry.owns.iter().chain(&entry.shares).map(|path| world.inventory.paths.path(*path).to_string()).collect();
    let beneath = |name: &str| claims.iter().any(|claim| name == claim || name.starts_with(&format!("{claim}/")));
    contents.iter().filter(|(name, _)| beneath(name)).map(|(name, content)| (name.clone(), content.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn promise_deed_and_recount_agree_and_nothing_that_stays_loses_a_byte(
        parents in parents(), choice in any::<u32>(), named in any::<u32>(), irreplaceable in any::<bool>(),
    ) {
        let world = world(&parents);
        let items = &world.inventory.items;
        let ids: Vec<String> = items.iter().enumerate().filter(|(ix, _)| choice >> (ix % 32) & 1 == 1).map(|(ix, item)| {
            format!("{}{}", if named >> (ix % 32) & 1 == 1 { "" } else { "*" }, item.entry.id)
        }).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (before, bytes) = (world.contents(), world.bytes());
        let force = Terms { irreplaceable, ..Terms::default() };
        let plan = world.plan(world.chosen(&ids), force, HeldEntries::new());
        prop_assert_eq!(&before, &world.contents(), "planning changes nothing");
        let outcome = world.execute(&plan);
        let after = world.contents();
        let plan = &plan.roots[0];

        prop_assert_eq!(&outcome.failed, &[]);
        prop_assert_eq!(plan.expected.size, bytes - world.bytes(), "promised");
        prop_assert_eq!(outcome.freed.size, bytes - world.bytes(), "measured");
        prop_assert_eq!(plan.remove.iter().map(|it| it.size).sum::<u64>(), plan.expected.size, "each byte has one entry");
        prop_assert!(after.contains_key("unclaimed"));

        let going: HashSet<EntryIx> = plan.remove.iter().map(|it| it.entry).collect();
        for chosen in world.chosen(&ids) {
            let kept = plan.keep.iter().any(|it| it.entry == chosen.entry);
            prop_assert!(going.contains(&chosen.entry) != kept, "{} is both or neither", items[chosen.entry].entry.id);
        }
        for (ix, item) in items.iter().enumerate() {
            let (was, is) = (claimed(&world, ix, &before), claimed(&world, ix, &after));
            if !going.contains(&ix) && item.children.iter().all(|child| !going.contains(child)) {
                prop_assert_eq!(was, is, "{} stays and lost something", item.entry.id);
            } else if going.contains(&ix) {
                let theirs: HashSet<String> = (0..items.len()).filter(|other| !going.contains(other))
                    .flat_map(|other| claimed(&world, other, &after).into_keys()).collect();
                let stays = is.keys().find(|name| !name.ends_with('/') && !theirs.contains(*name));
                prop_assert_eq!(stays, None, "{} went and left something that nobody claims", item.entry.id);
                let protected = item.entry.recovery == Recovery::Irreplaceable;
                prop_assert!(!protected || irreplaceable, "{} cannot be had back", item.entry.id);
            }
        }
        prop_assert_eq!(std::fs::read(world.dir.path().join("outside")).unwrap(), b"not ours");

        let again = world.plan(world.chosen(&ids), force, HeldEntries::new());
        prop_assert_eq!((again.roots[0].steps.len(), again.roots[0].expected.size), (0, 0), "a second run finds nothing");
    }
}
