//! The plan: everything a removal will do, in order, as plain data. Dry run, prompt, execution and report are made from
//! the same value.

use std::path::Path;

use hashbrown::{HashMap, HashSet};

use crate::model::{Edit, Pattern, RelPath};
use crate::tree::{FsError, Identity, Usage};

use super::between::Claimed;
use super::decide::{Decision, Held, Hold, Needed, Terms, decide};
use super::hinder;
use super::inventory::{EntryIx, Inventory};
use super::restrict::Stamp;
use super::select::Chosen;
use super::steps::{self, Fate};
use super::territory::Territory;
use super::weigh::{self, Partly, Weights};

/// What a command will do, root by root.
#[derive(Default)]
pub struct Plan {
    /// One for each inventory, in the same order.
    pub roots: Vec<RootPlan>,
    /// What will be free afterwards because files go that have names in several roots.
    pub across: Usage,
    /// What will lose names and not be free, because it has others elsewhere.
    pub linked: Usage,
}

/// What will be done in one root.
#[derive(Default)]
pub struct RootPlan {
    /// The entries that go, in the order of removal.
    pub remove: Vec<Removing>,
    /// The chosen entries that stay.
    pub keep: Vec<Keeping>,
    /// Every removal, in order.
    pub steps: Vec<Step>,
    /// Records that indexes lose, with the cache's place in the inventory.
    pub edits: Vec<(usize, Edit)>,
    /// What will be free afterwards.
    pub expected: Usage,
    /// Files that keep names elsewhere.
    pub(super) partly: Vec<Partly>,
    /// What the chosen entries hold and others share, so that it stays.
    pub shared: Usage,
    /// By [`PathId`]: claimed by something that stays.
    pub kept_paths: Vec<bool>,
}

/// An entry that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removing {
    /// Its place in the inventory.
    pub entry: EntryIx,
    /// Its cache's id.
    pub cache: String,
    /// Its id.
    pub id: String,
    /// Why it goes.
    pub reason: String,
    /// Bytes that its steps free.
    pub size: u64,
    /// The paths that go on its behalf, in the order of removal.
    pub paths: Vec<RelPath>,
    /// Whether it goes for itself, and not as a part of one that goes.
    pub outermost: bool,
    /// Which of the entries that go are in it: if one of them fails, this one must stay.
    pub parts: Vec<usize>,
    /// What it and all in it claim, whether that goes or others share it.
    pub content: Usage,
}

/// A chosen entry that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keeping {
    /// Its place in the inventory.
    pub entry: EntryIx,
    /// Its cache's id.
    pub cache: String,
    /// Its id.
    pub id: String,
    /// Bytes of it and of what is in it that stay.
    pub size: u64,
    /// Why it stays.
    pub held: Held,
    /// Whether the user named it.
    pub named: bool,
}

/// One removal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// On whose behalf: an index into [`RootPlan::remove`].
    pub removing: usize,
    /// What goes, with all beneath it that nothing else claims.
    pub path: RelPath,
    /// Checked again at the time of the act.
    pub identity: Identity,
    /// Of what is no folder: checked again by whoever plans anew.
    pub stamp: Option<Stamp>,
    /// How it goes.
    pub kind: StepKind,
    /// Which further entries must have gone completely before: the other holders of what is shared.
    pub after: Vec<usize>,
}

/// How a path goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepKind {
    /// With all beneath it.
    Claim,
    /// A folder that the other steps left empty.
    Emptied,
}

/// What the plan has to ask others.
pub trait Advice {
    /// What indexes of a cache lose when these ids go.
    ///
    /// # Errors
    /// A sentence why the entries cannot go.
    fn edits(&self, inventory: &Inventory, cache: usize, ids: &[String]) -> Result<Vec<Edit>, String>;

    /// Whether an entry is in use, and how; asked once for each entry that is to go.
    fn in_use(&mut self, inventory: &Inventory, ix: EntryIx) -> Option<String>;
}

/// Entries that stay, by their place in an inventory.
pub type HeldEntries = HashMap<EntryIx, Held>;

/// Makes the plan. `held` are entries of each inventory that have to stay in any case.
pub fn plan(
    inventories: &[Inventory],
    weights: &[Weights],
    chosen: &[Vec<Chosen>],
    terms: Terms,
    mut held: Vec<HeldEntries>,
    advice: &mut dyn Advice,
) -> Plan {
    let mut asked: HashSet<(usize, EntryIx)> = HashSet::new();
    let mut locked: Vec<HashMap<EntryIx, String>> = vec![HashMap::new(); inventories.len()];
    held.resize_with(inventories.len(), HeldEntries::new);
    loop {
        let decisions = decide_all(inventories, chosen, terms, &held);
        let mut stable = true;
        for (at, (inventory, decision)) in inventories.iter().zip(&decisions).enumerate() {
            for (ix, _) in decision.going.iter().filter(|(ix, _)| asked.insert((at, *ix))) {
                match advice.in_use(inventory, *ix) {
                    Some(reason) if terms.in_use => drop(locked[at].insert(*ix, reason)),
                    Some(reason) => {
                        held[at].insert(*ix, Held { hold: Hold::InUse, reason });
                        stable = false;
                    }
                    None => {}
                }
            }
        }
        if !stable {
            continue;
        }
        let mut roots = Vec::new();
        for (at, (inventory, decision)) in inventories.iter().zip(&decisions).enumerate() {
            match root_plan(inventory, &weights[at], &chosen[at], decision, terms, advice) {
                Ok(root) => roots.push(root),
                Err(more) => {
                    held[at].extend(more);
                    stable = false;
                }
            }
        }
        if stable {
            for (at, root) in roots.iter_mut().enumerate() {
                tell_forced(root, &locked[at]);
                root.remove.iter_mut().for_each(|it| it.content = weights[at].entry(&inventories[at], it.entry));
            }
            let (across, linked) = weigh::across(roots.iter().flat_map(|root| &root.partly));
            return Plan { roots, across, linked };
        }
    }
}

/// Says of what goes all the same that it is locked.
fn tell_forced(root: &mut RootPlan, locked: &HashMap<EntryIx, String>) {
    for removing in &mut root.remove {
        if let Some(reason) = locked.get(&removing.entry) {
            removing.reason = format!("{}, although {reason}", removing.reason);
        }
    }
}

/// Decides for all roots; what stays in one may need something in another.
fn decide_all(inventories: &[Inventory], chosen: &[Vec<Chosen>], terms: Terms, held: &[HeldEntries]) -> Vec<Decision> {
    let mut needed: Vec<Vec<Needed>> = vec![Vec::new(); inventories.len()];
    loop {
        let decide_one =
            |(at, inventory): (usize, &Inventory)| decide(inventory, &chosen[at], terms, &held[at], &needed[at]);
        let decisions: Vec<Decision> = inventories.iter().enumerate().map(decide_one).collect();
        let now = needed_places(inventories, &decisions);
        if now == needed {
            return decisions;
        }
        needed = now;
    }
}

/// The places in each root that entries which stay need by an absolute name.
fn needed_places(inventories: &[Inventory], decisions: &[Decision]) -> Vec<Vec<Needed>> {
    let mut needed: Vec<Vec<Needed>> = vec![Vec::new(); inventories.len()];
    for (inventory, decision) in inventories.iter().zip(decisions) {
        let going = decision.flags(inventory);
        let staying = inventory.items.iter().zip(going).filter(|(_, going)| !going);
        for (item, need) in staying.flat_map(|(item, _)| item.entry.needs.iter().map(move |need| (item, need))) {
            for (other, needed) in inventories.iter().zip(&mut needed) {
                let by = || format!("{}:{}", inventory.caches[item.cache].cache.id, item.entry.id);
                needed.extend(beneath(other, need).map(|place| Needed { place, by: by() }));
            }
        }
    }
    needed
}

fn beneath(inventory: &Inventory, need: &str) -> Option<RelPath> {
    let absolute = Path::new(need);
    let of = |root: &Path| absolute.strip_prefix(root).ok().filter(|_| absolute.is_absolute());
    let mut given = inventory.caches.iter().map(|cache| cache.given.as_path());
    let rest = given.find_map(of).or_else(|| of(inventory.root.path()))?;
    RelPath::parse(rest.to_str()?).ok().filter(|place| !place.is_root())
}

fn root_plan(
    inventory: &Inventory,
    weights: &Weights,
    chosen: &[Chosen],
    decision: &Decision,
    terms: Terms,
    advice: &dyn Advice,
) -> Result<RootPlan, HeldEntries> {
    let holders = weights.holders();
    let fate = Fate::of(inventory, decision, holders);
    let mut plan = RootPlan { keep: keeping(inventory, weights, &fate, decision, chosen), ..RootPlan::default() };
    plan.remove = removing(inventory, decision);
    plan.steps = steps::steps(inventory, decision, holders, &fate)?;
    for step in &plan.steps {
        plan.remove[step.removing].paths.push(step.path.clone());
    }
    let territory = Territory::of(inventory, &fate, &plan);
    let hindered = hinder::hindered(inventory, weights, decision, &plan, &territory, terms);
    if !hindered.is_empty() {
        return Err(hindered);
    }
    for (removing, reason) in hinder::forced(weights, &plan, &territory, terms) {
        plan.remove[removing].reason = format!("{}, although {reason}", plan.remove[removing].reason);
    }
    plan.edits = edits(inventory, &plan, advice)?;
    for (removing, paths) in plan.remove.iter_mut().zip(&territory.of_entry) {
        removing.size = weights.freed(paths).size;
    }
    let all = territory.of_entry.iter().flatten().copied().collect();
    plan.expected = weights.freed(&all);
    plan.partly = weights.partly(&all);
    plan.shared = shared(inventory, weights, decision, &fate);
    plan.kept_paths = fate.kept;
    Ok(plan)
}

fn removing(inventory: &Inventory, decision: &Decision) -> Vec<Removing> {
    let place: HashMap<EntryIx, usize> = decision.going.iter().enumerate().map(|(at, (ix, _))| (*ix, at)).collect();
    let mut remove: Vec<Removing> = Vec::with_capacity(decision.going.len());
    for (ix, reason) in &decision.going {
        let below = inventory.subtree(*ix);
        remove.push(Removing {
            entry: *ix,
            cache: inventory.cache_id(*ix).to_owned(),
            id: inventory.items[*ix].entry.id.clone(),
            reason: reason.clone(),
            size: 0,
            paths: Vec::new(),
            outermost: inventory.ancestors(*ix).all(|above| !place.contains_key(&above)),
            parts: below.iter().skip(1).filter_map(|below| place.get(below).copied()).collect(),
            content: Usage::default(),
        });
    }
    remove
}

/// The held entries that the user chose or that explain why a chosen one stays.
fn keeping(
    inventory: &Inventory,
    weights: &Weights,
    fate: &Fate,
    decision: &Decision,
    chosen: &[Chosen],
) -> Vec<Keeping> {
    let named: HashSet<EntryIx> = chosen.iter().filter(|chosen| chosen.named).map(|chosen| chosen.entry).collect();
    let chosen: HashSet<EntryIx> = chosen.iter().map(|chosen| chosen.entry).collect();
    // What is in an entry that stays for itself needs no row of its own.
    let own = |ix: EntryIx| inventory.ancestors(ix).all(|above| !decision.is_held_for_itself(above));
    let told = |ix: EntryIx, held: &Held| chosen.contains(&ix) || (held.hold != Hold::Holds && own(ix));
    let of = |(ix, held): &(EntryIx, Held)| Keeping {
        entry: *ix,
        cache: inventory.cache_id(*ix).to_owned(),
        id: inventory.items[*ix].entry.id.clone(),
        size: weights.staying(inventory, *ix, &fate.kept),
        held: Held { reason: explained(inventory, weights, *ix, held), ..*held },
        named: named.contains(ix),
    };
    decision.held.iter().filter(|(ix, held)| told(*ix, held)).map(of).collect()
}

/// The reason why an entry stays: if it is that something in it is not known, with what the measuring pass met there.
fn explained(inventory: &Inventory, weights: &Weights, ix: EntryIx, held: &Held) -> String {
    let owned = || inventory.items[ix].entry.owns.iter().map(|path| inventory.paths.path(*path));
    let unreadable = weights.measure().unreadable.iter().filter(|_| held.hold == Hold::Unknown);
    let mut untold = unreadable.filter(|(path, _)| !held.reason.contains(path.as_str()));
    let met = untold.find(|(path, _)| owned().any(|own| path.starts_with(&own)));
    met.map_or_else(|| held.reason.clone(), |(path, error)| format!("{}: `{path}`: {error}", held.reason))
}

fn edits(inventory: &Inventory, plan: &RootPlan, advice: &dyn Advice) -> Result<Vec<(usize, Edit)>, HeldEntries> {
    let paths: HashSet<&RelPath> = plan.steps.iter().map(|step| &step.path).collect();
    let goes_itself = |file: &RelPath| steps::up(file).any(|above| paths.contains(&above));
    let mut edits = Vec::new();
    for cache in 0..inventory.caches.len() {
        let of_cache = || plan.remove.iter().filter(|removing| inventory.items[removing.entry].cache == cache);
        let ids: Vec<String> = of_cache().filter(|removing| removing.outermost).map(|it| it.id.clone()).collect();
        if ids.is_empty() {
            continue;
        }
        match advice.edits(inventory, cache, &ids).and_then(|edits| check_edits(inventory, cache, edits)) {
            Ok(more) => {
                // What is not there, or is not for us to see, has nothing to lose.
                let is_there = |file: &RelPath| inventory.root.stat(file) != Err(FsError::NotFound);
                let wanted = |edit: &Edit| !goes_itself(&edit.file) && is_there(&edit.file);
                edits.extend(more.into_iter().filter(wanted).map(|edit| (cache, edit)));
            }
            Err(reason) => {
                let held = Held { hold: Hold::Unadvised, reason };
                return Err(of_cache().map(|removing| (removing.entry, held.clone())).collect());
            }
        }
    }
    Ok(edits)
}

fn check_edits(inventory: &Inventory, cache: usize, edits: Vec<Edit>) -> Result<Vec<Edit>, String> {
    let state = &inventory.caches[cache];
    let is_index = |file: &RelPath| state.indexes.iter().any(|pattern: &Pattern| pattern.matches(file));
    let claimed = Claimed::before(inventory, cache);
    for Edit { file, .. } in &edits {
        let wants = || format!("the plugin `{}` wants records dropped from `{file}`", state.plugin);
        if !is_index(file) {
            return Err(format!("{}, which its manifest does not name as an index", wants()));
        }
        if let Some(other) = claimed.plugin_above(file) {
            return Err(format!("{}, which belongs to {other}", wants()));
        }
    }
    Ok(edits)
}

/// What the entries that go share with others that stay.
fn shared(inventory: &Inventory, weights: &Weights, decision: &Decision, fate: &Fate) -> Usage {
    let shares = decision.going.iter().flat_map(|(ix, _)| &inventory.items[*ix].entry.shares);
    weights.sum(&shares.copied().filter(|path| fate.kept[path.index()]).collect())
}

impl Plan {
    /// What will be free afterwards.
    pub fn expected(&self) -> Usage {
        self.roots.iter().map(|root| root.expected).sum::<Usage>() + self.across
    }
}

impl RootPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty()
    }
}
