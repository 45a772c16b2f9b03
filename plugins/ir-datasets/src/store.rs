//! Document stores: whether one was built, and what is in it. A store is built when its offsets are there, which are
//! written last but for the index; nothing else says so.

use std::collections::BTreeMap;

use dscc_sdk::{Directory, path};

use crate::tree::{BUNDLES, Inside};

/// Fields of documents, separated by spaces: longer ones are no text of the library's.
const LONGEST_FIELDS: u32 = 4096;

/// What a store folder is.
#[derive(Debug, PartialEq, Eq)]
pub enum Store {
    /// It holds nothing.
    Empty,
    /// It serves documents.
    Built {
        /// How many, where that can be told.
        documents: Option<u64>,
        /// The fields of each, as the library writes them.
        fields: Option<String>,
    },
    /// Of a kind that no dataset of today reads.
    Old,
    /// Its building was cut off.
    Unfinished,
    /// It counts as built and does not work.
    Broken(&'static str),
    /// It holds something that is of no store.
    Foreign,
}

impl Store {
    /// Looks at a store folder.
    pub fn read(root: &dyn Directory, store: &str, inside: &Inside) -> Self {
        if !inside.any {
            return Self::Empty;
        }
        if store == BUNDLES {
            let built = Self::Built { documents: None, fields: None };
            return if inside.marks.contains("_built") { built } else { Self::Unfinished };
        }
        if !inside.parts.iter().all(|node| node.is_file() && is_part(node.name())) {
            return Self::Foreign;
        }
        let sizes: BTreeMap<&str, u64> = inside.parts.iter().map(|node| (node.name(), node.size)).collect();
        if store.ends_with(".itsv") || store.ends_with(".zpkl") {
            return if sizes.contains_key("idx.meta") { Self::Old } else { Self::Unfinished };
        }
        Self::of_parts(root, store, &sizes)
    }

    fn of_parts(root: &dyn Directory, store: &str, sizes: &BTreeMap<&str, u64>) -> Self {
        let documents = sizes.get("bin.pos").map_or(0, |size| size / 8);
        if documents == 0 {
            return Self::Unfinished;
        }
        if !sizes.contains_key("bin") {
            return Self::Broken("its documents are missing");
        }
        let has_index = |ending: &str| sizes.keys().any(|name| name.starts_with("idx.") && name.ends_with(ending));
        if ![".key", ".pos", ".meta"].iter().all(|ending| has_index(ending)) {
            return Self::Broken("its index is missing: it was cut off at the end, and no document can be looked up");
        }
        let fields = root.read_text(&path::join(store, "bin.meta"), LONGEST_FIELDS).ok();
        Self::Built { documents: Some(documents), fields: fields.filter(|fields| !fields.is_empty()) }
    }
}

/// Whether stores have files of this name.
fn is_part(name: &str) -> bool {
    let index = name.strip_prefix("idx.").is_some_and(|rest| {
        let ending = rest.rsplit_once('.').map_or(rest, |(_, ending)| ending);
        matches!(ending, "key" | "pos" | "meta" | "did" | "tmp")
    });
    index || matches!(name, "bin" | "bin.meta" | "bin.pos" | "tsv")
}

/// What the store was built from, by its name.
pub fn source(store: &str) -> Option<&str> {
    let name = path::name(store);
    let stem = name.rsplit_once('.')?.0;
    store.get(..store.len() - name.len() + stem.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use dscc_sdk::testing::MemoryRoot;
    use dscc_sdk::{Filter, Node};

    fn store(files: &[(&str, &str)]) -> Store {
        let root = files.iter().fold(MemoryRoot::new().directory("s.pklz4"), |root, (name, content)| {
            root.file(&format!("s.pklz4/{name}"), content)
        });
        let parts: Vec<Node> = root.walk("s.pklz4", &Filter::direct().stat()).unwrap().collect();
        let inside = Inside { any: !parts.is_empty(), parts, ..Inside::default() };
        Store::read(&root, "s.pklz4", &inside)
    }

    const INDEX: [(&str, &str); 3] =
        [("idx.doc_id.key", "ab"), ("idx.doc_id.pos", "01234567"), ("idx.doc_id.meta", "1 2")];

    #[test]
    fn a_store_is_built_when_its_offsets_are_there() {
        let parts = [("bin", "xyz"), ("bin.meta", "doc_id text"), ("bin.pos", "0123456701234567")];
        let built = Store::Built { documents: Some(2), fields: Some("doc_id text".into()) };
        assert_eq!(store(&[&parts[..], &INDEX].concat()), built);
        assert_eq!(store(&[&parts[..2], &INDEX].concat()), Store::Unfinished);
        assert_eq!(store(&parts[..2]), Store::Unfinished);
        assert_eq!(store(&[("bin", "xyz"), ("bin.pos", "")]), Store::Unfinished);
        assert_eq!(store(&[]), Store::Empty);
    }

    #[test]
    fn a_store_that_counts_as_built_and_does_not_work_is_broken() {
        let offsets = ("bin.pos", "01234567");
        assert!(matches!(store(&[&[offsets][..], &INDEX].concat()), Store::Broken(_)));
        assert!(matches!(store(&[("bin", "xyz"), offsets]), Store::Broken(_)));
        assert!(matches!(store(&[&[("bin", "xyz"), offsets][..], &INDEX[..2]].concat()), Store::Broken(_)));
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_no_store() {
        assert_eq!(store(&[("bin", "xyz"), ("bin.pos", "01234567"), ("notes.txt", "mine")]), Store::Foreign);
    }

    #[test]
    fn a_store_is_named_after_what_it_was_built_from() {
        assert_eq!(source("nyt/nyt.tgz.pklz4"), Some("nyt/nyt.tgz"));
        assert_eq!(source("gov2/corpus.cache"), Some("gov2/corpus"));
        assert_eq!(source("mr-tydi/ar.pklz4"), Some("mr-tydi/ar"));
    }
}
