//! What hf_xet keeps: for each server what uploads know already (`shard-cache`), what they have staged, and a cache of
//! downloaded chunks that no client since 1.4.2 opens; besides the logs of all processes.

use dscc_sdk::{
    Context, Detail, Directory, Entry, Filter, FsError, Kind, Kinds, Listing, Node, Recovery, Result, State, path,
};

/// Characters of a server's digest, which its folder's name ends with.
const DIGEST: usize = 16;

/// The digest of the server that huggingface.co uses, and its address; of others the name has the beginning only.
const KNOWN: (&str, &str) = ("tGqkUaZf_CBPHQ6h", "https://cas-server.xethub.hf.co");

/// The folder and the id of the logs.
const LOGS: &str = "logs";

/// Servers' folders and the logs, or each log.
pub fn list(root: &dyn Directory, parent: Option<&str>, detail: Detail) -> Result<Listing> {
    if parent == Some(LOGS) {
        return Ok(logs(root).iter().map(log).collect());
    }
    let mut listing = Listing::default();
    for node in root.children("").context("the folder of Xet cannot be listed")? {
        if is_server(node.name()) {
            of_server(root, &node, detail, &mut listing);
        } else if node.name() == LOGS {
            listing.entries.extend(of_logs(root, &node));
        }
    }
    Ok(listing)
}

/// `<first 16 characters of the address, or all, with _ for what is no letter or digit>-<digest>`.
fn is_server(name: &str) -> bool {
    let Some((start, digest)) = name.char_indices().nth_back(DIGEST).map(|(at, _)| name.split_at(at)) else {
        return false;
    };
    let is_start = |start: &str| {
        (1..=16).contains(&start.chars().count()) && start.chars().all(|it| it.is_alphanumeric() || it == '_')
    };
    let is_digit = |it: char| it.is_ascii_alphanumeric() || matches!(it, '-' | '_');
    is_start(start) && digest.strip_prefix('-').is_some_and(|digest| digest.chars().all(is_digit))
}

/// The address, or what its folder's name tells of it.
fn address(name: &str) -> String {
    let (start, digest) = name.split_at(name.len().saturating_sub(DIGEST + 1));
    if digest.strip_prefix('-') == Some(KNOWN.0) {
        return KNOWN.1.to_owned();
    }
    let start = start.replacen("https___", "https://", 1).replacen("http___", "http://", 1);
    format!("{start}…")
}

fn of_server(root: &dyn Directory, server: &Node, detail: Detail, listing: &mut Listing) {
    let entry = |node: &Node, kind: &str| {
        let label = format!("{} of {}", node.name(), address(server.name()));
        Entry::at(&node.path, kind).label(label).attribute("server", address(server.name()))
    };
    let parts = match root.children(&server.path) {
        Ok(parts) => parts,
        // Another cache's, or a link: what a link leads to is somebody's.
        Err(FsError::NotFound) => return,
        Err(_) if server.kind == Kind::Link => return listing.push(link(server)),
        Err(error) => {
            listing.warn(&server.path, format!("it cannot be listed: {}", error.text()));
            return listing.push(Entry::at(&server.path, "server").state(State::Broken));
        }
    };
    for node in parts {
        let found = match node.name() {
            "chunk-cache" | "shard-cache" | "staging" if node.kind == Kind::Link => link(&node),
            "chunk-cache" => entry(&node, "chunks")
                .recovery(Recovery::Download)
                .reclaim("hf_xet 1.4.2 and later keep no chunks and do not read these"),
            "shard-cache" => entry(&node, "shards").recovery(Recovery::Rebuild),
            "staging" if detail == Detail::Outline => entry(&node, "staging"),
            "staging" => staging(root, &node, entry(&node, "staging")),
            _ => continue,
        };
        listing.push(found);
    }
}

/// An upload under way has a folder of its own in it; one that was broken off left what has been sent already, so that the
/// next one need not send it again. No lock tells the one from the other.
fn staging(root: &dyn Directory, node: &Node, entry: Entry) -> Entry {
    let Ok(mut nodes) = root.walk(&node.path, &Filter::all()) else { return entry.state(State::Broken) };
    let (mut sessions, mut has_files) = (0_u32, false);
    for node in nodes.by_ref() {
        has_files |= node.kind != Kind::Directory;
        sessions += u32::from(node.is_directory() && node.name().starts_with(".tmp"));
    }
    if has_files || sessions > 0 {
        let sessions = (sessions > 0).then(|| sessions.to_string());
        return entry.state(State::Partial).attribute("sessions", sessions);
    }
    entry.recovery(Recovery::Rebuild).reclaim("no upload has left anything here")
}

fn of_logs(root: &dyn Directory, folder: &Node) -> Option<Entry> {
    let entry = |owns: Vec<String>| owns.into_iter().fold(Entry::new(LOGS, "logs").label(LOGS), Entry::owns);
    match folder.kind {
        Kind::Link => return Some(link(folder)),
        Kind::Unreadable => return Some(entry(vec![folder.path.clone()]).state(State::Broken)),
        Kind::Directory => {}
        Kind::File | Kind::Other => return None,
    }
    let logs = logs(root);
    let is_all = root.children(&folder.path).is_ok_and(|all| all.len() == logs.len());
    let owns = if is_all { vec![folder.path.clone()] } else { logs.iter().map(|node| node.path.clone()).collect() };
    let entry = entry(owns).recovery(Recovery::Rebuild).reclaim("logs, which nothing reads");
    (!logs.is_empty()).then_some(Entry { has_children: true, ..entry })
}

/// The logs themselves: a process that still runs has its own open.
fn logs(root: &dyn Directory) -> Vec<Node> {
    let filter = Filter::direct().kinds(Kinds::FILE).name("xet_*.log");
    let mut logs: Vec<Node> =
        root.walk(LOGS, &filter).map(|nodes| nodes.filter(Node::is_file).collect()).unwrap_or_default();
    logs.sort_by(|a, b| a.path.cmp(&b.path));
    logs
}

/// `xet_<time><zone>_<process>.log`
fn log(node: &Node) -> Entry {
    let entry = Entry::at(&node.path, "log").recovery(Recovery::Rebuild);
    let stem = node.name().strip_prefix("xet_").and_then(|rest| rest.strip_suffix(".log"));
    let Some((time, process)) = stem.and_then(|stem| stem.rsplit_once('_')) else { return entry };
    entry
        .created(time_of(time))
        .attribute("process", process.bytes().all(|byte| byte.is_ascii_digit()).then_some(process))
        .reclaim("a log, which nothing reads; hf_xet removes it after 14 days")
}

/// `20261120T085938933+0000`
fn time_of(text: &str) -> Option<String> {
    let (time, zone) = text.split_at_checked(text.len().checked_sub(5)?)?;
    let (date, clock) = time.split_once('T').filter(|(date, clock)| date.len() == 8 && clock.len() >= 6)?;
    let part = |text: &'_ str, at: std::ops::Range<usize>| text.get(at).map(str::to_owned);
    let fraction = clock.get(6..).filter(|it| !it.is_empty()).map(|it| format!(".{it}")).unwrap_or_default();
    dscc_sdk::time::lenient(&format!(
        "{}-{}-{}T{}:{}:{}{fraction}{}:{}",
        part(date, 0..4)?,
        part(date, 4..6)?,
        part(date, 6..8)?,
        part(clock, 0..2)?,
        part(clock, 2..4)?,
        part(clock, 4..6)?,
        part(zone, 0..3)?,
        part(zone, 3..5)?,
    ))
}

/// A link was made by the user; what it leads to is not removed with it.
fn link(node: &Node) -> Entry {
    Entry::at(&node.path, "link")
        .label(path::name(&node.path))
        .recovery(Recovery::Irreplaceable)
        .attribute("target", &node.target)
}
