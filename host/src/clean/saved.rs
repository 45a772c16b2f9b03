//! A plan as it is saved: the `plan` of what `dscc clean --dry-run --json` prints. It is as long as what the plan says:
//! a row for each entry that goes and one for each claimed path, whatever is in a folder. Nothing is ever carried out
//! from it: [`Approved`] holds a plan that is made anew to it.
//!
//! ```json
//! "plan": {
//!   "format": 1,
//!   "made": "2026-03-01T12:00:00Z",
//!   "terms": {"force": ["in-use"], "grace": 3600, "include_others": false},
//!   "roots": [{
//!     "path": "/home/me/.cache/huggingface/hub", "dev": 2049, "ino": 77,
//!     "entries": [{"cache": "hub", "plugin": "hf-hub", "id": "model/a/b", "chosen": true, "named": false,
//!                  "size": 1050, "files": 3, "modified": "2026-02-01T12:00:00.5Z"}],
//!     "steps": [{"entry": 0, "path": "models--a--b", "kind": "directory", "dev": 2049, "ino": 78, "emptied": false,
//!                "size": null, "modified": null}],
//!     "edits": [{"path": "blobs/ab/abc.refs", "when": "after", "lines": ["models--a--b/blobs/123"]}]
//!   }]
//! }
//! ```

mod read;

use std::path::PathBuf;

use hashbrown::HashMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::model::{Moment, RelPath};
use crate::tree::{Identity, NodeKind, Usage};

use super::decide::{Grace, Terms};
use super::inventory::{EntryIx, Inventory};
use super::plan::{Plan, Removing, RootPlan, StepKind};
use super::restrict::{Approval, Approved, Stamp};
use super::select::Chosen;

pub use read::SavedError;

/// The format of plans that this program writes, and the latest that it understands.
const FORMAT: u32 = 1;

/// A saved plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// 1; a later one is not understood.
    format: u32,
    /// When it was made.
    pub made: Timestamp,
    /// On what terms; they hold again when it is applied.
    pub terms: SavedTerms,
    /// The roots that something goes from.
    pub roots: Vec<SavedRoot>,
}

/// On what terms entries go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedTerms {
    /// The protections that were lifted.
    force: Vec<Force>,
    /// What changed so many seconds ago or less stays; 0 for no such thing, null for what is usual there.
    grace: Option<u64>,
    /// Whether what belongs to other users goes.
    include_others: bool,
}

/// A protection that was lifted, as `--force` calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Force {
    Irreplaceable,
    Needed,
    InUse,
}

/// What goes from one root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedRoot {
    /// Its path, with links resolved, written like all names: see [`RelPath`].
    #[serde(with = "read::absolute")]
    pub path: PathBuf,
    /// Its file system.
    pub dev: u64,
    /// Its inode.
    pub ino: u64,
    /// The entries, in the order of removal.
    pub entries: Vec<SavedEntry>,
    /// The paths, in the order of removal. A folder goes with all in it that no other entry claims.
    steps: Vec<SavedStep>,
    /// Records that indexes lose.
    edits: Vec<SavedEdit>,
}

/// An entry that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedEntry {
    /// Its cache's id.
    pub cache: String,
    /// The plugin that names it.
    pub plugin: String,
    /// Its id.
    pub id: String,
    /// Whether it was selected, and does not only go along with others.
    pub chosen: bool,
    /// Whether the user named it, and not a cache.
    pub named: bool,
    /// Bytes that it and what is in it claim.
    size: u64,
    /// Regular files.
    files: u64,
    /// The latest change of one of them.
    modified: Option<Timestamp>,
}

/// A path that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedStep {
    /// On behalf of which of [`SavedRoot::entries`].
    entry: usize,
    /// Beneath the root.
    path: RelPath,
    /// What it is.
    kind: Kind,
    /// Its file system.
    dev: u64,
    /// Its inode.
    ino: u64,
    /// Whether it is a folder that goes only if it is empty by then.
    emptied: bool,
    /// Bytes, unless it is a folder.
    size: Option<u64>,
    /// Last change of content, unless it is a folder.
    modified: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    File,
    Directory,
    Link,
    Other,
}

/// Records that an index loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedEdit {
    /// The index.
    path: RelPath,
    /// Before or after the files go.
    when: When,
    /// Whole lines, written like names.
    lines: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum When {
    Before,
    After,
}

impl Saved {
    /// A plan as it is saved at this moment. `chosen` is what it was made for.
    pub fn of(inventories: &[Inventory], chosen: &[Vec<Chosen>], plan: &Plan, terms: &Terms) -> Self {
        let used = inventories.iter().zip(chosen).zip(&plan.roots).filter(|(_, root)| !root.is_empty());
        Self {
            format: FORMAT,
            made: Timestamp::now(),
            terms: SavedTerms::of(terms),
            roots: used.map(|((inventory, chosen), root)| SavedRoot::of(inventory, chosen, root)).collect(),
        }
    }
}

impl SavedTerms {
    fn of(terms: &Terms) -> Self {
        let lifted =
            [(terms.irreplaceable, Force::Irreplaceable), (terms.needed, Force::Needed), (terms.in_use, Force::InUse)];
        let seconds = |age: i64| u64::try_from(age).unwrap_or(0).div_ceil(1_000_000_000);
        Self {
            force: lifted.into_iter().filter(|(is, _)| *is).map(|(_, force)| force).collect(),
            grace: terms.grace.map_or(Some(0), |grace| grace.age.map(seconds)),
            include_others: terms.others,
        }
    }

    /// The terms for a plan that is made now, in nanoseconds since 1970.
    pub fn at(&self, now: i64) -> Terms {
        let has = |force| self.force.contains(&force);
        let nanoseconds = |age: u64| i64::try_from(age).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        Terms {
            irreplaceable: has(Force::Irreplaceable),
            needed: has(Force::Needed),
            in_use: has(Force::InUse),
            others: self.include_others,
            grace: Some(Grace { now, age: self.grace.map(nanoseconds) }),
        }
    }

    /// The same as options of the command line.
    pub fn options(&self) -> String {
        let word = |force: &Force| match force {
            Force::Irreplaceable => "--force irreplaceable ",
            Force::Needed => "--force needed ",
            Force::InUse => "--force in-use ",
        };
        let force: String = self.force.iter().map(word).collect();
        let others = if self.include_others { "--include-others " } else { "" };
        let age = |seconds: u64| SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
        let grace = self.grace.map(|seconds| format!("--grace {:#}", age(seconds))).unwrap_or_default();
        format!("{force}{others}{grace}").trim_end().to_owned()
    }
}

impl SavedRoot {
    fn of(inventory: &Inventory, chosen: &[Chosen], plan: &RootPlan) -> Self {
        let (dev, ino) = inventory.root.identity();
        let mut named: HashMap<EntryIx, bool> = HashMap::new();
        chosen.iter().for_each(|it| *named.entry(it.entry).or_default() |= it.named);
        let edits = plan.edits.iter().map(|(_, edit)| SavedEdit {
            path: edit.file.clone(),
            when: if edit.at == Moment::Before { When::Before } else { When::After },
            lines: edit.drop_lines.clone(),
        });
        Self {
            path: inventory.root.path().to_owned(),
            dev,
            ino,
            entries: plan.remove.iter().map(|it| SavedEntry::of(inventory, &named, it)).collect(),
            steps: plan.steps.iter().map(SavedStep::of).collect(),
            edits: edits.collect(),
        }
    }

    /// What it approves of a plan that is made anew.
    pub fn approved(&self) -> Approved<'_> {
        let mut approved = Approved { saved: true, ..Approved::default() };
        for entry in &self.entries {
            let content = (entry.size, entry.files, entry.modified.map(nanoseconds));
            let approval = Approval { plugin: Some(&entry.plugin), content: Some(content) };
            approved.entries.insert((&entry.cache, &entry.id), approval);
        }
        for step in &self.steps {
            let identity = Identity { dev: step.dev, ino: step.ino, kind: step.kind.into() };
            let stamp = step.size.zip(step.modified);
            let stamp = stamp.map(|(size, modified)| Stamp { size, modified: nanoseconds(modified) });
            approved.steps.insert(&step.path, (identity, stamp));
        }
        for SavedEdit { path, when, lines } in &self.edits {
            let at = if *when == When::Before { Moment::Before } else { Moment::After };
            approved.add_edit(path, at, lines);
        }
        approved
    }
}

impl SavedEntry {
    /// `chosen` says of what was selected whether it was named.
    fn of(inventory: &Inventory, chosen: &HashMap<EntryIx, bool>, removing: &Removing) -> Self {
        let Usage { size, files, modified, .. } = removing.content;
        let itself = chosen.get(&removing.entry);
        let mut above = inventory.ancestors(removing.entry).filter_map(|above| chosen.get(&above)).peekable();
        // A part of what was chosen and stays goes for itself now; a parent that goes with its last child does not.
        let is_chosen = itself.is_some() || (removing.outermost && above.peek().is_some());
        Self {
            cache: removing.cache.clone(),
            plugin: inventory.caches[inventory.items[removing.entry].cache].plugin.clone(),
            id: removing.id.clone(),
            chosen: is_chosen,
            named: itself.into_iter().chain(above).any(|named| *named),
            size,
            files,
            modified: modified.map(timestamp),
        }
    }
}

impl SavedStep {
    fn of(step: &super::plan::Step) -> Self {
        let Identity { dev, ino, kind } = step.identity;
        Self {
            entry: step.removing,
            path: step.path.clone(),
            kind: kind.into(),
            dev,
            ino,
            emptied: step.kind == StepKind::Emptied,
            size: step.stamp.map(|stamp| stamp.size),
            modified: step.stamp.map(|stamp| timestamp(stamp.modified)),
        }
    }
}

impl From<NodeKind> for Kind {
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::File => Self::File,
            NodeKind::Directory | NodeKind::Unreadable => Self::Directory,
            NodeKind::Link => Self::Link,
            NodeKind::Other => Self::Other,
        }
    }
}

impl From<Kind> for NodeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Directory => Self::Directory,
            Kind::Link => Self::Link,
            Kind::Other => Self::Other,
        }
    }
}

/// 64 bits of nanoseconds are well within the range of times.
fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(nanoseconds.into()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A time beyond them is none that a file system has.
fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MIN)
}
