//! Dropping records from index files. Nothing is written that was not there: the new content is the old one without the
//! lines that go, and a file that changed in between is left alone.

use std::collections::{HashMap, HashSet};
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

/// A line that an index loses, with its place among the lines that were there.
pub type Dropped = (usize, String);

/// What an edit is about to drop. Nothing if the index cannot be read; then nothing is dropped either.
pub fn dropping(root: &Root, edit: &Edit) -> Vec<Dropped> {
    let Ok(content) = root.read(&edit.file, MAX_INDEX) else { return Vec::new() };
    let texts: HashMap<Vec<u8>, &String> =
        edit.drop_lines.iter().filter_map(|line| Some((unescape_name(line)?.into_encoded_bytes(), line))).collect();
    let lines = content.split_inclusive(|byte| *byte == b'\n').enumerate();
    lines.filter_map(|(at, line)| Some((at, (*texts.get(bare(line))?).clone()))).collect()
}

/// Gives an index back the lines that it lost and lacks, where they were; tells whether there were any. `size` is that of
/// the index before, in bytes: only by that it is known whether its last line had an end.
///
/// # Errors
/// When it cannot be read or replaced.
pub fn give_lines_back(root: &Root, file: &RelPath, lines: &[Dropped], size: u64) -> Result<bool, FsError> {
    let old = root.read(file, MAX_INDEX)?;
    let new = with_lines(&old, lines, size);
    if new == old {
        return Ok(false);
    }
    root.rewrite(file, &old, &new).map(|()| true)
}

fn with_lines(old: &[u8], lines: &[Dropped], size: u64) -> Vec<u8> {
    let mut all: Vec<Vec<u8>> = old.split_inclusive(|byte| *byte == b'\n').map(|line| bare(line).to_owned()).collect();
    let there: HashSet<Vec<u8>> = all.iter().cloned().collect();
    let before = all.len();
    for (at, line) in lines {
        if let Some(line) = unescape_name(line).map(OsString::into_encoded_bytes).filter(|line| !there.contains(line)) {
            all.insert((*at).min(all.len()), line);
        }
    }
    if all.len() == before {
        return old.to_owned();
    }
    let mut new = all.join(&b'\n');
    if new.len() as u64 != size {
        new.push(b'\n');
    }
    new
}

fn bare(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

fn without_lines(old: &[u8], drop: &[String]) -> Vec<u8> {
    let drop: HashSet<Vec<u8>> =
        drop.iter().filter_map(|line| unescape_name(line)).map(OsString::into_encoded_bytes).collect();
    let keep = |line: &&[u8]| !drop.contains(bare(line));
    old.split_inclusive(|byte| *byte == b'\n').filter(keep).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::{with_lines, without_lines};

    #[test]
    fn only_whole_equal_lines_go_and_every_other_byte_stays() {
        let drop = ["a".to_owned(), "\\xff".to_owned()];
        assert_eq!(without_lines(b"a\nab\n\xff\n\n a\na", &drop), b"ab\n\n a\n");
        assert_eq!(without_lines(b"b\r\nlast", &drop), b"b\r\nlast");
        assert_eq!(without_lines(b"", &drop), b"");
    }

    #[test]
    fn what_was_dropped_comes_back_where_it_was_to_the_byte() {
        let drop = ["a".to_owned(), "\\xff".to_owned()];
        for before in [&b"a\nb\n\xff\nc\na\n"[..], b"b\na", b"a", b"a\n", b"\n\xff\n\nx", b"\xff\na"] {
            let line = |(at, line): (usize, &[u8])| (at, drop[usize::from(line[0] == 0xff)].clone(), line.to_owned());
            let lines = before.split_inclusive(|byte| *byte == b'\n').enumerate();
            let dropped = lines.filter(|(_, line)| matches!(line[0], b'a' | 0xff)).map(line).map(|it| (it.0, it.1));
            let (dropped, after) = (dropped.collect::<Vec<_>>(), without_lines(before, &drop));
            assert_eq!(with_lines(&after, &dropped, before.len() as u64), before);
            assert_eq!(with_lines(before, &dropped, before.len() as u64), before, "nothing is given back twice");
        }
        let dropped = [(1, "a".to_owned()), (7, "c".to_owned())];
        assert_eq!(with_lines(b"x\ny\nc", &dropped, 4), b"x\na\ny\nc\n", "somebody else wrote meanwhile");
    }
}
