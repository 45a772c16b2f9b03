//! Models that Sentence Transformers before 2.3 downloaded: `<org>_<name>`, a plain copy of the repository. Users keep
//! models of their own in such folders, so only what has the marks of a download is told from them.

use std::collections::BTreeMap;

use dscc_sdk::{Context, Detail, Directory, Entry, Filter, Kind, Listing, Recovery, Result, path};

use crate::snapshots;

/// Every repository has it, and no model that somebody saved.
const REPOSITORY: &str = ".gitattributes";

/// The library downloads it last.
const LAST: &str = "modules.json";

/// A model has one of these.
const MODEL: [&str; 2] = [LAST, "config.json"];

/// What is in a clone, in a repository of the hub's layout, and in a download to a folder of the user's.
const OTHERS: [&str; 3] = [".git", "snapshots", ".cache"];

/// The folders with downloaded models, and whether they have the file that comes last.
pub fn models(root: &dyn Directory) -> Result<BTreeMap<String, bool>> {
    let names = OTHERS.into_iter().chain(MODEL).chain([REPOSITORY]);
    let filter = names.fold(Filter::all().depth(2), Filter::name);
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for node in root.walk("", &filter).context("the folder cannot be listed")? {
        if node.kind != Kind::Unreadable && !path::parent(&node.path).is_empty() {
            found.entry(path::parent(&node.path).to_owned()).or_default().push(node.name().to_owned());
        }
    }
    let downloaded = |folder: &str, names: &[String]| {
        let has = |name: &str| names.iter().any(|known| known == name);
        let other = folder.contains("--") || folder.starts_with('.') || snapshots::parse(folder).is_some();
        let any = |names: &[&str]| names.iter().any(|name| has(name));
        !other && has(REPOSITORY) && !any(&OTHERS) && any(&MODEL)
    };
    let ours = found.into_iter().filter(|(folder, names)| downloaded(folder, names));
    Ok(ours.map(|(folder, names)| (folder, names.iter().any(|name| name == LAST))).collect())
}

/// An entry for each model.
pub fn list(root: &dyn Directory, detail: Detail) -> Result<Listing> {
    let entry = |(folder, ended): (String, bool)| {
        let repository = folder.replacen('_', "/", 1);
        let entry = Entry::at(&folder, "model").label(&repository).recovery(Recovery::Uncertain);
        if detail == Detail::Outline {
            return entry;
        }
        let entry = snapshots::finished(root, entry.attribute("repository", repository), &folder);
        match is_as_downloaded(root, &folder) {
            true if ended && folder.contains('_') => entry.recovery(Recovery::Download),
            _ => entry.attribute("warning", "a file in it may be somebody's own: it is not as a download leaves it"),
        }
    };
    Ok(models(root)?.into_iter().map(entry).collect())
}

/// Whether nothing in a model is newer than the file that came last.
fn is_as_downloaded(root: &dyn Directory, folder: &str) -> bool {
    let last = path::join(folder, LAST);
    let Ok(nodes) = root.walk(folder, &Filter::all().stat()) else { return false };
    let (mut end, mut newest, mut plain) = (0, 0, true);
    for node in nodes {
        match node.kind {
            Kind::File if node.path == last => end = node.modified,
            Kind::File => newest = node.modified.max(newest),
            Kind::Directory => {}
            _ => plain = false,
        }
    }
    plain && newest <= end
}
