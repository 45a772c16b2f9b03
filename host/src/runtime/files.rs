//! The `files` and `log` interfaces as plugins see them: a directory handle that cannot be left, its walk and its small
//! reads. The work is done by `tree`; here it is only translated, bounded, and kept off the plugin's clock.

use wasmtime::component::Resource;

use crate::model::{RelPath, escape_text};
use crate::tree::{self, FsError, NodeKind, Root};

use super::bindings::dscc::plugin::{files, log, types};
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

impl types::Host for State {}

impl files::Host for State {}

impl files::HostDirectory for State {
    fn names(&mut self, this: Resource<Directory>) -> wasmtime::Result<Vec<String>> {
        let Directory(root) = self.table.get(&this)?;
        let mut names = vec![escape_text(root.given().as_os_str()), escape_text(root.path().as_os_str())];
        names.dedup();
        Ok(names)
    }

    fn walk(
        &mut self,
        this: Resource<Directory>,
        at: String,
        filter: files::Filter,
    ) -> wasmtime::Result<Result<Resource<Walk>, files::FsError>> {
        let root = self.table.get(&this)?.0.clone();
        let Ok(at) = RelPath::parse(&at) else { return Ok(Err(files::FsError::BadPath)) };
        if filter.names.len() > MAX_PATTERNS {
            return Ok(Err(files::FsError::TooLarge));
        }
        let walker = match self.uncharged(|_| root.walk(&at, filter.into()))? {
            Ok(walker) => walker,
            Err(error) => return Ok(Err(self.translate(&error))),
        };
        Ok(Ok(self.table.push(Walk(walker))?))
    }

    fn read(
        &mut self,
        this: Resource<Directory>,
        files: Vec<String>,
        limit: u32,
    ) -> wasmtime::Result<Vec<Result<Vec<u8>, files::FsError>>> {
        let root = self.table.get(&this)?.0.clone();
        let limit = limit.min(MAX_READ) as usize;
        self.uncharged(|state| {
            let mut budget = MAX_READ_TOTAL;
            let read_one = |text: String| {
                let path = RelPath::parse(&text).map_err(|_| files::FsError::BadPath)?;
                let bytes = root.read(&path, limit.min(budget)).map_err(|error| state.translate(&error))?;
                budget -= bytes.len();
                Ok(bytes)
            };
            files.into_iter().map(read_one).collect()
        })
    }

    fn drop(&mut self, this: Resource<Directory>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl files::HostWalker for State {
    fn next(&mut self, this: Resource<Walk>, max: u32) -> wasmtime::Result<Vec<files::Node>> {
        self.uncharged(|state| {
            let Walk(walker) = state.table.get_mut(&this)?;
            let nodes = walker.next(max.clamp(1, MAX_NODES) as usize);
            let unreadable = walker.met_unreadable();
            state.incomplete |= unreadable;
            Ok(nodes.into_iter().map(Into::into).collect())
        })?
    }

    fn drop(&mut self, this: Resource<Walk>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl log::Host for State {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            log::Level::Debug => "debug",
            log::Level::Info => "info",
            log::Level::Warn => "warn",
            log::Level::Error => "error",
        };
        if self.log_bytes < self.limits.log {
            let mut text = message;
            text.truncate(text.floor_char_boundary(self.limits.log - self.log_bytes));
            self.log_bytes += text.len().max(1);
            self.log.push(LogLine { level, text });
        }
        Ok(())
    }
}

impl State {
    /// An error in the plugin's words. What cannot be looked into makes the listing incomplete.
    fn translate(&mut self, error: &FsError) -> files::FsError {
        match error {
            FsError::NotFound => files::FsError::NotFound,
            FsError::WrongKind => files::FsError::WrongKind,
            FsError::TooLarge(_) => files::FsError::TooLarge,
            FsError::Denied => {
                self.incomplete = true;
                files::FsError::Denied
            }
            _ => {
                self.incomplete = true;
                files::FsError::Other
            }
        }
    }
}

impl From<files::Filter> for tree::Filter {
    fn from(filter: files::Filter) -> Self {
        let has = |kind| filter.kinds.contains(kind);
        let kinds = tree::Kinds {
            file: has(files::Kinds::FILE),
            directory: has(files::Kinds::DIRECTORY),
            link: has(files::Kinds::LINK),
            other: has(files::Kinds::OTHER),
        };
        Self { max_depth: filter.max_depth, kinds, names: filter.names, stat: filter.stat }
    }
}

impl From<tree::Node> for files::Node {
    fn from(node: tree::Node) -> Self {
        let kind = match node.kind {
            NodeKind::File => files::Kind::File,
            NodeKind::Directory => files::Kind::Directory,
            NodeKind::Link => files::Kind::Link,
            NodeKind::Other => files::Kind::Other,
            NodeKind::Unreadable => files::Kind::Unreadable,
        };
        Self { path: node.path, kind, target: node.target, size: node.size, modified: node.modified }
    }
}
