//! Finds out which commit this is, for `dscc --version`: from git in a checkout, from Cargo's record in a package.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=DSCC_COMMIT={}", from_git().or_else(from_package).unwrap_or_else(|| "unknown".into()));
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
