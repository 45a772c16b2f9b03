//! Short ways to make the records of the interface. Their fields are public too; what a method says of a field is in
//! the field's own documentation.

use crate::{
    Cache, Edit, Entry, Expansion, Listing, Location, Lock, LockKind, Manifest, Moment, Records, Recovery, RootRule,
    State, Warning,
};

impl Manifest {
    /// A plugin that asks for nothing yet.
    pub fn new(name: &str, version: &str, title: &str, summary: &str) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            title: title.into(),
            summary: summary.into(),
            homepage: None,
            license: None,
            roots: vec![],
            extra: vec![],
        }
    }

    /// Where to read more.
    pub fn homepage(mut self, url: &str) -> Self {
        self.homepage = Some(url.into());
        self
    }

    /// An SPDX expression.
    pub fn license(mut self, expression: &str) -> Self {
        self.license = Some(expression.into());
        self
    }

    /// Asks to read one more kind of directory.
    pub fn root(mut self, rule: RootRule) -> Self {
        self.roots.push(rule);
        self
    }

    /// A further fact to show.
    pub fn extra(mut self, key: &str, value: &str) -> Self {
        self.extra.push((key.into(), value.into()));
        self
    }
}

impl RootRule {
    /// A rule without locations yet.
    pub fn new(id: &str) -> Self {
        Self { id: id.into(), locations: vec![], marks: vec![], indexes: vec![] }
    }

    /// The next place in the library's order of precedence.
    pub fn location(mut self, location: Location) -> Self {
        self.locations.push(location);
        self
    }

    /// A pattern of which the root must show one.
    pub fn mark(mut self, pattern: &str) -> Self {
        self.marks.push(pattern.into());
        self
    }

    /// A pattern of index files that edits may drop records from.
    pub fn index(mut self, pattern: &str) -> Self {
        self.indexes.push(pattern.into());
        self
    }
}

impl Location {
    /// `${VAR}/hub`, `~/.cache/x`, `{cache}/*`; the variables are taken literally and an empty one counts as unset.
    pub fn new(path: &str) -> Self {
        Self { path: path.into(), expand: Expansion::empty() }
    }

    /// What the library does with the variables' values.
    pub fn expand(mut self, how: Expansion) -> Self {
        self.expand = how;
        self
    }
}

impl Cache {
    /// A cache that is the whole root.
    pub fn new(id: &str, title: &str) -> Self {
        Self { id: id.into(), title: title.into(), path: String::new() }
    }

    /// Only this part of the root.
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}

impl Entry {
    /// A complete entry without claims, of uncertain recovery until the plugin knows better.
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

    /// What a user calls it.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Claims a path that goes with this entry; in the order of removal.
    pub fn owns(mut self, path: impl Into<String>) -> Self {
        self.owns.push(path.into());
        self
    }

    /// Claims a path that goes with its last holder; in the order of removal.
    pub fn shares(mut self, path: impl Into<String>) -> Self {
        self.shares.push(path.into());
        self
    }

    /// Keeps the entry that claims this place.
    pub fn needs(mut self, place: impl Into<String>) -> Self {
        self.needs.push(place.into());
        self
    }

    /// A lock that must be free while the entry goes.
    pub fn lock(mut self, kind: LockKind, path: impl Into<String>) -> Self {
        self.locks.push(Lock { kind, path: path.into() });
        self
    }

    /// Whether it is whole.
    pub fn state(mut self, state: State) -> Self {
        self.state = state;
        self
    }

    /// What it costs to have it back.
    pub fn recovery(mut self, recovery: Recovery) -> Self {
        self.recovery = recovery;
        self
    }

    /// Why the library would not miss it.
    pub fn reclaim(mut self, reason: &str) -> Self {
        self.reclaim = Some(reason.into());
        self
    }

    /// It has a level of its own.
    pub fn with_children(mut self) -> Self {
        self.has_children = true;
        self
    }

    /// The parent exists for the sake of such entries.
    pub fn keeps_parent(mut self) -> Self {
        self.keeps_parent = true;
        self
    }

    /// When it was made, by the library's own records.
    pub fn created(mut self, time: impl Into<String>) -> Self {
        self.created = Some(time.into());
        self
    }

    /// When it was last used, by the library's own records.
    pub fn last_used(mut self, time: impl Into<String>) -> Self {
        self.last_used = Some(time.into());
        self
    }

    /// Something to show; a repeated key is a list.
    pub fn attribute(mut self, key: &str, value: impl Into<String>) -> Self {
        self.attributes.push((key.into(), value.into()));
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

impl Listing {
    /// Tells the user something about a place of this level; `""` is the whole level.
    pub fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Warning { path: path.into(), message: message.into() });
    }
}

impl Edit {
    /// Lines that an index loses; without line ends, escaped like paths.
    pub fn drop_lines(file: impl Into<String>, at: Moment, lines: Vec<String>) -> Self {
        Self { file: file.into(), at, drop: Records::Lines(lines) }
    }
}
