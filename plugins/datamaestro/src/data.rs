//! The entries of `data/`: datasets side by side, also where one lies in another's folder; folders of old versions, by
//! guess; and links in the place of datasets.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Detail, Directory, Entry, Listing, LockKind, Recovery, Result, State, path};

use crate::content::Content;
use crate::dataset::{Dataset, Links, MOST_SHOWN, named, plain, show_some};
use crate::layout::{self, Layout, repository};
use crate::state::{self, Record};
use crate::target::{Link, Names, Target};

/// What the part of a dataset that is not complete is called, after the dataset's id.
const UNFINISHED: &str = "@unfinished";

/// The first level.
pub fn list(root: &dyn Directory, detail: Detail) -> Result<Listing> {
    let mut listing = Listing::default();
    let layout = Layout::read(root, &mut listing)?;
    match detail {
        Detail::Outline => outline(root, &layout, &mut listing)?,
        Detail::Full => Level::new(root, &layout, &mut listing)?.list(&mut listing),
    }
    listing.entries.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(listing)
}

fn outline(root: &dyn Directory, layout: &Layout, listing: &mut Listing) -> Result<()> {
    let (outer, others): (Vec<_>, Vec<_>) = layout.datasets().partition(|(folder, _)| layout.is_above(folder));
    listing.entries.extend(others.into_iter().map(|(folder, marks)| plain(layout, folder, marks)));
    let outer: Vec<&str> = outer.into_iter().map(|(folder, _)| folder).collect();
    listing.entries.extend(read(root, layout, &outer, &mut vec![])?.iter().map(Dataset::outline));
    listing.entries.extend(layout.guessed.iter().map(|folder| guessed(layout, folder)));
    listing.entries.extend(layout.links.iter().map(|node| in_place(layout, &node.path)));
    Ok(())
}

/// Reads the records and folders of these datasets.
fn read<'a>(
    root: &dyn Directory,
    layout: &'a Layout,
    folders: &[&'a str],
    unread: &mut Vec<(&'a str, String)>,
) -> Result<Vec<Dataset<'a>>> {
    let files: Vec<String> = folders.iter().map(|folder| path::join(folder, state::FILE)).collect();
    let records = files.chunks(1000).flat_map(|files| root.read(files, state::LIMIT));
    let marks: BTreeMap<&str, _> = layout.datasets().collect();
    let mut datasets = vec![];
    for (folder, record) in folders.iter().copied().zip(records) {
        let content = Content::read(root, folder, Some(layout)).unwrap_or_else(|error| {
            unread.push((folder, error.to_string()));
            Content::default()
        });
        let marks = marks.get(folder).copied().unwrap_or_default();
        datasets.push(Dataset { layout, folder, marks, record: Record::parse(record), content });
    }
    Ok(datasets)
}

/// Everything that decides what may go.
struct Level<'a> {
    root: &'a dyn Directory,
    layout: &'a Layout,
    datasets: Vec<Dataset<'a>>,
    links: Vec<Link>,
}

impl<'a> Level<'a> {
    fn new(root: &'a dyn Directory, layout: &'a Layout, listing: &mut Listing) -> Result<Self> {
        let folders: Vec<&str> = layout.datasets().map(|(folder, _)| folder).collect();
        let mut unread = vec![];
        let datasets = read(root, layout, &folders, &mut unread)?;
        for (folder, error) in unread {
            listing.warn(folder, format!("this dataset cannot be looked into: {error}"));
        }
        Ok(Self { root, layout, datasets, links: Names::of(root).links(root)? })
    }

    fn list(&self, listing: &mut Listing) {
        let mut links = self.links_by_entry();
        // Taken for the data of an outer dataset, were that one to go alone.
        let whole: BTreeSet<&str> = self.datasets.iter().filter(|it| it.is_one()).map(|it| it.folder).collect();
        let mixed: BTreeSet<&str> = self.datasets.iter().flat_map(Dataset::mixed).collect();
        for dataset in &self.datasets {
            // The innermost is enough: it needs those around it itself.
            let is_held = |outer: &str| whole.contains(outer) || mixed.contains(layout::beneath(outer, dataset.folder));
            let outer = self.layout.outer(dataset.folder).find(|(outer, _)| is_held(outer));
            let mut links = links.remove(dataset.folder).unwrap_or_default();
            links.needs.extend(outer.map(|(outer, marks)| marks.file(outer)));
            warn(dataset, &links, listing);
            listing.entries.push(dataset.full(&links));
        }
        for folder in &self.layout.guessed {
            let links = links.remove(folder.as_str()).unwrap_or_default();
            listing.entries.push(of_guessed(self.layout, folder, &links));
        }
        for node in &self.layout.links {
            let links = links.remove(node.path.as_str()).unwrap_or_default();
            listing.entries.push(of_link(self.layout, &node.path, &links));
        }
    }

    /// The links of each entry by its folder, or by itself in the place of one. Those that stay within it say nothing.
    fn links_by_entry(&self) -> BTreeMap<&str, Links<'_>> {
        let paths: BTreeSet<&str> = self.links.iter().map(|link| link.path.as_str()).collect();
        let in_place: BTreeSet<&str> = self.layout.links.iter().map(|node| node.path.as_str()).collect();
        let mut found: BTreeMap<&str, bool> = BTreeMap::new();
        let mut by_entry: BTreeMap<&str, Links> = BTreeMap::new();
        for link in &self.links {
            let at = in_place.get(link.path.as_str()).copied();
            let Some(entry) = at.or_else(|| self.entry(&link.path)) else { continue };
            let links = by_entry.entry(entry).or_default();
            match &link.target {
                Target::Outside(place) => {
                    links.outside.push(link);
                    links.needs.insert(place.clone());
                }
                Target::Inside(place) if self.entry(place) == Some(entry) => {}
                Target::Inside(place) => {
                    let is_there = *found.entry(place).or_insert_with(|| self.may_be_there(place, &paths));
                    if is_there {
                        links.inside.push(link);
                        links.needs.insert(self.place_of(place));
                    } else {
                        links.dangling.push(link);
                    }
                }
            }
        }
        by_entry
    }

    /// A place that nobody claims but the dataset that has this one: not those in its folder.
    fn place_of(&self, place: &str) -> String {
        self.layout.holder(place).map_or_else(|| place.to_owned(), |(folder, marks)| marks.file(folder))
    }

    /// The folder of the dataset that a place is in, be it guessed.
    fn entry(&self, place: &str) -> Option<&str> {
        let guessed = || {
            let at = self.layout.guessed.partition_point(|folder| folder.as_str() <= place).checked_sub(1)?;
            let folder = self.layout.guessed.get(at)?;
            let rest = place.strip_prefix(folder.as_str())?;
            (rest.is_empty() || rest.starts_with('/')).then_some(folder.as_str())
        };
        self.layout.holder(place).map(|(folder, _)| folder).or_else(guessed)
    }

    /// False if nothing is there. What lies behind another link cannot be seen.
    fn may_be_there(&self, place: &str, links: &BTreeSet<&str>) -> bool {
        let above = std::iter::successors(Some(place), |at| Some(path::parent(at))).take_while(|at| !at.is_empty());
        let is_behind_link = above.into_iter().any(|at| links.contains(at));
        is_behind_link || !matches!(self.root.node(place), Ok(None))
    }
}

fn warn(dataset: &Dataset, links: &Links, listing: &mut Listing) {
    if let Record::Broken(reason) = &dataset.record {
        listing.warn(path::join(dataset.folder, state::FILE), format!("this state file cannot be used: {reason}"));
    }
    for link in links.dangling.iter().take(MOST_SHOWN) {
        listing.warn(&link.path, format!("this link leads to nothing: `{}`", link.text));
    }
}

fn guessed(layout: &Layout, folder: &str) -> Entry {
    named(layout, folder, "legacy").owns(folder)
}

fn of_guessed(layout: &Layout, folder: &str, links: &Links) -> Entry {
    let entry = guessed(layout, folder).lock(LockKind::Flock, path::join(folder, state::LOCK));
    let entry = entry.attribute("repository", repository(folder));
    let is_linked = !links.outside.is_empty();
    let entry = entry.recovery(if is_linked { Recovery::Irreplaceable } else { Recovery::Uncertain });
    links.tell(entry).attribute("warning", "no state file: that it is one dataset is a guess")
}

fn in_place(layout: &Layout, at: &str) -> Entry {
    named(layout, at, "link").owns(at)
}

/// Somebody moved a dataset, or all of a repository, to another place: nothing there is looked at.
fn of_link(layout: &Layout, at: &str, links: &Links) -> Entry {
    let state = if links.dangling.is_empty() { State::Complete } else { State::Stale };
    let entry = in_place(layout, at).attribute("repository", repository(at)).state(state);
    let entry = links.tell(entry).recovery(Recovery::Irreplaceable);
    entry.attribute("warning", "a link in the place of datasets: what is behind it is not looked at")
}

/// The level below a dataset: what is not complete.
pub fn children(root: &dyn Directory, id: &str) -> Result<Listing> {
    let Some((folder, marks)) = layout::find(root, id)? else { return Ok(Listing::default()) };
    if !marks.unfinished {
        return Ok(Listing::default());
    }
    let at = path::join(&folder, state::UNFINISHED);
    let parts = root.children(&at)?;
    let record = Record::parse(root.read(&[path::join(&folder, state::FILE)], state::LIMIT).remove(0));
    let entry = Entry::new(format!("{id}{UNFINISHED}"), "partial").label("unfinished").owns(&at);
    let entry = entry.lock(LockKind::Flock, path::join(&folder, state::LOCK));
    let mut entry = entry.state(State::Partial).recovery(Recovery::Download);
    entry = show_some(entry, "holds", parts.iter().map(|part| part.name().to_owned()));
    if record.has(state::Step::Partial) {
        entry = entry.attribute("resumable", "datamaestro goes on from here");
    } else if parts.is_empty() {
        entry = entry.reclaim("an interrupted download that left nothing");
    }
    // Without it nothing but a lock and an empty record would be left.
    let is_all = record.resources().iter().all(|(_, step)| *step == state::Step::None)
        && !matches!(record, Record::Broken(_))
        && Content::read(root, &folder, None)?.is_empty();
    entry.keeps_parent = is_all;
    Ok(Listing::from_iter([entry]))
}
