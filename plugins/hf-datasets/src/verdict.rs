//! What a dataset's builds are worth: whether they are whole, which of them a later one replaced, where their data came
//! from and can be had again, and what they need that is elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use dscc_sdk::{Directory, Filter, FsError, Recovery, State, path};
use dscc_url_files::digest;

use crate::dataset::{self, Build, Dataset, INFO};
use crate::downloads::Local;
use crate::info::{Guess, Info, Unreadable, is_remote, missing_splits};
use crate::names::{self, DOWNLOADS, EXTRACTED};
use crate::stored_paths::{Reader, Stored};

/// Where the hub's cache is beside this one, unless variables say otherwise.
const HUB: &str = "hub";

/// What a user has to know of tables with paths.
pub const PATHS: &str = "it holds paths of downloaded files, not their content: without those it cannot be read";

/// A build and what is thought of it.
pub struct Judged<'a> {
    /// The build.
    pub build: &'a Build,
    /// What the library wrote of it.
    pub info: Option<Info>,
    /// Whether it is whole.
    pub state: State,
    /// What it costs to have it back.
    pub recovery: Recovery,
    /// Where its data came from, in words.
    pub origin: &'static str,
    /// Why the library would not miss it.
    pub reclaim: Option<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// Absolute places without which it is broken.
    pub needs: BTreeSet<String>,
}

/// Judges builds; for all datasets of one listing.
pub struct Judge<'a> {
    root: &'a dyn Directory,
    local: &'a Local<'a>,
    tables: Reader<'a>,
}

impl<'a> Judge<'a> {
    /// With what was downloaded, which builds may need.
    pub fn new(root: &'a dyn Directory, local: &'a Local<'a>) -> Self {
        Self { root, local, tables: Reader::new(root) }
    }

    /// The builds of a dataset, in their order.
    pub fn judge<'d>(&mut self, dataset: &'d Dataset) -> Vec<Judged<'d>> {
        let with_info: Vec<&str> =
            dataset.builds.iter().filter(|build| build.has_info()).map(|build| build.path.as_str()).collect();
        let mut infos = Info::read(self.root, &with_info).into_iter();
        let mut judged: Vec<Judged> = vec![];
        for build in &dataset.builds {
            let info = if build.has_info() { infos.next() } else { None };
            judged.push(self.build(dataset, build, info));
        }
        self.supersede(dataset, &mut judged);
        judged
    }

    fn build<'d>(&mut self, dataset: &Dataset, build: &'d Build, info: Option<Result<Info, Unreadable>>) -> Judged<'d> {
        let (info, unreadable) = match info {
            Some(Ok(info)) => (Some(info), None),
            Some(Err(Unreadable(why))) => (None, Some(why)),
            None => (None, None),
        };
        let (recovery, origin) = origin(dataset, build, info.as_ref());
        let mut judged = Judged {
            build,
            info,
            state: State::Complete,
            recovery,
            origin,
            reclaim: None,
            warnings: unreadable.into_iter().collect(),
            needs: BTreeSet::new(),
        };
        judged.look_for_damage();
        self.look_for_needs(dataset, &mut judged);
        judged
    }

    /// Of the builds of one config and version, which differ in commit or in the library's code, the latest is the one
    /// that is used. Commits and code are not compared with each other: an old library's build may be in use beside.
    fn supersede(&self, dataset: &Dataset, judged: &mut [Judged]) {
        let several = judged.iter().filter(|it| it.is_table()).count() > 1;
        let times = if several { self.times(&dataset.folder) } else { Ok(BTreeMap::new()) };
        let Ok(times) = times else { return };
        let time = |it: &Judged| times.get(&it.build.path).copied();
        let mut latest: BTreeMap<(&str, &str, usize), (i64, &str)> = BTreeMap::new();
        for it in judged.iter().filter(|it| it.is_table() && it.state == State::Complete) {
            let (Some(at), Some(hash)) = (time(it), it.build.hash.as_deref()) else { continue };
            let best = latest.entry((&it.build.config, &it.build.version, hash.len())).or_insert((at, hash));
            *best = (*best).max((at, hash));
        }
        for it in judged.iter_mut().filter(|it| it.is_table() && it.state == State::Complete) {
            let digits = it.build.hash.as_deref().unwrap_or_default().len();
            let Some((at, hash)) = latest.get(&(&it.build.config, &it.build.version, digits)) else { continue };
            if time(it).is_some_and(|own| own < *at) {
                it.state = State::Stale;
                let reason = format!("superseded by {}, a later build of the same config", names::short(hash));
                it.reclaim = Some(reason).filter(|_| it.build.stray.is_none());
            }
        }
    }

    /// When the records were written.
    fn times(&self, folder: &str) -> Result<BTreeMap<String, i64>, FsError> {
        let records = self.root.walk(folder, &Filter::all().depth(4).name(INFO).stat())?;
        Ok(records.map(|node| (path::parent(&node.path).to_owned(), node.modified)).collect())
    }

    fn look_for_needs(&mut self, dataset: &Dataset, judged: &mut Judged) {
        let Some(info) = &judged.info else { return };
        let guess = info.stores_paths();
        if guess == Guess::No {
            return;
        }
        let stored = self.tables.read(judged.build);
        let mut places = self.places(&stored);
        if stored.unknown && guess == Guess::Probably {
            places.extend(self.worst(dataset, judged.build, info));
        }
        if !places.is_empty() {
            judged.warnings.push(PATHS.into());
        }
        judged.needs = in_short(places);
    }

    /// Where the library says that it is, what the tables point to.
    fn places(&self, stored: &Stored) -> BTreeSet<String> {
        let mut places = BTreeSet::new();
        for digest in &stored.digests {
            let known: Vec<String> = self.local.places_of(digest).collect();
            let elsewhere = stored.digests_in.as_ref().filter(|_| known.is_empty());
            places.extend(elsewhere.map(|folder| format!("{folder}/{digest}")));
            places.extend(known);
        }
        let hubs = stored.snapshots_in.clone().into_iter().chain(self.hub());
        for hub in hubs {
            places.extend(stored.snapshots.iter().map(|snapshot| format!("{hub}/{snapshot}")));
        }
        places
    }

    /// All that the tables could point to.
    fn worst(&self, dataset: &Dataset, build: &Build, info: &Info) -> BTreeSet<String> {
        let sources: Vec<&str> = info.sources().collect();
        let of_hub =
            names::has_namespace(&dataset.folder) || build.hash.as_deref().is_some_and(|it| names::is_hex(it, 40));
        let mut places: BTreeSet<String> = self.local.place(&format!("{DOWNLOADS}/{EXTRACTED}")).collect();
        if sources.is_empty() && !of_hub {
            places.extend(self.local.place(DOWNLOADS));
        }
        places.extend(sources.iter().flat_map(|source| self.local.places_of(&digest(source)).collect::<Vec<_>>()));
        let repository = format!("datasets--{}", names::dataset_id(&dataset.folder).replace('/', "--"));
        let commit = build.hash.as_deref().filter(|hash| names::is_hex(hash, 40));
        let snapshot = commit.map(|commit| format!("/snapshots/{commit}")).unwrap_or_default();
        places.extend(self.hub().filter(|_| of_hub).map(|hub| format!("{hub}/{repository}{snapshot}")));
        places
    }

    fn hub(&self) -> impl Iterator<Item = String> {
        self.local.names.iter().map(|name| format!("{}/{HUB}", path::parent(name)))
    }
}

impl Judged<'_> {
    /// Whether it is a finished build that a later one of its version takes the place of. Builds of local folders are of
    /// one dataset only by name: any two folders that are called alike have theirs here, side by side.
    fn is_table(&self) -> bool {
        !self.build.is_partial() && self.build.hash.is_some() && !self.build.is_of_local_folder()
    }

    fn look_for_damage(&mut self) {
        let build = self.build;
        if build.is_partial() {
            self.state = State::Partial;
            self.recovery = Recovery::Rebuild;
            self.reclaim = Some("a build that was killed; the library begins it anew".into());
        } else if build.unreadable {
            self.state = State::Broken;
            self.recovery = Recovery::Uncertain;
            self.warnings.push("it cannot be read".into());
        } else if build.files.is_empty() && build.stray.is_none() {
            self.state = State::Stale;
            self.recovery = Recovery::Rebuild;
            self.reclaim = Some("an empty folder, which the library removes by itself".into());
        } else if !build.has_info() {
            self.state = State::Broken;
            self.reclaim = Some(format!("without {INFO} the library builds it anew"));
        } else if self.info.is_none() {
            self.state = State::Broken;
        } else if let Some(info) = &self.info {
            let missing = dataset::few(&missing_splits(info, &build.files));
            if !missing.is_empty() {
                self.state = State::Broken;
                self.warnings.push(format!("tables are missing: {missing}"));
            }
        }
        if let Some(stray) = &build.stray {
            self.recovery = self.recovery.max(Recovery::Uncertain);
            self.reclaim = None;
            self.warnings.push(format!("`{stray}` in it is not the library's"));
        }
    }
}

/// Places that are needed; of very many the folders they are in, since a host compares each with all that is claimed.
pub fn in_short(places: BTreeSet<String>) -> BTreeSet<String> {
    const MOST: usize = 100;
    if places.len() <= MOST {
        return places;
    }
    places.iter().map(|place| path::parent(place).to_owned()).collect()
}

/// What it costs to have a build back, and where its data came from. Data of the Hub can be had again. Of anything else
/// nobody knows whether it is still there, and then the build is the only copy.
fn origin(dataset: &Dataset, build: &Build, info: Option<&Info>) -> (Recovery, &'static str) {
    let script = "a loading script, which versions from 4 on do not run";
    if info.is_some_and(Info::is_of_script) {
        return (Recovery::Uncertain, script);
    }
    if build.is_of_local_folder() {
        return (Recovery::Uncertain, "a folder of this machine");
    }
    let sources: Vec<&str> = info.map(|info| info.sources().collect()).unwrap_or_default();
    let commit = build.hash.as_deref().is_some_and(|hash| names::is_hex(hash, 40));
    if sources.iter().any(|source| !is_remote(source)) {
        (Recovery::Uncertain, "files of this machine")
    } else if commit || (names::has_namespace(&dataset.folder) && info.is_some()) {
        (Recovery::Download, "the Hub")
    } else if !sources.is_empty() {
        (Recovery::Download, "addresses on the net")
    } else if build.hash.is_none() {
        (Recovery::Uncertain, "Python objects or files of this machine")
    } else {
        (Recovery::Uncertain, "files that were named to the builder, of this machine or on the net")
    }
}
