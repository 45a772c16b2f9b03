//! What a plugin says besides its results: log lines and standard error, bounded. A writer that is full keeps counting
//! and succeeds, because a guest that cannot print its panic message panics over that instead.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// One line from a plugin, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// `debug`, `info`, `warn`, `error`, or `stderr`.
    pub level: &'static str,
    /// As the plugin wrote it: escape it before showing it.
    pub text: String,
}

/// Keeps the last bytes written, and counts the rest.
#[derive(Clone)]
pub(super) struct Tail(Arc<Mutex<Kept>>);

struct Kept {
    bytes: VecDeque<u8>,
    limit: usize,
    lost: u64,
}

impl Tail {
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(Kept { bytes: VecDeque::new(), limit, lost: 0 })))
    }

    fn push(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes.extend(bytes);
        let excess = kept.bytes.len().saturating_sub(kept.limit);
        kept.bytes.drain(..excess);
        kept.lost += excess as u64;
    }

    /// What was kept, with a remark if there was more.
    pub(super) fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = kept.bytes.iter().copied().collect();
        let text = String::from_utf8_lossy(&bytes);
        if kept.lost == 0 {
            text.into_owned()
        } else {
            format!("({} bytes before this were dropped)\n{text}", kept.lost)
        }
    }
}

impl IsTerminal for Tail {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Tail {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Tail {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.push(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 << 10)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Tail {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Tail {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.push(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_log_keeps_the_end_and_counts_the_rest() {
        let tail = Tail::new(10);
        tail.push(b"0123456789");
        tail.push(b"abc");
        assert_eq!(tail.text(), "(3 bytes before this were dropped)\n3456789abc");
    }
}
