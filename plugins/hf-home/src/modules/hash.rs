//! The digest by which Datasets and Evaluate name the copy of a script: of its code without comments, and of the code of
//! the modules that it imports from beside it. So an edited copy can be told from one that is as the library made it.

use sha2::{Digest, Sha256};

use crate::downloads::hex;

/// The digest of several files' code, in this order.
pub fn of(files: &[String]) -> String {
    let mut digest = Sha256::new();
    let mut is_first = true;
    for line in files.iter().flat_map(|text| lines(text)) {
        let code = line.split_once('#').map_or(line.as_str(), |(code, _)| code);
        // A comment takes what is on its line but for the line's end.
        let end = if code.len() < line.len() && line.ends_with('\n') { "\n" } else { "" };
        if code.is_empty() && end.is_empty() {
            continue;
        }
        if !is_first {
            digest.update(b"\n");
        }
        digest.update(code);
        digest.update(end);
        is_first = false;
    }
    hex(&digest.finalize())
}

/// The lines with their ends, of which Python reads each kind as `\n`.
fn lines(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.split_inclusive('\n').map(str::to_owned).collect()
}

/// The modules that a script imports from beside it, in the order in which the library finds them.
pub fn imports(script: &str) -> Vec<String> {
    let mut found: Vec<String> = vec![];
    let mut in_text = false;
    for line in lines(script) {
        if line.matches("\"\"\"").count() == 1 {
            in_text = !in_text;
        }
        let rest = ["import", "from"].iter().find_map(|word| line.strip_prefix(word)).filter(|_| !in_text);
        let name = rest.filter(|rest| rest.starts_with(char::is_whitespace)).and_then(|rest| {
            let name = rest.trim_start().strip_prefix('.')?;
            name.split(|it: char| it.is_whitespace() || it == '.').next().filter(|name| !name.is_empty())
        });
        if let Some(name) = name.filter(|name| !found.iter().any(|known| known == name)) {
            found.push(name.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_line_ends_do_not_count_and_blanks_do() {
        let of = |text: &str| of(&[text.to_owned()]);
        assert_eq!(of("a = 1  # one\nb\n"), of("a = 1  # two\r\nb\n"));
        assert_ne!(of("a = 1\n"), of("a = 1 \n"));
        assert_ne!(of("a\n\nb\n"), of("a\nb\n"));
        assert_eq!(of(""), hex(&Sha256::digest(b"")));
    }

    #[test]
    fn only_imports_from_beside_the_script_count() {
        let script = "import json\nfrom .utils import x\nimport .more\n\"\"\"\nfrom .text import y\n\"\"\"\nfrom .utils.deep import z\n from .within import a\n";
        assert_eq!(imports(script), ["utils", "more"]);
    }
}
