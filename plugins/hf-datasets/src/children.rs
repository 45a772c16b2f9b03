//! The levels below a dataset: its builds, and in a build the results of `map` and what a killed `map` left.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Entry, FsError, Listing, Node, Recovery, Result, State, path};

use crate::cache::several;
use crate::dataset::{self, Build, Dataset};
use crate::downloads::Local;
use crate::info::Info;
use crate::locks::{self, RootLocks};
use crate::names;
use crate::verdict::{Judge, Judged};

/// Bytes of a text that describes.
const TEXT: usize = 200;

/// The children of a dataset or of a build.
pub fn list(root: &dyn Directory, parent: &str) -> Result<Listing> {
    // Where a dataset's id ends is told by an `@`, which ids of datasets do not have.
    let (id, build) = parent.split_once('@').map_or((parent, None), |(id, build)| (id, Some(build)));
    let folder = names::dataset_folder(id);
    let dataset = match dataset::read(root, &folder) {
        Err(FsError::NotFound | FsError::WrongKind | FsError::BadPath) => return Ok(Listing::default()),
        other => other.with_context(|| format!("`{id}` cannot be listed"))?,
    };
    Ok(match build {
        None => builds(root, id, &dataset)?,
        Some(below) => {
            let found = dataset.builds.iter().find(|build| build.below() == below);
            found.map(|build| parts(parent, build)).unwrap_or_default()
        }
    })
}

fn builds(root: &dyn Directory, id: &str, dataset: &Dataset) -> Result<Listing> {
    let locks = RootLocks::of(root).context("the lock files cannot be listed")?;
    let local = Local::read(root);
    let judged = Judge::new(root, &local).judge(dataset);
    let mut listing: Listing = judged.into_iter().map(|it| build(id, dataset, it, &locks)).collect();
    listing.entries.extend(dataset.links.iter().map(|node| link(id, dataset, node)));
    listing.entries.extend(locks::entry(format!("{id}@locks"), dataset.lone_locks.clone()));
    for unread in &dataset.unread {
        listing.warn(unread, "it cannot be read, so what is in it is not shown");
    }
    Ok(listing)
}

/// A build, finished or not.
fn build(id: &str, dataset: &Dataset, judged: Judged, locks: &RootLocks) -> Entry {
    let build = judged.build;
    let kind = if build.is_partial() { "partial" } else { "build" };
    let label = match build.hash.as_deref() {
        Some(hash) => format!("{} {} {}", judged.config(), build.version, names::short(hash)),
        None => format!("{} {}", judged.config(), build.version),
    };
    let mut entry = Entry::new(format!("{id}@{}", build.below()), kind).label(label).keeps_parent();
    entry.has_children = results(build).next().is_some() || build.files.iter().any(|file| names::is_temporary(file));
    entry.owns = locks::claims(build, dataset, locks);
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
    let mut entry = entry.attribute("config", judged.config()).attribute("version", version);
    entry = entry.attribute("revision", revision).attribute("repository", judged.repository());
    if let Some(info) = &judged.info {
        entry = entry.attribute("builder", info.text("builder_name"));
        for (name, rows, ..) in info.splits() {
            let rows = rows.map_or_else(|| "?".to_owned(), |rows| rows.to_string());
            entry = entry.attribute("splits", format!("{name}: {rows}"));
        }
        for key in ["description", "license", "homepage"] {
            entry = entry.attribute(key, info.text(key).map(short));
        }
        entry = several(entry, "source", info.sources());
    }
    if !build.is_partial() {
        entry = entry.attribute("origin", judged.origin);
    }
    judged.warnings.iter().fold(entry, |entry, warning| entry.attribute("warning", warning))
}

/// The first line of a text, and no more than anyone reads.
fn short(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(TEXT) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

/// A link in place of a config, a version or a build: what it leads to is not the cache's.
fn link(id: &str, dataset: &Dataset, node: &Node) -> Entry {
    let below = node.path.get(dataset.folder.len() + 1..).unwrap_or(&node.path);
    let entry = Entry::new(format!("{id}@{below}"), "link").label(node.name()).owns(&node.path).keeps_parent();
    entry.recovery(Recovery::Irreplaceable).attribute("target", &node.target)
}

/// What is in a build besides its tables.
fn parts(id: &str, build: &Build) -> Listing {
    let mut by_result: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, file) in results(build) {
        by_result.entry(name).or_default().push(file);
    }
    let mut listing = Listing::default();
    for (name, files) in by_result {
        let entry = Entry::new(format!("{id}/{name}"), "cache").label(name).recovery(Recovery::Rebuild);
        let entry = entry.attribute("fingerprint", name.strip_prefix("cache-"));
        let entry = if files.len() > 1 { entry.attribute("shards", files.len().to_string()) } else { entry };
        listing.push(files.into_iter().fold(entry, |entry, file| entry.owns(path::join(&build.path, file))));
    }
    for file in build.files.iter().filter(|file| names::is_temporary(file)) {
        let entry = Entry::new(format!("{id}/{file}"), "partial").label(file).owns(path::join(&build.path, file));
        let entry = entry.state(State::Partial).recovery(Recovery::Rebuild);
        listing.push(entry.reclaim("left by a `map` or `filter` that was killed"));
    }
    listing
}

fn results(build: &Build) -> impl Iterator<Item = (&str, &str)> {
    build.files.iter().filter_map(|file| Some((names::result(file)?, file.as_str())))
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
        let of_source = |source: &str| {
            let rest = source.rsplit("::").next()?.strip_prefix("hf://datasets/")?;
            rest.split_once('@').map(|(name, _)| name.to_owned())
        };
        let sources: BTreeSet<String> = self.info.as_ref()?.sources().filter_map(of_source).collect();
        let one = sources.first().filter(|_| sources.len() == 1);
        one.cloned().or_else(|| names::repository_of_config(&self.build.config))
    }
}
