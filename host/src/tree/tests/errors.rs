//! What the system says no with has words of its own, which say what to do.

use std::collections::BTreeSet;

use rustix::io::Errno;

use super::*;

#[test]
fn every_error_that_a_removal_meets_has_words_of_its_own_that_say_what_to_do() {
    let errnos = [
        Errno::ACCESS,
        Errno::PERM,
        Errno::BUSY,
        Errno::TXTBSY,
        Errno::ROFS,
        Errno::STALE,
        Errno::XDEV,
        Errno::NOSPC,
        Errno::MFILE,
        Errno::NAMETOOLONG,
        Errno::LOOP,
        Errno::IO,
        Errno::NOTEMPTY,
        Errno::NOTCONN,
    ];
    let words: BTreeSet<String> = errnos.iter().map(|errno| FsError::from(*errno).to_string()).collect();
    assert_eq!(words.len(), errnos.len());
    for errno in errnos {
        let words = FsError::from(errno).to_string();
        assert!(words.contains([';', ':']) && !words.contains("os error"), "{errno}: {words}");
    }
    for [one, other] in [[Errno::NOSPC, Errno::DQUOT], [Errno::MFILE, Errno::NFILE], [Errno::LOOP, Errno::NOTDIR]] {
        assert_eq!(FsError::from(one), FsError::from(other));
    }
    assert_eq!(FsError::from(Errno::NOENT), FsError::NotFound);
}
