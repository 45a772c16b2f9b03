//! The folder for what is kept for one run only: sources without a place in the home. The library removes them when it
//! ends, and never if it is killed; nobody sweeps the folder.

use std::collections::BTreeMap;

use dscc_sdk::{Directory, Entry, Kind, Listing, Node, Recovery, Result, State};

/// The files, each with what it is downloaded to.
///
/// Such names are those of all Python programs. Where the folder holds anything else too, it is not the library's alone,
/// and nothing in it is called needless.
pub fn list(root: &dyn Directory) -> Result<Listing> {
    let mut files: BTreeMap<&str, Vec<&Node>> = BTreeMap::new();
    let nodes = root.children("")?;
    let mut is_own = true;
    for node in &nodes {
        match stem(node) {
            Some(stem) => files.entry(stem).or_default().push(node),
            None => is_own = false,
        }
    }
    let mut listing: Listing = files.into_iter().map(|(stem, nodes)| entry(stem, &nodes, is_own)).collect();
    if !is_own && !listing.entries.is_empty() {
        listing.warn("", "there are files of other programs too, so those that look like ir_datasets' may not be");
    }
    Ok(listing)
}

fn entry(stem: &str, nodes: &[&Node], is_own: bool) -> Entry {
    let partial = nodes.iter().any(|node| node.name().ends_with(".tmp"));
    let (kind, state) = if partial { ("partial", State::Partial) } else { ("download", State::Detached) };
    let mut entry = Entry::new(stem, kind).label(stem).state(state);
    entry.owns = nodes.iter().map(|node| node.path.clone()).collect();
    if !is_own {
        return entry.recovery(Recovery::Uncertain);
    }
    entry.recovery(Recovery::Download).reclaim("a source for one run, left when that run was killed")
}

/// `tmpXXXXXXXX` of that and of `tmpXXXXXXXX.tmp`.
fn stem(node: &Node) -> Option<&str> {
    let name = node.name();
    let stem = name.strip_suffix(".tmp").unwrap_or(name);
    let random = stem.strip_prefix("tmp")?;
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (node.kind == Kind::File && random.len() == 8 && random.bytes().all(fits)).then_some(stem)
}
