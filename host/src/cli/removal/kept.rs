//! What was selected and stays, for people: for each reason the entries that it holds back, with their bytes.

use std::cmp::Reverse;

use hashbrown::{HashMap, HashSet};

use crate::clean::{EntryIx, Hold, Inventory, Keeping, RootPlan, staying};
use crate::ui::size;

use super::{Prepared, print::SHOWN};

/// An entry that stays, with its root's place.
type Staying<'a> = (usize, &'a Keeping);

/// A line for each reason, and a line for each entry where there are several of one reason.
pub(super) fn lines(prepared: &Prepared) -> Vec<String> {
    let groups = groups(prepared);
    let mut lines: Vec<String> =
        groups.iter().take(SHOWN).flat_map(|(reason, entries)| group(prepared, reason, entries)).collect();
    let rest: Vec<Staying<'_>> = groups.into_iter().skip(SHOWN).flat_map(|(_, entries)| entries).collect();
    if !rest.is_empty() {
        lines.push(format!("... and {} more stay ({}); --json lists them.", rest.len(), sum(prepared, &rest)));
    }
    lines.extend(gone(prepared));
    lines
}

/// The reasons in the order in which they first come up, each with its entries, the largest first.
fn groups(prepared: &Prepared) -> Vec<(&str, Vec<Staying<'_>>)> {
    let roots = prepared.looked.found.inventories.iter().zip(&prepared.plan.roots).enumerate();
    let told = roots.flat_map(|(at, (inventory, root))| told(inventory, root).map(move |it| (at, it)));
    let mut groups = by_reason(told.map(|it| (it.1.held.reason.as_str(), it)));
    groups.iter_mut().for_each(|(_, entries)| entries.sort_by_key(|(_, it)| Reverse(it.size)));
    groups
}

fn by_reason<'a, T>(rows: impl Iterator<Item = (&'a str, T)>) -> Vec<(&'a str, Vec<T>)> {
    let mut place: HashMap<&str, usize> = HashMap::new();
    let mut groups: Vec<(&str, Vec<T>)> = Vec::new();
    for (reason, row) in rows {
        let at = *place.entry(reason).or_insert(groups.len());
        if at == groups.len() {
            groups.push((reason, Vec::new()));
        }
        groups[at].1.push(row);
    }
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

fn group(prepared: &Prepared, reason: &str, entries: &[Staying<'_>]) -> Vec<String> {
    if let [(_, only)] = entries {
        return vec![format!("Stays: {} ({}): {reason}", only.id, size(only.size))];
    }
    let mut lines = vec![format!("Stay: {} entries ({}): {reason}", entries.len(), sum(prepared, entries))];
    lines.extend(entries.iter().take(SHOWN).map(|(_, it)| format!("  {} ({})", it.id, size(it.size))));
    if let Some(rest) = entries.get(SHOWN..).filter(|rest| !rest.is_empty()) {
        lines.push(format!("  and {} more ({}); --json lists them", rest.len(), sum(prepared, rest)));
    }
    lines
}

/// What they weigh together, which is less than the sum where they share something.
fn sum(prepared: &Prepared, entries: &[Staying<'_>]) -> String {
    let entries: Vec<(usize, EntryIx)> = entries.iter().map(|(at, it)| (*at, it.entry)).collect();
    size(staying(&prepared.looked.found.inventories, &prepared.weights, &prepared.plan, &entries))
}

/// The same of what should have been selected and is not there. What was only in it goes without saying.
fn gone(prepared: &Prepared) -> Vec<String> {
    let rows = prepared.looked.gone.iter().filter(|gone| !gone.part).map(|gone| &gone.row);
    let mut lines = Vec::new();
    for (reason, rows) in by_reason(rows.map(|row| (row.reason.as_str(), row))) {
        if let [only] = rows.as_slice() {
            lines.push(format!("Left out: {}: {reason}", only.id));
            continue;
        }
        lines.push(format!("Left out: {} entries: {reason}", rows.len()));
        lines.extend(rows.iter().take(SHOWN).map(|row| format!("  {}", row.id)));
        if rows.len() > SHOWN {
            lines.push(format!("  and {} more; --json lists them", rows.len() - SHOWN));
        }
    }
    lines
}
