//! The plan, the question and the report, for people and as JSON.

use std::fmt::Write as _;

use crate::clean::{EntryIx, Keeping, Outcome, Plan, Removing, RootPlan};
use crate::model::{Problem, Recovery, escape_text};
use crate::tree::Usage;
use crate::ui::{Column, Style, Table, escape, json, size};

use super::super::context::Context;
use super::super::exit::Failure;
use super::Prepared;

/// So many entries are shown before the question; `l` shows the rest.
const SHOWN: usize = 10;

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

fn expected(plan: &Plan) -> Usage {
    let mut sum = Usage::default();
    plan.roots.iter().for_each(|root| sum += root.expected);
    sum
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
    print_kept(context, &prepared.plan)?;
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
        lines.push(format!("{} will be free.", size(expected(plan).size)));
    }
    let shared: u64 = plan.roots.iter().map(|root| root.shared.size).sum();
    if shared > 0 {
        lines.push(format!("{} stay, because entries that stay share them.", size(shared)));
    }
    for (inventory, root) in prepared.found.inventories.iter().zip(&plan.roots) {
        for removing in root.remove.iter().filter(|removing| removing.outermost) {
            let recovery = inventory.items[removing.entry].entry.recovery;
            match recovery {
                Recovery::Irreplaceable => lines.push(format!("CANNOT BE HAD BACK: {}", removing.id)),
                Recovery::Uncertain => lines.push(format!("Can perhaps not be had back: {}", removing.id)),
                Recovery::Rebuild | Recovery::Download => {}
            }
        }
    }
    lines
}

fn print_kept(context: &mut Context, plan: &Plan) -> Result<(), Failure> {
    let kept: Vec<&Keeping> = plan.roots.iter().flat_map(|root| &root.keep).collect();
    for keeping in kept.iter().take(SHOWN) {
        let line = format!("Stays: {}: {}", keeping.id, keeping.held.reason);
        context.output.print(&format!("{}\n", escape(&line)))?;
    }
    if kept.len() > SHOWN {
        context.output.print(&format!("... and {} more stay; --json lists them.\n", kept.len() - SHOWN))?;
    }
    Ok(())
}

/// The question, with the two figures that matter.
pub(super) fn question(plan: &Plan) -> String {
    let entries = outermost(plan).len();
    let noun = if entries == 1 { "entry" } else { "entries" };
    format!("Remove {entries} {noun}, freeing {}? There is no undo.", size(expected(plan).size))
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
pub(super) fn report(
    context: &mut Context,
    prepared: &Prepared,
    outcomes: &[Outcome],
    told: &[Problem],
) -> Result<(), Failure> {
    if context.global.json {
        return print_json(context, prepared, outcomes, false);
    }
    let new: Vec<Problem> = prepared.found.problems.iter().filter(|it| !told.contains(it)).cloned().collect();
    context.tell(&new);
    let freed: u64 = outcomes.iter().map(|outcome| outcome.freed.size).sum();
    let mut removed = Vec::new();
    for (root, outcome) in prepared.plan.roots.iter().zip(outcomes) {
        removed.extend(outcome.removed.iter().map(|&at| &root.remove[at]).filter(|removing| removing.outermost));
    }
    if context.global.quiet {
        removed.iter().try_for_each(|it| context.output.print(&format!("{}\n", escape(&it.id))))?;
    } else {
        let noun = if removed.len() == 1 { "entry" } else { "entries" };
        context.output.print(&format!("Removed {} {noun}, freed {}.\n", removed.len(), size(freed)))?;
        let expected = expected(&prepared.plan).size;
        if expected != freed {
            context.output.print(&format!("The plan was {}.\n", size(expected)))?;
        }
        print_kept(context, &prepared.plan)?;
    }
    for problem in failures(prepared, outcomes) {
        let (cache, place) = (problem.cache.as_deref(), problem.path.as_deref());
        let about: String = cache.iter().chain(&place).map(|it| format!("{it}: ")).collect();
        context.output.error(&format!("{about}{}", problem.message));
    }
    Ok(())
}

fn print_json(context: &mut Context, prepared: &Prepared, outcomes: &[Outcome], dry_run: bool) -> Result<(), Failure> {
    let mut document = json::CleanDocument {
        dry_run,
        expected: expected(&prepared.plan).size,
        freed: outcomes.iter().map(|outcome| outcome.freed.size).sum(),
        freed_disk: outcomes.iter().map(|outcome| outcome.freed.disk_size).sum(),
        failed: failures(prepared, outcomes),
        errors: prepared.found.problems.clone(),
        ..json::CleanDocument::default()
    };
    for (inventory, root) in prepared.found.inventories.iter().zip(&prepared.plan.roots) {
        let place = |ix: EntryIx| escape_text(inventory.given(inventory.items[ix].cache).as_os_str());
        document.remove.extend(root.remove.iter().map(|it| json::CleanRemove {
            cache: it.cache.clone(),
            root: place(it.entry),
            id: it.id.clone(),
            reason: it.reason.clone(),
            size: it.size,
            paths: it.paths.iter().map(|path| path.as_str().to_owned()).collect(),
        }));
        document.keep.extend(root.keep.iter().map(|it| json::CleanKeep {
            cache: it.cache.clone(),
            root: place(it.entry),
            id: it.id.clone(),
            reason: it.held.reason.clone(),
        }));
    }
    context.print_json(&document)
}

fn failures(prepared: &Prepared, outcomes: &[Outcome]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for ((inventory, root), outcome) in prepared.found.inventories.iter().zip(&prepared.plan.roots).zip(outcomes) {
        for failure in &outcome.failed {
            let removing = failure.removing.map(|at| &root.remove[at]);
            let cache = &inventory.caches[failure.cache];
            let parts: Vec<String> =
                failure.error.iter().map(ToString::to_string).chain(failure.consequence.clone()).collect();
            problems.push(Problem {
                code: "not-removed".into(),
                plugin: Some(cache.plugin.clone()),
                cache: Some(cache.cache.id.clone()),
                id: removing.map(|it| it.id.clone()),
                path: Some(failure.path.as_str().to_owned()),
                message: parts.join("; "),
                hint: Some("run the same command again: it goes on where this run stopped".into()),
            });
        }
    }
    problems
}
