//! The top level: repositories, the shared store, locks of repositories that are gone, temporaries.

use std::collections::BTreeSet;

use dscc_sdk::{
    Context, Directory, Entry, Filter, FsError, Kind, Kinds, Listing, LockKind, Node, Recovery, Result, State,
};

use crate::claims::{hold_payloads, lock_folder};
use crate::link::Root;
use crate::name;
use crate::repository::{Content, Repository, is_probe};
use crate::store::{self, Marker, Store};
use crate::verdict::Case;

/// The root's own content.
struct Top {
    nodes: Vec<Node>,
    locks: BTreeSet<String>,
}

impl Top {
    fn read(directory: &dyn Directory, listing: &mut Listing) -> Result<Self> {
        let nodes = directory.children("").context("the hub cannot be listed")?;
        let locks = match directory.walk(".locks", &Filter::direct().kinds(Kinds::DIRECTORY)) {
            Ok(locks) => locks.filter(Node::is_directory).map(|node| node.name().to_owned()).collect(),
            Err(FsError::NotFound) => BTreeSet::new(),
            Err(error) => {
                listing.warn(".locks", format!("the lock files cannot be listed: {}", error.text()));
                BTreeSet::new()
            }
        };
        Ok(Self { nodes, locks })
    }

    /// An entry for each repository folder, or whatever has the name of one.
    fn repositories(&self) -> impl Iterator<Item = (&Node, Entry)> {
        self.nodes.iter().filter_map(|node| {
            let folder = node.name();
            let kind = name::kind(folder).or(name::is_of_unknown_type(folder).then_some("unknown"))?;
            let id = name::repository_id(folder);
            let label = id.as_deref().and_then(|id| id.split_once('/')).map_or(folder, |(_, label)| label);
            let mut entry = Entry::new(id.as_deref().unwrap_or(folder), kind).label(label).owns(&node.path);
            if self.locks.contains(folder) {
                entry = entry.owns(lock_folder(folder));
            }
            entry.has_children = id.is_some() && matches!(node.kind, Kind::Directory | Kind::Unreadable);
            Some((node, entry))
        })
    }

    /// Lock folders of which the repository is gone.
    fn lost_locks(&self) -> impl Iterator<Item = Entry> {
        let here: BTreeSet<&str> = self.nodes.iter().map(Node::name).collect();
        let lost =
            self.locks.iter().filter(move |folder| name::kind(folder).is_some() && !here.contains(folder.as_str()));
        lost.map(|folder| Entry::new(format!("locks/{folder}"), "locks").label(folder).owns(lock_folder(folder)))
    }

    /// Folders in which a client tried links and was killed.
    fn probes(&self, directory: &dyn Directory) -> Vec<Entry> {
        let probes = self.nodes.iter().filter(|node| node.is_directory() && name::is_probe(node.name()));
        let probes = probes.filter(|node| is_probe(directory, &node.path));
        probes.map(|node| Entry::new(&node.path, "leftover").label(node.name()).owns(&node.path)).collect()
    }
}

/// Enough to count and measure; nothing below the root's own content is looked at.
pub fn outline(directory: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let top = Top::read(directory, &mut listing)?;
    listing.entries.extend(top.repositories().map(|(_, entry)| entry));
    listing.entries.extend(of_store(store::marker(directory)));
    listing.entries.extend(top.lost_locks());
    listing.entries.extend(top.probes(directory));
    Ok(listing)
}

/// Everything that decides what may go.
pub fn full(directory: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let top = Top::read(directory, &mut listing)?;
    let root = Root::new(directory);
    let store = Store::all(&root);
    for (node, entry) in top.repositories() {
        let mut entry = of_repository(&root, &store, node, entry, &mut listing);
        if store.marker == Marker::Unknown {
            entry = entry.needs(store::FOLDER);
        }
        listing.entries.push(entry);
    }
    listing.entries.extend(of_store(store.marker));
    listing.entries.extend(top.lost_locks().map(|entry| of_lost_locks(directory, entry)));
    let reason = "a folder in which a killed client tried whether links work";
    let probes = top.probes(directory).into_iter();
    listing
        .entries
        .extend(probes.map(|probe| probe.state(State::Detached).recovery(Recovery::Rebuild).reclaim(reason)));
    Ok(listing)
}

fn of_repository(root: &Root, store: &Store, node: &Node, entry: Entry, listing: &mut Listing) -> Entry {
    let entry = entry.lock(LockKind::Flock, lock_folder(node.name()));
    let broken = |remark: String| entry.clone().state(State::Broken).attribute("warning", remark);
    match node.kind {
        Kind::Link => return broken("it is a link".into()).attribute("link", &node.target),
        Kind::File | Kind::Other => return broken("it is no folder".into()),
        Kind::Directory | Kind::Unreadable => {}
    }
    if name::kind(node.name()).is_none() {
        return broken("the library knows no repositories of this type".into());
    }
    let repository = match Repository::read(root, node.name(), false) {
        Ok(repository) => repository,
        Err(error) => {
            listing.warn(&node.path, format!("this repository cannot be read: {}", error.text()));
            return broken(format!("it cannot be read: {}", error.text())).recovery(Recovery::Download);
        }
    };
    repository.warn(listing);
    let verdict = Case::new(root, &repository, store).of_repository();
    let mut entry = entry.state(verdict.state).recovery(verdict.recovery);
    for one in repository.refs.all.iter().filter(|one| !one.temporary && one.commit.is_some()) {
        entry = entry.attribute("refs", &one.name);
    }
    entry = entry.attribute("revisions", repository.snapshots.len().to_string());
    for remark in verdict.remarks {
        entry = entry.attribute("warning", remark);
    }
    if name::repository_id(&repository.folder).is_none() {
        entry = entry.state(State::Broken).attribute("warning", "its name is that of no repository");
    }
    entry.needs.extend(verdict.needs.into_iter().map(str::to_owned));
    hold_payloads(entry, store, &verdict.payloads)
}

/// The store itself, which stays while anything links into it. The library leaves another layout alone; here it can go
/// when all repositories go, any of which may use it.
fn of_store(marker: Marker) -> Option<Entry> {
    let entry = Entry::new(store::ID, "store").label("shared blobs");
    match marker {
        Marker::Absent => None,
        Marker::Known => Some(entry.owns(store::FOLDER).recovery(Recovery::Download).with_children()),
        Marker::Unknown => {
            let remark = "the layout of this shared store is unknown; upgrade dscc";
            Some(entry.owns(store::FOLDER).state(State::Broken).attribute("warning", remark))
        }
    }
}

fn of_lost_locks(directory: &dyn Directory, entry: Entry) -> Entry {
    let Some(folder) = entry.owns.first().cloned() else { return entry };
    let only_locks = directory.walk(&folder, &Filter::all().stat()).is_ok_and(|mut nodes| {
        nodes.all(|node| node.kind == Kind::File && node.size == 0 && node.name().ends_with(".lock"))
    });
    let entry = entry.lock(LockKind::Flock, folder).state(State::Detached);
    if !only_locks {
        return entry.attribute("warning", "it holds more than lock files");
    }
    entry.recovery(Recovery::Rebuild).reclaim("lock files of a repository that is gone")
}

/// Places of the shared store to which a repository's blobs lead.
pub fn payloads(repository: &Repository) -> impl Iterator<Item = &str> {
    let of_blobs = repository.blobs.iter().filter_map(|blob| match &blob.content {
        Content::Payload(place) => Some(place.as_str()),
        _ => None,
    });
    let of_links = repository.snapshots.iter().flat_map(|snapshot| snapshot.elsewhere.iter().map(String::as_str));
    of_blobs.chain(of_links.filter(|place| name::is_payload(place)))
}
