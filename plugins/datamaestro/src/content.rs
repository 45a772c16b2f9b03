//! What is in a dataset's folder and its own: all but the datasets in it.

use dscc_sdk::{Directory, Filter, Kind, Node, Result, path};

use crate::layout::Layout;
use crate::state;

/// What a folder holds. Of a dataset with others in it, what lies on the way to them is listed one by one.
#[derive(Debug, Default)]
pub struct Content {
    /// Files and folders.
    pub data: Vec<String>,
    /// Links.
    pub links: Vec<String>,
    /// Records and locks of datamaestro.
    pub records: Vec<String>,
}

impl Content {
    /// Looks into the folder.
    pub fn read(root: &dyn Directory, folder: &str, layout: Option<&Layout>) -> Result<Self> {
        let mut content = Self::default();
        let mut waiting = vec![folder.to_owned()];
        while let Some(at) = waiting.pop() {
            for node in root.walk(&at, &Filter::direct())? {
                match layout {
                    Some(layout) if layout.is_dataset(&node.path) => {}
                    Some(layout) if layout.is_above(&node.path) => waiting.push(node.path),
                    _ => content.add(node, at == folder),
                }
            }
        }
        content.data.sort();
        content.links.sort();
        content.records.sort();
        Ok(content)
    }

    fn add(&mut self, node: Node, top: bool) {
        if top && state::OWN.contains(&node.name()) {
            self.records.push(node.path);
        } else if top && node.name() == state::UNFINISHED && node.is_directory() {
            // What is not complete is no content; the layout tells that it is there.
        } else if node.kind == Kind::Link {
            self.links.push(node.path);
        } else {
            self.data.push(node.path);
        }
    }

    /// Whether there is anything but records and unfinished downloads.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty() && self.links.is_empty()
    }

    /// A crawl or a copy that datamaestro's other kinds of resource made, which may take days: the mark of one that is
    /// finished, or a copy in progress.
    pub fn was_gathered(&self) -> bool {
        self.data.iter().any(|it| path::name(it).ends_with(".done") || path::name(it).starts_with('@'))
    }
}
