//! `dscc apply`: carries out a saved plan, or what of it is still as it was. The file says what may go, never what does:
//! everything is looked up and planned anew under today's rules, and only what is in both plans goes.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read as _, stdin};
use std::path::Path;

use jiff::Timestamp;

use crate::clean::{Approved, Chosen, HeldEntries, Inventory, Keeping, RootPlan, Saved, SavedRoot, Target, Terms};
use crate::model::{Detail, escape_text};
use crate::survey::{Found, Scope, Survey};
use crate::ui::json::CleanKeep;
use crate::ui::{age, local};

use super::args::{Apply, Removing};
use super::context::Context;
use super::exit::{Failure, Status};
use super::removal::{self, Gone, Looked, Wish};

pub(super) fn run(context: &mut Context, args: &Apply) -> Result<Status, Failure> {
    if args.plan == Path::new("-") && !args.how.yes && !args.how.dry_run {
        let message = "a plan from standard input leaves nobody to ask";
        return Err(Failure::new(Status::Refused, message).hint("-n shows what would go, -y carries it out"));
    }
    let saved = read(&args.plan)?;
    let approved = saved.roots.iter().map(SavedRoot::approved).collect();
    removal::run(context, &Planned { how: &args.how, now: Timestamp::now(), saved: &saved, approved })
}

fn read(path: &Path) -> Result<Saved, Failure> {
    let name = if path == Path::new("-") { "standard input".into() } else { escape_text(path.as_os_str()) };
    let mut text = Vec::new();
    let most = Saved::MOST_BYTES + 1;
    let read = match path == Path::new("-") {
        true => stdin().lock().take(most).read_to_end(&mut text),
        false => File::open(path).and_then(|file| file.take(most).read_to_end(&mut text)),
    };
    read.map_err(|error| {
        let status = if error.kind() == std::io::ErrorKind::NotFound { Status::NotFound } else { Status::Failed };
        Failure::new(status, format!("`{name}` cannot be read: {error}"))
    })?;
    let hint = "`dscc clean --dry-run --json ... > plan.json` makes a plan; nothing was removed";
    if text.len() as u64 >= most {
        let message = format!("`{name}` is longer than the {} bytes that a plan has at most", Saved::MOST_BYTES);
        return Err(Failure::new(Status::Refused, message).hint(hint));
    }
    Saved::read(&text)
        .map_err(|error| Failure::new(Status::Refused, format!("`{name}` cannot be applied: {error}")).hint(hint))
}

/// What a saved plan names.
struct Planned<'a> {
    how: &'a Removing,
    /// When the command began.
    now: Timestamp,
    saved: &'a Saved,
    /// What each of its roots approves.
    approved: Vec<Approved<'a>>,
}

impl Wish for Planned<'_> {
    fn how(&self) -> &Removing {
        self.how
    }

    fn terms(&self) -> Terms {
        self.saved.terms.at(i64::try_from(self.now.as_nanosecond()).unwrap_or(i64::MAX))
    }

    fn look(&self, context: &Context, survey: &Survey) -> Result<Looked, Failure> {
        let entries = self.saved.roots.iter().flat_map(|root| &root.entries);
        let names: BTreeSet<&String> = entries.clone().map(|entry| &entry.cache).collect();
        let scope = Scope { names: names.into_iter().cloned().collect(), with_neighbours: true };
        let mut found = super::removal::find(context, survey, self.how, scope)?;
        let (_counters, _shown) = context.progress("listing");
        let places = self.saved.roots.iter().map(|root| place(&found, root)).collect::<Result<Vec<_>, _>>()?;
        survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
        let missing = self.saved.roots.iter().zip(&places).flat_map(|(root, place)| {
            let inventory = place.map(|at| &found.inventories[at]);
            let is_missing = move |cache: &str, id: &str| inventory.is_some_and(|it| find(it, cache, id).is_none());
            root.entries.iter().filter(move |entry| entry.chosen && is_missing(&entry.cache, &entry.id))
        });
        let targets: Vec<Target> =
            missing.map(|entry| Target { text: format!("{}:{}", entry.cache, entry.id) }).collect();
        survey.list_for(&targets, &mut found.inventories, &mut found.problems);
        let mut chosen: Vec<Vec<Chosen>> = found.inventories.iter().map(|_| Vec::new()).collect();
        for (root, at) in self.saved.roots.iter().zip(&places) {
            let Some(at) = *at else { continue };
            chosen[at].extend(chosen_in(root, &found.inventories[at]));
        }
        let looked = Looked::new(survey, found, chosen);
        let gone = self.gone(looked.found(), &places);
        Ok(looked.without(gone))
    }

    fn withheld(&self, inventory: &Inventory, fresh: &mut RootPlan) -> HeldEntries {
        let at = self.saved.roots.iter().position(|root| is_at(root, inventory) && is_same(root, inventory));
        match at {
            Some(at) => self.approved[at].beyond(inventory, fresh),
            None => Approved::default().beyond(inventory, fresh),
        }
    }

    fn is_named(&self, _: &Keeping) -> bool {
        true
    }

    fn preamble(&self) -> Option<String> {
        let Saved { made, terms, .. } = self.saved;
        let options = terms.options();
        let with = if options.is_empty() { String::new() } else { format!(", made with {options}") };
        Some(format!("A plan of {} ({}){with}", local(*made), age(*made, self.now)))
    }
}

impl Planned<'_> {
    /// What of the plan is not there any more, or is in a root that is another one now.
    fn gone(&self, found: &Found, places: &[Option<usize>]) -> Vec<Gone> {
        let mut gone = Vec::new();
        for (root, at) in self.saved.roots.iter().zip(places) {
            let inventory = at.map(|at| &found.inventories[at]);
            for entry in &root.entries {
                let reason = match inventory {
                    None => "its cache's folder is another one than when the plan was made; make a new one",
                    Some(inventory) if find(inventory, &entry.cache, &entry.id).is_none() => "it is not there any more",
                    Some(_) => continue,
                };
                let row = CleanKeep {
                    cache: entry.cache.clone(),
                    root: escape_text(root.path.as_os_str()),
                    id: entry.id.clone(),
                    reason: reason.into(),
                    size: 0,
                };
                gone.push(Gone { row, part: !entry.chosen });
            }
        }
        gone
    }
}

/// The inventory of a root of the plan; none if another folder is at its path.
fn place(found: &Found, root: &SavedRoot) -> Result<Option<usize>, Failure> {
    let name = escape_text(root.path.as_os_str());
    let Some(at) = found.inventories.iter().position(|inventory| is_at(root, inventory)) else {
        let failure = Failure::new(Status::NotFound, format!("nothing leads to the plan's folder `{name}` today"));
        return Err(failure.hint(
            "`dscc paths` shows where caches are looked for; a plan that was made with --root is applied with the same",
        ));
    };
    let inventory = &found.inventories[at];
    let unknown = root.entries.iter().find(|entry| cache(inventory, &entry.cache).is_none());
    if let Some(entry) = unknown {
        let message = format!("the plan's cache `{}` is not in `{name}` any more", entry.cache);
        return Err(Failure::new(Status::NotFound, message).hint("`dscc list` shows the caches that there are"));
    }
    Ok(is_same(root, inventory).then_some(at))
}

fn is_at(root: &SavedRoot, inventory: &Inventory) -> bool {
    inventory.root.path() == root.path
}

fn is_same(root: &SavedRoot, inventory: &Inventory) -> bool {
    inventory.root.identity() == (root.dev, root.ino)
}

fn cache(inventory: &Inventory, id: &str) -> Option<usize> {
    inventory.in_scope().find(|cache| inventory.caches[*cache].cache.id == id)
}

fn find(inventory: &Inventory, cache_id: &str, id: &str) -> Option<usize> {
    inventory.find(cache(inventory, cache_id)?, id)
}

fn chosen_in<'a>(root: &'a SavedRoot, inventory: &'a Inventory) -> impl Iterator<Item = Chosen> + 'a {
    let chosen = root.entries.iter().filter(|entry| entry.chosen);
    chosen.filter_map(|entry| {
        let found = find(inventory, &entry.cache, &entry.id)?;
        Some(Chosen { entry: found, reason: "in the plan".into(), named: entry.named })
    })
}
