//! Where one copy of code is, and what is claimed of it.

use dscc_sdk::{Node, path};

use super::layout::Source;
use super::name;
use crate::claims::Tree;

/// Where a copy is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A folder of its own.
    Folder(String),
    /// These modules among others of the folder that they are in.
    Files(Vec<Node>),
}

impl Place {
    /// A folder whole, if there is nothing in it but what the library puts there.
    pub fn claims(&self, tree: &Tree, source: Source) -> Vec<String> {
        match self {
            Self::Folder(at) => tree.claim(at, |node| is_known(source, node)),
            Self::Files(files) => {
                let compiled = files.iter().flat_map(|file| compiled(tree, file)).map(|node| node.path.clone());
                compiled.chain(files.iter().map(|file| file.path.clone())).collect()
            }
        }
    }

    /// All that is there.
    pub fn nodes<'t>(&'t self, tree: &'t Tree) -> Vec<&'t Node> {
        match self {
            Self::Folder(at) => tree.beneath(at),
            Self::Files(files) => files.iter().collect(),
        }
    }
}

/// Transformers and Diffusers copy modules; with a script come its record and what describes the data, and whole folders
/// that it imports, which go whole or not at all: the library takes what is left of one for all of it.
pub fn is_known(source: Source, node: &Node) -> bool {
    let is_compiled = name::module_of(node.name()).is_some() && path::parent(&node.path).ends_with("__pycache__");
    let is_module = node.name().ends_with(".py") || is_compiled;
    node.is_file() && (is_module || source.is_script() && comes_with_script(node))
}

/// `<package>/<kind>/<script>/<digest>/...`
fn comes_with_script(node: &Node) -> bool {
    let parts: Vec<&str> = node.path.split('/').collect();
    let [_, _, folder, _, file] = parts.as_slice() else { return true };
    let script = name::repository(folder);
    matches!(*file, "dataset_infos.json" | "README.md") || file.strip_suffix(".json") == Some(path::name(&script))
}

/// What Python made of a module.
pub fn compiled<'t>(tree: &'t Tree, module: &Node) -> impl Iterator<Item = &'t Node> {
    let stem = module.name().strip_suffix(".py").map(str::to_owned);
    let beside = tree.children(&path::join(path::parent(&module.path), "__pycache__")).iter();
    beside.filter(move |node| node.is_file() && name::module_of(node.name()) == stem.as_deref())
}
