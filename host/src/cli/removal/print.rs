//! The plan, the question and the report, for people and as JSON.

use std::fmt::Write as _;

use hashbrown::HashSet;

use crate::clean::{EntryIx, Outcome, Plan, Removing, RootPlan, Saved, Terms};
use crate::documents;
use crate::model::{Problem, Recovery};
use crate::runs::Afterwards;
use crate::ui::{Column, OutputError, Style, Table, count, escape, size};

use super::super::context::Context;
use super::super::exit::Failure;
use super::super::list::nothing;
use super::{Done, Looked, Prepared, Told, Waiting, kept};

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

/// What would go, or is about to; `dry_run` has the terms of a plan that is only to be looked at.
pub(super) fn plan(
    context: &mut Context,
    prepared: &Prepared,
    dry_run: Option<&Terms>,
    afterwards: Afterwards,
) -> Result<(), Failure> {
    if context.global.json {
        return print_json(context, prepared, &[], dry_run);
    }
    context.tell(&prepared.looked.found.problems);
    let rows = outermost(&prepared.plan);
    if context.global.quiet {
        let ids: String = rows.iter().map(|(_, it, _)| format!("{}\n", escape(&it.id))).collect();
        // Results are what went: before a question this is only for who is asked.
        let Some(_) = dry_run else {
            return Ok(write!(context.output.questions(), "{ids}").map_err(OutputError::from)?);
        };
        return Ok(context.output.print(&ids)?);
    }
    if prepared.looked.found.inventories.is_empty() {
        return nothing(context, &prepared.looked.found);
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
    for line in summary(prepared, afterwards).iter().chain(&kept::lines(prepared)) {
        context.output.print(&format!("{}\n", escape(line)))?;
    }
    if dry_run.is_some() && !rows.is_empty() {
        context.output.print("Nothing was removed: this is a dry run.\n")?;
    }
    Ok(())
}

/// Bytes freed, bytes that stay because they are shared, what cannot be had back.
fn summary(prepared: &Prepared, afterwards: Afterwards) -> Vec<String> {
    let plan = &prepared.plan;
    let mut lines = Vec::new();
    if plan.roots.iter().any(|root| !root.is_empty()) {
        let expected = size(plan.expected().size);
        lines.push(match afterwards {
            Afterwards::Delete if may_share_blocks(prepared) => {
                format!("At most {expected} will be free: files that stay may share blocks with what goes.")
            }
            Afterwards::Delete => format!("{expected} will be free."),
            Afterwards::Wait(_) => {
                format!("{expected} will wait for `dscc undo`, and are not free until they are deleted.")
            }
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

/// Whether what goes may be less than free, because of clones and snapshots.
fn may_share_blocks(prepared: &Prepared) -> bool {
    let roots = prepared.looked.found.inventories.iter().zip(&prepared.plan.roots);
    roots.into_iter().any(|(inventory, root)| !root.is_empty() && inventory.root.may_share_blocks())
}

/// What goes and costs that much to have back, be it for itself or in something else that goes.
fn endangered(prepared: &Prepared, recovery: Recovery, words: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (inventory, root) in prepared.looked.found.inventories.iter().zip(&prepared.plan.roots) {
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
pub(super) fn question(plan: &Plan, afterwards: Afterwards) -> String {
    let entries = count(outermost(plan).len(), "entry", "entries");
    let expected = size(plan.expected().size);
    match afterwards {
        Afterwards::Delete => format!("Remove {entries}, freeing {expected}?"),
        Afterwards::Wait(_) => format!("Remove {entries}, and keep their {expected} for undo?"),
    }
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

/// What was done, measured, and what was not told before.
pub(super) fn report(context: &mut Context, prepared: &Prepared, done: &Done, told: &Told) -> Result<(), Failure> {
    let outcomes = &done.outcomes;
    if context.global.json {
        return print_json(context, prepared, outcomes, None);
    }
    let new = prepared.looked.found.problems.iter().filter(|it| !told.problems.contains(it));
    context.tell(&new.cloned().collect::<Vec<Problem>>());
    let mut removed = Vec::new();
    for (root, outcome) in prepared.plan.roots.iter().zip(outcomes) {
        removed.extend(outcome.removed.iter().map(|&at| &root.remove[at]).filter(|removing| removing.outermost));
    }
    if context.global.quiet {
        removed.iter().try_for_each(|it| context.output.print(&format!("{}\n", escape(&it.id))))?;
    } else {
        for line in totals(&count(removed.len(), "entry", "entries"), &prepared.plan, done) {
            context.output.print(&format!("{line}\n"))?;
        }
        if let Some((run, why)) = &done.waits {
            context.output.hint(&match why {
                Waiting::ForUndo => {
                    format!("`dscc undo {run}` puts them back, `dscc undo --discard {run}` frees them")
                }
                Waiting::ForDeletion => {
                    format!("`dscc undo --discard {run}` deletes the rest, and so does the next run of `dscc clean`")
                }
            });
        }
        let stays = kept::lines(prepared);
        if stays != told.stays {
            stays.iter().try_for_each(|line| context.output.print(&format!("{}\n", escape(line))))?;
        }
    }
    for problem in documents::failures(&prepared.looked.found, &prepared.plan, outcomes) {
        let (cache, place) = (problem.cache.as_deref(), problem.path.as_deref());
        let about: String = cache.iter().chain(&place).map(|it| format!("{it}: ")).collect();
        context.output.error(&format!("{about}{}", problem.message));
    }
    Ok(())
}

/// What was done, in figures.
fn totals(removed: &str, plan: &Plan, done: &Done) -> Vec<String> {
    let mut lines = match done.waits {
        Some((_, Waiting::ForUndo)) => {
            let bytes = size(put_aside(plan, &done.outcomes));
            return vec![format!("Removed {removed}; {bytes} wait, and are not free yet.")];
        }
        _ => vec![format!(
            "Removed {removed}, {}",
            documents::freed(done.outcomes.iter().map(|outcome| outcome.freed).sum())
        )],
    };
    lines.extend(documents::difference(plan, &done.outcomes, done.linked));
    if done.waits.is_some() {
        lines.push("The rest of what was put aside waits to be deleted: its bytes are not free yet.".into());
    }
    lines
}

/// Bytes of what waits: what the plan says, or less if not all of it went.
fn put_aside(plan: &Plan, outcomes: &[Outcome]) -> u64 {
    let roots = || plan.roots.iter().zip(outcomes);
    if roots().all(|(root, outcome)| outcome.removed.len() == root.remove.len()) {
        return plan.expected().size;
    }
    roots().flat_map(|(root, outcome)| outcome.removed.iter().map(|&at| root.remove[at].size)).sum()
}

fn print_json(
    context: &mut Context,
    prepared: &Prepared,
    outcomes: &[Outcome],
    dry_run: Option<&Terms>,
) -> Result<(), Failure> {
    let Prepared { looked: Looked { found, chosen, gone }, plan, .. } = prepared;
    let mut document = documents::clean(found, plan, outcomes, dry_run.is_some());
    document.keep.extend(gone.iter().map(|gone| gone.row.clone()));
    document.plan = dry_run.map(|terms| Saved::of(&found.inventories, chosen, plan, terms));
    context.print_json(&document)
}
