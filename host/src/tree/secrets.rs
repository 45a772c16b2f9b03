//! Files and folders that do not exist for whoever uses a root: the user's credentials. Each is known by the name in its
//! directory, so that it stays hidden when it is replaced, and as what is there now, so that no other name of it shows
//! it. A root remembers those beneath it only: in any other directory, and any other root, nothing is compared by name.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use hashbrown::HashMap;
use rustix::fs::CWD;

use super::dir::{DirEntry, Fresh, stat_at};
use super::holding::{is_our_component, is_ours};
use super::{Identity, NodeKind, Stat};
use crate::model::{RelPath, escape_name};

/// Links to links that are followed at most.
const MOST_LINKS: usize = 40;

/// What is to be hidden, found on disk. Good for any number of roots.
#[derive(Clone, Debug, Default)]
pub struct Secrets(Vec<Spot>);

/// A name in a directory.
#[derive(Clone, Debug)]
struct Spot {
    /// The directory, without links.
    dir: PathBuf,
    /// Device and inode of the directory and of all above it, the nearest first.
    up: Vec<(u64, u64)>,
    name: CString,
    /// What has this name now.
    found: Option<Stat>,
}

impl Secrets {
    /// Looks these places up. Where one is a link, what it leads to is hidden, too. What is not there yet is hidden as
    /// soon as it is, if its directory exists.
    pub fn find(places: &[PathBuf]) -> Self {
        let mut finder = Finder::default();
        for place in places {
            finder.add(place);
        }
        Self(finder.spots)
    }

    /// What of it concerns a root, given as device and inode.
    pub(super) fn hidden_in(&self, root: (u64, u64)) -> Hidden {
        let mut hidden = Hidden::default();
        for spot in &self.0 {
            if let Some(Stat { identity: Identity { dev, ino, kind }, links, .. }) = spot.found {
                hidden.inodes.push((dev, ino));
                if dev == root.0 && links > 1 && kind != NodeKind::Directory {
                    hidden.linked.push(ino);
                }
            }
            let Some(depth) = spot.up.iter().position(|above| *above == root) else { continue };
            hidden.paths.push(spot.path(depth));
            // A directory on another device is not entered.
            if let Some(&(_, dir)) = spot.up.first().filter(|(dev, _)| *dev == root.0) {
                match hidden.names.iter_mut().find(|(known, _)| *known == dir) {
                    Some((_, names)) => names.push(spot.name.clone()),
                    None => hidden.names.push((dir, vec![spot.name.clone()])),
                }
            }
        }
        hidden
    }
}

impl Spot {
    /// The path of this name from so many directories above its own.
    fn path(&self, depth: usize) -> RelPath {
        let mut dirs: Vec<&OsStr> = self.dir.iter().rev().take(depth).collect();
        dirs.reverse();
        let names: Vec<_> =
            dirs.into_iter().chain([OsStr::from_bytes(self.name.to_bytes())]).map(escape_name).collect();
        RelPath::from_components(names.iter().map(AsRef::as_ref))
    }
}

#[derive(Default)]
struct Finder {
    spots: Vec<Spot>,
    /// Most places share their directories.
    known: HashMap<PathBuf, Vec<(u64, u64)>>,
}

impl Finder {
    fn add(&mut self, place: &Path) {
        let mut place = place.to_owned();
        for _ in 0..MOST_LINKS {
            let Some((dir, name)) = split(&place) else { return };
            let at = dir.join(&name);
            let found = self.add_name(&dir, &name);
            match found.map(|found| found.identity.kind) {
                Some(NodeKind::Link) => match at.read_link() {
                    Ok(target) => place = dir.join(target),
                    Err(_) => return,
                },
                // Where capitals do not matter, the directory may list it by another spelling.
                Some(_) => {
                    let listed = at.canonicalize().ok().and_then(|real| real.file_name().map(OsStr::to_owned));
                    if let Some(listed) = listed.filter(|listed| *listed != name) {
                        self.add_name(&dir, &listed);
                    }
                    return;
                }
                None => return,
            }
        }
    }

    fn add_name(&mut self, dir: &Path, name: &OsStr) -> Option<Stat> {
        let up = self.known.entry_ref(dir).or_insert_with(|| dir.ancestors().filter_map(identity).collect()).clone();
        let name = CString::new(name.as_bytes()).ok()?;
        let found = stat(&dir.join(OsStr::from_bytes(name.to_bytes())));
        self.spots.push(Spot { dir: dir.to_owned(), up, name, found });
        found
    }
}

/// The directory that a path is in, without links, and the name in it; none without such a directory.
fn split(path: &Path) -> Option<(PathBuf, std::ffi::OsString)> {
    match path.file_name() {
        Some(name) => Some((path.parent()?.canonicalize().ok()?, name.to_owned())),
        None => {
            let real = path.canonicalize().ok()?;
            Some((real.parent()?.to_owned(), real.file_name()?.to_owned()))
        }
    }
}

fn stat(path: &Path) -> Option<Stat> {
    stat_at(CWD, &CString::new(path.as_os_str().as_bytes()).ok()?, Fresh::Cached).ok()
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    stat(path).map(|stat| (stat.identity.dev, stat.identity.ino))
}

/// What is hidden in one root; for nearly every root nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Hidden {
    /// By directory, all on the root's device.
    names: Vec<(u64, Vec<CString>)>,
    /// Device and inode of everything hidden, also of what is not beneath the root: it may have another name there.
    inodes: Vec<(u64, u64)>,
    /// The inodes with several names on the root's device.
    linked: Vec<u64>,
    /// The names as paths beneath the root.
    paths: Vec<RelPath>,
}

impl Hidden {
    /// The names as paths beneath the root.
    pub fn paths(&self) -> &[RelPath] {
        &self.paths
    }

    /// Whether no path leads through a credential.
    pub fn is_elsewhere(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether what has this device and inode is hidden, whatever its name.
    pub fn is(&self, dev: u64, ino: u64) -> bool {
        self.inodes.contains(&(dev, ino))
    }

    /// What to leave out when a directory is read. To be asked for once a directory.
    pub fn in_dir(&self, ino: u64) -> InDir<'_> {
        let names = self.names.iter().find(|(dir, _)| *dir == ino).map_or(&[][..], |(_, names)| names);
        InDir { names, linked: &self.linked }
    }

    /// Whether a path leads to or through a hidden name.
    pub fn has_path(&self, path: &RelPath) -> bool {
        self.paths.iter().any(|hidden| path.starts_with(hidden)) || path.components().any(is_our_component)
    }

    /// Whether something hidden may be found by another name than its own.
    pub fn has_links(&self) -> bool {
        !self.linked.is_empty()
    }
}

/// What is hidden in one directory.
#[derive(Clone, Copy)]
pub(super) struct InDir<'a> {
    names: &'a [CString],
    linked: &'a [u64],
}

impl InDir<'_> {
    /// Whether this entry is hidden.
    pub fn has(&self, entry: &DirEntry<'_>) -> bool {
        self.has_name(entry.name) || self.linked.contains(&entry.ino)
    }

    /// Whether what has this name is hidden.
    pub fn has_name(&self, name: &CStr) -> bool {
        is_ours(name) || self.names.iter().any(|hidden| **hidden == *name)
    }
}
