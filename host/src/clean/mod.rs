//! Claims -> selection -> plan -> removal -> report. Decisions are pure functions over plain data; only `steps` looks at
//! the disk, only `locks`, `edits` and `execute` touch it. Nothing here knows WebAssembly or terminals.

mod between;
mod decide;
mod edits;
mod execute;
mod hinder;
mod holders;
mod inventory;
mod locks;
mod plan;
mod restrict;
mod saved;
mod select;
mod steps;
mod territory;
mod weigh;

pub use decide::{Grace, Held, Hold, Terms};
pub use edits::{Dropped, dropping, give_lines_back};
pub use execute::{Failure, Outcome, Take, carry_out, execute, execute_part};
pub use inventory::{CacheState, EntryIx, Inventory, Item};
pub use locks::Locks;
pub use plan::{Advice, HeldEntries, Keeping, Plan, Removing, RootPlan, Step, StepKind, plan};
pub use restrict::{Approved, Stamp};
pub use saved::{Saved, SavedEntry, SavedError, SavedRoot};
pub use select::{Chosen, Selection, SelectionError, Target, select};
pub use weigh::{Weights, staying, union};

#[cfg(test)]
#[cfg(unix)]
pub(crate) mod tests;
