//! Progress of a listing or a removal, on standard error and only if that is a terminal. Short work shows none.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::size;

/// Work that is done sooner shows nothing.
const DELAY: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Shows how far the work is until it is dropped, which leaves the terminal as it was.
pub struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Begins to show `what` is done (`measuring`) with the counters' entries and bytes; with the total of bytes, if
    /// that is known, as a bar. Does nothing where standard error is no terminal, or `quiet` is set.
    pub fn start(
        what: &str,
        total_bytes: Option<u64>,
        quiet: bool,
        counters: impl Fn() -> (u64, u64) + Send + 'static,
    ) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        Self::start_on(ProgressDrawTarget::stderr(), what, total_bytes, DELAY, counters)
    }

    fn start_on(
        target: ProgressDrawTarget,
        what: &str,
        total_bytes: Option<u64>,
        delay: Duration,
        counters: impl Fn() -> (u64, u64) + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel();
        let what = what.to_owned();
        let shown = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            if stopped.recv_timeout(delay) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = bar(target, &what, total_bytes);
            loop {
                let (entries, bytes) = counters();
                // Compiling and listing count nothing.
                if entries > 0 || bytes > 0 {
                    bar.set_message(format!("{entries} entries, {}", size(bytes)));
                }
                bar.set_position(bytes.min(total_bytes.unwrap_or(u64::MAX)));
                bar.tick();
                if stopped.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    return bar.finish_and_clear();
                }
            }
        });
        // Without a thread there is no progress to see; the work goes on.
        Self { running: shown.ok().map(|thread| (stop, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            drop(stop);
            // A panic there has been reported already and must not hide the result of the work.
            let _ = thread.join();
        }
    }
}

fn bar(target: ProgressDrawTarget, what: &str, total: Option<u64>) -> ProgressBar {
    let template = if total.is_some() { "{prefix} [{bar:24}] {msg}" } else { "{spinner} {prefix} {msg}" };
    // The templates are constants that parse; the default style is good enough anyway.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let style = style.progress_chars("=> ").tick_chars("-\\|/ ");
    ProgressBar::with_draw_target(total, target).with_style(style).with_prefix(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<Mutex<String>>);

    impl Screen {
        fn add(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
    }

    impl TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.add(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.add(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.add("<clear>")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn shown(total: Option<u64>, counters: (u64, u64), delay: Duration, work: Duration) -> String {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let progress = Progress::start_on(target, "measuring", total, delay, move || counters);
        std::thread::sleep(work);
        drop(progress);
        let text = screen.0.lock().unwrap();
        text.clone()
    }

    #[test]
    fn short_work_shows_nothing_and_is_not_held_up() {
        let start = std::time::Instant::now();
        assert_eq!(shown(None, (7, 2000), Duration::from_secs(60), Duration::ZERO), "");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn long_work_shows_its_counters_and_leaves_a_clear_line() {
        for total in [None, Some(4000)] {
            let text = shown(total, (7, 2000), Duration::ZERO, Duration::from_millis(350));
            assert!(text.contains("measuring") && text.contains("7 entries, 2.0 kB"), "{text:?}");
            assert!(text.trim_end().ends_with("<clear>"), "{text:?}");
        }
    }

    #[test]
    fn work_that_counts_nothing_shows_no_numbers() {
        let text = shown(None, (0, 0), Duration::ZERO, Duration::from_millis(350));
        assert!(text.contains("measuring") && !text.contains('0'), "{text:?}");
    }
}
