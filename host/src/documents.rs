//! From what was found and planned to the JSON documents: which figure stands in which field. The commands print these
//! documents, and the cases of plugins are compared with them.

use jiff::Timestamp;

use crate::clean::{EntryIx, Inventory, Outcome, Plan, Weights};
use crate::model::{Problem, escape_text};
use crate::survey::Found;
use crate::tree::{Freed, Usage};
use crate::ui::{age, json, rfc3339, size, timestamp};

/// When something was used last, and on whose word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastUsed {
    /// The library's own records say so.
    Recorded(Timestamp),
    /// A file in it was read then, as far as the file system tells.
    Read(Timestamp),
}

impl LastUsed {
    /// What the library has recorded; else the latest access, where the file system keeps accesses.
    pub fn of(recorded: Option<Timestamp>, usage: &Usage, inventory: &Inventory) -> Option<Self> {
        let read = || usage.accessed.filter(|_| inventory.root.access_times_kept()).map(timestamp).map(Self::Read);
        recorded.map(Self::Recorded).or_else(read)
    }

    /// The time itself.
    pub fn time(self) -> Timestamp {
        match self {
            Self::Recorded(time) | Self::Read(time) => time,
        }
    }

    /// For a cell of a table, which says whose word it is: `3 days ago`, or `read 3 days ago`.
    pub fn cell(last_used: Option<Self>, now: Timestamp) -> String {
        match last_used {
            None => "-".to_owned(),
            Some(Self::Recorded(time)) => age(time, now),
            Some(Self::Read(time)) => format!("read {}", age(time, now)),
        }
    }

    /// For a line of its own.
    pub fn with_source(self) -> String {
        match self {
            Self::Recorded(time) => format!("{} (the library's own record)", rfc3339(time)),
            Self::Read(time) => format!("{} (access times of the files)", rfc3339(time)),
        }
    }
}

/// An entry in `show`.
pub fn show_entry(inventory: &Inventory, weights: &Weights, ix: EntryIx) -> json::ShowEntry {
    let item = &inventory.items[ix];
    let entry = &item.entry;
    let usage = weights.entry(inventory, ix);
    json::ShowEntry {
        cache: inventory.cache_id(ix).to_owned(),
        root: escape_text(inventory.given(item.cache).as_os_str()),
        id: entry.id.clone(),
        parent: item.parent.map(|parent| inventory.items[parent].entry.id.clone()),
        kind: entry.kind.clone(),
        label: entry.label.clone(),
        state: entry.state,
        reclaim: entry.reclaim.clone(),
        recovery: entry.recovery,
        size: usage.size,
        unique_size: weights.unique(inventory, ix),
        disk_size: usage.disk_size,
        files: usage.files,
        modified: usage.modified.map(timestamp),
        last_used: LastUsed::of(entry.last_used, &usage, inventory).map(LastUsed::time),
        created: entry.created,
        paths: entry.owns.iter().map(|path| inventory.paths.path(*path).as_str().to_owned()).collect(),
        attributes: json::attributes(&entry.attributes),
    }
}

/// What `clean` prints of a plan, and of what came of it if it was carried out.
pub fn clean(found: &Found, plan: &Plan, outcomes: &[Outcome], dry_run: bool) -> json::CleanDocument {
    let mut document = json::CleanDocument {
        dry_run,
        expected: plan.expected().size,
        freed: outcomes.iter().map(|outcome| outcome.freed.size).sum(),
        freed_disk: outcomes.iter().map(|outcome| outcome.freed.disk_size).sum(),
        freed_disk_at_least: outcomes.iter().map(|outcome| outcome.freed.at_least).sum(),
        failed: failures(found, plan, outcomes),
        errors: found.problems.clone(),
        ..json::CleanDocument::default()
    };
    for (inventory, root) in found.inventories.iter().zip(&plan.roots) {
        let place = |ix: EntryIx| escape_text(inventory.given(inventory.items[ix].cache).as_os_str());
        document.remove.extend(root.remove.iter().map(|it| json::CleanRemove {
            cache: it.cache.clone(),
            root: place(it.entry),
            id: it.id.clone(),
            reason: it.reason.clone(),
            size: it.size,
            paths: it.paths.iter().map(|path| path.as_str().to_owned()).collect(),
        }));
        document.keep.extend(root.keep.iter().map(|it| json::CleanKeep {
            cache: it.cache.clone(),
            root: place(it.entry),
            id: it.id.clone(),
            reason: it.held.reason.clone(),
            size: it.size,
        }));
    }
    document
}

/// What was freed, for people, and how much of it is certain.
pub fn freed(freed: Freed) -> String {
    let (bytes, disk) = (size(freed.size), size(freed.disk_size));
    if freed.at_least < freed.disk_size {
        let certain = size(freed.at_least.min(freed.size));
        format!("freed at least {certain} of {bytes}: what files that stay share with it is not free.")
    } else if freed.disk_size < freed.size && disk != bytes {
        format!("freed {bytes} ({disk} on disk).")
    } else {
        format!("freed {bytes}.")
    }
}

/// Why what was freed is not what was planned, for people. `linked` are bytes of what went that have further names.
pub fn difference(plan: &Plan, outcomes: &[Outcome], linked: u64) -> Option<String> {
    let (expected, freed) = (plan.expected().size, outcomes.iter().map(|it| it.freed.size).sum::<u64>());
    let more = linked.saturating_sub(plan.linked.size);
    let why = if expected == freed {
        return None;
    } else if outcomes.iter().any(|outcome| !outcome.failed.is_empty()) {
        "not all of it could be removed".to_owned()
    } else if freed > expected {
        "files grew meanwhile, or lost names elsewhere".to_owned()
    } else if more > 0 {
        format!("{} of it have got further names (hard links) meanwhile", size(more))
    } else {
        "files shrank or went meanwhile".to_owned()
    };
    Some(format!("The plan was {}: {why}.", size(expected)))
}

/// What was to go and is still there.
pub fn failures(found: &Found, plan: &Plan, outcomes: &[Outcome]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for ((inventory, root), outcome) in found.inventories.iter().zip(&plan.roots).zip(outcomes) {
        for failure in &outcome.failed {
            let removing = failure.removing.map(|at| &root.remove[at]);
            let cache = &inventory.caches[failure.cache];
            let parts: Vec<String> =
                failure.error.iter().map(ToString::to_string).chain(failure.consequence.clone()).collect();
            problems.push(Problem {
                code: "not-removed".into(),
                plugin: Some(cache.plugin.clone()),
                cache: Some(cache.cache.id.clone()),
                id: removing.map(|it| it.id.clone()),
                path: Some(failure.path.as_str().to_owned()),
                message: parts.join("; "),
                hint: Some("run the same command again: it goes on where this run stopped".into()),
                cause: None,
            });
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::Failure;

    fn plan(expected: u64, linked: u64) -> Plan {
        let usage = |size| Usage { size, ..Usage::default() };
        Plan { across: usage(expected), linked: usage(linked), ..Plan::default() }
    }

    fn bytes(size: u64, disk_size: u64, at_least: u64) -> Freed {
        Freed { size, disk_size, at_least, files: 1 }
    }

    fn outcome(size: u64) -> Outcome {
        Outcome { freed: bytes(size, size, size), ..Outcome::default() }
    }

    #[test]
    fn what_is_freed_is_told_as_far_as_it_is_certain() {
        let (whole, small) = (bytes(1000, 4096, 4096), bytes(500, 4096, 4096));
        assert_eq!(freed([whole, small].into_iter().sum()), "freed 1.5 kB.");
        assert_eq!(freed(bytes(9_000_000, 4096, 4096)), "freed 9.0 MB (4.1 kB on disk).");
        let told = "freed at least 4.0 MB of 9.0 MB: what files that stay share with it is not free.";
        assert_eq!(freed(bytes(9_000_000, 9_001_000, 4_000_000)), told);
        assert_eq!(freed(Freed::default()), "freed 0 B.");
    }

    #[test]
    fn a_plan_that_did_not_come_true_is_told_with_the_reason() {
        let told = |expected, linked_then, freed, linked_now| {
            difference(&plan(expected, linked_then), &[outcome(freed)], linked_now)
        };
        assert_eq!(told(1000, 70, 1000, 70), None);
        let links = "The plan was 1.0 kB: 200 B of it have got further names (hard links) meanwhile.";
        assert_eq!(told(1000, 70, 800, 270).as_deref(), Some(links));
        assert_eq!(told(1000, 70, 800, 70).as_deref(), Some("The plan was 1.0 kB: files shrank or went meanwhile."));
        let grew = "The plan was 1.0 kB: files grew meanwhile, or lost names elsewhere.";
        assert_eq!(told(1000, 0, 1200, 0).as_deref(), Some(grew));
        let failure =
            Failure { cache: 0, removing: None, path: crate::model::RelPath::root(), error: None, consequence: None };
        let failed = Outcome { failed: vec![failure], ..outcome(10) };
        let told = difference(&plan(1000, 0), &[failed], 900);
        assert_eq!(told.as_deref(), Some("The plan was 1.0 kB: not all of it could be removed."));
    }
}
