//! What runs of `clean` leave behind: a record of each, things that wait to be put back or deleted, and the journal of all
//! runs. A run writes its record, puts everything aside, and deletes it; whatever interrupts it, the next command knows
//! from the record what to put back or to finish.

mod aside;
mod held;
mod put_back;
mod record;
mod recover;
mod removal;
mod store;
mod unrecorded;

pub use held::{Held, held};
pub use put_back::{PutBack, put_back};
pub use record::{EntryRecord, Phase, Record, RootRecord};
pub use recover::recover;
pub use removal::{Afterwards, Discarded, Removed, discard, remove};
pub use store::{Past, Run, Runs, RunsError};
pub use unrecorded::{remove_unrecorded, sweep};
