//! Assets: what other libraries keep by `cached_assets_path(library, namespace, subfolder)`, in folders
//! `<library>/<namespace>/<subfolder>/` without any record. Only the library knows whether it can make them again, so they
//! go when they are named. A file above the third level is nobody's.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Entry, Filter, FsError, Kind, Listing, Node, Recovery, Result, path};

/// Folders of the Hugging Face home that an asset folder may be mistaken for, and what is in one that it really is.
const HOME: [(&str, &[&str]); 5] = [
    ("hub", &["models--*", "datasets--*", "spaces--*", "kernels--*", ".locks", "CACHEDIR.TAG", "version.txt"]),
    ("xet", &["logs"]),
    ("modules", &["__init__.py"]),
    ("transformers", &["*.json"]),
    ("sandbox", &["pools"]),
];

/// One level: libraries, namespaces, subfolders. Ids are the paths.
pub fn list(root: &dyn Directory, parent: Option<&str>) -> Result<Listing> {
    let mut listing = Listing::default();
    if parent.is_none() && is_home(root) {
        let why = "this folder holds other caches of Hugging Face, from which assets cannot be told: none is listed";
        listing.warn("", why);
        return Ok(listing);
    }
    let at = parent.unwrap_or_default();
    let level = if at.is_empty() { 0 } else { 1 + at.matches('/').count() };
    let depth = u32::try_from(3_usize.saturating_sub(level)).unwrap_or_default();
    if depth > 0 {
        let nodes = root.walk(at, &Filter::all().depth(depth)).context("the assets cannot be listed")?;
        let level = Level::of(at, nodes);
        listing.extend(level.entries());
    }
    Ok(listing)
}

/// Folders of the home that a library may be called after.
const LIBRARIES: [&str; 3] = ["datasets", "evaluate", "metrics"];

/// Whether the library can have written it: it replaces blanks and backslashes, which escapes begin with.
fn is_part(name: &str) -> bool {
    !name.contains([' ', '\\'])
}

/// Whether this is rather the Hugging Face home itself, or a hub.
fn is_home(root: &dyn Directory) -> bool {
    let has = |at: &str, names: &[&str]| {
        let filter = names.iter().fold(Filter::direct(), |filter, name| filter.name(*name));
        root.walk(at, &filter).map(|mut nodes| nodes.next().is_some())
    };
    let (_, hub) = HOME[0];
    // A folder that is there and cannot be found is another cache's.
    let is_cut =
        |name: &str| has(name, &[]) == Err(FsError::NotFound) && root.node(name).is_ok_and(|node| node.is_some());
    let is = |(name, within): &(&str, &[&str])| has(name, within) == Ok(true) || is_cut(name);
    has("", &hub[..4]) == Ok(true) || HOME.iter().any(is) || LIBRARIES.iter().any(|name| is_cut(name))
}

/// What is in a folder, as far down as the asset folders are.
struct Level {
    at: String,
    /// What is directly in it, in the order of the names.
    nodes: BTreeMap<String, Node>,
    /// The asset folders, and what stands for some of them, in the order of the paths.
    assets: BTreeSet<String>,
    /// Folders with something beside the asset folders, however deep.
    mixed: BTreeSet<String>,
}

impl Level {
    fn of(at: &str, nodes: impl Iterator<Item = Node>) -> Self {
        let mut level = Self { at: at.into(), nodes: [].into(), assets: [].into(), mixed: [].into() };
        for node in nodes {
            let is_last = node.path.matches('/').count() == 2;
            let is_ours = node.path.split('/').all(is_part);
            match node.kind {
                Kind::Directory if is_ours && !is_last => {}
                Kind::Directory | Kind::Link | Kind::Unreadable if is_ours => {
                    level.assets.insert(node.path.clone());
                }
                _ => {
                    let slashes = node.path.match_indices('/').map(|(slash, _)| slash);
                    level.mixed.extend(slashes.filter_map(|slash| node.path.get(..slash)).map(str::to_owned));
                }
            }
            if path::parent(&node.path) == at {
                level.nodes.insert(node.path.clone(), node);
            }
        }
        level
    }

    fn entries(&self) -> Vec<Entry> {
        self.nodes.iter().filter_map(|(at, node)| self.entry(at, node)).collect()
    }

    /// The asset folders in a folder or at its place.
    fn within<'l>(&'l self, at: &str) -> impl Iterator<Item = &'l String> + use<'l> {
        let (first, beneath) = (at.to_owned(), format!("{at}/"));
        self.assets
            .range(at.to_owned()..)
            .take_while(move |it| it.starts_with(&first))
            .filter(move |it| it.starts_with(&beneath) || it.len() + 1 == beneath.len())
    }

    /// A folder whole, or where it has something besides what is in it.
    fn claims(&self, at: &str) -> Vec<String> {
        if !self.mixed.contains(at) {
            return vec![at.to_owned()];
        }
        let next = |asset: &String| {
            let end = asset.get(at.len() + 1..).and_then(|rest| rest.find('/')).map(|slash| at.len() + 1 + slash);
            end.and_then(|end| asset.get(..end)).unwrap_or(asset).to_owned()
        };
        let next: BTreeSet<String> = self.within(at).map(next).collect();
        next.iter().flat_map(|at| self.claims(at)).collect()
    }

    fn entry(&self, at: &str, node: &Node) -> Option<Entry> {
        self.within(at).next()?;
        let kind = ["library", "namespace", "assets"].get(at.matches('/').count())?;
        let mut entry = self.claims(at).into_iter().fold(Entry::new(at, kind).label(path::name(at)), Entry::owns);
        for (key, part) in ["library", "namespace", "subfolder"].iter().zip(at.split('/')) {
            entry = entry.attribute(key, part);
        }
        if node.kind == Kind::Link {
            let entry = Entry { kind: "link".into(), ..entry };
            return Some(entry.recovery(Recovery::Irreplaceable).attribute("target", &node.target));
        }
        entry.has_children = node.is_directory() && self.at.matches('/').count() + usize::from(!self.at.is_empty()) < 2;
        Some(entry)
    }
}
