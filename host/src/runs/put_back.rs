//! Undoing a run: what it put aside goes back to its places, entry by entry, each whole or not at all.

use std::collections::BTreeSet;
use std::path::Path;

use crate::clean::give_lines_back;
use crate::model::{Moment, RelPath};
use crate::tree::{FsError, Holding, NodeKind, Root};

use super::record::{EntryRecord, Phase, Record, RootRecord};
use super::store::{Run, RunsError};

/// What came of an undo.
#[derive(Debug, Default)]
pub struct PutBack {
    /// The entries that are back.
    pub back: Vec<EntryRecord>,
    /// Those that are not, and why.
    pub left: Vec<(EntryRecord, String)>,
    /// What else went wrong.
    pub remarks: Vec<String>,
}

/// Puts everything back that a run took, and forgets the run if nothing of it waits any more.
///
/// # Errors
/// When the record cannot be removed.
pub fn put_back(mut run: Run, record: &Record) -> Result<PutBack, RunsError> {
    let mut done = PutBack::default();
    let was_held = record.phase == Some(Phase::Held);
    if was_held {
        // Killed from here on, the next run goes on with it. Where that cannot be written, the next `undo` does.
        let _ = run.enter(Phase::Moving, None);
    }
    for root in &record.roots {
        match Part::open(root) {
            Ok(Some(part)) => part.put_back(&mut done),
            Ok(None) => {}
            Err(reason) => done.left.extend(root.entries.iter().map(|entry| (entry.clone(), reason.clone()))),
        }
    }
    record.places.iter().for_each(|place| clear(place));
    let waits = record.roots.iter().any(|root| root.holding.symlink_metadata().is_ok());
    if !waits {
        run.forget()?;
    } else if was_held {
        let _ = run.enter(Phase::Held, record.until);
    }
    Ok(done)
}

/// Removes a place if nothing waits there.
pub(super) fn clear(place: &Path) {
    match Holding::open(place) {
        // One that is not empty is a root's, which says what of it waits.
        Ok(holding) => drop(holding.remove_if_empty()),
        // It was never made, but perhaps the folder above was.
        Err(_) => Holding::clear_away(place),
    }
}

struct Part<'a> {
    record: &'a RootRecord,
    root: Root,
    holding: Holding,
    /// The items that wait.
    waiting: Vec<usize>,
}

impl<'a> Part<'a> {
    /// None if nothing waits.
    fn open(record: &'a RootRecord) -> Result<Option<Self>, String> {
        let holding = match Holding::open(&record.holding) {
            Err(FsError::NotFound) => return Ok(None),
            Err(error) => return Err(format!("`{}` cannot be used: {error}", record.holding.display())),
            Ok(holding) => holding,
        };
        let place = record.path.display();
        let root = Root::open(&record.path).map_err(|error| format!("`{place}` cannot be opened: {error}"))?;
        if root.identity().1 != record.ino {
            return Err(format!("`{place}` is another folder than it was"));
        }
        let waiting = (0..record.items.len()).filter(|item| holding.stat(*item).is_ok()).collect();
        Ok(Some(Self { record, root, holding, waiting }))
    }

    fn put_back(&self, done: &mut PutBack) {
        let blocked = self.blocked();
        let reason = |entry: usize| blocked.iter().find(|(it, _)| *it == entry).map(|(_, reason)| reason.clone());
        self.edit(Moment::After, done);
        let mut broken: BTreeSet<usize> = BTreeSet::new();
        for &item in self.waiting.iter().rev() {
            let it = &self.record.items[item];
            let wanted = it.entries.iter().any(|entry| reason(*entry).is_none());
            if !wanted {
                continue;
            }
            if it.emptied && self.is_folder(&it.path) {
                continue; // somebody made it again, or another run put it back
            }
            if let Err(error) =
                self.make_parents(&it.path).and_then(|()| self.root.put_back(&self.holding, item, &it.path))
            {
                broken.extend(&it.entries);
                done.remarks.push(format!("`{}` could not be put back: {error}", it.path));
            }
        }
        self.edit(Moment::After, done);
        self.edit(Moment::Before, done);
        // Rewriting may be what was killed.
        self.record.edits.iter().filter_map(|edit| edit.path.parent()).for_each(|at| self.root.clear_temporaries(&at));
        for &item in &self.waiting {
            // An emptied folder that is there again is not needed any more.
            if self.record.items[item].emptied && self.is_folder(&self.record.items[item].path) {
                self.holding.drop_empty(item);
            }
        }
        for (at, entry) in self.record.entries.iter().enumerate() {
            match reason(at) {
                Some(reason) => done.left.push((entry.clone(), reason)),
                None if broken.contains(&at) => {
                    done.left.push((entry.clone(), "not all of it could be put back".into()))
                }
                None => done.back.push(entry.clone()),
            }
        }
        if let Err(error) = self.holding.remove_if_empty() {
            done.remarks.push(format!("`{}` could not be removed: {error}", self.holding.path().display()));
        }
        self.restore_times();
    }

    /// The entries that cannot be put back, because something is in one of their places.
    fn blocked(&self) -> Vec<(usize, String)> {
        let mut blocked: Vec<(usize, String)> = Vec::new();
        for &item in &self.waiting {
            let it = &self.record.items[item];
            let why = match self.root.stat(&it.path) {
                Err(FsError::NotFound) => continue,
                Ok(stat) if it.emptied && stat.identity.kind == NodeKind::Directory => continue,
                Ok(_) => format!("something else is at `{}` by now", it.path),
                Err(error) => format!("`{}` cannot be looked at: {error}", it.path),
            };
            blocked.extend(it.entries.iter().map(|entry| (*entry, why.clone())));
        }
        // A part is nothing without what it is a part of: content may have gone with that.
        for (at, entry) in self.record.entries.iter().enumerate() {
            let is_part = |(above, _): &&(usize, String)| {
                let above = &self.record.entries[*above];
                above.cache == entry.cache && above.id != entry.id && entry.id.starts_with(&above.id)
            };
            let why = blocked.iter().find(is_part).map(|(_, why)| why.clone());
            blocked.extend(why.map(|why| (at, why)));
        }
        blocked
    }

    fn is_folder(&self, path: &RelPath) -> bool {
        self.root.stat(path).is_ok_and(|stat| stat.identity.kind == NodeKind::Directory)
    }

    /// Folders that went with others, or that somebody removed since.
    fn make_parents(&self, path: &RelPath) -> Result<(), FsError> {
        let mut missing = Vec::new();
        let mut at = path.parent().filter(|parent| !parent.is_root());
        while let Some(folder) = at {
            if !matches!(self.root.stat(&folder), Err(FsError::NotFound)) {
                break;
            }
            at = folder.parent().filter(|parent| !parent.is_root());
            missing.push(folder);
        }
        missing.iter().rev().try_for_each(|folder| self.root.make_folder(folder))
    }

    /// Gives indexes back the lines that they lost. One that is not there yet is tried again later.
    fn edit(&self, at: Moment, done: &mut PutBack) {
        for edit in self.record.edits.iter().filter(|edit| edit.at == at) {
            match give_lines_back(&self.root, &edit.path, &edit.lines, edit.size) {
                Ok(true) if self.root.stat(&edit.path).is_ok_and(|stat| stat.size == edit.size) => {
                    // It is what it was.
                    let _ = self.root.set_times(&edit.path, edit.accessed, edit.modified);
                }
                Ok(_) | Err(FsError::NotFound) => {}
                Err(error) => {
                    done.remarks.push(format!("`{}` could not be given back its records: {error}", edit.path))
                }
            }
        }
    }

    /// Putting things back changes the times of the folders they are in, and so does removing where they were. Deepest
    /// first: that of a folder is not changed by what happens to its parent's.
    fn restore_times(&self) {
        for folder in &self.record.folders {
            // A time that stays new harms nobody.
            let _ = self.root.set_times(&folder.path, folder.accessed, folder.modified);
        }
    }
}
