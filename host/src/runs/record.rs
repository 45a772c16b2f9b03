//! The record of one run: everything that puts back what it took, one JSON object a line, written before the first thing
//! moves. Format 1. Lines are only ever added; the last `phase` says how far the run came.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clean::Dropped;
use crate::model::{Moment, RelPath, escape_text, unescape_name};
use crate::tree::NodeKind;

/// The format of records that this program writes.
pub const FORMAT: u32 = 1;

/// How far a run came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Things are being put aside. If it ended here it was killed: they are put back.
    Moving,
    /// Everything waits to be put back or deleted.
    Held,
    /// What waits is being deleted. If it ended here it was killed: the rest is deleted.
    Purging,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum Line {
    /// The first one.
    Run {
        /// See [`FORMAT`].
        format: u32,
        /// Its name.
        run: String,
        /// When it began.
        begun: Timestamp,
        /// The command's arguments.
        command: Vec<String>,
    },
    /// Folders that may be made next, and are empty until a `root` names one of them.
    Places {
        /// Their paths.
        paths: Vec<Place>,
    },
    /// A root that something goes from; the following lines are about it.
    Root {
        /// Its path, with links resolved.
        path: Place,
        /// Its inode.
        ino: u64,
        /// Where its things wait.
        holding: Place,
        /// The device and the inode of that folder.
        held_in: (u64, u64),
    },
    /// An entry that goes.
    Entry {
        /// Its cache's id.
        cache: String,
        /// Its id.
        id: String,
        /// Bytes that go with it.
        size: u64,
        /// The entry that goes, too, and that it is a part of, counted in this root.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        within: Option<usize>,
    },
    /// One thing that is put aside.
    Item {
        /// Its path beneath the root.
        path: String,
        /// Its inode.
        ino: u64,
        /// What it is.
        kind: Kind,
        /// The entries it belongs to, counted in this root.
        entries: Vec<usize>,
        /// Whether it is a folder that was empty, and went for that.
        #[serde(default, skip_serializing_if = "is_false")]
        emptied: bool,
    },
    /// Something that stays and that entries which go are nothing without: what they share with others.
    Needed {
        /// Its path beneath the root.
        path: String,
        /// The entries, counted in this root.
        entries: Vec<usize>,
    },
    /// A folder that something is taken out of, with its times in nanoseconds since 1970.
    Folder {
        /// Its path beneath the root; empty for the root.
        path: String,
        /// Last access.
        accessed: i64,
        /// Last change.
        modified: i64,
    },
    /// Records that an index loses.
    Edit {
        /// The index.
        path: String,
        /// Before or after the things go.
        after: bool,
        /// The lines that were in it, escaped like paths.
        lines: Vec<Dropped>,
        /// What it was before, in bytes.
        size: u64,
        /// Its last access, in nanoseconds since 1970.
        accessed: i64,
        /// Its last change.
        modified: i64,
    },
    /// From here on the run is in this phase.
    Phase {
        /// Which.
        phase: Phase,
        /// Since when.
        at: Timestamp,
        /// Until when what waits is kept, if it is to be deleted by itself some day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// An absolute path, written like paths beneath a root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place(pub PathBuf);

impl Serialize for Place {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&escape_text(self.0.as_os_str()))
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let path = unescape_name(&text).map(PathBuf::from).filter(|path| path.is_absolute());
        path.map(Self).ok_or_else(|| serde::de::Error::custom("not an absolute path"))
    }
}

/// What an item is, as in [`NodeKind`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    File,
    /// With all in it.
    Directory,
    /// The link itself.
    Link,
    /// A socket, a pipe, a device.
    Other,
}

impl From<NodeKind> for Kind {
    fn from(kind: NodeKind) -> Self {
        match kind {
            NodeKind::File => Self::File,
            NodeKind::Directory => Self::Directory,
            NodeKind::Link => Self::Link,
            NodeKind::Other | NodeKind::Unreadable => Self::Other,
        }
    }
}

impl From<Kind> for NodeKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::File => Self::File,
            Kind::Directory => Self::Directory,
            Kind::Link => Self::Link,
            Kind::Other => Self::Other,
        }
    }
}

/// A record as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// The run's name.
    pub run: String,
    /// When it began.
    pub begun: Option<Timestamp>,
    /// The command's arguments.
    pub command: Vec<String>,
    /// The roots that something went from.
    pub roots: Vec<RootRecord>,
    /// Folders that may have been made before the first root was known.
    pub places: Vec<PathBuf>,
    /// How far it came; none if it was killed before the first thing moved.
    pub phase: Option<Phase>,
    /// Until when what waits is kept.
    pub until: Option<Timestamp>,
}

/// What went from one root.
#[derive(Clone, Debug, PartialEq)]
pub struct RootRecord {
    /// Its path.
    pub path: PathBuf,
    /// Its inode.
    pub ino: u64,
    /// Where its things wait.
    pub holding: PathBuf,
    /// The device and the inode of that folder.
    pub held_in: (u64, u64),
    /// The entries.
    pub entries: Vec<EntryRecord>,
    /// The things, in the order in which they were to go: an item's number is its place here.
    pub items: Vec<ItemRecord>,
    /// What stayed and is needed by entries that went, with these.
    pub needed: Vec<(RelPath, Vec<usize>)>,
    /// The folders that things were taken out of.
    pub folders: Vec<FolderRecord>,
    /// What indexes lost.
    pub edits: Vec<EditRecord>,
}

/// An entry that went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRecord {
    /// Its cache's id.
    pub cache: String,
    /// Its id.
    pub id: String,
    /// Bytes that went with it.
    pub size: u64,
    /// The entry that went, too, and that it is a part of.
    pub within: Option<usize>,
}

/// A thing that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRecord {
    /// Where it was.
    pub path: RelPath,
    /// Its inode.
    pub ino: u64,
    /// What it is.
    pub kind: NodeKind,
    /// The entries it belongs to.
    pub entries: Vec<usize>,
    /// Whether it is a folder that was empty, and went for that.
    pub emptied: bool,
}

/// A folder's times, in nanoseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderRecord {
    /// Where it is.
    pub path: RelPath,
    /// Last access.
    pub accessed: i64,
    /// Last change.
    pub modified: i64,
}

/// What an index lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditRecord {
    /// The index.
    pub path: RelPath,
    /// When.
    pub at: Moment,
    /// The lines that were in it, escaped like paths, each with its place.
    pub lines: Vec<Dropped>,
    /// What it was before, in bytes.
    pub size: u64,
    /// Its last access, in nanoseconds since 1970.
    pub accessed: i64,
    /// Its last change.
    pub modified: i64,
}

/// Why a record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// A later program wrote it.
    #[error("it has format {0}, which this version of dscc does not know; upgrade dscc")]
    Newer(u32),
    /// It is damaged.
    #[error("line {0} of it cannot be understood")]
    Line(usize),
}

impl Record {
    /// Reads a record. A last line that was cut off by a kill counts as not written.
    ///
    /// # Errors
    /// When it is of a later format, or damaged.
    pub fn read(text: &str) -> Result<Self, RecordError> {
        let mut record = Self::default();
        for (at, line) in text.split_inclusive('\n').enumerate() {
            let Some(line) = line.strip_suffix('\n') else { break };
            let damaged = || RecordError::Line(at + 1);
            if at == 0 {
                #[derive(Deserialize)]
                struct First {
                    format: u32,
                }
                let first: First = serde_json::from_str(line).map_err(|_| damaged())?;
                if first.format > FORMAT {
                    return Err(RecordError::Newer(first.format));
                }
            }
            let line = serde_json::from_str(line).map_err(|_| damaged())?;
            record.add(line).ok_or_else(damaged)?;
        }
        Ok(record)
    }

    fn add(&mut self, line: Line) -> Option<()> {
        let path = |text: &str| RelPath::parse(text).ok();
        match line {
            Line::Run { run, begun, command, .. } => {
                (self.run, self.begun, self.command) = (run, Some(begun), command);
            }
            Line::Places { paths } => self.places.extend(paths.into_iter().map(|Place(path)| path)),
            Line::Root { path: Place(path), ino, holding: Place(holding), held_in } => self.roots.push(RootRecord {
                path,
                ino,
                holding,
                held_in,
                entries: Vec::new(),
                items: Vec::new(),
                needed: Vec::new(),
                folders: Vec::new(),
                edits: Vec::new(),
            }),
            Line::Phase { phase, until, .. } => (self.phase, self.until) = (Some(phase), until),
            Line::Entry { cache, id, size, within } => {
                self.roots.last_mut()?.entries.push(EntryRecord { cache, id, size, within });
            }
            Line::Item { path: at, ino, kind, entries, emptied } => {
                let root = self.roots.last_mut()?;
                let known = entries.iter().all(|entry| *entry < root.entries.len());
                let path = path(&at).filter(|path| known && !path.is_root())?;
                root.items.push(ItemRecord { path, ino, kind: kind.into(), entries, emptied });
            }
            Line::Needed { path: at, entries } => {
                let root = self.roots.last_mut()?;
                let known = entries.iter().all(|entry| *entry < root.entries.len());
                root.needed.push((path(&at).filter(|_| known)?, entries));
            }
            Line::Folder { path: at, accessed, modified } => {
                self.roots.last_mut()?.folders.push(FolderRecord { path: path(&at)?, accessed, modified });
            }
            Line::Edit { path: file, after, lines, size, accessed, modified } => {
                let at = if after { Moment::After } else { Moment::Before };
                let edit = EditRecord { path: path(&file)?, at, lines, size, accessed, modified };
                self.roots.last_mut()?.edits.push(edit);
            }
        }
        Some(())
    }

    /// Bytes that went with the run's entries.
    pub fn size(&self) -> u64 {
        self.roots.iter().flat_map(|root| &root.entries).map(|entry| entry.size).sum()
    }
}
