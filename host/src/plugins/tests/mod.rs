//! What the plugins directory promises, on components that are only bytes: their facts are made up here.

mod lock_file;
mod manifest;
mod proposal;
mod transaction;
#[cfg(unix)]
mod trust;

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::facts::Facts;
use super::folder::{Folder, FolderError};
use super::record::{LockFile, Record};
use crate::model::{Expansion, Location, Manifest, Pattern, RootRule};
use crate::runtime::{LimitSettings, digest};

/// Bytes that stand for a component; other versions have others.
fn component(name: &str, version: &str) -> Vec<u8> {
    format!("{name} {version}").into_bytes()
}

fn rule(id: &str, locations: &[&str]) -> RootRule {
    let location = |path: &&str| Location { path: (*path).to_owned(), expand: Expansion::default() };
    RootRule { id: id.to_owned(), locations: locations.iter().map(location).collect(), marks: vec![], indexes: vec![] }
}

/// A plugin with one rule of its own name.
fn facts(name: &str, version: &str) -> Facts {
    let bytes = component(name, version);
    let manifest = Manifest {
        name: name.to_owned(),
        version: version.to_owned(),
        title: "A title".into(),
        summary: "A sentence.".into(),
        homepage: None,
        license: Some("MIT".into()),
        roots: vec![rule(name, &[&format!("~/{name}")])],
        extra: vec![("since".into(), "2020".into())],
    };
    let imports = BTreeSet::from(["dscc:plugin/files@0.1.0".to_owned()]);
    Facts { digest: digest(&bytes), size: bytes.len() as u64, interface: "0.1.0".into(), imports, manifest }
}

fn record_of(facts: Facts) -> Record {
    let added = Timestamp::from_second(1_700_000_000).unwrap();
    Record::approved(facts, Some("/somewhere/plugin.wasm".into()), added, LimitSettings::new(), BTreeSet::new())
}

fn record(name: &str, version: &str) -> Record {
    record_of(facts(name, version))
}

/// Three plugins, which have everything between them that a record can have.
fn three() -> LockFile {
    let mut file = LockFile::default();
    file.put(record("alpha", "1.0.0"));
    let mut beta = facts("beta", "2.1.0-rc.1");
    beta.manifest.homepage = Some("https://example.org/\u{202e}".into());
    beta.manifest.roots.push(RootRule {
        marks: vec![Pattern::parse("*.index").unwrap()],
        indexes: vec![Pattern::parse("a/*").unwrap()],
        ..rule("more", &["${BETA}/x", "{cache}/*"])
    });
    beta.manifest.roots[0].locations[0].expand.home = true;
    let limits = LimitSettings::from([("memory".to_owned(), 1 << 29), ("time".to_owned(), 9000)]);
    let overrides = BTreeSet::from(["hf-hub".to_owned()]);
    file.put(Record::approved(beta, None, Timestamp::UNIX_EPOCH, limits, overrides));
    file.put(record("gamma", "0.1.0"));
    file
}

/// Adds a plugin as `install` does.
fn add(folder: &Folder, name: &str, version: &str) -> Result<(), FolderError> {
    folder.change(Some(&component(name, version)), |file| {
        file.put(record(name, version));
        Ok(())
    })
}
