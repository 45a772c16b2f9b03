//! Short ways to make entries, listings and edits. The fields are public too; what a method says of one is in the
//! field's own documentation.

use crate::{Edit, Entry, Listing, Lock, LockKind, Moment, Records, Recovery, State, Text, Warning, path};

impl Entry {
    /// A complete entry without claims, of uncertain recovery until the plugin knows better. The id is unique in the
    /// cache and the same in every run; the kind is one word for what it is.
    ///
    /// ```
    /// use dscc_sdk::{Entry, LockKind, Recovery};
    ///
    /// let entry = Entry::new("corpus/news", "corpus")
    ///     .label("news")
    ///     .owns("index/news.json")
    ///     .owns("data/news")
    ///     .lock(LockKind::Flock, "data/news.lock")
    ///     .recovery(Recovery::Download)
    ///     .attribute("language", "en");
    /// assert_eq!(entry.owns, ["index/news.json", "data/news"]);
    /// ```
    pub fn new(id: impl Into<String>, kind: &str) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            label: String::new(),
            owns: vec![],
            shares: vec![],
            needs: vec![],
            locks: vec![],
            state: State::Complete,
            recovery: Recovery::Uncertain,
            reclaim: None,
            has_children: false,
            keeps_parent: false,
            created: None,
            last_used: None,
            attributes: vec![],
        }
    }

    /// An entry that is one file or folder: the path is its id and what it owns, its last component the label.
    ///
    /// ```
    /// use dscc_sdk::Entry;
    ///
    /// let entry = Entry::at("checkpoints/tiny.pth", "checkpoint");
    /// assert_eq!((&*entry.id, &*entry.label), ("checkpoints/tiny.pth", "tiny.pth"));
    /// assert_eq!(entry.owns, ["checkpoints/tiny.pth"]);
    /// ```
    pub fn at(path: &str, kind: &str) -> Self {
        Self::new(path, kind).label(path::name(path)).owns(path)
    }

    /// What a user calls it.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Entry::new("corpus/news", "corpus").label("news").label, "news");
    /// ```
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Claims a path that goes with this entry; in the order of removal.
    ///
    /// ```
    /// let entry = dscc_sdk::Entry::new("news", "corpus").owns("index/news.json").owns("data/news");
    /// assert_eq!(entry.owns, ["index/news.json", "data/news"]);
    /// ```
    pub fn owns(mut self, path: impl Into<String>) -> Self {
        self.owns.push(path.into());
        self
    }

    /// Claims a path that goes with its last holder; in the order of removal.
    ///
    /// ```
    /// let entry = dscc_sdk::Entry::new("news", "corpus").owns("data/news").shares("archives/2024.tar");
    /// assert_eq!(entry.shares, ["archives/2024.tar"]);
    /// ```
    pub fn shares(mut self, path: impl Into<String>) -> Self {
        self.shares.push(path.into());
        self
    }

    /// Keeps the entry that claims this place.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Entry::new("news", "corpus").needs("tokenizers/en").needs, ["tokenizers/en"]);
    /// ```
    pub fn needs(mut self, place: impl Into<String>) -> Self {
        self.needs.push(place.into());
        self
    }

    /// A lock that must be free while the entry goes.
    ///
    /// ```
    /// use dscc_sdk::{Entry, LockKind};
    ///
    /// let entry = Entry::at("data/news", "corpus").lock(LockKind::Flock, "data/news.lock");
    /// assert_eq!(entry.locks[0].path, "data/news.lock");
    /// ```
    pub fn lock(mut self, kind: LockKind, path: impl Into<String>) -> Self {
        self.locks.push(Lock { kind, path: path.into() });
        self
    }

    /// Whether it is whole.
    ///
    /// ```
    /// use dscc_sdk::{Entry, State};
    ///
    /// assert_eq!(Entry::at("news.part", "partial").state(State::Partial).state, State::Partial);
    /// ```
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// What it costs to have it back.
    ///
    /// ```
    /// use dscc_sdk::{Entry, Recovery};
    ///
    /// assert_eq!(Entry::at("news", "corpus").recovery(Recovery::Download).recovery, Recovery::Download);
    /// ```
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// Why the library would not miss it. Without this an entry is never called reclaimable.
    ///
    /// ```
    /// let entry = dscc_sdk::Entry::at("news.part", "partial").reclaim("a killed download");
    /// assert_eq!(entry.reclaim.as_deref(), Some("a killed download"));
    /// ```
    pub fn reclaim(mut self, reason: &str) -> Self {
        self.reclaim = Some(reason.into());
        self
    }

    /// It has a level of its own: [`list_entries`](crate::CachePlugin::list_entries) is asked for its children.
    ///
    /// ```
    /// assert!(dscc_sdk::Entry::at("news", "corpus").with_children().has_children);
    /// ```
    pub fn with_children(mut self) -> Self {
        self.has_children = true;
        self
    }

    /// The parent exists for the sake of such entries.
    ///
    /// ```
    /// assert!(dscc_sdk::Entry::new("news@2024", "version").keeps_parent().keeps_parent);
    /// ```
    pub fn keeps_parent(mut self) -> Self {
        self.keeps_parent = true;
        self
    }

    /// When it was made.
    ///
    /// ```
    /// let entry = dscc_sdk::Entry::at("news", "corpus").created("2024-03-01T12:00:00Z");
    /// assert_eq!(entry.created.as_deref(), Some("2024-03-01T12:00:00Z"));
    /// ```
    pub fn created(mut self, time: impl Text) -> Self {
        self.created = time.text();
        self
    }

    /// When it was last used, by the library's own records.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Entry::at("news", "corpus").last_used(None::<String>).last_used, None);
    /// ```
    pub fn last_used(mut self, time: impl Text) -> Self {
        self.last_used = time.text();
        self
    }

    /// Something to show; a repeated key is a list, and a value that is none is left out.
    ///
    /// ```
    /// let entry = dscc_sdk::Entry::at("news", "corpus").attribute("language", "en").attribute("task", None::<&str>);
    /// assert_eq!(entry.attributes, [("language".to_owned(), "en".to_owned())]);
    /// ```
    pub fn attribute(mut self, key: &str, value: impl Text) -> Self {
        self.attributes.extend(value.text().map(|value| (key.to_owned(), value)));
        self
    }
}

#[expect(clippy::derivable_impls, reason = "the type is generated")]
impl Default for Listing {
    fn default() -> Self {
        Self { entries: vec![], warnings: vec![] }
    }
}

impl FromIterator<Entry> for Listing {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        Self { entries: entries.into_iter().collect(), warnings: vec![] }
    }
}

impl Extend<Entry> for Listing {
    fn extend<I: IntoIterator<Item = Entry>>(&mut self, entries: I) {
        self.entries.extend(entries);
    }
}

impl Listing {
    /// Adds an entry.
    ///
    /// ```
    /// use dscc_sdk::{Entry, Listing};
    ///
    /// let mut listing = Listing::default();
    /// listing.push(Entry::at("news", "corpus"));
    /// assert_eq!(listing.entries.len(), 1);
    /// ```
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Tells the user something about a place of this level; `""` is the whole level.
    ///
    /// ```
    /// let mut listing = dscc_sdk::Listing::default();
    /// listing.warn("index.json", "it is no JSON");
    /// assert_eq!(listing.warnings[0].path, "index.json");
    /// ```
    pub fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning { path: path.into(), message: message.into() });
    }
}

impl Edit {
    /// Lines that an index loses; without line ends, escaped like paths.
    ///
    /// ```
    /// use dscc_sdk::{Edit, Moment};
    ///
    /// let edit = Edit::drop_lines("index/files.txt", Moment::Before, vec!["news.bin".into()]);
    /// assert_eq!(edit.file, "index/files.txt");
    /// ```
    pub fn drop_lines(file: impl Into<String>, at: Moment, lines: Vec<String>) -> Self {
        Self { file: file.into(), at, drop: Records::Lines(lines) }
    }
}
