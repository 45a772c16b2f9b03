//! What waits of past runs, and how much it is by now.

use hashbrown::HashMap;
use jiff::Timestamp;

use crate::model::{PathId, PathTree};
use crate::tree::{Measure, Progress};

use super::record::{Phase, Record, RootRecord};
use super::store::Runs;

/// A run of which something waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its name.
    pub run: String,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// How many entries it took, without those in others.
    pub entries: usize,
    /// Bytes that wait and will be free when they are deleted, measured.
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
            entries: record.outermost().count(),
            size: waiting(&record),
            until: record.until,
            interrupted: record.phase != Some(Phase::Held),
        })
    };
    past.into_iter().filter_map(of).collect()
}

/// Bytes that are free once what waits of a run is deleted, measured: those of files of which no name is anywhere else.
/// What cannot be looked at counts as nothing.
pub fn waiting(record: &Record) -> u64 {
    let (mut size, mut names) = (0, HashMap::new());
    for measure in record.roots.iter().filter_map(measure) {
        size += measure.usage.iter().map(|usage| usage.size).sum::<u64>();
        for inode in &measure.linked {
            // A file may have a name in each of several roots.
            let found: &mut u64 = names.entry((inode.dev, inode.ino)).or_default();
            let before = *found;
            *found += inode.at.iter().map(|(_, names)| names).sum::<u64>();
            if before < inode.links && *found >= inode.links {
                size += inode.size;
            }
        }
    }
    size
}

fn measure(record: &RootRecord) -> Option<Measure> {
    let root = record.open_holding().and_then(|holding| holding.as_root()).ok()?;
    Some(root.measure(&PathTree::default(), &[true], &[PathId::ROOT], &Progress::default()))
}
