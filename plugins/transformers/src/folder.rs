//! What is what in one folder: downloads with their records and locks, what was extracted from them, leftovers, and
//! folders of old snapshots. All else is nobody's here: repositories in the hub's layout, or a user's own files.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Detail, Directory, Filter, Kind, Listing, Node, Result};
use dscc_url_files::{UrlFile, among, download_of, is_name};

use crate::address::Address;
use crate::{downloads, guess, leftovers, rules, snapshots};

/// The file in which Transformers 4.22 to 4.49 noted that it had moved the downloads it could.
pub const VERSION: &str = "version.txt";

/// A folder, sorted.
#[derive(Default)]
pub struct Folder {
    /// Downloads, or what is left of them.
    pub downloads: Vec<UrlFile>,
    /// Folders with the content of an archive, by the archive's name.
    pub extracted: BTreeMap<String, Node>,
    /// Files that were being downloaded.
    pub temporary: Vec<Node>,
    /// Folders of old snapshots.
    pub snapshots: Vec<Node>,
    /// What the file `version.txt` says.
    pub version: Option<String>,
    /// Names of all that is directly in the folder.
    pub names: BTreeSet<String>,
}

impl Folder {
    /// Reads a folder with its records. `stat`: also when files were written.
    fn read(root: &dyn Directory, filter: &Filter) -> Result<Self> {
        let mut folder = Self::default();
        let mut parts = vec![];
        for node in root.walk("", filter).context("the folder cannot be listed")? {
            folder.names.insert(node.path.clone());
            match node.kind {
                Kind::File | Kind::Link if download_of(&node.path).is_some() => parts.push(node),
                Kind::File if is_temporary(&node.path) => folder.temporary.push(node),
                Kind::Directory => folder.add_directory(node),
                _ => {}
            }
        }
        parts.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.temporary.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.snapshots.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        folder.snapshots.retain(|node| snapshots::is_ours(root, &node.path));
        folder.downloads = among(root, &parts);
        let version = root.read_text(VERSION, 16).ok().map(|text| text.trim().to_owned());
        folder.version = version.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()));
        Ok(folder)
    }

    fn add_directory(&mut self, node: Node) {
        if let Some(archive) = archive_of(&node.path) {
            self.extracted.insert(archive, node);
        } else if snapshots::parse(&node.path).is_some() {
            self.snapshots.push(node);
        }
    }

    /// The downloads that an id could mean, with what was extracted from them.
    pub fn around(root: &dyn Directory, digits: &str) -> Result<Self> {
        let patterns = [format!("{digits}*"), format!("*.{digits}*"), format!("*-{digits}*")];
        Self::read(root, &patterns.into_iter().fold(Filter::direct(), Filter::name))
    }
}

/// What is known of each address, by its digest.
pub struct Addresses(BTreeMap<String, (String, Option<Address>)>);

impl Addresses {
    /// What the records that fit their files say, and what can be found out of the others.
    pub fn of(downloads: &[UrlFile]) -> Self {
        let recorded = downloads.iter().filter(|file| file.record_fits());
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
    let mut empty = true;
    for node in root.walk("", &Filter::direct()).context("the folder cannot be listed")? {
        empty = false;
        let ours = match node.kind {
            Kind::File | Kind::Link => download_of(&node.path).is_some(),
            Kind::Directory => archive_of(&node.path).is_some() || is_snapshot(root, &node.path),
            _ => false,
        };
        if ours {
            return Ok(true);
        }
    }
    Ok(empty && !matches!(rule, rules::IN_HUB | crate::SENTENCES))
}

fn is_snapshot(root: &dyn Directory, name: &str) -> bool {
    snapshots::parse(name).is_some() && snapshots::is_ours(root, name)
}

/// All entries of a folder. The outline leaves out what describes.
pub fn list(root: &dyn Directory, detail: Detail) -> Result<Listing> {
    let filter = Filter::direct();
    let folder = Folder::read(root, &if detail == Detail::Full { filter.stat() } else { filter })?;
    let mut entries = downloads::list(root, &folder);
    entries.extend(leftovers::extracted(&folder));
    entries.extend(leftovers::temporary(&folder));
    entries.extend(snapshots::list(root, &folder.snapshots, detail));
    entries.extend(leftovers::version(&folder));
    entries.extend(leftovers::locks(&folder));
    Ok(entries.into_iter().collect())
}

/// The name of the archive that a folder was extracted from: the library writes its dots as dashes.
fn archive_of(name: &str) -> Option<String> {
    let archive = name.strip_suffix("-extracted")?.replace('-', ".");
    is_name(&archive).then_some(archive)
}

/// `tmp` and eight characters, as Python names the files that are being written.
pub fn is_temporary(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.strip_prefix("tmp").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(allowed))
}
