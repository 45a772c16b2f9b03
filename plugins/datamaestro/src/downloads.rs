//! The entries of `cache/`: one for each address that was ever asked for. What was fetched from there is named by the
//! digest of the address, and the address itself is in a file beside it.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Entry, Filter, FsError, Kinds, Listing, Node, Recovery, Result, State};

use crate::address::{digest, file_name, is_digest};

/// The longest address that is read.
const LIMIT: u32 = 1 << 16;
/// Files that are read in one call.
const MANY: usize = 1000;
/// So much of a digest is shown where it tells enough.
const SHORT: usize = 12;

/// What belongs to one address.
#[derive(Debug, Default)]
struct Group {
    address: Option<Address>,
    /// Downloaded in part; the next attempt goes on from there.
    partial: bool,
    /// Kept, or about to be used.
    complete: bool,
    /// Ends of further names, which plugins make.
    others: Vec<String>,
}

/// What the file with the address says.
#[derive(Debug)]
enum Address {
    /// The address that the name stands for.
    Known(String),
    /// Something else, which keeps datamaestro from using the address that the name stands for.
    Wrong(Option<String>),
    /// It could not be read.
    Unread,
}

/// Whether a folder holds downloads, or nothing yet.
pub fn is_it(root: &dyn Directory) -> Result<bool> {
    let mut is_empty = true;
    for node in root.walk("", &Filter::direct()).context("the downloads cannot be listed")? {
        if node.is_file() && is_digest(split(node.name()).0) {
            return Ok(true);
        }
        is_empty = false;
    }
    Ok(is_empty)
}

/// The digest that a name begins with, and the end of the name.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.find('.').unwrap_or(name.len()))
}

/// The only level.
pub fn list(root: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let nodes = root.walk("", &Filter::direct().kinds(Kinds::FILE)).context("the downloads cannot be listed")?;
    let mut groups = group(nodes.filter(Node::is_file));
    read_addresses(root, &mut groups, &mut listing);
    let short = |digest: &str| digest.get(..SHORT).unwrap_or_default().to_owned();
    let mut seen = BTreeSet::new();
    let ambiguous: BTreeSet<String> = groups.keys().map(|it| short(it)).filter(|it| !seen.insert(it.clone())).collect();
    for (digest, group) in &groups {
        let short = Some(short(digest)).filter(|it| !ambiguous.contains(it)).unwrap_or_else(|| digest.clone());
        listing.entries.extend(group.download(digest, &short));
        listing.entries.extend(group.others.iter().map(|end| made_by_plugin(digest, &short, end)));
    }
    // What only remembers an address comes last, by name as the others.
    listing.entries.sort_by(|one, other| (one.kind == ADDRESS, &one.id).cmp(&(other.kind == ADDRESS, &other.id)));
    Ok(listing)
}

const ADDRESS: &str = "address";

fn group(files: impl Iterator<Item = Node>) -> BTreeMap<String, Group> {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    for file in files {
        let (stem, end) = split(file.name());
        if !is_digest(stem) {
            continue; // datamaestro makes no such name; whoever did, it is theirs.
        }
        let group = groups.entry(stem.to_owned()).or_default();
        match end {
            ".url" => group.address = Some(Address::Unread),
            ".tmp" => group.partial = true,
            ".dl" => group.complete = true,
            _ => group.others.push(end.to_owned()),
        }
    }
    groups
}

fn read_addresses(root: &dyn Directory, groups: &mut BTreeMap<String, Group>, listing: &mut Listing) {
    let mut known: Vec<(&String, &mut Group)> =
        groups.iter_mut().filter(|(_, group)| group.address.is_some()).collect();
    for some in known.chunks_mut(MANY) {
        let files: Vec<String> = some.iter().map(|(digest, _)| format!("{digest}.url")).collect();
        for ((name, group), content) in some.iter_mut().zip(root.read(&files, LIMIT)) {
            group.address = match content.map(String::from_utf8) {
                Ok(Ok(url)) if digest(&url) == **name => Some(Address::Known(url)),
                Ok(other) => Some(Address::Wrong(other.ok().filter(|url| !url.is_empty()))),
                Err(FsError::TooLarge) => Some(Address::Wrong(None)),
                Err(FsError::NotFound) => None,
                Err(error) => {
                    listing.warn(format!("{name}.url"), format!("this address cannot be read: {}", error.text()));
                    Some(Address::Unread)
                }
            };
        }
    }
}

impl Group {
    fn download(&self, digest: &str, short: &str) -> Option<Entry> {
        let has_content = self.partial || self.complete;
        if !has_content && self.address.is_none() {
            return None;
        }
        let url = match &self.address {
            Some(Address::Known(url) | Address::Wrong(Some(url))) => Some(url.as_str()),
            _ => None,
        };
        let id = url.and_then(file_name).map_or_else(|| short.to_owned(), |name| format!("{name}@{short}"));
        let kind = if self.complete {
            "download"
        } else if self.partial {
            "partial"
        } else {
            ADDRESS
        };
        let mut entry = Entry::new(id, kind).label(url.unwrap_or_default()).attribute("url", url);
        // The address last: should the removal be interrupted, what is left can still be told.
        let ends = [(self.complete, "dl"), (self.partial, "tmp"), (self.address.is_some(), "url")];
        entry.owns = ends.iter().filter(|(there, _)| *there).map(|(_, end)| format!("{digest}.{end}")).collect();
        Some(self.judge(entry, has_content))
    }

    fn judge(&self, entry: Entry, has_content: bool) -> Entry {
        let state = match (self.complete, self.partial) {
            (true, _) => State::Complete,
            (false, true) => State::Partial,
            (false, false) => State::Stale,
        };
        let entry = entry.state(state);
        let entry = match &self.address {
            Some(Address::Known(_)) if has_content => entry.recovery(Recovery::Download),
            Some(Address::Known(_)) => entry.recovery(Recovery::Rebuild).reclaim("an address of which nothing is kept"),
            Some(Address::Wrong(_)) => {
                let reason = "not the address that its name stands for: datamaestro refuses to download that one";
                let recovery = if has_content { Recovery::Uncertain } else { Recovery::Rebuild };
                entry.state(State::Broken).recovery(recovery).reclaim(reason)
            }
            Some(Address::Unread) => entry.state(State::Broken),
            None => entry.attribute("warning", "its address is gone"),
        };
        match (self.complete, self.partial) {
            (true, true) => entry.attribute("warning", "a partial download is beside it, which it makes useless"),
            (false, true) => entry.attribute("resumable", "the next download of this address goes on from here"),
            _ => entry,
        }
    }
}

/// A file that a plugin of datamaestro keeps here, and may have added to for days.
fn made_by_plugin(digest: &str, short: &str, end: &str) -> Entry {
    let name = format!("{digest}{end}");
    let remark = "made by a plugin of datamaestro, perhaps over days";
    // The bare digest is the id of a download that lost its address.
    let id = if end.is_empty() { format!("{short}@plain") } else { format!("{short}{end}") };
    let entry = Entry::new(id, "store").label(&name).owns(name).attribute("warning", remark);
    entry.recovery(Recovery::Uncertain)
}
