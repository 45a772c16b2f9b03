//! What is said of dataset folders, on trees in memory.

use std::collections::BTreeMap;

use dscc_sdk::testing::MemoryRoot;
use dscc_sdk::{CachePlugin, Detail, Directory, Entry, Recovery, State};

use crate::{HOME, IrDatasets, TEMPORARY};

mod elsewhere;

fn level(root: &dyn Directory, parent: Option<&str>) -> Vec<Entry> {
    IrDatasets::list_entries(root, HOME, parent, Detail::Full).unwrap().entries
}

/// Every entry of all levels by its id.
fn all(root: &dyn Directory) -> BTreeMap<String, Entry> {
    let mut found = BTreeMap::new();
    let mut open = level(root, None);
    while let Some(entry) = open.pop() {
        if entry.has_children {
            open.extend(level(root, Some(&entry.id)));
        }
        found.insert(entry.id.clone(), entry);
    }
    found
}

fn ids(root: &dyn Directory) -> Vec<String> {
    all(root).into_keys().collect()
}

trait Store {
    fn store(self, path: &str) -> Self;
    fn half_a_store(self, path: &str) -> Self;
}

impl Store for MemoryRoot {
    fn store(self, path: &str) -> Self {
        let root = self.half_a_store(path).file(&format!("{path}/bin.pos"), "01234567");
        ["key", "pos", "meta"].iter().fold(root, |root, ending| root.file(&format!("{path}/idx.doc_id.{ending}"), "1"))
    }

    fn half_a_store(self, path: &str) -> Self {
        self.file(&format!("{path}/bin"), "xyz").file(&format!("{path}/bin.meta"), "doc_id text")
    }
}

#[test]
fn a_dataset_has_its_things_by_kind() {
    let root =
        MemoryRoot::new().file("vaswani/npl.tar.gz", "1").file("vaswani/docs.txt", "2").store("vaswani/docs.pklz4");
    let all = all(&root);
    assert!(all["vaswani@sources/docs.txt"].reclaim.is_some());
    let ids: Vec<&str> = all.keys().map(String::as_str).collect();
    let expected = [
        "vaswani",
        "vaswani@sources",
        "vaswani@sources/docs.txt",
        "vaswani@sources/npl.tar.gz",
        "vaswani@stores",
        "vaswani@stores/docs.pklz4",
    ];
    assert_eq!(ids, expected);
    assert_eq!(all["vaswani@sources/npl.tar.gz"].recovery, Recovery::Download);
    assert_eq!(all["vaswani@sources/docs.txt"].recovery, Recovery::Rebuild);
    let store = &all["vaswani@stores/docs.pklz4"];
    assert_eq!((store.recovery, store.locks[0].path.as_str()), (Recovery::Rebuild, "vaswani/docs.pklz4/bin"));
    assert!(store.attributes.contains(&("documents".into(), "1".into())));
}

#[test]
fn what_importing_the_library_makes_is_no_dataset() {
    let root = MemoryRoot::new().directory("aquaint").directory("hc4/rus").directory("codec/v1").directory("downloads");
    assert_eq!(ids(&root), Vec::<String>::new());
}

#[test]
fn what_is_not_the_librarys_is_no_entry() {
    let root = MemoryRoot::new().file("notes/todo.txt", "1").file("gov", "3");
    let root = root.file("auth/site", "secret").link("elsewhere", "/data").file("downloads/readme", "4");
    assert_eq!(ids(&root), Vec::<String>::new());
    let listing =
        IrDatasets::list_entries(&MemoryRoot::new().file("downloads", "1"), HOME, None, Detail::Full).unwrap();
    assert!(listing.entries.is_empty() && listing.warnings.is_empty());
}

#[test]
fn what_the_library_does_not_make_is_irreplaceable_in_a_dataset() {
    let root =
        MemoryRoot::new().file("antique/collection.tsv", "1").file("antique/my/a", "2").file("antique/my/b", "3");
    let root = root.file("antique/train/qrels", "4").file("antique/train/notes.txt", "5");
    let all = all(&root);
    assert_eq!(all["antique@other"].owns, ["antique/my", "antique/train/notes.txt"]);
    assert_eq!(all["antique@other/my"].recovery, Recovery::Irreplaceable);
    assert_eq!(all["antique"].recovery, Recovery::Download);
}

#[test]
fn a_folder_of_the_users_under_a_datasets_name_is_irreplaceable() {
    let root = MemoryRoot::new().file("pmc/articles/1.xml", "1").file("pmc/articles/2/3.xml", "2").link("car/a", "/b");
    let entries = level(&root, None);
    assert!(entries.iter().all(|entry| entry.recovery == Recovery::Irreplaceable));
    assert_eq!(all(&root)["pmc@other"].owns, ["pmc/articles"]);
}

#[test]
fn what_the_user_provides_is_irreplaceable_as_a_file_as_a_folder_and_as_a_link() {
    let root = MemoryRoot::new().file("wapo/WashingtonPost.v2.tar.gz", "1").file("gov/corpus/GOV/a", "2");
    let root = root.link("gov2/corpus", "/disk/GOV2").link("trec-arabic/corpus.tgz", "/unplugged");
    let all = all(&root);
    for id in [
        "wapo@protected/WashingtonPost.v2.tar.gz",
        "gov@protected/corpus",
        "gov2@protected/corpus",
        "trec-arabic@protected/corpus.tgz",
    ] {
        assert_eq!(all[id].recovery, Recovery::Irreplaceable, "{id}");
    }
    assert!(all["gov2@protected/corpus"].attributes.contains(&("target".into(), "/disk/GOV2".into())));
    assert_eq!(all["wapo"].recovery, Recovery::Irreplaceable);
}

#[test]
fn a_store_beside_what_the_user_provides_can_be_freed() {
    let source = "codec/v1/comets_documents.jsonl";
    let with = MemoryRoot::new().file(source, "1").store("codec/v1/comets_documents.jsonl.pklz4");
    let store = "codec@stores/v1/comets_documents.jsonl.pklz4";
    assert_eq!(all(&with)[store].recovery, Recovery::Rebuild);
    assert_eq!(all(&with)["codec"].recovery, Recovery::Rebuild);
    assert_eq!(all(&with)["codec@protected/v1/comets_documents.jsonl"].reclaim, None);
    let without = with.without(source);
    assert_eq!(all(&without)[store].recovery, Recovery::Uncertain, "it is the only copy left");
}

#[test]
fn what_comes_from_a_file_of_the_users_cannot_be_had_without_it() {
    let root = MemoryRoot::new().file("tripclick/logs/a.json", "1").file("tripclick/allarticles-fixed.tsv", "2");
    let root = root.store("tripclick/allarticles-fixed.tsv.pklz4").store("disks45/corpus.nocr.pklz4");
    let all_of = all(&root);
    assert_eq!(all_of["tripclick@extracted/logs"].recovery, Recovery::Uncertain);
    assert_eq!(all_of["tripclick@sources/allarticles-fixed.tsv"].recovery, Recovery::Uncertain);
    assert_eq!(all_of["disks45@stores/corpus.nocr.pklz4"].recovery, Recovery::Uncertain);
    let root = root.link("disks45/corpus", "/data").file("tripclick/logs.tar.gz", "3");
    let all_of = all(&root);
    assert_eq!(all_of["tripclick@extracted/logs"].recovery, Recovery::Rebuild);
    assert_eq!(all_of["disks45@stores/corpus.nocr.pklz4"].recovery, Recovery::Rebuild);
}

#[test]
fn what_was_cut_off_is_reclaimed() {
    let root = MemoryRoot::new().file("nfcorpus/nfcorpus.tar.gz.tmp", "1").file("cranfield/extra.txt.tmp0", "2");
    let root = root.file("cranfield/cran.tar.gz", "3").half_a_store("cranfield/docs.pklz4");
    let all = all(&root);
    let half = &all["cranfield@unfinished/docs.pklz4"];
    assert_eq!((half.state, half.locks[0].path.as_str()), (State::Partial, "cranfield/docs.pklz4/bin"));
    for id in
        ["cranfield@unfinished/docs.pklz4", "cranfield@unfinished/extra.txt.tmp0", "nfcorpus", "nfcorpus@unfinished"]
    {
        assert!(all[id].reclaim.is_some() && all[id].state == State::Partial, "{id}");
    }
    assert_eq!((all["cranfield"].state, &all["cranfield"].reclaim), (State::Complete, &None));
}

#[test]
fn a_source_is_needless_once_its_store_is_built() {
    let root = MemoryRoot::new().file("antique/collection.tsv", "1").file("antique/train/queries.txt", "2");
    let root = root.half_a_store("antique/collection.tsv.pklz4");
    assert_eq!(all(&root)["antique@sources/collection.tsv"].reclaim, None);
    let all = all(&root.store("antique/collection.tsv.pklz4"));
    assert!(all["antique@sources/collection.tsv"].reclaim.is_some());
    assert_eq!(all["antique@sources/train/queries.txt"].reclaim, None);
}

#[test]
fn a_version_file_goes_with_the_last_of_what_is_beside_it() {
    let root = MemoryRoot::new().file("beir/scifact/irds_version.txt", "v2").store("beir/scifact/docs.pklz4");
    let root = root
        .file("beir/scifact/source.zip", "1")
        .store("beir/fiqa/docs.pklz4")
        .file("beir/fiqa/irds_version.txt", "v2");
    let all_of = all(&root);
    let version = ["beir/scifact/irds_version.txt"];
    assert_eq!(all_of["beir@stores/scifact/docs.pklz4"].shares, version);
    assert_eq!(all_of["beir@sources/scifact/source.zip"].shares, version);
    assert_eq!(all_of["beir@stores/fiqa/docs.pklz4"].shares, ["beir/fiqa/irds_version.txt"]);
    assert_eq!(all_of["beir@stores"].shares.len(), 2);
    let alone = all(&MemoryRoot::new().file("beir/scifact/irds_version.txt", "v2"));
    assert_eq!(alone["beir@sources/scifact/irds_version.txt"].owns, version);
}

#[test]
fn what_the_library_will_delete_itself_is_stale() {
    let store = "beir@stores/scifact/docs.pklz4";
    for (version, is_stale) in
        [(None, true), (Some("v1"), true), (Some(""), true), (Some("v2"), false), (Some("v3"), false)]
    {
        let root = MemoryRoot::new().store("beir/scifact/docs.pklz4");
        let root = version.iter().fold(root, |root, text| root.file("beir/scifact/irds_version.txt", text));
        let entry = &all(&root)[store];
        assert_eq!((entry.state == State::Stale, entry.reclaim.is_some()), (is_stale, is_stale), "{version:?}");
    }
    let old = MemoryRoot::new().file("mr-tydi/ar/old", "1").file("mr-tydi/en.data/x", "2");
    assert_eq!(all(&old)["mr-tydi@extracted/ar"].state, State::Stale);
    let new = old.file("mr-tydi/irds_version.txt", "v2");
    assert_eq!(all(&new)["mr-tydi@other/ar"].recovery, Recovery::Irreplaceable);
}

#[test]
fn a_store_of_licensed_text_without_its_source_is_never_reclaimed() {
    let all = all(&MemoryRoot::new().store("nyt/nyt.tgz.pklz4"));
    let store = &all["nyt@stores/nyt.tgz.pklz4"];
    assert_eq!((store.state, store.recovery, &store.reclaim), (State::Stale, Recovery::Uncertain, &None));
}

#[test]
fn an_unpacked_archive_stays_while_a_store_in_it_does() {
    let inner = "lotte/lotte_extracted/lotte/writing/dev/collection.tsv";
    let root = MemoryRoot::new().file(inner, "1").store(&format!("{inner}.pklz4"));
    let all = all(&root);
    assert_eq!(all["lotte@extracted/lotte_extracted"].owns, ["lotte/lotte_extracted"]);
    let store = &all["lotte@stores/lotte_extracted/lotte/writing/dev/collection.tsv.pklz4"];
    assert_eq!((store.needs.as_slice(), store.recovery), (&[inner.to_owned()][..], Recovery::Rebuild));
    assert_eq!(all["lotte@stores"].needs, [inner]);
}

#[test]
fn files_that_only_work_together_are_one_thing() {
    let root = MemoryRoot::new().file("dpr-w100/nq-dev/queries.tsv", "1").file("dpr-w100/nq-dev/qrels", "2");
    let root = root.file("dpr-w100/nq-train/qrels", "3").file("dpr-w100/docs.tsv.gz", "4");
    let all = all(&root);
    let pair = ["dpr-w100/nq-dev/queries.tsv", "dpr-w100/nq-dev/qrels"];
    assert_eq!(all["dpr-w100@sources/nq-dev"].owns, pair);
    assert_eq!(all["dpr-w100@unfinished/nq-train"].owns, ["dpr-w100/nq-train/qrels"]);
    assert_eq!(all["dpr-w100@sources"].owns.len(), 3);
}

#[test]
fn queries_that_are_made_with_a_store_go_with_it() {
    let root = MemoryRoot::new().store("msmarco-qna/docs.pklz4").file("msmarco-qna/dev.run", "1");
    let root = root.file("msmarco-qna/irds_version.txt", "v2").file("msmarco-qna/eval.seq", "2");
    let all_of = all(&root);
    let store = &all_of["msmarco-qna@stores/docs.pklz4"];
    assert_eq!(store.owns, ["msmarco-qna/docs.pklz4", "msmarco-qna/dev.run"]);
    assert!(all_of["msmarco-qna@unfinished/eval.seq"].reclaim.is_some());
    let root = root.without("msmarco-qna/docs.pklz4/bin.pos");
    let all_of = all(&root);
    let cut = &all_of["msmarco-qna@unfinished/docs.pklz4"];
    assert_eq!((cut.owns.len(), cut.locks[0].path.as_str()), (2, "msmarco-qna/docs.pklz4/bin"));
}

#[test]
fn collections_that_are_hardly_to_be_had_again_are_uncertain() {
    let root = MemoryRoot::new().file("aol-ia/downloaded_docs/part-00.jsonl.lz4", "1").store("aol-ia/docs.pklz4");
    let root = root.file("tweets2013-ia/corpus/_success", "").file("tweets2013-ia/corpus/01/a.lz4", "2");
    let root = root.file("clueweb12/corpus-b13/x", "3").file("c4/en.noclean/_builttrain", "");
    let root = root.file("c4/en.noclean/a.json.gz", "4").link("c4/en.noclean/b.json.gz", "/big/b.json.gz");
    let root = root.file("c4/en.noclean/c.json.gz.tmp", "5");
    let all_of = all(&root);
    for id in [
        "aol-ia@protected/downloaded_docs",
        "tweets2013-ia@protected/corpus",
        "clueweb12@protected/corpus-b13",
        "c4@protected/en.noclean",
    ] {
        assert_eq!(all_of[id].recovery, Recovery::Uncertain, "{id}");
    }
    assert_eq!(all_of["aol-ia@stores/docs.pklz4"].recovery, Recovery::Rebuild);
    assert_eq!(all_of["c4@protected/en.noclean"].owns, ["c4/en.noclean/_builttrain", "c4/en.noclean/a.json.gz"]);
    assert_eq!(all_of["c4@protected/en.noclean/b.json.gz"].recovery, Recovery::Irreplaceable);
    assert_eq!(all_of["c4@unfinished/en.noclean/c.json.gz.tmp"].state, State::Partial);
    let without = root.without("aol-ia/downloaded_docs");
    assert_eq!(all(&without)["aol-ia@stores/docs.pklz4"].recovery, Recovery::Uncertain);
}

#[test]
fn a_collection_whose_building_was_cut_off_goes_whole() {
    let root =
        MemoryRoot::new().file("tweets2013-ia/corpus/_inprogress", "").file("tweets2013-ia/corpus/01/a.lz4", "2");
    let all = all(&root);
    let corpus = &all["tweets2013-ia@unfinished/corpus"];
    assert_eq!((corpus.owns.as_slice(), corpus.state), (&["tweets2013-ia/corpus".to_owned()][..], State::Partial));
}

#[test]
fn the_store_of_text_files_is_built_when_it_says_so() {
    let path = "msmarco-passage-v2/msmarco_v2_passage.tar.extracted";
    let root = MemoryRoot::new().file(&format!("{path}/msmarco_passage_00"), "1");
    assert!(all(&root).contains_key("msmarco-passage-v2@unfinished/msmarco_v2_passage.tar.extracted"));
    let root = root.file(&format!("{path}/_built"), "").file("msmarco-passage-v2/msmarco_v2_passage.tar", "2");
    let all = all(&root);
    assert!(all.contains_key("msmarco-passage-v2@stores/msmarco_v2_passage.tar.extracted"));
    assert_eq!(all["msmarco-passage-v2@sources/msmarco_v2_passage.tar"].reclaim, None, "it is read when all are read");
}

#[test]
fn an_old_name_is_needless_only_beside_the_new_one() {
    let root = MemoryRoot::new().file("trec-fair-2021/corpus.json.gz", "1");
    assert_eq!(level(&root, None)[0].reclaim, None);
    let both = root.file("trec-fair/2021/corpus.json.gz", "2");
    let old = level(&both, None).into_iter().find(|entry| entry.id == "trec-fair-2021").unwrap();
    assert_eq!((old.state, old.recovery, old.reclaim.is_some()), (State::Stale, Recovery::Download, true));
}

#[test]
fn a_dataset_of_a_later_release_is_known_by_its_stores_and_uncertain() {
    let root = MemoryRoot::new().store("new-one/docs.jsonl.pklz4").file("new-one/docs.jsonl", "1");
    let all = all(&root);
    assert_eq!(all["new-one@other/docs.jsonl"].recovery, Recovery::Uncertain);
    assert_eq!(all["new-one@stores/docs.jsonl.pklz4"].recovery, Recovery::Uncertain);
}

#[test]
fn a_folder_that_cannot_be_read_costs_no_other() {
    let root = MemoryRoot::new().unreadable("beir").file("antique/collection.tsv", "1").unreadable("antique/train");
    let entries = level(&root, None);
    assert_eq!(entries.len(), 2);
    let listing = IrDatasets::list_entries(&root, HOME, Some("antique"), Detail::Full).unwrap();
    assert_eq!(listing.warnings[0].path, "antique/train");
    let listing = IrDatasets::list_entries(&root, HOME, Some("beir"), Detail::Full).unwrap();
    assert_eq!((listing.entries.len(), listing.warnings.len()), (0, 1));
}

#[test]
fn sources_for_one_run_are_reclaimed_where_the_folder_is_the_librarys_alone() {
    let root = MemoryRoot::new().file("tmpabcdefg_", "").file("tmpabcdefg_.tmp", "1").file("tmp01234567", "2");
    let list = |root: &MemoryRoot| IrDatasets::list_entries(root, TEMPORARY, None, Detail::Full).unwrap();
    let entries = list(&root).entries;
    assert_eq!(entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), ["tmp01234567", "tmpabcdefg_"]);
    assert_eq!(entries[1].owns, ["tmpabcdefg_", "tmpabcdefg_.tmp"]);
    assert_eq!([entries[0].state, entries[1].state], [State::Detached, State::Partial]);
    assert!(entries.iter().all(|entry| entry.reclaim.is_some()));
    let listing = list(&root.file("other", "3"));
    assert!(listing.entries.iter().all(|entry| entry.reclaim.is_none() && entry.recovery == Recovery::Uncertain));
    assert_eq!(listing.warnings.len(), 1);
}

#[test]
fn a_folder_full_of_other_things_is_not_looked_at_and_stays() {
    let root = (0..100_001).fold(MemoryRoot::new(), |root, at| root.sparse(&format!("pmc/mine/{at}"), 1));
    let root = root.file("vaswani/docs.txt", "1");
    let entries = level(&root, None);
    assert_eq!((entries[0].recovery, entries[0].has_children), (Recovery::Irreplaceable, false));
    assert_eq!(entries[1].id, "vaswani");
}

#[test]
fn what_may_be_the_users_is_not_called_cut_off() {
    let root = MemoryRoot::new().file("pmc/articles/x.tmp", "1").file("pmc/y.tmp1", "2").file("pmc/v1/z.tmp", "3");
    let root = root.file("tweets2013-ia/corpus/mine", "4");
    let all = all(&root);
    assert!(all.values().all(|entry| entry.reclaim.is_none() && entry.recovery >= Recovery::Uncertain));
    assert_eq!(all["tweets2013-ia@protected/corpus"].state, State::Partial);
}

#[test]
fn a_source_that_is_read_whenever_its_store_is_opened_is_not_needless() {
    for source in [
        "argsme/1.0.json",
        "touche/2022/task-2/passages.jsonl",
        "touche-image/2022-06-13/images-main.zip",
        "trec-tot/2025/trec-tot-2025-offsets.jsonl.gz",
    ] {
        let root = MemoryRoot::new().file(source, "1").store(&format!("{source}.pklz4"));
        assert!(all(&root).values().all(|entry| entry.reclaim.is_none()), "{source}");
    }
}

#[test]
fn what_is_named_by_a_list_is_told_from_what_is_the_users() {
    let root = MemoryRoot::new().file("clirmatrix/docs/en.tsv.gz", "1").file("clirmatrix/notes.txt", "2");
    let all = all(&root);
    assert_eq!(all["clirmatrix@sources/docs/en.tsv.gz"].recovery, Recovery::Download);
    assert_eq!(all["clirmatrix@other/notes.txt"].recovery, Recovery::Irreplaceable);
}

#[test]
fn no_dataset_is_called_as_a_part_of_another_and_credentials_are_none() {
    let root = MemoryRoot::new().store("beir/scifact/docs.pklz4").store("beir@stores/x.pklz4").store("auth/x.pklz4");
    let ids: Vec<String> = level(&root, None).into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, ["beir"]);
}
