//! What it costs to have a copy of code back: whether it is as the library made it. The scripts of Datasets and Evaluate
//! are named by their content. Of a repository's code nothing is recorded, so that two traces of an edit are looked for:
//! a file newer than the copy, and one that is not what Python compiled.

use dscc_sdk::json::Value;
use dscc_sdk::{Directory, Entry, Kind, Listing, Node, Recovery, State, path};
use dscc_url_files::is_name;

use super::layout::{Code, Source};
use super::place::{Place, compiled, is_known};
use super::{hash, name};
use crate::claims::{Tree, is_hex, rank};

/// A copy is made file by file, with downloads in between; what is later than this may be an edit.
const MAKING: i64 = 60 * 1_000_000_000;

/// Code is short; what is longer is not looked into.
const LONGEST: u32 = 4 << 20;

/// The recovery of a copy, and why.
pub fn judge(
    root: &dyn Directory,
    tree: &Tree,
    code: &Code,
    version: &str,
    places: &[Place],
    mut entry: Entry,
) -> Entry {
    entry.recovery = if code.source.is_local() { Recovery::Uncertain } else { Recovery::Download };
    let key = if is_hex(version, 40) { "revision" } else { "hash" };
    entry = entry.attribute(key, is_hex(version, version.len()).then_some(version));
    for place in places {
        let nodes = place.nodes(tree);
        let found = match place {
            _ if code.source.is_local() => {
                Some((Recovery::Uncertain, "it was copied from a local folder, of which there is no record".to_owned()))
            }
            Place::Folder(at) if code.source.is_script() => {
                let file = tree.child(at, &format!("{}.py", path::name(&code.name)));
                entry.state = if file.is_some_and(Node::is_file) { entry.state } else { State::Broken };
                entry = entry.attribute("source", source(root, code, at).as_str());
                script(root, code, version, at, &nodes)
            }
            Place::Folder(_) => edited(root, tree, &nodes),
            // Written anew at each use.
            Place::Files(_) => None,
        };
        for (recovery, why) in found.into_iter().chain(foreign(code.source, &nodes)) {
            entry.recovery = std::cmp::max_by_key(entry.recovery, recovery, |it| rank(*it));
            entry = entry.attribute("warning", why);
        }
    }
    entry
}

/// What the library did not put there stays; it tells of somebody who works here.
fn foreign(source: Source, nodes: &[&Node]) -> Option<(Recovery, String)> {
    let node = nodes.iter().find(|node| !node.is_directory() && !is_known(source, node))?;
    let why = match node.kind {
        Kind::Unreadable => format!("`{}` cannot be read", path::name(&node.path)),
        _ => format!("`{}` was not put there by the library, and stays", path::name(&node.path)),
    };
    Some((Recovery::Uncertain, why))
}

/// Traces of an edit in the code of a repository.
fn edited(root: &dyn Directory, tree: &Tree, nodes: &[&Node]) -> Option<(Recovery, String)> {
    let modules: Vec<&Node> =
        nodes.iter().copied().filter(|node| node.is_file() && node.name().ends_with(".py")).collect();
    let tell = |node: &Node, what: &str| Some((Recovery::Uncertain, format!("`{}` {what}", node.name())));
    if let Some(node) = modules.iter().find(|node| node.name() == "__init__.py" && node.size > 0) {
        return tell(node, "is not empty as the library makes it: it may have been edited");
    }
    let first = modules.iter().map(|node| node.modified).min().unwrap_or_default();
    if let Some(node) = modules.iter().find(|node| node.modified > first.saturating_add(MAKING)) {
        return tell(node, "is newer than the copy: it may have been edited");
    }
    let pairs: Vec<(&Node, &Node)> =
        modules.iter().flat_map(|node| compiled(tree, node).map(|compiled| (*node, compiled))).collect();
    let paths: Vec<String> = pairs.iter().map(|(_, compiled)| compiled.path.clone()).collect();
    let contents = root.read(&paths, LONGEST);
    let is_other = |((node, _), content): &(&(&Node, &Node), Result<Vec<u8>, _>)| {
        content.as_ref().is_ok_and(|content| !is_compiled_from(content, node))
    };
    let ((node, _), _) = pairs.iter().zip(contents).find(is_other)?;
    tell(node, "was changed since Python compiled it: it may have been edited")
}

/// Whether a compiled file says that it was made from this one: its header has the time and the size of the source, both
/// of 32 bits. Nothing is said by one that has the digest instead, or is broken.
fn is_compiled_from(content: &[u8], node: &Node) -> bool {
    let word = |at: usize| {
        let bytes = content.get(at..at + 4)?;
        Some(u32::from_le_bytes(bytes.try_into().ok()?))
    };
    let (Some(0), Some(time), Some(size)) = (word(4), word(8), word(12)) else { return true };
    let seconds = node.modified.div_euclid(1_000_000_000).rem_euclid(1 << 32);
    i64::from(time) == seconds && u64::from(size) == node.size % (1 << 32)
}

/// Whether a script is what its folder's name says, whether it came from a server, and whether it is alone.
fn script(root: &dyn Directory, code: &Code, version: &str, at: &str, nodes: &[&Node]) -> Option<(Recovery, String)> {
    let stem = path::name(&code.name);
    let read = |name: &String| root.read_text(&path::join(at, &format!("{name}.py")), LONGEST).ok();
    let mut modules = vec![stem.to_owned()];
    modules.extend(read(&modules[0]).iter().flat_map(|script| hash::imports(script)));
    let texts: Option<Vec<String>> = modules.iter().map(read).collect();
    let why = match texts {
        None => "not all of its code can be read, so it is not known whether it was edited",
        Some(texts) if hash::of(&texts) != version => "its code has not the digest that it is named by: it was edited",
        Some(_) if !is_downloaded(&source(root, code, at)) => "it was copied from a local file",
        Some(_) => return stranger(code.source, at, &modules, nodes),
    };
    Some((Recovery::Uncertain, why.to_owned()))
}

/// A module that the script does not import, or what is in a folder: nothing says that the library copied it.
fn stranger(source: Source, at: &str, modules: &[String], nodes: &[&Node]) -> Option<(Recovery, String)> {
    let is_copied = |node: &Node| {
        let module = node.name().strip_suffix(".py").or_else(|| name::module_of(node.name()));
        let folder = path::parent(&node.path);
        let is_here = folder == at || folder == path::join(at, "__pycache__");
        is_here && module.is_none_or(|module| module == "__init__" || modules.iter().any(|it| it == module))
    };
    let node = nodes.iter().find(|node| is_known(source, node) && !is_copied(node))?;
    Some((Recovery::Uncertain, format!("`{}` is none of the files that the library copies here", node.name())))
}

/// The file that a script was copied from, as the library wrote it down.
fn source(root: &dyn Directory, code: &Code, at: &str) -> String {
    let file = path::join(at, &format!("{}.json", path::name(&code.name)));
    let record: Value = root.read_json(&file, LONGEST, &mut Listing::default());
    record["original file path"].as_str().unwrap_or_default().to_owned()
}

/// Whether a file is in a cache of downloads: named by an address, or in a snapshot of the hub.
fn is_downloaded(source: &str) -> bool {
    let parts: Vec<&str> = source.split(['/', '\\']).collect();
    let in_snapshot = parts.windows(2).any(|pair| pair[0] == "snapshots" && is_hex(pair[1], 40));
    in_snapshot || parts.last().is_some_and(|name| is_name(name))
}
