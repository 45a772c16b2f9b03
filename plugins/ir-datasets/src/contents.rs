//! Sorts a dataset folder into its [`Item`]s: what each file and folder is, by the table of what the library makes and by
//! the names that it gives to everything of a kind.

use std::collections::BTreeSet;

use dscc_sdk::{Directory, Filter, FsError, Kind, Kinds, Node, Recovery, State, path};

use crate::item::{Group, Item};
use crate::known::{RELEASE, What, is_in};
use crate::link;
use crate::rules;
use crate::store::{self, Store};
use crate::tree::{CORPORA, Folder, Inside, STORES, Tree, is_flat};

/// What is in a dataset folder.
pub struct Contents {
    /// Sorted by group and path.
    pub items: Vec<Item>,
    /// Folders that could not be read.
    pub unreadable: Vec<String>,
    /// There is so much in it that it was not looked at.
    pub is_crowded: bool,
}

impl Contents {
    /// Reads and sorts a dataset folder. `is_known`: the library of today has a dataset of this name.
    ///
    /// # Errors
    /// When it cannot be read at all.
    pub fn read(root: &dyn Directory, name: &str, is_known: bool) -> Result<Self, FsError> {
        let Some(tree) = Tree::read(root, name, is_known)? else {
            return Ok(Self { items: vec![], unreadable: vec![], is_crowded: true });
        };
        let mut sorting = Sorting { root, tree: &tree, items: vec![], unknown: BTreeSet::new(), unreadable: vec![] };
        for (path, (folder, inside)) in &tree.folders {
            sorting.add_folder(path, *folder, inside);
        }
        for node in tree.nodes.values() {
            sorting.add_node(node);
        }
        rules::join_what_goes_together(&tree, &mut sorting.items);
        rules::heed_guards(root, &tree, &mut sorting.items);
        rules::mark_needless_sources(&tree, &mut sorting.items);
        sorting.gather_unknown(is_known);
        let Sorting { mut items, unreadable, .. } = sorting;
        items.sort_by(|a, b| (a.group, &a.path).cmp(&(b.group, &b.path)));
        Ok(Self { items, unreadable, is_crowded: false })
    }

    /// Whether there is anything to be shown: importing the library makes 26 folders with nothing in them.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.unreadable.is_empty()
    }
}

struct Sorting<'a> {
    root: &'a dyn Directory,
    tree: &'a Tree,
    items: Vec<Item>,
    /// Files that the library is not known to make.
    unknown: BTreeSet<String>,
    unreadable: Vec<String>,
}

impl Sorting<'_> {
    fn add_folder(&mut self, path: &str, folder: Folder, inside: &Inside) {
        match folder {
            Folder::Store => self.add_store(path, inside),
            Folder::Corpus => self.add_corpus(path, inside),
            Folder::Extracted if inside.any => {
                let from = self.tree.known.at(path).map_or("", |fact| fact.from);
                let recovery = if from.is_empty() { Recovery::Download } else { self.tree.cost(from) };
                let holds_a_store = self
                    .tree
                    .folders
                    .iter()
                    .any(|(inner, (kind, inside))| *kind == Folder::Store && inside.any && is_in(inner, path));
                let note = if holds_a_store { "it counts as unpacked while there is anything in it" } else { "" };
                let item = Item::at(Group::Extracted, "extracted", path, recovery);
                self.items.push(item.with("from", from).with("note", note));
            }
            Folder::Manual if inside.any => self.items.push(self.manual(path)),
            Folder::Extracted | Folder::Manual => {}
        }
    }

    fn add_store(&mut self, path: &str, inside: &Inside) {
        let reason = "a store whose building was cut off; the next one would only add to it";
        let item = match Store::read(self.root, path, inside) {
            Store::Empty => return,
            Store::Foreign if self.tree.archive_above(path).is_some() => return, // A part of the archive.
            Store::Foreign => return self.add_unknown(path),
            Store::Unfinished => Item::unfinished("store", path, reason),
            Store::Built { documents, fields } => {
                let documents = documents.map(|number| number.to_string()).unwrap_or_default();
                self.store(path).with("documents", &documents).with("fields", &fields.unwrap_or_default())
            }
            Store::Old => {
                let reclaim = Some("no dataset of the library reads stores of this kind any more".into());
                Item { state: State::Stale, reclaim, ..self.store(path) }
            }
            Store::Broken(why) => {
                Item { state: State::Broken, reclaim: Some(why.into()), ..self.store(path) }.with("warning", why)
            }
        };
        let bin = path::join(path, "bin");
        let has_bin = inside.parts.iter().any(|node| node.path == bin && node.is_file());
        let lock = has_bin.then_some(bin);
        // The archive around it counts as unpacked as long as there is anything in it.
        let around = self.tree.archive_above(path).and(store::source(path));
        self.items.push(Item { lock, needs: around.into_iter().map(str::to_owned).collect(), ..item });
    }

    fn store(&self, path: &str) -> Item {
        let source = store::source(path).unwrap_or(path);
        let from = rules::SOURCES_OF_STORES.iter().find(|(store, _)| *store == path).map_or(source, |(_, from)| from);
        let recovery = match self.tree.cost(from) {
            Recovery::Download if self.tree.archive_above(path).is_some() || self.tree.has_supply(path) => {
                Recovery::Rebuild
            }
            cost => cost,
        };
        let kind = if path.ends_with(".cache") { "cache" } else { "store" };
        Item::at(Group::Stores, kind, path, recovery).with("from", if self.tree.has(from) { from } else { "" })
    }

    fn add_corpus(&mut self, path: &str, inside: &Inside) {
        let note = CORPORA.iter().find(|(corpus, _)| *corpus == path).map_or("", |(_, note)| note);
        if !inside.any {
            return;
        }
        let is_finished = path != rules::TWEETS || inside.marks.contains("_success");
        if !is_finished && inside.marks.contains("_inprogress") {
            return self.items.push(Item::unfinished("corpus", path, rules::TWEETS_UNFINISHED));
        }
        let mut item = Item::at(Group::Protected, "corpus", path, Recovery::Uncertain).with("note", note);
        if !is_finished {
            item = Item { state: State::Partial, ..item.with("warning", rules::TWEETS_UNMARKED) };
        }
        if is_flat(path) {
            let links: Vec<Item> = inside.links.iter().map(|node| self.link(node)).collect();
            self.items.extend(links);
            let (partial, files): (Vec<_>, Vec<_>) =
                inside.files.iter().partition(|file| partial(file).is_some_and(|(file, _)| file.ends_with(".json.gz")));
            self.items.extend(partial.into_iter().map(|file| Item::unfinished("partial", file, PARTIAL)));
            if files.is_empty() {
                item.recovery = Recovery::Rebuild; // Nothing but marks.
            }
            // Marks of what is done go first.
            let marks = inside.marks.iter().map(|mark| path::join(path, mark));
            item.owns = marks.chain(files.into_iter().cloned()).collect();
        } else if let Some(link) = inside.links.first() {
            item.recovery = Recovery::Irreplaceable;
            item = item.with("target", &link.target);
        }
        if !item.owns.is_empty() {
            self.items.push(item);
        }
    }

    fn add_node(&mut self, node: &Node) {
        let path = node.path.as_str();
        let fact = self.tree.known.at(path).copied();
        let item = match (node.kind, fact) {
            (Kind::Directory, _) => return,
            (Kind::Unreadable, _) => return self.unreadable.push(path.to_owned()),
            (Kind::Link, _) => self.link(node).with("item", fact.map_or("", |fact| fact.item)),
            (Kind::File, Some(fact)) if fact.what == What::Manual => self.manual(path),
            (Kind::File, Some(fact)) => {
                let recovery = match (fact.from, self.tree.manual_behind(path)) {
                    ("", None) => Recovery::Download,
                    ("", Some(manual)) => self.tree.cost(manual),
                    (from, _) => self.tree.cost(from),
                };
                let kind = if fact.what == What::Made { "derived" } else { "source" };
                let item = Item::at(Group::Sources, kind, path, recovery);
                item.with("item", fact.item).with("url", fact.url).with("from", fact.from)
            }
            (Kind::File, None) if self.is_cut_off(path) => Item::unfinished("partial", path, PARTIAL),
            (Kind::File, None) => match rules::file(self.tree, path) {
                Some(item) => item,
                None if rules::is_version(path) => return,
                None => return self.add_unknown(path),
            },
            (Kind::Other, _) => return self.add_unknown(path),
        };
        self.items.push(item);
    }

    fn add_unknown(&mut self, path: &str) {
        self.unknown.insert(path.to_owned());
    }

    /// Whether it is on its way to become a file of the library's. Numbers are specific enough beside one.
    fn is_cut_off(&self, path: &str) -> bool {
        let Some((file, number)) = partial(path) else { return false };
        let is_made = self.tree.known.at(file).is_some() || rules::file(self.tree, file).is_some();
        is_made || !number.is_empty() && self.tree.known.has_files_in(path::parent(path))
    }

    fn link(&self, node: &Node) -> Item {
        let needs = link::place(self.root, &node.path, &node.target).into_iter().collect();
        Item { needs, ..Item::link(&node.path, &node.target) }
    }

    fn manual(&self, path: &str) -> Item {
        let item = self.tree.known.at(path).map_or("", |fact| fact.item);
        let note = "to be got by hand: the library has instructions for it, and no address";
        Item::at(Group::Protected, "manual", path, Recovery::Irreplaceable).with("item", item).with("note", note)
    }

    /// What the library did not make is the user's. In a dataset of a later release nothing is sure. Whole folders of such
    /// things are one.
    fn gather_unknown(&mut self, is_known: bool) {
        let mut mixed: BTreeSet<&str> = [self.tree.name.as_str()].into();
        let claimed = self.items.iter().flat_map(|item| item.owns.iter().chain(&item.shares));
        let versions = self.tree.nodes.keys().filter(|path| rules::is_version(path));
        let closed = &self.unreadable;
        for path in claimed.chain(versions).chain(closed) {
            mixed.extend(path.match_indices('/').map(|(end, _)| &path[..end]));
        }
        let outermost = |path: &String| {
            let mut above = path.match_indices('/').map(|(end, _)| &path[..end]);
            above.find(|above| !mixed.contains(above)).unwrap_or(path).to_owned()
        };
        let places: BTreeSet<String> = self.unknown.iter().map(outermost).collect();
        let recovery = if is_known { Recovery::Irreplaceable } else { Recovery::Uncertain };
        let note = format!("ir_datasets {RELEASE} makes nothing of this name");
        let items = places.iter().map(|path| Item::at(Group::Other, "unknown", path, recovery).with("note", &note));
        let items: Vec<Item> = items.collect();
        self.items.extend(items);
        for item in self.items.iter_mut().filter(|_| !is_known) {
            item.recovery = item.recovery.max(Recovery::Uncertain);
            item.reclaim = None;
        }
    }
}

/// Left by a download or a copy that was killed.
const PARTIAL: &str = "a file whose writing was cut off; the library begins anew and never looks at it";

/// `<file>.tmp`, and `<file>.tmp0` to `.tmp99`: the file, and the number.
fn partial(path: &str) -> Option<(&str, &str)> {
    let (file, number) = path.rsplit_once(".tmp")?;
    let is_number = number.len() <= 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !path::name(file).is_empty()).then_some((file, number))
}

/// Whether a folder of this name holds a document store, so that it is the library's whatever it is called.
pub fn holds_a_store(root: &dyn Directory, name: &str) -> bool {
    let filter = Filter::all().kinds(Kinds::FILE).name("bin.meta");
    let named = |node: &Node| {
        let folder = path::parent(&node.path);
        node.is_file() && folder != name && STORES.iter().any(|ending| folder.ends_with(ending))
    };
    root.walk(name, &filter).is_ok_and(|mut nodes| nodes.any(|node| named(&node)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_files_are_told_by_their_names() {
        assert_eq!(partial("x/a.zip.tmp"), Some(("x/a.zip", "")));
        assert_eq!(partial("a.json.tmp99"), Some(("a.json", "99")));
        for name in [".tmp", "x/.tmp1", "a.tmp100", "a.tmpx", "a.temp", "tmp"] {
            assert_eq!(partial(name), None, "{name}");
        }
    }
}
