//! Copies of remote code in the packages that the libraries import it from: `transformers_modules`, `diffusers_modules`,
//! `datasets_modules`, `evaluate_modules`. An entry is the code of one repository or script; its children are the copies,
//! one for each commit or digest. `layout` finds them, `verdict` tells what it costs to have one back.
//!
//! A copy that is gone is made again at the next use. But users do edit these files, and only the scripts of Datasets and
//! Evaluate are named by their content; see `verdict`.

use dscc_sdk::{Detail, Directory, Entry, Listing, LockKind, Node, Recovery, Result, State};

use crate::claims::{Tree, rank};

mod hash;
mod layout;
mod name;
mod place;
mod read;
mod verdict;

use layout::{Code, Found};

/// The packages, one for each library.
const PACKAGES: [&str; 4] = ["transformers_modules", "diffusers_modules", "datasets_modules", "evaluate_modules"];

/// Repositories and scripts, or the copies of one.
pub fn list(root: &dyn Directory, parent: Option<&str>, detail: Detail) -> Result<Listing> {
    let mut listing = Listing::default();
    let tree = match parent {
        None => read::all(root, &mut listing),
        Some(id) => read::about(root, id, &mut listing),
    };
    let found = Found::new(&tree);
    match parent {
        None => {
            listing.entries.extend(found.codes().map(|code| of_code(root, &tree, code, detail)));
            listing.entries.extend(found.links.iter().map(link));
            listing.entries.extend(layout::lost_locks(&tree).into_iter().map(lost_lock));
            listing.entries.extend(hollow(&tree));
        }
        Some(id) => {
            let codes = found.codes().filter(|code| code.id() == id);
            listing.entries.extend(codes.flat_map(|code| copies(root, &tree, code, detail)));
        }
    }
    Ok(listing)
}

/// It can be had back as far as one of its copies can; those that cannot stay by themselves.
fn of_code(root: &dyn Directory, tree: &Tree, code: &Code, detail: Detail) -> Entry {
    let mut entry = Entry::new(code.id(), "module").label(&code.name).attribute("library", code.source.library());
    if detail == Detail::Full {
        let copies = copies(root, tree, code, detail);
        entry.recovery = copies.iter().map(|copy| copy.recovery).min_by_key(|it| rank(*it)).unwrap_or(entry.recovery);
        entry.state = if copies.iter().all(|copy| copy.state == State::Broken) { State::Broken } else { entry.state };
    }
    entry = entry.attribute("repository", (!code.source.is_local()).then_some(&code.name));
    for copy in code.copies.values() {
        entry = copy.iter().flat_map(|place| place.claims(tree, code.source)).fold(entry, Entry::owns);
    }
    if code.source.is_of_datasets() {
        entry = entry.attribute("note", "datasets 4.0 and later run no scripts, and do not read these");
    }
    entry.owns.extend(code.locks.iter().cloned());
    entry = code.locks.iter().fold(entry, |entry, lock| entry.lock(LockKind::Flock, lock));
    entry.shares = layout::packages(tree, code);
    entry.with_children()
}

fn copies(root: &dyn Directory, tree: &Tree, code: &Code, detail: Detail) -> Vec<Entry> {
    let copy = |(version, places): (&String, &Vec<place::Place>)| {
        let entry = Entry::new(format!("{}@{version}", code.id()), "copy").label(version).keeps_parent();
        let owns = places.iter().flat_map(|place| place.claims(tree, code.source));
        let mut entry = owns.fold(entry, Entry::owns).attribute("library", code.source.library());
        entry = code.locks.iter().fold(entry, |entry, lock| entry.lock(LockKind::Flock, lock));
        match detail {
            Detail::Outline => entry,
            Detail::Full => verdict::judge(root, tree, code, version, places, entry),
        }
    };
    code.copies.iter().map(copy).collect()
}

/// Made by a user; what it leads to is not removed with it.
fn link(node: &Node) -> Entry {
    Entry::at(&node.path, "link").recovery(Recovery::Irreplaceable).attribute("target", &node.target)
}

fn lost_lock(node: &Node) -> Entry {
    let entry = Entry::at(&node.path, "lock").lock(LockKind::Flock, &node.path).state(State::Detached);
    entry.recovery(Recovery::Rebuild).reclaim("the lock of a script of which no copy is left")
}

/// Packages in which there is no code any more.
fn hollow(tree: &Tree) -> Option<Entry> {
    let entry = Entry::new("empty-packages", "leftover").label("empty packages");
    let entry = layout::hollow_packages(tree).into_iter().fold(entry, Entry::owns);
    let entry = entry.state(State::Detached).recovery(Recovery::Rebuild);
    (!entry.owns.is_empty()).then(|| entry.reclaim("no code is left in these packages"))
}

/// For tests: what a copy of this code would be called.
#[cfg(test)]
pub fn digest_of_code(files: &[&str]) -> String {
    hash::of(&files.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
}

/// For tests: whether no place is read twice for this entry.
#[cfg(test)]
pub fn is_read_once(root: &dyn Directory, id: &str) -> bool {
    read::is_unique(&read::about(root, id, &mut Listing::default()))
}
