//! The cases of a plugin: the folders in `cases/`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::escape_text;
use crate::tree::FsError;

use super::text::{LineError, Setting, parse};
use super::tree::Tree;

/// A tree and what the plugin must say of it.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// How the plugin comes to the tree.
    pub setting: Setting,
    /// The tree.
    pub tree: Tree,
}

/// Why the cases cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The folder, or a file in it.
    #[error("`{0}` cannot be read: {1}")]
    Unreadable(String, String),
    /// A line.
    #[error("`{0}`, {1}")]
    Line(String, LineError),
    /// Neither of the two.
    #[error("the case `{0}` has neither a tree.txt nor a folder `tree`")]
    NoTree(String),
    /// `--case`.
    #[error("there is no case `{name}`; there are: {}", .known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<String>,
    },
}

/// Reads the cases in a folder, which need not be there; `only` names those that are wanted, if not all are.
///
/// # Errors
/// When a case cannot be read, or one that is wanted is not there.
pub fn read_cases(folder: &Path, only: &[String]) -> Result<Vec<Case>, CaseError> {
    let mut names = Vec::new();
    match fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|error| unreadable(folder, &error))?;
                if entry.path().is_dir() {
                    names.push(entry.file_name().to_string_lossy().into_owned());
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(folder, &error)),
    }
    names.sort();
    if let Some(name) = only.iter().find(|name| !names.contains(name)) {
        return Err(CaseError::Unknown { name: name.clone(), known: names });
    }
    names.retain(|name| only.is_empty() || only.contains(name));
    names.into_iter().map(|name| read_case(folder.join(&name), name)).collect()
}

fn read_case(folder: PathBuf, name: String) -> Result<Case, CaseError> {
    let (described, real) = (folder.join("tree.txt"), folder.join("tree"));
    let has_real = real.is_dir();
    let fail = |(path, error): (crate::model::RelPath, FsError)| unreadable(&real.join(path.to_path_buf()), &error);
    let mut tree = if has_real { Tree::read(&real).map_err(fail)? } else { Tree::default() };
    let setting = match fs::read_to_string(&described) {
        Ok(text) => parse(&text, &mut tree).map_err(|error| CaseError::Line(shown(&described), error))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && has_real => Setting::default(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(CaseError::NoTree(name)),
        Err(error) => return Err(unreadable(&described, &error)),
    };
    Ok(Case { name, folder, setting, tree })
}

fn unreadable(path: &Path, error: &dyn std::error::Error) -> CaseError {
    CaseError::Unreadable(shown(path), error.to_string())
}

fn shown(path: &Path) -> String {
    escape_text(path.as_os_str())
}
