//! `$TMPDIR/hf_datasets-*`: where a process that runs with caching disabled has its results. It removes the folder when it
//! ends; what is left is of processes that were killed, or still run: those have the tables open.

use dscc_sdk::{Context, Directory, Entry, Filter, Listing, Recovery, Result, State, path};
use dscc_url_files::is_temporary;

use crate::names;

/// The one entry of such a folder: the files that the library makes.
pub fn list(root: &dyn Directory) -> Result<Listing> {
    let nodes = root.walk("", &Filter::direct()).context("the folder cannot be listed")?;
    let ours = |name: &str| names::result(name).is_some() || is_temporary(name);
    let mut files: Vec<String> =
        nodes.filter(|node| node.is_file() && ours(node.name())).map(|node| node.path).collect();
    files.sort_unstable();
    if files.is_empty() {
        return Ok(Listing::default());
    }
    // There is a folder for each process, and each has to have a name of its own.
    let names = root.names();
    let id = names.first().map(|name| path::name(name)).filter(|name| !name.is_empty()).unwrap_or("results");
    let entry = Entry::new(id, "cache").label("results of a process without caching");
    let entry = entry.state(State::Detached).recovery(Recovery::Rebuild).attribute("files", files.len().to_string());
    let entry = entry.reclaim("left by a process that ran with caching disabled and was killed");
    Ok([Entry { owns: files, ..entry }].into_iter().collect())
}
