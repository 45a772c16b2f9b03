//! Lines that manifests lose.

use dscc_sdk::{Edit, Moment, Records};

use super::*;

fn edits(root: &TempRoot, ids: &[&str]) -> Vec<(String, Vec<String>)> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    let edits = HfHub::delete_entry(root, "hub", &ids).unwrap();
    let plain = |edit: Edit| {
        assert_eq!(edit.at, Moment::After);
        let Records::Lines(lines) = edit.drop;
        (edit.file, lines)
    };
    edits.into_iter().map(plain).collect()
}

/// A revision that names a shared blob.
fn revision(root: TempRoot, folder: &str, digit: char, blob: char) -> TempRoot {
    root.link(&format!("{folder}/snapshots/{}/x", digits(digit)), format!("../../blobs/{}", digits(blob)))
}

/// Two repositories with the payload `e`; the first has two revisions that name the same link.
fn two() -> TempRoot {
    let root =
        TempRoot::new().marked().shared(REPO, &digits('5'), &hash('e')).shared("models--b", &digits('5'), &hash('e'));
    revision(revision(revision(root, REPO, 'a', '5'), REPO, 'b', '5'), "models--b", 'a', '5')
}

fn line(folder: &str) -> String {
    format!("{folder}/blobs/{}", digits('5'))
}

fn manifest() -> String {
    format!("{}.refs", store_path(&hash('e')))
}

#[test]
fn a_repository_that_goes_takes_its_line_and_stale_ones_from_payloads_that_stay() {
    let root = two();
    assert_eq!(edits(&root, &[ID]), [(manifest(), vec![line(REPO)])]);
    let stale = root.file(&manifest(), format!("models--gone/blobs/x\n{}\n{}\n", line("models--b"), line(REPO)));
    assert_eq!(edits(&stale, &[ID]), [(manifest(), vec![line(REPO), "models--gone/blobs/x".into()])]);
}

#[test]
fn a_manifest_that_goes_with_its_payload_is_not_edited() {
    assert_eq!(edits(&two(), &[ID, "model/b"]), []);
}

#[test]
fn a_line_stays_while_any_revision_of_the_repository_names_the_link() {
    let (a, b) = (format!("{ID}@{}", digits('a')), format!("{ID}@{}", digits('b')));
    assert_eq!(edits(&two(), &[&a]), []);
    assert_eq!(edits(&two(), &[&a, &b]), [(manifest(), vec![line(REPO)])]);
    let third = revision(two(), REPO, 'c', '6');
    assert_eq!(edits(&third, &[&a, &b]), [(manifest(), vec![line(REPO)])]);
}

#[test]
fn an_orphan_loses_its_line_only_when_it_goes_or_the_repository_does() {
    let root = revision(two(), REPO, 'c', '7').shared(REPO, &digits('6'), &hash('e'));
    let orphan = format!("{REPO}/blobs/{}", digits('6'));
    let chosen = format!("{ID}/blobs/{}", digits('6'));
    assert_eq!(edits(&root, &[&chosen]), [(manifest(), vec![orphan.clone()])]);
    assert_eq!(edits(&root, &[&format!("{ID}@{}", digits('c'))]), []);
    let revisions = ['a', 'b', 'c'].map(|digit| format!("{ID}@{}", digits(digit)));
    let all: Vec<&str> = revisions.iter().map(String::as_str).collect();
    assert_eq!(edits(&root, &all), [(manifest(), vec![line(REPO), orphan])], "the last revision takes the repository");
}

#[test]
fn nothing_is_edited_for_other_entries_or_without_a_known_store() {
    let payload = format!("store/{}", hash('e'));
    assert_eq!(
        edits(&two(), &["store", &payload, "locks/models--x", "tmpk3j5l2m1", "nonsense", "model/acme/none"]),
        []
    );
    assert_eq!(edits(&two().file("blobs/.huggingface-shared-blobs", "2\n"), &[ID]), []);
}

#[test]
fn a_repository_called_blobs_is_not_confused_with_a_blob() {
    let root = TempRoot::new().marked().shared("models--a--blobs", &digits('5'), &hash('e')).shared(
        "models--b",
        &digits('5'),
        &hash('e'),
    );
    let lost = edits(&root, &[&format!("model/a/blobs/blobs/{}", digits('5'))]);
    assert_eq!(lost, [(manifest(), vec![line("models--a--blobs")])]);
}
