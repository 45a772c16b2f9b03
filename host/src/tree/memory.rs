//! The names beneath a root as one parallel walk found them, kept small: each path as what it adds to the one before.
//! A full listing asks for the same folders twice, once for the first level and once for the children; the second
//! time, and every time after, they come from here. Sizes and times are not kept, and nothing that decides a removal
//! outlives the root that was opened for it.

use std::sync::Arc;

use hashbrown::HashMap;
use rayon::prelude::*;

use super::beneath::{Entered, raw_names};
use super::{Filter, FsError, Node, NodeKind, Root};
use crate::model::RelPath;

/// More nodes than this are not kept: they would take more memory than the second walk takes time.
const MOST_NODES: usize = 4_000_000;
const PORTION: usize = 10_000;

/// What one walk found.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Parents before children, each folder followed by all that is beneath it.
    nodes: Vec<Packed>,
    /// What each path adds to the one before, and the link's target, one after another.
    text: Vec<u8>,
    folders: HashMap<Box<str>, Folder>,
}

#[derive(Debug)]
struct Packed {
    /// Bytes that the path has in common with the one before.
    shared: u16,
    added: u16,
    target: u16,
    depth: u16,
    kind: NodeKind,
}

/// Where what is beneath a folder is found.
#[derive(Clone, Copy, Debug)]
struct Folder {
    first: usize,
    after: usize,
    text: usize,
    text_after: usize,
}

impl Memory {
    /// Walks all of a root, its first folders in parallel; none if there is too much of it, or a path too long to pack.
    pub(super) fn of(root: &Root) -> Result<Option<Self>, FsError> {
        let mut top = root.walk(&RelPath::root(), Filter { max_depth: 1, ..Filter::default() })?;
        let mut memory = Self::default();
        let mut before = String::new();
        loop {
            let portion = top.next(PORTION);
            if portion.is_empty() {
                let all = Folder { first: 0, after: memory.nodes.len(), text: 0, text_after: memory.text.len() };
                memory.folders.insert("".into(), all);
                return Ok(Some(memory));
            }
            let pieces: Vec<Result<Piece, FsError>> = portion.par_iter().map(|node| Piece::of(root, node)).collect();
            for (mut node, piece) in portion.into_iter().zip(pieces) {
                let piece = match piece {
                    Err(FsError::NotFound) => continue,
                    Err(_) => {
                        node.kind = NodeKind::Unreadable;
                        Piece::default()
                    }
                    Ok(piece) => piece,
                };
                let packed = memory.push(&before, &node) && piece.fits;
                memory.append(piece.memory, node.kind == NodeKind::Directory, &node.path);
                if !packed || memory.nodes.len() > MOST_NODES {
                    return Ok(None);
                }
                before = if piece.last.is_empty() { node.path } else { piece.last };
            }
        }
    }

    /// Adds what is beneath a path of the first level.
    fn append(&mut self, piece: Self, is_folder: bool, path: &str) {
        let (nodes, text) = (self.nodes.len(), self.text.len());
        self.nodes.extend(piece.nodes);
        self.text.extend_from_slice(&piece.text);
        let moved = |it: Folder| Folder {
            first: it.first + nodes,
            after: it.after + nodes,
            text: it.text + text,
            text_after: it.text_after + text,
        };
        self.folders.extend(piece.folders.into_iter().map(|(path, folder)| (path, moved(folder))));
        if is_folder {
            let (after, text_after) = (self.nodes.len(), self.text.len());
            self.folders.insert(path.into(), Folder { first: nodes, after, text, text_after });
        }
    }

    /// Notes the end of the folders that the next path is not in.
    fn close(&mut self, open: &mut Vec<(String, Folder)>, next: Option<&str>) {
        let is_in = |folder: &str, path: &str| path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
        while let Some((path, folder)) = open.pop_if(|(path, _)| next.is_none_or(|next| !is_in(path, next))) {
            let (after, text_after) = (self.nodes.len(), self.text.len());
            self.folders.insert(path.into(), Folder { after, text_after, ..folder });
        }
    }

    fn push(&mut self, before: &str, node: &Node) -> bool {
        let shared = before.bytes().zip(node.path.bytes()).take_while(|(one, other)| one == other).count();
        let shared = node.path.floor_char_boundary(shared);
        let added = &node.path[shared..];
        let depth = node.path.bytes().filter(|byte| *byte == b'/').count() + 1;
        let (Ok(shared), Ok(length), Ok(target), Ok(depth)) =
            (u16::try_from(shared), u16::try_from(added.len()), u16::try_from(node.target.len()), u16::try_from(depth))
        else {
            return false;
        };
        self.text.extend_from_slice(added.as_bytes());
        self.text.extend_from_slice(node.target.as_bytes());
        self.nodes.push(Packed { shared, added: length, target, depth, kind: node.kind });
        true
    }
}

/// What is beneath one path of the first level.
#[derive(Default)]
struct Piece {
    memory: Memory,
    /// The last path in it; empty if nothing can be beneath it.
    last: String,
    /// Whether all of it could be packed.
    fits: bool,
}

impl Piece {
    fn of(root: &Root, node: &Node) -> Result<Self, FsError> {
        let mut piece = Self { fits: true, ..Self::default() };
        let at = RelPath::parse(&node.path).map_err(|_| FsError::WrongKind)?;
        if node.kind != NodeKind::Directory || is_cut(root, &at)? {
            return Ok(piece);
        }
        let mut walker = root.walk(&at, Filter::default())?;
        let mut open: Vec<(String, Folder)> = Vec::new();
        piece.last.clone_from(&node.path);
        loop {
            let portion = walker.next(PORTION);
            if portion.is_empty() {
                piece.memory.close(&mut open, None);
                return Ok(piece);
            }
            for node in portion {
                piece.memory.close(&mut open, Some(&node.path));
                piece.fits &= piece.memory.push(&piece.last, &node);
                if node.kind == NodeKind::Directory {
                    let (first, text) = (piece.memory.nodes.len(), piece.memory.text.len());
                    open.push((node.path.clone(), Folder { first, after: first, text, text_after: text }));
                }
                piece.last = node.path;
            }
        }
    }
}

/// Whether another root begins at a path of the first level.
fn is_cut(root: &Root, at: &RelPath) -> Result<bool, FsError> {
    let Some(name) = raw_names(at)?.pop() else { return Ok(false) };
    Ok(matches!(root.beneath().enter(root.descriptor(), &name)?, Entered::Cut))
}

/// A walk through what is remembered.
pub(super) struct Recall {
    memory: Arc<Memory>,
    filter: Filter,
    folder: Folder,
    /// The number of components of the folder's path.
    depth: u32,
    /// The path of the node before the next one.
    path: String,
    pub(super) unreadable: bool,
}

impl Recall {
    /// None if the folder is not remembered as one that was entered.
    pub(super) fn new(memory: Arc<Memory>, at: &RelPath, filter: &Filter) -> Option<Self> {
        let folder = *memory.folders.get(at.as_str())?;
        let depth = u32::try_from(at.components().count()).ok()?;
        let path = at.as_str().to_owned();
        Some(Self { memory, filter: filter.clone(), folder, depth, path, unreadable: false })
    }

    /// Whether there is nothing, or nothing more, beneath the folder.
    pub(super) fn is_empty(&self) -> bool {
        self.folder.first == self.folder.after
    }

    /// The next nodes, at most `max`; none at the end.
    pub(super) fn next(&mut self, max: usize) -> Vec<Node> {
        let mut nodes = Vec::new();
        while nodes.len() < max && self.folder.first < self.folder.after {
            let packed = &self.memory.nodes[self.folder.first];
            let (from, middle) = (self.folder.text, self.folder.text + usize::from(packed.added));
            let end = middle + usize::from(packed.target);
            self.path.truncate(packed.shared.into());
            self.path.push_str(text(&self.memory.text[from..middle]));
            (self.folder.first, self.folder.text) = (self.folder.first + 1, end);
            let depth = u32::from(packed.depth) - self.depth;
            if packed.kind == NodeKind::Directory && depth == self.filter.max_depth {
                // Nothing deeper is asked for, so that a folder costs what is in it, and not what is below. The next
                // path has no more in common with the last one skipped than with this one.
                if let Some(folder) = self.memory.folders.get(self.path.as_str()) {
                    (self.folder.first, self.folder.text) = (folder.after, folder.text_after);
                }
            }
            let name = self.path.rsplit('/').next().unwrap_or_default();
            if !self.filter.passes(packed.kind, name) {
                continue;
            }
            self.unreadable |= packed.kind == NodeKind::Unreadable;
            let target = text(&self.memory.text[middle..end]).to_owned();
            nodes.push(Node { path: self.path.clone(), kind: packed.kind, target, size: 0, modified: 0 });
        }
        nodes
    }
}

/// What went in as text comes out as text: only whole characters are packed.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
