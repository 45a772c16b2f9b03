//! A tree in memory: the quickest test, and one that can hold what a test cannot make on disk.

use std::collections::BTreeMap;

use super::passes;
use crate::{Directory, Filter, FsError, Kind, Node, Nodes, path};

/// A root that exists in memory only. Paths are text, as everywhere in the interface; what is above a path is made with
/// it.
///
/// ```
/// use dscc_sdk::{Directory, Filter, Kind, testing::MemoryRoot};
///
/// let root = MemoryRoot::new()
///     .file("index.json", r#"{"version": 1}"#)
///     .sparse("data/big.bin", 5_000_000_000)
///     .modified(1_700_000_000)
///     .link("data/latest", "big.bin")
///     .unreadable("private");
/// let nodes: Vec<_> = root.walk("", &Filter::all().stat()).unwrap().collect();
/// let paths: Vec<_> = nodes.iter().map(|node| &*node.path).collect();
/// assert_eq!(paths, ["data", "data/big.bin", "data/latest", "index.json", "private"]);
/// assert_eq!((nodes[1].size, nodes[1].modified), (5_000_000_000, 1_700_000_000_000_000_000));
/// assert_eq!((nodes[2].kind, &*nodes[2].target), (Kind::Link, "big.bin"));
/// assert_eq!(nodes[4].kind, Kind::Unreadable);
/// ```
#[derive(Clone, Debug)]
pub struct MemoryRoot {
    names: Vec<String>,
    things: BTreeMap<String, Thing>,
    /// What was added last, for [`MemoryRoot::modified`].
    last: String,
}

#[derive(Clone, Debug)]
struct Thing {
    kind: Kind,
    /// Of a file.
    content: Vec<u8>,
    /// Of a file; more than the content for one that is not read.
    size: u64,
    /// Of a link.
    target: String,
    /// Nanoseconds since 1970.
    modified: i64,
}

impl Thing {
    fn new(kind: Kind) -> Self {
        Self { kind, content: vec![], size: 0, target: String::new(), modified: 0 }
    }

    fn node(&self, path: &str, stat: bool) -> Node {
        let stat = stat && self.kind == Kind::File;
        Node {
            path: path.to_owned(),
            kind: self.kind,
            target: self.target.clone(),
            size: if stat { self.size } else { 0 },
            modified: if stat { self.modified } else { 0 },
        }
    }
}

impl Default for MemoryRoot {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryRoot {
    /// An empty root at `/memory`.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Filter, testing::MemoryRoot};
    ///
    /// assert_eq!(MemoryRoot::new().walk("", &Filter::all()).unwrap().count(), 0);
    /// ```
    pub fn new() -> Self {
        Self { names: vec!["/memory".into()], things: BTreeMap::new(), last: String::new() }
    }

    /// Where it claims to be. Repeated: another name of the same place.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// assert_eq!(MemoryRoot::new().named("/home/me/.cache/demo").names(), ["/home/me/.cache/demo"]);
    /// ```
    pub fn named(mut self, name: &str) -> Self {
        self.names.retain(|known| known != "/memory");
        self.names.push(name.to_owned());
        self
    }

    /// Adds a file.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b.txt", "text");
    /// assert_eq!(root.read_text("a/b.txt", 64).as_deref(), Ok("text"));
    /// ```
    ///
    /// # Panics
    /// When the path is none, or leads through something that is no directory; as all that prepares a test.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let content = content.as_ref().to_vec();
        self.add(path, Thing { size: content.len() as u64, content, ..Thing::new(Kind::File) })
    }

    /// Adds a file of which only the size matters; its bytes are zeros.
    ///
    /// ```
    /// use dscc_sdk::{Directory, FsError, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().sparse("big.bin", 5_000_000_000);
    /// assert_eq!(root.read(&["big.bin".into()], 64), [Err(FsError::TooLarge)]);
    /// ```
    ///
    /// # Panics
    /// As [`file`](Self::file).
    pub fn sparse(self, path: &str, size: u64) -> Self {
        self.add(path, Thing { size, ..Thing::new(Kind::File) })
    }

    /// Adds a directory.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().directory("a/b");
    /// assert!(root.children("a").unwrap()[0].is_directory());
    /// ```
    ///
    /// # Panics
    /// As [`file`](Self::file).
    pub fn directory(self, path: &str) -> Self {
        self.add(path, Thing::new(Kind::Directory))
    }

    /// Adds a symbolic link with this text.
    ///
    /// ```
    /// use dscc_sdk::{Directory, FsError, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b", "1").link("c", "a");
    /// assert_eq!(root.children("c"), Err(FsError::WrongKind));
    /// ```
    ///
    /// # Panics
    /// As [`file`](Self::file).
    pub fn link(self, path: &str, target: &str) -> Self {
        self.add(path, Thing { target: path::escape(target.as_bytes()), ..Thing::new(Kind::Link) })
    }

    /// Adds a directory that may not be read.
    ///
    /// ```
    /// use dscc_sdk::{Directory, FsError, Kind, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().unreadable("private");
    /// assert_eq!(root.children("").unwrap()[0].kind, Kind::Unreadable);
    /// assert_eq!(root.children("private"), Err(FsError::Denied));
    /// ```
    ///
    /// # Panics
    /// As [`file`](Self::file).
    pub fn unreadable(self, path: &str) -> Self {
        self.add(path, Thing::new(Kind::Unreadable))
    }

    /// When the file that was added last was modified, in seconds since 1970.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a", "1").modified(1_700_000_000);
    /// assert_eq!(root.changed("").unwrap()["a"], "1700000000");
    /// ```
    pub fn modified(mut self, seconds: i64) -> Self {
        if let Some(thing) = self.things.get_mut(&self.last) {
            thing.modified = seconds.saturating_mul(1_000_000_000);
        }
        self
    }

    /// Takes something away, with all beneath it.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b", "1").without("a");
    /// assert!(root.children("").unwrap().is_empty());
    /// ```
    pub fn without(mut self, path: &str) -> Self {
        self.things.retain(|at, _| at != path && !is_beneath(at, path));
        self
    }

    fn add(mut self, path: &str, thing: Thing) -> Self {
        assert!(is_path(path) && !path.is_empty(), "`{path}` is no path beneath a root");
        for (end, _) in path.match_indices('/') {
            let above = self.things.entry(path[..end].to_owned()).or_insert_with(|| Thing::new(Kind::Directory));
            assert!(above.kind == Kind::Directory, "`{}` is no directory", &path[..end]);
        }
        if thing.kind != Kind::Directory || !self.things.contains_key(path) {
            self.things.insert(path.to_owned(), thing);
        }
        self.last = path.to_owned();
        self
    }

    /// What is at a path, if all that is above it is a directory that can be read.
    fn find(&self, path: &str) -> Result<&Thing, FsError> {
        for (end, _) in path.match_indices('/') {
            match self.things.get(&path[..end]).ok_or(FsError::NotFound)?.kind {
                Kind::Directory => {}
                Kind::Unreadable => return Err(FsError::Denied),
                _ => return Err(FsError::WrongKind),
            }
        }
        self.things.get(path).ok_or(FsError::NotFound)
    }

    fn read_one(&self, file: &str, limit: u32) -> Result<Vec<u8>, FsError> {
        if !is_path(file) {
            return Err(FsError::BadPath);
        }
        if file.is_empty() {
            return Err(FsError::WrongKind);
        }
        let thing = self.find(file)?;
        if thing.kind != Kind::File {
            return Err(FsError::WrongKind);
        }
        if thing.size > limit.into() {
            return Err(FsError::TooLarge);
        }
        let mut content = thing.content.clone();
        content.resize(usize::try_from(thing.size).map_err(|_| FsError::TooLarge)?, 0);
        Ok(content)
    }
}

impl Directory for MemoryRoot {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        if !is_path(at) {
            return Err(FsError::BadPath);
        }
        let kind = if at.is_empty() { Kind::Directory } else { self.find(at)?.kind };
        match kind {
            Kind::Directory => {}
            Kind::Unreadable => return Err(FsError::Denied),
            _ => return Err(FsError::WrongKind),
        }
        let depth = |path: &str| path.matches('/').count();
        let top = if at.is_empty() { 0 } else { depth(at) + 1 };
        let deep = |path: &str| filter.max_depth != 0 && depth(path) - top >= filter.max_depth as usize;
        let beneath = self.things.iter().filter(|(path, _)| is_beneath(path, at) && !deep(path));
        let nodes = beneath.map(|(path, thing)| thing.node(path, filter.stat));
        let mut nodes: Vec<Node> = nodes.filter(|node| passes(node, filter)).collect();
        // `a-b` is before `a/b` as text, and `a` is before both.
        nodes.sort_by(|a, b| a.path.split('/').cmp(b.path.split('/')));
        Ok(nodes.into_iter().collect())
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        files.iter().map(|file| self.read_one(file, limit)).collect()
    }
}

fn is_beneath(path: &str, at: &str) -> bool {
    at.is_empty() || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether the interface would take it.
fn is_path(path: &str) -> bool {
    let named = |component| !matches!(component, "" | "." | "..");
    path.is_empty() || path.split('/').all(named) && path::unescape(path).is_some()
}
