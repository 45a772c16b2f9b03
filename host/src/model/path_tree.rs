//! All claimed paths of one root, each name stored once and each path known by a small number. The measuring walk
//! descends in it beside the disk, so finding the deepest claim above a file costs one look-up a directory entry, and
//! none beneath directories in which nothing more is claimed.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::RelPath;

/// A path in a [`PathTree`]. Only meaningful together with that tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PathId(u32);

impl PathId {
    /// The root itself, in every tree.
    pub const ROOT: Self = Self(0);

    /// For tables with a row for each path of the tree.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

struct Node {
    parent: PathId,
    name: Box<str>,
    has_children: bool,
}

/// Paths beneath one root, interned.
pub struct PathTree {
    nodes: Vec<Node>,
    by_name: HashTable<PathId>,
    hasher: DefaultHashBuilder,
}

impl Default for PathTree {
    fn default() -> Self {
        let root = Node { parent: PathId::ROOT, name: "".into(), has_children: false };
        Self { nodes: vec![root], by_name: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }
}

impl PathTree {
    /// The number of paths, the root and the folders above claimed paths included.
    #[expect(clippy::len_without_is_empty, reason = "a tree always holds its root")]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The number of a path, which is added with the folders above it if it is new.
    pub fn insert(&mut self, path: &RelPath) -> PathId {
        path.components().fold(PathId::ROOT, |at, name| self.insert_child(at, name))
    }

    fn insert_child(&mut self, parent: PathId, name: &str) -> PathId {
        if let Some(known) = self.child(parent, name) {
            return known;
        }
        let id = PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        assert!(id.0 < u32::MAX, "more than four thousand million paths");
        self.nodes.push(Node { parent, name: name.into(), has_children: false });
        self.nodes[parent.index()].has_children = true;
        let Self { nodes, by_name, hasher } = self;
        by_name.insert_unique(hasher.hash_one((parent, name)), id, |id| {
            let node = &nodes[id.index()];
            hasher.hash_one((node.parent, &*node.name))
        });
        id
    }

    /// The number of the entry of that name directly in `parent`, if it is in the tree.
    pub fn child(&self, parent: PathId, name: &str) -> Option<PathId> {
        if !self.nodes[parent.index()].has_children {
            return None;
        }
        let hash = self.hasher.hash_one((parent, name));
        self.by_name
            .find(hash, |id| {
                let node = &self.nodes[id.index()];
                node.parent == parent && &*node.name == name
            })
            .copied()
    }

    /// The number of a path, if it is in the tree.
    pub fn find(&self, path: &RelPath) -> Option<PathId> {
        path.components().try_fold(PathId::ROOT, |at, name| self.child(at, name))
    }

    /// The paths above a path, from the root down, and itself, as far as they are in the tree. The root is left out.
    pub fn along<'a>(&'a self, path: &'a RelPath) -> impl Iterator<Item = PathId> + 'a {
        path.components().scan(PathId::ROOT, |at, name| {
            *at = self.child(*at, name)?;
            Some(*at)
        })
    }

    /// Whether anything beneath this path is in the tree.
    pub fn has_children(&self, id: PathId) -> bool {
        self.nodes[id.index()].has_children
    }

    /// The path above; none for the root.
    pub fn parent(&self, id: PathId) -> Option<PathId> {
        (id != PathId::ROOT).then(|| self.nodes[id.index()].parent)
    }

    /// This path and all above it, the root last.
    pub fn up(&self, id: PathId) -> impl Iterator<Item = PathId> + '_ {
        std::iter::successors(Some(id), |id| self.parent(*id))
    }

    /// The path in its text form.
    pub fn path(&self, id: PathId) -> RelPath {
        let mut components: Vec<&str> = self.up(id).map(|id| &*self.nodes[id.index()].name).collect();
        components.pop();
        RelPath::from_components(components.into_iter().rev())
    }

    /// All paths, each after the one above it.
    pub fn ids(&self) -> impl Iterator<Item = PathId> + use<> {
        (0..self.nodes.len() as u32).map(PathId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_went_in_is_found_and_reads_the_same(texts in proptest::collection::vec("[ab]{1,2}(/[abc]{1,2}){0,3}", 0..60)) {
            let mut tree = PathTree::default();
            for text in &texts {
                let path = RelPath::parse(text).unwrap();
                let id = tree.insert(&path);
                prop_assert_eq!(tree.insert(&path), id);
                prop_assert_eq!(tree.path(id), path);
            }
            for text in &texts {
                prop_assert!(tree.find(&RelPath::parse(text).unwrap()).is_some());
            }
            prop_assert_eq!(tree.find(&RelPath::parse("zz").unwrap()), None);
            prop_assert!(tree.ids().skip(1).all(|id| tree.parent(id).unwrap() < id));
        }
    }
}
