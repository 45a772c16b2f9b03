//! Downloads that a library named by the digest of their address: `<sha256(url)>[.<sha256(etag)>][.h5|.py]`, and beside
//! each of them a record `.json` with the address, a lock `.lock` and what a killed download left. Transformers before
//! 4.22, `cached_download` of huggingface_hub, Datasets and Evaluate keep such folders; the plugins for them use this.

use std::collections::BTreeMap;

use dscc_sdk::{Directory, Node};

mod digest;

pub use digest::digest;

/// A record is two short texts; what is longer than this is none.
const RECORD_LIMIT: u32 = 64 * 1024;

/// So many records are read at a time, which keeps even the longest within what one call may read.
const BATCH: usize = 500;

/// What one name stands for: a download and its companions, any of which may be missing.
#[derive(Clone, Debug, Default)]
pub struct UrlFile {
    /// The download's name, with its suffix.
    pub name: String,
    /// The download: a file, a link, or a folder.
    pub content: Option<Node>,
    /// `<name>.json`.
    pub record: Option<Node>,
    /// `<name>.lock`.
    pub lock: Option<Node>,
    /// `<name>.incomplete`: what a killed download left, or a running one writes.
    pub partial: Option<Node>,
    /// The address, as the record says.
    pub url: Option<String>,
    /// The server's tag of the content, as the record says, in its quotes if it has any.
    pub etag: Option<String>,
    /// Whether the name is made of what the record says. Else the record is that of another file, and says nothing of
    /// this one: a library finds the file by its name, and believes the record when it lists or moves what it has.
    pub record_fits: bool,
}

impl UrlFile {
    /// All that is there, in the order of removal: a record must not name what is gone, and the lock is held to the end.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.record, &self.partial, &self.content, &self.lock].into_iter().flatten().map(|node| node.path.as_str())
    }

    /// The digest of the address: what all downloads of one address have in common.
    pub fn key(&self) -> &str {
        self.name.split('.').next().unwrap_or_default()
    }

    /// When the download was written, in nanoseconds since 1970; 0 where there is none, or `stat` was not asked for.
    pub fn modified(&self) -> i64 {
        self.content.as_ref().map_or(0, |node| node.modified)
    }
}

/// Whether a file is named like a download: the digest of an address, perhaps of a tag, perhaps one of the two suffixes
/// that libraries keep. With any other one it is somebody's who names files by what is in them.
pub fn is_name(name: &str) -> bool {
    let mut parts = name.split('.');
    let digest = |part: &str| part.len() == 64 && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let suffix = |part: &str| matches!(part, "h5" | "py");
    parts.next().is_some_and(digest)
        && match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => true,
            (Some(one), None, _) => digest(one) || suffix(one),
            (Some(tag), Some(last), None) => digest(tag) && suffix(last),
            _ => false,
        }
}

/// Whether this is a file that Python's `tempfile` named: `tmp` and eight characters. The libraries write what they
/// download or compute to such files until it is whole.
pub fn is_temporary(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.strip_prefix("tmp").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(allowed))
}

/// The download that a file belongs to by its name: as its content, its record, its lock or what was left of it.
pub fn download_of(name: &str) -> Option<&str> {
    companion(name).map(|(download, _)| download).filter(|download| is_name(download))
}

/// The downloads among the children of one folder, in the order of their names, with what their records say. A record
/// that cannot be read leaves its download without an address.
pub fn among(root: &dyn Directory, children: &[Node]) -> Vec<UrlFile> {
    let mut files = named(children);
    read_records(root, &mut files);
    files
}

/// The same without a look into the records.
pub fn named(children: &[Node]) -> Vec<UrlFile> {
    let mut found: BTreeMap<&str, UrlFile> = BTreeMap::new();
    for node in children {
        let Some((name, place)) = companion(node.name()).filter(|(name, _)| is_name(name)) else { continue };
        let file = found.entry(name).or_insert_with(|| UrlFile { name: name.to_owned(), ..UrlFile::default() });
        *place(file) = Some(node.clone());
    }
    found.into_values().collect()
}

type Place = fn(&mut UrlFile) -> &mut Option<Node>;

/// Which download a name belongs to, and as what.
fn companion(name: &str) -> Option<(&str, Place)> {
    let places: [(&str, Place); 3] = [
        (".json", |file| &mut file.record),
        (".lock", |file| &mut file.lock),
        (".incomplete", |file| &mut file.partial),
    ];
    let of = |(suffix, place): (&str, Place)| Some((name.strip_suffix(suffix)?, place));
    places.into_iter().find_map(of).or(Some((name, |file| &mut file.content)))
}

#[derive(serde::Deserialize)]
struct Record {
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    etag: Option<String>,
}

fn read_records(root: &dyn Directory, files: &mut [UrlFile]) {
    let mut recorded: Vec<&mut UrlFile> = files.iter_mut().filter(|file| file.record.is_some()).collect();
    for batch in recorded.chunks_mut(BATCH) {
        let paths: Vec<String> =
            batch.iter().filter_map(|file| file.record.as_ref()).map(|node| node.path.clone()).collect();
        for (file, text) in batch.iter_mut().zip(root.read(&paths, RECORD_LIMIT)) {
            let Ok(text) = text else { continue };
            let Ok(record) = serde_json::from_slice::<Record>(&text) else { continue };
            (file.url, file.etag) = (record.url, record.etag);
            file.record_fits = file.is_named_by_record();
        }
    }
}

#[cfg(test)]
mod tests {
    use dscc_sdk::testing::MemoryRoot;

    use super::*;

    const URL: &str = "3c61d016573b14f7f008c02c4e51a366c67ab274726fe2910691e2a761acf43e";
    const TAG: &str = "0a77b3f9f1bbd0e3b6a9d7a0b6e7d7ba3c1a0c2a9a7a1f1f2e3d4c5b6a798877";

    fn files(root: MemoryRoot) -> Vec<UrlFile> {
        let root: &dyn Directory = &root;
        among(root, &root.children("").unwrap())
    }

    #[test]
    fn a_download_its_record_its_lock_and_its_partial_are_one_thing() {
        let name = format!("{URL}.{TAG}");
        let root = MemoryRoot::new()
            .file(&name, "content")
            .file(&format!("{name}.json"), r#"{"url": "https://example.org/x", "etag": "\"1\""}"#)
            .file(&format!("{name}.lock"), "")
            .file(&format!("{name}.incomplete"), "co");
        let [file] = files(root).try_into().unwrap();
        assert_eq!((file.name.as_str(), file.key()), (name.as_str(), URL));
        assert_eq!((file.url.as_deref(), file.etag.as_deref()), (Some("https://example.org/x"), Some("\"1\"")));
        let suffixes: Vec<&str> = file.paths().map(|path| &path[name.len()..]).collect();
        assert_eq!(suffixes, [".json", ".incomplete", "", ".lock"]);
    }

    #[test]
    fn names_are_digests_with_a_tag_or_a_suffix_or_both() {
        let both = format!("{URL}.{TAG}.h5");
        for name in [URL, &format!("{URL}.{TAG}"), &both, &format!("{URL}.py")] {
            assert!(is_name(name), "{name}");
        }
        for name in [
            "",
            "tmpabcdefgh",
            "version.txt",
            &URL[1..],
            &format!("{both}.x"),
            &format!("{URL}-extracted"),
            &format!("{URL}."),
            &format!("{URL}.bin"),
            &format!("{URL}.{TAG}.zip"),
        ] {
            assert!(!is_name(name), "{name}");
        }
    }

    #[test]
    fn temporary_files_are_called_as_python_calls_them() {
        assert!(is_temporary("tmpej94qrsc") && is_temporary("tmp6xhnv_0t"));
        assert!(["tmp", "tmpdir", "tmpABCDEFGH", "tmpej94qrsc1"].iter().all(|name| !is_temporary(name)));
    }

    #[test]
    fn a_broken_record_leaves_the_download_without_an_address() {
        for record in ["", "[]", "{\"url\": 3}", "\u{feff}"] {
            let root = MemoryRoot::new().file(URL, "content").file(&format!("{URL}.json"), record);
            let [file] = files(root).try_into().unwrap();
            assert!(file.content.is_some() && file.record.is_some() && file.url.is_none(), "{record}");
        }
    }

    #[test]
    fn another_file_is_nobodys() {
        assert!(
            files(MemoryRoot::new().file("README.md", "x").file("models--a/refs/main", "x").file("x.lock", ""))
                .is_empty()
        );
    }
}
