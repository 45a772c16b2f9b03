//! Trees for a plugin's tests, which need no WebAssembly: [`MemoryRoot`], made of nothing but text, and [`TempRoot`] or
//! [`Tree`], a real directory read with the standard library. All of them keep the host's rules: nothing above the root,
//! no link followed, names escaped, what cannot be read given as such.

mod memory;
mod real;

pub use memory::MemoryRoot;
pub use real::{TempRoot, Tree};

use crate::{Filter, Kind, Kinds, Node};

/// Whether a walk gives the node.
fn passes(node: &Node, filter: &Filter) -> bool {
    let kind = match node.kind {
        Kind::File => Kinds::FILE,
        Kind::Directory => Kinds::DIRECTORY,
        Kind::Link => Kinds::LINK,
        Kind::Other => Kinds::OTHER,
        Kind::Unreadable => return true,
    };
    (filter.kinds.is_empty() || filter.kinds.contains(kind))
        && (filter.names.is_empty() || filter.names.iter().any(|pattern| matches(pattern, node.name())))
}

fn matches(pattern: &str, name: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(name) = name.strip_prefix(head) else { return false };
    name.char_indices().map(|(at, _)| at).chain([name.len()]).any(|at| matches(rest, &name[at..]))
}
