//! What was downloaded, `downloads/<sha256(url)>[.<sha256(etag)>]`, and what was extracted from it,
//! `downloads/extracted/<sha256(absolute path of the archive)>`. Each is a row: only rebuilding needs it, except where a
//! prepared dataset holds paths into it.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{
    Context, Detail, Directory, Entry, Filter, FsError, Kind, Listing, LockKind, Node, Recovery, Result, State, path,
};
use dscc_url_files::{UrlFile, among, digest, is_name, named};

use crate::info::is_remote;
use crate::locks;
use crate::names::{DOWNLOADS, EXTRACTED, is_hex, repository_of, shown};

/// Digits of a digest in an id. Of two downloads with the same ones each is called by all of its name.
const DIGITS: usize = 12;

/// Which datasets the downloads of an address were for, by the address's digest.
pub type Users = BTreeMap<String, BTreeSet<String>>;

/// The names of what was downloaded and extracted in the cache's own folder. Few datasets need any of it, and each is
/// asked by itself, so nothing is looked at before it is needed.
pub struct Local<'a> {
    root: &'a dyn Directory,
    /// Names of the cache's root.
    pub names: Vec<String>,
    /// Paths by the digest that their names begin with.
    by_digest: OnceCell<BTreeMap<String, Vec<String>>>,
}

impl<'a> Local<'a> {
    /// Of this cache.
    pub fn of(root: &'a dyn Directory) -> Self {
        Self { root, names: root.names(), by_digest: OnceCell::new() }
    }

    fn read(&self) -> BTreeMap<String, Vec<String>> {
        let mut by_digest: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for folder in [DOWNLOADS.to_owned(), format!("{DOWNLOADS}/{EXTRACTED}")] {
            let Ok(nodes) = self.root.walk(&folder, &Filter::direct()) else { continue };
            for node in nodes.filter(|node| is_name(node.name())) {
                let digest = node.name().split('.').next().unwrap_or_default();
                by_digest.entry(digest.to_owned()).or_default().push(node.path);
            }
        }
        by_digest
    }

    /// A path in the cache as an absolute one, which is right also where another root was made of a part of it.
    pub fn place(&self, path: &str) -> impl Iterator<Item = String> + use<> {
        self.names.last().map(|root| format!("{root}/{path}")).into_iter()
    }

    /// Where something of this digest is.
    pub fn places_of(&self, digest: &str) -> impl Iterator<Item = String> {
        self.by_digest.get_or_init(|| self.read()).get(digest).into_iter().flatten().flat_map(|path| self.place(path))
    }
}

/// Whether a root of its own is such a folder, or an empty one.
pub fn is_folder(root: &dyn Directory) -> Result<bool> {
    let children = root.children("").context("the folder cannot be listed")?;
    let ours = |node: &Node| {
        let name = node.name();
        name == EXTRACTED || is_name(name) || name.strip_suffix(".lock").is_some_and(is_name)
    };
    Ok(children.is_empty() || children.iter().any(ours))
}

/// All rows of the cache's own folder, with the locks that are nobody's.
pub fn rows(root: &dyn Directory, users: &Users, detail: Detail, listing: &mut Listing) -> Vec<String> {
    let rows = Rows { root, detail, users, downloads: DOWNLOADS, prefix: "downloads/" };
    rows.add(listing)
}

/// All rows of a root that is such a folder.
pub fn alone(root: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let rows = Rows { root, detail: Detail::Full, users: &Users::new(), downloads: "", prefix: "" };
    let lone = rows.add(&mut listing);
    listing.entries.extend(locks::entry("locks/unused".into(), lone));
    Ok(listing)
}

/// All rows of a root that holds nothing but what was extracted.
pub fn extracted_alone(root: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let rows = Rows { root, detail: Detail::Full, users: &Users::new(), downloads: "", prefix: "" };
    let lone = rows.add_extracted("", &BTreeMap::new(), &mut listing);
    listing.entries.extend(locks::entry("locks/unused".into(), lone));
    Ok(listing)
}

struct Rows<'a> {
    root: &'a dyn Directory,
    detail: Detail,
    users: &'a Users,
    /// The folder of the downloads.
    downloads: &'a str,
    /// What ids begin with.
    prefix: &'a str,
}

/// Where something extracted came from.
struct Origin {
    url: Option<String>,
    key: String,
}

impl Rows<'_> {
    fn add(&self, listing: &mut Listing) -> Vec<String> {
        let Some(nodes) = self.nodes(self.downloads, listing) else { return vec![] };
        let files = match self.detail {
            Detail::Outline => named(&nodes),
            Detail::Full => among(self.root, &nodes),
        };
        let ids = ids(&files);
        let latest = latest(&files);
        let mut lone = vec![];
        for (file, id) in files.iter().zip(&ids) {
            let id = format!("{}{id}", self.prefix);
            if file.content.is_none() && file.record.is_none() && file.partial.is_none() {
                lone.extend(file.lock.iter().filter(|lock| locks::is_lock(lock)).map(|lock| lock.path.clone()));
                continue;
            }
            listing.entries.extend(self.partial(file, &id));
            listing.entries.extend(self.download(file, id, latest.get(file.key()).copied()));
        }
        let extracted = path::join(self.downloads, EXTRACTED);
        match nodes.iter().find(|node| node.path == extracted) {
            Some(link) if link.kind == Kind::Link => {
                listing.entries.push(self.link(link, format!("{}{EXTRACTED}", self.prefix)))
            }
            Some(_) => lone.extend(self.add_extracted(&extracted, &self.origins(&files), listing)),
            None => {}
        }
        lone
    }

    fn nodes(&self, folder: &str, listing: &mut Listing) -> Option<Vec<Node>> {
        match self.root.walk(folder, &Filter::direct().stat()) {
            Ok(nodes) => Some(nodes.collect()),
            Err(FsError::NotFound | FsError::WrongKind) => None,
            Err(error) => {
                listing.warn(folder, format!("it cannot be listed: {}", error.text()));
                None
            }
        }
    }

    /// A download with its record and its lock.
    fn download(&self, file: &UrlFile, id: String, latest: Option<i64>) -> Option<Entry> {
        if let Some(link) = file.content.as_ref().filter(|node| node.kind == Kind::Link) {
            return Some(self.with_companions(self.link(link, id), file));
        }
        let content = file.content.as_ref();
        if content.is_none() && file.record.is_none() {
            return None;
        }
        let entry = with_address(Entry::new(id, "download").label(&file.name), file.url.as_deref());
        let entry = self.with_users(entry.attribute("etag", file.etag.as_deref().map(shown)), file.key());
        // Without an address nobody knows where to have it from.
        let known = file.url.as_deref().is_some_and(is_remote);
        let entry = match content {
            None if !known => entry.state(State::Broken).attribute("warning", "a record that says nothing"),
            None => {
                entry.state(State::Stale).recovery(Recovery::Rebuild).reclaim("a record of a download that is gone")
            }
            Some(node) if file.modified() < latest.unwrap_or_default() && node.is_file() => {
                let recovery = if known { Recovery::Download } else { Recovery::Uncertain };
                let entry = entry.state(State::Stale).recovery(recovery);
                entry.reclaim("superseded by a later download of the same address")
            }
            Some(node) if known && node.is_file() => entry.recovery(Recovery::Download),
            Some(_) => entry,
        };
        Some(self.with_companions(entry, file))
    }

    /// Claims what belongs to a download, in the order of removal.
    fn with_companions(&self, entry: Entry, file: &UrlFile) -> Entry {
        let mut owns: Vec<String> =
            [&file.record, &file.content].into_iter().flatten().map(|it| it.path.clone()).collect();
        owns.extend(file.lock.iter().map(|lock| lock.path.clone()));
        Entry { owns, ..entry }.lock(LockKind::Flock, self.lock(self.downloads, &file.name))
    }

    /// What a killed download left.
    fn partial(&self, file: &UrlFile, id: &str) -> Option<Entry> {
        let partial = file.partial.as_ref()?;
        let entry = Entry::new(format!("{id}.incomplete"), "partial").label(partial.name()).owns(&partial.path);
        let entry =
            with_address(entry, file.url.as_deref()).lock(LockKind::Flock, self.lock(self.downloads, &file.name));
        let entry = entry.state(State::Partial).recovery(Recovery::Download).reclaim("a killed download");
        let alone = file.content.is_none() && file.record.is_none();
        let lock = file.lock.as_ref().filter(|_| alone).map(|lock| lock.path.clone());
        Some(lock.into_iter().fold(entry, Entry::owns))
    }

    fn lock(&self, folder: &str, name: &str) -> String {
        path::join(folder, &format!("{name}.lock"))
    }

    fn with_users(&self, entry: Entry, key: &str) -> Entry {
        self.users.get(key).into_iter().flatten().take(20).fold(entry, |entry, user| entry.attribute("dataset", user))
    }

    /// Which archive a name in `extracted` stands for, as far as archives are among the downloads.
    fn origins(&self, files: &[UrlFile]) -> BTreeMap<String, Origin> {
        if self.detail == Detail::Outline {
            return BTreeMap::new();
        }
        let names: Vec<String> = self.root.names().iter().map(|name| path::join(name, self.downloads)).collect();
        let of = |file: &UrlFile, name: &String| {
            let place = path::unescape(&format!("{}/{}", name.trim_end_matches('/'), file.name));
            let place = String::from_utf8(place.unwrap_or_default()).unwrap_or_default();
            (digest(&place), Origin { url: file.url.clone(), key: file.key().to_owned() })
        };
        let there = files.iter().filter(|file| file.content.is_some());
        there.flat_map(|file| names.iter().map(move |name| of(file, name))).collect()
    }

    fn add_extracted(&self, folder: &str, origins: &BTreeMap<String, Origin>, listing: &mut Listing) -> Vec<String> {
        let Some(nodes) = self.nodes(folder, listing) else { return vec![] };
        let files: Vec<UrlFile> = named(&nodes).into_iter().filter(|file| is_hex(&file.name, 64)).collect();
        let ids = ids(&files);
        let mut lone = vec![];
        let prefix = if folder.is_empty() { String::new() } else { format!("{EXTRACTED}/") };
        for (file, id) in files.iter().zip(ids) {
            let Some(content) = &file.content else {
                lone.extend(file.lock.iter().filter(|lock| locks::is_lock(lock)).map(|lock| lock.path.clone()));
                continue;
            };
            let id = format!("{prefix}{id}");
            let entry = if content.kind == Kind::Link {
                self.link(content, id)
            } else {
                self.extracted(file, id, origins.get(&file.name))
            };
            let entry = file.lock.iter().fold(entry, |entry, lock| entry.owns(&lock.path));
            listing.push(entry.lock(LockKind::Flock, self.lock(folder, &file.name)));
        }
        lone
    }

    fn extracted(&self, file: &UrlFile, id: String, origin: Option<&Origin>) -> Entry {
        let entry = Entry::new(id, EXTRACTED).label(&file.name);
        let entry = file.content.iter().fold(entry, |entry, content| entry.owns(&content.path));
        let Some(origin) = origin else {
            return entry.attribute("source", "an archive that is not among the downloads here");
        };
        let entry = with_address(entry.recovery(Recovery::Rebuild), origin.url.as_deref());
        self.with_users(entry, &origin.key)
    }

    fn link(&self, link: &Node, id: String) -> Entry {
        let entry = Entry::new(id, "link").label(link.name()).owns(&link.path).recovery(Recovery::Irreplaceable);
        entry.attribute("target", &link.target)
    }
}

/// Says where something was downloaded from.
fn with_address(entry: Entry, url: Option<&str>) -> Entry {
    let repository = url.and_then(repository_of).map(shown);
    entry.attribute("url", url.map(shown)).attribute("repository", repository)
}

/// When the latest download of each address was written, where there are several.
fn latest(files: &[UrlFile]) -> BTreeMap<&str, i64> {
    let mut latest = BTreeMap::new();
    for file in files.iter().filter(|file| file.content.as_ref().is_some_and(Node::is_file)) {
        let at = latest.entry(file.key()).or_insert(file.modified());
        *at = file.modified().max(*at);
    }
    latest
}

/// Short ids, each its own.
fn ids(files: &[UrlFile]) -> Vec<String> {
    let short = |file: &UrlFile| {
        let parts: Vec<&str> = file.name.split('.').map(|part| part.get(..DIGITS).unwrap_or(part)).collect();
        parts.join(".")
    };
    let mut uses: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        *uses.entry(short(file)).or_default() += 1;
    }
    let unique = |file: &UrlFile| uses.get(&short(file)) == Some(&1);
    files.iter().map(|file| if unique(file) { short(file) } else { file.name.clone() }).collect()
}
