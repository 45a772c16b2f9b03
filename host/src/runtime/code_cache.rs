//! Compiled code on disk, so that only the first run compiles. An entry is named by the component's digest inside a
//! folder named by everything else that decides the code: engine version, settings, processor. An entry that cannot be
//! used is forgotten and made again; a disk that cannot be written costs time, never the command.
//!
//! Format (version 1): `dscc-code\n`, `1\n`, 32 bytes SHA-256 of the rest, compiled code.

use std::fs;
use std::hash::{Hash as _, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::appraise::CodeState;
use super::{hex, load_code};

const MAGIC: &[u8] = b"dscc-code\n1\n";
const DIGEST: usize = 32;
/// Code that no run has loaded for so long, or that belongs to an engine not used for so long, is collected.
const KEEP: Duration = Duration::from_secs(90 * 24 * 3600);

pub(super) struct CodeCache {
    parent: PathBuf,
    dir: PathBuf,
}

impl CodeCache {
    pub(super) fn new(parent: &Path, engine: &Engine) -> Self {
        let mut key = StableHasher(Sha256::new());
        engine.precompile_compatibility_hash().hash(&mut key);
        let key = hex(&key.0.finalize()[..16]);
        Self { parent: parent.to_owned(), dir: parent.join(format!("code-{key}")) }
    }

    /// The component, if its code is there and sound.
    pub(super) fn load(&self, engine: &Engine, component_digest: &str) -> Option<Component> {
        let path = self.path(component_digest);
        if !is_private(&self.dir) {
            return None;
        }
        let bytes = fs::read(&path).ok()?;
        let loaded = checked(&bytes).and_then(|compiled| load_code::load(engine, compiled).ok());
        if loaded.is_none() {
            // Made again right after this; if it cannot be deleted it cannot be replaced either, and is only slow.
            let _ = fs::remove_file(&path);
        }
        loaded
    }

    /// Whether the code is there and sound, without using it.
    pub(super) fn state(&self, component_digest: &str) -> CodeState {
        match fs::read(self.path(component_digest)) {
            Err(_) => CodeState::Absent,
            Ok(bytes) if is_private(&self.dir) && checked(&bytes).is_some() => CodeState::Sound,
            Ok(_) => CodeState::Damaged,
        }
    }

    /// Keeps code. A full or read-only disk is no error: the next run compiles again.
    pub(super) fn store(&self, component_digest: &str, compiled: &[u8]) {
        if self.try_store(component_digest, compiled).is_ok() {
            self.collect();
        }
    }

    fn try_store(&self, component_digest: &str, compiled: &[u8]) -> std::io::Result<()> {
        create_private(&self.dir)?;
        if !is_private(&self.dir) {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        let temporary = self.dir.join(format!(".{component_digest}.{}", std::process::id()));
        let written = (|| {
            let mut file = fs::File::create_new(&temporary)?;
            file.write_all(MAGIC)?;
            file.write_all(&Sha256::digest(compiled))?;
            file.write_all(compiled)?;
            drop(file);
            fs::rename(&temporary, self.path(component_digest))
        })();
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn path(&self, component_digest: &str) -> PathBuf {
        self.dir.join(component_digest)
    }

    /// Deletes old entries here, and the folders of other engines once their newest entry is old.
    fn collect(&self) {
        for entry in fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            if is_old(&entry.path()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        for entry in fs::read_dir(&self.parent).into_iter().flatten().flatten() {
            let other = entry.path();
            let ours = entry.file_name().as_encoded_bytes().starts_with(b"code-");
            if ours && other != self.dir && is_old(&other) {
                let _ = fs::remove_dir_all(&other);
            }
        }
    }
}

/// Deletes a component's code, whichever engine it was made for. What cannot be deleted is never run either, once nothing
/// names the component.
pub fn forget_code(parent: &Path, component_digest: &str) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().starts_with(b"code-") && is_private(&entry.path()) {
            let _ = fs::remove_file(entry.path().join(component_digest));
        }
    }
}

fn checked(bytes: &[u8]) -> Option<&[u8]> {
    let (digest, compiled) = bytes.strip_prefix(MAGIC)?.split_at_checked(DIGEST)?;
    (Sha256::digest(compiled)[..] == *digest).then_some(compiled)
}

fn is_old(path: &Path) -> bool {
    let modified = fs::symlink_metadata(path).and_then(|meta| meta.modified());
    modified.is_ok_and(|time| SystemTime::now().duration_since(time).is_ok_and(|age| age > KEEP))
}

#[cfg(unix)]
fn create_private(dir: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn create_private(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)
}

/// Whether nobody else could have put code there.
#[cfg(unix)]
fn is_private(dir: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(dir).is_ok_and(|meta| {
        meta.is_dir() && meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0
    })
}

#[cfg(not(unix))]
fn is_private(_: &Path) -> bool {
    true // The user's own profile folder is private by its inherited access list.
}

/// std's own hasher is not promised to be the same in every release.
struct StableHasher(Sha256);

impl Hasher for StableHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        0 // Never asked for: the digest is taken whole.
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn engine() -> Engine {
        Engine::default()
    }

    fn compiled(engine: &Engine) -> Vec<u8> {
        engine.precompile_component(&wat::parse_str("(component)").unwrap()).unwrap()
    }

    #[test]
    fn what_was_stored_is_loaded_again() {
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        assert!(cache.load(&engine, "abc").is_none());
        cache.store("abc", &compiled(&engine));
        assert!(cache.load(&engine, "abc").is_some());
    }

    #[test]
    fn damaged_code_is_forgotten_never_run() {
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        for damage in [0, 5, MAGIC.len() + 3, MAGIC.len() + DIGEST + 100] {
            cache.store("abc", &compiled(&engine));
            let mut bytes = fs::read(cache.path("abc")).unwrap();
            bytes[damage] ^= 1;
            fs::write(cache.path("abc"), bytes).unwrap();
            assert!(cache.load(&engine, "abc").is_none(), "byte {damage}");
            assert!(!cache.path("abc").exists());
        }
        fs::write(cache.path("abc"), MAGIC).unwrap();
        assert!(cache.load(&engine, "abc").is_none());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_others_may_write_is_not_trusted() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        cache.store("abc", &compiled(&engine));
        fs::set_permissions(&cache.dir, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(cache.load(&engine, "abc").is_none());
    }

    #[test]
    fn folders_of_engines_long_unused_are_collected_and_others_stay() {
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        for (name, days) in [("code-old", 100), ("code-recent", 10), ("unrelated", 100)] {
            let other = dir.path().join(name);
            fs::create_dir(&other).unwrap();
            let time = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
            fs::File::open(&other).unwrap().set_modified(time).unwrap();
        }
        cache.store("abc", &compiled(&engine));
        let there = |name: &str| dir.path().join(name).exists();
        assert!(!there("code-old") && there("code-recent") && there("unrelated"));
    }
}
