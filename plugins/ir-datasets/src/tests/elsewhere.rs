//! Links to other disks, and the mirror of downloads.

use super::*;

#[test]
fn a_dataset_on_another_disk_is_a_link() {
    let root = MemoryRoot::new().link("cord19", "/disk/cord19").link("big", "/disk/big");
    let entries = level(&root, None);
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].recovery, entries[0].has_children), (Recovery::Irreplaceable, false));
}

#[test]
fn the_mirror_is_the_users() {
    let md5 = "684f7015aff377062a758e478476aac8";
    let root = MemoryRoot::new().file(&format!("downloads/{md5}"), "1").file(&format!("downloads/{md5}.tmp"), "2");
    let root = root.link("downloads/00000000000000000000000000000000", "/data/x").file("downloads/readme", "3");
    let all = all(&root);
    assert_eq!(all["downloads"].owns.len(), 3);
    assert_eq!(all[&format!("downloads/{md5}")].recovery, Recovery::Uncertain);
    assert!(all[&format!("downloads/{md5}.tmp")].reclaim.is_some());
    assert_eq!(all["downloads/00000000000000000000000000000000"].recovery, Recovery::Irreplaceable);
}

#[test]
fn a_link_keeps_what_it_leads_to() {
    let root = MemoryRoot::new().named("/home/me/.ir_datasets").link("antique/collection.tsv", "../downloads/x");
    let root =
        root.link("cord19", "/big/cord19").link("downloads/00000000000000000000000000000000", "../antique/train");
    let all = all(&root);
    assert_eq!(all["antique@protected/collection.tsv"].needs, ["downloads/x"]);
    assert_eq!(all["cord19"].needs, ["/big/cord19"]);
    assert_eq!(all["downloads/00000000000000000000000000000000"].needs, ["antique/train"]);
}

#[test]
fn what_belongs_to_a_store_on_another_disk_stays_with_it() {
    let root = MemoryRoot::new().link("msmarco-qna/docs.pklz4", "/big/docs.pklz4").file("msmarco-qna/dev.run", "1");
    let root = root.file("msmarco-qna/irds_version.txt", "v2");
    let root = root.link("dpr-w100/nq-dev/queries.tsv", "/big/queries.tsv").file("dpr-w100/nq-dev/qrels", "2");
    let all = all(&root);
    for (link, part, path) in [
        ("msmarco-qna@protected/docs.pklz4", "msmarco-qna@sources/dev.run", "msmarco-qna/dev.run"),
        ("dpr-w100@protected/nq-dev/queries.tsv", "dpr-w100@sources/nq-dev/qrels", "dpr-w100/nq-dev/qrels"),
    ] {
        assert_eq!((&all[part].reclaim, all[part].state), (&None, State::Complete), "{part}");
        assert!(all[link].needs.iter().any(|place| place == path), "{link}");
    }
}

#[test]
fn a_mirror_on_another_disk_is_needed_by_its_link() {
    let entries = level(&MemoryRoot::new().link("downloads", "/disk/mirror"), None);
    assert_eq!(
        (entries[0].recovery, entries[0].needs.as_slice()),
        (Recovery::Irreplaceable, &["/disk/mirror".into()][..])
    );
}

#[test]
fn a_store_on_another_disk_keeps_what_guards_it() {
    let version = "beir/scifact/irds_version.txt";
    let root = MemoryRoot::new().link("beir/scifact/docs.pklz4", "/big/docs.pklz4").file(version, "v2");
    let all = all(&root);
    assert_eq!(all["beir@protected/scifact/docs.pklz4"].shares, [version]);
    assert!(!all.contains_key("beir@sources"));
}
