//! What the user is asked to approve: everything of a plugin that decides what it may do. Approval is bound to these
//! words and to the component's digest; between two requests the user is shown the difference alone.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::{Expansion, Location, Pattern, RootRule};
use crate::runtime::{LimitSettings, Limits, digest, named};

/// What a plugin may do, once approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The name under which it gives its caches.
    pub name: String,
    /// The directories it may read, and the indexes it may have records dropped from.
    pub roots: Vec<RootRule>,
    /// The interfaces it may call.
    pub imports: BTreeSet<String>,
    /// The limits that are not the default.
    pub limits: LimitSettings,
    /// The built-in plugins that do not run while it is installed.
    pub overrides: BTreeSet<String>,
}

/// A difference between two requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whether the later request may do what the earlier one may not.
    pub widens: bool,
    /// One line, beginning with `+` or `-`.
    pub text: String,
}

impl Request {
    /// Identifies the request, whatever it is written with. A field that is added later is left out of the JSON where it
    /// has its default, so that what was approved before stays approved; a test holds one digest.
    pub fn digest(&self) -> String {
        // Strings, lists and maps with string keys always have a JSON form.
        digest(&serde_json::to_vec(self).unwrap_or_default())
    }

    /// What a later request changes; in doubt it counts as wider.
    pub fn changes_to(&self, later: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for rule in &later.roots {
            match self.roots.iter().find(|it| it.id == rule.id) {
                Some(earlier) => changes.extend(rule_changes(earlier, rule)),
                None => changes.extend(rule_lines(rule).into_iter().map(|line| wider(&line))),
            }
        }
        for rule in self.roots.iter().filter(|rule| later.roots.iter().all(|it| it.id != rule.id)) {
            changes.push(narrower(&format!("the root `{}`", rule.id)));
        }
        changes.extend(later.imports.difference(&self.imports).map(|import| wider(&format!("calls {import}"))));
        changes.extend(self.imports.difference(&later.imports).map(|import| narrower(&format!("calls {import}"))));
        changes.extend(limit_changes(&self.limits, &later.limits));
        let overrides = |name: &String| format!("runs instead of the built-in `{name}`");
        changes.extend(later.overrides.difference(&self.overrides).map(|name| wider(&overrides(name))));
        changes.extend(self.overrides.difference(&later.overrides).map(|name| narrower(&overrides(name))));
        changes
    }
}

/// What a rule asks for, a line for each right.
pub fn rule_lines(rule: &RootRule) -> Vec<String> {
    let named = rule.locations.is_empty().then(|| format!("reads what `--root {0}=PATH` names ({0})", rule.id));
    let reads = rule.locations.iter().map(|location| reads(rule, location));
    named.into_iter().chain(reads).chain(rule.indexes.iter().map(|index| drops(rule, index))).collect()
}

fn reads(rule: &RootRule, location: &Location) -> String {
    format!("reads {} ({})", location.path, rule.id)
}

fn drops(rule: &RootRule, index: &Pattern) -> String {
    format!("drops lines of {} ({})", index.as_str(), rule.id)
}

fn rule_changes(earlier: &RootRule, later: &RootRule) -> Vec<Change> {
    let mut changes = Vec::new();
    let known = |rule: &RootRule, path: &str| rule.locations.iter().any(|it| it.path == path);
    for location in later.locations.iter().filter(|it| !earlier.locations.contains(it)) {
        let expanding = format!(", expanding {}", expansion_text(location.expand));
        let how = if known(earlier, &location.path) { expanding.as_str() } else { "" };
        changes.push(wider(&format!("{}{how}", reads(later, location))));
    }
    let gone = earlier.locations.iter().filter(|it| !later.locations.contains(it) && !known(later, &it.path));
    changes.extend(gone.map(|location| narrower(&reads(earlier, location))));
    changes.extend(mark_changes(earlier, later));
    let missing_in = |rule: &RootRule, index: &Pattern| !rule.indexes.contains(index);
    let added = later.indexes.iter().filter(|index| missing_in(earlier, index));
    changes.extend(added.map(|index| wider(&drops(later, index))));
    let removed = earlier.indexes.iter().filter(|index| missing_in(later, index));
    changes.extend(removed.map(|index| narrower(&drops(earlier, index))));
    changes
}

/// A root must show one of the marks: one more lets more directories in, none at all lets every one in.
fn mark_changes(earlier: &RootRule, later: &RootRule) -> Vec<Change> {
    let text = |mark: &Pattern| format!("takes directories that hold {} ({})", mark.as_str(), later.id);
    let any = format!("takes any directory ({})", later.id);
    match (earlier.marks.is_empty(), later.marks.is_empty()) {
        (true, true) => Vec::new(),
        (false, true) => vec![wider(&any)],
        (true, false) => vec![narrower(&any)],
        (false, false) => {
            let added = later.marks.iter().filter(|mark| !earlier.marks.contains(mark));
            let removed = earlier.marks.iter().filter(|mark| !later.marks.contains(mark));
            added.map(|mark| wider(&text(mark))).chain(removed.map(|mark| narrower(&text(mark)))).collect()
        }
    }
}

fn expansion_text(expand: Expansion) -> String {
    let words = [(expand.home, "~"), (expand.variables, "$VAR"), (expand.empty, "empty values")];
    let words: Vec<&str> = words.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

fn limit_changes(earlier: &LimitSettings, later: &LimitSettings) -> Vec<Change> {
    let names: BTreeSet<&String> = earlier.keys().chain(later.keys()).collect();
    let change = |name: &String| {
        let named = named(name).ok()?;
        let value = |settings: &LimitSettings| named.of(&Limits::default().with(settings));
        let (before, after) = (value(earlier), value(later));
        let text = format!("{name} {} (was {})", named.shown(after), named.shown(before));
        match after.cmp(&before) {
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(wider(&text)),
            std::cmp::Ordering::Less => Some(narrower(&text)),
        }
    };
    names.into_iter().filter_map(change).collect()
}

fn wider(text: &str) -> Change {
    Change { widens: true, text: format!("+ {text}") }
}

fn narrower(text: &str) -> Change {
    Change { widens: false, text: format!("- {text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, locations: &[&str], marks: &[&str], indexes: &[&str]) -> RootRule {
        let patterns = |texts: &[&str]| texts.iter().map(|text| Pattern::parse(text).unwrap()).collect();
        let locations =
            locations.iter().map(|path| Location { path: (*path).to_owned(), expand: Expansion::default() });
        RootRule {
            id: id.to_owned(),
            locations: locations.collect(),
            marks: patterns(marks),
            indexes: patterns(indexes),
        }
    }

    fn request() -> Request {
        Request {
            name: "lib".into(),
            roots: vec![rule("lib", &["${LIB}", "~/lib"], &["a", "b"], &["index"])],
            imports: ["dscc:plugin/files@0.1.0".to_owned()].into(),
            limits: LimitSettings::new(),
            overrides: BTreeSet::new(),
        }
    }

    type Edit = (fn(&mut Request), &'static str);

    /// Each with the line the user is shown.
    const WIDER: &[Edit] = &[
        (|it| it.roots.push(rule("more", &["~/more"], &[], &[])), "+ reads ~/more (more)"),
        (|it| it.roots[0].locations.extend(rule("", &["~/x"], &[], &[]).locations), "+ reads ~/x (lib)"),
        (|it| it.roots[0].locations[0].expand.home = true, "+ reads ${LIB} (lib), expanding ~"),
        (|it| it.roots[0].marks = Vec::new(), "+ takes any directory (lib)"),
        (|it| it.roots[0].marks.push(Pattern::parse("c").unwrap()), "+ takes directories that hold c (lib)"),
        (|it| it.roots[0].indexes.push(Pattern::parse("more").unwrap()), "+ drops lines of more (lib)"),
        (|it| _ = it.imports.insert("dscc:plugin/log@0.1.0".into()), "+ calls dscc:plugin/log@0.1.0"),
        (|it| _ = it.limits.insert("memory".into(), 1 << 30), "+ memory 1.0 GiB (was 256.0 MiB)"),
        (|it| _ = it.overrides.insert("hf-hub".into()), "+ runs instead of the built-in `hf-hub`"),
    ];

    #[test]
    fn every_further_right_is_one_line_and_its_loss_is_no_question() {
        let before = request();
        for (edit, line) in WIDER {
            let mut after = before.clone();
            edit(&mut after);
            let changes = before.changes_to(&after);
            assert_eq!(changes, [Change { widens: true, text: (*line).to_owned() }], "{line}");
            let back = after.changes_to(&before);
            assert!(!back.is_empty(), "{line}");
            // How a variable is expanded has no more and no less.
            assert_eq!(back.iter().any(|change| change.widens), line.contains("expanding"), "{back:?}");
            assert_ne!(before.digest(), after.digest(), "{line}");
        }
    }

    #[test]
    fn the_same_request_has_no_changes_and_the_same_digest() {
        assert_eq!(request().changes_to(&request()), []);
        assert_eq!(request().digest(), request().digest());
        let mut renamed = request();
        renamed.name = "other".into();
        assert_ne!(renamed.digest(), request().digest());
    }

    #[test]
    fn approvals_outlive_this_version_of_the_program() {
        assert_eq!(request().digest(), "001f27fd8ef11e0d9627e441010ce327bef8b1def78634dfa77e6ab8ce6d241b");
    }
}
