//! What is what in one folder: downloads with their records and locks, what was extracted from them, leftovers, and
//! folders of old snapshots. All else is nobody's here: repositories in the hub's layout, or a user's own files.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Detail, Directory, Filter, Kind, Listing, Node, Result, path};
use dscc_url_files::{UrlFile, among, download_of, is_name, is_temporary};

use crate::address::Address;
use crate::{downloads, guess, leftovers, rules, snapshots};

/// The file in which Transformers 4.22 to 4.49 noted that it had moved the downloads it could. Without it, it does so again
/// with those that are left, so it goes with the last of them; and it warns the user of a folder that is not empty, so
/// where repositories are it stays, and is nobody's.
pub const VERSION: &str = "version.txt";

/// Folders of repositories in the hub's layout begin with one of these.
const REPOSITORIES: [&str; 4] = ["models--", "datasets--", "spaces--", "kernels--"];

/// What else is in a folder that is only a cache: the hub's layout, and what systems strew in.
const NEIGHBOURS: [&str; 7] =
    [".locks", "blobs", "CACHEDIR.TAG", "version_diffusers_cache.txt", ".DS_Store", "Thumbs.db", "desktop.ini"];

/// A folder, sorted.
#[derive(Default)]
pub struct Folder {
    /// Downloads, or what is left of them.
    pub downloads: Vec<UrlFile>,
    /// Folders with the content of an archive, by the archive's name.
    pub extracted: BTreeMap<String, Node>,
    /// Files that were being downloaded. Any program may name a file so; in a folder with other things than caches, they
    /// may be anybody's, and there are none.
    pub temporary: Vec<Node>,
    /// Folders of old snapshots.
    pub snapshots: Vec<Node>,
    /// Whether the downloads hold the note of the migration.
    pub holds_note: bool,
    /// Names of all that is directly in the folder.
    pub names: BTreeSet<String>,
}

impl Folder {
    /// Reads a folder with its records.
    fn read(root: &dyn Directory, filter: &Filter) -> Result<Self> {
        let mut folder = Self::default();
        let (mut parts, mut shared) = (vec![], is_for_temporary_files(root));
        for node in root.walk("", filter).context("the folder cannot be listed")? {
            folder.names.insert(node.path.clone());
            match Part::of(&node) {
                Part::Download => parts.push(node),
                Part::Temporary => folder.temporary.push(node),
                Part::Extracted(archive) => drop(folder.extracted.insert(archive, node)),
                Part::Snapshot => folder.snapshots.push(node),
                Part::Neighbour => {}
                Part::Foreign => shared = true,
            }
        }
        if shared {
            folder.temporary.clear();
        }
        parts.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.temporary.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.snapshots.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.snapshots.retain(|node| snapshots::is_ours(root, &node.path));
        folder.downloads = among(root, &parts);
        let repositories = folder.names.iter().any(|name| is_repository(name));
        let is_note = || root.read_text(VERSION, 16).is_ok_and(|text| text.trim().parse::<u32>().is_ok());
        folder.holds_note = !repositories && is_note();
        Ok(folder)
    }

    /// The downloads whose names begin with these digits, and what was extracted from them.
    pub fn around(root: &dyn Directory, digits: &str) -> Result<Self> {
        Self::read(root, &Filter::direct().name(format!("{digits}*")))
    }
}

/// What something directly in a folder is.
enum Part {
    /// A download, or something that belongs to one.
    Download,
    /// A file that is being written.
    Temporary,
    /// The content of this archive.
    Extracted(String),
    /// An old snapshot, by its name.
    Snapshot,
    /// Another cache's, or of no matter.
    Neighbour,
    /// Anything else.
    Foreign,
}

impl Part {
    fn of(node: &Node) -> Self {
        let name = node.path.as_str();
        match node.kind {
            Kind::File | Kind::Link if download_of(name).is_some() => Self::Download,
            Kind::File if is_temporary(name) => Self::Temporary,
            Kind::File if name == VERSION => Self::Neighbour,
            Kind::Directory if is_temporary(name) || is_repository(name) => Self::Neighbour,
            Kind::Directory if snapshots::parse(name).is_some() => Self::Snapshot,
            _ if NEIGHBOURS.contains(&name) => Self::Neighbour,
            Kind::Directory => archive_of(name).map_or(Self::Foreign, Self::Extracted),
            _ => Self::Foreign,
        }
    }
}

/// What is known of each address, by its digest.
pub struct Addresses(BTreeMap<String, (String, Option<Address>)>);

impl Addresses {
    /// What the records that fit their files say, and what can be found out of the others.
    pub fn of(downloads: &[UrlFile]) -> Self {
        let recorded = downloads.iter().filter(|file| file.record_fits);
        let parsed = |url: String| (Address::parse(&url), url);
        let mut known: BTreeMap<String, (String, Option<Address>)> = recorded
            .filter_map(|file| Some((file.key().to_owned(), parsed(file.url.clone()?))))
            .map(|(key, (address, url))| (key, (url, address)))
            .collect();
        let unknown = downloads.iter().map(UrlFile::key).filter(|key| !known.contains_key(*key)).collect();
        let guessed = guess::addresses(known.values().filter_map(|(_, address)| address.as_ref()), &unknown);
        known.extend(guessed.into_iter().map(|(key, url)| (key, (url.clone(), Address::parse(&url)))));
        Self(known)
    }

    /// The address of a download and, if it is one that can be taken apart, its parts.
    pub fn get(&self, file: &UrlFile) -> Option<(&str, &Address)> {
        let (url, address) = self.0.get(file.key())?;
        Some((url, address.as_ref()?))
    }
}

/// Whether this is a cache of downloads. In a hub's folder only downloads make it one; elsewhere an empty folder is one.
pub fn holds_downloads(root: &dyn Directory, rule: &str) -> Result<bool> {
    let (mut empty, mut temporary, mut shared) = (true, false, is_for_temporary_files(root));
    for node in root.walk("", &Filter::direct()).context("the folder cannot be listed")? {
        empty = false;
        match Part::of(&node) {
            Part::Download | Part::Extracted(_) => return Ok(true),
            Part::Snapshot if snapshots::is_ours(root, &node.path) => return Ok(true),
            Part::Temporary => temporary = true,
            Part::Foreign => shared = true,
            Part::Snapshot | Part::Neighbour => {}
        }
    }
    let is_own = !matches!(rule, rules::IN_HUB | crate::SENTENCES);
    Ok(temporary && !shared || empty && is_own)
}

/// All entries of a folder. The outline leaves out what describes.
pub fn list(root: &dyn Directory, detail: Detail) -> Result<Listing> {
    let filter = Filter::direct();
    let folder = Folder::read(root, &if detail == Detail::Full { filter.stat() } else { filter })?;
    let mut entries = downloads::list(root, &folder);
    entries.extend(leftovers::extracted(&folder));
    entries.extend(leftovers::temporary(&folder));
    entries.extend(snapshots::list(root, &folder.snapshots, detail));
    entries.extend(leftovers::locks(&folder));
    Ok(entries.into_iter().collect())
}

/// The name of the archive that a folder was extracted from: the library writes its dots as dashes.
fn archive_of(name: &str) -> Option<String> {
    let archive = name.strip_suffix("-extracted")?.replace('-', ".");
    is_name(&archive).then_some(archive)
}

/// Whether this is a folder of the hub's layout.
fn is_repository(name: &str) -> bool {
    REPOSITORIES.iter().any(|types| name.starts_with(types))
}

/// Whether all programs may write their temporary files here: in a container, people set the variables to `/tmp`.
fn is_for_temporary_files(root: &dyn Directory) -> bool {
    let names = root.names();
    let own = |name: &String| path::name(name.trim_end_matches('/')).to_ascii_lowercase();
    names.iter().any(|name| matches!(own(name).as_str(), "tmp" | "temp"))
}
