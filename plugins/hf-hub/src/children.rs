//! The level below a repository: its revisions, and what belongs to none of them.

use std::collections::BTreeSet;

use dscc_sdk::{Context, Directory, Entry, FsError, Listing, LockKind, Recovery, Result, State, path};

use crate::claims::{blob_lock, hold_payloads, lock_folder};
use crate::hub;
use crate::link::Root;
use crate::name::{self, Unfinished};
use crate::refs::Ref;
use crate::repository::{Blob, Content, Repository};
use crate::store::Store;
use crate::verdict::Case;

/// The children of the repository of this id.
pub fn list(directory: &dyn Directory, id: &str) -> Result<Listing> {
    let folder = name::folder(id).ok_or_else(|| format!("`{id}` is no repository and has no parts"))?;
    let root = Root::new(directory);
    let repository = match Repository::read(&root, &folder, true) {
        Err(FsError::WrongKind) => return Ok(Listing::default()),
        other => other.with_context(|| format!("`{id}` cannot be listed"))?,
    };
    let store = Store::some(&root, hub::payloads(&repository));
    let level = Level { id, repository: &repository, store: &store, case: Case::new(&root, &repository, &store) };
    Ok(level.list())
}

struct Level<'a> {
    id: &'a str,
    repository: &'a Repository,
    store: &'a Store,
    case: Case<'a>,
}

impl<'a> Level<'a> {
    fn list(&self) -> Listing {
        let repository = self.repository;
        let commits = self.commits();
        let mut listing: Listing = commits.iter().map(|commit| self.revision(commit)).collect();
        let blobs = repository.blobs.iter().filter(|blob| !blob.named);
        listing.entries.extend(blobs.filter_map(|blob| self.unnamed(blob)));
        for temporary in &repository.temporaries {
            listing.entries.push(self.leftover(temporary));
        }
        let unfinished = |one: &&Ref| one.temporary && !one.commit.as_deref().is_some_and(|to| commits.contains(to));
        for one in repository.refs.all.iter().filter(unfinished) {
            listing.entries.push(self.leftover(&format!("refs/{}", one.name)));
        }
        repository.warn(&mut listing);
        listing
    }

    /// Every commit that anything in the repository speaks of.
    fn commits(&self) -> BTreeSet<&'a str> {
        let repository = self.repository;
        let folders = repository.snapshots.iter().map(|snapshot| snapshot.name.as_str());
        let traces = repository.no_exist.iter().chain(&repository.trees).map(String::as_str);
        folders.chain(traces).chain(self.case.named_commits()).collect()
    }

    fn revision(&self, commit: &str) -> Entry {
        let repository = self.repository;
        let label = if name::is_digest(commit) { commit.get(..8).unwrap_or(commit) } else { commit };
        let mut entry = Entry::new(format!("{}@{commit}", self.id), "revision").label(label);
        entry = entry.lock(LockKind::Flock, lock_folder(&repository.folder));
        for one in self.case.refs(commit) {
            entry = entry.owns(&one.path);
            if !one.temporary {
                entry = entry.attribute("refs", &one.name);
            }
        }
        let at = repository.snapshots.binary_search_by(|snapshot| snapshot.name.as_str().cmp(commit));
        let snapshot = at.ok().and_then(|at| repository.snapshots.get(at));
        if snapshot.is_some() {
            entry = entry.owns(repository.path(&format!("snapshots/{commit}")));
        }
        if repository.no_exist.contains(commit) {
            entry = entry.owns(repository.path(&format!(".no_exist/{commit}")));
        }
        if repository.trees.contains(commit) {
            entry = entry.owns(repository.path(&format!("trees/{commit}.json")));
        }
        let Some(snapshot) = snapshot else {
            return entry.state(State::Partial).recovery(Recovery::Download);
        };
        for blob in snapshot.blobs.iter().filter_map(|index| repository.blobs.get(*index)) {
            entry = entry.shares(repository.path(&format!("blobs/{}", blob.name)));
        }
        let verdict = self.case.of_snapshot(snapshot);
        entry = hold_payloads(entry, self.store, &verdict.payloads);
        entry = entry.state(verdict.state).recovery(verdict.recovery).keeps_parent();
        entry = entry.attribute("files", snapshot.files.to_string());
        if let Some(missing) = snapshot.absent.as_ref().map(BTreeSet::len).filter(|missing| *missing > 0) {
            entry = entry.attribute("missing", missing.to_string());
        }
        for remark in verdict.remarks {
            entry = entry.attribute("warning", remark);
        }
        entry.needs.extend(verdict.needs.into_iter().map(str::to_owned));
        if self.case.is_detached(commit) { entry.reclaim("no ref points here") } else { entry }
    }

    /// A file in `blobs/` that no snapshot's link names; none if it is nobody's business.
    fn unnamed(&self, blob: &Blob) -> Option<Entry> {
        let path = format!("blobs/{}", blob.name);
        match name::unfinished(&blob.name) {
            Some(Unfinished::Partial { etag, resumable }) => Some(self.partial(&path, etag, resumable)),
            Some(Unfinished::Temporary(guard)) => {
                let entry = self.leftover(&path);
                Some(match guard {
                    Some(etag) => entry.lock(LockKind::Flock, blob_lock(&self.repository.folder, etag)),
                    None => entry,
                })
            }
            Some(Unfinished::Lock) => {
                let entry = self.leftover(&path).reclaim("a lock file of an early client");
                Some(entry.lock(LockKind::Flock, self.repository.path(&path)))
            }
            None if name::SYSTEM_FILES.contains(&blob.name.as_str()) || !self.repository.all_links_known() => None,
            None => Some(self.orphan(blob, &path)),
        }
    }

    fn partial(&self, path: &str, etag: &str, resumable: bool) -> Entry {
        let entry = self.part(path, "partial").state(State::Partial).recovery(Recovery::Download);
        let entry = entry.lock(LockKind::Flock, blob_lock(&self.repository.folder, etag));
        entry.reclaim(if resumable {
            "a killed download that only old clients could resume"
        } else {
            "a killed download that no client can resume"
        })
    }

    fn orphan(&self, blob: &Blob, path: &str) -> Entry {
        let entry = self.part(path, "blob").state(State::Detached).reclaim("no snapshot links to it");
        let entry = entry.lock(LockKind::Flock, blob_lock(&self.repository.folder, &blob.name));
        let from_the_hub = name::is_digest(&blob.name) && matches!(blob.content, Content::File | Content::Payload(_));
        let entry = entry.recovery(if from_the_hub { Recovery::Download } else { Recovery::Uncertain });
        hold_payloads(entry, self.store, &self.case.payloads(std::iter::once(&blob.content)))
    }

    fn leftover(&self, path: &str) -> Entry {
        let entry = self.part(path, "leftover").state(State::Detached).recovery(Recovery::Rebuild);
        entry.reclaim("a temporary of a killed client")
    }

    fn part(&self, path: &str, kind: &str) -> Entry {
        let id = format!("{}/{path}", self.id);
        Entry::new(id, kind).label(path::name(path)).owns(self.repository.path(path))
    }
}
