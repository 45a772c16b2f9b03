//! The levels below a dataset: its builds, and in a build the results of `map` and what a killed `map` left.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Entry, Filter, FsError, Kinds, Listing, Node, Recovery, Result, State, path};
use dscc_url_files::is_temporary;

use crate::cache::several;
use crate::dataset::{self, Dataset};
use crate::downloads::Local;
use crate::info::Info;
use crate::locks::{self, RootLocks};
use crate::names::{self, shown};
use crate::verdict::{Judge, Judged};

/// So many splits are shown.
const SPLITS: usize = 100;

/// The children of a dataset or of a build.
pub fn list(root: &dyn Directory, parent: &str) -> Result<Listing> {
    // Where a dataset's id ends is told by an `@`, which ids of datasets do not have.
    let (id, build) = parent.split_once('@').map_or((parent, None), |(id, build)| (id, Some(build)));
    let folder = names::dataset_folder(id);
    let listing = match build {
        None => dataset::read(root, &folder).map(|dataset| builds(root, id, &dataset)),
        Some(below) => files(root, &format!("{folder}/{below}")).map(|files| Ok(parts(parent, &files))),
    };
    match listing {
        Err(FsError::NotFound | FsError::WrongKind | FsError::BadPath) => Ok(Listing::default()),
        other => other.with_context(|| format!("`{parent}` cannot be listed"))?,
    }
}

/// The paths of the files in a build. Its siblings are not looked at again.
fn files(root: &dyn Directory, folder: &str) -> Result<BTreeSet<String>, FsError> {
    let version = |part: &str| names::is_version(part.strip_suffix(names::INCOMPLETE).unwrap_or(part));
    if !folder.split('/').skip(2).take(1).any(version) {
        return Ok(BTreeSet::new());
    }
    let nodes = root.walk(folder, &Filter::direct().kinds(Kinds::FILE))?;
    Ok(nodes.filter(Node::is_file).map(|node| node.path).collect())
}

fn builds(root: &dyn Directory, id: &str, dataset: &Dataset) -> Result<Listing> {
    let locks = RootLocks::of_dataset(root, &dataset.folder).context("the lock files cannot be listed")?;
    let local = Local::of(root);
    let judged = Judge::new(root, &local).judge(dataset);
    let mut listing: Listing = judged.into_iter().map(|it| build(id, it, &locks)).collect();
    listing.entries.extend(dataset.links.iter().map(|node| link(id, dataset, node)));
    listing.entries.extend(locks::entry(format!("{id}@locks"), dataset.lone_locks.clone()));
    for unread in &dataset.unread {
        listing.warn(unread, "it cannot be read, so what is in it is not shown");
    }
    Ok(listing)
}

/// A build, finished or not.
fn build(id: &str, judged: Judged, locks: &RootLocks) -> Entry {
    let build = judged.build;
    let kind = if build.is_partial() { "partial" } else { "build" };
    let label = match build.hash.as_deref() {
        Some(hash) => format!("{} {} {}", shown(judged.config()), build.version, names::short(hash)),
        None => format!("{} {}", shown(judged.config()), build.version),
    };
    let mut entry = Entry::new(format!("{id}@{}", build.below()), kind).label(label).keeps_parent();
    entry.has_children = build.files.iter().any(|file| names::result(file).is_some() || is_temporary(file));
    entry.owns = locks::claims(build, locks);
    entry = locks::guard(entry, &build.base, locks).state(judged.state).recovery(judged.recovery);
    entry.reclaim.clone_from(&judged.reclaim);
    entry.needs.extend(judged.needs.iter().cloned());
    describe(entry, &judged)
}

fn describe(entry: Entry, judged: &Judged) -> Entry {
    let build = judged.build;
    let version = judged.info.as_ref().and_then(Info::version).unwrap_or(&build.version);
    let revision = build.hash.as_deref().filter(|hash| names::is_hex(hash, 40));
    // What a user can type after the `@`.
    let entry = entry.attribute("refs", &build.config).attribute("refs", build.hash.as_deref().map(names::short));
    let mut entry = entry.attribute("config", shown(judged.config())).attribute("version", shown(version));
    entry = entry.attribute("revision", revision).attribute("repository", judged.repository());
    if let Some(info) = &judged.info {
        entry = entry.attribute("builder", info.text("builder_name").map(shown));
        for (name, rows, ..) in info.splits().take(SPLITS) {
            let rows = rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
            entry = entry.attribute("splits", format!("{}: {rows}", shown(name)));
        }
        for key in ["description", "license", "homepage"] {
            entry = entry.attribute(key, info.text(key).map(shown));
        }
        entry = several(entry, "source", info.sources());
    }
    if !build.is_partial() {
        entry = entry.attribute("origin", judged.origin);
    }
    judged.warnings.iter().fold(entry, |entry, warning| entry.attribute("warning", shown(warning)))
}

/// A link in place of a config, a version or a build: what it leads to is not the cache's.
fn link(id: &str, dataset: &Dataset, node: &Node) -> Entry {
    let below = node.path.get(dataset.folder.len() + 1..).unwrap_or(&node.path);
    let entry = Entry::new(format!("{id}@{below}"), "link").label(node.name()).owns(&node.path).keeps_parent();
    entry.recovery(Recovery::Irreplaceable).attribute("target", &node.target)
}

/// What is in a build besides its tables.
fn parts(id: &str, files: &BTreeSet<String>) -> Listing {
    let mut by_result: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for file in files {
        if let Some(result) = names::result(path::name(file)) {
            by_result.entry(result).or_default().push(file);
        }
    }
    let mut listing = Listing::default();
    for (name, files) in by_result {
        let entry = Entry::new(format!("{id}/{name}"), "cache").label(name).recovery(Recovery::Rebuild);
        let entry = entry.attribute("fingerprint", name.strip_prefix("cache-"));
        let entry = if files.len() > 1 { entry.attribute("shards", files.len().to_string()) } else { entry };
        listing.push(files.into_iter().fold(entry, Entry::owns));
    }
    for file in files.iter().filter(|file| is_temporary(path::name(file))) {
        let name = path::name(file);
        let entry = Entry::new(format!("{id}/{name}"), "partial").label(name).owns(file);
        let entry = entry.state(State::Partial).recovery(Recovery::Rebuild);
        listing.push(entry.reclaim("left by a `map` or `filter` that was killed"));
    }
    listing
}

impl Judged<'_> {
    /// The config's name, or that of its folder.
    pub fn config(&self) -> &str {
        let named = self.info.as_ref().and_then(|info| info.text("config_name"));
        named.unwrap_or_else(|| names::config(&self.build.config))
    }

    /// The Hub's name of the dataset, where it differs from the folder's, which is in lower case and for old versions
    /// that of the builder.
    pub fn repository(&self) -> Option<String> {
        let sources: BTreeSet<&str> = self.info.as_ref()?.sources().filter_map(names::repository_of).collect();
        let one = sources.first().filter(|_| sources.len() == 1);
        one.map(|name| shown(name)).or_else(|| names::repository_of_config(&self.build.config))
    }
}
