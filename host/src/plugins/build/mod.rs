//! `dscc plugin build`: from a plugin's sources to a component in its folder, `NAME.wasm`. What a folder's language is
//! tells the file that its tools need; a module for each knows how to run them. Here is the check of what came out.

mod rust;
mod script;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::runtime::{Audit, PluginErrorKind, audit, digest};

/// A component that was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// Where it is: `NAME.wasm` in the plugin's folder.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hex.
    pub digest: String,
    /// What it imports and exports.
    pub audit: Audit,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Not a plugin's folder.
    #[error(
        "`{0}` has no Cargo.toml, package.json or pyproject.toml; name the plugin's folder, or make one with \
         `dscc plugin new NAME`"
    )]
    NoProject(PathBuf),
    /// A program that the build needs is missing.
    #[error("`{program}` cannot be run ({error}); {install}")]
    NoTool {
        /// Which program.
        program: String,
        /// Why.
        error: std::io::Error,
        /// What to do about it.
        install: &'static str,
    },
    /// No standard library for components.
    #[error("the target {target} is not installed; run: rustup target add {target}", target = rust::TARGET)]
    NoTarget,
    /// What the project depends on is not there.
    #[error("what `{0}` depends on is not installed; in that folder, run: npm install")]
    NoModules(PathBuf),
    /// The program said why on standard error.
    #[error("{program} could not build `{project}`; its messages are above", project = .project.display())]
    Failed {
        /// Which program.
        program: String,
        /// The plugin's folder or its manifest.
        project: PathBuf,
    },
    /// An ordinary library, perhaps.
    #[error("`{0}` builds no component; its Cargo.toml needs [lib] crate-type = [\"cdylib\"]")]
    NoComponent(PathBuf),
    /// The build went well and left nothing.
    #[error("the build left no `{0}`; that is where it has to write the component")]
    NotWritten(PathBuf),
    /// What the plugin is called decides the file's name.
    #[error("`{0}` gives no name that a file can have")]
    NoName(PathBuf),
    /// Built, and not a plugin.
    #[error("what was built is no plugin: {0}")]
    NotAPlugin(PluginErrorKind),
    /// Reading or writing failed.
    #[error("`{0}`: {1}")]
    Io(PathBuf, std::io::Error),
}

/// Builds what is in a folder.
type Builder = fn(&Path) -> Result<Built, BuildError>;

/// How a project is built, by the file that its language's tools need.
const PROJECTS: [(&str, Builder); 3] =
    [("Cargo.toml", rust::build), ("package.json", script::build_javascript), ("pyproject.toml", script::build_python)];

/// Whether a folder has a plugin's sources.
pub fn is_project(dir: &Path) -> bool {
    PROJECTS.iter().any(|(file, _)| dir.join(file).is_file())
}

/// Builds the plugin in a folder, checks the component and leaves it there as `NAME.wasm`.
///
/// # Errors
/// When a tool or the target is missing, the build fails, or the result is no plugin.
pub fn build(dir: &Path) -> Result<Built, BuildError> {
    let dir = fs::canonicalize(dir).map_err(|e| BuildError::Io(dir.to_owned(), e))?;
    let project = PROJECTS.iter().find(|(file, _)| dir.join(file).is_file());
    match project {
        Some((_, build)) => build(&dir),
        None => Err(BuildError::NoProject(dir)),
    }
}

/// The name of a package without what tells it from other packages.
fn stem(package: &str) -> &str {
    package.strip_prefix("dscc-plugin-").unwrap_or(package)
}

/// Looks at what was built, before anybody takes it for a plugin.
fn checked(path: PathBuf, bytes: &[u8]) -> Result<Built, BuildError> {
    let audit = audit(bytes).map_err(BuildError::NotAPlugin)?;
    audit.verdict().map_err(BuildError::NotAPlugin)?;
    Ok(Built { path, size: bytes.len() as u64, digest: digest(bytes), audit })
}

/// Runs a tool, whose output is messages: standard output is for what dscc says.
fn run(command: &mut Command, install: &'static str) -> Result<ExitStatus, BuildError> {
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    status.map_err(|error| no_tool(command, error, install))
}

fn no_tool(command: &Command, error: std::io::Error, install: &'static str) -> BuildError {
    BuildError::NoTool { program: command.get_program().to_string_lossy().into_owned(), error, install }
}
