//! Who holds the payloads of the shared store: the manifests say it, and count only as far as the links agree.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{
    Context, Directory, Entry, Filter, FsError, Kind, Kinds, Listing, LockKind, Recovery, Result, State, path,
};

use crate::link::Root;
use crate::name;
use crate::store::{self, Store};

/// What a line of a manifest is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The repository of this folder links to the payload, by this blob.
    Valid(&'a str, &'a str),
    /// Nothing there links to the payload.
    Stale,
    /// The repository could not be looked at.
    Untold,
}

/// The links from repositories into the store.
pub struct Holders {
    /// `models--x/blobs/<etag>` to payload.
    links: BTreeMap<String, String>,
    /// Folders that could not be looked at.
    unread: BTreeSet<String>,
}

impl Holders {
    /// Looks at the blobs of these repositories.
    pub fn of<'f>(root: &Root, folders: impl IntoIterator<Item = &'f str>) -> Self {
        let mut holders = Self { links: BTreeMap::new(), unread: BTreeSet::new() };
        let mut place = String::new();
        for folder in folders {
            let blobs = path::join(folder, "blobs");
            let nodes = match root.directory.walk(&blobs, &Filter::direct().kinds(Kinds::LINK)) {
                Ok(nodes) => nodes,
                Err(FsError::NotFound) => continue,
                Err(_) => {
                    holders.unread.insert(folder.to_owned());
                    continue;
                }
            };
            for node in nodes.filter(|node| node.kind == Kind::Link) {
                if root.resolve(&blobs, &node.target, &mut place) && name::is_payload(&place) {
                    holders.links.insert(node.path, place.clone());
                }
            }
        }
        holders
    }

    /// What a line says about a payload. `line` is escaped like a path and outlives the answer.
    pub fn line<'l>(&self, line: &'l str, payload: &str) -> Line<'l> {
        let Some((folder, blob)) = parse(line) else { return Line::Stale };
        if self.unread.contains(folder) {
            return Line::Untold;
        }
        let link = format!("{folder}/blobs/{blob}");
        if self.links.get(&link).is_some_and(|to| to == payload) { Line::Valid(folder, blob) } else { Line::Stale }
    }
}

/// Folder and blob of a manifest's line, if it has the form of one. The library reads it as a path, so that empty and
/// `.` parts count for nothing.
pub fn parse(line: &str) -> Option<(&str, &str)> {
    let mut parts = line.split('/').filter(|part| !matches!(*part, "" | "."));
    let (folder, blobs, blob) = (parts.next()?, parts.next()?, parts.next()?);
    let known = name::kind(folder).is_some() && !folder.ends_with("s--");
    (known && blobs == "blobs" && blob != ".." && parts.next().is_none() && !line.starts_with('/'))
        .then_some((folder, blob))
}

/// The children of the store: payloads that nothing links to, and those of which that cannot be told.
pub fn unreferenced_payloads(directory: &dyn Directory) -> Result<Listing> {
    let root = Root::new(directory);
    let store = Store::all(&root);
    let top = directory.walk("", &Filter::direct());
    let top = top.context("the hub cannot be listed")?;
    let folders: Vec<String> = top.map(|node| node.path).filter(|path| name::kind(path).is_some()).collect();
    let holders = Holders::of(&root, folders.iter().map(String::as_str));
    let held: BTreeSet<&str> = holders.links.values().map(String::as_str).collect();
    let mut listing = Listing::default();
    let mut collectable = vec![];
    for (payload, why) in store.payloads() {
        match why {
            Some(why) => listing.entries.push(record(payload, why)),
            None => collectable.push(payload.to_owned()),
        }
    }
    store::read_manifests(directory, &collectable, |payload, text| {
        let lines = text.map(|text| worth(&holders, payload, text));
        match lines {
            Ok(lines) if lines.contains(&Worth::Valid) => {}
            Ok(lines) if lines.contains(&Worth::Untold) => {
                listing.entries.push(record(payload, "a repository in its manifest cannot be read"));
            }
            Ok(_) if held.contains(payload) => {
                listing.entries.push(record(payload, "a repository links to it that is not in its manifest"));
            }
            Ok(_) => listing.entries.push(unreferenced(payload)),
            Err(why) => listing.entries.push(record(payload, &why)),
        }
    });
    listing.entries.sort_unstable_by(|a, b| a.id.cmp(&b.id));
    Ok(listing)
}

#[derive(PartialEq, Eq)]
enum Worth {
    Valid,
    Stale,
    Untold,
}

fn worth(holders: &Holders, payload: &str, text: &str) -> Vec<Worth> {
    let escaped = text.lines().map(|line| path::escape(line.as_bytes()));
    let worth = escaped.map(|line| match holders.line(&line, payload) {
        Line::Valid(..) => Worth::Valid,
        Line::Stale => Worth::Stale,
        Line::Untold => Worth::Untold,
    });
    worth.collect()
}

fn unreferenced(payload: &str) -> Entry {
    let entry = record(payload, "").owns(payload).owns(store::manifest(payload));
    let entry = entry.lock(LockKind::Flock, store::lock(payload)).state(State::Detached);
    let mut entry = entry.recovery(Recovery::Download).reclaim("no repository links to it");
    entry.attributes.clear();
    entry
}

/// A payload that the library never collects: shown, with nothing to remove.
fn record(payload: &str, why: &str) -> Entry {
    let hash = path::name(payload);
    let entry = Entry::new(format!("{}/{hash}", store::ID), "payload").label(hash).state(State::Broken);
    entry.attribute("warning", why)
}
