//! Whether to use colour, decided once for each stream, and the few styles there are.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::str::FromStr;

/// What `--color` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// On a terminal that can.
    #[default]
    Auto,
    /// Also into pipes and files.
    Always,
    /// Not at all.
    Never,
}

/// A word that `--color` does not know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not one of auto, always, never")]
pub struct UnknownColorChoice(String);

impl FromStr for ColorChoice {
    type Err = UnknownColorChoice;

    fn from_str(text: &str) -> Result<Self, UnknownColorChoice> {
        match text {
            "auto" => Ok(Self::Auto),
            "always" => Ok(Self::Always),
            "never" => Ok(Self::Never),
            other => Err(UnknownColorChoice(other.to_owned())),
        }
    }
}

/// On which streams there is colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Colors {
    /// On standard output.
    pub stdout: bool,
    /// On standard error.
    pub stderr: bool,
}

impl Colors {
    /// The decision for this process.
    pub fn of_process(choice: ColorChoice) -> Self {
        let terminals = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        Self::decide(choice, terminals, |name| std::env::var_os(name))
    }

    /// `--color` before `CLICOLOR_FORCE` before `NO_COLOR` and `TERM=dumb` before whether it is a terminal. Empty
    /// variables say nothing.
    pub fn decide(
        choice: ColorChoice,
        (stdout, stderr): (bool, bool),
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let refused = set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb");
        // The old Windows console shows escape sequences as they are; the terminals that do not say who they are.
        let capable = !cfg!(windows) || set("TERM").is_some() || set("WT_SESSION").is_some();
        match choice {
            ColorChoice::Always => Self { stdout: true, stderr: true },
            ColorChoice::Never => Self::default(),
            ColorChoice::Auto if forced => Self { stdout: true, stderr: true },
            ColorChoice::Auto if refused || !capable => Self::default(),
            ColorChoice::Auto => Self { stdout, stderr },
        }
    }
}

/// How a line is set off. Colour never carries a meaning that the words do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    #[default]
    Plain,
    /// Less important.
    Dim,
    /// A heading, a total.
    Bold,
    /// Worth a look.
    Warning,
    /// Wrong.
    Error,
    /// What to do next.
    Hint,
}

impl Style {
    /// The text in this style if there is colour, else the text.
    pub fn paint(self, text: &str, color: bool) -> String {
        let code = match self {
            Self::Plain => return text.to_owned(),
            Self::Dim => "2",
            Self::Bold => "1",
            Self::Warning => "33",
            Self::Error => "1;31",
            Self::Hint => "36",
        };
        if color && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn colour_follows_option_variables_and_terminal_in_that_order() {
        let (none, one, both) = ((false, false), (false, true), (true, true));
        let table = [
            ("auto", "", one),
            ("auto", "NO_COLOR=", one),
            ("auto", "NO_COLOR=1", none),
            ("auto", "TERM=dumb", none),
            ("auto", "TERM=xterm", one),
            ("auto", "CLICOLOR_FORCE=1", both),
            ("auto", "CLICOLOR_FORCE=0", one),
            ("auto", "CLICOLOR_FORCE=1 NO_COLOR=1", both),
            ("always", "NO_COLOR=1 TERM=dumb", both),
            ("never", "CLICOLOR_FORCE=1", none),
        ];
        for (choice, settings, expected) in table {
            let setting = |name: &str| settings.split(' ').find_map(|one| one.strip_prefix(name)?.strip_prefix('='));
            let colors = Colors::decide(choice.parse().unwrap(), one, |name| setting(name).map(OsString::from));
            assert_eq!((colors.stdout, colors.stderr), expected, "--color {choice} with {settings}");
        }
        assert!("sometimes".parse::<ColorChoice>().is_err());
    }

    #[test]
    fn a_style_ends_where_its_text_ends_and_needs_colour() {
        assert_eq!(Style::Bold.paint("x", true), "\u{1b}[1mx\u{1b}[0m");
        assert_eq!(Style::Bold.paint("x", false), "x");
        assert_eq!(Style::Plain.paint("x", true), "x");
    }
}
