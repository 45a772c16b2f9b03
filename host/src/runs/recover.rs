//! Runs that were killed. One that was still putting things aside is undone, one that was deleting is finished: either
//! way nothing is left between.

use crate::tree::Progress;

use super::put_back::put_back;
use super::record::Phase;
use super::removal::discard;
use super::store::Runs;

/// Brings every killed run to an end; what was done, in sentences for people.
pub fn recover(runs: &Runs) -> Vec<String> {
    let (past, errors) = runs.all();
    let mut said: Vec<String> = errors.iter().map(ToString::to_string).collect();
    for past in past {
        let Some(phase) = past.record.as_ref().map(|record| record.phase) else { continue };
        if phase == Some(Phase::Held) {
            continue;
        }
        let name = &past.name;
        match runs.take_over(name) {
            Ok(Some((run, record))) if phase == Some(Phase::Purging) => {
                match discard(run, &record, &Progress::default()) {
                    Ok(_) => said.push(format!("the interrupted run {name} was finished")),
                    Err(error) => said.push(format!("the interrupted run {name} could not be finished: {error}")),
                }
            }
            Ok(Some((run, record))) => match put_back(run, &record) {
                Ok(done) if done.left.is_empty() => {
                    said.push(format!("what the interrupted run {name} had taken was put back"));
                }
                Ok(done) => said.extend(done.left.iter().map(|(entry, reason)| {
                    format!("`{}` of the interrupted run {name} could not be put back: {reason}", entry.id)
                })),
                Err(error) => said.push(error.to_string()),
            },
            Ok(None) => {}
            Err(error) => said.push(error.to_string()),
        }
    }
    said
}
