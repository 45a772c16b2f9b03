//! The plan, the question and the report, for people and as JSON.

use std::fmt::Write as _;

use hashbrown::HashSet;

use crate::clean::{EntryIx, Outcome, Plan, Removing, RootPlan};
use crate::documents;
use crate::model::{Problem, Recovery};
use crate::ui::{Column, Style, Table, escape, size};

use super::super::context::Context;
use super::super::exit::Failure;
use super::super::list::nothing;
use super::{Done, Prepared, kept};

/// So many entries are shown before the question; `l` shows the rest.
pub(super) const SHOWN: usize = 10;

/// The entries that go for themselves, the largest first.
fn outermost(plan: &Plan) -> Vec<(&RootPlan, &Removing, u64)> {
    let mut rows: Vec<_> = Vec::new();
    for root in &plan.roots {
        for removing in root.remove.iter().filter(|removing| removing.outermost) {
            let parts: u64 = removing.parts.iter().map(|&part| root.remove[part].size).sum();
            rows.push((root, removing, removing.size + parts));
        }
    }
    rows.sort_by_key(|(_, _, size)| std::cmp::Reverse(*size));
    rows
}

/// What would go, or is about to.
pub(super) fn plan(context: &mut Context, prepared: &Prepared, dry_run: bool) -> Result<(), Failure> {
    if context.global.json {
        return print_json(context, prepared, &[], dry_run);
    }
    context.tell(&prepared.found.problems);
    let rows = outermost(&prepared.plan);
    if context.global.quiet {
        return Ok(rows.iter().try_for_each(|(_, it, _)| context.output.print(&format!("{}\n", escape(&it.id))))?);
    }
    if prepared.found.inventories.is_empty() {
        return nothing(context, &prepared.found);
    }
    if rows.is_empty() {
        context.output.print("Nothing to remove.\n")?;
    } else {
        let mut table = Table::new(vec![Column::text("ENTRY"), Column::number("FREES"), Column::text("WHY")]);
        for (_, removing, frees) in rows.iter().take(SHOWN) {
            table.row(Style::Plain, [removing.id.clone(), size(*frees), removing.reason.clone()]);
        }
        if let Some(rest) = rows.get(SHOWN..).filter(|rest| !rest.is_empty()) {
            let frees: u64 = rest.iter().map(|(_, _, size)| size).sum();
            table.row(Style::Dim, [format!("and {} more", rest.len()), size(frees)]);
        }
        let rendered = table.render(context.output.width, context.output.colors.stdout);
        context.output.print(&rendered.text)?;
    }
    for line in summary(prepared) {
        context.output.print(&format!("{}\n", escape(&line)))?;
    }
    kept::print(context, prepared)?;
    if dry_run && !rows.is_empty() {
        context.output.print("Nothing was removed: this is a dry run.\n")?;
    }
    Ok(())
}

/// Bytes freed, bytes that stay because they are shared, what cannot be had back.
fn summary(prepared: &Prepared) -> Vec<String> {
    let plan = &prepared.plan;
    let mut lines = Vec::new();
    if plan.roots.iter().any(|root| !root.is_empty()) {
        let used = prepared.found.inventories.iter().zip(&plan.roots).filter(|(_, root)| !root.is_empty());
        let shared = used.into_iter().any(|(inventory, _)| inventory.root.may_share_blocks());
        let bytes = size(plan.expected().size);
        lines.push(if shared {
            format!("At most {bytes} will be free: files that stay may share blocks with what goes.")
        } else {
            format!("{bytes} will be free.")
        });
    }
    let shared: u64 = plan.roots.iter().map(|root| root.shared.size).sum();
    if shared > 0 {
        lines.push(format!("{} stay, because entries that stay share them.", size(shared)));
    }
    lines.extend(endangered(prepared, Recovery::Irreplaceable, "CANNOT BE HAD BACK"));
    lines.extend(endangered(prepared, Recovery::Uncertain, "Can perhaps not be had back"));
    lines
}

/// What goes and costs that much to have back, be it for itself or in something else that goes.
fn endangered(prepared: &Prepared, recovery: Recovery, words: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (inventory, root) in prepared.found.inventories.iter().zip(&prepared.plan.roots) {
        let is = |ix: EntryIx| inventory.items[ix].entry.recovery == recovery;
        let going: HashSet<EntryIx> = root.remove.iter().map(|it| it.entry).filter(|ix| is(*ix)).collect();
        let told =
            |it: &&Removing| going.contains(&it.entry) && !inventory.ancestors(it.entry).any(|up| going.contains(&up));
        let line = |it: &Removing| {
            let parts: u64 = it.parts.iter().map(|&part| root.remove[part].size).sum();
            format!("{words}: {} ({})", it.id, size(it.size + parts))
        };
        lines.extend(root.remove.iter().filter(told).map(line));
    }
    lines
}

/// The question, with the two figures that matter.
pub(super) fn question(plan: &Plan) -> String {
    let entries = outermost(plan).len();
    let noun = if entries == 1 { "entry" } else { "entries" };
    format!("Remove {entries} {noun}, freeing {}?", size(plan.expected().size))
}

/// Every entry and every path, for `l`.
pub(super) fn full_list(plan: &Plan) -> String {
    let mut text = String::new();
    for (_, removing, frees) in outermost(plan) {
        let _ = writeln!(text, "{}  {}  ({})", escape(&removing.id), size(frees), escape(&removing.reason));
    }
    for removing in plan.roots.iter().flat_map(|root| &root.remove) {
        for path in &removing.paths {
            let _ = writeln!(text, "  {}", escape(path.as_str()));
        }
    }
    text
}

/// What was done, measured, and the problems that were not told before.
pub(super) fn report(context: &mut Context, prepared: &Prepared, done: &Done, told: &[Problem]) -> Result<(), Failure> {
    let outcomes = &done.outcomes;
    if context.global.json {
        return print_json(context, prepared, outcomes, false);
    }
    let new: Vec<Problem> = prepared.found.problems.iter().filter(|it| !told.contains(it)).cloned().collect();
    context.tell(&new);
    let mut removed = Vec::new();
    for (root, outcome) in prepared.plan.roots.iter().zip(outcomes) {
        removed.extend(outcome.removed.iter().map(|&at| &root.remove[at]).filter(|removing| removing.outermost));
    }
    if context.global.quiet {
        removed.iter().try_for_each(|it| context.output.print(&format!("{}\n", escape(&it.id))))?;
    } else {
        let noun = if removed.len() == 1 { "entry" } else { "entries" };
        let expected = prepared.plan.expected().size;
        if let Some(run) = &done.held {
            let text = format!("Removed {} {noun}; {} wait, and are not free yet.\n", removed.len(), size(expected));
            context.output.print(&text)?;
            context.output.hint(&format!("`dscc undo {run}` puts them back, `dscc undo --discard {run}` frees them"));
        } else {
            let freed = documents::freed(&prepared.plan, outcomes, done.linked);
            context.output.print(&format!("Removed {} {noun}, {freed}\n", removed.len()))?;
        }
        kept::print(context, prepared)?;
    }
    for problem in documents::failures(&prepared.found, &prepared.plan, outcomes) {
        let (cache, place) = (problem.cache.as_deref(), problem.path.as_deref());
        let about: String = cache.iter().chain(&place).map(|it| format!("{it}: ")).collect();
        context.output.error(&format!("{about}{}", problem.message));
    }
    Ok(())
}

fn print_json(context: &mut Context, prepared: &Prepared, outcomes: &[Outcome], dry_run: bool) -> Result<(), Failure> {
    context.print_json(&documents::clean(&prepared.found, &prepared.plan, outcomes, dry_run))
}
