//! What was selected and stays, for people: for each reason the entries that it holds back, with their bytes.

use std::cmp::Reverse;

use hashbrown::{HashMap, HashSet};

use crate::clean::{EntryIx, Hold, Inventory, Keeping, RootPlan};
use crate::ui::{escape, size};

use super::super::context::Context;
use super::super::exit::Failure;
use super::{Prepared, print::SHOWN};

/// Prints a line for each reason, and a line for each entry where there are several of one reason.
pub(super) fn print(context: &mut Context, prepared: &Prepared) -> Result<(), Failure> {
    let groups = groups(prepared);
    for (reason, entries) in groups.iter().take(SHOWN) {
        for line in lines(reason, entries) {
            context.output.print(&format!("{}\n", escape(&line)))?;
        }
    }
    let gone = &prepared.looked.gone;
    for row in gone.iter().take(SHOWN) {
        context.output.print(&format!("{}\n", escape(&format!("Left out: {}: {}", row.id, row.reason))))?;
    }
    if let Some(rest) = gone.get(SHOWN..).filter(|rest| !rest.is_empty()) {
        context.output.print(&format!("... and {} more are left out; --json lists them.\n", rest.len()))?;
    }
    let rest: Vec<&Keeping> = groups.into_iter().skip(SHOWN).flat_map(|(_, entries)| entries).collect();
    if !rest.is_empty() {
        let line = format!("... and {} more stay ({}); --json lists them.\n", rest.len(), size(sum(&rest)));
        context.output.print(&line)?;
    }
    Ok(())
}

/// The reasons in the order in which they first come up, each with its entries, the largest first.
fn groups(prepared: &Prepared) -> Vec<(&str, Vec<&Keeping>)> {
    let mut place: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, Vec<&Keeping>)> = Vec::new();
    for (inventory, root) in prepared.looked.found.inventories.iter().zip(&prepared.plan.roots) {
        for keeping in told(inventory, root) {
            let reason = keeping.held.reason.as_str();
            let at = *place.entry(reason).or_insert(groups.len());
            if at == groups.len() {
                groups.push((reason, Vec::new()));
            }
            groups[at].1.push(keeping);
        }
    }
    groups.iter_mut().for_each(|(_, entries)| entries.sort_by_key(|it| Reverse(it.size)));
    groups
}

/// Without what goes without saying, unless the user named it: what stays only for the sake of something in it that is
/// told, and what is in something that stays for the same reason.
fn told<'a>(inventory: &Inventory, root: &'a RootPlan) -> impl Iterator<Item = &'a Keeping> {
    let above: HashSet<EntryIx> = root.keep.iter().flat_map(|it| inventory.ancestors(it.entry)).collect();
    let kept: HashMap<EntryIx, &Keeping> = root.keep.iter().map(|it| (it.entry, it)).collect();
    let implied = move |it: &Keeping| {
        let same = |up: EntryIx| kept.get(&up).is_some_and(|up| up.held.reason == it.held.reason);
        (it.held.hold == Hold::Holds && above.contains(&it.entry)) || inventory.ancestors(it.entry).any(same)
    };
    root.keep.iter().filter(move |it| it.named || !implied(it))
}

fn lines(reason: &str, entries: &[&Keeping]) -> Vec<String> {
    if let [only] = entries {
        return vec![format!("Stays: {} ({}): {reason}", only.id, size(only.size))];
    }
    let mut lines = vec![format!("Stay: {} entries ({}): {reason}", entries.len(), size(sum(entries)))];
    lines.extend(entries.iter().take(SHOWN).map(|it| format!("  {} ({})", it.id, size(it.size))));
    if let Some(rest) = entries.get(SHOWN..).filter(|rest| !rest.is_empty()) {
        lines.push(format!("  and {} more ({}); --json lists them", rest.len(), size(sum(rest))));
    }
    lines
}

fn sum(entries: &[&Keeping]) -> u64 {
    entries.iter().map(|it| it.size).sum()
}
