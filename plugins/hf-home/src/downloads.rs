//! Folders of downloads that Datasets and Evaluate name by the digest of the address, with what was unpacked of them in
//! `extracted`. Each download is an entry, and so is what was unpacked of one.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Entry, Filter, FsError, Kind, Listing, LockKind, Node, Recovery, State, path};
use dscc_url_files::{UrlFile, among};
use sha2::{Digest, Sha256};

/// Digits of a digest that an id has.
const SHORT: usize = 12;

/// The entries of one folder; ids are its path and short digests. Nothing where there is no such folder.
pub fn list(root: &dyn Directory, folder: &str, listing: &mut Listing) -> Vec<Entry> {
    let children = |at: &str, listing: &mut Listing| match root.walk(at, &Filter::direct().stat()) {
        Ok(nodes) => nodes.collect::<Vec<Node>>(),
        Err(FsError::NotFound | FsError::WrongKind) => vec![],
        Err(error) => {
            listing.warn(at, format!("the downloads cannot be listed: {}", error.text()));
            vec![]
        }
    };
    let nodes = children(folder, listing);
    let files = among(root, &nodes);
    let newest = newest(&files);
    let mut entries: Vec<Entry> = files.iter().map(|file| download(folder, file, &newest)).collect();
    whole_ids(folder, &files, &mut entries);
    // Where nothing was ever downloaded, such a name says nothing: a download has its lock from the beginning.
    let temporary = nodes.iter().filter(|node| !files.is_empty() && node.is_file() && is_temporary(node.name()));
    entries.extend(temporary.map(|node| partial(Entry::at(&node.path, "partial"))));
    let unpacked = path::join(folder, "extracted");
    let archives = archives(root, &files);
    let found = among(root, &children(&unpacked, listing));
    let archive = |file: &UrlFile| archives.get(file.name.as_str()).copied();
    let mut parts: Vec<Entry> = found.iter().map(|file| extracted(&unpacked, file, archive(file))).collect();
    whole_ids(&unpacked, &found, &mut parts);
    entries.extend(parts);
    entries
}

fn short(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').map(|part| part.get(..SHORT).unwrap_or(part)).collect();
    parts.join(".")
}

/// Whole names for those of which the short forms are the same, which no library's own are.
fn whole_ids(folder: &str, files: &[UrlFile], entries: &mut [Entry]) {
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    entries.iter().for_each(|entry| *seen.entry(entry.id.clone()).or_default() += 1);
    for (entry, file) in entries.iter_mut().zip(files) {
        if seen.get(&entry.id).is_some_and(|times| *times > 1) {
            entry.id = path::join(folder, &file.name);
        }
    }
}

fn entry(folder: &str, file: &UrlFile, kind: &str) -> Entry {
    let entry =
        file.paths().fold(Entry::new(path::join(folder, &short(&file.name)), kind), |entry, path| entry.owns(path));
    let lock = file.lock.as_ref().filter(|node| node.is_file());
    lock.into_iter().fold(entry, |entry, node| entry.lock(LockKind::Flock, &node.path))
}

/// When the newest download of each address was written.
fn newest(files: &[UrlFile]) -> BTreeMap<&str, i64> {
    let mut newest = BTreeMap::new();
    for file in files.iter().filter(|file| file.content.is_some()) {
        let time = newest.entry(file.key()).or_insert(i64::MIN);
        *time = file.modified().max(*time);
    }
    newest
}

fn download(folder: &str, file: &UrlFile, newest: &BTreeMap<&str, i64>) -> Entry {
    let tail = file.url.as_deref().and_then(|url| url.rsplit('/').find(|part| !part.is_empty()));
    let entry = entry(folder, file, "download").recovery(Recovery::Download).label(tail.unwrap_or(&file.name));
    let entry = entry.attribute("url", file.url.as_deref()).attribute("etag", file.etag.as_deref());
    match &file.content {
        Some(node) if node.kind == Kind::Link => link(entry, node),
        Some(_) if newest.get(file.key()).is_some_and(|time| file.modified() < *time) => {
            entry.state(State::Stale).reclaim("superseded by a newer download of the same address")
        }
        // Only code that still knows the address can have it again.
        Some(_) if file.url.is_none() => {
            entry.recovery(Recovery::Uncertain).attribute("warning", "no record says where it came from")
        }
        Some(node) => entry.recovery(if node.is_file() { Recovery::Download } else { Recovery::Uncertain }),
        None if file.partial.is_some() => partial(Entry { kind: "partial".into(), ..entry }),
        None => {
            let entry = Entry { kind: "leftover".into(), ..entry }.state(State::Stale).recovery(Recovery::Rebuild);
            entry.reclaim("the download that it belonged to is gone")
        }
    }
}

fn partial(entry: Entry) -> Entry {
    entry.state(State::Partial).recovery(Recovery::Download).reclaim("a download that was broken off")
}

/// The name of Python's temporary files.
fn is_temporary(name: &str) -> bool {
    let is_random = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.strip_prefix("tmp").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(is_random))
}

/// The names under which each download would be unpacked: the digest of its absolute path.
fn archives<'f>(root: &dyn Directory, files: &'f [UrlFile]) -> BTreeMap<String, &'f UrlFile> {
    let names: BTreeSet<String> = root.names().into_iter().collect();
    let mut archives = BTreeMap::new();
    for file in files {
        let Some(node) = &file.content else { continue };
        let places = names.iter().filter_map(|name| path::unescape(&path::join(name, &node.path)));
        archives.extend(places.map(|place| (hex(&Sha256::digest(place)), file)));
    }
    archives
}

/// What was unpacked of a download; none if that is gone, or elsewhere.
fn extracted(folder: &str, file: &UrlFile, archive: Option<&UrlFile>) -> Entry {
    let entry = entry(folder, file, "extracted");
    let source = archive.map(|archive| archive.url.as_deref().unwrap_or(&archive.name));
    let entry = entry.label(source.map_or(file.name.as_str(), path::name)).attribute("source", source);
    match &file.content {
        Some(node) if node.kind == Kind::Link => link(entry, node),
        Some(_) if archive.is_some() => entry.recovery(Recovery::Rebuild),
        Some(_) => entry.attribute("warning", "its archive is not among the downloads: it may have been a local one"),
        None => {
            let entry = Entry { kind: "leftover".into(), ..entry }.state(State::Stale).recovery(Recovery::Rebuild);
            entry.reclaim("the lock of what was unpacked here, and is gone")
        }
    }
}

/// Made by the user; what it leads to is not removed with it.
fn link(entry: Entry, node: &Node) -> Entry {
    let entry = Entry { kind: "link".into(), ..entry };
    entry.recovery(Recovery::Irreplaceable).attribute("target", &node.target)
}

/// A digest as the libraries write it.
pub fn hex(digest: &[u8]) -> String {
    let digits = digest.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')).collect()
}
