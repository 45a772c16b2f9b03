//! Working room for each thread of a parallel pass, so that nothing is allocated or shared in its inner loops.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// One `T` for each thread of the pool, and one for the thread that started the pass.
pub(super) struct Desks<T>(Vec<Mutex<T>>);

impl<T: Default> Desks<T> {
    pub fn new() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(rayon::current_num_threads() + 1).collect())
    }

    /// This thread's own. Nobody waits for it, as long as it is given back before anything is awaited.
    pub fn mine(&self) -> MutexGuard<'_, T> {
        let index = rayon::current_thread_index().unwrap_or(self.0.len() - 1);
        self.0[index].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn into_all(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|desk| desk.into_inner().unwrap_or_else(PoisonError::into_inner))
    }
}
