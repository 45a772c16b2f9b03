//! What a walk asks for, and what it gives.

use crate::{Filter, FsError, Kind, Kinds, Node};

impl Filter {
    /// Everything, however deep.
    ///
    /// ```
    /// use dscc_sdk::{Filter, Kinds};
    ///
    /// let filter = Filter::all().kinds(Kinds::FILE).name("*.json").name("*.lock").stat();
    /// assert_eq!(filter.names, ["*.json", "*.lock"]);
    /// ```
    pub fn all() -> Self {
        Self { max_depth: 0, kinds: Kinds::empty(), names: vec![], stat: false }
    }

    /// What is directly in the directory.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Filter::direct().max_depth, 1);
    /// ```
    pub fn direct() -> Self {
        Self::all().depth(1)
    }

    /// Not deeper than this many levels; 0: no limit.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Filter::all().depth(2).max_depth, 2);
    /// ```
    pub fn depth(mut self, levels: u32) -> Self {
        self.max_depth = levels;
        self
    }

    /// Only nodes of these kinds. Unreadable directories are given all the same.
    ///
    /// ```
    /// use dscc_sdk::{Filter, Kinds};
    ///
    /// assert_eq!(Filter::all().kinds(Kinds::FILE | Kinds::LINK).kinds, Kinds::FILE | Kinds::LINK);
    /// ```
    pub fn kinds(mut self, kinds: Kinds) -> Self {
        self.kinds = kinds;
        self
    }

    /// Also with the size and time of files, which costs the host a system call for each.
    ///
    /// ```
    /// assert!(dscc_sdk::Filter::direct().stat().stat);
    /// ```
    pub fn stat(mut self) -> Self {
        self.stat = true;
        self
    }

    /// Only nodes whose name matches this pattern, or one given before. `*` stands for any part of a name.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Filter::direct().name("*.json").names, ["*.json"]);
    /// ```
    pub fn name(mut self, pattern: impl Into<String>) -> Self {
        self.names.push(pattern.into());
        self
    }
}

impl Node {
    /// Whether it is a directory that was entered.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b", "1");
    /// assert!(root.children("").unwrap()[0].is_directory());
    /// ```
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// Whether it is a regular file.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("b", "1");
    /// assert!(root.children("").unwrap()[0].is_file());
    /// ```
    pub fn is_file(&self) -> bool {
        self.kind == Kind::File
    }

    /// The last component of its path.
    ///
    /// ```
    /// use dscc_sdk::{Directory, testing::MemoryRoot};
    ///
    /// let root: &dyn Directory = &MemoryRoot::new().file("a/b", "1");
    /// assert_eq!(root.children("a").unwrap()[0].name(), "b");
    /// ```
    pub fn name(&self) -> &str {
        crate::path::name(&self.path)
    }
}

impl FsError {
    /// In words, to end a sentence with.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::FsError::NotFound.text(), "it does not exist");
    /// ```
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
