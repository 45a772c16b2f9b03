//! What the journal tells: a run begins with its plan, ends with what came of it, and is undone or deleted later. Every
//! line names its run and can be understood by itself.

use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clean::{Failure, Inventory, Outcome, Plan};
use crate::model::escape_text;
use crate::tree::Freed;

use super::put_back::PutBack;
use super::record::EntryRecord;
use super::removal::Discarded;

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// Everything is planned and locked; nothing was touched so far.
    Begun(Begun),
    /// The run's own end.
    Ended(Ended),
    /// What waited went back to its places.
    Undone {
        /// The run.
        run: String,
        /// When.
        at: Timestamp,
        /// On whose wish.
        because: Because,
        /// The entries that are back.
        back: Vec<Name>,
        /// Those that still wait.
        left: Vec<Left>,
    },
    /// What waited was deleted for good.
    Discarded {
        /// The run.
        run: String,
        /// When.
        at: Timestamp,
        /// On whose wish.
        because: Because,
        /// Bytes that are free now, measured.
        freed: u64,
        /// Allocated bytes.
        freed_disk: u64,
        /// Why something of it waits on, if it does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<String>,
    },
}

/// A run begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begun {
    /// The run.
    pub run: String,
    /// When.
    pub at: Timestamp,
    /// The command's arguments.
    pub command: Vec<String>,
    /// Whether it has a record, so that it can be undone while it lasts.
    pub recorded: bool,
    /// Bytes that the plan frees.
    pub expected: u64,
    /// The entries that are to go.
    pub remove: Vec<Planned>,
    /// Those that were chosen and stay.
    pub keep: Vec<Kept>,
}

/// A run ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The run.
    pub run: String,
    /// When.
    pub at: Timestamp,
    /// How.
    pub how: Ending,
    /// Whether something of it waits.
    pub held: bool,
    /// Bytes that are free now, measured.
    pub freed: u64,
    /// Allocated bytes.
    pub freed_disk: u64,
    /// Which of [`Begun::remove`] are gone completely.
    pub removed: Vec<usize>,
    /// What should have gone and is still there.
    pub failed: Vec<Failed>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// It came to the end of its plan.
    Done,
    /// A signal ended it early.
    Interrupted,
    /// It could not go on, and put everything back.
    GivenUp,
}

/// Why a past run was undone or brought to an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Because {
    /// The user wanted it.
    Asked,
    /// It had been killed.
    Killed,
    /// It had waited long enough.
    Waited,
}

/// An entry that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Its cache's id.
    pub cache: String,
    /// Its cache's root.
    pub root: String,
    /// Its id.
    pub id: String,
    /// Why it goes.
    pub reason: String,
    /// Bytes that go with it.
    pub size: u64,
    /// Whether it is a part of another one that goes.
    #[serde(default)]
    pub part: bool,
}

/// An entry that was chosen and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Its cache's id.
    pub cache: String,
    /// Its cache's root.
    pub root: String,
    /// Its id.
    pub id: String,
    /// Why it stays.
    pub reason: String,
}

/// Something that is still there against the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// Which of [`Begun::remove`]; none for an index.
    pub entry: Option<usize>,
    /// Its cache's id.
    pub cache: String,
    /// Where, beneath the root.
    pub path: String,
    /// What the system said; none if it was not tried, or was put back.
    pub error: Option<String>,
    /// What follows from it, or why it was not tried.
    pub consequence: Option<String>,
}

/// An entry of a past run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Its cache's id.
    pub cache: String,
    /// Its id.
    pub id: String,
}

/// An entry that could not go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// Its cache's id.
    pub cache: String,
    /// Its id.
    pub id: String,
    /// Why.
    pub reason: String,
}

impl From<&EntryRecord> for Name {
    fn from(entry: &EntryRecord) -> Self {
        Self { cache: entry.cache.clone(), id: entry.id.clone() }
    }
}

impl Begun {
    /// A run of this plan begins now.
    pub(super) fn of(run: &str, command: &[String], recorded: bool, inventories: &[Inventory], plan: &Plan) -> Self {
        let mut begun = Self {
            run: run.to_owned(),
            at: Timestamp::now(),
            command: command.to_vec(),
            recorded,
            expected: plan.expected().size,
            remove: Vec::new(),
            keep: Vec::new(),
        };
        for (inventory, root) in inventories.iter().zip(&plan.roots) {
            let place = |entry: usize| {
                let given: &Path = inventory.given(inventory.items[entry].cache);
                escape_text(given.as_os_str())
            };
            begun.remove.extend(root.remove.iter().map(|it| Planned {
                cache: it.cache.clone(),
                root: place(it.entry),
                id: it.id.clone(),
                reason: it.reason.clone(),
                size: it.size,
                part: !it.outermost,
            }));
            begun.keep.extend(root.keep.iter().map(|it| Kept {
                cache: it.cache.clone(),
                root: place(it.entry),
                id: it.id.clone(),
                reason: it.held.reason.clone(),
            }));
        }
        begun
    }
}

impl Ended {
    /// A run ends now; nothing came of what has no outcome.
    pub(super) fn of(
        run: &str,
        how: Ending,
        held: bool,
        inventories: &[Inventory],
        plan: &Plan,
        outcomes: &[Outcome],
    ) -> Self {
        let mut ended = Self {
            run: run.to_owned(),
            at: Timestamp::now(),
            how,
            held,
            freed: outcomes.iter().map(|outcome| outcome.freed.size).sum(),
            freed_disk: outcomes.iter().map(|outcome| outcome.freed.disk_size).sum(),
            removed: Vec::new(),
            failed: Vec::new(),
        };
        let mut before = 0; // entries are counted through all roots
        for ((inventory, root), outcome) in inventories.iter().zip(&plan.roots).zip(outcomes) {
            ended.removed.extend(outcome.removed.iter().map(|at| before + at));
            ended.failed.extend(outcome.failed.iter().map(|it| Failed::of(it, before, inventory)));
            before += root.remove.len();
        }
        ended
    }
}

impl Failed {
    fn of(failure: &Failure, before: usize, inventory: &Inventory) -> Self {
        Self {
            entry: failure.removing.map(|at| before + at),
            cache: inventory.caches[failure.cache].cache.id.clone(),
            path: failure.path.as_str().to_owned(),
            error: failure.error.as_ref().map(ToString::to_string),
            consequence: failure.consequence.clone(),
        }
    }
}

impl Event {
    /// A run of the past was undone now.
    pub fn undone(run: &str, because: Because, done: &PutBack) -> Self {
        let left = |(entry, reason): &(EntryRecord, String)| Left {
            cache: entry.cache.clone(),
            id: entry.id.clone(),
            reason: reason.clone(),
        };
        Self::Undone {
            run: run.to_owned(),
            at: Timestamp::now(),
            because,
            back: done.back.iter().map(Name::from).collect(),
            left: done.left.iter().map(left).collect(),
        }
    }

    /// What waited of a run of the past was deleted now, or not all of it.
    pub fn discarded(run: &str, because: Because, done: &Result<Freed, Discarded>) -> Self {
        let freed = done.as_ref().map_or_else(|error| error.freed, |freed| *freed);
        Self::Discarded {
            run: run.to_owned(),
            at: Timestamp::now(),
            because,
            freed: freed.size,
            freed_disk: freed.disk_size,
            failed: done.as_ref().err().map(ToString::to_string),
        }
    }

    /// The run that it happened to.
    pub fn run(&self) -> &str {
        match self {
            Self::Begun(Begun { run, .. }) | Self::Ended(Ended { run, .. }) => run,
            Self::Undone { run, .. } | Self::Discarded { run, .. } => run,
        }
    }

    /// Bytes that will be needed for the end of what begins here.
    pub(super) fn slack(&self) -> u64 {
        match self {
            Self::Begun(begun) => 4096 + 16 * begun.remove.len() as u64,
            _ => 0,
        }
    }
}
