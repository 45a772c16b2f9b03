//! Which entries go, which stay, and why: the heart of every plan. A pure function of an inventory and a choice.
//!
//! Starting from what was chosen, entries are held back until nothing changes any more: what is protected, in use or
//! needed by something that stays, and what has such a thing in it. The set of held entries only grows, so this ends.

use std::collections::{BTreeMap, HashSet};

use crate::model::{PathId, Recovery, RelPath};

use super::between;
use super::holders::Holders;
use super::inventory::{EntryIx, Inventory};
use super::plan::HeldEntries;
use super::select::Chosen;

/// On what terms entries go: protections that the user lifted, and how young is too young.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Named entries that cannot be had back go too.
    pub irreplaceable: bool,
    /// Entries go although others that stay need them.
    pub needed: bool,
    /// Entries go although a process uses them, their owner's lock is held, or they are young.
    pub in_use: bool,
    /// Entries go although things in them belong to other users.
    pub others: bool,
    /// How young is too young; none: nothing is.
    pub grace: Option<Grace>,
}

/// What changed so short a while ago may be in the making, and stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace {
    /// When the command began, in nanoseconds since 1970.
    pub now: i64,
    /// What is younger than this stays, in nanoseconds; if nobody said, as [`Self::least`] has it.
    pub age: Option<i64>,
}

const HOUR: i64 = 3_600_000_000_000;

impl Grace {
    /// The age that things must have reached to go: an hour, and a day where other machines may be at work, whose processes
    /// and locks are not to be seen.
    pub fn least(self, is_remote: bool) -> i64 {
        self.age.unwrap_or(if is_remote { 24 * HOUR } else { HOUR })
    }
}

/// Why an entry stays although it was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Which protection it was.
    pub hold: Hold,
    /// A sentence for people.
    pub reason: String,
}

/// The protections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It cannot be had back.
    Irreplaceable,
    /// It can perhaps not be had back, and was not named.
    Uncertain,
    /// Its owner's lock is held, or a process uses it.
    InUse,
    /// It changed a short while ago.
    Young,
    /// It cannot be removed, or not by this user.
    Hindered,
    /// Something that stays needs it.
    Needed,
    /// Something in it stays.
    Holds,
    /// What is in it is not known.
    Unknown,
    /// Its plugin failed to say which records have to go with it.
    Unadvised,
    /// It is not what it was when the user was asked.
    Changed,
}

/// A place in a root that an entry of any root needs by an absolute name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Needed {
    pub(super) place: RelPath,
    /// The entry, as `CACHE:ENTRY`.
    pub(super) by: String,
}

/// Which entries of one inventory go and stay.
#[derive(Debug)]
pub(super) struct Decision {
    /// The entries that go, children before their parents, each with the reason.
    pub(super) going: Vec<(EntryIx, String)>,
    /// Those of them that the user named, or that are in one so named.
    pub(super) named: HashSet<EntryIx>,
    /// The entries that were chosen, or are in one that was, and stay.
    pub(super) held: Vec<(EntryIx, Held)>,
}

/// Why an entry is in the selection.
#[derive(Clone)]
struct Going {
    reason: String,
    named: bool,
    /// The entry above on whose account this one goes.
    via: Option<EntryIx>,
}

struct Decider<'a> {
    inventory: &'a Inventory,
    terms: Terms,
    /// Places in this root that entries which stay need by an absolute name; see [`super::plan`].
    needed_from_outside: &'a [Needed],
    going: Vec<Option<Going>>,
    held: HeldEntries,
}

/// Decides. `busy` are entries that are held for reasons found outside the inventory, such as a lock.
pub(super) fn decide(
    inventory: &Inventory,
    chosen: &[Chosen],
    terms: Terms,
    busy: &HeldEntries,
    needed_from_outside: &[Needed],
) -> Decision {
    let going = vec![None; inventory.items.len()];
    let mut decider = Decider { inventory, terms, needed_from_outside, going, held: HeldEntries::new() };
    for choice in chosen {
        decider.choose(choice.entry, Going { reason: choice.reason.clone(), named: choice.named, via: None });
    }
    loop {
        let before = decider.held.len();
        decider.hold_protected(busy);
        decider.hold_needed();
        decider.hold_what_holds();
        let added = decider.add_left_parents();
        if before == decider.held.len() && !added {
            return decider.finish();
        }
    }
}

impl Decider<'_> {
    /// Marks an entry and all below it.
    fn choose(&mut self, ix: EntryIx, why: Going) {
        let below = Going { via: Some(ix), ..why.clone() };
        for at in self.inventory.subtree(ix) {
            let why = if at == ix { &why } else { &below };
            // What was named, and what was chosen for itself, is not a mere part of something else.
            let rank = |why: &Going| (why.named, why.via.is_none());
            let better = self.going[at].as_ref().is_none_or(|known| rank(known) < rank(why));
            if better && !self.held.contains_key(&at) {
                self.going[at] = Some(why.clone());
            }
        }
    }

    fn goes(&self, ix: EntryIx) -> bool {
        self.going[ix].is_some()
    }

    fn all_going(&self) -> impl Iterator<Item = EntryIx> + use<> {
        let going: Vec<EntryIx> = (0..self.going.len()).filter(|&ix| self.goes(ix)).collect();
        going.into_iter()
    }

    fn hold(&mut self, ix: EntryIx, hold: Hold, reason: String) {
        if self.going[ix].take().is_some() {
            self.held.insert(ix, Held { hold, reason });
        }
        if matches!(hold, Hold::Holds | Hold::Needed) {
            return; // The entry stays for the sake of a part or a place; its other parts may go.
        }
        // What goes only on this entry's account stays with it.
        for below in self.inventory.subtree(ix).into_iter().skip(1) {
            if self.going[below].as_ref().is_some_and(|why| why.via.is_some()) {
                self.going[below] = None;
                let reason = format!("it belongs to `{}`, which stays", self.inventory.items[ix].entry.id);
                self.held.insert(below, Held { hold, reason });
            }
        }
    }

    fn hold_protected(&mut self, busy: &HeldEntries) {
        for ix in self.all_going() {
            let Some(why) = &self.going[ix] else { continue };
            let item = &self.inventory.items[ix];
            if let Some(held) = busy.get(&ix) {
                self.hold(ix, held.hold, held.reason.clone());
            } else if !item.listed || item.incomplete {
                let reason = "part of what is in it could not be read, so what it would take along is not known";
                self.hold(ix, Hold::Unknown, reason.into());
            } else if let Some(plugin) = between::unsettled(self.inventory, item.cache) {
                let reason =
                    format!("{plugin} is asked first here and could not see everything, so this may be its own");
                self.hold(ix, Hold::Unknown, reason);
            } else if item.entry.recovery == Recovery::Irreplaceable && !(why.named && self.terms.irreplaceable) {
                let reason = "it cannot be had back: name it and add `--force irreplaceable` if it shall go";
                self.hold(ix, Hold::Irreplaceable, reason.into());
            } else if item.entry.recovery == Recovery::Uncertain && !why.named {
                self.hold(ix, Hold::Uncertain, "it can perhaps not be had back: name it if it shall go".into());
            }
        }
    }

    /// Repeated by the caller until stable: what is needed may itself need something.
    fn hold_needed(&mut self) {
        if self.terms.needed {
            return;
        }
        let mut places: BTreeMap<RelPath, String> = BTreeMap::new();
        for Needed { place, by } in self.needed_from_outside {
            places.entry(place.clone()).or_insert_with(|| format!("`{by}`"));
        }
        for (ix, item) in self.inventory.items.iter().enumerate().filter(|(ix, _)| !self.goes(*ix)) {
            for place in item.entry.needs.iter().filter_map(|need| RelPath::parse(need).ok()) {
                places.entry(place).or_insert_with(|| format!("`{}`", self.inventory.items[ix].entry.id));
            }
        }
        for (place, who) in places {
            for ix in self.claimants(&place).into_iter().filter(|&ix| self.goes(ix)).collect::<Vec<_>>() {
                // What would come of it, if its plugin says that.
                let why = self.inventory.items[ix].entry.attribute("together").next();
                let why = why.map(|why| format!(": {why}")).unwrap_or_default();
                self.hold(ix, Hold::Needed, format!("{who} stays and needs it{why} (`--force needed` lifts this)"));
            }
        }
    }

    /// The entries with the deepest claim at or above a place, and all with a claim beneath it.
    fn claimants(&self, place: &RelPath) -> Vec<EntryIx> {
        let paths = &self.inventory.paths;
        let way: Vec<PathId> = paths.along(place).collect();
        let itself = paths.find(place);
        let mut best: Option<(usize, Vec<EntryIx>)> = None;
        let mut found = Vec::new();
        for (ix, item) in self.inventory.items.iter().enumerate() {
            for claim in item.entry.owns.iter().chain(&item.entry.shares) {
                if let Some(depth) = way.iter().position(|step| step == claim) {
                    match &mut best {
                        Some((deepest, _)) if *deepest > depth => {}
                        Some((deepest, at)) if *deepest == depth => at.push(ix),
                        _ => best = Some((depth, vec![ix])),
                    }
                } else if itself.is_some_and(|place| paths.up(*claim).any(|above| above == place)) {
                    found.push(ix);
                }
            }
        }
        found.extend(best.into_iter().flat_map(|(_, at)| at));
        found
    }

    /// An entry stays if something in it does.
    fn hold_what_holds(&mut self) {
        let mut staying: Vec<EntryIx> = (0..self.going.len()).filter(|&ix| !self.goes(ix)).collect();
        staying.reverse(); // children come after their parents
        for ix in staying {
            let above: Vec<EntryIx> = self.inventory.ancestors(ix).filter(|&above| self.goes(above)).collect();
            for above in above {
                self.hold(above, Hold::Holds, format!("`{}` in it stays", self.inventory.items[ix].entry.id));
            }
        }
    }

    /// A parent goes with the last of the children that it exists for.
    fn add_left_parents(&mut self) -> bool {
        let mut added = false;
        for ix in (0..self.going.len()).rev() {
            let item = &self.inventory.items[ix];
            if self.goes(ix) || self.held.contains_key(&ix) || !item.listed || item.incomplete {
                continue;
            }
            let children = &self.inventory.items[ix].children;
            let keepers: Vec<EntryIx> =
                children.iter().copied().filter(|&child| self.inventory.items[child].entry.keeps_parent).collect();
            if keepers.is_empty() || !keepers.iter().all(|&child| self.goes(child)) {
                continue;
            }
            let named = keepers.iter().all(|&child| self.going[child].as_ref().is_some_and(|why| why.named));
            let kind = &self.inventory.items[keepers[0]].entry.kind;
            self.choose(ix, Going { reason: format!("its last {kind} goes"), named, via: None });
            added = true;
        }
        added
    }

    fn finish(self) -> Decision {
        let is_named = |ix: &EntryIx| self.going[*ix].as_ref().is_some_and(|why| why.named);
        let named = (0..self.going.len()).filter(is_named).collect();
        let mut going: Vec<(EntryIx, String)> =
            self.going.into_iter().enumerate().filter_map(|(ix, why)| Some((ix, why?.reason))).collect();
        // By subtrees, and in each the children first: see `plan` for why that is the order of removal.
        going.sort_by_cached_key(|(ix, _)| post_order(self.inventory, *ix));
        let mut held: Vec<(EntryIx, Held)> = self.held.into_iter().collect();
        held.sort_by_key(|(ix, _)| *ix);
        Decision { going, named, held }
    }
}

/// A key that sorts an entry after everything below it and keeps the listing's order otherwise.
fn post_order(inventory: &Inventory, ix: EntryIx) -> Vec<EntryIx> {
    let mut key: Vec<EntryIx> = inventory.ancestors(ix).collect();
    key.reverse();
    key.push(ix);
    key.push(EntryIx::MAX);
    key
}

impl Decision {
    /// Whether an entry stays for a reason of its own, so that what is in it needs no explanation.
    pub(super) fn is_held_for_itself(&self, ix: EntryIx) -> bool {
        self.held.iter().any(|(held, why)| *held == ix && !matches!(why.hold, Hold::Holds | Hold::Needed))
    }

    /// Whether each entry goes, by its place in the inventory.
    pub(super) fn flags(&self, inventory: &Inventory) -> Vec<bool> {
        let mut flags = vec![false; inventory.items.len()];
        for (ix, _) in &self.going {
            flags[*ix] = true;
        }
        flags
    }

    /// The shared paths that are free once these entries are gone.
    pub(super) fn freed(&self, inventory: &Inventory, holders: &Holders) -> Vec<PathId> {
        let flags = self.flags(inventory);
        let going = |ix: EntryIx| flags[ix];
        holders.iter().map(|(path, _)| path).filter(|&path| holders.is_freed(inventory, path, &going)).collect()
    }
}
