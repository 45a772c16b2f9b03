//! What others see of a run while it goes on, and how they end it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::tree::Progress;

/// How far a run has come, and whether it shall stop.
#[derive(Debug, Default)]
pub struct Watch {
    /// Things that were put aside, or put back.
    pub moved: Progress,
    /// What was deleted.
    pub deleted: Progress,
    stop: Arc<AtomicBool>,
}

impl Watch {
    /// Of a run that stops before the next thing once this is set.
    pub fn until(stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..Self::default() }
    }

    /// Whether it shall stop.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Relaxed)
    }

    /// The same for those who ask by themselves.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }
}
