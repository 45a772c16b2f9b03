//! Progress of a listing or a removal, on standard error and only if that is a terminal. Short work shows none.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::size;

/// Work that is done sooner shows nothing.
const DELAY: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);

/// Shows how far the work is until it is dropped, which leaves the terminal as it was.
pub struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

/// How far some work has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// What is done: `measuring`. It may change while the work goes on.
    pub what: String,
    /// Things that are done with.
    pub items: u64,
    /// Bytes that are done with.
    pub bytes: u64,
}

impl Progress {
    /// Begins to show what `count` says; with the total of bytes, if that is known, as a bar. Does nothing where standard
    /// error is no terminal, or `quiet` is set.
    pub fn start(total_bytes: Option<u64>, quiet: bool, count: impl Fn() -> Count + Send + 'static) -> Self {
        if quiet || !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        Self::start_on(ProgressDrawTarget::stderr(), total_bytes, DELAY, count)
    }

    fn start_on(
        target: ProgressDrawTarget,
        total_bytes: Option<u64>,
        delay: Duration,
        count: impl Fn() -> Count + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel();
        let mut stage = Stage::begin(String::new());
        let shown = std::thread::Builder::new().name("progress".to_owned()).spawn(move || {
            if stopped.recv_timeout(delay) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = bar(target, total_bytes);
            loop {
                let count = count();
                if stage.what != count.what {
                    // The first one began when the work did.
                    let begun = if stage.what.is_empty() { stage.begun } else { Instant::now() };
                    stage = Stage { begun, ..Stage::begin(count.what.clone()) };
                    bar.set_prefix(count.what.clone());
                }
                bar.set_message(stage.figures(&count, stage.begun.elapsed()));
                bar.set_position(count.bytes.min(total_bytes.unwrap_or(u64::MAX)));
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

/// A part of the work, of which the rate is told.
struct Stage {
    what: String,
    begun: Instant,
}

impl Stage {
    fn begin(what: String) -> Self {
        Self { what, begun: Instant::now() }
    }

    /// `7 items, 2.0 kB, 1.0 kB/s`. Compiling and listing count nothing.
    fn figures(&self, count: &Count, elapsed: Duration) -> String {
        let Count { items, bytes, .. } = count;
        let rate = |done: u64| (done as f64 / elapsed.as_secs_f64().max(0.001)) as u64;
        let noun = if *items == 1 { "item" } else { "items" };
        match (items, bytes) {
            (0, 0) => String::new(),
            (_, 0) if rate(*items) == 0 => format!("{items} {noun}"),
            (_, 0) => format!("{items} {noun}, {}/s", rate(*items)),
            _ => format!("{items} {noun}, {}, {}/s", size(*bytes), size(rate(*bytes))),
        }
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

fn bar(target: ProgressDrawTarget, total: Option<u64>) -> ProgressBar {
    let template = if total.is_some() { "{prefix} [{bar:24}] {msg}" } else { "{spinner} {prefix} {msg}" };
    // The templates are constants that parse; the default style is good enough anyway.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let style = style.progress_chars("=> ").tick_chars("-\\|/ ");
    ProgressBar::with_draw_target(total, target).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::TermLike;
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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

    fn count(what: &str, items: u64, bytes: u64) -> Count {
        Count { what: what.to_owned(), items, bytes }
    }

    /// What is on the screen of work that shows these counts one after the other.
    fn shown(total: Option<u64>, counts: Vec<Count>, delay: Duration, work: Duration) -> String {
        let screen = Screen::default();
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let asked = AtomicUsize::new(0);
        let next = move || counts[asked.fetch_add(1, Relaxed).min(counts.len() - 1)].clone();
        let progress = Progress::start_on(target, total, delay, next);
        std::thread::sleep(work);
        drop(progress);
        let text = screen.0.lock().unwrap();
        text.clone()
    }

    #[test]
    fn short_work_shows_nothing_and_is_not_held_up() {
        let start = Instant::now();
        assert_eq!(shown(None, vec![count("measuring", 7, 2000)], Duration::from_secs(60), Duration::ZERO), "");
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn long_work_shows_items_bytes_and_rate_and_leaves_a_clear_line() {
        for total in [None, Some(4000)] {
            let text = shown(total, vec![count("measuring", 7, 2000)], Duration::ZERO, Duration::from_millis(350));
            assert!(
                text.contains("measuring") && text.contains("7 items, 2.0 kB, ") && text.contains("B/s"),
                "{text:?}"
            );
            assert!(text.trim_end().ends_with("<clear>"), "{text:?}");
        }
    }

    #[test]
    fn work_that_counts_nothing_shows_no_numbers() {
        let text = shown(None, vec![count("measuring", 0, 0)], Duration::ZERO, Duration::from_millis(350));
        assert!(text.contains("measuring") && !text.contains('0'), "{text:?}");
    }

    #[test]
    fn what_is_done_may_change_while_it_is_done() {
        let counts = vec![count("putting aside", 3, 0), count("deleting", 2, 1000)];
        let text = shown(Some(2000), counts, Duration::ZERO, Duration::from_millis(450));
        assert!(text.contains("putting aside") && text.contains("3 items"), "{text:?}");
        assert!(text.contains("deleting") && text.contains("2 items, 1.0 kB, "), "{text:?}");
    }

    #[test]
    fn a_rate_is_what_was_done_in_the_time_that_it_took() {
        let stage = Stage::begin("deleting".into());
        let figures = |items, bytes| stage.figures(&count("deleting", items, bytes), Duration::from_secs(4));
        assert_eq!(figures(8, 2_000_000), "8 items, 2.0 MB, 500 kB/s");
        assert_eq!((figures(8, 0).as_str(), figures(1, 4).as_str()), ("8 items, 2/s", "1 item, 4 B, 1 B/s"));
        assert_eq!(figures(3, 0), "3 items");
        assert_eq!(figures(0, 0), "");
    }
}
