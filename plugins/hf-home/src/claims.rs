//! A tree as one walk found it, and claims in it: a folder whole where all in it is known, else only what is known, so
//! that what somebody put there stays.

use std::collections::BTreeMap;

use dscc_sdk::{Directory, Filter, FsError, Kind, Listing, Node, Recovery, path};

/// What lies beneath one folder of the root.
#[derive(Default)]
pub struct Tree {
    /// By the folder they are directly in, in the order of their names.
    children: BTreeMap<String, Vec<Node>>,
}

impl Tree {
    /// Adds what is beneath a folder of the root and passes the filter; nothing where there is no folder. What cannot be
    /// read is a warning.
    pub fn add(&mut self, root: &dyn Directory, at: &str, filter: &Filter, listing: &mut Listing) {
        match root.walk(at, filter) {
            Ok(nodes) => {
                for node in nodes {
                    if node.kind == Kind::Unreadable {
                        listing.warn(&node.path, "this folder cannot be read");
                    }
                    self.children.entry(path::parent(&node.path).to_owned()).or_default().push(node);
                }
            }
            Err(FsError::NotFound | FsError::WrongKind) => {}
            Err(error) => listing.warn(at, format!("it cannot be listed: {}", error.text())),
        }
        for nodes in self.children.values_mut() {
            nodes.sort_by(|a, b| a.path.cmp(&b.path));
            nodes.dedup_by(|a, b| a.path == b.path); // What cannot be read comes with every filter.
        }
    }

    /// What is directly in a folder.
    pub fn children(&self, at: &str) -> &[Node] {
        self.children.get(at).map_or(&[], Vec::as_slice)
    }

    /// What has this name in a folder.
    pub fn child(&self, at: &str, name: &str) -> Option<&Node> {
        let (nodes, path) = (self.children(at), path::join(at, name));
        let found = nodes.binary_search_by(|node| node.path.cmp(&path)).ok()?;
        nodes.get(found)
    }

    /// Everything beneath a folder.
    pub fn beneath<'t>(&'t self, at: &str) -> Vec<&'t Node> {
        let mut found: Vec<&Node> = self.children(at).iter().collect();
        let mut next = 0;
        while let Some(node) = found.get(next).copied() {
            found.extend(self.children(&node.path));
            next += 1;
        }
        found
    }

    /// Claims for a folder with regard to what is known in it.
    pub fn claim(&self, at: &str, is_known: impl Fn(&Node) -> bool) -> Vec<String> {
        let beneath = self.beneath(at);
        let leaf = |node: &&&Node| !node.is_directory();
        if beneath.iter().filter(leaf).all(|node| is_known(node)) {
            return vec![at.to_owned()];
        }
        beneath.iter().filter(leaf).filter(|node| is_known(node)).map(|node| node.path.clone()).collect()
    }
}

/// Whether a name is so many lower-case hex digits.
pub fn is_hex(name: &str, digits: usize) -> bool {
    name.len() == digits && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// How bad it is to lose.
pub fn rank(recovery: Recovery) -> u8 {
    match recovery {
        Recovery::Rebuild => 0,
        Recovery::Download => 1,
        Recovery::Uncertain => 2,
        Recovery::Irreplaceable => 3,
    }
}
