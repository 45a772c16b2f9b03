//! The clock of the deadlines: a thread that advances the engine's epoch while any plugin runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use wasmtime::Engine;

/// How often a running plugin looks whether its time is up.
pub(super) const PERIOD: Duration = Duration::from_millis(10);

struct Shared {
    running: Mutex<usize>,
    wake: Condvar,
    stop: AtomicBool,
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ticking thread; it sleeps while no plugin runs, and ends when this is dropped.
pub(super) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// While this lives, the clock ticks.
pub(super) struct Ticking<'a>(&'a Shared);

impl Ticker {
    pub(super) fn start(engine: &Engine) -> Self {
        let shared = Arc::new(Shared { running: Mutex::new(0), wake: Condvar::new(), stop: AtomicBool::new(false) });
        let engine = engine.weak();
        let theirs = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            let mut running = theirs.running();
            while !theirs.stop.load(Ordering::Relaxed) {
                running = if *running == 0 {
                    theirs.wake.wait(running).unwrap_or_else(PoisonError::into_inner)
                } else {
                    let Some(engine) = engine.upgrade() else { return };
                    engine.increment_epoch();
                    theirs.wake.wait_timeout(running, PERIOD).unwrap_or_else(PoisonError::into_inner).0
                };
            }
        });
        Self { shared, thread: Some(thread) }
    }

    pub(super) fn tick(&self) -> Ticking<'_> {
        *self.shared.running() += 1;
        self.shared.wake.notify_one();
        Ticking(&self.shared)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        *self.0.running() -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        drop(self.shared.running());
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the ticker has nothing left to spoil here.
            let _ = thread.join();
        }
    }
}
