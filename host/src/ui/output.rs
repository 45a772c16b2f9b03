//! The two streams: results on standard output, messages on standard error. A reader that closes its end early, like
//! `head`, ends the program quietly.

use std::io::{self, BufWriter, IsTerminal, Write};

use super::escape;
use super::style::{ColorChoice, Colors, Style};

/// Why nothing more can be written to standard output.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// Nobody reads any more: the end of the program, without a message.
    #[error("standard output was closed")]
    Closed,
    /// A full disk, for instance.
    #[error("cannot write to standard output: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Io(error) }
    }
}

/// Where a command writes.
pub struct Output {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    /// On which streams there is colour.
    pub colors: Colors,
    /// The width of the terminal that standard output is; none in a pipe or a file.
    pub width: Option<usize>,
    /// Whether warnings and hints are left out.
    pub quiet: bool,
}

impl Output {
    /// The streams of this process.
    pub fn of_process(choice: ColorChoice, quiet: bool) -> Self {
        let stdout = io::stdout();
        let size = terminal_size::terminal_size_of(&stdout).map(|(width, _)| usize::from(width.0));
        // A terminal that does not know its width says 0.
        let width = stdout.is_terminal().then(|| size.filter(|width| *width > 0).unwrap_or(80));
        let buffered = Box::new(BufWriter::new(stdout));
        Self { stdout: buffered, stderr: Box::new(io::stderr()), colors: Colors::of_process(choice), width, quiet }
    }

    /// Other streams, without colour and of no width.
    pub fn new(stdout: impl Write + 'static, stderr: impl Write + 'static) -> Self {
        Self {
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            colors: Colors::default(),
            width: None,
            quiet: false,
        }
    }

    /// Writes a result, which must be escaped already.
    ///
    /// # Errors
    /// [`OutputError::Closed`] if nobody reads any more; what it is that cannot be written to, otherwise.
    pub fn print(&mut self, text: &str) -> Result<(), OutputError> {
        Ok(self.stdout.write_all(text.as_bytes())?)
    }

    /// Sends off what was printed: before a question, and at the end.
    ///
    /// # Errors
    /// As for [`Self::print`].
    pub fn flush(&mut self) -> Result<(), OutputError> {
        Ok(self.stdout.flush()?)
    }

    /// `warning: ...`, unless quiet.
    pub fn warning(&mut self, message: &str) {
        if !self.quiet {
            self.message("warning:", Style::Warning, message);
        }
    }

    /// `error: ...`, always.
    pub fn error(&mut self, message: &str) {
        self.message("error:", Style::Error, message);
    }

    /// `hint: ...`, unless quiet.
    pub fn hint(&mut self, message: &str) {
        if !self.quiet {
            self.message("hint:", Style::Hint, message);
        }
    }

    /// A remark without a label, unless quiet.
    pub fn note(&mut self, message: &str) {
        if !self.quiet {
            self.write_line(&escape(message));
        }
    }

    /// A further line of the message before it: a list, or what a plugin printed. It is set in, so that none can pass
    /// for a message of its own.
    pub fn continuation(&mut self, line: &str) {
        let indent = if line.starts_with("  ") { "" } else { "    " };
        self.note(&format!("{indent}{line}"));
    }

    /// The stream for a question, which is asked however quiet it is.
    pub fn questions(&mut self) -> &mut dyn Write {
        &mut self.stderr
    }

    fn message(&mut self, label: &str, style: Style, message: &str) {
        let line = format!("{} {}", style.paint(label, self.colors.stderr), escape(message));
        self.write_line(&line);
    }

    /// There is nobody to tell if standard error cannot be written to. On a terminal, results that were printed before come
    /// before; why they cannot be written is told by the next attempt.
    fn write_line(&mut self, line: &str) {
        let _ = self.stdout.flush();
        let _ = writeln!(self.stderr, "{line}");
        let _ = self.stderr.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(self.0.into())
        }
    }

    #[test]
    fn a_closed_pipe_is_told_apart_from_a_full_disk() {
        let mut closed = Output::new(Failing(io::ErrorKind::BrokenPipe), Failing(io::ErrorKind::BrokenPipe));
        assert!(matches!(closed.print("x"), Err(OutputError::Closed)));
        assert!(matches!(closed.flush(), Err(OutputError::Closed)));
        closed.error("nobody hears this, and nothing panics");
        let mut full = Output::new(Failing(io::ErrorKind::StorageFull), io::sink());
        assert!(matches!(full.print("x"), Err(OutputError::Io(_))));
    }

    #[test]
    fn messages_are_one_escaped_line_each_on_standard_error() {
        let (stdout, stderr) = (Shared::default(), Shared::default());
        let mut output = Output::new(stdout.clone(), stderr.clone());
        output.print("result\n").unwrap();
        output.warning("a\nerror: forged \u{1b}[2J");
        output.hint("try this");
        output.error("bad");
        output.note("by the way");
        assert_eq!(stdout.text(), "result\n");
        assert_eq!(stderr.text(), "warning: a\\u{a}error: forged \\u{1b}[2J\nhint: try this\nerror: bad\nby the way\n");
    }

    #[test]
    fn a_further_line_of_a_message_never_begins_like_one() {
        let stderr = Shared::default();
        let mut output = Output::new(io::sink(), stderr.clone());
        for line in ["hint: forged", " hint: forged", "  an item", "\thint: forged", ""] {
            output.continuation(line);
        }
        assert_eq!(stderr.text(), "    hint: forged\n     hint: forged\n  an item\n    \\u{9}hint: forged\n    \n");
    }

    #[test]
    fn quiet_leaves_results_and_errors_only() {
        let stderr = Shared::default();
        let mut output = Output::new(io::sink(), stderr.clone());
        output.quiet = true;
        output.colors.stderr = true;
        output.warning("w");
        output.hint("h");
        output.note("n");
        output.error("e");
        assert_eq!(stderr.text(), "\u{1b}[1;31merror:\u{1b}[0m e\n");
    }
}
