//! Holding a fresh plan to the one that was approved: what was seen is what goes. Under the locks everything is listed
//! again, and an entry that would now take anything with it that the user was not shown stays. The same holds for a plan
//! that was saved.

use hashbrown::{HashMap, HashSet};

use crate::model::{Edit, Moment, RelPath};
use crate::tree::{Identity, NodeKind, Stat, Usage};

use super::decide::{Held, Hold};
use super::inventory::Inventory;
use super::plan::{HeldEntries, Removing, RootPlan, StepKind};
use super::steps;

/// Tells whether the content of a file or link is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// `st_size`, in bytes.
    pub size: u64,
    /// Last change of content, nanoseconds since 1970.
    pub modified: i64,
}

impl Stamp {
    /// That of a path; none of a folder, whose times change with whatever is put into it.
    pub(super) fn of(stat: &Stat) -> Option<Self> {
        let of_content = stat.identity.kind != NodeKind::Directory;
        of_content.then_some(Self { size: stat.size, modified: stat.modified_ns })
    }
}

/// What was approved for one root.
#[derive(Default)]
pub struct Approved<'a> {
    /// The entries that may go, by cache and id.
    pub(super) entries: HashMap<(&'a str, &'a str), Approval<'a>>,
    /// The paths that may go, each as long as it is what it was.
    pub(super) steps: HashMap<&'a RelPath, (Identity, Option<Stamp>)>,
    /// The records that indexes may lose.
    pub(super) edits: HashMap<(&'a RelPath, Moment), HashSet<&'a str>>,
    /// Whether it was saved, and not shown a moment ago.
    pub(super) saved: bool,
}

/// How an entry has to be that may go.
pub(super) struct Approval<'a> {
    /// Only as this plugin's, if one is given.
    pub(super) plugin: Option<&'a str>,
    /// Only as long as this is what it claims, if that is given: bytes, files and the latest change.
    pub(super) content: Option<(u64, u64, Option<i64>)>,
}

/// The part of what an entry claims that tells whether it is still the same. Accesses and names elsewhere do not matter.
pub(super) fn content(usage: &Usage) -> (u64, u64, Option<i64>) {
    (usage.size, usage.files, usage.modified)
}

impl<'a> Approved<'a> {
    /// What a plan that was shown approves.
    pub fn by(plan: &'a RootPlan) -> Self {
        let entry = || Approval { plugin: None, content: None };
        let mut approved = Self {
            entries: plan.remove.iter().map(|it| ((it.cache.as_str(), it.id.as_str()), entry())).collect(),
            steps: plan.steps.iter().map(|step| (&step.path, (step.identity, step.stamp))).collect(),
            ..Self::default()
        };
        for (_, edit) in &plan.edits {
            approved.add_edit(&edit.file, edit.at, &edit.drop_lines);
        }
        approved
    }

    pub(super) fn add_edit(&mut self, file: &'a RelPath, at: Moment, lines: &'a [String]) {
        self.edits.entry((file, at)).or_default().extend(lines.iter().map(String::as_str));
    }

    /// The entries of the fresh plan that go beyond what was approved. Folders that are empty now and were not then are
    /// simply left out.
    pub fn beyond(&self, inventory: &Inventory, fresh: &mut RootPlan) -> HeldEntries {
        fresh.steps.retain(|step| step.kind == StepKind::Claim || self.is_same(&step.path, step.identity, step.stamp));
        let mut held = HeldEntries::new();
        let mut hold = |removing: usize, reason: String| {
            held.entry(fresh.remove[removing].entry).or_insert(Held { hold: Hold::Changed, reason });
        };
        let entries = || fresh.remove.iter().enumerate();
        for (removing, entry) in entries() {
            let cache = &inventory.caches[inventory.items[entry.entry].cache];
            if let Some(reason) = self.why_not(entry, &cache.plugin) {
                hold(removing, reason);
            }
        }
        for step in fresh.steps.iter().filter(|step| !self.is_same(&step.path, step.identity, step.stamp)) {
            let what = if self.steps.contains_key(&step.path) { "changed" } else { "came to it" };
            hold(step.removing, format!("`{}` {what} since {}", step.path, self.since()));
        }
        for (cache, edit) in fresh.edits.iter().filter(|(_, edit)| !self.has_edit(edit)) {
            let reason = format!("other records in `{}` would go than when {}", edit.file, self.since());
            let of_cache = |removing: &usize| inventory.items[fresh.remove[*removing].entry].cache == *cache;
            (0..fresh.remove.len()).filter(of_cache).for_each(|removing| hold(removing, reason.clone()));
        }
        for (removing, entry) in entries() {
            if let Some(reason) = self.how_changed(entry) {
                hold(removing, reason);
            }
        }
        held
    }

    fn why_not(&self, entry: &Removing, plugin: &str) -> Option<String> {
        let Some(approval) = self.of(entry) else {
            return Some(format!("it was not there when {}", self.since()));
        };
        let other = approval.plugin.filter(|of| *of != plugin)?;
        Some(format!("it was named by the plugin `{other}` when {}", self.since()))
    }

    fn how_changed(&self, entry: &Removing) -> Option<String> {
        let (then, now) = (self.of(entry)?.content?, content(&entry.content));
        let what = |(size, files, _): (u64, u64, Option<i64>)| format!("{files} files with {size} bytes");
        let (had, has) = (what(then), what(now));
        if then == now {
            None
        } else if had == has {
            Some(format!("a file in it was written since {}", self.since()))
        } else {
            Some(format!("it has {has} now, and had {had} when {}", self.since()))
        }
    }

    fn of<'b>(&'b self, entry: &'b Removing) -> Option<&'b Approval<'b>> {
        self.entries.get(&(entry.cache.as_str(), entry.id.as_str()))
    }

    fn is_same(&self, path: &RelPath, identity: Identity, stamp: Option<Stamp>) -> bool {
        self.steps.get(path) == Some(&(identity, stamp))
    }

    /// An index that might go as a whole may lose any of its records.
    fn has_edit(&self, edit: &Edit) -> bool {
        if steps::up(&edit.file).any(|above| self.steps.contains_key(&above)) {
            return true;
        }
        let lines = self.edits.get(&(&edit.file, edit.at));
        edit.drop_lines.iter().all(|line| lines.is_some_and(|lines| lines.contains(line.as_str())))
    }

    /// The end of a reason.
    fn since(&self) -> &'static str {
        if self.saved {
            "the plan was made; make a new one"
        } else {
            "you saw the plan; run the command again to see it"
        }
    }
}
