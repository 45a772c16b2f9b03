//! What the manifests of the shared store lose when entries go.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Edit, FsError, Moment, Result, path};

use crate::holders::{self, Holders, Line};
use crate::link::Root;
use crate::name;
use crate::repository::{Content, Repository};
use crate::store::{self, Marker};

/// The edits that go with these entries: for each payload that stays, the lines of links that go and stale ones. The
/// manifests of payloads that go are removed with them.
pub fn edits(directory: &dyn Directory, ids: &[String]) -> Result<Vec<Edit>> {
    if store::marker(directory) != Marker::Known {
        return Ok(vec![]);
    }
    let root = Root::new(directory);
    let going = going(&root, ids)?;
    let payloads: BTreeSet<&String> = going.values().flat_map(BTreeMap::values).collect();
    let payloads: Vec<String> = payloads.into_iter().cloned().collect();
    let mut texts: Vec<(String, String)> = vec![];
    store::read_manifests(directory, &payloads, |payload, text| {
        // The library never collects a payload without a readable manifest, nor rewrites that.
        texts.extend(text.ok().map(|text| (payload.to_owned(), text.to_owned())));
    });
    let lines = |text: &str| -> Vec<String> { text.lines().map(|line| path::escape(line.as_bytes())).collect() };
    let texts: Vec<(String, Vec<String>)> = texts.into_iter().map(|(payload, text)| (payload, lines(&text))).collect();
    let folders: BTreeSet<&str> =
        texts.iter().flat_map(|(_, lines)| lines.iter()).filter_map(|line| Some(holders::parse(line)?.0)).collect();
    let holders = Holders::of(&root, folders);
    Ok(texts.iter().filter_map(|(payload, lines)| edit(&holders, &going, payload, lines)).collect())
}

/// Links into the store that go: repository folder, blob, payload.
type Going = BTreeMap<String, BTreeMap<String, String>>;

fn edit(holders: &Holders, going: &Going, payload: &str, lines: &[String]) -> Option<Edit> {
    let goes = |folder: &str, blob: &str| going.get(folder).is_some_and(|blobs| blobs.contains_key(blob));
    let (drop, keep): (Vec<&String>, Vec<&String>) = lines.iter().partition(|line| match holders.line(line, payload) {
        Line::Valid(folder, blob) => goes(folder, blob),
        Line::Stale => true,
        Line::Untold => false,
    });
    let drop: BTreeSet<String> = drop.into_iter().cloned().collect();
    let stays = !keep.is_empty() && !drop.is_empty();
    stays.then(|| Edit::drop_lines(store::manifest(payload), Moment::After, drop.into_iter().collect()))
}

fn going(root: &Root, ids: &[String]) -> Result<Going> {
    // None: all of the repository.
    let mut parts: BTreeMap<String, Option<BTreeSet<&str>>> = BTreeMap::new();
    for id in ids {
        let is_folder = name::kind(id).is_some() && !id.contains('/');
        if let Some(folder) = name::folder(id).or_else(|| is_folder.then(|| id.clone())) {
            parts.insert(folder, None);
        } else if let Some((repository, part)) = split(id)
            && let Some(chosen) = parts.entry(repository).or_insert_with(|| Some(BTreeSet::new()))
        {
            chosen.insert(part);
        }
    }
    let mut going = Going::new();
    for (folder, chosen) in parts {
        let repository = match Repository::read(root, &folder, false) {
            // Absent by now, or a link that goes as a link: nothing of it is in the store's manifests.
            Err(FsError::NotFound | FsError::WrongKind) => continue,
            other => other.with_context(|| format!("`{folder}` cannot be read"))?,
        };
        let blobs = going_blobs(&repository, chosen.as_ref());
        going.insert(folder, blobs);
    }
    Ok(going)
}

/// The folder of a child's repository, and which child: `@commit` or `blobs/name`.
fn split(id: &str) -> Option<(String, &str)> {
    if let Some((repository, _)) = id.split_once('@')
        && let Some(folder) = name::folder(repository)
    {
        return Some((folder, id.get(repository.len()..)?));
    }
    // A repository may itself be called `blobs`, so the last one counts.
    let repository = id.rsplit_once('/')?.0.strip_suffix("/blobs")?;
    Some((name::folder(repository)?, id.get(repository.len() + 1..)?))
}

/// The links into the store that go with the chosen children, or with all of the repository. What a kept revision
/// names stays; the repository goes with its last revision.
fn going_blobs(repository: &Repository, chosen: Option<&BTreeSet<&str>>) -> BTreeMap<String, String> {
    let is_chosen = |id: &str| chosen.is_none_or(|chosen| chosen.contains(id));
    let kept: Vec<_> =
        repository.snapshots.iter().filter(|snapshot| !is_chosen(&format!("@{}", snapshot.name))).collect();
    let all = chosen.is_none() || kept.is_empty() && !repository.snapshots.is_empty();
    let kept: BTreeSet<usize> = kept.iter().flat_map(|snapshot| snapshot.blobs.iter().copied()).collect();
    let blobs = repository.blobs.iter().enumerate().filter(|(index, blob)| {
        all || if blob.named { !kept.contains(index) } else { is_chosen(&format!("blobs/{}", blob.name)) }
    });
    let links = blobs.filter_map(|(_, blob)| match &blob.content {
        Content::Payload(payload) => Some((blob.name.clone(), payload.clone())),
        _ => None,
    });
    links.collect()
}
