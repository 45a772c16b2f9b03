//! Runs that were killed. One that was still putting things aside is undone, one that was deleting is finished: either
//! way nothing is left between. What was to wait for some time only, and has, is deleted as well.

use jiff::Timestamp;

use super::event::{Because, Event};
use super::put_back::put_back;
use super::record::{Phase, Record};
use super::removal::discard;
use super::store::{Run, Runs};
use super::watch::Watch;

/// Brings every killed run to an end; what was done, in sentences for people.
pub fn recover(runs: &Runs, watch: &Watch) -> Vec<String> {
    let (past, errors) = runs.all();
    let mut said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for past in past {
        let Some(record) = &past.record else { continue };
        let name = &past.name;
        if waits_on(record) {
            continue;
        }
        match runs.take_over(name) {
            // Somebody else may have come before: what is read under the lock decides.
            Ok(Some((_, record))) if waits_on(&record) => {}
            Ok(Some((run, record))) if record.phase == Some(Phase::Held) => {
                said.extend(expire(runs, run, &record, watch));
            }
            Ok(Some((run, record))) if record.phase == Some(Phase::Purging) => {
                let done = discard(run, &record, watch);
                said.extend(tell(runs, &Event::discarded(name, Because::Killed, &done)));
                match done {
                    Ok(_) => said.push(format!("the interrupted run {name} was finished")),
                    Err(error) => said.push(format!("the interrupted run {name} could not be finished: {error}")),
                }
            }
            Ok(Some((run, record))) => match put_back(run, &record, &watch.moved) {
                Ok(done) => {
                    said.extend(tell(runs, &Event::undone(name, Because::Killed, &done)));
                    if done.left.is_empty() {
                        said.push(format!("what the interrupted run {name} had taken was put back"));
                    }
                    said.extend(done.left.iter().map(|(entry, reason)| {
                        format!(
                            "`{}` of the interrupted run {name} could not be put back: {reason}; it waits, and \
                                 `dscc undo --discard {name}` deletes it",
                            entry.id
                        )
                    }));
                }
                Err(error) => said.push(error.to_string()),
            },
            Ok(None) => {}
            Err(error) => said.push(error.to_string()),
        }
    }
    runs.reserve().restore();
    said
}

/// Whether what a run took is to wait, still.
fn waits_on(record: &Record) -> bool {
    record.phase == Some(Phase::Held) && record.until.is_none_or(|until| until >= Timestamp::now())
}

/// Deletes what has waited long enough.
fn expire(runs: &Runs, run: Run, record: &Record, watch: &Watch) -> Vec<String> {
    let name = &run.name.clone();
    let done = discard(run, record, watch);
    let untold = tell(runs, &Event::discarded(name, Because::Waited, &done));
    let said = match done {
        Ok(_) => format!("what the run {name} took has waited long enough and was deleted"),
        Err(error) => format!("what the run {name} took has waited long enough and could not be deleted: {error}"),
    };
    untold.into_iter().chain([said]).collect()
}

/// Adds a line to the journal. What was done is done, so that a journal which cannot be written is only told.
fn tell(runs: &Runs, event: &Event) -> Option<String> {
    runs.journal().add(event).err().map(|error| format!("what was done with {} is not told: {error}", event.run()))
}
