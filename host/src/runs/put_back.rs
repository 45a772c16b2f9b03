//! Undoing a run: what it put aside goes back to its places, entry by entry, each whole or not at all.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Instant;

use crate::clean::give_lines_back;
use crate::model::{Moment, RelPath};
use crate::tree::{FsError, Holding, Identity, NodeKind, Progress, Root};

use super::guard::Guard;
use super::record::{EntryRecord, Phase, Record, RootRecord};
use super::store::{Run, RunsError};
use super::waiting::Waits;

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
pub fn put_back(run: Run, record: &Record, progress: &Progress) -> Result<PutBack, RunsError> {
    put_all_back(run, record, &|root| Guard::of(root, Instant::now()).map(Some), progress)
}

/// The same by the run itself, which keeps others away already.
pub(super) fn put_back_own(run: Run, record: &Record) -> Result<PutBack, RunsError> {
    put_all_back(run, record, &|_| Ok(None), &Progress::default())
}

/// Keeps other runs away from a root.
type KeepAway<'a> = &'a dyn Fn(&Root) -> Result<Option<Guard>, String>;

fn put_all_back(
    mut run: Run,
    record: &Record,
    keep_away: KeepAway<'_>,
    progress: &Progress,
) -> Result<PutBack, RunsError> {
    let mut done = PutBack::default();
    let was_held = record.phase == Some(Phase::Held);
    if was_held {
        // Killed from here on, the next run goes on with it. Where that cannot be written, the next `undo` does.
        let _ = run.enter(Phase::Moving, None);
    }
    for root in &record.roots {
        match Part::open(root, keep_away) {
            Ok(Some(part)) => part.put_back(&mut done, progress),
            Ok(None) => {}
            Err(reason) => done.left.extend(root.entries.iter().map(|entry| (entry.clone(), reason.clone()))),
        }
    }
    // It was perhaps killed before a root was named, but not before the folder was made, or the one above.
    record.places.iter().for_each(|place| Holding::clear_away(place));
    let waits = record.roots.iter().any(|root| root.holding.symlink_metadata().is_ok());
    if !waits && done.left.is_empty() {
        run.forget()?;
    } else if was_held {
        let _ = run.enter(Phase::Held, record.until);
    }
    Ok(done)
}

/// Whether what was put aside is where it came from: the undoing was interrupted only after its end.
fn is_at_its_place(root: &Root, item: &Waits<'_>) -> bool {
    root.stat(item.path).is_ok_and(|found| item.is(&found))
}

/// Putting things back changes the times of the folders they are in, and so does removing where they were. Setting them
/// changes no other folder's.
fn restore_times(root: &Root, record: &RootRecord) {
    for folder in &record.folders {
        // A time that stays new harms nobody.
        let _ = root.set_times(&folder.path, folder.accessed, folder.modified);
    }
}

struct Part<'a> {
    record: &'a RootRecord,
    root: Root,
    holding: Holding,
    /// The items that wait.
    waiting: Vec<usize>,
    _guard: Option<Guard>,
}

impl<'a> Part<'a> {
    /// None if nothing waits.
    fn open(record: &'a RootRecord, keep_away: KeepAway<'_>) -> Result<Option<Self>, String> {
        let (held_in, place) = (record.holding.display(), record.path.display());
        let root = match record.open_root() {
            Err(FsError::Changed) => return Err(format!("`{place}` is another folder than it was")),
            other => other.map_err(|error| format!("`{place}` cannot be opened: {error}"))?,
        };
        let guard = keep_away(&root)?;
        let holding = match record.open_holding() {
            Err(FsError::NotFound) if !record.is_gone() => {
                return Err(format!("`{held_in}` is not there, nor is its disk: mount it and try again"));
            }
            Err(FsError::NotFound) if record.waits().iter().all(|it| it.emptied || is_at_its_place(&root, it)) => {
                // All is back. It may have been killed before it came to the times, which are last.
                restore_times(&root, record);
                return Ok(None);
            }
            Err(FsError::NotFound) => return Err(format!("what waited in `{held_in}` is not there any more")),
            other => other.map_err(|error| format!("`{held_in}` cannot be used: {error}"))?,
        };
        let waiting = (0..record.items.len()).filter(|item| holding.stat(*item).is_ok()).collect();
        Ok(Some(Self { record, root, holding, waiting, _guard: guard }))
    }

    fn put_back(&self, done: &mut PutBack, progress: &Progress) {
        let (taken, blocked) = (self.taken(), self.blocked());
        self.edit(Moment::After, done);
        let mut broken: BTreeSet<usize> = BTreeSet::new();
        let mut moved: Vec<(usize, Identity)> = Vec::new();
        for &item in self.waiting.iter().rev() {
            let it = &self.record.items[item];
            if it.entries.iter().all(|entry| blocked.contains_key(entry)) {
                continue;
            }
            if it.emptied && self.is_folder(&it.path) {
                continue; // somebody made it again, or another run put it back
            }
            match self.put_one_back(item) {
                Ok(identity) => moved.push((item, identity)),
                Err(error) => {
                    broken.extend(&it.entries);
                    done.remarks.push(format!("`{}` could not be put back: {error}", it.path));
                }
            }
            progress.add(1, 0);
        }
        self.add_parts(&mut broken);
        self.take_again(&moved, &broken);
        self.edit(Moment::After, done);
        self.edit(Moment::Before, done);
        // Rewriting may be what was killed.
        self.record.edits.iter().filter_map(|edit| edit.path.parent()).for_each(|at| self.root.clear_temporaries(&at));
        for &item in &self.waiting {
            // An emptied folder that is there again is not needed any more, but for what somebody put into it.
            let it = &self.record.items[item];
            if it.emptied && self.is_folder(&it.path) && !matches!(self.holding.drop_empty(item), Ok(true)) {
                let _ = self.root.put_back_into(&self.holding, item, &it.path);
            }
        }
        for (at, entry) in self.record.entries.iter().enumerate().filter(|(at, _)| taken.contains(at)) {
            match blocked.get(&at) {
                Some(reason) => done.left.push((entry.clone(), reason.clone())),
                None if broken.contains(&at) => {
                    done.left.push((entry.clone(), "something came in the way of it at this moment".into()))
                }
                None => done.back.push(entry.clone()),
            }
        }
        if let Err(error) = self.holding.remove_if_empty() {
            done.remarks.push(format!("`{}` could not be removed: {error}", self.holding.path().display()));
        }
        restore_times(&self.root, self.record);
    }

    fn put_one_back(&self, item: usize) -> Result<Identity, FsError> {
        let path = &self.record.items[item].path;
        let identity = self.holding.stat(item)?.identity;
        self.make_parents(path)?;
        self.root.put_back(&self.holding, item, path)?;
        Ok(identity)
    }

    /// The entries that an entry is a part of, the nearest first.
    fn above(&self, entry: usize) -> impl Iterator<Item = usize> + '_ {
        let entries = &self.record.entries;
        let up = move |at: &usize| entries.get(*at)?.within.filter(|above| *above < entries.len());
        // A damaged record may lead round in a circle.
        std::iter::successors(up(&entry), up).take(entries.len())
    }

    /// The entries of which something waits: of their own, or in them, or as all of what they are in. The others never
    /// went, or are back.
    fn taken(&self) -> HashSet<usize> {
        let items = &self.record.items;
        let own: HashSet<usize> = items.iter().flat_map(|item| &item.entries).copied().collect();
        let waits: HashSet<usize> = self.waiting.iter().flat_map(|&item| &items[item].entries).copied().collect();
        let around = waits.iter().flat_map(|at| self.above(*at));
        let all = 0..self.record.entries.len();
        let parts = all.filter(|at| !own.contains(at) && self.above(*at).any(|above| waits.contains(&above)));
        around.chain(parts).chain(waits.iter().copied()).collect()
    }

    fn add_parts(&self, broken: &mut BTreeSet<usize>) {
        let all = 0..self.record.entries.len();
        let parts: Vec<usize> = all.filter(|at| self.above(*at).any(|above| broken.contains(&above))).collect();
        broken.extend(parts);
    }

    /// An entry of which a part could not be put back waits as a whole.
    fn take_again(&self, moved: &[(usize, Identity)], broken: &BTreeSet<usize>) {
        for (item, identity) in moved.iter().rev() {
            let it = &self.record.items[*item];
            if !it.emptied && it.entries.iter().all(|entry| broken.contains(entry)) {
                // One that cannot be taken again is where it was; the entry is told to be incomplete in any case.
                let _ = self.root.put_aside(&it.path, *identity, &self.holding, *item);
            }
        }
    }

    /// The entries that cannot be put back, and why.
    fn blocked(&self) -> HashMap<usize, String> {
        let mut blocked: HashMap<usize, String> = HashMap::new();
        for (entries, why) in self.in_the_way().into_iter().chain(self.lacking()) {
            for entry in entries {
                blocked.entry(*entry).or_insert_with(|| why.clone());
            }
        }
        // A part is nothing without what it is a part of: content may have gone with that.
        for at in 0..self.record.entries.len() {
            if let Some(why) = self.above(at).find_map(|above| blocked.get(&above).cloned()) {
                blocked.entry(at).or_insert(why);
            }
        }
        blocked
    }

    /// Entries of which a place is taken.
    fn in_the_way(&self) -> Vec<(&[usize], String)> {
        let why = |&item: &usize| {
            let it = &self.record.items[item];
            let why = match self.root.stat(&it.path) {
                Err(FsError::NotFound) => return None,
                Ok(stat) if it.emptied && stat.identity.kind == NodeKind::Directory => return None,
                Ok(_) => format!("something else is at `{}` by now", it.path),
                Err(error) => format!("`{}` cannot be looked at: {error}", it.path),
            };
            Some((it.entries.as_slice(), why))
        };
        self.waiting.iter().filter_map(why).collect()
    }

    /// Entries of which something is gone that they share: with others that stayed, or with one that came back before and
    /// went again since.
    fn lacking(&self) -> Vec<(&[usize], String)> {
        let waiting: HashSet<usize> = self.waiting.iter().copied().collect();
        let items = self.record.items.iter().enumerate();
        let back = items.filter(|(item, it)| it.entries.len() > 1 && !it.emptied && !waiting.contains(item));
        let back = back.map(|(_, it)| (&it.path, &it.entries));
        let all = self.record.needed.iter().map(|(path, entries)| (path, entries)).chain(back);
        let gone = all.filter(|(path, _)| self.root.stat(path) == Err(FsError::NotFound));
        gone.map(|(path, entries)| {
            (entries.as_slice(), format!("`{path}`, which it shared with others, is gone by now"))
        })
        .collect()
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
}
