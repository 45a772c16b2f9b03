//! The versions of the plugin interface that this host speaks. Each is one folder of WIT, one module here with its
//! bindings and conversions and nothing else, and one committed component built against it (`tests/versions`). All are
//! linked; which one a component is called through is chosen by the name of what it exports.

#[cfg(test)]
mod tests;
mod v0_1;

use semver::Version;
use wasmtime::Store;
use wasmtime::component::{InstancePre, Linker, Resource};

use crate::model::Detail;

use super::error::PluginErrorKind;
use super::files::Directory;
use super::state::State;

/// The words of the newest version. What a plugin of another version answers is told in these, and checked after that.
pub(super) use v0_1::types as newest;

/// The versions that this host speaks, the newest last.
pub(super) const INTERFACES: &[Interface] = &[v0_1::INTERFACE];

/// The newest version of the interface that this host speaks.
pub const INTERFACE_VERSION: &str = INTERFACES[INTERFACES.len() - 1].version;

const PACKAGE: &str = "dscc:plugin/";
/// What a plugin exports.
pub(super) const EXPORT: &str = "dscc:plugin/cache-plugin";

/// One version of the interface.
pub(super) struct Interface {
    /// The latest of its track: of 0.x a minor version is a track, from 1.0 on a major one.
    pub(super) version: &'static str,
    /// The names within the package that a component may import.
    imports: &'static [&'static str],
    /// Adds its host functions to those of the other versions.
    pub(super) link: fn(&mut Linker<State>) -> wasmtime::Result<()>,
    /// Looks up the exports of a component.
    pub(super) prepare: fn(InstancePre<State>) -> wasmtime::Result<Start>,
}

/// Makes an instance of a component.
pub(super) type Start = Box<dyn Fn(&mut Store<State>) -> wasmtime::Result<Box<dyn Calls>> + Send + Sync>;

/// What became of a call: the engine's error, or the plugin's own, or an answer that nobody has checked.
pub(super) type Answer<T> = wasmtime::Result<Result<T, String>>;

/// The calls of the interface on one instance.
pub(super) trait Calls {
    fn describe(&self, store: &mut Store<State>) -> Answer<newest::Manifest>;

    fn discover(&self, store: &mut Store<State>, root: Resource<Directory>, rule: &str) -> Answer<Vec<newest::Cache>>;

    fn list_entries(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        parent: Option<&str>,
        detail: Detail,
    ) -> Answer<newest::Listing>;

    fn delete_entry(
        &self,
        store: &mut Store<State>,
        root: Resource<Directory>,
        cache: &str,
        ids: &[String],
    ) -> Answer<Vec<newest::Edit>>;
}

/// The row for a component that exports this version of the interface. A plugin may be older than the host within its
/// track, never newer.
///
/// # Errors
/// When there is none, with the side that has to be brought up to date.
pub(super) fn choose(rows: &'static [Interface], found: &str) -> Result<&'static Interface, PluginErrorKind> {
    let Ok(theirs) = Version::parse(found) else {
        let wanted = format!("{EXPORT} with a version (found `{EXPORT}@{found}`)");
        return Err(PluginErrorKind::MissingExport(wanted));
    };
    let of_track = rows.iter().find(|row| same_track(row.version, &theirs));
    let is_newer = |row: &Interface| Version::parse(row.version).is_ok_and(|ours| theirs > ours);
    let (found, ours) =
        (found.to_owned(), || rows.iter().map(|row| row.version).collect::<Vec<_>>().join(" and ").into());
    match of_track {
        Some(row) if !is_newer(row) => Ok(row),
        None if !rows.iter().all(is_newer) => Err(PluginErrorKind::TooOld { found, ours: ours() }),
        _ => Err(PluginErrorKind::TooNew { found, ours: ours() }),
    }
}

/// Whether an import is one of ours, of a version that is spoken.
pub(super) fn is_granted(rows: &[Interface], name: &str, version: &str) -> bool {
    let (Some(name), Ok(version)) = (name.strip_prefix(PACKAGE), Version::parse(version)) else { return false };
    rows.iter().any(|row| row.imports.contains(&name) && same_track(row.version, &version))
}

/// Whether the engine takes one version for the other.
fn same_track(ours: &str, theirs: &Version) -> bool {
    let Ok(ours) = Version::parse(ours) else { return false };
    let track = |version: &Version| match (version.major, version.minor, version.patch) {
        _ if !version.pre.is_empty() => None,
        (0, 0, _) => None,
        (0, minor, _) => Some((0, minor)),
        (major, ..) => Some((major, 0)),
    };
    ours == *theirs || track(theirs).is_some_and(|theirs| track(&ours) == Some(theirs))
}
