//! What names mean in a hub: repository folders and their ids, partial downloads, temporaries.

/// Folder prefixes and what one of that type is called.
const TYPES: [(&str, &str); 4] =
    [("models--", "model"), ("datasets--", "dataset"), ("spaces--", "space"), ("kernels--", "kernel")];

/// Files that operating systems strew in, which the library ignores.
pub const SYSTEM_FILES: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// `model` for `models--acme--tiny`; none if it is no repository of a known type.
pub fn kind(folder: &str) -> Option<&'static str> {
    TYPES.iter().find(|(prefix, _)| folder.starts_with(prefix)).map(|(_, kind)| *kind)
}

/// Whether this is a repository of a type that the library does not know, such as `buckets--acme--data`.
pub fn is_of_unknown_type(folder: &str) -> bool {
    let word = folder.split_once("--").and_then(|(types, _)| types.strip_suffix('s')).unwrap_or_default();
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase()) && kind(folder).is_none()
}

/// `model/acme/tiny` for `models--acme--tiny`; none if no repository of the Hub could be meant. An `@` or a third part
/// is not possible there, and here it could be taken for a revision or for something within a repository.
pub fn repository_id(folder: &str) -> Option<String> {
    let (prefix, kind) = TYPES.iter().find(|(prefix, _)| folder.starts_with(prefix))?;
    let path = folder.strip_prefix(prefix)?.replace("--", "/");
    let parts = path.split('/').count();
    let real = parts <= 2 && path.split('/').all(|part| !part.is_empty()) && !path.contains('@');
    (real && path.replace('/', "--").len() + prefix.len() == folder.len()).then(|| format!("{kind}/{path}"))
}

/// `models--acme--tiny` for `model/acme/tiny`, and only for ids that [`repository_id`] gives.
pub fn folder(id: &str) -> Option<String> {
    let (kind, path) = id.split_once('/')?;
    let (prefix, _) = TYPES.iter().find(|(_, known)| *known == kind)?;
    let folder = format!("{prefix}{}", path.replace('/', "--"));
    (repository_id(&folder).as_deref() == Some(id)).then_some(folder)
}

/// Whether a ref's text can be a commit or the name of a revision folder.
pub fn is_revision(text: &str) -> bool {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/' && byte != b'\\');
    plain && !matches!(text, "" | "." | "..") && text.len() <= 255
}

/// Whether the Hub would give a blob this name: a SHA-1 or a SHA-256.
pub fn is_digest(name: &str) -> bool {
    matches!(name.len(), 40 | 64) && is_hex(name)
}

/// Whether this is a folder in which a client tries whether links work, `tmp` and eight characters.
pub fn is_probe(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.strip_prefix("tmp").is_some_and(|rest| rest.len() == 8 && rest.bytes().all(allowed))
}

/// Whether this is a ref that was being written, `main.0a1b2c3d.tmp`. A branch may end in `.tmp` too.
pub fn is_temporary_ref(name: &str) -> bool {
    name.strip_suffix(".tmp").and_then(without_token).is_some()
}

/// Whether this is a tree file that was being written.
pub fn is_temporary_tree(name: &str) -> bool {
    name.starts_with("tmp") && name.ends_with(".tmp")
}

/// A file in `blobs/` that is no content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfinished<'a> {
    /// A download that did not end.
    Partial {
        /// The blob that it would have become.
        etag: &'a str,
        /// Old clients resume; newer ones give each attempt a name of its own.
        resumable: bool,
    },
    /// A temporary of another kind, perhaps guarded by the lock of a blob.
    Temporary(Option<&'a str>),
    /// A lock file of early clients.
    Lock,
}

/// What a file in `blobs/` is, if it is no content.
pub fn unfinished(name: &str) -> Option<Unfinished<'_>> {
    if let Some(stem) = name.strip_suffix(".incomplete") {
        let attempt = without_token(stem);
        return Some(Unfinished::Partial { etag: attempt.unwrap_or(stem), resumable: attempt.is_none() });
    }
    if name.ends_with(".lock") {
        return Some(Unfinished::Lock);
    }
    if let Some(uuid) = name.strip_prefix("tmp_") {
        let dashed = uuid.len() == 36 && uuid.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
        return dashed.then_some(Unfinished::Temporary(None));
    }
    let hidden = name.strip_prefix('.')?;
    let stem = [".new", ".old", ".shared"].iter().find_map(|end| hidden.strip_suffix(end))?;
    without_token(stem).map(|blob| Unfinished::Temporary(Some(blob)))
}

/// `blobs/<2 hex>/<64 hex>` with the digits agreeing: a place in the shared store.
pub fn is_payload(path: &str) -> bool {
    let Some((prefix, hash)) = path.strip_prefix("blobs/").and_then(|rest| rest.split_once('/')) else { return false };
    prefix.len() == 2 && hash.len() == 64 && hash.starts_with(prefix) && is_hex(hash)
}

/// Cuts `.0a1b2c3d` off.
fn without_token(name: &str) -> Option<&str> {
    let (stem, token) = name.rsplit_once('.')?;
    (token.len() == 8 && is_hex(token) && !stem.is_empty()).then_some(stem)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_ids_map_to_each_other_or_not_at_all() {
        for (known, id) in [
            ("models--acme--tiny", "model/acme/tiny"),
            ("datasets--squad", "dataset/squad"),
            ("kernels--a--b", "kernel/a/b"),
        ] {
            assert_eq!(repository_id(known).as_deref(), Some(id));
            assert_eq!(folder(id).as_deref(), Some(known));
        }
        for odd in ["models----", "models--", "models--a--", "models--a@b", "models--a--blobs--x", "buckets--a--b", "x"]
        {
            assert_eq!(repository_id(odd), None, "{odd}");
        }
        for odd in ["model", "model/", "model/a--b", "store/a", "model/a@b", "bucket/a/b"] {
            assert_eq!(folder(odd), None, "{odd}");
        }
        assert!(is_of_unknown_type("buckets--acme--data"));
        assert!(!is_of_unknown_type("models--a") && !is_of_unknown_type("a--b") && !is_of_unknown_type("random"));
    }

    #[test]
    fn files_of_killed_clients_are_known_by_name() {
        assert_eq!(unfinished("ab.incomplete"), Some(Unfinished::Partial { etag: "ab", resumable: true }));
        assert_eq!(unfinished("ab.0a1b2c3d.incomplete"), Some(Unfinished::Partial { etag: "ab", resumable: false }));
        assert_eq!(unfinished(".ab.0a1b2c3d.shared"), Some(Unfinished::Temporary(Some("ab"))));
        assert_eq!(unfinished("tmp_6e7a1c9e-13a4-4f57-9d2c-3b9a0e3a4b5c"), Some(Unfinished::Temporary(None)));
        assert_eq!(unfinished("ab.lock"), Some(Unfinished::Lock));
        for content in ["ab", "tmp_notes", ".DS_Store", ".ab.shared", "W-ab.1"] {
            assert_eq!(unfinished(content), None, "{content}");
        }
        assert!(is_probe("tmpk3j5l2m1") && !is_probe("tmpdir") && !is_probe("tmpK3j5l2m1"));
        assert!(is_temporary_ref("main.0a1b2c3d.tmp") && !is_temporary_ref("fix.tmp"));
    }
}
