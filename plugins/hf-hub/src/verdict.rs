//! What is wrong with a repository or a revision, and what it would cost to have it back. What the library itself calls
//! corrupted is `broken`, unless its own clients make it so in daily use: then it is `partial`.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Kind, Recovery, State};

use crate::link::{Root, beneath};
use crate::name;
use crate::refs::Ref;
use crate::repository::{Content, Repository};
use crate::snapshot::Snapshot;
use crate::store::{Marker, Store};

/// More remarks than this help nobody.
const MOST_REMARKS: usize = 8;

/// A repository with all that is needed to judge it.
pub struct Case<'a> {
    repository: &'a Repository,
    store: &'a Store,
    refs: BTreeMap<&'a str, Vec<&'a Ref>>,
    has_links: bool,
    found: BTreeMap<String, Kind>,
}

/// What is said of a repository or a revision.
pub struct Verdict<'a> {
    /// Whether it is whole.
    pub state: State,
    /// What it costs to have it back.
    pub recovery: Recovery,
    /// What the library would complain about.
    pub remarks: Vec<String>,
    /// Places outside of it to which its links lead.
    pub needs: BTreeSet<&'a str>,
    /// Places of the marked store to which its blobs, or its links, lead.
    pub payloads: BTreeSet<&'a str>,
}

impl<'a> Case<'a> {
    /// Looks up where the repository's odd links lead.
    pub fn new(root: &Root, repository: &'a Repository, store: &'a Store) -> Self {
        let mut refs: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in &repository.refs.all {
            if let Some(commit) = one.commit.as_deref() {
                refs.entry(commit).or_default().push(one);
            }
        }
        let of_links = repository.snapshots.iter().flat_map(|snapshot| snapshot.elsewhere.iter().map(String::as_str));
        let of_blobs = repository.blobs.iter().filter_map(|blob| match &blob.content {
            Content::Elsewhere(place) => Some(place.as_str()),
            Content::Payload(place) if store.marker != Marker::Known => Some(place.as_str()),
            _ => None,
        });
        let found = root.probe(of_links.chain(of_blobs).filter(|place| !place.is_empty()));
        Self { repository, store, refs, has_links: repository.has_links(), found }
    }

    /// The refs that name a commit, those among them that were being written too.
    pub fn refs(&self, commit: &str) -> &[&'a Ref] {
        self.refs.get(commit).map_or(&[], Vec::as_slice)
    }

    /// All commits that refs name.
    pub fn named_commits(&self) -> impl Iterator<Item = &'a str> {
        self.refs.iter().filter(|(_, refs)| refs.iter().any(|one| !one.temporary)).map(|(commit, _)| *commit)
    }

    /// Whether a revision is known to have no ref.
    pub fn is_detached(&self, commit: &str) -> bool {
        self.repository.all_refs_known() && self.refs(commit).iter().all(|one| one.temporary)
    }

    /// The whole repository.
    pub fn of_repository(&self) -> Verdict<'a> {
        let repository = self.repository;
        let mut broken = self.of_parts();
        let mut probed = vec![];
        self.of_refs(&mut broken, &mut probed);
        let mut verdict = Verdict::new();
        for snapshot in &repository.snapshots {
            let mut one = self.of_snapshot(snapshot);
            if one.state == State::Broken {
                broken.append(&mut one.remarks);
            }
            verdict.recovery = verdict.recovery.max(one.recovery);
            verdict.needs.append(&mut one.needs);
        }
        // A place in the repository itself is claimed by it anyway.
        verdict.needs.retain(|place| beneath(place, &repository.folder).is_none());
        verdict.payloads = self.payloads(repository.blobs.iter().map(|blob| &blob.content));
        verdict.payloads.extend(repository.snapshots.iter().flat_map(|snapshot| self.direct_payloads(snapshot)));
        if !repository.foreign.is_empty() {
            verdict.recovery = verdict.recovery.max(Recovery::Uncertain);
            probed.extend(repository.foreign.iter().map(|name| format!("no client puts `{name}` here")));
        }
        if !repository.strays.is_empty() {
            verdict.recovery = Recovery::Irreplaceable;
        }
        let unfinished = repository
            .blobs
            .iter()
            .any(|blob| !blob.named && matches!(name::unfinished(&blob.name), Some(name::Unfinished::Partial { .. })));
        verdict.state = if !broken.is_empty() {
            State::Broken
        } else if unfinished || repository.snapshots.iter().all(|snapshot| snapshot.files == 0) {
            State::Partial
        } else if repository.snapshots.iter().all(|snapshot| self.is_detached(&snapshot.name)) {
            State::Detached
        } else {
            State::Complete
        };
        // Several revisions may lack the same blob.
        let mut said = BTreeSet::new();
        verdict.remarks = broken.into_iter().chain(probed).filter(|remark| said.insert(remark.clone())).collect();
        verdict.remarks.truncate(MOST_REMARKS);
        verdict
    }

    /// One revision folder.
    pub fn of_snapshot(&self, snapshot: &'a Snapshot) -> Verdict<'a> {
        let mut verdict = Verdict::new();
        let place = format!("snapshots/{}", snapshot.name);
        if snapshot.is_link {
            verdict.leads_away(format!("`{place}` is a link"));
        }
        let whole = self.repository.path(&place);
        if let Some((path, why)) = self.repository.unread.iter().find(|(path, _)| beneath(path, &whole).is_some()) {
            verdict.remarks.push(format!("`{path}` cannot be read: {why}"));
        }
        if !matches!(self.repository.parts.get("blobs"), Some(Kind::Unreadable)) {
            self.of_missing(snapshot, &mut verdict);
        }
        if let Some(link) = snapshot.outside.first() {
            verdict.leads_away(format!("`{link}` leads out of the cache"));
        }
        for index in &snapshot.blobs {
            let Some(blob) = self.repository.blobs.get(*index) else { continue };
            match &blob.content {
                Content::Outside => verdict.leads_away(format!("the blob `{}` leads out of the cache", blob.name)),
                Content::Elsewhere(place) => {
                    verdict.leads_away(format!("the blob `{}` leads to `{place}`", blob.name));
                    verdict.needs.insert(place);
                }
                Content::Payload(_) | Content::File => {}
            }
        }
        self.of_elsewhere(snapshot, &whole, &mut verdict);
        verdict.payloads =
            self.payloads(snapshot.blobs.iter().filter_map(|index| Some(&self.repository.blobs.get(*index)?.content)));
        verdict.payloads.extend(self.direct_payloads(snapshot));
        if self.has_links && snapshot.file.is_some() {
            verdict.recovery = Recovery::Irreplaceable;
        }
        verdict.needs.remove("");
        verdict.remarks.truncate(MOST_REMARKS);
        verdict.state = if !verdict.remarks.is_empty() {
            State::Broken
        } else if snapshot.files == 0 || snapshot.absent.as_ref().is_some_and(|absent| !absent.is_empty()) {
            State::Partial
        } else if self.is_detached(&snapshot.name) {
            State::Detached
        } else {
            State::Complete
        };
        verdict
    }

    /// The library's complaints about the repository's own folders.
    fn of_parts(&self) -> Vec<String> {
        let repository = self.repository;
        let mut broken = vec![];
        for part in ["snapshots", "refs", "blobs"] {
            if repository.parts.get(part).is_some_and(|kind| !matches!(kind, Kind::Directory | Kind::Unreadable)) {
                broken.push(format!("`{part}` is no folder"));
            }
        }
        let content = repository.blobs.iter().any(|blob| name::unfinished(&blob.name).is_none());
        if content && !repository.parts.contains_key("snapshots") {
            broken.push("nothing names its blobs".into());
        }
        if let Some(stray) = repository.strays.first() {
            broken.push(format!("a file lies directly in `snapshots`: {stray}"));
        }
        let unread = repository.unread.iter().chain(&repository.refs.unread);
        broken.extend(unread.take(MOST_REMARKS).map(|(path, why)| format!("`{path}` cannot be read: {why}")));
        broken
    }

    /// The library compares each ref with the revision folders, letter by letter.
    fn of_refs(&self, broken: &mut Vec<String>, probed: &mut Vec<String>) {
        let repository = self.repository;
        if !repository.parts.contains_key("snapshots") {
            return probed.push("it has no `snapshots` folder".into()); // The library looks no further.
        }
        let snapshots: BTreeSet<&str> = repository.snapshots.iter().map(|snapshot| snapshot.name.as_str()).collect();
        for one in &repository.refs.all {
            match one.commit.as_deref() {
                None => broken.push(format!("the ref `{}` names no revision", one.name)),
                Some(commit) if snapshots.contains(commit) => {
                    if !one.exact {
                        broken.push(format!("the ref `{}` has white space around its commit", one.name));
                    }
                }
                Some(commit) => {
                    let remark = format!("the ref `{}` names {commit}, which is not here", one.name);
                    let looked_up = repository.no_exist.contains(commit) || repository.trees.contains(commit);
                    if looked_up { probed.push(remark) } else { broken.push(remark) }
                }
            }
        }
    }

    /// Links that lead nowhere.
    fn of_missing(&self, snapshot: &'a Snapshot, verdict: &mut Verdict<'a>) {
        let payload_is_missing = |place: &String| match self.store.marker {
            Marker::Known => !self.store.holds(place),
            _ => !self.found.contains_key(place),
        };
        let mut missing =
            snapshot.missing.iter().map(String::as_str).chain(snapshot.blobs.iter().filter_map(|index| {
                let blob = self.repository.blobs.get(*index)?;
                match &blob.content {
                    Content::Payload(place) if payload_is_missing(place) => Some(blob.name.as_str()),
                    Content::Elsewhere(place) if !self.found.contains_key(place) => Some(blob.name.as_str()),
                    _ => None,
                }
            }));
        if let Some(first) = missing.next() {
            verdict.remarks.push(match missing.count() {
                0 => format!("the blob `{first}` is missing"),
                more => format!("the blob `{first}` and {more} more are missing"),
            });
        }
    }

    /// Links to places that are no blob of the repository.
    fn of_elsewhere(&self, snapshot: &'a Snapshot, own: &str, verdict: &mut Verdict<'a>) {
        for place in &snapshot.elsewhere {
            let in_repository = beneath(place, &self.repository.folder).is_some();
            if !self.found.contains_key(place) && !place.is_empty() {
                verdict.remarks.push(format!("a link leads to `{place}`, which is not there"));
            }
            if self.is_in_store(place) {
                continue;
            }
            if !in_repository {
                verdict.leads_away(format!("a link leads out of the repository, to `{place}`"));
            }
            if beneath(place, own).is_none() {
                verdict.needs.insert(place);
            }
        }
    }

    fn is_in_store(&self, place: &str) -> bool {
        self.store.marker == Marker::Known && name::is_payload(place)
    }

    /// Places of the marked store among these.
    pub fn payloads(&self, contents: impl Iterator<Item = &'a Content>) -> BTreeSet<&'a str> {
        let places = contents.filter_map(|content| match content {
            Content::Payload(place) if self.is_in_store(place) => Some(place.as_str()),
            _ => None,
        });
        places.collect()
    }

    /// Payloads that a snapshot names without a blob between.
    fn direct_payloads(&self, snapshot: &'a Snapshot) -> impl Iterator<Item = &'a str> {
        snapshot.elsewhere.iter().map(String::as_str).filter(|place| self.is_in_store(place))
    }
}

impl Verdict<'_> {
    fn new() -> Self {
        Self {
            state: State::Complete,
            recovery: Recovery::Download,
            remarks: vec![],
            needs: BTreeSet::new(),
            payloads: BTreeSet::new(),
        }
    }

    /// The library never makes such a link: somebody did, and for a reason.
    fn leads_away(&mut self, remark: String) {
        self.remarks.push(remark);
        self.recovery = self.recovery.max(Recovery::Uncertain);
    }
}
