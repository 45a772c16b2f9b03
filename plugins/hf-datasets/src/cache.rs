//! The first level: datasets, links in place of datasets, downloads, what was extracted, and lock files of builds that
//! are gone.

use std::collections::BTreeSet;

use dscc_sdk::{Context, Detail, Directory, Entry, Kind, Listing, Node, Recovery, Result, State};
use dscc_url_files::digest;

use crate::dataset::{self, Dataset};
use crate::downloads::{self, Local, Users};
use crate::locks::{self, RootLocks};
use crate::names;
use crate::verdict::{self, Judge, Judged};

/// So many values of one attribute are shown.
const MOST: usize = 20;

/// Everything that is directly in the cache.
pub fn list(root: &dyn Directory, detail: Detail) -> Result<Listing> {
    let mut listing = Listing::default();
    let nodes = root.children("").context("the cache cannot be listed")?;
    let locks = RootLocks::of(root).context("the lock files cannot be listed")?;
    let datasets = datasets(root, &nodes, &mut listing);
    let mut users = Users::new();
    let local = Local::of(root);
    let mut judge = Judge::new(root, &local);
    for dataset in datasets.iter().filter(|dataset| dataset.is_one()) {
        let entry = outline(dataset, &locks);
        listing.push(match detail {
            Detail::Outline => entry,
            Detail::Full => {
                let judged = judge.judge(dataset);
                remember(&mut users, &entry.id, &judged);
                full(entry, dataset, &judged, &locks)
            }
        });
    }
    listing.entries.extend(nodes.iter().filter(|node| node.kind == Kind::Link).map(link));
    let mut lone = downloads::rows(root, &users, detail, &mut listing);
    let bases: BTreeSet<&str> = datasets.iter().flat_map(|it| &it.builds).map(|build| build.base.as_str()).collect();
    lone.extend(locks.unused(&bases));
    lone.extend(datasets.iter().filter(|dataset| !dataset.is_one()).flat_map(|dataset| dataset.lone_locks.clone()));
    listing.entries.extend(locks::entry("locks/unused".into(), lone));
    Ok(listing)
}

fn datasets(root: &dyn Directory, nodes: &[Node], listing: &mut Listing) -> Vec<Dataset> {
    let mut found = vec![];
    for node in nodes {
        match node.kind {
            Kind::Directory => match dataset::read(root, &node.path) {
                Ok(dataset) => {
                    for unread in &dataset.unread {
                        listing.warn(unread, "it cannot be read, so what is in it is not shown");
                    }
                    found.push(dataset);
                }
                Err(error) => listing.warn(&node.path, format!("it cannot be listed: {}", error.text())),
            },
            Kind::Unreadable => listing.warn(&node.path, "it cannot be read, so what is in it is not shown"),
            Kind::File | Kind::Link | Kind::Other => {}
        }
    }
    found
}

/// Enough to count and measure.
fn outline(dataset: &Dataset, locks: &RootLocks) -> Entry {
    let id = names::dataset_id(&dataset.folder);
    let label = id.replace("%40", "@").replace("%25", "%");
    let mut entry = Entry::new(id, "dataset").label(label).with_children();
    entry.owns.extend(dataset.links.iter().map(|link| link.path.clone()));
    for build in &dataset.builds {
        entry.owns.extend(locks::claims(build, locks));
    }
    entry.owns.extend(dataset.lone_locks.iter().cloned());
    entry
}

/// Everything that decides. A dataset is no more easily to be had back than any of its finished builds.
fn full(entry: Entry, dataset: &Dataset, judged: &[Judged], locks: &RootLocks) -> Entry {
    let link = (!dataset.links.is_empty()).then_some(Recovery::Irreplaceable);
    let recovery = judged.iter().map(|it| it.recovery).chain(link).max().unwrap_or(Recovery::Uncertain);
    let mut entry = entry.recovery(recovery).state(state(judged));
    for build in &dataset.builds {
        entry = locks::guard(entry, &build.base, locks);
    }
    entry.needs.extend(verdict::in_short(judged.iter().flat_map(|it| it.needs.iter().cloned()).collect()));
    if !judged.is_empty() && dataset.links.is_empty() && judged.iter().all(|it| it.build.is_partial()) {
        entry = entry.reclaim("nothing in it but builds that were killed");
    }
    entry = entry.attribute("builds", dataset.builds.len().to_string());
    let configs: BTreeSet<&str> = judged.iter().map(|it| it.config()).collect();
    entry = several(entry, "config", configs);
    let builders: BTreeSet<&str> = judged.iter().filter_map(|it| it.info.as_ref()?.text("builder_name")).collect();
    entry = several(entry, "builder", builders);
    let repositories: BTreeSet<String> = judged.iter().filter_map(Judged::repository).collect();
    entry = several(entry, "repository", repositories.iter().map(String::as_str));
    if judged.iter().any(|it| !it.needs.is_empty()) {
        entry = entry.attribute("warning", verdict::PATHS);
    }
    several(entry, "origin", judged.iter().map(|it| it.origin).collect::<BTreeSet<_>>())
}

fn state(judged: &[Judged]) -> State {
    let any = |state: State| judged.iter().any(|it| it.state == state);
    let states = [State::Complete, State::Stale, State::Broken, State::Partial];
    states.into_iter().find(|state| any(*state)).unwrap_or(State::Complete)
}

/// The same key with several values, as many as anyone reads.
pub fn several<'a>(entry: Entry, key: &str, values: impl IntoIterator<Item = &'a str>) -> Entry {
    let mut values = values.into_iter();
    let entry = values.by_ref().take(MOST).fold(entry, |entry, value| entry.attribute(key, names::shown(value)));
    let more = values.count();
    if more == 0 { entry } else { entry.attribute(key, format!("{more} more")) }
}

/// Notes which downloads a dataset's builds came from.
fn remember(users: &mut Users, id: &str, judged: &[Judged]) {
    let sources = judged.iter().filter_map(|it| it.info.as_ref()).flat_map(|info| info.sources());
    for source in sources {
        users.entry(digest(source)).or_default().insert(id.to_owned());
    }
}

/// A link in place of a dataset or of a whole folder: what it leads to is not the cache's.
fn link(node: &Node) -> Entry {
    let id = if node.name() == names::DOWNLOADS { node.name().to_owned() } else { names::dataset_id(node.name()) };
    let entry = Entry::new(id, "link").label(node.name()).owns(&node.path).recovery(Recovery::Irreplaceable);
    entry.attribute("target", &node.target)
}
