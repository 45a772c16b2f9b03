//! Folders that `snapshot_download` of huggingface_hub made before the hub's layout: `<org>__<name>.<commit>`, with plain
//! files. Nothing in them says so, but nobody else would choose such a name.

use dscc_sdk::{Detail, Directory, Entry, Filter, Kinds, LockKind, Node, Recovery, State};
use dscc_url_files::is_temporary;

/// What a killed client leaves in such a folder.
const UNFINISHED: [&str; 3] = ["*.lock", "*.incomplete", "tmp*"];

/// The repository and the commit that a folder is named by.
pub fn parse(name: &str) -> Option<(String, &str)> {
    let (folder, commit) = name.rsplit_once('.')?;
    let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let letters = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let named = !folder.is_empty() && !folder.starts_with('.') && !folder.contains("--") && folder.bytes().all(letters);
    let repository = folder.replacen("__", "/", 1);
    let whole = repository.split('/').all(|part| !part.is_empty());
    (named && whole && commit.len() == 40 && commit.bytes().all(digits)).then_some((repository, commit))
}

/// Whether a folder of such a name is no clone that somebody made, nor out of reach.
pub fn is_ours(root: &dyn Directory, folder: &str) -> bool {
    root.walk(folder, &Filter::direct().name(".git")).is_ok_and(|mut found| found.next().is_none())
}

/// An entry for each of these folders.
pub fn list(root: &dyn Directory, folders: &[Node], detail: Detail) -> Vec<Entry> {
    let entry = |node: &Node| {
        let (repository, commit) = parse(&node.path)?;
        let entry = Entry::new(format!("{repository}@{commit}"), "snapshot").label(&repository).owns(&node.path);
        let entry =
            entry.recovery(Recovery::Download).attribute("repository", repository).attribute("revision", commit);
        Some(if detail == Detail::Full { finished(root, entry, &node.path) } else { entry })
    };
    folders.iter().filter_map(entry).collect()
}

/// Tells a download that was killed by what it left: the library removes the locks of those that ended. A repository may
/// hold a `poetry.lock`, which is not empty.
pub fn finished(root: &dyn Directory, mut entry: Entry, folder: &str) -> Entry {
    let filter = UNFINISHED.iter().fold(Filter::all().kinds(Kinds::FILE).stat(), |filter, name| filter.name(*name));
    for node in root.walk(folder, &filter).into_iter().flatten().filter(Node::is_file) {
        let lock = node.name().ends_with(".lock") && node.size == 0;
        if lock {
            entry = entry.lock(LockKind::Flock, &node.path);
        }
        if lock || node.name().ends_with(".incomplete") || is_temporary(node.name()) {
            entry.state = State::Partial;
        }
    }
    entry
}
