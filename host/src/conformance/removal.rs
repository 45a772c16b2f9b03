//! Checks of removals: each entry once, and everything at once, each time in a fresh home.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::clean::{Hold, Plan, RootPlan, Terms};

use super::home::{Home, HomeError, Snapshot};
use super::look::{Look, Told};
use super::report::Findings;
use super::variants::{Extent, Trial};

/// Entries of one tree that are removed one by one.
const MOST: usize = 100;

/// Named entries go though they cannot be had back: what goes is only made for the test.
const NAMED: Terms = Terms { irreplaceable: true, needed: false, in_use: false, others: false, grace: None };

/// An entry, by its cache and id.
type Name = (String, String);

/// The last check on a tree: what is in `home` goes.
pub(super) fn check(look: &Look<'_>, home: &Home, trial: &Trial, findings: &mut Findings) -> Result<(), HomeError> {
    // On other systems nothing is removed yet.
    if cfg!(not(unix)) || trial.extent == Extent::Look {
        return Ok(());
    }
    if trial.extent == Extent::Whole {
        for top in look.tops().iter().take(MOST) {
            let home = trial.home(look.subject, "home")?;
            remove(&Look::of(look.subject, &home), &home, Some(top), findings)?;
        }
    }
    remove(look, home, None, findings)
}

/// Removes one entry of the first level, or all that would go if nothing is named.
fn remove(look: &Look<'_>, home: &Home, only: Option<&Told>, findings: &mut Findings) -> Result<(), HomeError> {
    let before = home.snapshot()?;
    let wanted = |told: &Told| only.is_none_or(|only| name(told) == name(only));
    let force = if only.is_some() { NAMED } else { Terms::default() };
    let plan = look.plan(&look.choose(only.is_some(), wanted), force, false);
    let what = only.map_or("everything".to_owned(), |it| format!("`{}`", it.entry.id));
    let kept = || plan.roots.iter().flat_map(|root| &root.keep);
    if let Some(keeping) = kept().find(|it| it.held.hold == Hold::Unadvised) {
        // Of what cannot be read nobody can tell which records have to go.
        if home.is_readable() {
            findings.add("edits", format!("asked about {what}: {}", keeping.held.reason));
        }
        return Ok(());
    }
    if plan.roots.iter().all(RootPlan::is_empty) {
        return Ok(());
    }
    let outcomes = look.execute(&plan);
    // What cannot be read may well be impossible to remove.
    for failure in outcomes.iter().flat_map(|outcome| &outcome.failed).filter(|_| home.is_readable()) {
        let why = failure.error.as_ref().map(ToString::to_string).or_else(|| failure.consequence.clone());
        findings.add("removal", format!("{what}: `{}`: {}", failure.path, why.unwrap_or_default()));
    }
    if let Some(path) = beyond(&before, &home.snapshot()?, &planned(look, &plan)) {
        let path = home.portable(&path.to_string_lossy());
        findings.add("inside", format!("{what}: `{path}` changed, and was not in the plan"));
    }
    listed_afterwards(home, look, &plan, &what, findings);
    Ok(())
}

fn name(told: &Told) -> Name {
    (told.cache.clone(), told.entry.id.clone())
}

/// The listing afterwards works, lacks what went and has what stayed.
fn listed_afterwards(home: &Home, before: &Look<'_>, plan: &Plan, what: &str, findings: &mut Findings) {
    let after = Look::of(before.subject, home);
    if after.failures(home, &format!("after removing {what}: "), findings) {
        return;
    }
    let went: BTreeSet<Name> =
        plan.roots.iter().flat_map(|root| &root.remove).map(|it| (it.cache.clone(), it.id.clone())).collect();
    let listed: BTreeSet<Name> = after.told().iter().map(name).collect();
    for told in before.told() {
        let (name, id) = (name(&told), &told.entry.id);
        if told.entry.owns.is_empty() && told.entry.shares.is_empty() {
            continue; // A mere record has nothing to be removed, and may be about what went.
        }
        if went.contains(&name) && listed.contains(&name) {
            findings.add("removal", format!("`{id}` is listed although {what} was removed"));
        }
        if !went.contains(&name) && !listed.contains(&name) {
            let hint = "say what it needs or shares";
            findings.add("neighbours", format!("`{id}` is listed no more after {what} was removed; {hint}"));
        }
    }
}

/// The absolute paths that a plan names: what goes, and the indexes that lose records.
fn planned(look: &Look<'_>, plan: &Plan) -> HashSet<PathBuf> {
    let mut paths = HashSet::new();
    for (inventory, root) in look.found.inventories.iter().zip(&plan.roots) {
        let edited = root.edits.iter().map(|(_, edit)| &edit.file);
        let all = root.steps.iter().map(|step| &step.path).chain(edited);
        paths.extend(all.map(|path| inventory.root.path().join(path.to_path_buf())));
    }
    paths
}

/// The first path that changed, and that no planned path is or leads to.
fn beyond(before: &Snapshot, after: &Snapshot, planned: &HashSet<PathBuf>) -> Option<PathBuf> {
    let is_planned = |path: &Path| path.ancestors().any(|it| planned.contains(it));
    let changed = before.iter().filter(|(path, seen)| after.get(*path) != Some(*seen)).map(|(path, _)| path);
    let made = after.keys().filter(|path| !before.contains_key(*path));
    changed.chain(made).find(|path| !is_planned(path)).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::text::{Setting, parse};
    use crate::conformance::tree::Tree;
    use crate::model::{Expansion, Location, RootRule};

    fn home() -> Home {
        let location = Location { path: "~/thing".into(), expand: Expansion::default() };
        let rule = RootRule { id: "thing".into(), locations: vec![location], marks: vec![], indexes: vec![] };
        let mut tree = Tree::default();
        parse("a/x 1 byte\nb/x 1 byte", &mut tree).unwrap();
        Home::new("home", &[rule], &Setting::default(), &tree).unwrap()
    }

    /// No component can bring this about: the host removes by itself. So the check is proven here.
    #[test]
    fn every_change_that_was_not_planned_is_noticed() {
        type Act = fn(&Path);
        let cases: [(Act, &str); 5] = [
            (|at| std::fs::remove_file(at.join("b/x")).unwrap(), "~/thing/b/x"),
            (|at| std::fs::write(at.join("b/x"), "y").unwrap(), "~/thing/b/x"),
            (|at| std::fs::write(at.join("new"), "").unwrap(), "~/thing/new"),
            (|at| std::fs::write(at.join("../.config"), "").unwrap(), "~/.config"),
            (|at| std::fs::remove_file(at.join("../../outside/precious")).unwrap(), "outside/precious"),
        ];
        for (act, expected) in cases {
            let home = home();
            let planned = HashSet::from([home.at.join("a")]);
            let before = home.snapshot().unwrap();
            std::fs::remove_dir_all(home.at.join("a")).unwrap();
            assert_eq!(beyond(&before, &home.snapshot().unwrap(), &planned), None);
            act(&home.at);
            let path = beyond(&before, &home.snapshot().unwrap(), &planned).expect(expected);
            assert!(home.portable(&path.to_string_lossy()).ends_with(expected), "{path:?}");
        }
    }
}
