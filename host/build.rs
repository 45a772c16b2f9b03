//! Finds out which commit this is, for `dscc --version`: from git in a checkout, from Cargo's record in a package. And
//! embeds what `dscc plugin new` writes: every file of the templates, of the SDK and of the interface.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=DSCC_COMMIT={}", from_git().or_else(from_package).unwrap_or_else(|| "unknown".into()));
    embed(&["sdk", "template", "wit"])
}

/// Writes a table of the texts in these folders, by their paths with `/`, for `plugins/new/files.rs`.
fn embed(folders: &[&str]) -> io::Result<()> {
    let mut files = Vec::new();
    for folder in folders {
        println!("cargo::rerun-if-changed={folder}");
        collect(Path::new(folder), &mut files)?;
    }
    files.sort();
    let here = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let line = |file: &PathBuf| {
        let name: Vec<_> = file.iter().map(|part| part.to_string_lossy()).collect();
        format!("    ({:?}, include_str!({:?})),\n", name.join("/"), here.join(file))
    };
    let table = format!("&[\n{}]\n", files.iter().map(line).collect::<String>());
    fs::write(PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("embedded.rs"), table)
}

/// What tools leave in a folder.
const LEFT: [&str; 5] = [".bindings", ".venv", "__pycache__", "node_modules", "target"];

/// The files beneath a folder, without what tools leave there.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_left = LEFT.iter().any(|left| path.ends_with(left)) || path.extension().is_some_and(|it| it == "wasm");
        if path.is_dir() && !is_left {
            collect(&path, files)?;
        } else if !is_left {
            files.push(path);
        }
    }
    Ok(())
}

fn from_git() -> Option<String> {
    for file in ["HEAD", "logs/HEAD"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", file])?);
    }
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

fn from_package() -> Option<String> {
    let record = std::fs::read_to_string(".cargo_vcs_info.json").ok()?;
    let after = record.split_once("\"sha1\"")?.1.split('"').nth(1)?;
    Some(after.chars().take(12).collect())
}
