//! What plugins can do with the files beneath a root, in the host's words; the versions of the interface translate. The
//! work is done by `tree`; here it is only bounded, and kept off the plugin's clock.

use wasmtime::component::Resource;

use crate::model::{RelPath, escape_text};
use crate::tree::{self, FsError, Root};

use super::output::LogLine;
use super::state::State;

/// Nodes in one portion, whatever the plugin asks for.
const MAX_NODES: u32 = 50_000;
/// Bytes of one file, and of all files of one `read`, whatever the plugin asks for.
const MAX_READ: u32 = 16 << 20;
const MAX_READ_TOTAL: usize = 64 << 20;
/// Levels that a filter may name patterns for; more is no filter but an attack.
const MAX_PATTERNS: usize = 1000;

/// What a plugin's `directory` handle stands for.
pub struct Directory(pub(super) Root);

/// What a plugin's `walker` handle stands for.
pub struct Walk(tree::Walker);

/// As much of an error as a plugin is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    NotFound,
    Denied,
    WrongKind,
    TooLarge,
    BadPath,
    Other,
}

impl State {
    /// The absolute names of the root, as given and with links resolved.
    pub(super) fn root_names(&mut self, this: &Resource<Directory>) -> wasmtime::Result<Vec<String>> {
        let Directory(root) = self.table.get(this)?;
        let mut names = vec![escape_text(root.given().as_os_str()), escape_text(root.path().as_os_str())];
        names.dedup();
        Ok(names)
    }

    /// Begins a walk.
    pub(super) fn start_walk(
        &mut self,
        this: &Resource<Directory>,
        at: &str,
        filter: tree::Filter,
    ) -> wasmtime::Result<Result<Resource<Walk>, Fault>> {
        let root = self.table.get(this)?.0.clone();
        let Ok(at) = RelPath::parse(at) else { return Ok(Err(Fault::BadPath)) };
        if filter.names.len() > MAX_PATTERNS {
            return Ok(Err(Fault::TooLarge));
        }
        let walker = match self.uncharged(|_| root.walk(&at, filter))? {
            Ok(walker) => walker,
            Err(error) => return Ok(Err(self.translate(&error))),
        };
        Ok(Ok(self.table.push(Walk(walker))?))
    }

    /// Goes on with a walk.
    pub(super) fn next_nodes(&mut self, this: &Resource<Walk>, max: u32) -> wasmtime::Result<Vec<tree::Node>> {
        self.uncharged(|state| {
            let Walk(walker) = state.table.get_mut(this)?;
            let nodes = walker.next(max.clamp(1, MAX_NODES) as usize);
            let unreadable = walker.met_unreadable();
            state.incomplete |= unreadable;
            Ok(nodes)
        })?
    }

    /// Reads small files.
    pub(super) fn read_files(
        &mut self,
        this: &Resource<Directory>,
        files: &[String],
        limit: u32,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, Fault>>> {
        let root = self.table.get(this)?.0.clone();
        let limit = limit.min(MAX_READ) as usize;
        self.uncharged(|state| {
            let mut budget = MAX_READ_TOTAL;
            let read_one = |text: &String| {
                let path = RelPath::parse(text).map_err(|_| Fault::BadPath)?;
                let bytes = root.read(&path, limit.min(budget)).map_err(|error| state.translate(&error))?;
                budget -= bytes.len();
                Ok(bytes)
            };
            files.iter().map(read_one).collect()
        })
    }

    /// Ends a handle.
    pub(super) fn close<T: 'static>(&mut self, this: Resource<T>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }

    /// Keeps a line of the log, as far as there is room.
    pub(super) fn add_line(&mut self, level: &'static str, message: String) {
        if self.log_bytes < self.limits.log {
            let mut text = message;
            text.truncate(text.floor_char_boundary(self.limits.log - self.log_bytes));
            self.log_bytes += text.len().max(1);
            self.log.push(LogLine { level, text });
        }
    }

    /// An error in the plugin's words. What cannot be looked into makes the listing incomplete.
    fn translate(&mut self, error: &FsError) -> Fault {
        match error {
            FsError::NotFound => Fault::NotFound,
            FsError::WrongKind => Fault::WrongKind,
            FsError::TooLarge(_) => Fault::TooLarge,
            FsError::Denied => {
                self.incomplete = true;
                Fault::Denied
            }
            _ => {
                self.incomplete = true;
                Fault::Other
            }
        }
    }
}
