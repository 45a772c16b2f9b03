//! `downloads/`: the user's mirror, in which the library looks for a file by its MD5 before it downloads it. The user puts
//! files or links there, or has them put there by `ir_datasets build_download_cache`; the library itself never does.

use dscc_sdk::{Context, Directory, Entry, Kind, Listing, Node, Recovery, Result, State, path};

use crate::entries;
use crate::known::{What, with_md5};
use crate::link;

/// Its name in the home.
pub const FOLDER: &str = "downloads";

/// The mirror as one entry, if there is anything in it that the library would look at.
pub fn parent(root: &dyn Directory, node: &Node, listing: &mut Listing) -> Option<Entry> {
    if node.kind == Kind::Link {
        return Some(entries::link(root, node));
    }
    if !matches!(node.kind, Kind::Directory | Kind::Unreadable) {
        return None;
    }
    let files = match children(root) {
        Ok(files) => files.entries,
        Err(error) => {
            listing.warn(FOLDER, String::from(error));
            return None;
        }
    };
    let recovery = files.iter().map(|file| file.recovery).min()?;
    let mut entry = Entry::new(FOLDER, "mirror").label(FOLDER).with_children().recovery(recovery);
    entry.owns = files.iter().flat_map(|file| &file.owns).cloned().collect();
    if files.iter().all(|file| file.reclaim.is_some()) {
        entry = entry.state(State::Partial).reclaim("nothing in it was finished");
    }
    Some(entry.attribute("items", files.len().to_string()))
}

/// Each file of the mirror. What has no name of a file in it is not looked at by the library, and so is the user's.
pub fn children(root: &dyn Directory) -> Result<Listing> {
    let nodes = root.children(FOLDER).context("the mirror of downloads cannot be read")?;
    Ok(nodes.iter().filter_map(|node| of_file(root, node)).collect())
}

fn of_file(root: &dyn Directory, node: &Node) -> Option<Entry> {
    let name = node.name();
    let md5 = name.strip_suffix(".tmp").unwrap_or(name);
    let is_md5 = md5.len() == 32 && md5.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_md5 || !matches!(node.kind, Kind::File | Kind::Link) {
        return None;
    }
    let fact = with_md5(md5);
    let label = fact.map_or(md5, |fact| fact.item);
    let entry = Entry::new(path::join(FOLDER, name), "download").label(label).owns(&node.path).keeps_parent();
    let entry = entry.attribute("item", fact.map(|fact| fact.item));
    let entry = entry.attribute("url", fact.map(|fact| fact.url).filter(|url| !url.is_empty()));
    if node.kind == Kind::Link {
        let mut entry = entry.recovery(Recovery::Irreplaceable).attribute("target", &node.target);
        entry.needs.extend(link::place(root, &node.path, &node.target));
        return Some(Entry { kind: "link".into(), ..entry });
    }
    if name != md5 {
        let entry = entry.state(State::Partial).recovery(Recovery::Download);
        return Some(Entry {
            kind: "partial".into(),
            ..entry.reclaim("a download that was cut off; it is never resumed")
        });
    }
    let is_manual = fact.is_some_and(|fact| fact.what == What::Manual);
    Some(entry.recovery(if is_manual { Recovery::Irreplaceable } else { Recovery::Uncertain }))
}
