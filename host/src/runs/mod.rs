//! What runs of `clean` leave behind: a record of each, things that wait to be put back or deleted, and the journal of all
//! runs. A run writes its record, puts everything aside, and deletes it; whatever interrupts it, the next command knows
//! from the record what to put back or to finish.

mod aside;
mod event;
mod guard;
mod held;
mod history;
mod journal;
mod pieces;
mod put_back;
mod record;
mod recover;
mod removal;
mod reserve;
mod store;
mod unrecorded;
mod waiting;
mod watch;

#[cfg(test)]
#[cfg(unix)]
mod tests;

pub use event::{Because, Begun, Ended, Ending, Event, Failed, Kept, Left, Name, Planned};
pub use guard::Guard;
pub use held::{Held, held, waiting};
pub use history::{Fate, PastRun, State, history};
pub use journal::Journal;
pub use put_back::{PutBack, put_back};
pub use record::{EntryRecord, Phase, Record, RootRecord};
pub use recover::recover;
pub use removal::{Afterwards, Again, Discarded, GivenUp, Removed, discard, remove, remove_unrecorded};
pub use reserve::Reserve;
pub use store::{Past, Run, Runs, RunsError};
pub use unrecorded::sweep;
pub use watch::Watch;
