//! One dataset: what it claims, whether it is whole, and what it would cost to have it back.
//!
//! No record says where data came from. `complete` was written after a download, or when datamaestro found files of an
//! older version; so what is recorded as complete counts as downloaded, unless something in the folder speaks against it:
//! more files than resources, the traces of a crawl, or a link to where the user keeps a corpus. Of files without anything
//! that is recorded as complete nothing is certain.

use std::collections::BTreeSet;

use dscc_sdk::{Entry, LockKind, Recovery, State, path};

use crate::content::Content;
use crate::layout::{Layout, Marks, repository};
use crate::state::{FILE, LOCK, Record, Step, UNFINISHED};
use crate::target::Link;

/// More of a kind would only bury the rest, and where folders lie in one another there is no end to it.
pub const MOST_SHOWN: usize = 20;

/// A dataset and what was read of it.
pub struct Dataset<'a> {
    /// Where it is, and where others are.
    pub layout: &'a Layout,
    /// Its folder.
    pub folder: &'a str,
    /// What is there besides data.
    pub marks: Marks,
    /// Its record.
    pub record: Record,
    /// What is in its folder.
    pub content: Content,
}

/// Links of an entry, sorted by where they lead.
#[derive(Debug, Default)]
pub struct Links<'a> {
    /// To the user's own files.
    pub outside: Vec<&'a Link>,
    /// To what other entries hold.
    pub inside: Vec<&'a Link>,
    /// To nothing.
    pub dangling: Vec<&'a Link>,
    /// What must stay for them, and for the entry itself.
    pub needs: BTreeSet<String>,
}

/// A dataset without any other in its folder, as an outline has it.
pub fn plain(layout: &Layout, folder: &str, marks: Marks) -> Entry {
    let mut entry = named(layout, folder, "dataset");
    if marks.record {
        // Should the removal be interrupted, what is left is not taken for complete.
        entry = entry.owns(path::join(folder, FILE));
    }
    entry = entry.owns(folder);
    entry.has_children = marks.unfinished;
    entry
}

/// An entry without claims, with what its place says.
pub fn named(layout: &Layout, folder: &str, kind: &str) -> Entry {
    Entry::new(layout.id(folder), kind).label(path::name(folder))
}

impl Dataset<'_> {
    /// Whether all of the folder may be one resource: then datamaestro takes whatever is left in it for the whole
    /// dataset. An archive that is the only resource is unpacked so; a single file cannot be told from one.
    pub fn is_one(&self) -> bool {
        !self.content.data.is_empty() && self.record.resources().len() <= 1
    }

    /// Folders in its own in which data of it lie beside other datasets. Such a folder is one resource: what is left there
    /// is taken for all of it.
    pub fn mixed(&self) -> impl Iterator<Item = &str> {
        let within = |path: &str| path.get(self.folder.len() + 1..).and_then(|rest| rest.find('/'));
        let data = self.content.data.iter().chain(&self.content.links).map(String::as_str);
        data.filter_map(move |path| path.get(..self.folder.len() + 1 + within(path)?))
    }

    /// Its claims. What is not one whole is claimed piece by piece around the datasets in it.
    pub fn outline(&self) -> Entry {
        if self.is_one() || !self.layout.is_above(self.folder) {
            return plain(self.layout, self.folder, self.marks);
        }
        let mut entry = named(self.layout, self.folder, "dataset");
        let Content { data, links, records } = &self.content;
        let (locks, records): (Vec<&String>, Vec<&String>) = records.iter().partition(|it| path::name(it) == LOCK);
        let unfinished = self.marks.unfinished.then(|| path::join(self.folder, UNFINISHED));
        entry.owns = records.into_iter().cloned().chain(unfinished).collect();
        entry.owns.extend(links.iter().chain(data).chain(locks).cloned());
        entry.has_children = self.marks.unfinished;
        entry
    }

    /// All that decides.
    pub fn full(&self, links: &Links) -> Entry {
        let entry = self.outline().lock(LockKind::Flock, path::join(self.folder, LOCK));
        let mut entry = entry.attribute("repository", repository(self.folder));
        for (name, step) in self.record.resources() {
            entry = entry.attribute("resources", format!("{name}: {}", step.word()));
        }
        entry = show_some(entry, "contains", self.layout.inner(self.folder).map(|inner| self.layout.id(inner)));
        entry = links.tell(entry).state(self.state(links)).recovery(self.recovery(links));
        entry.reclaim = self.reclaim(links);
        let together = self.layout.is_above(self.folder) && self.is_one() || self.mixed().next().is_some();
        let together = together.then_some("datamaestro would take the datasets in its folder for its data");
        let entry = entry.attribute("together", together);
        self.remarks(links).into_iter().fold(entry, |entry, remark| entry.attribute("warning", remark))
    }

    fn state(&self, links: &Links) -> State {
        match &self.record {
            Record::Broken(_) => State::Broken,
            Record::Absent => State::Partial,
            Record::Known(_) if self.marks.unfinished => State::Partial,
            Record::Known(_) if self.record.has(Step::Partial) || !self.record.has(Step::Complete) => State::Partial,
            Record::Known(_) if !links.dangling.is_empty() => State::Stale,
            Record::Known(_) => State::Complete,
        }
    }

    fn recovery(&self, links: &Links) -> Recovery {
        if !links.outside.is_empty() {
            return Recovery::Irreplaceable;
        }
        let resources = self.record.resources().len();
        let is_more = resources > 1 && self.content.data.len() > resources;
        // Users put what they have into the folder, and datamaestro adopts it at its next run.
        let is_known = self.record.has(Step::Complete) || self.content.is_empty();
        if !is_known || is_more || self.content.was_gathered() { Recovery::Uncertain } else { Recovery::Download }
    }

    /// Why datamaestro would not miss it.
    fn reclaim(&self, links: &Links) -> Option<String> {
        if self.has_nothing() && !self.marks.unfinished {
            return Some("a download that got nowhere".into());
        }
        let only_links = self.content.data.is_empty() && !self.marks.unfinished;
        let all_dangle = links.dangling.len() == self.content.links.len();
        match links.dangling.first() {
            Some(link) if self.state(links) == State::Stale && only_links && all_dangle => Some(format!(
                "it links to `{}`, which is gone; datamaestro takes it for complete, and without it would link anew",
                link.text
            )),
            _ => None,
        }
    }

    /// Whether no resource has arrived, as far as is recorded and seen.
    pub fn has_nothing(&self) -> bool {
        let is_recorded = self.record.has(Step::Complete) || self.record.has(Step::Partial);
        self.content.is_empty() && !is_recorded && !matches!(self.record, Record::Broken(_))
    }

    /// What a user should know before deciding.
    fn remarks(&self, links: &Links) -> Vec<String> {
        let mut remarks = vec![];
        if let Record::Broken(reason) = &self.record {
            remarks.push(format!("its state file cannot be used: {reason}"));
        }
        if self.record == Record::Absent && !self.content.is_empty() {
            remarks.push("nothing records that its download was complete".into());
        }
        if self.has_nothing() && self.marks.unfinished && self.record.resources().len() <= 1 {
            remarks.push("if it is an archive, datamaestro takes what is left here for all of it: remove it".into());
        }
        let has_inner = self.layout.is_above(self.folder);
        if self.record.has(Step::Complete) && self.content.is_empty() {
            remarks.push(
                "no files here: it refers to other datasets or caches, and datamaestro does not check that they are there"
                    .into(),
            );
            if has_inner {
                remarks.push("or it took the datasets in its folder for its data".into());
            }
        }
        remarks.extend(
            links.dangling.iter().take(MOST_SHOWN).map(|link| format!("`{}` leads to nothing", path::name(&link.path))),
        );
        remarks
    }
}

impl Links<'_> {
    /// Adds what links say to an entry: where they lead, and what must stay for them.
    pub fn tell(&self, entry: Entry) -> Entry {
        let links = self.outside.iter().chain(&self.inside).chain(&self.dangling);
        let targets = links.map(|link| format!("{} -> {}", path::name(&link.path), link.text));
        let mut entry = show_some(entry, "target", targets);
        entry.needs = self.needs.iter().cloned().collect();
        entry
    }
}

/// Shows the first of what may be very many, and how many more there are.
pub fn show_some(mut entry: Entry, key: &str, mut values: impl Iterator<Item = String>) -> Entry {
    for value in values.by_ref().take(MOST_SHOWN) {
        entry = entry.attribute(key, value);
    }
    match values.count() {
        0 => entry,
        more => entry.attribute(key, format!("and {more} more")),
    }
}
