//! Builds hub caches as the library lays them out. Sizes are chosen by the tests, so that every sum can be checked.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// A commit of forty equal digits.
pub fn commit(digit: char) -> String {
    digit.to_string().repeat(40)
}

/// The name of a blob, as the Hub gives it to large files.
pub fn etag(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// A hub cache.
pub struct Hub {
    pub root: PathBuf,
}

/// A repository in it.
pub struct Repo {
    hub: PathBuf,
    folder: String,
}

impl Hub {
    pub fn at(root: PathBuf) -> Self {
        fs::create_dir_all(&root).unwrap();
        Self { root }
    }

    /// A repository by its folder's name; made when something is put into it.
    pub fn repo(&self, folder: &str) -> Repo {
        Repo { hub: self.root.clone(), folder: folder.to_owned() }
    }

    /// `model/acme/<name>` with one revision `a`, named by `main`, of one file of that size.
    pub fn model(&self, name: &str, size: usize) -> Repo {
        let repo = self.repo(&format!("models--acme--{name}"));
        repo.revision('a', &[("weights", 'a', size)]).refs("main", 'a').lock('a');
        repo
    }

    /// A payload of the shared store with the lines of its manifest; the store is marked.
    pub fn payload(&self, digit: char, size: usize, holders: &[&str]) -> String {
        self.mark_store("1\n");
        let folder = format!("blobs/{}", digit.to_string().repeat(2));
        let payload = format!("{folder}/{}", etag(digit));
        fs::create_dir_all(self.root.join(&folder)).unwrap();
        fs::write(self.root.join(&payload), vec![b'p'; size]).unwrap();
        let lines: String = holders.iter().map(|line| format!("{line}\n")).collect();
        fs::write(self.root.join(format!("{payload}.refs")), lines).unwrap();
        fs::write(self.root.join(format!("{payload}.lock")), "").unwrap();
        payload
    }

    /// Marks `blobs/` as a shared store of some version.
    pub fn mark_store(&self, version: &str) {
        fs::create_dir_all(self.root.join("blobs")).unwrap();
        fs::write(self.root.join("blobs/.huggingface-shared-blobs"), version).unwrap();
    }

    pub fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.root.join(path).symlink_metadata().is_ok()
    }
}

impl Repo {
    /// A path in the repository.
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.hub.join(&self.folder).join(below)
    }

    /// A revision of files, each with its blob and that blob's size. A blob that is there stays as it is.
    pub fn revision(&self, digit: char, files: &[(&str, char, usize)]) -> &Self {
        fs::create_dir_all(self.path("snapshots").join(commit(digit))).unwrap();
        for (name, blob, size) in files {
            if !self.path("blobs").join(etag(*blob)).exists() {
                self.blob(&etag(*blob), *size);
            }
            let up = "../".repeat(2 + name.matches('/').count());
            self.link(digit, name, format!("{up}blobs/{}", etag(*blob)));
        }
        self
    }

    /// A link in a revision.
    pub fn link(&self, digit: char, name: impl AsRef<OsStr>, target: impl AsRef<Path>) -> &Self {
        let at = self.path("snapshots").join(commit(digit)).join(Path::new(name.as_ref()));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(target, at).unwrap();
        self
    }

    /// A file in `blobs/`: content, or a partial download.
    pub fn blob(&self, name: &str, size: usize) -> &Self {
        fs::create_dir_all(self.path("blobs")).unwrap();
        fs::write(self.path("blobs").join(name), vec![b'x'; size]).unwrap();
        self
    }

    /// A ref, whose 40 bytes count.
    pub fn refs(&self, name: &str, digit: char) -> &Self {
        self.raw_ref(name, commit(digit).as_bytes())
    }

    pub fn raw_ref(&self, name: &str, content: &[u8]) -> &Self {
        let at = self.path("refs").join(name);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(at, content).unwrap();
        self
    }

    /// A file that the Hub was asked for and does not have.
    pub fn no_exist(&self, digit: char, name: &str) -> &Self {
        let folder = self.path(".no_exist").join(commit(digit));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), "").unwrap();
        self
    }

    /// The library's list of a commit's files, of so many bytes.
    pub fn tree(&self, digit: char, size: usize) -> &Self {
        fs::create_dir_all(self.path("trees")).unwrap();
        fs::write(self.path("trees").join(format!("{}.json", commit(digit))), vec![b' '; size]).unwrap();
        self
    }

    /// A user's own file in a revision.
    pub fn own_file(&self, digit: char, name: &str, content: &str) -> &Self {
        fs::write(self.path("snapshots").join(commit(digit)).join(name), content).unwrap();
        self
    }

    /// The lock file of a blob.
    pub fn lock(&self, digit: char) -> PathBuf {
        let folder = self.hub.join(".locks").join(&self.folder);
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}.lock", etag(digit)));
        fs::write(&file, "").unwrap();
        file
    }

    /// A revision of one file whose blob is in the shared store; `payload` is its place there.
    pub fn shared(&self, revision: char, name: &str, blob: char, payload: &str) -> &Self {
        fs::create_dir_all(self.path("blobs")).unwrap();
        let link = self.path("blobs").join(etag(blob));
        if link.symlink_metadata().is_err() {
            symlink(format!("../../{payload}"), link).unwrap();
        }
        self.revision(revision, &[]).link(revision, name, format!("../../blobs/{}", etag(blob)))
    }

    /// What a manifest of the shared store says of a blob here.
    pub fn holds(&self, blob: char) -> String {
        format!("{}/blobs/{}", self.folder, etag(blob))
    }
}
