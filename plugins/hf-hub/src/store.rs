//! The blob store that all repositories of a hub share: `blobs/<2 hex>/<hash>`, each payload with a manifest of the
//! links to it. Only a folder with the library's marker is one.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, Kind};

use crate::link::Root;
use crate::name;

/// The folder.
pub const FOLDER: &str = "blobs";
/// The id of its entry; ids of its payloads begin with it.
pub const ID: &str = "store";

const MARKER: &str = ".huggingface-shared-blobs";
const LAYOUT: &str = "1\n";
/// Some ten thousand links.
const LONGEST_MANIFEST: u32 = 1 << 20;
/// So many manifests are read at once: bounds the memory, whatever they hold.
const PORTION: usize = 32;

/// What the marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// There is none: not a store.
    Absent,
    /// The layout that is known here.
    Known,
    /// Another layout, or one that cannot be read. Payloads of unknown use.
    Unknown,
}

/// Reads the marker.
pub fn marker(directory: &dyn Directory) -> Marker {
    let found = match directory.walk(FOLDER, &Filter::direct().name(MARKER)) {
        Ok(nodes) => nodes.filter(|node| node.name() == MARKER).map(|node| node.kind).next(),
        Err(dscc_sdk::FsError::NotFound | dscc_sdk::FsError::WrongKind) => None,
        Err(_) => return Marker::Unknown,
    };
    match found {
        None => Marker::Absent,
        Some(Kind::File) if directory.read_text(&marker_path(), 64).as_deref() == Ok(LAYOUT) => Marker::Known,
        Some(_) => Marker::Unknown,
    }
}

/// Where the marker is.
pub fn marker_path() -> String {
    format!("{FOLDER}/{MARKER}")
}

/// The manifest beside a payload.
pub fn manifest(payload: &str) -> String {
    format!("{payload}.refs")
}

/// The lock beside a payload.
pub fn lock(payload: &str) -> String {
    format!("{payload}.lock")
}

/// What is known of the store: payloads that exist, and whether the library can ever collect them.
pub struct Store {
    /// What the marker says.
    pub marker: Marker,
    /// By path; the value says why the library never collects it, if so. Empty without a known marker.
    payloads: BTreeMap<String, Option<String>>,
}

impl Store {
    /// Reads all of a store.
    pub fn all(root: &Root) -> Self {
        let marker = marker(root.directory);
        let mut kinds = BTreeMap::new();
        if marker == Marker::Known {
            // Absent by now or unreadable: nothing in it is known, and the host has seen it too.
            let nodes = root.directory.walk(FOLDER, &Filter::all().depth(2)).ok().into_iter().flatten();
            kinds.extend(nodes.map(|node| (node.path, node.kind)));
        }
        Self::with_manifests(root, marker, &kinds)
    }

    /// Looks at some payloads only.
    pub fn some<'p>(root: &Root, payloads: impl IntoIterator<Item = &'p str>) -> Self {
        let marker = marker(root.directory);
        let mut kinds = BTreeMap::new();
        if marker == Marker::Known {
            let places: BTreeSet<String> =
                payloads.into_iter().flat_map(|payload| [payload.to_owned(), manifest(payload)]).collect();
            kinds = root.probe(places.iter().map(String::as_str));
        }
        Self::with_manifests(root, marker, &kinds)
    }

    fn with_manifests(root: &Root, marker: Marker, kinds: &BTreeMap<String, Kind>) -> Self {
        let mut store = Self { marker, payloads: BTreeMap::new() };
        let mut readable = vec![];
        for (path, _) in kinds.iter().filter(|(path, kind)| **kind == Kind::File && name::is_payload(path)) {
            let why = match kinds.get(&manifest(path)) {
                Some(Kind::File) => {
                    readable.push(path.clone());
                    None
                }
                Some(_) => Some("its manifest is no regular file".to_owned()),
                None => Some("it has no manifest".to_owned()),
            };
            store.payloads.insert(path.clone(), why);
        }
        read_manifests(root.directory, &readable, |payload, text| {
            if let Err(why) = text {
                store.payloads.insert(payload.to_owned(), Some(why));
            }
        });
        store
    }

    /// Whether the payload exists.
    pub fn holds(&self, payload: &str) -> bool {
        self.payloads.contains_key(payload)
    }

    /// Whether the payload exists and may go with the last link to it.
    pub fn can_collect(&self, payload: &str) -> bool {
        matches!(self.payloads.get(payload), Some(None))
    }

    /// Payloads that may be collected, and those that may not with the reason.
    pub fn payloads(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.payloads.iter().map(|(path, why)| (path.as_str(), why.as_deref()))
    }
}

/// Reads the manifests of payloads, a few at a time, and hands each text over, or why it cannot be read.
pub fn read_manifests(
    directory: &dyn Directory,
    payloads: &[String],
    mut visit: impl FnMut(&str, Result<&str, String>),
) {
    for portion in payloads.chunks(PORTION) {
        let files: Vec<String> = portion.iter().map(|payload| manifest(payload)).collect();
        for (payload, content) in portion.iter().zip(directory.read(&files, LONGEST_MANIFEST)) {
            match content {
                Err(error) => visit(payload, Err(format!("its manifest cannot be read: {}", error.text()))),
                Ok(content) => match std::str::from_utf8(&content) {
                    Ok(text) => visit(payload, Ok(text)),
                    Err(_) => visit(payload, Err("its manifest is no text".into())),
                },
            }
        }
    }
}
