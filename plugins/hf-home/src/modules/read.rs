//! Reads the packages, or only what one entry is about: an entry's children cost as much as that entry, however many
//! others there are.

use dscc_sdk::{Directory, Filter, Listing, path};

use super::layout::Source;
use super::{PACKAGES, name};
use crate::claims::Tree;

/// All that is in the packages, and what Python needs above them.
pub fn all(root: &dyn Directory, listing: &mut Listing) -> Tree {
    let mut tree = Tree::default();
    tree.add(root, "", &Filter::direct().stat(), listing);
    tree.add(root, "__pycache__", &Filter::direct().stat(), listing);
    for package in PACKAGES {
        tree.add(root, package, &Filter::all().stat(), listing);
    }
    tree
}

/// What is in the folders that the entry of this id may be made of.
pub fn about(root: &dyn Directory, id: &str, listing: &mut Listing) -> Tree {
    let mut tree = Tree::default();
    let mut reader = Reader { root, listing, tree: &mut tree };
    let (prefix, name) = id.split_once('/').unwrap_or((id, ""));
    let folder = name.split_once('/').map_or(name.to_owned(), |(owner, name)| format!("{owner}--{name}"));
    match Source::of_prefix(prefix) {
        Some(Source::Transformers | Source::TransformersLocal) => reader.repository("transformers_modules", name),
        Some(Source::Diffusers | Source::DiffusersLocal) => {
            reader.modules("diffusers_modules/git", name);
            reader.modules("diffusers_modules/local", name);
            reader.folder("diffusers_modules/local", &folder);
        }
        Some(Source::Datasets) => reader.folder("datasets_modules/datasets", &folder),
        Some(Source::Metrics) => reader.folder("datasets_modules/metrics", &folder),
        Some(Source::Evaluate) => {
            let kinds = reader.direct("evaluate_modules", &[]);
            kinds.iter().for_each(|kind| reader.folder(kind, &folder));
        }
        None => {}
    }
    tree
}

struct Reader<'r> {
    root: &'r dyn Directory,
    listing: &'r mut Listing,
    tree: &'r mut Tree,
}

impl Reader<'_> {
    fn add(&mut self, at: &str, filter: &Filter) {
        self.tree.add(self.root, at, filter, self.listing);
    }

    /// What is directly in a folder and has one of these names; gives back the folders.
    fn direct(&mut self, at: &str, names: &[String]) -> Vec<String> {
        self.add(at, &names.iter().fold(Filter::direct().stat(), |filter, name| filter.name(name)));
        self.tree.children(at).iter().filter(|node| node.is_directory()).map(|node| node.path.clone()).collect()
    }

    /// A folder of this name with its lock.
    fn folder(&mut self, at: &str, name: &str) {
        for folder in self.direct(at, &[name.to_owned(), format!("{name}.lock")]) {
            if path::name(&folder) == name {
                self.add(&folder, &Filter::all().stat());
            }
        }
    }

    /// A module of this name among others.
    fn modules(&mut self, at: &str, name: &str) {
        self.direct(at, &[format!("{name}.py")]);
        self.direct(&path::join(at, "__pycache__"), &[format!("{name}.*")]);
    }

    /// All folders that stand for this name: each version encodes it in its own way.
    fn repository(&mut self, at: &str, name: &str) {
        let (part, rest) = name.split_once('/').map_or((name, None), |(part, rest)| (part, Some(rest)));
        let stars: String = part.chars().map(|it| if matches!(it, '-' | '.') { '*' } else { it }).collect();
        for folder in self.direct(at, &[stars.clone(), format!("_{stars}")]) {
            if name::decoded(path::name(&folder)) != part {
                continue;
            }
            match rest {
                Some(rest) => self.repository(&folder, rest),
                None => self.add(&folder, &Filter::all().stat()),
            }
        }
    }
}

/// Whether what was read in part holds these nodes once only.
#[cfg(test)]
pub fn is_unique(tree: &Tree) -> bool {
    let mut paths: Vec<_> = PACKAGES.iter().flat_map(|at| tree.beneath(at)).collect();
    let count = paths.len();
    paths.sort_by(|a, b| a.path.cmp(&b.path));
    paths.dedup_by(|a, b| a.path == b.path);
    paths.len() == count
}
