//! What a plugin is built from, as it lies on disk: enough to tell that it changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Folders that tools fill.
const MADE: [&str; 5] = ["target", "node_modules", "dist", "build", "__pycache__"];
/// Files that builds write.
const WRITTEN: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// The sources of a plugin: each file with its time and size.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Sources {
    /// The sources in a folder, now. What cannot be read, or goes while this looks, is not there.
    pub fn of(dir: &Path) -> Self {
        let mut files = BTreeMap::new();
        visit(dir, Path::new(""), &mut files);
        Self(files)
    }

    /// A file that is not the same there, that one has and the other has not, or none.
    pub fn difference<'a>(&'a self, later: &'a Self) -> Option<&'a Path> {
        let changed = |from: &'a Self, to: &'a Self| {
            from.0.iter().find(|(path, stamp)| to.0.get(*path) != Some(*stamp)).map(|(path, _)| path.as_path())
        };
        changed(later, self).or_else(|| changed(self, later))
    }
}

/// Links are not followed, and nothing hidden is a source.
fn visit(dir: &Path, below: &Path, files: &mut BTreeMap<PathBuf, (Option<SystemTime>, u64)>) {
    let Ok(entries) = fs::read_dir(dir.join(below)) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Ok(metadata) = entry.metadata() else { continue };
        let text = name.to_string_lossy();
        let path = below.join(&name);
        if text.starts_with('.') || text.ends_with('~') {
            continue;
        }
        if metadata.is_dir() {
            if !MADE.contains(&&*text) {
                visit(dir, &path, files);
            }
        } else if metadata.is_file() && !WRITTEN.contains(&&*text) && !text.ends_with(".wasm") {
            files.insert(path, (metadata.modified().ok(), metadata.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_source_is_seen_and_what_a_build_leaves_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("src/lib.rs", "1");
        write("Cargo.toml", "1");
        let first = Sources::of(dir.path());
        for made in ["target/x", "Cargo.lock", "lab.wasm", "node_modules/a/b.js", ".git/HEAD", "src/lib.rs~"] {
            write(made, "1");
        }
        assert_eq!(first.difference(&Sources::of(dir.path())), None);
        write("src/lib.rs", "12");
        let second = Sources::of(dir.path());
        assert_eq!(first.difference(&second), Some(Path::new("src/lib.rs")));
        fs::remove_file(dir.path().join("Cargo.toml")).unwrap();
        assert_eq!(second.difference(&Sources::of(dir.path())), Some(Path::new("Cargo.toml")));
        write("src/more.rs", "");
        write("Cargo.toml", "1");
        assert_eq!(second.difference(&second), None);
        assert!(second.difference(&Sources::of(dir.path())).is_some());
    }
}
