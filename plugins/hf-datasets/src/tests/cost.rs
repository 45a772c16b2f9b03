//! What a listing may not ask for: a user's folders can be large, and a cache can hold thousands of datasets.

use std::cell::RefCell;

use dscc_sdk::{Directory, Filter, FsError, Nodes};

use super::*;

/// A root that notes the paths that it gave.
struct Noted(MemoryRoot, RefCell<Vec<String>>);

impl Directory for Noted {
    fn names(&self) -> Vec<String> {
        self.0.names()
    }

    fn walk(&self, at: &str, filter: &Filter) -> Result<Nodes<'_>, FsError> {
        let nodes = self.0.walk(at, filter)?.inspect(|node| self.1.borrow_mut().push(node.path.clone()));
        Ok(nodes.collect())
    }

    fn read(&self, files: &[String], limit: u32) -> Vec<Result<Vec<u8>, FsError>> {
        self.0.read(files, limit)
    }
}

fn given(root: MemoryRoot, parent: Option<&str>) -> Vec<String> {
    let root = Noted(root, RefCell::default());
    assert!(!HfDatasets::list_entries(&root, "datasets", parent, Detail::Full).unwrap().entries.is_empty());
    root.1.into_inner()
}

#[test]
fn files_of_a_users_own_folder_beside_datasets_are_not_asked_for() {
    let root = root().build(&format!("a/default/0.0.0/{OLD}"), "").file("imagenet/train/n01440764/1.jpeg", "1");
    let root = root.file("imagenet/2.jpeg", "1").file("imagenet/train/3.jpeg", "1");
    let given = given(root, None);
    assert!(!given.iter().any(|path| path.ends_with(".jpeg")), "{given:?}");
}

#[test]
fn the_builds_of_a_dataset_without_paths_cost_neither_the_downloads_nor_the_locks_of_others() {
    let root = root().build(&format!("a/default/0.0.0/{OLD}"), "").build(&format!("b/default/0.0.0/{OLD}"), "");
    let given = given(root.file(&format!("downloads/{CODE}"), "1"), Some("a"));
    assert!(!given.iter().any(|path| path.starts_with("downloads/") || path.contains("_b_default")), "{given:?}");
}
