//! The cache of `torch.hub` as PyTorch 2 lays it out: repositories of code in `<owner>_<name>_<ref>/`, and downloaded
//! weights in `checkpoints/`, with what killed downloads leave of both. `trusted_list` is the user's and no entry.

use dscc_sdk::prelude::*;

/// The plugin.
pub struct TorchHub;

dscc_sdk::export!(TorchHub);

const CHECKPOINTS: &str = "checkpoints";

impl CachePlugin for TorchHub {
    fn describe() -> Manifest {
        // `os.path.expanduser` of what `os.getenv` says, also if that is empty.
        let variable = |path: &str| Location::new(path).expand(Expansion::HOME | Expansion::EMPTY);
        let rule = RootRule::new("torch-hub")
            .location(variable("${TORCH_HOME}/hub"))
            .location(variable("${XDG_CACHE_HOME}/torch/hub"))
            .location("~/.cache/torch/hub")
            .mark(CHECKPOINTS)
            .mark("trusted_list")
            .mark("*/hubconf.py")
            .mark("*.zip");
        Manifest::new(
            "torch-hub",
            env!("CARGO_PKG_VERSION"),
            "torch.hub",
            "Code and weights that torch.hub downloaded.",
        )
        .homepage("https://pytorch.org/docs/stable/hub.html")
        .license("MIT")
        .root(rule)
    }

    fn list_entries(root: &dyn Directory, _cache: &str, _parent: Option<&str>, _detail: Detail) -> Result<Listing> {
        let mut listing = Listing::default();
        let loadable = loadable(root)?;
        for node in root.children("").context("the hub cannot be listed")? {
            match node.kind {
                _ if node.name() == CHECKPOINTS => checkpoints(root, &node, &mut listing),
                Kind::Directory | Kind::Unreadable => listing.push(folder(&node, &loadable)),
                _ => listing.extend(archive(&node)),
            }
        }
        Ok(listing)
    }
}

/// Folders that hold what torch loads a repository by.
fn loadable(root: &dyn Directory) -> Result<Vec<String>> {
    let found = root.walk("", &Filter::all().depth(2).kinds(Kinds::FILE).name("hubconf.py"));
    let found = found.context("the hub cannot be searched")?.filter(Node::is_file);
    Ok(found.map(|node| path::parent(&node.path).to_owned()).collect())
}

/// A repository, or a folder that only looks like one.
fn folder(node: &Node, loadable: &[String]) -> Entry {
    let name = node.name();
    // GitHub's user names have no underscore, so the first one ends the owner. The others may belong to the repository.
    let (owner, rest) = name.split_once('_').unwrap_or_default();
    let is_loadable = loadable.iter().any(|folder| folder == name);
    if is_loadable && rest.contains('_') {
        return Entry::at(name, "repository")
            .label(format!("{owner}/{rest}"))
            .recovery(Recovery::Download)
            .attribute("owner", owner);
    }
    if is_loadable && is_unpacked(name) {
        return leftover(Entry::at(name, "leftover"), "unpacked by a killed download, which never used it");
    }
    let entry = Entry::at(name, "folder").state(State::Broken);
    match node.kind {
        Kind::Unreadable => entry.attribute("warning", "it cannot be read"),
        _ => entry.attribute("warning", "torch.hub cannot load it: there is no hubconf.py, or its name is not torch's"),
    }
}

/// Whether this is how GitHub's archives name their only folder: `<owner>-<name>-<commit>`. Torch renames it.
fn is_unpacked(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, commit)| is_hex(commit, 7))
}

/// `<ref>.zip`, which torch removes when it is unpacked, and the download of one.
fn archive(node: &Node) -> Option<Entry> {
    let entry = Entry::at(node.name(), "leftover");
    if node.is_file() && node.name().ends_with(".zip") {
        return Some(leftover(entry, "an archive that a killed download did not unpack"));
    }
    partial(node)
}

/// Everything in `checkpoints/`. What cannot be listed is said, and costs no other entry.
fn checkpoints(root: &dyn Directory, folder: &Node, listing: &mut Listing) {
    let nodes = match root.walk(CHECKPOINTS, &Filter::direct().stat()) {
        Ok(nodes) => nodes,
        Err(FsError::WrongKind) if folder.kind == Kind::Link => {
            return listing
                .warn(CHECKPOINTS, "a link, which is not followed; name its place with --root torch-hub=PATH");
        }
        Err(error) => return listing.warn(CHECKPOINTS, error.text()),
    };
    let mut entries: Vec<Entry> = nodes.map(|node| partial(&node).unwrap_or_else(|| checkpoint(&node))).collect();
    entries.sort_by(|a, b| a.id.cmp(&b.id));
    listing.extend(entries);
}

/// Weights. Nothing tells where they came from, but a name with a digest was made for a download.
fn checkpoint(node: &Node) -> Entry {
    let entry = |kind| Entry::at(&node.path, kind);
    match node.kind {
        Kind::File => {
            let stem = node.name().split_once('.').map_or("", |(stem, _)| stem);
            let digest = stem.rsplit_once('-').map(|(_, digest)| digest).filter(|digest| is_hex(digest, 8));
            let recovery = if digest.is_some() { Recovery::Download } else { Recovery::Uncertain };
            let created = time::from_nanoseconds(node.modified);
            entry("checkpoint").recovery(recovery).created(created).attribute("sha256", digest)
        }
        // Another checkpoint under a second name, mostly: while the link stays, so does that.
        Kind::Link if node.target.starts_with('/') => entry("link").needs(&node.target),
        Kind::Link if !node.target.contains('/') => entry("link").needs(path::join(CHECKPOINTS, &node.target)),
        Kind::Link => entry("link"),
        _ => entry("folder"),
    }
}

/// `<file>.<32 digits>.partial`, in older versions `tmp` and eight characters: a download under way or killed.
fn partial(node: &Node) -> Option<Entry> {
    let attempt = node.name().strip_suffix(".partial").and_then(|name| name.rsplit_once('.'));
    let target = attempt.filter(|(_, token)| token.len() == 32 && is_hex(token, 32)).map(|(target, _)| target);
    let token = node.name().strip_prefix("tmp").filter(|token| token.len() == 8);
    let old = token.is_some_and(|token| token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    if !node.is_file() || target.is_none() && !old {
        return None;
    }
    let entry = Entry::at(&node.path, "partial").state(State::Partial).recovery(Recovery::Download);
    Some(entry.attribute("of", target).reclaim("a killed download, which torch does not resume"))
}

fn leftover(entry: Entry, reason: &str) -> Entry {
    entry.state(State::Detached).recovery(Recovery::Download).reclaim(reason)
}

/// Whether it is a digest of at least so many digits.
fn is_hex(text: &str, least: usize) -> bool {
    text.len() >= least && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
