//! What names mean in the cache: folders of datasets and their ids, versions, digests, results of `map`.

/// Where downloads are.
pub const DOWNLOADS: &str = "downloads";
/// Where they are extracted to, within.
pub const EXTRACTED: &str = "extracted";

/// What a build's folder is called until it is finished.
pub const INCOMPLETE: &str = ".incomplete";

/// Between namespace and name in a folder's name.
const BETWEEN: &str = "___";

/// First parts of ids that are no dataset's: a dataset of such a namespace is called like its folder.
const TAKEN: [&str; 3] = [DOWNLOADS, EXTRACTED, "locks"];

/// `acme/reviews` for `acme___reviews`, `csv` for `csv`. An `@` would be taken for the beginning of a build.
pub fn dataset_id(folder: &str) -> String {
    let plain = folder.replace('%', "%25").replace('@', "%40");
    match plain.split_once(BETWEEN) {
        Some((space, name)) if !space.is_empty() && !name.is_empty() && !TAKEN.contains(&space) => {
            format!("{space}/{name}")
        }
        _ => plain,
    }
}

/// The folder of a dataset of this id.
pub fn dataset_folder(id: &str) -> String {
    id.replacen('/', BETWEEN, 1).replace("%40", "@").replace("%25", "%")
}

/// Whether the dataset is one of the Hub, by its folder.
pub fn has_namespace(folder: &str) -> bool {
    folder.split_once(BETWEEN).is_some_and(|(space, name)| !space.is_empty() && !name.is_empty())
}

/// `acme/reviews` for the config `acme--reviews-0123456789abcdef` of the years up to 2.13, where the folder above it is
/// that of the builder.
pub fn repository_of_config(config: &str) -> Option<String> {
    let (name, digest) = config.rsplit_once('-')?;
    let (space, name) = name.split_once("--")?;
    (is_hex(digest, 16) && !space.is_empty() && !name.is_empty()).then(|| format!("{space}/{name}"))
}

/// The name of a config by its folder, which may end in a digest of what else it was made from.
pub fn config(folder: &str) -> &str {
    folder.rsplit_once('-').filter(|(name, digest)| is_hex(digest, 16) && !name.is_empty()).map_or(folder, |it| it.0)
}

/// Whether a folder is called like a version, `1.2.0`.
pub fn is_version(name: &str) -> bool {
    let mut parts = name.split('.');
    let number = |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.clone().count() == 3 && parts.all(number)
}

/// Whether a folder is called like a build: a commit, a digest of code, or one of data files.
pub fn is_hash(name: &str) -> bool {
    [16, 40, 64].into_iter().any(|digits| is_hex(name, digits)) || name == "missing"
}

/// Whether it is so many lower-case hex digits.
pub fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The first digits of a commit or digest.
pub fn short(hash: &str) -> &str {
    hash.get(..8).filter(|_| is_hash(hash)).unwrap_or(hash)
}

/// What one or more `cache-<fingerprint>[_00000_of_00002].arrow` have in common: the name of one result of `map`, `filter`
/// and the like.
pub fn result(file: &str) -> Option<&str> {
    let stem = file.strip_suffix(".arrow").filter(|stem| stem.starts_with("cache-"))?;
    let digits = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    let whole = || {
        let (rest, count) = stem.rsplit_once("_of_")?;
        let (rest, rank) = rest.rsplit_once('_')?;
        (digits(count) && digits(rank)).then_some(rest)
    };
    Some(whole().unwrap_or(stem))
}

/// The Hub's name of the dataset that an address leads to: `acme/reviews` for `hf://datasets/acme/reviews@main/x.csv`.
pub fn repository_of(address: &str) -> Option<&str> {
    let last = address.rsplit("::").next().unwrap_or(address);
    last.strip_prefix("hf://datasets/")?.split_once('@').map(|(name, _)| name)
}

/// The first line of a text from a file, and no more of it than anyone reads: a host refuses what is very long.
pub fn shown(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or(line)),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_ids_map_to_each_other() {
        for (folder, id) in [
            ("acme___reviews", "acme/reviews"),
            ("csv", "csv"),
            ("a____b", "a/_b"),
            ("a___b___c", "a/b___c"),
            ("downloads___x", "downloads___x"),
            ("___x", "___x"),
            ("my@data", "my%40data"),
            ("100%", "100%25"),
        ] {
            assert_eq!(dataset_id(folder), id);
            assert_eq!(dataset_folder(id), folder);
        }
        assert!(has_namespace("acme___reviews") && !has_namespace("csv") && !has_namespace("___x"));
        assert_eq!(repository_of_config("acme--reviews-0123456789abcdef").as_deref(), Some("acme/reviews"));
        assert_eq!(repository_of_config("default-0123456789abcdef"), None);
    }

    #[test]
    fn names_of_builds_and_results() {
        assert!(is_version("0.0.0") && is_version("1.10.2"));
        for other in ["1.0", "1.0.0.0", "v1.0.0", "", "..", "0.0.0.incomplete", "1.a.0"] {
            assert!(!is_version(other), "{other}");
        }
        assert_eq!(result("cache-01ab.arrow"), Some("cache-01ab"));
        assert_eq!(result("cache-01ab_00001_of_00002.arrow"), Some("cache-01ab"));
        assert_eq!(result("cache-my_of_00002.arrow"), Some("cache-my_of_00002"));
        assert_eq!(result("csv-train.arrow"), None);
    }
}
