//! What no download holds any more: files that were being written, extracted archives and locks of which the download is
//! gone.

use std::collections::BTreeSet;

use dscc_sdk::{Entry, LockKind, Recovery, State};
use dscc_url_files::UrlFile;

use crate::downloads::{extracted as extracted_entry, id_of_extracted, is_lone_lock};
use crate::folder::Folder;

/// Locks that all temporary files together are checked with. A file that is being written is open besides.
const MOST_LOCKS: usize = 100_000;

/// Files that were being downloaded. Their names tell nothing; the lock of what they were to become has no download yet.
pub fn temporary(folder: &Folder) -> Vec<Entry> {
    let locks: Vec<String> = lone_locks(folder).map(|file| format!("{}.lock", file.name)).collect();
    let locks = if locks.len() * folder.temporary.len() <= MOST_LOCKS { locks } else { vec![] };
    let reason = "a killed download, which the library starts anew";
    let entry = |path: &String| {
        let entry = Entry::at(path, "partial").state(State::Partial).recovery(Recovery::Download).reclaim(reason);
        locks.iter().fold(entry, |entry, lock| entry.lock(LockKind::Flock, lock))
    };
    folder.temporary.iter().map(|node| entry(&node.path)).collect()
}

/// Extracted archives of which the archive is gone.
pub fn extracted(folder: &Folder) -> impl Iterator<Item = Entry> {
    let kept = |name: &str| {
        let at = folder.downloads.binary_search_by(|file| file.name.as_str().cmp(name));
        at.is_ok_and(|at| folder.downloads.get(at).is_some_and(|file| file.content.is_some()))
    };
    let mut seen = BTreeSet::new();
    folder.extracted.iter().filter(move |(archive, _)| !kept(archive)).map(move |(archive, node)| {
        let reason = "the archive that it came from is gone, without which the library does not look at it";
        let archive = UrlFile { name: archive.clone(), ..UrlFile::default() };
        let short = id_of_extracted(&archive);
        let id = if seen.insert(short.clone()) { short } else { node.path.clone() };
        let whole = extracted_entry(id, node, &archive);
        whole.label(&node.path).state(State::Detached).recovery(Recovery::Uncertain).reclaim(reason)
    })
}

/// Locks of downloads of which nothing else is left, as one entry: they weigh nothing.
pub fn locks(folder: &Folder) -> Option<Entry> {
    let entry = Entry::new("locks", "lock").label("locks of downloads that are gone").state(State::Detached);
    let entry = entry.recovery(Recovery::Rebuild).reclaim("lock files of downloads that are gone");
    let entry = lone_locks(folder)
        .filter_map(|file| file.lock.as_ref())
        .fold(entry, |entry, lock| entry.owns(&lock.path).lock(LockKind::Flock, &lock.path));
    (!entry.owns.is_empty()).then_some(entry)
}

fn lone_locks(folder: &Folder) -> impl Iterator<Item = &UrlFile> {
    folder.downloads.iter().filter(|file| is_lone_lock(file) && file.lock.is_some())
}
