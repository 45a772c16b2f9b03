//! What belongs to one call of a plugin: its limits, its empty WASI context, its log. Made for the call and dropped
//! with it, because an instance that trapped cannot be entered again and nothing may last from one call to the next.

use std::time::{Duration, Instant};

use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::error::Exceeded;
use super::limits::Limits;
use super::output::{LogLine, Tail};
use super::ticker::PERIOD;

/// The data of a store.
pub(super) struct State {
    pub(super) table: ResourceTable,
    pub(super) limits: Limits,
    pub(super) log: Vec<LogLine>,
    pub(super) log_bytes: usize,
    pub(super) stderr: Tail,
    /// Whether the plugin was shown anything unreadable.
    pub(super) incomplete: bool,
    started: Instant,
    host_time: Duration,
    wasi: WasiCtx,
}

impl State {
    /// A store whose clock starts now.
    pub(super) fn store(engine: &Engine, limits: Limits) -> Store<Self> {
        let stderr = Tail::new(limits.log);
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let state = Self {
            table,
            limits,
            log: Vec::new(),
            log_bytes: 0,
            stderr: stderr.clone(),
            incomplete: false,
            started: Instant::now(),
            host_time: Duration::ZERO,
            wasi: empty_context(stderr),
        };
        let mut store = Store::new(engine, state);
        store.limiter(|state| state);
        store.set_hostcall_fuel(limits.call_data);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|context| context.data().remaining_time());
        store
    }

    /// Runs host work on the plugin's behalf without charging its time; but there is an end to that, too.
    pub(super) fn uncharged<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> wasmtime::Result<T> {
        let start = Instant::now();
        let result = work(self);
        self.host_time += start.elapsed();
        if self.host_time > self.limits.host_time { Err(Exceeded::HostTime.into()) } else { Ok(result) }
    }

    fn remaining_time(&self) -> wasmtime::Result<UpdateDeadline> {
        let used = self.started.elapsed().saturating_sub(self.host_time);
        let left = self.limits.guest_time.saturating_sub(used);
        if left.is_zero() {
            return Err(Exceeded::Time.into());
        }
        let ticks = left.as_millis() / PERIOD.as_millis() + 1;
        Ok(UpdateDeadline::Continue(u64::try_from(ticks).unwrap_or(u64::MAX)))
    }
}

fn empty_context(stderr: Tail) -> WasiCtx {
    WasiCtxBuilder::new()
        .stderr(stderr)
        .wall_clock(StoppedClock)
        .monotonic_clock(StoppedClock)
        .secure_random(Deterministic::new(vec![0]))
        .insecure_random(Deterministic::new(vec![0]))
        .insecure_random_seed(0)
        .build()
}

/// The same tree gives the same answers: a plugin cannot tell the time.
struct StoppedClock;

impl HostWallClock for StoppedClock {
    fn resolution(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

impl HostMonotonicClock for StoppedClock {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        0
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for State {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.memory { Err(Exceeded::Memory.into()) } else { Ok(true) }
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limits.table_elements { Err(Exceeded::Tables.into()) } else { Ok(true) }
    }

    // Bounded in number, because the sizes above hold for each one.
    fn instances(&self) -> usize {
        self.limits.instances
    }

    fn memories(&self) -> usize {
        self.limits.memories
    }

    fn tables(&self) -> usize {
        self.limits.tables
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_work_for_a_plugin_is_not_charged_and_not_endless() {
        let limits = Limits {
            guest_time: Duration::from_millis(50),
            host_time: Duration::from_millis(150),
            ..Limits::default()
        };
        let mut store = State::store(&Engine::default(), limits);
        let mut work = || store.data_mut().uncharged(|_| std::thread::sleep(Duration::from_millis(100)));
        assert!(work().is_ok());
        let error = work().unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&Exceeded::HostTime));
        assert!(store.data().remaining_time().is_ok(), "none of it was the plugin's own");
    }
}
