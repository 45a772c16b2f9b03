//! Which folders are datasets, and what they are called. A dataset's folder has a state file or its lock; one in another
//! such folder is a dataset in a dataset. Old versions wrote neither: there, outside of all that, the first folder with a
//! file is taken for a dataset.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Context, Directory, Filter, Kind, Kinds, Listing, Node, Result, path};

use crate::state;

/// Datasets that were defined outside of any repository: beneath it comes the Python module.
const CUSTOM: &str = "__custom__";

/// The folders of a root.
pub struct Layout {
    datasets: BTreeMap<String, Marks>,
    /// All folders above a dataset.
    above: BTreeSet<String>,
    /// Folders with files that nothing else says to be datasets.
    pub guessed: Vec<String>,
    /// Links where folders of datasets could be.
    pub links: Vec<Node>,
    /// Ids that several folders would have.
    ambiguous: BTreeSet<String>,
}

/// What shows that a folder is a dataset's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// There is a state file.
    pub record: bool,
    /// There is the lock of downloads.
    pub lock: bool,
    /// There is a folder of what is not complete.
    pub unfinished: bool,
}

impl Layout {
    /// Looks for the datasets by one walk, and into the folders that are above them or in none of them.
    pub fn read(root: &dyn Directory, listing: &mut Listing) -> Result<Self> {
        let datasets = marked(root)?;
        let above = datasets.keys().flat_map(|folder| ancestors(folder)).map(str::to_owned).collect();
        let mut layout = Self { datasets, above, guessed: vec![], links: vec![], ambiguous: BTreeSet::new() };
        layout.look_around(root, listing)?;
        layout.guessed.sort();
        layout.links.sort_by(|one, other| one.path.cmp(&other.path));
        layout.ambiguous = layout.ambiguous_ids();
        Ok(layout)
    }

    /// The datasets' folders, outer ones before those in them.
    pub fn datasets(&self) -> impl Iterator<Item = (&str, Marks)> {
        self.datasets.iter().map(|(folder, marks)| (folder.as_str(), *marks))
    }

    /// Whether a folder is a dataset's.
    pub fn is_dataset(&self, folder: &str) -> bool {
        self.datasets.contains_key(folder)
    }

    /// Whether there are datasets in a folder.
    pub fn is_above(&self, folder: &str) -> bool {
        self.above.contains(folder)
    }

    /// The datasets in whose folders this one is, the innermost first.
    pub fn outer(&self, folder: &str) -> impl Iterator<Item = (&str, Marks)> {
        ancestors(folder).filter_map(|above| self.datasets.get_key_value(above)).map(|(at, it)| (at.as_str(), *it))
    }

    /// The datasets in the folder of this one.
    pub fn inner<'a>(&'a self, folder: &'a str) -> impl Iterator<Item = &'a str> {
        let beneath = move |it: &&str| it.starts_with(folder) && it.as_bytes().get(folder.len()) == Some(&b'/');
        let all = self.datasets.range(format!("{folder}/")..).map(|(folder, _)| folder.as_str());
        all.take_while(beneath)
    }

    /// The innermost dataset that a place is in.
    pub fn holder(&self, place: &str) -> Option<(&str, Marks)> {
        let at = std::iter::once(place).chain(ancestors(place)).find_map(|at| self.datasets.get_key_value(at));
        at.map(|(folder, marks)| (folder.as_str(), *marks))
    }

    /// What users call the dataset: its id with dots. Where that would be the id of two, or would not lead back to the
    /// folder, the folder.
    pub fn id(&self, folder: &str) -> String {
        let id = plain_id(folder).filter(|id| !self.ambiguous.contains(id));
        id.unwrap_or_else(|| folder.to_owned())
    }

    fn look_around(&mut self, root: &dyn Directory, listing: &mut Listing) -> Result<()> {
        let mut waiting = vec![String::new()];
        while let Some(folder) = waiting.pop() {
            let nodes: Vec<Node> = match root.walk(&folder, &Filter::direct()) {
                Ok(nodes) => nodes.filter(|node| !node.name().starts_with('.')).collect(),
                Err(error) if folder.is_empty() => return Err(error).context("the data folder cannot be listed"),
                Err(error) => {
                    listing.warn(folder, format!("this folder cannot be listed: {}", error.text()));
                    continue;
                }
            };
            let is_level = folder.is_empty() || self.is_above(&folder) || !is_id(&folder);
            if !is_level && nodes.iter().any(Node::is_file) {
                self.guessed.push(folder);
                continue;
            }
            for node in nodes {
                match node.kind {
                    Kind::Directory if !self.is_dataset(&node.path) => waiting.push(node.path),
                    Kind::Link if is_deep(&node.path) => self.links.push(node),
                    Kind::Link => listing.warn(node.path, "a link to a folder of datasets: they are not looked at"),
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn ambiguous_ids(&self) -> BTreeSet<String> {
        let folders = self.datasets.keys().chain(&self.guessed).chain(self.links.iter().map(|node| &node.path));
        let mut seen = BTreeSet::new();
        folders.filter_map(|folder| plain_id(folder)).filter(|id| !seen.insert(id.clone())).collect()
    }
}

/// The folders that a state file or a lock makes datasets.
fn marked(root: &dyn Directory) -> Result<BTreeMap<String, Marks>> {
    let names = [state::FILE, state::LOCK, state::UNFINISHED];
    let filter = Filter::all().kinds(Kinds::FILE | Kinds::DIRECTORY);
    let filter = names.into_iter().fold(filter, Filter::name);
    let mut datasets: BTreeMap<String, Marks> = BTreeMap::new();
    for node in root.walk("", &filter).context("the data folder cannot be listed")? {
        let folder = path::parent(&node.path);
        if !is_id(folder) {
            continue;
        }
        let mut mark = |set: fn(&mut Marks)| set(datasets.entry(folder.to_owned()).or_default());
        match (node.name(), node.kind) {
            (state::FILE, Kind::File) => mark(|marks| marks.record = true),
            (state::LOCK, Kind::File) => mark(|marks| marks.lock = true),
            (state::UNFINISHED, Kind::Directory) => mark(|marks| marks.unfinished = true),
            _ => {}
        }
    }
    datasets.retain(|_, marks| marks.record || marks.lock);
    Ok(datasets)
}

/// The folder of the dataset of this id, without looking for all others.
pub fn find(root: &dyn Directory, id: &str) -> Result<Option<(String, Marks)>> {
    let mut folders = vec![];
    if id.contains('/') {
        folders.push(id.to_owned());
    } else {
        let below = id.replace('.', "/");
        for repository in root.children("")?.iter().filter(|node| node.is_directory()) {
            if repository.name() == CUSTOM {
                let modules = root.children(CUSTOM)?;
                folders.extend(modules.iter().map(|module| path::join(&module.path, &below)));
            } else {
                folders.push(path::join(&repository.path, &below));
            }
        }
    }
    for folder in folders.into_iter().filter(|folder| is_id(folder)) {
        let has = |name: &str, kind| -> Result<bool> {
            Ok(root.node(&path::join(&folder, name))?.is_some_and(|node| node.kind == kind))
        };
        let (record, lock) = (has(state::FILE, Kind::File)?, has(state::LOCK, Kind::File)?);
        let unfinished = has(state::UNFINISHED, Kind::Directory)?;
        if record || lock {
            return Ok(Some((folder, Marks { record, lock, unfinished })));
        }
    }
    Ok(None)
}

impl Marks {
    /// A file that every dataset of this kind has, to be needed by others.
    pub fn file(self, folder: &str) -> String {
        path::join(folder, if self.record { state::FILE } else { state::LOCK })
    }
}

/// The repository, or the module of a dataset without one, and what comes below.
fn split(folder: &str) -> Option<(&str, &str)> {
    let depth = if folder.split('/').next() == Some(CUSTOM) { 2 } else { 1 };
    let (at, _) = folder.match_indices('/').nth(depth - 1)?;
    Some((folder.get(..at)?, folder.get(at + 1..)?))
}

/// The first level of folders: `text`, or `__custom__/module`.
pub fn repository(folder: &str) -> Option<&str> {
    split(folder).map(|(repository, _)| repository)
}

/// Whether a folder is where a dataset can be. No component of an id begins with a dot or an `@`, as what datamaestro
/// makes in datasets does.
fn is_id(folder: &str) -> bool {
    split(folder).is_some() && !folder.split('/').any(|component| component.starts_with(['.', '@']))
}

/// Whether it can be told from the rule's mark alone that a root with nothing but this is one.
fn is_deep(place: &str) -> bool {
    is_id(place) && place.split('/').count() > 2
}

/// The id with dots, if it leads back to the folder.
fn plain_id(folder: &str) -> Option<String> {
    let (_, below) = split(folder)?;
    (!below.contains('.')).then(|| below.replace('/', "."))
}

/// The folder that is directly in the outer one and on the way to the inner one.
pub fn beneath<'a>(outer: &str, inner: &'a str) -> &'a str {
    let end = inner.match_indices('/').map(|(end, _)| end).find(|end| *end > outer.len());
    end.and_then(|end| inner.get(..end)).unwrap_or(inner)
}

fn ancestors(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path::parent(folder)), |above| Some(path::parent(above)))
        .take_while(|above| !above.is_empty())
}
