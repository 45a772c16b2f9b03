//! The question before a removal. Anything but a clear yes is a no.

use std::io::{self, BufRead, IsTerminal, Write};

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Go on.
    Yes,
    /// Leave everything as it is.
    No,
}

/// Whether there is someone to ask: questions are read from standard input and written to standard error.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks `question [y/N]`. An empty line and the end of the input are a no. The question must be escaped already.
///
/// # Errors
/// When the question cannot be written or the answer cannot be read.
pub fn confirm(question: &str, input: &mut dyn BufRead, output: &mut dyn Write) -> io::Result<Answer> {
    ask_with(question, None, input, output)
}

/// Asks `question [y/N/l]`. An empty line and the end of the input are a no; `l` writes the full list and asks again.
/// Question and list must be escaped already.
///
/// # Errors
/// When the question cannot be written or the answer cannot be read.
pub fn ask(
    question: &str,
    mut list: impl FnMut() -> String,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<Answer> {
    ask_with(question, Some(&mut list), input, output)
}

fn ask_with(
    question: &str,
    mut list: Option<&mut dyn FnMut() -> String>,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> io::Result<Answer> {
    let choice = if list.is_some() { "y/N/l" } else { "y/N" };
    loop {
        write!(output, "{question} [{choice}] ")?;
        output.flush()?;
        let mut line = Vec::new();
        if input.read_until(b'\n', &mut line)? == 0 {
            writeln!(output)?;
            return Ok(Answer::No);
        }
        match (String::from_utf8_lossy(&line).trim().to_lowercase().as_str(), &mut list) {
            ("y" | "yes", _) => return Ok(Answer::Yes),
            ("" | "n" | "no", _) => return Ok(Answer::No),
            ("l" | "list", Some(list)) => write!(output, "{}", list())?,
            (_, Some(_)) => {
                writeln!(output, "y: yes, n: no (also with Enter alone), l: list everything that would go")?
            }
            (_, None) => writeln!(output, "y: yes, n: no (also with Enter alone)")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(typed: &[u8]) -> (Answer, String) {
        let mut output = Vec::new();
        let list = || "one\ntwo\n".to_owned();
        let answer = ask("Remove 2 entries?", list, &mut &*typed, &mut output).unwrap();
        (answer, String::from_utf8(output).unwrap())
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in ["y\n", "Y\n", "yes\r\n", " YES ", "what\ny\n"] {
            assert_eq!(answer(yes.as_bytes()).0, Answer::Yes, "{yes:?}");
        }
        for no in ["", "\n", "n\n", "No\n", "yeah\n", "yes please\n", "1\n", "l\n", "y y\n"] {
            assert_eq!(answer(no.as_bytes()).0, Answer::No, "{no:?}");
        }
        assert_eq!(answer(b"\xff\n").0, Answer::No);
    }

    #[test]
    fn a_question_without_a_list_offers_none() {
        let mut output = Vec::new();
        assert_eq!(confirm("Install it?", &mut &b"l\ny\n"[..], &mut output).unwrap(), Answer::Yes);
        let shown = String::from_utf8(output).unwrap();
        let again = "y: yes, n: no (also with Enter alone)\n";
        assert_eq!(shown, format!("Install it? [y/N] {again}Install it? [y/N] "));
    }

    #[test]
    fn the_list_is_shown_on_demand_and_the_question_comes_again() {
        let (answer, shown) = answer(b"l\ny\n");
        assert_eq!(answer, Answer::Yes);
        assert_eq!(shown, "Remove 2 entries? [y/N/l] one\ntwo\nRemove 2 entries? [y/N/l] ");
    }
}
