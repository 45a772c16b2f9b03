//! What the library is known to make in its home: `known.tsv`, which `tests/oracle/ir_known.py` writes from the library's
//! own table of downloads and from the code of its datasets. What is not in it may be the user's.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::path;

/// The release of the library that the table is of, for people.
pub const RELEASE: &str = "0.6.3";

const TABLE: &str = include_str!("known.tsv");

/// An old name of a folder that the library renames when it is imported, unless the new one is there.
pub const RENAMED: (&str, &str) = ("trec-fair-2021", "trec-fair/2021");

/// What one file or folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A file as it was downloaded.
    Download,
    /// What the user has to get, and puts or links there.
    Manual,
    /// A file taken out of a download.
    Member,
    /// A folder into which an archive was unpacked.
    Folder,
    /// Worked out from other files.
    Made,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Fact {
    /// What it is.
    pub what: What,
    /// Of a download: what the library calls it, `antique/train/qrels`; else empty.
    pub item: &'static str,
    /// Of a download: its digest, if there is one.
    pub md5: &'static str,
    /// Of a download: its address.
    pub url: &'static str,
    /// The file that it was taken from, if that is kept.
    pub from: &'static str,
}

/// A file whose content guards others: where it is missing or another one, the library deletes them before it uses them.
#[derive(Debug)]
pub struct Guard {
    /// The file.
    pub file: String,
    /// What is in it: `v2`.
    pub version: &'static str,
    /// What the library deletes.
    pub guarded: Vec<String>,
}

/// What is known of one dataset folder; paths are beneath the home.
pub struct Known {
    facts: BTreeMap<String, Fact>,
    /// The guards in it.
    pub guards: Vec<Guard>,
}

impl Known {
    /// Of a dataset that the table does not have.
    pub fn nothing() -> Self {
        Self { facts: BTreeMap::new(), guards: vec![] }
    }

    /// What is known of a folder in the home.
    pub fn of(folder: &str) -> Self {
        let canonical = if folder == RENAMED.0 { RENAMED.1 } else { folder };
        let mut known = Self::nothing();
        let below = |path: &str| Some(format!("{folder}{}", path.strip_prefix(canonical)?));
        let lines = TABLE.lines().filter(|line| line.split('\t').nth(1).is_some_and(|path| is_in(path, canonical)));
        for [kind, path, rest @ ..] in lines.map(row) {
            let Some(path) = below(path) else { continue };
            if let Some(fact) = fact(kind, &rest) {
                known.facts.entry(path).or_insert(fact);
            } else if kind == "version" {
                let guarded = rest.iter().skip(1).filter_map(|path| below(path)).collect();
                known.guards.push(Guard { file: path, version: rest[0], guarded });
            }
        }
        known
    }

    /// What is at a path.
    pub fn at(&self, path: &str) -> Option<&Fact> {
        self.facts.get(path)
    }

    /// Whether there are files of the library's directly in a folder.
    pub fn has_files_in(&self, folder: &str) -> bool {
        self.facts.keys().any(|path| path::parent(path) == folder)
    }

    /// The paths that the user provides.
    pub fn manual(&self) -> impl Iterator<Item = &str> {
        self.facts.iter().filter(|(_, fact)| fact.what == What::Manual).map(|(path, _)| path.as_str())
    }
}

/// The folders that datasets have in the home.
pub fn datasets() -> BTreeSet<&'static str> {
    let paths = TABLE.lines().filter_map(|line| line.split('\t').nth(1));
    paths.filter_map(|path| Some(path.split_once('/')?.0)).chain([RENAMED.0]).collect()
}

/// The download that has this digest.
pub fn with_md5(md5: &str) -> Option<Fact> {
    let mut facts = rows().filter_map(|[kind, _, rest @ ..]| fact(kind, &rest));
    facts.find(|fact| !md5.is_empty() && fact.md5 == md5)
}

/// Whether a path lies in a folder.
pub fn is_in(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

type Row = [&'static str; COLUMNS];

/// More than any row has.
const COLUMNS: usize = 16;

fn rows() -> impl Iterator<Item = Row> {
    TABLE.lines().filter(|line| !line.starts_with('#')).map(row)
}

fn row(line: &'static str) -> Row {
    let mut row = [""; COLUMNS];
    line.split('\t').zip(&mut row).for_each(|(column, place)| *place = column);
    row
}

fn fact(kind: &str, rest: &[&'static str]) -> Option<Fact> {
    let [item, md5, url, ..] = *rest else { return None };
    let taken = |what| Fact { what, item: "", md5: "", url: "", from: item };
    match kind {
        "download" => Some(Fact { what: What::Download, item, md5, url, from: "" }),
        "manual" => Some(Fact { what: What::Manual, item, md5, url, from: "" }),
        "member" => Some(taken(What::Member)),
        "folder" => Some(taken(What::Folder)),
        "made" => Some(taken(What::Made)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_understood() {
        for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
            assert!(line.split('\t').count() < COLUMNS, "{line}");
        }
        for [kind, path, rest @ ..] in rows() {
            assert!(fact(kind, &rest).is_some() || kind == "version" && rest[0].starts_with('v'), "{kind} {path}");
        }
        assert!(TABLE.starts_with(&format!("# What ir_datasets {RELEASE} makes")));
    }

    #[test]
    fn what_users_have_to_get_is_known() {
        let of = |dataset: &str| Known::of(dataset).manual().map(str::to_owned).collect::<Vec<_>>();
        let manual: Vec<String> = datasets().into_iter().flat_map(of).collect();
        assert_eq!(manual.len(), 22, "{manual:?}");
        for path in ["gov2/corpus", "codec/v1/comets_documents.jsonl", "hc4/rus/hc4_docs.jsonl", "nyt/nyt.tgz"] {
            assert!(manual.iter().any(|it| it == path), "{path}");
        }
    }

    #[test]
    fn a_folder_under_its_old_name_is_known_by_what_is_in_it() {
        let known = Known::of("trec-fair-2021");
        assert_eq!(known.at("trec-fair-2021/corpus.json.gz").map(|fact| fact.item), Some("trec-fair/2021/docs"));
        assert!(known.at("trec-fair-2021/2022/metadata").is_none());
    }

    #[test]
    fn a_download_is_known_by_its_digest() {
        let docs = Known::of("antique").at("antique/collection.tsv").copied().unwrap();
        assert_eq!(with_md5(docs.md5).map(|fact| fact.item), Some("antique/docs"));
        assert!(with_md5("").is_none());
    }

    #[test]
    fn guards_know_what_they_guard() {
        let guards = Known::of("beir").guards;
        let scifact = guards.iter().find(|guard| guard.file == "beir/scifact/irds_version.txt").unwrap();
        assert_eq!((scifact.version, &*scifact.guarded), ("v2", &["beir/scifact/docs.pklz4".to_owned()][..]));
    }
}
