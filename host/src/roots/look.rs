//! What the disk says of a place: whether it exists, is a directory, a mount point, and shows one of the rule's marks.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use super::protected::canonical;
use super::{Outcome, Refusal};
use crate::model::{Pattern, escape_name, unescape_name};

/// An existing directory.
pub(super) struct Look {
    /// The directory with links resolved.
    pub resolved: PathBuf,
    /// The same for every name of one directory.
    pub identity: Identity,
    /// Whether a file system is mounted there.
    pub mount_point: bool,
}

#[cfg(unix)]
pub(super) type Identity = (u64, u64);
#[cfg(not(unix))]
pub(super) type Identity = PathBuf;

/// Whether a directory shows that it is what the rule means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// It shows a mark.
    Shown,
    /// The rule has no marks.
    NotAsked,
    /// It is empty.
    Empty,
    /// It holds something, and no mark.
    Missing,
    /// It cannot be looked into.
    Unknown(io::ErrorKind),
}

/// Looks a place up; what is no directory that can be looked at is an outcome already.
pub(super) fn look(path: &Path) -> Result<Look, Outcome> {
    let found = canonical(path).and_then(|resolved| Ok((resolved.metadata()?, resolved)));
    let (metadata, resolved) =
        found.map_err(|error| if is_absent(&error) { Outcome::Absent } else { Outcome::Unreadable(error.kind()) })?;
    if !metadata.is_dir() {
        return Err(Outcome::Refused(Refusal::NotDirectory));
    }
    Ok(Look { identity: identity(&metadata, &resolved), mount_point: is_mount_point(&resolved, &metadata), resolved })
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn identity(metadata: &Metadata, _: &Path) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata, resolved: &Path) -> Identity {
    resolved.to_owned()
}

/// Bind mounts within one file system are seen where the kernel tells of them.
fn is_mount_point(resolved: &Path, metadata: &Metadata) -> bool {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
        let told = statx(CWD, resolved, AtFlags::empty(), StatxFlags::empty()).ok();
        if let Some(told) = told.filter(|told| told.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT)) {
            return told.stx_attributes.contains(StatxAttributes::MOUNT_ROOT);
        }
    }
    differs_from_parent(resolved, metadata)
}

#[cfg(unix)]
fn differs_from_parent(resolved: &Path, metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    resolved.parent().and_then(|parent| parent.metadata().ok()).is_some_and(|parent| parent.dev() != metadata.dev())
}

#[cfg(not(unix))]
fn differs_from_parent(_: &Path, _: &Metadata) -> bool {
    false
}

/// Looks for the first of the marks that exists.
pub(super) fn look_for(marks: &[Pattern], root: &Path) -> Marks {
    if marks.is_empty() {
        return Marks::NotAsked;
    }
    let mut trouble = None;
    for mark in marks {
        match exists(root, &mark.components().collect::<Vec<_>>()) {
            Ok(true) => return Marks::Shown,
            Ok(false) => {}
            Err(error) => trouble = trouble.or(Some(error.kind())),
        }
    }
    let is_empty = root.read_dir().map(|mut entries| entries.next().is_none());
    match (is_empty, trouble) {
        (Ok(true), _) => Marks::Empty,
        (_, Some(kind)) => Marks::Unknown(kind),
        (Err(error), None) => Marks::Unknown(error.kind()),
        (Ok(false), None) => Marks::Missing,
    }
}

/// Whether something matches the pattern. Links are not followed on the way. An error only counts if nothing matches.
fn exists(directory: &Path, pattern: &[&str]) -> io::Result<bool> {
    let Some((first, rest)) = pattern.split_first() else { return Ok(true) };
    if !first.contains('*') {
        let Some(name) = unescape_name(first) else { return Ok(false) };
        let path = directory.join(name);
        return match path.symlink_metadata() {
            Ok(metadata) => Ok(rest.is_empty() || metadata.is_dir() && exists(&path, rest)?),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error),
        };
    }
    let mut trouble = None;
    for entry in directory.read_dir()? {
        let entry = entry?;
        if !Pattern::name_matches(first, &escape_name(&entry.file_name())) {
            continue;
        }
        if rest.is_empty() {
            return Ok(true);
        }
        match entry.file_type().and_then(|kind| Ok(kind.is_dir() && exists(&entry.path(), rest)?)) {
            Ok(true) => return Ok(true),
            Ok(false) => {}
            Err(error) => trouble = Some(error),
        }
    }
    trouble.map_or(Ok(false), Err)
}
