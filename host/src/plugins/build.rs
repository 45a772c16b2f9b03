//! `dscc plugin build`: from a plugin's sources to a component, the same bytes on every machine. Cargo does the work;
//! here are the settings that make a component small and free of this machine's paths, and the check of what came out.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::runtime::{Audit, PluginErrorKind, audit, digest};

/// The target of components; its standard library comes with the toolchain.
const TARGET: &str = "wasm32-wasip2";

/// Small code that is fast where caches are large, and a name section that makes traps readable.
const PROFILE: &[(&str, &str)] = &[
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "2"),
    ("CARGO_PROFILE_RELEASE_LTO", "true"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
    ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
    ("CARGO_PROFILE_RELEASE_STRIP", "debuginfo"),
    ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
    ("CARGO_INCREMENTAL", "0"),
];

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
    #[error("`{0}` has no Cargo.toml; name the plugin's folder")]
    NoProject(PathBuf),
    /// No compiler.
    #[error("`{program}` cannot be run ({error}); install Rust from rustup.rs")]
    NoTool {
        /// Which program.
        program: &'static str,
        /// Why.
        error: std::io::Error,
    },
    /// No standard library for components.
    #[error("the target {TARGET} is not installed; run: rustup target add {TARGET}")]
    NoTarget,
    /// Cargo said why on standard error.
    #[error("cargo could not build `{0}`; its messages are above")]
    Failed(PathBuf),
    /// An ordinary library, perhaps.
    #[error("`{0}` builds no component; its Cargo.toml needs [lib] crate-type = [\"cdylib\"]")]
    NoComponent(PathBuf),
    /// Built, and not a plugin.
    #[error("what was built is no plugin: {0}")]
    NotAPlugin(PluginErrorKind),
    /// Reading or writing failed.
    #[error("`{0}`: {1}")]
    Io(PathBuf, std::io::Error),
}

/// Builds the plugin in a folder, checks the component and leaves it there as `NAME.wasm`.
///
/// # Errors
/// When a tool or the target is missing, the build fails, or the result is no plugin.
pub fn build(dir: &Path) -> Result<Built, BuildError> {
    let dir = fs::canonicalize(dir).map_err(|e| BuildError::Io(dir.to_owned(), e))?;
    let manifest = dir.join("Cargo.toml");
    if !manifest.is_file() {
        return Err(BuildError::NoProject(dir));
    }
    if !has_target()? {
        return Err(BuildError::NoTarget);
    }
    let metadata = metadata(&manifest)?;
    let artifact = compile(&manifest, &metadata)?;
    let bytes = fs::read(&artifact).map_err(|e| BuildError::Io(artifact.clone(), e))?;
    let audit = audit(&bytes).map_err(BuildError::NotAPlugin)?;
    audit.verdict().map_err(BuildError::NotAPlugin)?;
    let stem = artifact.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
    let path = dir.join(format!("{}.wasm", stem.trim_start_matches("dscc-plugin-")));
    fs::write(&path, &bytes).map_err(|e| BuildError::Io(path.clone(), e))?;
    Ok(Built { path, size: bytes.len() as u64, digest: digest(&bytes), audit })
}

/// Which folders the build must not tell anyone about, and where it may work.
struct Metadata {
    workspace: PathBuf,
    target: PathBuf,
}

fn metadata(manifest: &Path) -> Result<Metadata, BuildError> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"]).arg(manifest);
    let output = command.stderr(Stdio::inherit()).output().map_err(no_tool("cargo"))?;
    let failed = || BuildError::Failed(manifest.to_owned());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|_| failed())?;
    let folder = |key: &str| json[key].as_str().map(PathBuf::from).ok_or_else(failed);
    Ok(Metadata { workspace: folder("workspace_root")?, target: folder("target_directory")? })
}

fn compile(manifest: &Path, metadata: &Metadata) -> Result<PathBuf, BuildError> {
    let mut command = Command::new(cargo());
    command.args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(metadata.target.join("plugins"));
    command.envs(PROFILE.iter().copied()).env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags(metadata));
    let output = command.stderr(Stdio::inherit()).output().map_err(no_tool("cargo"))?;
    if !output.status.success() {
        return Err(BuildError::Failed(manifest.to_owned()));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let ours = |message: &serde_json::Value| {
        let same = message["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest);
        let files = message["filenames"].as_array().filter(|_| same)?;
        files.iter().filter_map(|file| file.as_str()).find(|file| file.ends_with(".wasm")).map(PathBuf::from)
    };
    let mut parsed = messages.lines().rev().filter_map(|line| serde_json::from_str(line).ok());
    parsed.find_map(|message| ours(&message)).ok_or_else(|| BuildError::NoComponent(manifest.to_owned()))
}

/// Compiler flags that keep this machine's folders out of the component.
fn flags(metadata: &Metadata) -> OsString {
    let mut remap: Vec<(PathBuf, &str)> = vec![(metadata.workspace.clone(), "/plugin")];
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    remap.extend(cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).map(|home| (home, "/cargo")));
    let mut flags = OsString::new();
    for (from, to) in remap {
        if !flags.is_empty() {
            flags.push("\u{1f}"); // how Cargo separates encoded flags
        }
        flags.push("--remap-path-prefix=");
        flags.push(from);
        flags.push("=");
        flags.push(to);
    }
    flags
}

fn has_target() -> Result<bool, BuildError> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).output();
    let output = output.map_err(no_tool("rustc"))?;
    let dir = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success() && Path::new(&dir).is_dir())
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn no_tool(program: &'static str) -> impl Fn(std::io::Error) -> BuildError {
    move |error| BuildError::NoTool { program, error }
}
