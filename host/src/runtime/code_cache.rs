//! Compiled code on disk, so that only the first run compiles. An entry is named by the component's digest inside a
//! folder named by everything else that decides the code: engine version, settings, processor. Beside it is its seal.
//! An entry that cannot be used is forgotten and made again; a disk that cannot be written costs time, never the command.
//!
//! Code is read and compared with its digest until its file is settled, after that mapped as long as its stamp is the same.

use std::fs::{self, File};
use std::hash::{Hash as _, Hasher};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use super::appraise::CodeState;
use super::seal::Seal;
use super::stamp::Stamp;
use super::{digest, hex, load_code};

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
        if !is_private(&self.dir) {
            return None;
        }
        let file = File::open(self.path(component_digest)).ok()?;
        let loaded = self.mapped(engine, component_digest, &file).or_else(|| self.read(engine, component_digest, file));
        if loaded.is_none() {
            // Made again right after this; if it cannot be deleted it cannot be replaced either, and is only slow.
            let _ = fs::remove_file(self.path(component_digest));
            let _ = fs::remove_file(self.seal_path(component_digest));
        }
        loaded
    }

    /// The code's file itself, if it is the one whose bytes were compared before.
    fn mapped(&self, engine: &Engine, component_digest: &str, file: &File) -> Option<Component> {
        let stamp = Stamp::of(file)?;
        let is_known = self.seal(component_digest)?.code == Some(stamp);
        let path = self.path(component_digest);
        // Some file systems are not for running anything.
        let component = is_known.then(|| load_code::map(engine, &path).ok())??;
        // It was opened by its name again.
        (Stamp::of(&File::open(path).ok()?)? == stamp).then_some(component)
    }

    /// A copy of the code, if it has its digest.
    fn read(&self, engine: &Engine, component_digest: &str, file: File) -> Option<Component> {
        let seal = self.seal(component_digest)?;
        let stamp = Stamp::of(&file);
        let bytes = sound(file, &seal)?;
        let component = load_code::load(engine, &bytes).ok()?;
        if seal.code != stamp && stamp.is_some_and(|stamp| stamp.is_settled()) {
            self.put_seal(component_digest, &Seal { code: stamp, ..seal });
        }
        Some(component)
    }

    /// Whether this component file's bytes were read before and had this digest.
    pub(super) fn knows(&self, component_digest: &str, file: &Stamp) -> bool {
        is_private(&self.dir) && self.seal(component_digest).is_some_and(|seal| seal.component.as_ref() == Some(file))
    }

    /// Remembers that the bytes of this component file, read after the stamp was taken, have this digest.
    pub(super) fn remember(&self, component_digest: &str, file: Stamp) {
        if let Some(seal) = self.seal(component_digest).filter(|_| file.is_settled() && is_private(&self.dir)) {
            self.put_seal(component_digest, &Seal { component: Some(file), ..seal });
        }
    }

    /// Whether the code is there and sound, read to its last byte, without using it.
    pub(super) fn state(&self, component_digest: &str) -> CodeState {
        let Ok(file) = File::open(self.path(component_digest)) else { return CodeState::Absent };
        let seal = self.seal(component_digest).filter(|_| is_private(&self.dir));
        if seal.and_then(|seal| sound(file, &seal)).is_some() { CodeState::Sound } else { CodeState::Damaged }
    }

    /// How long it takes to use the code in place, once it need not be read any more; nothing if it is not sound.
    pub(super) fn time_to_map(&self, engine: &Engine, component_digest: &str) -> Option<Duration> {
        let is_sound = self.state(component_digest) == CodeState::Sound;
        let start = Instant::now();
        is_sound.then(|| load_code::map(engine, &self.path(component_digest)).ok())??;
        Some(start.elapsed())
    }

    /// Keeps code. A full or read-only disk is no error: the next run compiles again.
    pub(super) fn store(&self, component_digest: &str, compiled: &[u8]) {
        if self.try_store(component_digest, compiled).is_ok() {
            self.collect();
        }
    }

    fn try_store(&self, component_digest: &str, compiled: &[u8]) -> io::Result<()> {
        create_private(&self.dir)?;
        if !is_private(&self.dir) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        // Killed in between, it leaves code that its seal is not about, which is no code.
        self.put(&self.path(component_digest), compiled)?;
        let seal = Seal { code_digest: digest(compiled), code: None, component: None };
        self.put(&self.seal_path(component_digest), seal.to_text().as_bytes())
    }

    /// What is known of the code, if it was ever stored.
    pub(super) fn seal(&self, component_digest: &str) -> Option<Seal> {
        Seal::parse(&fs::read_to_string(self.seal_path(component_digest)).ok()?)
    }

    /// A seal that cannot be written costs time.
    pub(super) fn put_seal(&self, component_digest: &str, seal: &Seal) {
        let _ = self.put(&self.seal_path(component_digest), seal.to_text().as_bytes());
    }

    /// A file of that content, whole or not at all; nothing is ever written in place, because it may be mapped.
    fn put(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = self.dir.join(format!(".{name}.{}", std::process::id()));
        let written = fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path));
        if written.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn path(&self, component_digest: &str) -> PathBuf {
        self.dir.join(component_digest)
    }

    fn seal_path(&self, component_digest: &str) -> PathBuf {
        self.dir.join(seal_name(component_digest))
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
            let _ = fs::remove_file(entry.path().join(seal_name(component_digest)));
        }
    }
}

/// The code in a file, if it is what was sealed.
fn sound(mut file: File, seal: &Seal) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).ok()?;
    (digest(&bytes) == seal.code_digest).then_some(bytes)
}

fn seal_name(component_digest: &str) -> String {
    format!("{component_digest}.seal")
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
        let sound = compiled(&engine);
        let damages = [0, 5, sound.len() / 2, sound.len() - 1].map(|at| (cache.path("abc"), at));
        for (path, at) in damages.into_iter().chain([0, 12, 40].map(|at| (cache.seal_path("abc"), at))) {
            cache.store("abc", &sound);
            let mut bytes = fs::read(&path).unwrap();
            bytes[at] ^= 1;
            fs::write(&path, bytes).unwrap();
            assert!(cache.load(&engine, "abc").is_none(), "{path:?}, byte {at}");
            assert!(!cache.path("abc").exists() && !cache.seal_path("abc").exists());
        }
        for cut in [cache.path("abc"), cache.seal_path("abc")] {
            cache.store("abc", &sound);
            fs::write(&cut, "").unwrap();
            assert!(cache.load(&engine, "abc").is_none(), "{cut:?}");
        }
    }

    /// The stamp of stored code, and the cache with a seal that says so although the digest is another one.
    #[cfg(unix)]
    fn stamped(cache: &CodeCache, engine: &Engine) -> Stamp {
        cache.store("abc", &compiled(engine));
        let stamp = Stamp::of(&File::open(cache.path("abc")).unwrap()).unwrap();
        cache.put_seal("abc", &Seal { code_digest: digest(b"other"), code: Some(stamp), component: None });
        stamp
    }

    #[cfg(unix)]
    #[test]
    fn code_that_is_the_same_since_it_was_compared_is_not_read_again_and_any_change_makes_it_read() {
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        stamped(&cache, &engine);
        assert!(cache.load(&engine, "abc").is_some(), "it was read: its digest is not what the seal says");
        assert_eq!(cache.state("abc"), CodeState::Damaged, "who looks at its state wants it read");
        let same_bytes_elsewhere = |path: &Path| {
            fs::copy(path, path.with_extension("copy")).unwrap();
            fs::rename(path.with_extension("copy"), path).unwrap();
        };
        let another_time = |path: &Path| File::open(path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        let changes: [&dyn Fn(&Path); 2] = [&same_bytes_elsewhere, &another_time];
        for change in changes {
            stamped(&cache, &engine);
            change(&cache.path("abc"));
            assert!(cache.load(&engine, "abc").is_none());
            assert!(!cache.path("abc").exists());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_remembered_only_once_it_is_settled() {
        let (dir, engine) = (tempfile::tempdir().unwrap(), engine());
        let cache = CodeCache::new(dir.path(), &engine);
        let stamp = stamped(&cache, &engine);
        cache.store("abc", &compiled(&engine));
        assert!(cache.load(&engine, "abc").is_some());
        cache.remember("abc", stamp);
        let seal = cache.seal("abc").unwrap();
        assert_eq!((seal.code, seal.component), (None, None), "both changed just now");
        let settled: Stamp = "1:2:3:4:5".parse().unwrap();
        cache.remember("abc", settled);
        assert!(cache.knows("abc", &settled) && !cache.knows("abc", &stamp));
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
