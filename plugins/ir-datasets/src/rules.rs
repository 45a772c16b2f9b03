//! What single datasets need to be told apart for: files that only work together, files that guard others, sources that
//! nothing reads any more, leftovers with names of their own.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Recovery, State, path};

use crate::item::{Group, Item};
use crate::known::{Guard, RELEASE, is_in};
use crate::store;
use crate::tree::Tree;

/// Stores whose name does not say what they are built from.
pub const SOURCES_OF_STORES: [(&str, &str); 1] = [("aol-ia/docs.pklz4", "aol-ia/downloaded_docs")];

/// A collection that is built in place.
pub const TWEETS: &str = "tweets2013-ia/corpus";

/// Why nothing of [`TWEETS`] is of use without its mark.
pub const TWEETS_UNFINISHED: &str = "its building was cut off; the library refuses to begin anew before this is gone";

/// What becomes of [`TWEETS`] without any mark: a failed building, or the user's own.
pub const TWEETS_UNMARKED: &str = "it is not marked as complete, so the library deletes it before it builds it anew";

/// What the library takes for complete once the first of it is there: without the rest it fails ever after. The name,
/// and the paths in the order of removal.
const WHOLES: [(&str, &[&str]); 7] = [
    ("aol-ia/logs", &["aol-ia/_built_logs", "aol-ia/queries.tsv", "aol-ia/qrels", "aol-ia/log.pkl.lz4"]),
    ("dpr-w100/nq-dev", &["dpr-w100/nq-dev/queries.tsv", "dpr-w100/nq-dev/qrels"]),
    ("dpr-w100/nq-train", &["dpr-w100/nq-train/queries.tsv", "dpr-w100/nq-train/qrels"]),
    ("dpr-w100/tqa-dev", &["dpr-w100/tqa-dev/queries.tsv", "dpr-w100/tqa-dev/qrels"]),
    ("dpr-w100/tqa-train", &["dpr-w100/tqa-train/queries.tsv", "dpr-w100/tqa-train/qrels"]),
    (
        "msmarco-qna/docs.pklz4",
        &[
            "msmarco-qna/docs.pklz4",
            "msmarco-qna/train.queries.tsv",
            "msmarco-qna/train.run",
            "msmarco-qna/train.qrels",
            "msmarco-qna/dev.queries.tsv",
            "msmarco-qna/dev.run",
            "msmarco-qna/dev.qrels",
            "msmarco-qna/eval.queries.tsv",
            "msmarco-qna/eval.run",
        ],
    ),
    (
        "natural-questions/docs.pklz4",
        &[
            "natural-questions/docs.pklz4",
            "natural-questions/train.queries.tsv",
            "natural-questions/train.qrels.jsonl",
            "natural-questions/train.scoreddocs.tsv",
            "natural-questions/dev.queries.tsv",
            "natural-questions/dev.qrels.jsonl",
            "natural-questions/dev.scoreddocs.tsv",
        ],
    ),
];

/// Below these the library makes sure of the source whenever it opens the store, so it would only fetch it again.
const READ_EVERY_TIME: [&str; 4] = ["argsme", "touche", "touche-image", "trec-tot/2025"];

/// What the building of msmarco-qna writes first; the last one it never removes.
const QNA_PARTS: [&str; 6] = ["query_text", "query_type", "query_id", "selections", "query_answer", "seq"];

/// A file that neither the table nor its ending tells.
pub fn file(tree: &Tree, path: &str) -> Option<Item> {
    let name = path::name(path);
    if WHOLES.iter().any(|(_, parts)| parts.contains(&path)) {
        return Some(Item::at(Group::Sources, "derived", path, Recovery::Download));
    }
    if name.ends_with(".pklz4.psg_offsets.np") {
        return Some(Item::at(Group::Stores, "offsets", path, Recovery::Rebuild));
    }
    match tree.name.as_str() {
        // Its files are named by a list that it downloads, and all of them are compressed.
        "clirmatrix" if name.ends_with(".gz") => Some(Item::at(Group::Sources, "source", path, Recovery::Download)),
        "msmarco-qna" => {
            let (split, part) = name.split_once('.')?;
            let is_part = matches!(split, "train" | "dev" | "eval") && QNA_PARTS.contains(&part);
            is_part.then(|| Item::unfinished("partial", path, "left over from building; nothing reads it afterwards"))
        }
        _ => None,
    }
}

/// Whether the file guards others by its content.
pub fn is_version(path: &str) -> bool {
    matches!(path::name(path), "irds_version.txt" | "qrels_version.txt")
}

/// Makes one of what only works together. Where the first is missing, the library makes the others anew.
pub fn join_what_goes_together(tree: &Tree, items: &mut Vec<Item>) {
    for (name, parts) in WHOLES.iter().filter(|(name, _)| is_in(name, &tree.name)) {
        let owned: BTreeSet<&str> =
            items.iter().filter(|item| item.kind != "link").flat_map(|item| &item.owns).map(String::as_str).collect();
        let here: Vec<String> =
            parts.iter().filter(|part| owned.contains(**part)).map(|&part| part.to_owned()).collect();
        let Some(first) = here.first().cloned() else { continue };
        // The first may be kept on another disk; it is there all the same, and then the library makes none of the rest.
        if let Some(link) = items.iter_mut().find(|item| item.kind == "link" && item.path == parts[0]) {
            link.needs.extend(here);
            continue;
        }
        let (parts, mut rest): (Vec<Item>, Vec<Item>) =
            items.drain(..).partition(|item| item.owns.iter().any(|path| here.contains(path)));
        let head = parts.into_iter().find(|item| item.owns == [first.as_str()] && item.path == first);
        match head {
            Some(head) if WHOLES.iter().any(|(_, parts)| parts[0] == first) && head.group != Group::Unfinished => {
                let item = Item { path: (*name).to_owned(), owns: here, ..head };
                rest.push(item.with("note", "of use as a whole only: its parts are made together"));
            }
            head => {
                let reason = "without what it belongs to, the library makes it anew";
                let item = Item::unfinished("partial", name, reason);
                let lock = head.and_then(|head| head.lock);
                rest.push(Item { owns: here, lock, ..item });
            }
        }
        *items = rest;
    }
}

/// What a guard does not guard as it should, the library will delete by itself. Guards go with the last of what is beside
/// and beneath them.
pub fn heed_guards(root: &dyn Directory, tree: &Tree, items: &mut Vec<Item>) {
    for guard in &tree.known.guards {
        let Some(fault) = fault(root, tree, guard) else { continue };
        let reason = format!("`{}` is {fault}, so the library deletes this before it uses it", path::name(&guard.file));
        for item in items.iter_mut().filter(|item| item.owns.iter().any(|path| guard.guarded.contains(path))) {
            if matches!(item.group, Group::Stores | Group::Sources | Group::Extracted) {
                item.state = State::Stale;
                // A store whose source is gone may still be of use to an older release.
                item.reclaim = (item.recovery <= Recovery::Download).then(|| reason.clone());
                item.attributes.push(("warning", reason.clone()));
            }
        }
    }
    // Folders of an old layout are known by their guard alone.
    let is_old = |item: &Item| item.group == Group::Extracted && tree.known.at(&item.path).is_none();
    for item in items.iter_mut().filter(|item| is_old(item) && item.state != State::Stale) {
        let note = format!("ir_datasets {RELEASE} makes nothing of this name");
        *item = Item::at(Group::Other, "unknown", &item.path, Recovery::Irreplaceable).with("note", &note);
    }
    share_versions(tree, items);
}

/// Whatever is beside a version file or beneath it shares it. So does a link in the place of what is guarded: without
/// the file the library would try to delete that.
fn share_versions(tree: &Tree, items: &mut Vec<Item>) {
    let mut versions: BTreeMap<&str, Vec<(&str, bool)>> = BTreeMap::new();
    for file in tree.nodes.values().filter(|node| node.is_file() && is_version(&node.path)) {
        versions.entry(path::parent(&file.path)).or_default().push((&file.path, false));
    }
    let is_guarded = |path: &String| tree.known.guards.iter().any(|guard| guard.guarded.contains(path));
    let shares = |item: &Item| item.group <= Group::Extracted || item.kind == "link" && is_guarded(&item.path);
    for item in items.iter_mut().filter(|item| shares(item)) {
        for (end, _) in item.path.match_indices('/') {
            for (file, held) in versions.get_mut(&item.path[..end]).into_iter().flatten() {
                item.shares.push((*file).to_owned());
                *held = true;
            }
        }
    }
    let lone = versions.into_values().flatten().filter(|(_, held)| !held);
    items.extend(lone.map(|(file, _)| Item::at(Group::Sources, "version", file, Recovery::Rebuild)));
}

/// Why the library would not be content with a guard.
fn fault(root: &dyn Directory, tree: &Tree, guard: &Guard) -> Option<&'static str> {
    if !tree.has(&guard.file) {
        return Some("missing");
    }
    let found = root.read_text(&guard.file, 64).ok()?;
    let number = |version: &str| version.strip_prefix('v').and_then(|number| number.parse::<u32>().ok());
    let is_later = number(&found) > number(guard.version);
    (found != guard.version && !is_later).then_some("outdated")
}

/// Documents are read from their store once it is built.
pub fn mark_needless_sources(tree: &Tree, items: &mut [Item]) {
    let built =
        |item: &&Item| item.path.ends_with(".pklz4") && item.group == Group::Stores && item.state == State::Complete;
    let mut needless: BTreeMap<String, String> = BTreeMap::new();
    for store in items.iter().filter(built).map(|item| item.path.as_str()) {
        let Some(stem) = store::source(store) else { continue };
        if READ_EVERY_TIME.iter().any(|folder| is_in(store, folder)) {
            continue;
        }
        // Some call the store of `docs.txt` just `docs.pklz4`.
        let source = [stem.to_owned(), format!("{stem}.txt")].into_iter().find(|source| tree.has_file(source));
        let reason = format!("the library reads its documents from `{}`, which is built", path::name(store));
        needless.extend(source.map(|source| (source, reason)));
    }
    for item in items.iter_mut().filter(|item| item.group == Group::Sources && item.reclaim.is_none()) {
        item.reclaim = needless.remove(&item.path);
    }
}
