//! What went wrong in another cleaner of these caches (the cases of its faults are named beside the tests), each with the
//! tree that showed it, and done right here. The faults of its own register of caches have no counterpart: dscc keeps none.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::components::{Entry, Plugin};
use crate::hub::{Hub, etag};
use crate::sandbox::{Run, Sandbox, array, ids};
use crate::tree;
use crate::world::write;

const IR: &str = ".ir_datasets";
const DATA: &str = "datamaestro/data/repo";

/// A home with one downloaded file of ir_datasets, as it names it.
fn with_antique(size: usize) -> Sandbox {
    let sandbox = Sandbox::new();
    write(&home(&sandbox, ".ir_datasets/antique/collection.tsv"), size);
    sandbox
}

/// A dataset of datamaestro: its record of 60 bytes or so, and a file.
fn with_dataset(sandbox: &Sandbox, folder: &str, size: usize) -> PathBuf {
    let folder = home(sandbox, DATA).join(folder);
    write(&folder.join("f"), size);
    fs::write(folder.join(".state.json"), r#"{"version": 1, "resources": {"F": {"state": "complete"}}}"#).unwrap();
    folder
}

fn home(sandbox: &Sandbox, below: &str) -> PathBuf {
    sandbox.home().join(below)
}

fn with(sandbox: &Sandbox, variable: &str, value: &Path, args: &[&str]) -> Run {
    Run::of(sandbox.command(args).env(variable, value).output().unwrap())
}

/// The rows of `list` by cache.
fn cache(sandbox: &Sandbox, id: &str) -> Value {
    let rows = array(&sandbox.json(["list"]), "caches");
    let found: Vec<&Value> = rows.iter().filter(|row| row["cache"] == id).collect();
    assert_eq!(found.len(), 1, "{id}: {rows:#?}");
    found[0].clone()
}

/// `links_counted_twice`, `hub_listed_and_summed_twice`
#[test]
fn the_hub_is_one_row_in_which_a_blob_and_its_link_weigh_once() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    hub.repo("datasets--acme--d").revision('b', &[("data", 'b', 1000)]);
    let size = tree::size(&hub.root);
    assert_eq!(size, 2040);
    assert_eq!(cache(&sandbox, "hub")["size"], size);
    assert_eq!(sandbox.json(["list"])["size"], size);
}

/// `clean_of_one_row_announces_the_other`
#[test]
fn a_plan_announces_what_goes_and_not_what_is_beside_it() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    hub.repo("datasets--acme--d").revision('b', &[("data", 'b', 9000)]);
    let document = sandbox.json(["clean", "-n", "model/acme/a"]);
    assert_eq!((&document["expected"], ids(&array(&document, "remove")).len()), (&json!(1040), 2));
}

/// `spaces_and_leftovers_unseen`
#[test]
fn every_kind_of_repository_is_listed_and_goes() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    for kind in ["models", "datasets", "spaces", "kernels"] {
        hub.repo(&format!("{kind}--acme--x")).revision('a', &[("f", 'a', 500)]);
    }
    assert_eq!(cache(&sandbox, "hub")["entries"], 4);
    sandbox.dscc(["clean", "-y", "-c", "hub"]).expect(0);
    assert_eq!(tree::size(&hub.root), 0);
}

/// `hub_variables_ignored`, `tilde_in_hf_home_taken_literally`: see `roots_of_libraries`.
/// `transformers_cache_on_the_hub`
#[test]
fn a_variable_of_transformers_that_names_the_hub_adds_no_row_and_no_byte() {
    let sandbox = Sandbox::new();
    let hub = sandbox.hub();
    hub.model("a", 1000);
    fs::write(hub.root.join("version.txt"), "1").unwrap();
    let document = with(&sandbox, "TRANSFORMERS_CACHE", &hub.root, &["list", "--json"]).expect(0).json();
    let rows = array(&document, "caches");
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert_eq!(document["size"], tree::size(&hub.root));
    assert_eq!((&rows[0]["cache"], &rows[0]["entries"], &rows[0]["unclaimed"]), (&json!("hub"), &json!(1), &json!(1)));
}

/// `datamaestro_dir_ignored`
#[test]
fn datamaestros_own_variable_counts_and_another_does_not() {
    let sandbox = Sandbox::new();
    with_dataset(&sandbox, "com/example", 10);
    let elsewhere = home(&sandbox, "dm");
    fs::create_dir_all(&elsewhere).unwrap();
    fs::rename(home(&sandbox, "datamaestro/data"), elsewhere.join("data")).unwrap();
    let roots = |variable: &str| {
        let rows = array(&with(&sandbox, variable, &elsewhere, &["list", "--json"]).expect(0).json(), "caches");
        rows.iter().map(|row| row["root"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(roots("DATAMAESTRO_DIR"), [elsewhere.join("data").to_str().unwrap()]);
    assert_eq!(roots("DATAMAESTRO_HOME"), Vec::<String>::new());
}

/// `datamaestro_entries_overlap`, `tui_overlapping_selection_fails`
#[test]
fn a_dataset_in_another_is_weighed_apart_and_both_go_in_one_run() {
    for targets in [["-c", "datamaestro-data"], ["com.example", "com.example.sub"]] {
        let sandbox = Sandbox::new();
        with_dataset(&sandbox, "com/example", 100);
        with_dataset(&sandbox, "com/example/sub", 100);
        let size = tree::size(&home(&sandbox, "datamaestro"));
        let entries = array(&sandbox.json(["show", "-c", "datamaestro-data"]), "entries");
        let sizes: Vec<u64> = entries.iter().map(|entry| entry["size"].as_u64().unwrap()).collect();
        assert_eq!((sizes.len(), sizes[0], sizes.iter().sum::<u64>()), (2, sizes[1], size), "{entries:#?}");
        let document = sandbox.json([["clean", "-y"].as_slice(), &targets].concat());
        assert_eq!((&document["freed"], array(&document, "failed").len()), (&json!(size), 0));
        assert_eq!(tree::size(&home(&sandbox, "datamaestro")), 0);
    }
}

/// `datamaestro_splits_one_dataset`
#[test]
fn a_dataset_with_folders_and_a_download_in_it_is_one_entry() {
    let sandbox = Sandbox::new();
    let folder = with_dataset(&sandbox, "com/example", 10);
    for file in ["README", "a/one", "b/two", ".downloads/half"] {
        write(&folder.join(file), 10);
    }
    let entries = array(&sandbox.json(["show"]), "entries");
    assert_eq!(ids(&entries), ["com.example"]);
    assert_eq!(entries[0]["size"], tree::size(&folder));
}

/// `entry_with_dots_deletes_outside`, `absolute_entry_deletes_outside`, `link_in_entry_path_deletes_outside`,
/// `empty_entry_deletes_the_whole_cache`
#[test]
fn what_another_tool_wrote_down_names_nothing_to_remove() {
    for path in ["../precious", "{home}/precious", "link/data", "", "downloads", "auth"] {
        let sandbox = with_antique(10);
        write(&home(&sandbox, "precious/data/thesis.tex"), 10);
        write(&home(&sandbox, ".ir_datasets/downloads/mine"), 10);
        write(&home(&sandbox, ".ir_datasets/auth/site"), 10);
        symlink(home(&sandbox, "precious"), home(&sandbox, ".ir_datasets/link")).unwrap();
        let path = path.replace("{home}", sandbox.home().to_str().unwrap());
        register(&sandbox, IR, &json!({"version": 1, "entries": [{"path": path}]}).to_string());
        let before = tree::read(&sandbox.home());
        sandbox.dscc(["clean", "-y", "-c", "ir_datasets"]).expect(0);
        tree::assert_gone(&before, &tree::read(&sandbox.home()), &[".ir_datasets/antique"]);
    }
}

/// What the other cleaner writes into a cache.
fn register(sandbox: &Sandbox, cache: &str, part: &str) {
    let folder = home(sandbox, cache).join("ds-cache-cleaner");
    fs::create_dir_all(&folder).unwrap();
    let information = r#"{"version": 1, "library": "x", "parts": [{"name": "models"}]}"#;
    fs::write(folder.join("information.json"), information).unwrap();
    fs::write(folder.join("part_models.json"), part).unwrap();
}

/// `metadata_hides_the_rest`, `same_metadata_shown_by_two_rows`, `broken_json_stops_everything`,
/// `wrong_type_stops_everything`, `one_bad_entry_stops_everything`
#[test]
fn what_another_tool_wrote_down_hides_nothing_and_stops_nothing() {
    for part in [
        r#"{"version": 1, "entries": [{"path": "antique", "size": 10}]}"#,
        r#"{"version": 1, "entr"#,
        r#"{"version": 1, "entries": null}"#,
        r#"{"version": 1, "entries": [{"path": "a"}, {"path": "b", "last_access": "yesterday"}]}"#,
    ] {
        let sandbox = with_antique(10);
        write(&home(&sandbox, ".ir_datasets/vaswani/npl.tar.gz"), 5000);
        sandbox.hub().model("a", 10);
        register(&sandbox, IR, part);
        register(&sandbox, ".cache/huggingface/hub", part);
        let document = sandbox.json(["list"]);
        let rows = array(&document, "caches");
        let told: Vec<(&Value, &Value)> = rows.iter().map(|row| (&row["cache"], &row["entries"])).collect();
        assert_eq!(told, [(&json!("hub"), &json!(1)), (&json!("ir_datasets"), &json!(2))]);
        assert_eq!((array(&document, "errors"), &document["size"]), (vec![], &json!(tree::size(&sandbox.home()))));
    }
}

/// `listing_a_read_only_cache_fails`
#[test]
fn a_cache_that_may_only_be_read_is_listed_whole() {
    let sandbox = with_antique(10);
    for folder in [".ir_datasets/antique", IR] {
        fs::set_permissions(home(&sandbox, folder), fs::Permissions::from_mode(0o555)).unwrap();
    }
    let row = &array(&sandbox.dscc_bound(["list", "--json"]).expect(0).json(), "caches")[0];
    assert_eq!((&row["size"], &row["entries"], &row["lower_bound"]), (&json!(10), &json!(1), &json!(false)));
}

/// `looking_creates_the_folder`, `absent_cache_is_cleaned`
#[test]
fn looking_at_caches_that_are_not_there_makes_none_and_says_so() {
    let sandbox = Sandbox::new();
    let before = tree::read(&sandbox.path(""));
    for args in [&["list"][..], &["show", "--children"], &["paths"], &["clean", "-y", "-c", "ir_datasets", "--all"]] {
        let run = sandbox.dscc(args).expect(0);
        assert!(args == ["paths"] || run.stdout.contains("Nothing found"), "{}", run.stdout);
        assert!(run.stdout.contains(home(&sandbox, IR).to_str().unwrap()), "{}", run.stdout);
    }
    assert_eq!(tree::read(&sandbox.path("")), before);
}

/// `documented_name_unknown`
#[test]
fn every_cache_that_the_readme_names_is_known() {
    let readme = include_str!("../../README.md");
    let words: Vec<&str> = readme.split_whitespace().collect();
    let named = words.windows(2).filter(|pair| pair[0] == "-c").map(|pair| pair[1]);
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || b"-_".contains(&byte));
    let names: Vec<&str> = named.filter(is_name).collect();
    assert!(names.len() > 1, "{names:?}");
    let sandbox = Sandbox::new();
    names.iter().for_each(|name| drop(sandbox.dscc(["list", "-c", name]).expect(0)));
}

/// `dry_run_names_nothing`, `show_prints_no_sizes`
#[test]
fn a_dry_run_names_entries_and_paths_and_a_listing_has_sizes() {
    let sandbox = with_antique(10);
    write(&home(&sandbox, ".ir_datasets/vaswani/npl.tar.gz"), 20);
    let text = sandbox.dscc(["clean", "-n", "--all"]).expect(0).stdout;
    assert!(text.contains("antique") && text.contains("vaswani") && text.contains("30 B will be free"), "{text}");
    let paths = crate::sandbox::paths(&array(&sandbox.json(["clean", "-n", "--all"]), "remove"));
    assert!(paths.contains(&"vaswani/npl.tar.gz".to_owned()) || paths.contains(&"vaswani".to_owned()), "{paths:?}");
    let table = sandbox.dscc(["show"]).expect(0).stdout;
    for (name, size) in [("antique", " 10 B "), ("vaswani", " 20 B ")] {
        assert!(table.lines().any(|line| line.starts_with(name) && line.contains(size)), "{table}");
    }
}

/// `last_access_is_the_modification_time`
#[test]
fn the_last_use_is_an_access_and_never_a_modification() {
    let sandbox = with_antique(10);
    let at = |seconds: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    let times = fs::FileTimes::new().set_accessed(at(1_893_456_000)).set_modified(at(1_577_836_800));
    let file = home(&sandbox, ".ir_datasets/antique/collection.tsv");
    fs::File::options().write(true).open(file).unwrap().set_times(times).unwrap();
    let entry = sandbox.entry("antique");
    assert_eq!(entry["modified"], "2020-01-01T00:00:00Z");
    // Where the mount keeps no accesses nobody knows.
    assert!([json!("2030-01-01T00:00:00Z"), Value::Null].contains(&entry["last_used"]), "{entry:#}");
}

/// `tui_dies_on_mixed_dates`
#[test]
fn times_with_and_without_a_zone_stand_in_one_listing() {
    let sandbox = Sandbox::new();
    let entry = |name: &str, time: &str| Entry::new(name).owns(name).last_used(time).created(time);
    let entries = [entry("a", "2024-01-01T00:00:00"), entry("b", "2024-01-01T00:00:00Z")];
    fs::write(sandbox.path("plugin.wasm"), Plugin::new().entries(&entries).build()).unwrap();
    sandbox.dscc(["plugin", "add", "-y", "../plugin.wasm"]).expect(0);
    write(&home(&sandbox, "bad/a"), 10);
    assert_eq!(sandbox.dscc(["show", "-q"]).expect(0).stdout, "a\nb\n");
    assert!(sandbox.entries().iter().all(|entry| entry["last_used"].as_str().unwrap().ends_with('Z')));
}

/// `credentials_and_only_copies_cleaned`
#[test]
fn passwords_and_what_the_user_placed_stay_whatever_goes() {
    let sandbox = with_antique(10);
    write(&home(&sandbox, ".ir_datasets/auth/site"), 11);
    write(&home(&sandbox, ".ir_datasets/codec/v1/comets_documents.jsonl"), 12);
    let before = tree::read(&sandbox.home());
    for args in [["clean", "-y", "--all"].as_slice(), &["clean", "-y", "--all", "--force", "irreplaceable"]] {
        let run = sandbox.dscc(args);
        assert!(!run.text().contains("auth"), "{}", run.text());
        assert!(run.stdout.contains("codec") && run.stdout.contains("12 B"), "{}", run.text());
    }
    tree::assert_gone(&before, &tree::read(&sandbox.home()), &[".ir_datasets/antique"]);
    assert_eq!(cache(&sandbox, "ir_datasets")["size"], 12);
}

/// `linked_files_counted_as_cache`, `linked_folder_cannot_be_cleaned`, `same_target_twice_never_sized`
#[test]
fn a_link_weighs_nothing_and_goes_alone_when_it_is_named() {
    let sandbox = with_antique(10);
    write(&sandbox.path("disk/nyt.tgz"), 7000);
    write(&sandbox.path("disk/cord19/f"), 10);
    fs::create_dir_all(home(&sandbox, ".ir_datasets/nyt")).unwrap();
    symlink(sandbox.path("disk/nyt.tgz"), home(&sandbox, ".ir_datasets/nyt/nyt.tgz")).unwrap();
    symlink(sandbox.path("disk/cord19"), home(&sandbox, ".ir_datasets/cord19")).unwrap();
    symlink("antique", home(&sandbox, ".ir_datasets/cranfield")).unwrap();
    assert_eq!(cache(&sandbox, "ir_datasets")["size"], 10);
    for link in ["cord19", "cranfield", "nyt"] {
        assert_eq!(sandbox.entry(link)["size"], 0, "{link}");
    }
    fs::remove_file(home(&sandbox, ".ir_datasets/cranfield")).unwrap();
    let links = ["cord19", "nyt"];
    let disk = tree::read(&sandbox.path("disk"));
    let kept = array(&sandbox.json(["clean", "-y", "--all"]), "keep");
    assert!(links.iter().all(|link| ids(&kept).contains(link)), "{kept:#?}");
    let document = sandbox.json(["clean", "-y", "cord19", "nyt", "--force", "irreplaceable"]);
    assert_eq!((&document["freed"], array(&document, "failed").len()), (&json!(0), 0));
    assert!(fs::symlink_metadata(home(&sandbox, ".ir_datasets/cord19")).is_err());
    assert_eq!(tree::read(&sandbox.path("disk")), disk);
}

/// `partly_failed_delete`
#[test]
fn a_removal_that_would_fail_in_part_is_told_before_and_does_not_begin() {
    let sandbox = Sandbox::new();
    write(&home(&sandbox, ".ir_datasets/antique/test/queries.txt"), 10);
    write(&home(&sandbox, ".ir_datasets/antique/collection.tsv"), 20);
    let folder = home(&sandbox, ".ir_datasets/antique");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    let document = sandbox.dscc_bound(["clean", "-y", "--all", "--json"]).expect(3).json();
    assert_eq!((&document["freed"], tree::size(&folder)), (&json!(0), 30));
    let kept = array(&document, "keep");
    let reason = |row: &Value| row["reason"].as_str().unwrap().to_owned();
    assert!(kept.iter().any(|row| reason(row).contains("you may not remove anything")), "{kept:#?}");
}

/// `tui_delete_leaves_metadata`, `entry_not_normalised_stays_listed`
#[test]
fn what_is_gone_is_listed_no_more() {
    let sandbox = with_antique(10);
    let hub: Hub = sandbox.hub();
    hub.model("a", 10).blob(&etag('d'), 7);
    sandbox.dscc(["clean", "-y", "antique", "model/acme/a"]).expect(0);
    assert_eq!(array(&sandbox.json(["show", "--children"]), "entries"), Vec::<Value>::new());
}
