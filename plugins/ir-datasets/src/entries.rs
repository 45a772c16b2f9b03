//! Entries on three levels: datasets, kinds of things in them (`beir@stores`), and each thing
//! (`beir@stores/scifact/docs.pklz4`), so that one store can be freed and the rest stays.

use std::collections::BTreeSet;

use dscc_sdk::{Directory, Entry, Kind, Listing, LockKind, Node, Recovery, Result, State};

use crate::contents::{Contents, holds_a_store};
use crate::downloads;
use crate::item::{Group, Item};
use crate::known::{self, RENAMED};
use crate::link;

/// More paths of one dataset would only bury the rest of what is shown of it.
const MOST_SHOWN: usize = 20;

/// Whatever lies in it, it is no dataset.
const CREDENTIALS: &str = "auth";

/// The datasets, and the user's mirror of downloads.
pub fn top(root: &dyn Directory) -> Result<Listing> {
    let mut listing = Listing::default();
    let known = known::datasets();
    for node in root.children("")? {
        let is_known = known.contains(node.name());
        match node.kind {
            _ if node.name() == downloads::FOLDER => {
                let mirror = downloads::parent(root, &node, &mut listing);
                listing.entries.extend(mirror);
            }
            Kind::Link if is_known => listing.push(link(root, &node)),
            Kind::Unreadable if is_known => listing.push(unreadable(&node)),
            Kind::Directory if is_known || may_be_new(node.name()) && holds_a_store(root, node.name()) => {
                listing.entries.extend(dataset(root, &node, is_known));
            }
            _ => {}
        }
    }
    Ok(listing)
}

/// Whether a later release could have a dataset of this name. With an `@` its id would be that of a part of another.
fn may_be_new(name: &str) -> bool {
    name != CREDENTIALS && !name.contains('@')
}

/// What is in an entry.
pub fn children(root: &dyn Directory, parent: &str) -> Result<Listing> {
    if parent == downloads::FOLDER {
        return downloads::children(root);
    }
    let is_group = |(_, name): &(&str, &str)| Group::ALL.iter().any(|group| group.name() == *name);
    let (name, group) = parent.rsplit_once('@').filter(is_group).unwrap_or((parent, ""));
    let contents = match Contents::read(root, name, known::datasets().contains(name)) {
        Ok(contents) => contents,
        Err(error) => {
            let mut listing = Listing::default();
            listing.warn(name, format!("this dataset cannot be read: {}", error.text()));
            return Ok(listing);
        }
    };
    let mut listing: Listing = match Group::ALL.into_iter().find(|known| known.name() == group) {
        Some(group) => contents.items.iter().filter(|item| item.group == group).map(|item| entry(name, item)).collect(),
        None => Group::ALL.into_iter().filter_map(|group| of_group(name, group, &contents.items)).collect(),
    };
    for path in contents.unreadable {
        listing.warn(path, "this folder cannot be read");
    }
    Ok(listing)
}

/// A whole folder on another disk: the link goes, the data stay.
pub fn link(root: &dyn Directory, node: &Node) -> Entry {
    let mut entry = Entry::at(&node.path, "link").recovery(Recovery::Irreplaceable);
    entry.needs.extend(link::place(root, &node.path, &node.target));
    entry.attribute("target", &node.target)
}

fn unreadable(node: &Node) -> Entry {
    let entry = Entry::at(&node.path, "dataset").state(State::Broken).with_children();
    entry.attribute("warning", "it cannot be read")
}

/// The library makes some hundred files at most, apart from folders that are one thing.
fn crowded(node: &Node) -> Entry {
    let entry = Entry::at(&node.path, "dataset").recovery(Recovery::Irreplaceable);
    entry.attribute("warning", "it holds far more than ir_datasets makes, so it was not looked at")
}

/// None of a folder without anything in it.
fn dataset(root: &dyn Directory, node: &Node, is_known: bool) -> Option<Entry> {
    let name = node.name();
    let Ok(contents) = Contents::read(root, name, is_known) else {
        return Some(unreadable(node));
    };
    if contents.is_crowded {
        return Some(crowded(node));
    }
    if contents.is_empty() {
        return None;
    }
    let items = &contents.items;
    let all_unfinished = items.iter().all(|item| item.group == Group::Unfinished);
    let mut entry = Entry::at(&node.path, "dataset").with_children().recovery(of_all(items));
    entry.reclaim = none_missed(items);
    if all_unfinished {
        entry = entry.state(State::Partial);
    }
    if name == RENAMED.0 {
        entry = renamed(root, entry);
    }
    let homepage = format!("https://ir-datasets.com/{name}.html");
    entry = entry.attribute("homepage", is_known.then_some(homepage));
    for (group, key) in [(Group::Protected, "protected"), (Group::Other, "other")] {
        for item in items.iter().filter(|item| item.group == group).take(MOST_SHOWN) {
            entry = entry.attribute(key, below(name, &item.path));
        }
    }
    Some(entry)
}

/// The library renames the folder when it is imported, unless the new one is there; then it never looks at it again.
fn renamed(root: &dyn Directory, entry: Entry) -> Entry {
    let (_, new) = RENAMED;
    if root.node(new).ok().flatten().is_none() {
        return entry.attribute("note", format!("the library renames it to `{new}` when it is used next"));
    }
    let reason = format!("an old name: the library uses `{new}`, which is there too");
    entry.state(State::Stale).reclaim(&reason)
}

fn of_group(name: &str, group: Group, items: &[Item]) -> Option<Entry> {
    let items: Vec<Item> = items.iter().filter(|item| item.group == group).cloned().collect();
    if items.is_empty() {
        return None;
    }
    let mut entry =
        Entry::new(id(name, group), group.name()).label(group.name()).with_children().recovery(of_all(&items));
    entry.reclaim = none_missed(&items);
    if group == Group::Unfinished {
        entry = entry.state(State::Partial);
    }
    // Each link keeps by itself what it leads to.
    let needing = items.iter().filter(|item| item.kind != "link");
    entry.owns = items.iter().flat_map(|item| &item.owns).cloned().collect();
    entry.shares = distinct(items.iter().flat_map(|item| &item.shares));
    entry.needs = distinct(needing.flat_map(|item| &item.needs));
    Some(entry.keeps_parent().attribute("items", items.len().to_string()))
}

fn entry(name: &str, item: &Item) -> Entry {
    let label = below(name, &item.path);
    let mut entry = Entry::new(format!("{}/{label}", id(name, item.group)), item.kind).label(label);
    entry.owns.clone_from(&item.owns);
    entry.shares.clone_from(&item.shares);
    entry.needs.clone_from(&item.needs);
    entry.reclaim.clone_from(&item.reclaim);
    if let Some(lock) = &item.lock {
        entry = entry.lock(LockKind::Posix, lock);
    }
    for (key, value) in &item.attributes {
        entry = entry.attribute(key, value);
    }
    entry.keeps_parent().state(item.state).recovery(item.recovery)
}

fn id(name: &str, group: Group) -> String {
    format!("{name}@{}", group.name())
}

/// A path as it is called within its dataset.
fn below<'a>(name: &str, path: &'a str) -> &'a str {
    path.strip_prefix(name).map_or(path, |rest| rest.trim_start_matches('/'))
}

/// What it costs to have back what goes of itself; what does not is held back one by one.
fn of_all(items: &[Item]) -> Recovery {
    let recoveries = || items.iter().map(|item| item.recovery);
    let easy = recoveries().filter(|recovery| *recovery <= Recovery::Download).max();
    easy.or_else(|| recoveries().min()).unwrap_or(Recovery::Uncertain)
}

/// The reason, if nothing of it would be missed.
fn none_missed(items: &[Item]) -> Option<String> {
    let reasons: Option<Vec<&String>> = items.iter().map(|item| item.reclaim.as_ref()).collect();
    match reasons?.as_slice() {
        [] => None,
        [one] => Some((*one).clone()),
        [first, rest @ ..] if rest.iter().all(|reason| reason == first) => Some((*first).clone()),
        _ => Some("the library would miss nothing of it".into()),
    }
}

fn distinct<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<String> {
    paths.collect::<BTreeSet<_>>().into_iter().cloned().collect()
}
