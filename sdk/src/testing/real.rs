//! Real directories, read with the standard library.

#![expect(clippy::expect_used, reason = "what cannot prepare a test ends it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::UNIX_EPOCH;

use super::passes;
use crate::{Directory, Filter, FsError, Kind, Node, Nodes, path};

/// An existing directory as a root.
///
/// ```no_run
/// use dscc_sdk::{Directory, testing::Tree};
///
/// let root: &dyn Directory = &Tree::open("cases/plain/tree");
/// assert!(!root.children("").unwrap().is_empty());
/// ```
#[derive(Debug)]
pub struct Tree(PathBuf);

impl Tree {
    /// Takes a directory, which need not be made for tests: nothing is ever written.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::testing::Tree::open("/data").path().to_str(), Some("/data"));
    /// ```
    pub fn open(directory: impl Into<PathBuf>) -> Self {
        Self(directory.into())
    }

    /// Where it is.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::testing::Tree::open("/data").path().to_str(), Some("/data"));
    /// ```
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The place on disk, if no component above the last one is a link.
    fn locate(&self, text: &str) -> Result<PathBuf, FsError> {
        let mut place = self.0.clone();
        for component in text.split('/').filter(|_| !text.is_empty()) {
            if matches!(component, "" | "." | "..") {
                return Err(FsError::BadPath);
            }
            if place != self.0 && fs::symlink_metadata(&place).map_err(fs_error)?.is_symlink() {
                return Err(FsError::WrongKind);
            }
            place.push(os_name(component).ok_or(FsError::BadPath)?);
        }
        Ok(place)
    }

    fn visit(&self, at: &Path, text: &str, depth: u32, filter: &Filter, nodes: &mut Vec<Node>) -> Result<(), FsError> {
        let mut children: Vec<_> = fs::read_dir(at).map_err(fs_error)?.filter_map(Result::ok).collect();
        children.sort_by_key(fs::DirEntry::file_name);
        for child in children {
            let Ok(metadata) = fs::symlink_metadata(child.path()) else { continue };
            let text = path::join(text, &path::escape(child.file_name().as_encoded_bytes()));
            let node = node(&child.path(), text.clone(), &metadata, filter.stat);
            let enter = node.is_directory() && (filter.max_depth == 0 || depth < filter.max_depth);
            if passes(&node, filter) {
                nodes.push(node);
            }
            if enter {
                self.visit(&child.path(), &text, depth + 1, filter, nodes)?;
            }
        }
        Ok(())
    }

    fn read_one(&self, file: &str, limit: u32) -> Result<Vec<u8>, FsError> {
        let place = self.locate(file)?;
        let metadata = fs::symlink_metadata(&place).map_err(fs_error)?;
        if !metadata.is_file() {
            return Err(FsError::WrongKind);
        }
        if metadata.len() > limit.into() {
            return Err(FsError::TooLarge);
        }
        fs::read(&place).map_err(fs_error)
    }
}

impl Directory for Tree {
    fn names(&self) -> Vec<String> {
        let resolved = fs::canonicalize(&self.0).unwrap_or_else(|_| self.0.clone());
        let mut names: Vec<_> = [self.0.as_path(), resolved.as_path()].map(escape_path).into();
        names.dedup();
        names
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        let place = self.locate(at)?;
        if !at.is_empty() && !fs::symlink_metadata(&place).map_err(fs_error)?.is_dir() {
            return Err(FsError::WrongKind);
        }
        let mut nodes = vec![];
        self.visit(&place, at, 1, filter, &mut nodes)?;
        Ok(nodes.into_iter().collect())
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        files.iter().map(|file| self.read_one(file, limit)).collect()
    }
}

/// A new directory to fill, removed when dropped.
///
/// ```
/// use dscc_sdk::{Directory, testing::TempRoot};
///
/// let temp = TempRoot::new().directory("empty").file("a/b.txt", "text");
/// let root: &dyn Directory = &temp;
/// assert_eq!(root.read_text("a/b.txt", 64).as_deref(), Ok("text"));
/// ```
#[derive(Debug)]
pub struct TempRoot(Tree);

impl Default for TempRoot {
    fn default() -> Self {
        Self::new()
    }
}

impl TempRoot {
    /// An empty directory in the system's temporary folder.
    ///
    /// ```
    /// assert!(dscc_sdk::testing::TempRoot::new().path().is_dir());
    /// ```
    ///
    /// # Panics
    /// When it cannot be made; as all that prepares a test.
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("dscc-sdk-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let place = std::env::temp_dir().join(name);
        fs::create_dir(&place).expect("a temporary directory can be made");
        Self(Tree(place))
    }

    /// Where it is.
    ///
    /// ```
    /// assert!(dscc_sdk::testing::TempRoot::new().file("a", "1").path().join("a").is_file());
    /// ```
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Adds a directory, with those above it.
    ///
    /// ```
    /// assert!(dscc_sdk::testing::TempRoot::new().directory("a/b").path().join("a/b").is_dir());
    /// ```
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn directory(self, path: &str) -> Self {
        fs::create_dir_all(self.place(path)).expect("the directory can be made");
        self
    }

    /// Adds a file, with the directories above it.
    ///
    /// ```
    /// assert!(dscc_sdk::testing::TempRoot::new().file("a/b", "1").path().join("a/b").is_file());
    /// ```
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        fs::write(self.place_in_parent(path), content).expect("the file can be written");
        self
    }

    /// Adds a symbolic link with this text, with the directories above it.
    ///
    /// ```
    /// assert!(dscc_sdk::testing::TempRoot::new().link("a", "b").path().join("a").is_symlink());
    /// ```
    ///
    /// # Panics
    /// When it cannot be made.
    #[cfg(unix)]
    pub fn link(self, path: &str, target: impl AsRef<Path>) -> Self {
        std::os::unix::fs::symlink(target, self.place_in_parent(path)).expect("the link can be made");
        self
    }

    fn place(&self, path: &str) -> PathBuf {
        let names = path.split('/').map(|name| os_name(name).expect("a path in its text form"));
        names.fold(self.path().to_owned(), |place, name| place.join(name))
    }

    fn place_in_parent(&self, path: &str) -> PathBuf {
        fs::create_dir_all(self.place(path::parent(path))).expect("the directory can be made");
        self.place(path)
    }
}

impl Directory for TempRoot {
    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        self.0.walk(at, filter)
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        self.0.read(files, limit)
    }
}

impl Drop for TempRoot {
    fn drop(&mut self) {
        // Nothing useful can be done about a leftover of a test.
        let _ = fs::remove_dir_all(self.path());
    }
}

fn node(place: &Path, text: String, metadata: &fs::Metadata, stat: bool) -> Node {
    let mut node = Node { path: text, kind: Kind::Other, target: String::new(), size: 0, modified: 0 };
    if metadata.is_dir() {
        node.kind = if fs::read_dir(place).is_ok() { Kind::Directory } else { Kind::Unreadable };
    } else if metadata.is_symlink() {
        node.kind = Kind::Link;
        node.target = fs::read_link(place).map(|target| escape_path(&target)).unwrap_or_default();
    } else if metadata.is_file() {
        node.kind = Kind::File;
        if !stat {
            return node;
        }
        node.size = metadata.len();
        let age = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        node.modified = age.map_or(0, |age| i64::try_from(age.as_nanos()).unwrap_or(i64::MAX));
    }
    node
}

fn escape_path(path: &Path) -> String {
    path::escape(path.as_os_str().as_encoded_bytes())
}

#[cfg(unix)]
fn os_name(component: &str) -> Option<std::ffi::OsString> {
    use std::os::unix::ffi::OsStringExt;
    path::unescape(component).map(std::ffi::OsString::from_vec)
}

#[cfg(not(unix))]
fn os_name(component: &str) -> Option<std::ffi::OsString> {
    String::from_utf8(path::unescape(component)?).ok().map(Into::into)
}

fn fs_error(error: std::io::Error) -> FsError {
    match error.kind() {
        std::io::ErrorKind::NotFound => FsError::NotFound,
        std::io::ErrorKind::PermissionDenied => FsError::Denied,
        std::io::ErrorKind::NotADirectory | std::io::ErrorKind::IsADirectory => FsError::WrongKind,
        _ => FsError::Other,
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::Kinds;

    fn read_text(root: &dyn Directory, file: &str, limit: u32) -> Result<String, FsError> {
        root.read_text(file, limit)
    }

    fn paths(root: &TempRoot, at: &str, filter: &Filter) -> Vec<String> {
        root.walk(at, filter).unwrap().map(|node| node.path).collect()
    }

    #[test]
    fn a_walk_gives_parents_first_and_only_what_passes() {
        let root = TempRoot::new().file("b/c.txt", "x").file("b/d.bin", "xy").link("a", "b");
        assert_eq!(paths(&root, "", &Filter::all()), ["a", "b", "b/c.txt", "b/d.bin"]);
        assert_eq!(paths(&root, "", &Filter::direct()), ["a", "b"]);
        assert_eq!(paths(&root, "", &Filter::all().kinds(Kinds::FILE).name("*.bin")), ["b/d.bin"]);
        assert_eq!(paths(&root, "b", &Filter::direct().name("c*")), ["b/c.txt"]);
    }

    #[test]
    fn no_link_is_followed_and_nothing_above_is_reached() {
        let root = TempRoot::new().file("b/c.txt", "x").link("a", "b");
        assert_eq!(root.walk("a", &Filter::all()).err(), Some(FsError::WrongKind));
        assert_eq!(read_text(&root, "a/c.txt", 9), Err(FsError::WrongKind));
        assert_eq!(read_text(&root, "../x", 9), Err(FsError::BadPath));
        assert_eq!(read_text(&root, "b/c.txt", 0), Err(FsError::TooLarge));
        assert_eq!(read_text(&root, "b/c.txt", 1).as_deref(), Ok("x"));
    }

    #[test]
    fn names_that_are_not_utf8_are_escaped_and_found_again() {
        let root = TempRoot::new().file("\\xff\\\\n", "1");
        assert_eq!(paths(&root, "", &Filter::all()), ["\\xff\\\\n"]);
        assert_eq!(read_text(&root, "\\xff\\\\n", 9).as_deref(), Ok("1"));
    }
}
