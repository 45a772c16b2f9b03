//! `dscc list`: each cache with its size, in one screen.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::clean::{Advice, Chosen, EntryIx, Inventory, Item, Terms, Weights, plan, union};
use crate::documents::LastUsed;
use crate::model::{Detail, Edit, Problem, escape_text};
use crate::roots::{Origin, Outcome};
use crate::runs::{Held, Runs, held};
use crate::survey::{Found, Place};
use crate::tree::Usage;
use crate::ui::{Column, Style, Table, age, at_least, json, size};

use super::args::List;
use super::context::{Context, status_of};
use super::exit::{Failure, Status};

/// A cache and its figures.
struct Row {
    cache: String,
    plugin: String,
    title: String,
    root: String,
    /// None: the plugin could not list them.
    entries: Option<u64>,
    usage: Usage,
    reclaimable: Option<u64>,
    unclaimed: u64,
    last_used: Option<LastUsed>,
    /// Whether nothing at all is known of what is in it.
    unknown: bool,
    lower_bound: bool,
    warnings: Vec<Problem>,
}

pub(super) fn run(context: &mut Context, args: &List) -> Result<Status, Failure> {
    Ok(overview(context, args)?.0)
}

/// Shows the caches, and says how many.
pub(super) fn overview(context: &mut Context, args: &List) -> Result<(Status, usize), Failure> {
    let survey = context.survey();
    let (_, mut found) = context.find(&survey, &args.caches)?;
    if args.reclaimable {
        let (_counters, _shown) = context.progress("listing");
        survey.list_whole(&mut found.inventories, &mut found.problems);
    } else {
        survey.list_top(&mut found.inventories, Detail::Outline, &mut found.problems);
    }
    let weights = context.weigh(&found);
    let mut rows: Vec<Row> = Vec::new();
    for (inventory, weights) in found.inventories.iter().zip(&weights) {
        rows.extend(inventory.in_scope().map(|cache| row(inventory, weights, cache)));
    }
    if args.reclaimable {
        let sums = reclaimable(&found.inventories, &weights);
        rows.iter_mut().zip(sums).for_each(|(row, sum)| row.reclaimable = Some(sum));
    }
    rows.extend(unknown_roots(&found));
    context.tell_log(&survey);
    let total = union(&found.inventories, &weights).size;
    let held = if args.caches.caches.is_empty() { held(&Runs::new(&context.folders.state)) } else { Vec::new() };
    print(context, &rows, total, &found, &held, args.reclaimable)?;
    Ok((status_of(&found.problems), rows.len()))
}

fn row(inventory: &Inventory, weights: &Weights, cache: usize) -> Row {
    let state = &inventory.caches[cache];
    let usage = weights.cache(inventory, cache);
    let mut warnings: Vec<Problem> = Vec::new();
    for warning in &state.warnings {
        let problem = Problem::new("cache-warning", warning.message.clone());
        warnings.push(problem.beneath(inventory.given(cache), &warning.path));
    }
    let unreadable: Vec<_> =
        weights.measure().unreadable.iter().filter(|(path, _)| path.starts_with(&state.cache.path)).collect();
    for (path, error) in &unreadable {
        let problem = Problem::new("unreadable", format!("`{path}` could not be read, so more may be there: {error}"));
        warnings.push(problem.beneath(inventory.given(cache), path));
    }
    warnings.extend(state.remarks.iter().cloned());
    for warning in &mut warnings {
        warning.plugin = Some(state.plugin.clone());
        warning.cache = Some(state.cache.id.clone());
    }
    let recorded = state.top.iter().filter_map(|&ix| inventory.items[ix].entry.last_used).max();
    Row {
        cache: state.cache.id.clone(),
        plugin: state.plugin.clone(),
        title: state.cache.title.clone(),
        root: escape_text(inventory.given(cache).as_os_str()),
        entries: (!state.failed).then_some(state.top.len() as u64),
        usage,
        reclaimable: None,
        unclaimed: if state.failed { 0 } else { weights.unclaimed(cache).size },
        last_used: LastUsed::of(recorded, &usage, inventory),
        unknown: false,
        lower_bound: !unreadable.is_empty(),
        warnings,
    }
}

/// Sums need no advice: nothing is removed.
struct Unasked;

impl Advice for Unasked {
    fn edits(&self, _: &Inventory, _: usize, _: &[String]) -> Result<Vec<Edit>, String> {
        Ok(Vec::new())
    }

    fn in_use(&mut self, _: &Inventory, _: EntryIx) -> Option<String> {
        None
    }
}

/// What each cache would free if everything went that its library would not miss.
fn reclaimable(inventories: &[Inventory], weights: &[Weights]) -> Vec<u64> {
    let mut sums = Vec::new();
    for (at, inventory) in inventories.iter().enumerate() {
        for cache in inventory.in_scope() {
            let chosen = |(entry, item): (usize, &Item)| {
                let reason = item.entry.reclaim.clone().filter(|_| item.cache == cache)?;
                Some(Chosen { entry, reason, named: false })
            };
            let chosen: Vec<Chosen> = inventory.items.iter().enumerate().filter_map(chosen).collect();
            let (one, weight) = (&inventories[at..=at], &weights[at..=at]);
            let plan = plan(one, weight, &[chosen], Terms::default(), Vec::new(), &mut Unasked);
            sums.push(plan.roots.iter().map(|root| root.expected.size).sum());
        }
    }
    sums
}

/// A root that cannot be looked into, or whose plugin failed, is a row of unknown size, not nothing. Where several rules
/// led to it, it is the first one's.
fn unknown_roots(found: &Found) -> Vec<Row> {
    let mut seen = HashSet::new();
    let unreadable = found.places.iter().filter(|place| matches!(place.candidate.outcome, Outcome::Unreadable(_)));
    let unreadable = unreadable.filter(|place| seen.insert(&place.candidate.path));
    let unreadable = unreadable.map(|it| (&it.plugin, &it.candidate.rule, &it.candidate.path));
    let failed = found.failed.iter().map(|it| (&it.plugin, &it.rule, &it.path));
    let row = |(plugin, rule, path): (&String, &String, &PathBuf)| Row {
        cache: rule.clone(),
        plugin: plugin.clone(),
        title: rule.clone(),
        root: escape_text(path.as_os_str()),
        entries: None,
        usage: Usage::default(),
        reclaimable: None,
        unclaimed: 0,
        last_used: None,
        unknown: true,
        lower_bound: true,
        warnings: Vec::new(),
    };
    unreadable.chain(failed).map(row).collect()
}

/// `total` is less than the sum of the rows where they share an inode.
fn print(
    context: &mut Context,
    rows: &[Row],
    total: u64,
    found: &Found,
    held: &[Held],
    reclaimable: bool,
) -> Result<(), Failure> {
    if context.global.json {
        let caches: Vec<json::ListCache> = rows.iter().map(json_row).collect();
        let errors = found.problems.clone();
        let held = held.iter().map(json_held).collect();
        return context.print_json(&json::ListDocument { caches, size: total, held, errors, ..Default::default() });
    }
    context.tell(&found.problems);
    if context.global.quiet {
        return Ok(rows.iter().try_for_each(|row| context.output.print(&format!("{}\n", row.cache)))?);
    }
    if rows.is_empty() && held.is_empty() {
        return nothing(context, found);
    }
    print_table(context, rows, total, held, reclaimable)?;
    for row in rows {
        context.tell_of(&row.cache, &row.warnings);
        if row.unclaimed > 0 {
            let bytes = size(row.unclaimed);
            context.output.note(&format!("{}: {bytes} belong to no entry and are never removed", row.cache));
        }
    }
    Ok(())
}

fn print_table(
    context: &mut Context,
    rows: &[Row],
    total: u64,
    held: &[Held],
    reclaimable: bool,
) -> Result<(), Failure> {
    let mut columns = vec![Column::text("CACHE"), Column::number("ENTRIES"), Column::number("SIZE")];
    if reclaimable {
        columns.push(Column::number("RECLAIMABLE"));
    }
    columns.extend([Column::text("LAST USED"), Column::text("PATH")]);
    let mut table = Table::new(columns);
    let now = Timestamp::now();
    for row in rows {
        let weight = if row.unknown { "\u{2265} ?".to_owned() } else { at_least(row.usage.size, row.lower_bound) };
        let entries = row.entries.map_or("?".to_owned(), |entries| entries.to_string());
        let mut cells = vec![row.cache.clone(), entries, weight];
        cells.extend(row.reclaimable.map(size).or(reclaimable.then(String::new)));
        cells.extend([LastUsed::cell(row.last_used, now), row.root.clone()]);
        table.row(if row.lower_bound || row.entries.is_none() { Style::Warning } else { Style::Plain }, cells);
    }
    let entries: u64 = rows.iter().filter_map(|row| row.entries).sum();
    let lower_bound = rows.iter().any(|row| row.lower_bound);
    let mut cells = vec!["TOTAL".to_owned(), entries.to_string(), at_least(total, lower_bound)];
    if reclaimable {
        cells.push(size(rows.iter().filter_map(|row| row.reclaimable).sum()));
    }
    table.row(Style::Bold, cells);
    for it in held {
        let state = if it.interrupted { "interrupted" } else { "for undo" };
        let mut cells = vec![state.to_owned(), it.entries.to_string(), size(it.size)];
        cells.extend(reclaimable.then(String::new));
        let begun = it.begun.map_or_else(String::new, |begun| format!("removed {}", age(begun, now)));
        cells.extend([begun, format!("dscc undo {}", it.run)]);
        table.row(Style::Dim, cells);
    }
    let rendered = table.render(context.output.width, context.output.colors.stdout);
    context.output.print(&rendered.text)?;
    context.output.flush()?;
    if let Some(note) = rendered.note {
        context.output.note(&note);
    }
    Ok(())
}

/// Nothing found is an answer, with the places that were looked at, and whatever led to another one than usual.
pub(super) fn nothing(context: &mut Context, found: &Found) -> Result<(), Failure> {
    context.output.print("Nothing found. Looked at:\n")?;
    let mut seen: Vec<(&Path, Vec<String>)> = Vec::new();
    for Place { plugin, candidate } in &found.places {
        let failed = found.failed.iter().any(|it| it.plugin == *plugin && it.rule == candidate.rule);
        let unknown = if failed { "; what is in it is unknown, because the plugin failed" } else { "" };
        let why = match &candidate.origin {
            Origin::Location { variables, .. } if variables.is_empty() => format!("{}{unknown}", candidate.rule),
            origin => format!("{}: {origin}{unknown}", candidate.rule),
        };
        match seen.iter_mut().find(|(path, _)| *path == candidate.path) {
            Some((_, reasons)) => reasons.push(why),
            None => seen.push((&candidate.path, vec![why])),
        }
    }
    for (path, reasons) in seen {
        let line = format!("{}  ({})", escape_text(path.as_os_str()), reasons.join(", "));
        context.output.print(&format!("  {}\n", crate::ui::escape(&line)))?;
    }
    Ok(context.output.print("A cache elsewhere is named with --root RULE=PATH, as in --root hub=/data/hub.\n")?)
}

fn json_held(it: &Held) -> json::ListHeld {
    json::ListHeld {
        run: it.run.clone(),
        begun: it.begun,
        entries: it.entries as u64,
        size: it.size,
        until: it.until,
        interrupted: it.interrupted,
    }
}

fn json_row(row: &Row) -> json::ListCache {
    json::ListCache {
        cache: row.cache.clone(),
        plugin: row.plugin.clone(),
        title: row.title.clone(),
        root: row.root.clone(),
        entries: row.entries.unwrap_or(0),
        size: row.usage.size,
        disk_size: row.usage.disk_size,
        files: row.usage.files,
        reclaimable: row.reclaimable,
        unclaimed: row.unclaimed,
        last_used: row.last_used.map(LastUsed::time),
        lower_bound: row.lower_bound,
        warnings: row.warnings.clone(),
    }
}
