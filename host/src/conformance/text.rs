//! Reading `tree.txt`: the lines that tell how the plugin comes to the tree, and the tree, an entry a line.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::model::RelPath;

use super::tree::{Item, Tree, What};

/// How the plugin comes to a tree, as the lines before it say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setting {
    /// Variables that are set.
    pub env: Vec<(String, String)>,
    /// The rule whose root the tree is.
    pub rule: Option<String>,
    /// Where the tree is; `~` is the home.
    pub at: Option<String>,
    /// What the plan removes; everything if empty.
    pub clean: Vec<String>,
}

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {number}: {why}")]
pub struct LineError {
    /// Counted from 1.
    pub number: usize,
    /// What is wrong with it.
    pub why: String,
}

/// Reads a whole `tree.txt`; its entries are added to what is there.
///
/// # Errors
/// For the first line that is none.
pub fn parse(text: &str, tree: &mut Tree) -> Result<Setting, LineError> {
    let mut setting = Setting::default();
    let mut in_header = true;
    for (at, line) in text.lines().enumerate() {
        let fail = |why: String| LineError { number: at + 1, why };
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if in_header && header(line.trim(), &mut setting).map_err(fail)? {
            continue;
        }
        in_header = false;
        let (path, item) = entry(line).map_err(fail)?;
        let above = std::iter::successors(path.parent(), RelPath::parent);
        for folder in above.filter(|folder| !folder.is_root()) {
            let what = &tree.items.entry(folder.clone()).or_insert_with(|| What::Folder.into()).what;
            if *what != What::Folder {
                return Err(fail(format!("`{folder}` is no folder, so nothing can be in it")));
            }
        }
        tree.items.insert(path, item);
    }
    Ok(setting)
}

/// Takes a line if it is one of the header.
fn header(line: &str, setting: &mut Setting) -> Result<bool, String> {
    let Some((word, value)) = line.split_once(": ") else { return Ok(false) };
    let value = value.trim().to_owned();
    match word {
        "env" => match value.split_once('=') {
            Some((name, value)) => setting.env.push((name.to_owned(), value.to_owned())),
            None => return Err(format!("`env: {value}` has no `=`; write `env: NAME=VALUE`")),
        },
        "root" => setting.rule = Some(value),
        "at" => match value.strip_prefix('~') {
            Some(rest) if rest.is_empty() || RelPath::parse(rest.trim_start_matches('/')).is_ok() => {
                setting.at = Some(value);
            }
            _ => return Err(format!("`at: {value}` is not a place in the home; write `at: ~/folder`")),
        },
        "clean" => setting.clean.push(value),
        _ => return Ok(false),
    }
    Ok(true)
}

fn entry(line: &str) -> Result<(RelPath, Item), String> {
    let (left, what) = if let Some((left, text)) = line.split_once(" = ") {
        (left, Some(What::Text(unescape(text)?)))
    } else if let Some((left, target)) = line.split_once(" -> ") {
        (left, Some(What::Link(unescape(target.trim_end())?)))
    } else {
        (line.strip_suffix(" =").unwrap_or(line), line.ends_with(" =").then(|| What::Text(Vec::new())))
    };
    let mut item = Described { left: left.trim_end(), what, mode: None, modified: None };
    while item.take_word()? {}
    let what = match (item.what, item.left.strip_suffix('/')) {
        (None, Some(folder)) => {
            item.left = folder;
            What::Folder
        }
        (Some(what), None) => what,
        (Some(_), Some(_)) => return Err(format!("`{}` ends like a folder and has a content", item.left)),
        (None, None) => {
            let path = item.left;
            return Err(format!(
                "what is `{path}`? Write `{path}/`, `{path} 12 bytes`, `{path} = text` or `{path} -> target`"
            ));
        }
    };
    let path = RelPath::parse(item.left).map_err(|error| error.to_string())?;
    if path.is_root() {
        return Err("a line needs a path".into());
    }
    Ok((path, Item { what, mode: item.mode, modified: item.modified }))
}

/// A line of which words are taken from the right until the path is left.
struct Described<'a> {
    left: &'a str,
    what: Option<What>,
    mode: Option<u32>,
    modified: Option<Timestamp>,
}

impl Described<'_> {
    fn take_word(&mut self) -> Result<bool, String> {
        if let Some((rest, mode)) = self.left.strip_suffix(')').and_then(|it| it.rsplit_once(" (mode ")) {
            let parsed = u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777);
            self.mode = Some(parsed.ok_or_else(|| format!("`{mode}` is no mode; write it as in `(mode 000)`"))?);
            self.left = rest.trim_end();
            return Ok(true);
        }
        if let Some((rest, text)) = self.left.rsplit_once(" @").filter(|(_, text)| !text.contains(' ')) {
            self.modified =
                Some(time(text).ok_or_else(|| format!("`@{text}` is no time; write it as in @2024-05-01"))?);
            self.left = rest.trim_end();
            return Ok(true);
        }
        let sized = self.left.strip_suffix(" bytes").or_else(|| self.left.strip_suffix(" byte"));
        if let (None, Some((rest, size))) = (&self.what, sized.and_then(|it| it.rsplit_once(' '))) {
            let size = size.parse().map_err(|_| format!("`{size}` is no number of bytes"))?;
            (self.what, self.left) = (Some(What::Zeros(size)), rest.trim_end());
            return Ok(true);
        }
        Ok(false)
    }
}

/// A time in UTC, or the beginning of a day.
fn time(text: &str) -> Option<Timestamp> {
    let whole = text.parse::<Timestamp>().ok();
    let civil = || text.parse::<DateTime>().ok().or_else(|| Some(text.parse::<Date>().ok()?.at(0, 0, 0, 0)));
    whole.or_else(|| Some(civil()?.to_zoned(TimeZone::UTC).ok()?.timestamp()))
}

fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(plain.as_bytes());
        let (byte, length) = match escape.as_bytes().first() {
            Some(b'n') => (b'\n', 1),
            Some(b't') => (b'\t', 1),
            Some(b'\\') => (b'\\', 1),
            Some(b'x') => {
                let byte = escape.get(1..3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (byte.ok_or("`\\x` needs two hex digits")?, 3)
            }
            _ => return Err("a backslash is written `\\\\`; `\\n`, `\\t` and `\\xhh` mean something".into()),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<(String, Item)> {
        let mut tree = Tree::default();
        parse(text, &mut tree).unwrap();
        tree.items.into_iter().map(|(path, item)| (path.as_str().to_owned(), item)).collect()
    }

    fn refusal(text: &str) -> String {
        parse(text, &mut Tree::default()).unwrap_err().to_string()
    }

    #[test]
    fn every_documented_form_of_a_line_is_read() {
        let text = "# c\n\nmodels/\nmodels/a b.bin 1048576 bytes\nindex.json = {\"a\": 1}\\n\nlatest -> models/a b.bin\n\
                    old 5 bytes @2024-05-01\nat @2024-05-01T12:00:00Z = x\nno/ (mode 000)\nempty =\nraw = \\xff\\\\\\t\n";
        let dated = |what, time: &str| Item { modified: Some(time.parse().unwrap()), ..Item::from(what) };
        let expected = [
            ("at", dated(What::Text(b"x".into()), "2024-05-01T12:00:00Z")),
            ("empty", What::Text(vec![]).into()),
            ("index.json", What::Text(b"{\"a\": 1}\n".into()).into()),
            ("latest", What::Link(b"models/a b.bin".into()).into()),
            ("models", What::Folder.into()),
            ("models/a b.bin", What::Zeros(1_048_576).into()),
            ("no", Item { mode: Some(0), ..What::Folder.into() }),
            ("old", dated(What::Zeros(5), "2024-05-01T00:00:00Z")),
            ("raw", What::Text(b"\xff\\\t".into()).into()),
        ];
        assert_eq!(items(text), expected.map(|(path, item)| (path.to_owned(), item)));
    }

    #[test]
    fn folders_above_an_entry_need_no_line() {
        assert_eq!(items("a/b/c 1 byte").iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
    }

    #[test]
    fn the_header_ends_with_the_first_entry() {
        let text = "env: X_HOME=$HOME/x\nroot: x\nat: ~/x/y\nclean: a\nclean: b/c\nfile 1 byte\nenv: y = text\n";
        let mut tree = Tree::default();
        let setting = parse(text, &mut tree).unwrap();
        let expected = Setting {
            env: vec![("X_HOME".into(), "$HOME/x".into())],
            rule: Some("x".into()),
            at: Some("~/x/y".into()),
            clean: vec!["a".into(), "b/c".into()],
        };
        assert_eq!(setting, expected);
        assert!(tree.items.contains_key(&RelPath::parse("env: y").unwrap()));
    }

    #[test]
    fn a_line_that_is_none_is_refused_with_its_number() {
        for (text, why) in [
            ("a 1 byte\nb", "line 2: what is `b`?"),
            ("../a/", "line 1: `../a`"),
            ("/a/", "absolute"),
            ("a x bytes", "`x` is no number"),
            ("a/ (mode 9)", "`9` is no mode"),
            ("a/ @yesterday", "no time"),
            ("a/ = text", "ends like a folder"),
            ("a = \\q", "a backslash is written"),
            ("a 1 byte\na/b 1 byte", "line 2: `a` is no folder"),
            ("env: X", "env: NAME=VALUE"),
            ("at: /etc", "not a place in the home"),
            ("at: ~/../x", "not a place in the home"),
        ] {
            assert!(refusal(text).contains(why), "{text:?}: {}", refusal(text));
        }
    }
}
