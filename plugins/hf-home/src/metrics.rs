//! Results that metrics of Evaluate, and of Datasets before 3, collect until they are computed:
//! `<metric>/<config>/<experiment>-<processes>-<rank>.arrow` with a lock that its process holds as long as it lives. After
//! the computation the library removes the results and leaves the lock. What a metric downloads for itself is in
//! `downloads` beside them.

use std::collections::BTreeMap;

use dscc_sdk::{Context, Directory, Entry, Filter, Listing, LockKind, Node, Recovery, Result, State, path};

use crate::claims::rank;
use crate::downloads;

/// Metrics with their configurations, or what one of them has.
pub fn list(root: &dyn Directory, parent: Option<&str>) -> Result<Listing> {
    let mut listing = Listing::default();
    let (at, depth) = parent.map_or(("", 3), |parent| (parent, 1));
    let mut configs: BTreeMap<String, Vec<Node>> = BTreeMap::new();
    for node in root.walk(at, &Filter::all().depth(depth)).context("the metrics cannot be listed")? {
        if node.path.matches('/').count() == 2 {
            configs.entry(path::parent(&node.path).to_owned()).or_default().push(node);
        }
    }
    for (config, mut nodes) in configs {
        nodes.sort_by(|a, b| a.path.cmp(&b.path));
        let parts = parts(root, &config, &nodes, &mut listing);
        if parent.is_some() {
            listing.entries.extend(parts);
        } else if !parts.is_empty() {
            listing.push(of_config(&config, &parts));
        }
    }
    Ok(listing)
}

/// All that is known of one configuration.
fn of_config(config: &str, parts: &[Entry]) -> Entry {
    let (metric, name) = config.split_once('/').unwrap_or((config, ""));
    let easiest = parts.iter().map(|part| part.recovery).min_by_key(|it| rank(*it)).unwrap_or(Recovery::Uncertain);
    let entry = Entry::new(config, "metric").label(format!("{metric} ({name})")).recovery(easiest);
    let entry = entry.attribute("metric", metric).attribute("config", name).with_children();
    let entry = parts.iter().flat_map(|part| &part.owns).fold(entry, Entry::owns);
    match parts.iter().all(|part| part.reclaim.is_some()) {
        true => entry.state(State::Detached).reclaim("what evaluations left that were broken off or are done"),
        false => entry,
    }
}

fn parts(root: &dyn Directory, config: &str, nodes: &[Node], listing: &mut Listing) -> Vec<Entry> {
    let files: BTreeMap<&str, &Node> = nodes.iter().filter(|it| it.is_file()).map(|it| (it.name(), it)).collect();
    let mut parts = vec![];
    let mut free = vec![];
    for (name, node) in &files {
        if let Some(experiment) = Experiment::of(name) {
            parts.push(results(node, &experiment, &files));
        } else if is_lock(name) && !name.strip_suffix(".lock").is_some_and(|of| files.contains_key(of)) {
            free.push(*node);
        }
    }
    if !free.is_empty() {
        let entry = Entry::new(path::join(config, "locks"), "locks").label("locks");
        let own = |entry: Entry, node: &&Node| entry.owns(&node.path).lock(LockKind::Flock, &node.path);
        let entry = free.iter().fold(entry, own).state(State::Detached).recovery(Recovery::Rebuild);
        parts.push(entry.reclaim("locks of evaluations that are done"));
    }
    let folder = nodes.iter().find(|node| node.is_directory() && node.name() == "downloads");
    parts.extend(folder.into_iter().flat_map(|folder| downloads::list(root, &folder.path, listing)));
    parts
}

/// The library begins anew where it finds results that nobody holds. Of an evaluation by several processes the first one
/// reads what the others have written and let go: as long as it lives, all of it is in use.
fn results(node: &Node, experiment: &Experiment<'_>, files: &BTreeMap<&str, &Node>) -> Entry {
    let lock = files.get(format!("{}.lock", node.name()).as_str());
    let leader = files.get(format!("{}-{}-0.arrow.lock", experiment.name, experiment.processes).as_str());
    let mut entry = Entry::at(&node.path, "results").state(State::Partial);
    entry.owns.extend(lock.map(|lock| lock.path.clone()));
    let mut locks = vec![lock, leader.filter(|leader| lock != Some(leader))];
    locks.retain(Option::is_some);
    let entry = locks.into_iter().flatten().fold(entry, |entry, lock| entry.lock(LockKind::Flock, &lock.path));
    let entry = entry
        .attribute("experiment", experiment.name)
        .attribute("process", format!("{} of {}", experiment.rank, experiment.processes));
    // The library has the lock before it writes anything, and leaves it.
    match lock {
        Some(_) => entry
            .recovery(Recovery::Rebuild)
            .reclaim("an evaluation that was broken off before its result was computed"),
        None => entry.attribute("warning", "no evaluation has locked it: it may be somebody's own"),
    }
}

/// What a file of results is called after.
struct Experiment<'n> {
    name: &'n str,
    processes: u32,
    rank: u32,
}

impl<'n> Experiment<'n> {
    fn of(name: &'n str) -> Option<Self> {
        let (rest, rank) = name.strip_suffix(".arrow")?.rsplit_once('-')?;
        let (name, processes) = rest.rsplit_once('-').filter(|(name, _)| !name.is_empty())?;
        let number = |text: &str| text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
        Some(Self { name, processes: number(processes)?, rank: number(rank)? })
    }
}

/// A lock of results, or the one at which several processes meet.
fn is_lock(name: &str) -> bool {
    let of = |name: &str| Experiment::of(name).is_some();
    name.strip_suffix(".lock").is_some_and(of)
        || name.strip_suffix("-rdv.lock").is_some_and(|rest| of(&format!("{rest}-0.arrow")))
}
