//! Caches and entries as a plugin names them, after validation: every path is a [`RelPath`], every id is checked, every
//! time is parsed.

use jiff::Timestamp;
use serde::Serialize;

use super::RelPath;

/// One cache within a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cache {
    /// What `-c` takes.
    pub id: String,
    /// For people.
    pub title: String,
    /// The part of the root that is measured for this cache.
    pub path: RelPath,
}

/// One thing that a user keeps or deletes. Its claims are paths as they came, or paths interned in a
/// [`PathTree`](super::PathTree).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<P = RelPath> {
    /// Unique in the cache.
    pub id: String,
    /// One word for what it is.
    pub kind: String,
    /// What a user calls it.
    pub label: String,
    /// Claims that go with this entry, in the order of removal.
    pub owns: Vec<P>,
    /// Claims that go with their last holder, in the order of removal.
    pub shares: Vec<P>,
    /// Places whose claimants stay while this entry stays: a path beneath the root, or an absolute one.
    pub needs: Vec<String>,
    /// What must be free, and is held, while the entry goes.
    pub locks: Vec<Lock>,
    /// Whether it is whole.
    pub state: State,
    /// What it costs to have it back.
    pub recovery: Recovery,
    /// Why the library would not miss it.
    pub reclaim: Option<String>,
    /// Whether it has a level of its own.
    pub has_children: bool,
    /// Whether the parent goes with the last such child.
    pub keeps_parent: bool,
    /// From the library's records.
    pub created: Option<Timestamp>,
    /// From the library's records.
    pub last_used: Option<Timestamp>,
    /// Shown and filtered by.
    pub attributes: Vec<(String, String)>,
}

impl<P> Entry<P> {
    /// The same entry with its claims in another form.
    pub fn map_claims<Q>(self, mut map: impl FnMut(P) -> Q) -> Entry<Q> {
        Entry {
            owns: self.owns.into_iter().map(&mut map).collect(),
            shares: self.shares.into_iter().map(&mut map).collect(),
            id: self.id,
            kind: self.kind,
            label: self.label,
            needs: self.needs,
            locks: self.locks,
            state: self.state,
            recovery: self.recovery,
            reclaim: self.reclaim,
            has_children: self.has_children,
            keeps_parent: self.keeps_parent,
            created: self.created,
            last_used: self.last_used,
            attributes: self.attributes,
        }
    }

    /// The values of one attribute.
    pub fn attribute<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes.iter().filter(move |(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// Whether an entry is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// All there, as far as the library's own records tell.
    Complete,
    /// Something is missing that a download would bring.
    Partial,
    /// Nothing refers to it.
    Detached,
    /// Superseded, or registered with its files gone.
    Stale,
    /// The library itself could not use it.
    Broken,
}

/// What it costs to have an entry back; the greater, the worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recovery {
    /// Time: it is made again from data that stays.
    Rebuild,
    /// A download.
    Download,
    /// Not certain.
    Uncertain,
    /// It cannot be had.
    Irreplaceable,
}

/// A lock that the library takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock {
    /// How it is taken.
    pub kind: LockKind,
    /// The lock file, or a directory that stands for every file in it.
    pub path: RelPath,
}

/// How a library takes a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockKind {
    /// `flock(2)`
    Flock,
    /// `fcntl(2)` record lock
    Posix,
    /// The file's existence.
    Existence,
}

/// How much a listing has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Enough to count and measure.
    Outline,
    /// Everything that decides what may go.
    Full,
}

/// One level of a cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// In the plugin's order.
    pub entries: Vec<Entry>,
    /// What the user should know of this level.
    pub warnings: Vec<Warning>,
    /// Whether anything was unreadable while the plugin looked. If so, the level frees nothing for want of holders and
    /// nothing in it is reclaimed. The host's own observation, not the plugin's word.
    pub incomplete: bool,
}

/// A plugin's remark on a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What it is about; the root for the whole level.
    pub path: RelPath,
    /// One sentence.
    pub message: String,
}

/// Lines that an index file loses when entries go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The index.
    pub file: RelPath,
    /// Before or after the files go.
    pub at: Moment,
    /// Whole lines in the escaped form, without the line end.
    pub drop_lines: Vec<String>,
}

/// When an index is edited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// A table of contents, which must not name what is absent.
    Before,
    /// A list of holders, which may outlive the holders but must not miss one.
    After,
}
