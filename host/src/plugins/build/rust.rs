//! Plugins in Rust: the same bytes on every machine. Cargo does the work; here are the settings that make a component
//! small and free of this machine's paths.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::runtime::strip;

use super::{BuildError, Built, checked, no_tool, stem};

/// The target of components; its standard library comes with the toolchain.
pub(super) const TARGET: &str = "wasm32-wasip2";

const GET_RUST: &str = "install Rust from rustup.rs";

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

/// Runs Cargo, checks the component and puts it into the plugin's folder.
pub(super) fn build(dir: &Path) -> Result<Built, BuildError> {
    let manifest = dir.join("Cargo.toml");
    if !has_target()? {
        return Err(BuildError::NoTarget);
    }
    let metadata = metadata(&manifest)?;
    let artifact = compile(&manifest, &metadata)?;
    let bytes = strip(fs::read(&artifact).map_err(|e| BuildError::Io(artifact.clone(), e))?);
    let built = checked(dir.join(format!("{}.wasm", stem(&metadata.package))), &bytes)?;
    fs::write(&built.path, &bytes).map_err(|e| BuildError::Io(built.path.clone(), e))?;
    Ok(built)
}

/// What the plugin is called, which folders the build must not tell anyone about, and where it may work.
struct Metadata {
    package: String,
    workspace: PathBuf,
    target: PathBuf,
    /// Where Cargo keeps the sources of registries, whatever these are called.
    registries: BTreeSet<PathBuf>,
}

fn metadata(manifest: &Path) -> Result<Metadata, BuildError> {
    let mut command = Command::new(cargo());
    command.args(["metadata", "--format-version", "1", "--filter-platform", TARGET, "--manifest-path"]).arg(manifest);
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| no_tool(&command, error, GET_RUST))?;
    let failed = || failed(manifest);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).map_err(|_| failed())?;
    let folder = |key: &str| json[key].as_str().map(PathBuf::from).ok_or_else(failed);
    let mut packages = json["packages"].as_array().into_iter().flatten();
    let registries = packages.clone().filter_map(registry_of).collect();
    let ours = packages.find(|it| it["manifest_path"].as_str().is_some_and(|path| Path::new(path) == manifest));
    let package = ours.and_then(|it| it["name"].as_str()).ok_or_else(|| BuildError::NoName(manifest.to_owned()))?;
    Ok(Metadata {
        package: package.to_owned(),
        workspace: folder("workspace_root")?,
        target: folder("target_directory")?,
        registries,
    })
}

/// The folder that holds the sources of all packages of a registry's package.
fn registry_of(package: &serde_json::Value) -> Option<PathBuf> {
    package["source"].as_str().filter(|source| source.starts_with("registry+") || source.starts_with("sparse+"))?;
    Some(Path::new(package["manifest_path"].as_str()?).parent()?.parent()?.to_owned())
}

fn compile(manifest: &Path, metadata: &Metadata) -> Result<PathBuf, BuildError> {
    let mut command = Command::new(cargo());
    command.args(["build", "--release", "--lib", "--target", TARGET, "--message-format", "json-render-diagnostics"]);
    command.arg("--manifest-path").arg(manifest).arg("--target-dir").arg(metadata.target.join("plugins"));
    command.envs(PROFILE.iter().copied()).env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", flags(metadata));
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| no_tool(&command, error, GET_RUST))?;
    if !output.status.success() {
        return Err(failed(manifest));
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
    // The last that fits counts.
    remap.extend(metadata.registries.iter().map(|folder| (folder.clone(), "/registry")));
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
    let mut command = Command::new(rustc);
    command.args(["--print", "target-libdir", "--target", TARGET]);
    let output = command.output().map_err(|error| no_tool(&command, error, GET_RUST))?;
    let dir = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(output.status.success() && Path::new(&dir).is_dir())
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn failed(manifest: &Path) -> BuildError {
    BuildError::Failed { program: "cargo".into(), project: manifest.to_owned() }
}
