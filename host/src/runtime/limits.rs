//! All limits on a plugin in one table. Each has its own error, and a test with a component that runs into it.

use std::time::Duration;

/// What a plugin may use up in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Time in the plugin's own code; the host's walking and reading on its behalf is not charged.
    pub guest_time: Duration,
    /// Time of the host's walking and reading on its behalf: far more than any real cache takes.
    pub host_time: Duration,
    /// Bytes of linear memory.
    pub memory: usize,
    /// Elements of one table.
    pub table_elements: usize,
    /// Memories of that size, tables, and instances within the component. Components of other languages have a few.
    pub memories: usize,
    /// See `memories`.
    pub tables: usize,
    /// See `memories`.
    pub instances: usize,
    /// Bytes of the machine stack.
    pub stack: usize,
    /// Bytes that one call may hand over in either direction.
    pub call_data: usize,
    /// Resources (directories, walkers) held at one time.
    pub handles: usize,
    /// Bytes of log and standard error kept; the rest is counted.
    pub log: usize,
    /// Entries in one level.
    pub entries: usize,
    /// Bytes of one text other than a path, such as an id or a label.
    pub text: usize,
    /// Bytes of a component.
    pub component: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            guest_time: Duration::from_secs(5),
            host_time: Duration::from_secs(600),
            memory: 256 << 20,
            table_elements: 1 << 20,
            memories: 4,
            tables: 100,
            instances: 200,
            stack: 512 << 10,
            call_data: 128 << 20,
            handles: 1000,
            log: 64 << 10,
            entries: 1_000_000,
            text: 16 << 10,
            component: 128 << 20,
        }
    }
}
