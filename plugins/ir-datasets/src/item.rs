//! What a dataset folder holds, thing by thing, as the user may keep or remove it.

use dscc_sdk::{Recovery, State};

/// The kinds of things, in the order in which they are shown. Each is a child of its dataset: `beir@stores`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Documents as the library reads them.
    Stores,
    /// Downloads, and files taken out of them.
    Sources,
    /// Unpacked archives.
    Extracted,
    /// What was cut off.
    Unfinished,
    /// What the library does not bring back.
    Protected,
    /// What the library did not make.
    Other,
}

impl Group {
    /// As it is written in ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stores => "stores",
            Self::Sources => "sources",
            Self::Extracted => "extracted",
            Self::Unfinished => "unfinished",
            Self::Protected => "protected",
            Self::Other => "other",
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Stores, Self::Sources, Self::Extracted, Self::Unfinished, Self::Protected, Self::Other];
}

/// One thing. Paths are beneath the home.
#[derive(Clone, Debug)]
pub struct Item {
    /// Where it is shown.
    pub group: Group,
    /// One word for what it is.
    pub kind: &'static str,
    /// Names it: mostly the path that it is.
    pub path: String,
    /// In the order of removal.
    pub owns: Vec<String>,
    /// What goes with the last of those that share it.
    pub shares: Vec<String>,
    /// Places that have to stay as long as it does.
    pub needs: Vec<String>,
    /// A file that is locked while it is written.
    pub lock: Option<String>,
    /// Whether it is whole.
    pub state: State,
    /// What it costs to have it back.
    pub recovery: Recovery,
    /// Why the library would not miss it.
    pub reclaim: Option<String>,
    /// Shown.
    pub attributes: Vec<(&'static str, String)>,
}

impl Item {
    /// A complete thing that is one path.
    pub fn at(group: Group, kind: &'static str, path: &str, recovery: Recovery) -> Self {
        Self {
            group,
            kind,
            path: path.to_owned(),
            owns: vec![path.to_owned()],
            shares: vec![],
            needs: vec![],
            lock: None,
            state: State::Complete,
            recovery,
            reclaim: None,
            attributes: vec![],
        }
    }

    /// What was cut off, so that nothing of it is used.
    pub fn unfinished(kind: &'static str, path: &str, reason: &str) -> Self {
        let item = Self::at(Group::Unfinished, kind, path, Recovery::Download);
        Self { state: State::Partial, reclaim: Some(reason.to_owned()), ..item }
    }

    /// A link: the data are elsewhere, and it was the user who made it.
    pub fn link(path: &str, target: &str) -> Self {
        Self::at(Group::Protected, "link", path, Recovery::Irreplaceable).with("target", target)
    }

    /// Adds something to show, if there is something.
    pub fn with(mut self, key: &'static str, value: &str) -> Self {
        if !value.is_empty() {
            self.attributes.push((key, value.to_owned()));
        }
        self
    }
}
