//! Short ways to say who a plugin is and what it asks for. The fields are public too; what a method says of one is in
//! the field's own documentation.

use crate::{Cache, Expansion, Location, Manifest, RootRule};

impl Manifest {
    /// A plugin that asks for nothing yet: its name, its own version, the library's name, and a sentence.
    ///
    /// ```
    /// use dscc_sdk::{Manifest, RootRule};
    ///
    /// let manifest = Manifest::new("demo", env!("CARGO_PKG_VERSION"), "Demo", "Downloads of the demo library.")
    ///     .homepage("https://example.org/demo")
    ///     .license("MIT")
    ///     .root(RootRule::new("demo").location("${DEMO_HOME}").location("~/.cache/demo"))
    ///     .extra("contact", "lab@example.org");
    /// assert_eq!(manifest.roots[0].locations.len(), 2);
    /// ```
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
    ///
    /// ```
    /// # let manifest = dscc_sdk::Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.");
    /// assert_eq!(manifest.homepage("https://example.org").homepage.as_deref(), Some("https://example.org"));
    /// ```
    pub fn homepage(mut self, url: &str) -> Self {
        self.homepage = Some(url.into());
        self
    }

    /// An SPDX expression.
    ///
    /// ```
    /// # let manifest = dscc_sdk::Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.");
    /// assert_eq!(manifest.license("MIT").license.as_deref(), Some("MIT"));
    /// ```
    pub fn license(mut self, expression: &str) -> Self {
        self.license = Some(expression.into());
        self
    }

    /// Asks to read one more kind of directory.
    ///
    /// ```
    /// use dscc_sdk::RootRule;
    /// # let manifest = dscc_sdk::Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.");
    /// assert_eq!(manifest.root(RootRule::new("demo").location("~/.cache/demo")).roots.len(), 1);
    /// ```
    pub fn root(mut self, rule: RootRule) -> Self {
        self.roots.push(rule);
        self
    }

    /// A further fact to show.
    ///
    /// ```
    /// # let manifest = dscc_sdk::Manifest::new("demo", "1.0.0", "Demo", "Downloads of the demo library.");
    /// assert_eq!(manifest.extra("contact", "lab@example.org").extra.len(), 1);
    /// ```
    pub fn extra(mut self, key: &str, value: &str) -> Self {
        self.extra.push((key.into(), value.into()));
        self
    }
}

impl RootRule {
    /// A rule without locations yet.
    ///
    /// ```
    /// use dscc_sdk::RootRule;
    ///
    /// let rule = RootRule::new("demo").location("~/.cache/demo").mark("index.json").index("*/files.txt");
    /// assert_eq!((rule.marks, rule.indexes), (vec!["index.json".into()], vec!["*/files.txt".into()]));
    /// ```
    pub fn new(id: &str) -> Self {
        Self { id: id.into(), locations: vec![], marks: vec![], indexes: vec![] }
    }

    /// The next place in the library's order of precedence: a text, or a [`Location`].
    ///
    /// ```
    /// use dscc_sdk::{Expansion, Location, RootRule};
    ///
    /// let home = Location::new("${DEMO_HOME}").expand(Expansion::HOME);
    /// assert_eq!(RootRule::new("demo").location(home).location("~/.cache/demo").locations.len(), 2);
    /// ```
    pub fn location(mut self, location: impl Into<Location>) -> Self {
        self.locations.push(location.into());
        self
    }

    /// A pattern of which the root must show one.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::RootRule::new("demo").mark("models--*").marks, ["models--*"]);
    /// ```
    pub fn mark(mut self, pattern: &str) -> Self {
        self.marks.push(pattern.into());
        self
    }

    /// A pattern of index files that edits may drop records from.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::RootRule::new("demo").index("*/files.txt").indexes, ["*/files.txt"]);
    /// ```
    pub fn index(mut self, pattern: &str) -> Self {
        self.indexes.push(pattern.into());
        self
    }
}

impl Location {
    /// `${VAR}/hub`, `~/.cache/x`, `{cache}/*`; the variables are taken literally and an empty one counts as unset.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Location::new("${DEMO_HOME}/data").path, "${DEMO_HOME}/data");
    /// ```
    pub fn new(path: &str) -> Self {
        Self { path: path.into(), expand: Expansion::empty() }
    }

    /// What the library does with the variables' values.
    ///
    /// ```
    /// use dscc_sdk::{Expansion, Location};
    ///
    /// let location = Location::new("${DEMO_HOME}").expand(Expansion::HOME | Expansion::VARIABLES);
    /// assert!(!location.expand.contains(Expansion::EMPTY));
    /// ```
    pub fn expand(mut self, how: Expansion) -> Self {
        self.expand = how;
        self
    }
}

impl From<&str> for Location {
    fn from(path: &str) -> Self {
        Self::new(path)
    }
}

impl Cache {
    /// A cache that is the whole root: what `-c` takes, and a title for people.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Cache::new("demo", "Demo").path, "");
    /// ```
    pub fn new(id: &str, title: &str) -> Self {
        Self { id: id.into(), title: title.into(), path: String::new() }
    }

    /// Only this part of the root.
    ///
    /// ```
    /// assert_eq!(dscc_sdk::Cache::new("demo", "Demo").at("data").path, "data");
    /// ```
    pub fn at(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }
}
