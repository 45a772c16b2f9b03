//! Lock files. A builder locks its folder's absolute name, written into the cache's root with `_` for `/`, and then files
//! beside the folder. All of them stay, and a name says nothing about use: the host asks the lock itself.

use std::collections::BTreeSet;

use dscc_sdk::{Directory, Entry, Filter, FsError, LockKind, Node, Recovery, State};

use crate::dataset::Build;

/// Endings of the files beside a build's folder, over all versions.
const BESIDE: [&str; 5] =
    ["_builder.lock", "_info.lock", "_infos.lock", ".incomplete_info.lock", ".incomplete_infos.lock"];

/// The files that a builder may lock beside the folder `base`, the one for the whole build last.
pub fn beside(base: &str) -> impl Iterator<Item = String> + '_ {
    BESIDE.iter().rev().map(move |ending| format!("{base}{ending}"))
}

/// The folder that a lock file beside it is for, by their names.
pub fn folder_of(file: &str) -> Option<&str> {
    let folder = BESIDE.iter().filter_map(|ending| file.strip_suffix(ending)).min_by_key(|folder| folder.len())?;
    (!folder.is_empty()).then_some(folder)
}

/// The root's own lock files.
pub struct RootLocks {
    /// What the names begin with: the root's names with `_` for `/`.
    prefixes: Vec<String>,
    /// Those that are there, all of them empty files.
    files: BTreeSet<String>,
}

impl RootLocks {
    /// Looks at the root.
    pub fn of(root: &dyn Directory) -> Result<Self, FsError> {
        Self::named(root, "*.lock")
    }

    /// Those that builds of one dataset can have. There are as many as there ever were builds.
    pub fn of_dataset(root: &dyn Directory, folder: &str) -> Result<Self, FsError> {
        Self::named(root, &format!("*_{folder}_*.lock"))
    }

    fn named(root: &dyn Directory, pattern: &str) -> Result<Self, FsError> {
        let found = root.walk("", &Filter::direct().name(pattern).stat())?;
        let files = found.filter(|node| node.is_file() && node.size == 0).map(|node| node.path).collect();
        let prefix = |name: String| name.trim_end_matches('/').replace('/', "_");
        Ok(Self { prefixes: root.names().into_iter().map(prefix).collect(), files })
    }

    /// The locks of the build in the folder `base` that are there, under any of the root's names.
    pub fn of_build(&self, base: &str) -> Vec<String> {
        self.names(base).into_iter().filter(|name| self.files.contains(name)).collect()
    }

    fn names(&self, base: &str) -> BTreeSet<String> {
        let flat = base.replace('/', "_");
        self.prefixes.iter().map(|prefix| format!("{prefix}_{flat}.lock")).collect()
    }

    /// The locks that are not of these builds: those of builds that are gone, those of a name that the root had before it
    /// was moved, and those with a long name, which ends in a number that is another one in each process.
    pub fn unused(&self, builds: &BTreeSet<&str>) -> Vec<String> {
        let used: BTreeSet<String> = builds.iter().flat_map(|base| self.names(base)).collect();
        let moved: BTreeSet<String> = builds.iter().map(|base| format!("_{}.lock", base.replace('/', "_"))).collect();
        let ours = |file: &&String| {
            let own =
                self.prefixes.iter().any(|prefix| file.strip_prefix(prefix).is_some_and(|it| it.starts_with('_')));
            own || file.match_indices('_').any(|(at, _)| at > 0 && moved.contains(&file[at..])) && file.starts_with('_')
        };
        self.files.iter().filter(|file| !used.contains(*file)).filter(ours).cloned().collect()
    }
}

/// All that a build claims, in the order of removal: its content, the locks beside it, its lock in the root.
pub fn claims(build: &Build, locks: &RootLocks) -> Vec<String> {
    let of_root = if build.has_locks { locks.of_build(&build.base) } else { vec![] };
    build.content.iter().chain(&build.locks).cloned().chain(of_root).collect()
}

/// Adds the locks that a builder may hold on the folder `base`.
pub fn guard(entry: Entry, base: &str, locks: &RootLocks) -> Entry {
    let names = beside(base).chain(locks.of_build(base));
    names.fold(entry, |entry, name| entry.lock(LockKind::Flock, name))
}

/// The entry for lock files that are no build's; none if there are none.
pub fn entry(id: String, files: Vec<String>) -> Option<Entry> {
    let entry = Entry::new(id, "lock").label("unused lock files").state(State::Stale).recovery(Recovery::Rebuild);
    let entry = entry.reclaim("lock files of builds that are gone").attribute("locks", files.len().to_string());
    (!files.is_empty())
        .then(|| files.into_iter().fold(entry, |entry, file| entry.lock(LockKind::Flock, &file).owns(file)))
}

/// Whether a node is an empty file, as locks are. Needs the size.
pub fn is_lock(node: &Node) -> bool {
    node.is_file() && node.size == 0 && node.name().ends_with(".lock")
}
