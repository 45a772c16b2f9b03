//! Reading beneath one root, through the host or, in tests, in a tree of the test's own.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};
use std::fmt::{self, Debug, Formatter};
use std::marker::PhantomData;

#[cfg(target_family = "wasm")]
use crate::bindings::dscc::plugin::files::{Directory as Imported, Walker};
use crate::{Filter, FsError, Kind, Kinds, Node, path, time};

/// One root, and no way out of it: paths are relative to it (see [`path`](crate::path)) and no link is followed.
///
/// Plugins are handed one; only tests make their own ([`testing`](crate::testing)). Besides the three methods that the
/// host gives it has those of `dyn Directory` below, which are made of them.
pub trait Directory {
    /// Absolute names of the root: as the library itself would write it, then with links resolved.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().named("/home/me/.cache/demo");
    /// assert_eq!(root.names(), ["/home/me/.cache/demo"]);
    /// ```
    fn names(&self) -> Vec<String>;

    /// What lies beneath `at` (`""` is the root) and passes the filter. The host walks in parallel and hands the nodes
    /// over in portions, so one walk with a narrow filter costs less than many small ones.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Filter, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().file("a/index.json", "{}").file("a/b/data.bin", "1234");
    /// let indexes: Vec<_> = root.walk("", &Filter::all().name("*.json")).unwrap().collect();
    /// assert_eq!(indexes[0].path, "a/index.json");
    /// ```
    ///
    /// # Errors
    /// When `at` is absent, is no directory, or may not be read.
    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError>;

    /// The content of small files, in the order asked. A file longer than `limit` bytes is an error, not a cut text.
    /// Many at once cost less than one by one.
    ///
    /// ```
    /// use dscc_sdk::{Directory, FsError, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().file("a", "1").file("b", "22");
    /// let read = root.read(&["a".into(), "b".into(), "c".into()], 1);
    /// assert_eq!(read, [Ok(b"1".to_vec()), Err(FsError::TooLarge), Err(FsError::NotFound)]);
    /// ```
    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>>;
}

/// What most plugins do with a root. Not in the trait, so that a component holds only those that it uses.
impl dyn Directory + '_ {
    /// What is directly in `at`, in the order of the names.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Kind, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("b", "1").file("a/x", "2");
    /// let children = root.children("").unwrap();
    /// let children: Vec<_> = children.iter().map(|child| (child.name(), child.kind)).collect();
    /// assert_eq!(children, [("a", Kind::Directory), ("b", Kind::File)]);
    /// ```
    ///
    /// # Errors
    /// As [`walk`](Directory::walk).
    pub fn children(&self, at: &str) -> Result<Vec<Node>, FsError> {
        // A heap's code is an eighth of a sort's, which would be the largest thing in a small plugin.
        let children: BinaryHeap<ByPath> = self.walk(at, &Filter::direct())?.map(ByPath).collect();
        Ok(children.into_sorted_vec().into_iter().map(|ByPath(node)| node).collect())
    }

    /// When each thing directly in `at` was last changed, by its path: the newest modification of a file in it. One walk
    /// tells all; what holds no file is absent.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Entry, testing::MemoryRoot};
    ///
    /// let root = MemoryRoot::new().file("sets/one/a", "1").modified(1_700_000_000);
    /// let root: &dyn Directory = &root.file("sets/one/b", "2").modified(1_600_000_000);
    /// let changed = root.changed("sets").unwrap();
    /// let entry = Entry::at("sets/one", "dataset").created(changed.get("sets/one"));
    /// assert_eq!(entry.created.as_deref(), Some("1700000000"));
    /// ```
    ///
    /// # Errors
    /// As [`walk`](Directory::walk).
    pub fn changed(&self, at: &str) -> Result<BTreeMap<String, String>, FsError> {
        let mut newest: BTreeMap<String, i64> = BTreeMap::new();
        for node in self.walk(at, &Filter::all().kinds(Kinds::FILE).stat())? {
            if node.kind != Kind::File {
                continue;
            }
            let below = if at.is_empty() { 0 } else { at.len() + 1 };
            let end = node.path.get(below..).and_then(|rest| rest.find('/')).map_or(node.path.len(), |end| below + end);
            let child = node.path.get(..end).unwrap_or(&node.path);
            match newest.get_mut(child) {
                Some(time) => *time = node.modified.max(*time),
                None => drop(newest.insert(child.to_owned(), node.modified)),
            }
        }
        Ok(newest.into_iter().filter_map(|(child, at)| Some((child, time::from_nanoseconds(at)?))).collect())
    }

    /// What is at one place; none if nothing is there, or something above it is no directory.
    ///
    /// ```
    /// use dscc_sdk::{Directory, Kind, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b", "1");
    /// assert_eq!(root.node("a/b").unwrap().map(|node| node.kind), Some(Kind::File));
    /// assert_eq!(root.node("a/c").unwrap(), None);
    /// ```
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn node(&self, at: &str) -> Result<Option<Node>, FsError> {
        match self.walk(path::parent(at), &Filter::direct().name(path::name(at))) {
            Ok(mut nodes) => Ok(nodes.find(|node| node.path == at)),
            Err(FsError::NotFound | FsError::WrongKind) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The content of one small text file.
    ///
    /// ```
    /// use dscc_sdk::{Directory, FsError, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("VERSION", "3");
    /// assert_eq!(root.read_text("VERSION", 64).as_deref(), Ok("3"));
    /// assert_eq!(root.read_text("README", 64), Err(FsError::NotFound));
    /// ```
    ///
    /// # Errors
    /// When it cannot be read, is longer than `limit` bytes, or is no UTF-8.
    pub fn read_text(&self, file: &str, limit: u32) -> Result<String, FsError> {
        let content = self.read(&[file.to_owned()], limit).pop().unwrap_or(Err(FsError::Other))?;
        String::from_utf8(content).map_err(|_| FsError::Other)
    }
}

#[derive(PartialEq, Eq)]
struct ByPath(Node);

impl Ord for ByPath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.path.cmp(&other.0.path)
    }
}

impl PartialOrd for ByPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What [`Directory::walk`] gives: nodes, parents before children, in no other order.
///
/// ```
/// use dscc_sdk::{Directory, Filter, Node, testing::MemoryRoot};
///
/// let root = MemoryRoot::new().file("a/b", "1");
/// let paths: Vec<_> = root.walk("", &Filter::all()).unwrap().map(|node| node.path).collect();
/// assert_eq!(paths, ["a", "a/b"]);
/// ```
pub struct Nodes<'a> {
    portion: std::vec::IntoIter<Node>,
    /// Where the next ones come from.
    #[cfg(target_family = "wasm")]
    walker: Option<Walker>,
    root: PhantomData<&'a dyn Directory>,
}

impl Iterator for Nodes<'_> {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        #[cfg(target_family = "wasm")]
        if self.portion.len() == 0
            && let Some(walker) = &self.walker
        {
            self.portion = walker.next(PORTION).into_iter();
            if self.portion.len() == 0 {
                self.walker = None;
            }
        }
        self.portion.next()
    }
}

/// For tests with a directory of their own.
///
/// ```
/// use dscc_sdk::Nodes;
///
/// assert_eq!(Nodes::from_iter([]).next(), None);
/// ```
impl FromIterator<Node> for Nodes<'_> {
    fn from_iter<I: IntoIterator<Item = Node>>(nodes: I) -> Self {
        Self {
            portion: nodes.into_iter().collect::<Vec<_>>().into_iter(),
            #[cfg(target_family = "wasm")]
            walker: None,
            root: PhantomData,
        }
    }
}

impl Debug for Nodes<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Nodes")
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
        Ok(Nodes { portion: vec![].into_iter(), walker: Some(walker), root: PhantomData })
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        Imported::read(self, files, limit)
    }
}
