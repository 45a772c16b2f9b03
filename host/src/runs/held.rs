//! What waits of past runs, and how much it is by now.

use jiff::Timestamp;

use crate::model::{PathId, PathTree};
use crate::tree::Progress;

use super::record::{Phase, RootRecord};
use super::store::Runs;

/// A run of which something waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub run: String,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// How many entries it took.
    pub entries: usize,
    /// Bytes that wait, measured.
    pub size: u64,
    /// Until when they are kept.
    pub until: Option<Timestamp>,
    /// Whether it was killed, so that the next run brings it to an end.
    pub interrupted: bool,
}

/// The runs of which something waits, the latest first. Those that go on are not among them.
pub fn held(runs: &Runs) -> Vec<Held> {
    let (past, _) = runs.all();
    let of = |past: super::store::Past| {
        let record = past.record?;
        Some(Held {
            run: past.name,
            begun: record.begun,
            entries: record.roots.iter().map(|root| root.entries.len()).sum(),
            size: record.roots.iter().map(waiting).sum(),
            until: record.until,
            interrupted: record.phase != Some(Phase::Held),
        })
    };
    past.into_iter().filter_map(of).collect()
}

/// Bytes that wait of one root; what cannot be looked at counts as nothing.
fn waiting(record: &RootRecord) -> u64 {
    let root = record.open_holding().and_then(|holding| holding.as_root());
    let measure =
        |root: crate::tree::Root| root.measure(&PathTree::default(), &[true], &[PathId::ROOT], &Progress::default());
    root.map(measure).map_or(0, |measure| {
        let single: u64 = measure.usage.iter().map(|usage| usage.size).sum();
        single + measure.linked.iter().map(|inode| inode.size).sum::<u64>()
    })
}
