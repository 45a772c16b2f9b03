//! What is known of all runs: the journal's lines put together, with what still waits of each.

use std::collections::HashMap;

use jiff::Timestamp;

use super::event::{Because, Begun, Ended, Ending, Event, Kept, Planned};
use super::record::{Phase, Record};
use super::store::{Past, Runs, RunsError};

/// A run of the past, or one that goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct PastRun {
    /// Its name.
    pub run: String,
    /// When it began; none if nothing tells that any more.
    pub begun: Option<Timestamp>,
    /// The command's arguments.
    pub command: Vec<String>,
    /// Whether it has, or had, a record.
    pub recorded: bool,
    /// Bytes that its plan frees.
    pub expected: u64,
    /// The entries that were to go.
    pub remove: Vec<Planned>,
    /// Those that were chosen and stayed.
    pub keep: Vec<Kept>,
    /// Its own end; none if it was killed, or goes on.
    pub ended: Option<Ended>,
    /// What happened later to what waited, the oldest first.
    pub later: Vec<Event>,
    /// Whether something of it waits for `dscc undo`.
    pub waits: bool,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Where it stands.
    pub state: State,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It goes on at this moment.
    GoesOn,
    /// All that was planned is gone.
    Done,
    /// It came to its end, and some of what was planned is still there.
    Partly,
    /// What it took waits, for `dscc undo` or because not all of it could be deleted.
    Held,
    /// A signal ended it early.
    Interrupted,
    /// It could not go on, and put everything back.
    GivenUp,
    /// It never came to an end.
    Killed,
    /// It was put back.
    Undone,
    /// It was put back, but for something.
    UndonePartly,
    /// What waited was deleted for good.
    Discarded,
}

/// What became of an entry that was to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It went.
    Removed,
    /// It could not be removed.
    Failed,
    /// It was not tried, or put back because something needs it.
    Kept,
    /// The run did not say.
    Unknown,
}

/// All runs, the latest first, and what of it could not be read.
pub fn history(runs: &Runs) -> (Vec<PastRun>, Vec<RunsError>) {
    let (past, mut errors) = runs.all();
    let (events, damaged) = runs.journal().read().unwrap_or_else(|error| (Vec::new(), vec![error]));
    errors.extend(damaged);
    let mut place: HashMap<String, usize> = HashMap::new();
    let mut all: Vec<PastRun> = Vec::new();
    for event in events {
        let at = *place.entry(event.run().to_owned()).or_insert_with(|| {
            all.push(PastRun::named(event.run()));
            all.len() - 1
        });
        all[at].add(event);
    }
    for Past { name, record } in past {
        let known = place.get(&name).copied();
        let mut run = known.map_or_else(|| PastRun::named(&name), |at| all[at].clone());
        run.look_at(record);
        match known {
            Some(at) => all[at] = run,
            None => all.push(run),
        }
    }
    all.iter_mut().for_each(PastRun::conclude);
    all.sort_by_key(|run| std::cmp::Reverse(run.begun));
    (all, errors)
}

impl PastRun {
    fn named(run: &str) -> Self {
        Self {
            run: run.to_owned(),
            begun: None,
            command: Vec::new(),
            recorded: false,
            expected: 0,
            remove: Vec::new(),
            keep: Vec::new(),
            ended: None,
            later: Vec::new(),
            waits: false,
            until: None,
            state: State::Killed,
        }
    }

    fn add(&mut self, event: Event) {
        match event {
            Event::Begun(Begun { at, command, recorded, expected, remove, keep, .. }) => {
                (self.begun, self.command, self.recorded) = (Some(at), command, recorded);
                (self.expected, self.remove, self.keep) = (expected, remove, keep);
            }
            Event::Ended(ended) => self.ended = Some(ended),
            later => self.later.push(later),
        }
    }

    /// Takes over what the record tells, also where the journal knows nothing of the run.
    fn look_at(&mut self, record: Option<Record>) {
        self.recorded = true;
        let Some(record) = record else {
            self.state = State::GoesOn;
            return;
        };
        (self.waits, self.until) = (matches!(record.phase, Some(Phase::Held | Phase::Moving)), record.until);
        if record.phase == Some(Phase::Held) {
            self.state = State::Held;
        }
        if self.begun.is_none() {
            (self.begun, self.expected) = (record.begun, record.size());
            self.command = record.command;
            for root in record.roots {
                let place = crate::model::escape_text(root.path.as_os_str());
                self.remove.extend(root.entries.into_iter().map(|it| Planned {
                    cache: it.cache,
                    root: place.clone(),
                    id: it.id,
                    reason: String::new(),
                    size: it.size,
                    part: it.within.is_some(),
                }));
            }
        }
    }

    /// The last thing that happened decides.
    fn conclude(&mut self) {
        if self.state == State::GoesOn {
            return;
        }
        self.state = match (self.later.last(), &self.ended) {
            (Some(Event::Undone { left, .. }), _) if left.is_empty() => State::Undone,
            (Some(Event::Undone { .. }), _) => State::UndonePartly,
            (Some(Event::Discarded { failed: None, .. }), _) => State::Discarded,
            (_, Some(ended)) if ended.how == Ending::GivenUp => State::GivenUp,
            (_, Some(ended)) if ended.how == Ending::Interrupted => State::Interrupted,
            (_, Some(ended)) if ended.held => State::Held,
            (_, Some(ended)) if !ended.failed.is_empty() => State::Partly,
            (_, Some(_)) => State::Done,
            (_, None) => self.state,
        };
    }

    /// What became of each of [`Self::remove`].
    pub fn fates(&self) -> Vec<Fate> {
        let Some(ended) = &self.ended else { return vec![Fate::Unknown; self.remove.len()] };
        let mut fates = vec![Fate::Kept; self.remove.len()];
        let mut set = |entry: usize, fate: Fate| fates.get_mut(entry).into_iter().for_each(|it| *it = fate);
        ended.removed.iter().for_each(|entry| set(*entry, Fate::Removed));
        let failed = ended.failed.iter().filter(|failed| failed.error.is_some());
        failed.filter_map(|failed| failed.entry).for_each(|entry| set(entry, Fate::Failed));
        fates
    }

    /// Bytes that it freed: itself, and whoever deleted what waited.
    pub fn freed(&self) -> (u64, u64) {
        let own = self.ended.iter().map(|ended| (ended.freed, ended.freed_disk));
        let later = self.later.iter().filter_map(|event| match event {
            Event::Discarded { freed, freed_disk, .. } => Some((*freed, *freed_disk)),
            _ => None,
        });
        own.chain(later).fold((0, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1))
    }

    /// Whether it was killed, and the next run brought it to an end.
    pub fn was_recovered(&self) -> bool {
        let because = |event: &Event| match event {
            Event::Undone { because, .. } | Event::Discarded { because, .. } => Some(*because),
            _ => None,
        };
        self.later.last().and_then(because) == Some(Because::Killed)
    }
}
