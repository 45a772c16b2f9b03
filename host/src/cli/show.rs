//! `dscc show`: the entries of caches, with what a decision needs.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::clean::{EntryIx, Inventory, Selection, Target, select};
use crate::documents::{LastUsed, show_entry};
use crate::model::Detail;
use crate::survey::{Found, Survey};
use crate::ui::{Column, Style, Table, at_least, json, rfc3339, size};

use super::args::Show;
use super::context::{Context, status_of};
use super::exit::{Failure, Status};
use super::list::nothing;

/// An entry and its figures.
struct Row<'a> {
    inventory: &'a Inventory,
    /// Which inventory that is, in the order they were found.
    root: usize,
    ix: EntryIx,
    depth: usize,
    json: json::ShowEntry,
}

impl Row<'_> {
    /// The time that JSON has, with the word of whose it is.
    fn last_used(&self) -> Option<LastUsed> {
        let recorded = self.inventory.items[self.ix].entry.last_used.is_some();
        self.json.last_used.map(if recorded { LastUsed::Recorded } else { LastUsed::Read })
    }
}

pub(super) fn run(context: &mut Context, args: &Show) -> Result<Status, Failure> {
    let survey = context.survey();
    let (_, mut found) = context.find(&survey, &args.caches)?;
    let chosen = {
        let (_counters, _shown) = context.progress("listing");
        if args.children && args.entries.is_empty() {
            survey.list_whole(&mut found.inventories, &mut found.problems);
        } else {
            survey.list_top(&mut found.inventories, Detail::Full, &mut found.problems);
        }
        choose(&survey, &mut found, args)?
    };
    let weights = context.weigh(&found);
    let mut rows = Vec::new();
    for (root, ((inventory, weights), chosen)) in found.inventories.iter().zip(&weights).zip(&chosen).enumerate() {
        let of = |&(ix, depth): &(EntryIx, usize)| Row {
            inventory,
            root,
            ix,
            depth,
            json: show_entry(inventory, weights, ix),
        };
        rows.extend(chosen.iter().map(of));
    }
    context.tell_log(&survey);
    print(context, rows, &found, args)?;
    Ok(status_of(&found.problems))
}

/// Lists what has to be listed, and says which entries are shown in each inventory, and how deep they are.
fn choose(survey: &Survey, found: &mut Found, args: &Show) -> Result<Vec<Vec<(EntryIx, usize)>>, Failure> {
    let targets: Vec<Target> = args.entries.iter().map(|text| Target { text: text.clone() }).collect();
    survey.list_for(&targets, &mut found.inventories, &mut found.problems);
    let chosen = select(&found.inventories, &Selection { all: targets.is_empty(), targets })?;
    let mut shown = Vec::new();
    for (inventory, chosen) in found.inventories.iter_mut().zip(chosen) {
        let tops: Vec<EntryIx> = chosen.iter().map(|chosen| chosen.entry).collect();
        if args.children {
            survey.list_below(inventory, &tops, &mut found.problems);
        }
        let mut rows = Vec::new();
        for top in tops {
            push(inventory, top, 0, args.children, &mut rows);
        }
        shown.push(rows);
    }
    Ok(shown)
}

fn push(inventory: &Inventory, ix: EntryIx, depth: usize, children: bool, rows: &mut Vec<(EntryIx, usize)>) {
    rows.push((ix, depth));
    if children {
        for &child in &inventory.items[ix].children {
            push(inventory, child, depth + 1, children, rows);
        }
    }
}

fn print(context: &mut Context, mut rows: Vec<Row<'_>>, found: &Found, args: &Show) -> Result<(), Failure> {
    if context.global.json {
        let entries = rows.into_iter().map(|row| row.json).collect();
        let errors = found.problems.clone();
        return context.print_json(&json::ShowDocument { entries, errors, ..Default::default() });
    }
    context.tell(&found.problems);
    if context.global.quiet {
        return Ok(rows.iter().try_for_each(|row| {
            let id = crate::ui::escape(&row.json.id).into_owned();
            context.output.print(&format!("{id}\n"))
        })?);
    }
    if rows.is_empty() {
        return nothing(context, found);
    }
    sort(&mut rows);
    print_table(context, &rows)?;
    if let ([row], false) = (rows.as_slice(), args.entries.is_empty()) {
        print_details(context, row)?;
    }
    tell_warnings(context, found);
    Ok(())
}

/// Cache by cache, the largest first, with children after their parents.
fn sort(rows: &mut [Row<'_>]) {
    let sizes: HashMap<(usize, EntryIx), u64> = rows.iter().map(|row| ((row.root, row.ix), row.json.size)).collect();
    rows.sort_by_cached_key(|row| {
        let mut path: Vec<EntryIx> = row.inventory.ancestors(row.ix).take(row.depth).collect();
        path.reverse();
        path.push(row.ix);
        let by_size = |ix: EntryIx| (std::cmp::Reverse(sizes.get(&(row.root, ix)).copied()), ix);
        (row.root, row.inventory.items[row.ix].cache, path.into_iter().map(by_size).collect::<Vec<_>>())
    });
}

fn print_table(context: &mut Context, rows: &[Row<'_>]) -> Result<(), Failure> {
    let several = rows.iter().any(|row| row.json.cache != rows[0].json.cache);
    let mut columns = vec![
        Column::text("ENTRY"),
        Column::number("SIZE"),
        Column::number("UNIQUE"),
        Column::number("FILES"),
        Column::text("STATE"),
        Column::text("RECOVERY"),
        Column::text("LAST USED"),
        Column::text("ABOUT"),
    ];
    if several {
        columns.insert(0, Column::text("CACHE"));
    }
    let mut table = Table::new(columns);
    let now = Timestamp::now();
    for row in rows {
        let entry = &row.json;
        let cells = [
            format!("{}{}", "  ".repeat(row.depth), entry.id),
            at_least(entry.size, row.inventory.items[row.ix].incomplete),
            size(entry.unique_size),
            entry.files.to_string(),
            word(&entry.state),
            word(&entry.recovery),
            LastUsed::cell(row.last_used(), now),
            about(entry),
        ];
        let cache = several.then(|| entry.cache.clone());
        let style = if entry.reclaim.is_some() { Style::Dim } else { Style::Plain };
        table.row(style, cache.into_iter().chain(cells));
    }
    let rendered = table.render(context.output.width, context.output.colors.stdout);
    context.output.print(&rendered.text)?;
    context.output.flush()?;
    if let Some(note) = rendered.note {
        context.output.note(&note);
    }
    if rows.iter().any(|row| row.json.unique_size != row.json.size) {
        context.output.note("UNIQUE is what would be free if that entry alone went; the rest is shared with others.");
    }
    Ok(())
}

/// What is most worth knowing of an entry besides its id: why the library would not miss it, where a link leads, what
/// names it, what is in it, where it came from.
fn about(entry: &json::ShowEntry) -> String {
    let attribute = |name: &str, between: &str| {
        let values = entry.attributes.get(name)?;
        let new: Vec<&str> = values.iter().map(String::as_str).filter(|value| !entry.id.contains(value)).collect();
        (!new.is_empty()).then(|| new.join(between))
    };
    let target = || attribute("target", " ").map(|target| format!("-> {target}"));
    let contents =
        || attribute("refs", " ").or_else(|| attribute("splits", ", ")).or_else(|| attribute("resources", ", "));
    let source = || attribute("url", " ").or_else(|| attribute("source", " ")).or_else(|| attribute("origin", ", "));
    let remark =
        || attribute("warning", "; ").or_else(|| attribute("together", "; ")).or_else(|| attribute("note", "; "));
    let label = || Some(&entry.label).filter(|label| !entry.id.contains(label.as_str())).cloned();
    let about = entry.reclaim.clone().or_else(target).or_else(contents).or_else(source).or_else(remark).or_else(label);
    about.unwrap_or_default()
}

fn print_details(context: &mut Context, row: &Row<'_>) -> Result<(), Failure> {
    let entry = &row.json;
    let mut lines = vec![("root", entry.root.clone())];
    if !entry.label.is_empty() && entry.label != entry.id {
        lines.push(("label", entry.label.clone()));
    }
    lines.extend(entry.reclaim.iter().map(|reason| ("reclaim", reason.clone())));
    lines.extend(entry.created.map(|time| ("created", rfc3339(time))));
    lines.extend(entry.modified.map(|time| ("modified", rfc3339(time))));
    lines.extend(row.last_used().map(|last_used| ("last used", last_used.with_source())));
    for (name, values) in &entry.attributes {
        lines.extend(values.iter().map(|value| (name.as_str(), value.clone())));
    }
    lines.extend(entry.paths.iter().map(|path| ("owns", path.clone())));
    context.output.print("\n")?;
    for (name, value) in lines {
        let line = format!("{name:<12} {value}");
        context.output.print(&format!("{}\n", crate::ui::escape(&line)))?;
    }
    Ok(())
}

fn tell_warnings(context: &mut Context, found: &Found) {
    for inventory in &found.inventories {
        for cache in inventory.in_scope().map(|cache| &inventory.caches[cache]) {
            for warning in &cache.warnings {
                let at = if warning.path.is_root() { String::new() } else { format!("{}: ", warning.path) };
                context.output.warning(&format!("{}: {at}{}", cache.cache.id, warning.message));
            }
            context.tell_of(&cache.cache.id, &cache.remarks);
        }
    }
}

/// The word that JSON has for it, too.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
