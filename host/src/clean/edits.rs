//! Dropping records from index files. Nothing is written that was not there: the new content is the old one without the
//! lines that go, and a file that changed in between is left alone.

use std::collections::HashSet;
use std::ffi::OsString;

use crate::model::{Edit, RelPath, unescape_name};
use crate::tree::{FsError, Root};

/// Index files are small; a larger one is none.
const MAX_INDEX: usize = 64 << 20;

/// Applies one edit. An index that is not there has nothing to lose.
///
/// # Errors
/// When the file cannot be read or replaced.
pub(super) fn apply(root: &Root, edit: &Edit) -> Result<(), FsError> {
    let old = match root.read(&edit.file, MAX_INDEX) {
        Ok(old) => old,
        Err(FsError::NotFound) => return Ok(()),
        Err(error) => return Err(error),
    };
    let new = without_lines(&old, &edit.drop_lines);
    if new == old { Ok(()) } else { root.rewrite(&edit.file, &old, &new) }
}

/// Which of these lines an index lacks.
///
/// # Errors
/// When it cannot be read.
pub fn missing_lines(root: &Root, file: &RelPath, lines: &[String]) -> Result<Vec<String>, FsError> {
    let content = root.read(file, MAX_INDEX)?;
    let there: HashSet<&[u8]> = content.split(|byte| *byte == b'\n').collect();
    let lacks = |line: &&String| unescape_name(line).is_some_and(|text| !there.contains(text.as_encoded_bytes()));
    Ok(lines.iter().filter(lacks).cloned().collect())
}

/// Adds lines at the end of an index.
///
/// # Errors
/// When it cannot be read or replaced.
pub fn add_lines(root: &Root, file: &RelPath, lines: &[String]) -> Result<(), FsError> {
    let old = root.read(file, MAX_INDEX)?;
    let mut new = old.clone();
    if !new.is_empty() && !new.ends_with(b"\n") {
        new.push(b'\n');
    }
    for line in lines.iter().filter_map(|line| unescape_name(line)) {
        new.extend(line.into_encoded_bytes());
        new.push(b'\n');
    }
    root.rewrite(file, &old, &new)
}

fn without_lines(old: &[u8], drop: &[String]) -> Vec<u8> {
    let drop: HashSet<Vec<u8>> =
        drop.iter().filter_map(|line| unescape_name(line)).map(OsString::into_encoded_bytes).collect();
    let keep = |line: &&[u8]| !drop.contains(line.strip_suffix(b"\n").unwrap_or(line));
    old.split_inclusive(|byte| *byte == b'\n').filter(keep).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::without_lines;

    #[test]
    fn only_whole_equal_lines_go_and_every_other_byte_stays() {
        let drop = ["a".to_owned(), "\\xff".to_owned()];
        assert_eq!(without_lines(b"a\nab\n\xff\n\n a\na", &drop), b"ab\n\n a\n");
        assert_eq!(without_lines(b"b\r\nlast", &drop), b"b\r\nlast");
        assert_eq!(without_lines(b"", &drop), b"");
    }
}
