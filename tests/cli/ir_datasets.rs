//! ir_datasets' home as the whole program sees it: what is the user's stays, what belongs together goes together, and
//! links are never followed.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sandbox::{Sandbox, array, ids};
use crate::tree;

/// A sandbox with files of these sizes in the home of ir_datasets.
fn home(files: &[(&str, usize)]) -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    let root = sandbox.home().join(".ir_datasets");
    files.iter().for_each(|(path, size)| write(&root.join(path), &vec![b'x'; *size]));
    (sandbox, root)
}

fn write(at: &Path, content: &[u8]) {
    fs::create_dir_all(at.parent().unwrap()).unwrap();
    fs::write(at, content).unwrap();
}

/// A store as the library leaves it, of 100 bytes.
fn store(at: &Path) {
    for (name, size) in [("bin", 60), ("bin.pos", 16), ("idx.doc_id.key", 4), ("idx.doc_id.pos", 8)] {
        write(&at.join(name), &vec![0; size]);
    }
    write(&at.join("bin.meta"), b"doc_id t");
    write(&at.join("idx.doc_id.meta"), b"2 02");
}

/// Why each of these stays.
fn kept(document: &Value) -> Vec<(String, String)> {
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    array(document, "keep").iter().map(|row| (text(row, "id"), text(row, "reason"))).collect()
}

#[test]
fn cleaning_all_leaves_what_the_user_put_there_and_frees_the_rest() {
    let provided = "codec/v1/comets_documents.jsonl";
    let files = [("auth/site", 10), (provided, 500), ("antique/collection.tsv", 300), ("notes/todo.txt", 7)];
    let (sandbox, root) = home(&files);
    store(&root.join(format!("{provided}.pklz4")));
    let before = tree::read(&root);
    let document = sandbox.json(["clean", "--all", "-y"]);
    assert_eq!(document["freed"], 400);
    let gone = ["antique", "codec/v1/comets_documents.jsonl.pklz4"];
    tree::assert_gone(&before, &tree::read(&root), &gone);
    let keep = kept(&document);
    assert!(keep.iter().any(|(id, why)| id == "codec@protected" && why.contains("force")));
    let entries = sandbox.entries();
    assert!(!ids(&entries).iter().any(|id| id.contains("auth") || id.contains("notes")), "{:?}", ids(&entries));
}

#[test]
fn what_the_user_provides_goes_only_by_name_and_force() {
    let (sandbox, root) = home(&[("wapo/WashingtonPost.v2.tar.gz", 200)]);
    let id = "wapo@protected/WashingtonPost.v2.tar.gz";
    sandbox.dscc(["clean", "-y", id]).expect(3);
    sandbox.dscc(["clean", "-y", "--all", "--force", "irreplaceable"]).expect(3);
    assert!(root.join("wapo/WashingtonPost.v2.tar.gz").exists());
    assert_eq!(sandbox.json(["clean", "-y", id, "--force", "irreplaceable"])["freed"], 200);
}

#[test]
fn a_corpus_elsewhere_weighs_nothing_and_is_never_touched() {
    let (sandbox, root) = home(&[]);
    for (link, target) in
        [("gov2/corpus", "folder"), ("nyt/nyt.tgz", "precious"), ("cord19", "folder"), ("big", "folder")]
    {
        let link = root.join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(sandbox.outside().join(target), link).unwrap();
    }
    let (before, outside) = (tree::read(&root), tree::read(&sandbox.outside()));
    assert_eq!(sandbox.json(["list"])["size"], 0);
    sandbox.dscc(["clean", "--all", "-y"]).expect(3);
    assert_eq!(tree::read(&root), before);
    let document = sandbox.json(["clean", "-y", "gov2", "nyt", "cord19", "--force", "irreplaceable"]);
    assert_eq!(document["freed"], 0);
    tree::assert_gone(&before, &tree::read(&root), &["gov2", "nyt", "cord19"]);
    assert_eq!(tree::read(&sandbox.outside()), outside);
}

#[test]
fn the_file_that_guards_a_store_goes_with_the_last_thing_beside_it() {
    let (sandbox, root) = home(&[("beir/scifact/source.zip", 300)]);
    store(&root.join("beir/scifact/docs.pklz4"));
    let guard = root.join("beir/scifact/irds_version.txt");
    write(&guard, b"v2");
    sandbox.dscc(["clean", "-y", "beir@stores/scifact/irds_version.txt"]).expect(5);
    assert_eq!(sandbox.json(["clean", "-y", "beir@sources"])["freed"], 300);
    assert!(guard.exists());
    assert_eq!(sandbox.json(["clean", "-y", "beir@stores/scifact/docs.pklz4"])["freed"], 102);
    assert!(!root.join("beir").exists());
}

#[test]
fn an_unpacked_archive_stays_while_a_store_in_it_does() {
    let inner = "lotte/lotte_extracted/lotte/writing/dev/collection.tsv";
    let (sandbox, root) = home(&[(inner, 300)]);
    store(&root.join(format!("{inner}.pklz4")));
    let document = sandbox.dscc(["clean", "-y", "lotte@extracted", "--json"]).expect(3).json();
    let (id, why) = &kept(&document)[0];
    assert_eq!(id, "lotte@extracted");
    assert!(why.contains("stays and needs it"), "{why}");
    assert_eq!(sandbox.json(["clean", "-y", "lotte@stores"])["freed"], 100);
    assert!(root.join(inner).exists());
    assert_eq!(sandbox.json(["clean", "-y", "lotte@extracted"])["freed"], 300);
}

#[test]
fn files_that_only_work_together_go_together() {
    let files = [("dpr-w100/nq-dev/queries.tsv", 20), ("dpr-w100/nq-dev/qrels", 30), ("dpr-w100/docs.tsv.gz", 40)];
    let (sandbox, root) = home(&files);
    sandbox.dscc(["clean", "-y", "dpr-w100@sources/nq-dev/qrels"]).expect(5);
    assert_eq!(sandbox.json(["clean", "-y", "dpr-w100@sources/nq-dev"])["freed"], 50);
    assert!(root.join("dpr-w100/docs.tsv.gz").exists());
}

#[test]
fn a_store_that_is_being_written_stays() {
    let (sandbox, root) = home(&[]);
    store(&root.join("vaswani/docs.pklz4"));
    let bin = fs::File::options().read(true).write(true).open(root.join("vaswani/docs.pklz4/bin")).unwrap();
    rustix::fs::fcntl_lock(&bin, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let document = sandbox.dscc(["clean", "-y", "vaswani", "--json"]).expect(3).json();
    assert!(kept(&document).iter().any(|(_, why)| why.contains("in use")), "{document:#}");
    assert!(root.join("vaswani/docs.pklz4/bin.pos").exists());
    drop(bin);
    assert_eq!(sandbox.json(["clean", "-y", "vaswani"])["freed"], 100);
}

#[test]
fn a_file_that_the_library_does_not_make_outlives_its_dataset() {
    let (sandbox, root) = home(&[("antique/collection.tsv", 300), ("antique/my/run.txt", 50)]);
    let before = tree::read(&root);
    let document = sandbox.dscc(["clean", "-y", "antique", "--json"]).expect(1).json();
    assert_eq!(document["freed"], 300);
    tree::assert_gone(&before, &tree::read(&root), &["antique/collection.tsv"]);
    assert!(kept(&document).iter().any(|(id, _)| id == "antique@other"), "{document:#}");
}

#[test]
fn a_variable_is_taken_as_it_is_written_and_nothing_is_tried_in_its_place() {
    let (sandbox, _root) = home(&[("antique/collection.tsv", 300)]);
    for value in ["", "relative", "~/.ir_datasets"] {
        let mut command = sandbox.command(["list", "--json"]);
        let run = crate::sandbox::Run::of(command.env("IR_DATASETS_HOME", value).output().unwrap());
        let document = run.json();
        assert!(!array(&document, "caches").iter().any(|cache| cache["cache"] == "ir_datasets"), "{document:#}");
        let errors = array(&document, "errors");
        let names_it = |error: &Value| error["message"].as_str().unwrap().contains("IR_DATASETS_HOME");
        assert!(errors.iter().any(names_it), "{value}: {errors:?}");
    }
}

#[test]
fn sources_of_a_killed_run_are_found_where_the_library_keeps_them() {
    let (sandbox, _root) = home(&[]);
    for folder in [sandbox.path("ir_datasets"), sandbox.path("other")] {
        write(&folder.join("tmpabcd_012"), b"");
        write(&folder.join("tmpabcd_012.tmp"), b"partial");
    }
    let size = |document: &Value| array(document, "caches")[0]["size"].clone();
    assert_eq!(size(&sandbox.json(["list", "-c", "ir_datasets-tmp"])), 7);
    let mut command = sandbox.command(["show", "--json", "-c", "ir_datasets-tmp"]);
    let run = crate::sandbox::Run::of(command.env("IR_DATASETS_TMP", sandbox.path("other")).output().unwrap());
    let entries = array(&run.json(), "entries");
    assert_eq!((ids(&entries), &entries[0]["state"]), (vec!["tmpabcd_012"], &Value::from("partial")));
    assert!(entries[0]["root"].as_str().unwrap().ends_with("other"));
}
