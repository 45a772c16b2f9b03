//! Checks of how listings of one tree agree with each other.

use std::collections::BTreeMap;

use crate::model::{Detail, RelPath};
use crate::survey::Scope;

use super::home::{Home, HomeError};
use super::look::{Look, Subject, Told, told};
use super::report::Findings;
use super::variants::Trial;

/// Entries without children that are asked for them, in one tree.
const MOST: usize = 50;

/// Whether the plugin's rules lead to the tree at all. A tree in the home itself holds what any rule leads to.
pub(super) fn leads_here(look: &Look<'_>, home: &Home, trial: &Trial, findings: &mut Findings) {
    let places = &look.found.places;
    if trial.setting.at.as_deref() == Some("~") || places.iter().any(|place| place.candidate.path == home.at) {
        return;
    }
    let at = home.portable(&home.at.to_string_lossy());
    let led: Vec<String> = places.iter().map(|it| home.portable(&it.candidate.path.to_string_lossy())).collect();
    findings.add("root", format!("the tree is at `{at}`, and the rules lead to: {}", led.join(", ")));
}

pub(super) fn check(subject: Subject<'_>, look: &Look<'_>, home: &Home, findings: &mut Findings) {
    outline(subject, look, home, findings);
    has_children(look, findings);
}

/// What an outline has to say of an entry.
#[derive(PartialEq, Eq)]
struct Outlined {
    kind: String,
    label: String,
    owns: Vec<RelPath>,
    has_children: bool,
}

impl From<Told> for Outlined {
    fn from(told: Told) -> Self {
        let mut owns = told.entry.owns;
        owns.sort();
        Self { kind: told.entry.kind, label: told.entry.label, owns, has_children: told.entry.has_children }
    }
}

fn outline(subject: Subject<'_>, look: &Look<'_>, home: &Home, findings: &mut Findings) {
    let survey = subject.survey_of(home);
    let mut found = survey.find(&Scope::default());
    survey.list_top(&mut found.inventories, Detail::Outline, &mut found.problems);
    if let Some(problem) = home.failures(&found.problems).next() {
        return findings.add("runs", problem.message.clone());
    }
    let key = |told: Told| ((told.cache.clone(), told.entry.id.clone()), Outlined::from(told));
    let mut outlined: BTreeMap<_, _> = found
        .inventories
        .iter()
        .flat_map(|inventory| (0..inventory.items.len()).map(move |ix| told(inventory, ix)))
        .map(key)
        .collect();
    for ((cache, id), full) in look.tops().into_iter().map(key) {
        let Some(outline) = outlined.remove(&(cache, id.clone())) else {
            findings.add("outline", format!("the full listing has `{id}`, the outline has not"));
            continue;
        };
        let differ = [
            (outline.kind != full.kind, "kind"),
            (outline.label != full.label, "label"),
            (outline.owns != full.owns, "owned paths"),
            (outline.has_children != full.has_children, "has-children"),
        ];
        for (_, what) in differ.iter().filter(|(differs, _)| *differs) {
            findings.add("outline", format!("the outline and the full listing differ in the {what} of `{id}`"));
        }
    }
    for (_, id) in outlined.into_keys() {
        findings.add("outline", format!("the outline has `{id}`, the full listing has not"));
    }
}

fn has_children(look: &Look<'_>, findings: &mut Findings) {
    for inventory in &look.found.inventories {
        let childless = inventory.items.iter().filter(|item| !item.entry.has_children).take(MOST);
        for item in childless {
            let id = &item.entry.id;
            // An error is a good answer to a question that nobody asks.
            let Some(listing) = look.ask(inventory, item.cache, id) else { continue };
            if let Some(child) = listing.entries.first() {
                findings.add("has-children", format!("`{id}` says that it has no children, and `{}` is one", child.id));
            }
        }
    }
}

/// The same tree in a home of another name.
pub(super) fn check_elsewhere(
    subject: Subject<'_>,
    look: &Look<'_>,
    home: &Home,
    trial: &Trial,
    findings: &mut Findings,
) -> Result<(), HomeError> {
    let other_home = trial.home(subject, "another-home")?;
    let other = Look::of(subject, &other_home);
    let (one, two) = (look.told(), other.told());
    let ids = |told: &[Told]| told.iter().map(|it| (it.cache.clone(), it.entry.id.clone())).collect::<Vec<_>>();
    let (mut first, mut second) = (ids(&one), ids(&two));
    first.sort();
    second.sort();
    if first != second {
        let id = first.iter().find(|id| !second.contains(id)).or_else(|| second.iter().find(|id| !first.contains(id)));
        let id = id.map(|(_, id)| id.as_str()).unwrap_or_default();
        findings.add("stable-ids", format!("`{id}` is listed in one home, and not in another one"));
        return Ok(());
    }
    for (one, two) in one.into_iter().zip(two) {
        let id = one.entry.id.clone();
        if said(one, home) != said(two, &other_home) {
            findings.add("deterministic", format!("what is said of `{id}` differs from home to home"));
        }
    }
    Ok(())
}

/// Everything that is said of an entry, but for its locks: libraries make names of those from the root's path.
fn said(mut told: Told, home: &Home) -> String {
    told.entry.locks.clear();
    home.portable(&format!("{told:?}"))
}
