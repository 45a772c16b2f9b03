//! Tables that hold paths in place of content: prepared from folders of images, sounds and the like, they break without
//! any error when what they point to goes. What they point to is in their texts, which the library does not compress; so
//! tables of bearable size are looked through, and of larger ones the worst is assumed.

use std::collections::BTreeSet;

use dscc_sdk::{Directory, path};

use crate::dataset::Build;
use crate::names::{is_hex, result};

/// Bytes of one table. A row with nothing but paths has some hundred.
const TABLE_LIMIT: u32 = 8 << 20;
/// Bytes of all tables that one listing looks through.
const BUDGET: usize = 96 << 20;
/// Longer paths are not followed back to their beginning.
const PATH_LIMIT: usize = 4096;

/// What tables point to.
#[derive(Debug, Default)]
pub struct Stored {
    /// Names of downloads and of what was extracted: 64 digits.
    pub digests: BTreeSet<String>,
    /// The folder in which the first of them lies.
    pub digests_in: Option<String>,
    /// `datasets--acme--pictures/snapshots/<commit>`.
    pub snapshots: BTreeSet<String>,
    /// The folder in which the first of them lies.
    pub snapshots_in: Option<String>,
    /// Whether a table could not be looked through.
    pub unknown: bool,
}

/// Looks through tables as long as the listing's budget lasts.
pub struct Reader<'a> {
    root: &'a dyn Directory,
    left: usize,
}

impl<'a> Reader<'a> {
    /// With the whole budget.
    pub fn new(root: &'a dyn Directory) -> Self {
        Self { root, left: BUDGET }
    }

    /// What the tables of a build point to.
    pub fn read(&mut self, build: &Build) -> Stored {
        let mut stored = Stored::default();
        for table in build.files.iter().filter(|file| file.ends_with(".arrow") && result(file).is_none()) {
            let limit = TABLE_LIMIT.min(u32::try_from(self.left).unwrap_or(TABLE_LIMIT));
            match self.root.read(&[path::join(&build.path, table)], limit).pop() {
                Some(Ok(content)) => {
                    self.left = self.left.saturating_sub(content.len());
                    stored.look(&content);
                }
                _ => stored.unknown = true,
            }
        }
        stored
    }
}

impl Stored {
    /// Finds names in the texts of a table.
    fn look(&mut self, content: &[u8]) {
        let mut at = 0;
        while let Some(slash) = content.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'/')) {
            let slash = at + slash;
            at = slash + 1;
            let rest = content.get(at..).unwrap_or_default();
            if let Some(digest) = digits(rest, 64) {
                if !self.digests.contains(digest) {
                    self.digests.insert(digest.to_owned());
                    self.digests_in = self.digests_in.take().or_else(|| before(content, slash));
                }
            } else if rest.starts_with(b"datasets--")
                && let Some(snapshot) = snapshot(rest)
                && !self.snapshots.contains(&snapshot)
            {
                self.snapshots.insert(snapshot);
                self.snapshots_in = self.snapshots_in.take().or_else(|| before(content, slash));
            }
        }
    }
}

/// So many hex digits at the start, and no more.
fn digits(text: &[u8], count: usize) -> Option<&str> {
    let digits = std::str::from_utf8(text.get(..count)?).ok().filter(|digits| is_hex(digits, count))?;
    let more = text.get(count).is_some_and(|byte| byte.is_ascii_alphanumeric() && !matches!(byte, b'g'..=b'z'));
    (!more).then_some(digits)
}

/// `datasets--acme--pictures/snapshots/<commit>` at the start.
fn snapshot(text: &[u8]) -> Option<String> {
    let end = text.iter().take(PATH_LIMIT).position(|byte| *byte == b'/')?;
    let folder = std::str::from_utf8(text.get(..end)?).ok()?;
    let commit = digits(text.get(end..)?.strip_prefix(b"/snapshots/")?, 40)?;
    Some(format!("{folder}/snapshots/{commit}"))
}

/// The absolute path that ends at the slash. Texts follow each other without a gap, so that this is right only for the
/// first of a column; before it there are numbers.
fn before(content: &[u8], slash: usize) -> Option<String> {
    let head = content.get(slash.saturating_sub(PATH_LIMIT)..slash)?;
    let start = head.iter().rposition(|byte| *byte < b' ' || *byte == 0x7f).map_or(0, |at| at + 1);
    let text = std::str::from_utf8(head.get(start..)?).ok()?;
    let text = text.rsplit("::").next().unwrap_or(text);
    text.find('/').and_then(|at| text.get(at..)).map(|found| path::escape(found.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_texts_of_a_table_point_to_is_found() {
        let (one, two, commit) = ("a".repeat(64), "b".repeat(64), "c".repeat(40));
        let mut content = b"\x01\x00\x00\x00\x00".to_vec();
        content.extend(format!("/home/me/datasets/downloads/extracted/{one}/1.png").bytes());
        content.extend(format!("/home/me/datasets/downloads/extracted/{one}/2.png").bytes());
        content.extend(format!("zip://3.png::/home/me/datasets/downloads/{two}\x00\x00").bytes());
        content.extend(format!("/mnt/hub/datasets--acme--Pictures/snapshots/{commit}/x.png").bytes());
        let mut stored = Stored::default();
        stored.look(&content);
        assert_eq!(stored.digests, BTreeSet::from([one, two]));
        assert_eq!(stored.digests_in.as_deref(), Some("/home/me/datasets/downloads/extracted"));
        assert_eq!(stored.snapshots, BTreeSet::from([format!("datasets--acme--Pictures/snapshots/{commit}")]));
        assert_eq!(stored.snapshots_in.as_deref(), Some("/mnt/hub"));
    }

    #[test]
    fn other_texts_are_nothing() {
        let mut stored = Stored::default();
        stored
            .look(format!("/{}/{}/datasets--x/blobs/{}//", "a".repeat(65), "b".repeat(63), "c".repeat(40)).as_bytes());
        stored.look(b"/datasets--");
        stored.look(b"");
        assert!(stored.digests.is_empty() && stored.snapshots.is_empty());
    }
}
