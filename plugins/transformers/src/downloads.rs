//! Downloads, each with its record, its lock and what was extracted from it; and what is left of those that were killed.

use std::collections::BTreeMap;

use dscc_sdk::{Directory, Entry, Kind, Listing, LockKind, Node, Recovery, Result, State};
use dscc_url_files::UrlFile;

use crate::address::{Address, Server};
use crate::folder::{Addresses, Folder, VERSION};
use crate::link;

/// Digits of each digest in an id.
const DIGITS: usize = 8;

/// What is longer is no tag of a server.
const LONGEST_ETAG: usize = 256;

/// An entry for each download, by repository, revision and file.
pub fn list(root: &dyn Directory, folder: &Folder) -> Vec<Entry> {
    let addresses = Addresses::of(&folder.downloads);
    let newest = Newest::of(&folder.downloads);
    let files = folder.downloads.iter().filter(|file| !is_lone_lock(file));
    let mut entries: Vec<Entry> = ids(files)
        .into_iter()
        .map(|(id, file)| Case { root, folder, file, known: addresses.get(file) }.entry(id, &newest))
        .collect();
    // What has lost its name comes last.
    entries.sort_by(|a, b| a.label.is_empty().cmp(&b.label.is_empty()).then_with(|| a.id.cmp(&b.id)));
    entries
}

/// What is in a download: its extracted content, and a partial download beside it.
pub fn children(root: &dyn Directory, id: &str) -> Result<Listing> {
    let digits = id.rsplit_once('@').map_or(id, |(_, digits)| digits);
    let key = digits.get(..DIGITS).filter(|key| key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let Some(key) = key else { return Ok(Listing::default()) };
    let folder = Folder::around(root, key)?;
    let files = folder.downloads.iter().filter(|file| !is_lone_lock(file));
    let Some((_, file)) = ids(files).into_iter().find(|(known, _)| known == id) else { return Ok(Listing::default()) };
    let case = Case { root, folder: &folder, file, known: None };
    let content = case.extracted().map(|node| extracted(format!("{id}/extracted"), node, file));
    let again = case.beside().map(|node| {
        let entry = Entry::new(format!("{id}/incomplete"), "partial").label("incomplete").owns(&node.path);
        partial(entry, file)
    });
    Ok(content.into_iter().chain(again).collect())
}

/// Whether nothing is left of a download but its lock.
pub fn is_lone_lock(file: &UrlFile) -> bool {
    file.content.is_none() && file.record.is_none() && file.partial.is_none()
}

/// The content of an archive, which is made again from it.
pub fn extracted(id: String, node: &Node, archive: &UrlFile) -> Entry {
    let entry = Entry::new(id, "extracted").label("extracted").owns(&node.path).recovery(Recovery::Rebuild);
    locked(entry, archive)
}

/// The ids of downloads: the address as users write it, and digits of both digests, by which the file can be found on the
/// disk and the downloads of one address differ. Only a hostile folder gives one of them twice; there the whole name
/// makes a difference.
fn ids<'a>(files: impl Iterator<Item = &'a UrlFile>) -> Vec<(String, &'a UrlFile)> {
    let mut all: Vec<(String, &UrlFile)> = files.map(|file| (short_id(file), file)).collect();
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for (id, _) in &all {
        *uses.entry(id.clone()).or_default() += 1;
    }
    for (id, file) in &mut all {
        if uses.get(id).is_some_and(|uses| *uses > 1) {
            *id = format!("{id}~{}", file.name);
        }
    }
    all
}

/// The id of what is left of an archive.
pub fn id_of_extracted(archive: &UrlFile) -> String {
    format!("{}/extracted", short_id(archive))
}

/// What an entry is called may not depend on another one, which may go: only a download's own record is asked.
fn short_id(file: &UrlFile) -> String {
    let first = |digest: &str, digits: usize| digest.get(..digits).unwrap_or(digest).to_owned();
    let digits = match file.tag() {
        Some(tag) => format!("{}.{}", first(file.key(), DIGITS), first(tag, DIGITS)),
        None => first(file.key(), 2 * DIGITS),
    };
    match file.url.as_deref().filter(|_| file.record_fits).and_then(Address::parse) {
        Some(address) => format!("{}@{digits}", address.text),
        None => digits,
    }
}

fn locked(entry: Entry, file: &UrlFile) -> Entry {
    entry.lock(LockKind::Flock, format!("{}.lock", file.name))
}

fn partial(entry: Entry, file: &UrlFile) -> Entry {
    let reason = "a killed download; without a connection the library takes it for the whole file";
    locked(entry, file).state(State::Partial).recovery(Recovery::Download).reclaim(reason)
}

/// When the last download of each address was made.
struct Newest<'a>(BTreeMap<&'a str, i64>);

impl<'a> Newest<'a> {
    fn of(files: &'a [UrlFile]) -> Self {
        let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
        for file in files.iter().filter(|file| file.content.is_some()) {
            let last = newest.entry(file.key()).or_default();
            *last = file.modified().max(*last);
        }
        Self(newest)
    }

    fn is_later_than(&self, file: &UrlFile) -> bool {
        self.0.get(file.key()).is_some_and(|last| *last > file.modified())
    }
}

/// One download in its folder.
struct Case<'a> {
    root: &'a dyn Directory,
    folder: &'a Folder,
    file: &'a UrlFile,
    /// Its address, from its record, from that of another download of it, or found out.
    known: Option<(&'a str, &'a Address)>,
}

impl Case<'_> {
    fn entry(&self, id: String, newest: &Newest) -> Entry {
        let file = self.file;
        let entry = match (&file.content, &file.partial) {
            (Some(content), _) => self.download(id, content, newest),
            (None, Some(_)) => partial(Entry::new(id, "partial"), file),
            (None, None) if !file.record_fits => {
                let entry = locked(Entry::new(id, "record"), file).state(State::Broken);
                entry.attribute("warning", "a record, by its name, that is not one of this download")
            }
            (None, None) => {
                let reason = "the record of a download that is gone; the library's list of models fails on it";
                locked(Entry::new(id, "record"), file).state(State::Stale).recovery(Recovery::Download).reclaim(reason)
            }
        };
        let mut entry = self.described(entry);
        entry.owns.extend(self.claims().map(str::to_owned));
        entry
    }

    fn download(&self, id: String, content: &Node, newest: &Newest) -> Entry {
        let file = self.file;
        let mut entry = locked(Entry::new(id, if content.kind == Kind::Link { "link" } else { "download" }), file);
        entry.has_children = self.extracted().or(self.beside()).is_some();
        entry = self.judged(entry);
        if self.folder.holds_note {
            entry = entry.shares(VERSION);
        }
        if content.kind == Kind::Link {
            return self.linked(entry, content);
        }
        entry = entry.recovery(match self.known {
            Some((_, address)) if address.server == Server::Hub => Recovery::Download,
            _ => Recovery::Uncertain,
        });
        if newest.is_later_than(file) {
            entry = entry.state(State::Stale).reclaim("superseded by a later download of the same address");
        }
        entry
    }

    /// What its record does to it. The library asks records only to list and to move what it has.
    fn judged(&self, entry: Entry) -> Entry {
        let file = self.file;
        match (&file.record, file.url.is_some()) {
            (Some(_), true) if file.record_fits => entry,
            (None, _) => entry.attribute("warning", "it has no record: its download was killed at the last step"),
            (Some(_), true) => entry.state(State::Broken).attribute("warning", "its record is that of another file"),
            (Some(_), false) => entry.state(State::Broken).attribute("warning", "its record cannot be read"),
        }
    }

    /// The library makes no links: somebody keeps the file elsewhere, and wants it here.
    fn linked(&self, entry: Entry, content: &Node) -> Entry {
        let entry = entry.recovery(Recovery::Irreplaceable).attribute("target", &content.target);
        let Some(place) = link::place(self.root, &content.target).filter(|place| *place != content.path) else {
            return entry.state(State::Broken);
        };
        let missing = !place.starts_with('/') && !place.contains('/') && !self.folder.names.contains(&place);
        let entry = if missing { entry.state(State::Broken) } else { entry };
        entry.needs(place)
    }

    fn described(&self, entry: Entry) -> Entry {
        let file = self.file;
        let etag = file.etag.as_deref().filter(|etag| file.record_fits && etag.len() <= LONGEST_ETAG);
        let etag = etag.map(|etag| etag.trim_start_matches("W/").trim_matches('"'));
        let Some((url, address)) = self.known else { return entry.attribute("etag", etag) };
        let former = (address.server == Server::Former).then_some("models are on another server since 2020");
        entry
            .label(&address.text)
            .attribute("repository", address.repository.as_deref())
            .attribute("revision", address.revision.as_deref())
            .attribute("url", url)
            .attribute("etag", etag)
            .attribute("warning", former)
    }

    /// In the order of removal: a record must not name what is gone, and the lock is held to the end.
    fn claims(&self) -> impl Iterator<Item = &str> {
        let UrlFile { record, partial, content, lock, .. } = self.file;
        let nodes = [record.as_ref(), partial.as_ref(), self.extracted(), content.as_ref(), lock.as_ref()];
        nodes.into_iter().flatten().map(|node| node.path.as_str())
    }

    fn extracted(&self) -> Option<&Node> {
        self.folder.extracted.get(&self.file.name).filter(|_| self.file.content.is_some())
    }

    /// A download that was tried again although the file was there.
    fn beside(&self) -> Option<&Node> {
        self.file.partial.as_ref().filter(|_| self.file.content.is_some())
    }
}
