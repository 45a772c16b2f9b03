//! Where links lead, as text. Nothing is followed: the library too looks at one hop, lexically.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, Kind, path};

/// The root and its names.
pub struct Root<'a> {
    /// To read with.
    pub directory: &'a dyn Directory,
    names: Vec<String>,
}

impl<'a> Root<'a> {
    /// Asks the host for the names once.
    pub fn new(directory: &'a dyn Directory) -> Self {
        Self { directory, names: directory.names() }
    }

    /// Puts the place to which a link in the folder `parent` leads into `place`, which is reused from link to link.
    /// False if it leaves the root.
    pub fn resolve(&self, parent: &str, target: &str, place: &mut String) -> bool {
        place.clear();
        if !target.starts_with('/') {
            place.push_str(parent);
            if descend(place, target) {
                return true;
            }
        }
        // It climbs above the root or starts at the top of the disk; either may come back through the root's name.
        self.names.iter().any(|base| {
            let mut absolute = String::new();
            let start = if target.starts_with('/') { "" } else { base };
            let inside = descend(&mut absolute, start)
                && descend(&mut absolute, if start.is_empty() { "" } else { parent })
                && descend(&mut absolute, target);
            let rest = self.names.iter().find_map(|name| beneath(&absolute, name.trim_matches('/')));
            place.clear();
            place.push_str(rest.unwrap_or_default());
            inside && rest.is_some()
        })
    }

    /// What is at these places, by one look into each folder above them. Absent ones are missing from the answer, and
    /// so is all that cannot be seen.
    pub fn probe<'p>(&self, places: impl IntoIterator<Item = &'p str>) -> BTreeMap<String, Kind> {
        let mut by_folder: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for place in places {
            by_folder.entry(path::parent(place)).or_default().insert(path::name(place));
        }
        let mut found = BTreeMap::new();
        for (folder, names) in by_folder {
            let filter = names.iter().fold(Filter::direct(), |filter, name| filter.name(*name));
            let Ok(nodes) = self.directory.walk(folder, &filter) else { continue };
            found.extend(nodes.filter(|node| names.contains(node.name())).map(|node| (node.path, node.kind)));
        }
        found
    }
}

/// What remains of `place` beneath `folder`; `""` for the folder itself.
pub fn beneath<'a>(place: &'a str, folder: &str) -> Option<&'a str> {
    let rest = place.strip_prefix(folder)?;
    if folder.is_empty() || rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// Follows the components of `target` from `place`; false if they climb above where all paths start.
fn descend(place: &mut String, mut target: &str) -> bool {
    while let Some(rest) = target.strip_prefix("../") {
        if place.is_empty() {
            return false;
        }
        place.truncate(place.rfind('/').unwrap_or(0));
        target = rest;
    }
    // A million links are followed in a large hub, and nearly all have this simple form.
    let odd = |pair: &[u8]| matches!(pair, b"//" | b"/.");
    if !target.starts_with(['.', '/']) && !target.as_bytes().windows(2).any(odd) {
        if !place.is_empty() && !target.is_empty() {
            place.push('/');
        }
        place.push_str(target.trim_end_matches('/'));
        return true;
    }
    target.split('/').all(|component| add(place, component))
}

fn add(place: &mut String, component: &str) -> bool {
    match component {
        "" | "." => {}
        ".." if place.is_empty() => return false,
        ".." => place.truncate(place.rfind('/').unwrap_or(0)),
        name => {
            if !place.is_empty() {
                place.push('/');
            }
            place.push_str(name);
        }
    }
    true
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use dscc_sdk::testing::TempRoot;

    #[test]
    fn links_are_resolved_lexically_also_through_the_name_of_the_root() {
        let temp = TempRoot::new();
        let root = Root::new(&temp);
        let own = temp.path().to_str().unwrap();
        let last = temp.path().file_name().unwrap().to_str().unwrap();
        let mut place = String::new();
        for (target, expected) in [
            ("../../blobs/ab", "r/blobs/ab"),
            ("../.././/blobs/x/../ab", "r/blobs/ab"),
            (&format!("{own}/blobs/ab"), "blobs/ab"),
            (&format!("../../../../{last}/blobs/ab"), "blobs/ab"),
            ("../../..", ""),
        ] {
            assert!(root.resolve("r/snapshots/c", target, &mut place), "{target}");
            assert_eq!(place, expected, "{target}");
        }
        for target in ["../../../../x", "/etc/passwd", "/", &format!("{own}x/y"), "../../../../../../../../../../.."] {
            assert!(!root.resolve("r/snapshots/c", target, &mut place), "{target} is not outside: {place}");
        }
    }
}
