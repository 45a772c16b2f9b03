//! Reading beneath one root, through the host or, in tests, on a real directory.

#[cfg(target_family = "wasm")]
use crate::bindings::dscc::plugin::files::Directory as Imported;
use crate::{Filter, FsError, Kind, Kinds, Node};

/// What [`Directory::walk`] gives: nodes, parents before children, in no other order.
pub type Nodes<'a> = Box<dyn Iterator<Item = Node> + 'a>;

/// One root, and no way out of it: paths are relative to it (see [`path`](crate::path)) and no link is followed.
pub trait Directory {
    /// Absolute names of the root: as the library itself would write it, then with links resolved.
    fn names(&self) -> Vec<String>;

    /// What lies beneath `at` (`""` is the root) and passes the filter. The host walks in parallel and hands the nodes
    /// over in portions, so one walk with a narrow filter costs less than many small ones.
    ///
    /// # Errors
    /// When `at` is absent, is no directory, or may not be read.
    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError>;

    /// The content of small files, in the order asked. A file longer than `limit` bytes is an error, not a cut text.
    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>>;

    /// The content of one small text file.
    ///
    /// # Errors
    /// When it cannot be read, is longer than `limit` bytes, or is no UTF-8.
    fn read_text(&self, file: &str, limit: u32) -> Result<String, FsError> {
        let content = self.read(&[file.to_owned()], limit).pop().unwrap_or(Err(FsError::Other))?;
        String::from_utf8(content).map_err(|_| FsError::Other)
    }
}

/// Bounds the plugin's memory, whatever the number of nodes.
#[cfg(target_family = "wasm")]
const PORTION: u32 = 10_000;

#[cfg(target_family = "wasm")]
impl Directory for Imported {
    fn names(&self) -> Vec<String> {
        Imported::names(self)
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        let walker = Imported::walk(self, at, filter)?;
        let portions = std::iter::from_fn(move || Some(walker.next(PORTION)).filter(|portion| !portion.is_empty()));
        Ok(Box::new(portions.flatten()))
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        Imported::read(self, files, limit)
    }
}

impl Filter {
    /// Everything, however deep.
    pub fn all() -> Self {
        Self { max_depth: 0, kinds: Kinds::empty(), names: vec![], stat: false }
    }

    /// What is directly in the directory.
    pub fn direct() -> Self {
        Self::all().depth(1)
    }

    /// Not deeper than this many levels; 0: no limit.
    pub fn depth(mut self, levels: u32) -> Self {
        self.max_depth = levels;
        self
    }

    /// Only nodes of these kinds. Unreadable directories are given all the same.
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Also with the size and time of files, which costs the host a system call for each.
    pub fn stat(mut self) -> Self {
        self.stat = true;
        self
    }

    /// Only nodes whose name matches this pattern, or one given before. `*` stands for any part of a name.
    pub fn name(mut self, pattern: impl Into<String>) -> Self {
        self.names.push(pattern.into());
        self
    }
}

impl Node {
    /// Whether it is a directory that was entered.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The last component of its path.
    pub fn name(&self) -> &str {
        crate::path::name(&self.path)
    }
}

impl FsError {
    /// In words, to end a sentence with.
    pub fn text(self) -> String {
        match self {
            Self::NotFound => "it does not exist",
            Self::Denied => "permission denied",
            Self::WrongKind => "it is a link or not of the expected kind",
            Self::TooLarge => "it is larger than expected",
            Self::BadPath => "its path is malformed",
            Self::Other => "it cannot be read",
        }
        .to_owned()
    }
}
