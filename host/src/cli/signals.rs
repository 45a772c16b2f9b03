//! Ctrl-C and requests to end, from the moment on at which something goes: the first one stops the work at the next
//! opportunity, so that what was done can be told; a second one kills, and the next run brings this one to an end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The signals of this process.
pub(super) struct Signals {
    stop: Arc<AtomicBool>,
    which: Arc<AtomicUsize>,
}

impl Signals {
    /// From now on signals are caught. Before, they kill at once, which does no harm: nothing was begun.
    pub(super) fn catch() -> Self {
        let signals = Self { stop: Arc::default(), which: Arc::default() };
        for signal in [SIGINT, SIGTERM] {
            // In this order: one that comes when another one was caught already kills. If nothing can be registered,
            // the first one does, and the next run brings this one to an end.
            let _ = flag::register_conditional_default(signal, Arc::clone(&signals.stop));
            let number = usize::try_from(signal).unwrap_or_default();
            let _ = flag::register_usize(signal, Arc::clone(&signals.which), number);
            let _ = flag::register(signal, Arc::clone(&signals.stop));
        }
        signals
    }

    /// Set once a signal came.
    pub(super) fn stop(&self) -> &AtomicBool {
        &self.stop
    }

    /// The signal that came.
    pub(super) fn caught(&self) -> Option<u8> {
        let came = self.stop.load(Relaxed);
        came.then(|| u8::try_from(self.which.load(Relaxed)).unwrap_or(u8::MAX))
    }
}
