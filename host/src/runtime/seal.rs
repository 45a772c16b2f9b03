//! What was found out about a component's compiled code when its bytes were read last. Kept beside the code, so that
//! 18 MB of component and 35 MB of code are not read and digested by every run.
//!
//! Format (version 2 of the code cache), a line each: `dscc-code 2`, the SHA-256 of the code, the stamp of the code's
//! file, the stamp of the component's file. A stamp is `-` while no settled file was read.

use super::is_digest;
use super::stamp::Stamp;

const MAGIC: &str = "dscc-code 2";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// SHA-256 of the compiled code.
    pub(super) code_digest: String,
    /// The file of which the bytes had that digest.
    pub(super) code: Option<Stamp>,
    /// The file of which the bytes had the component's digest.
    pub(super) component: Option<Stamp>,
}

impl Seal {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let magic = lines.next()?;
        let code_digest = lines.next().filter(|line| magic == MAGIC && is_digest(line))?.to_owned();
        let mut stamp = || match lines.next()? {
            "-" => Some(None),
            line => line.parse().ok().map(Some),
        };
        Some(Self { code_digest, code: stamp()?, component: stamp()? })
    }

    pub(super) fn to_text(&self) -> String {
        let line = |stamp: Option<Stamp>| stamp.map_or_else(|| "-".to_owned(), |it| it.to_string());
        format!("{MAGIC}\n{}\n{}\n{}\n", self.code_digest, line(self.code), line(self.component))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_is_read_back_as_it_was_written_and_a_cut_one_is_none() {
        let seal = Seal { code_digest: "ab".repeat(32), code: "1:2:3:4:5".parse().ok(), component: None };
        let text = seal.to_text();
        assert_eq!(Seal::parse(&text), Some(seal));
        // Without its last line end it says the same.
        for end in 0..text.len() - 1 {
            assert_eq!(Seal::parse(&text[..end]), None, "{:?}", &text[..end]);
        }
        assert_eq!(Seal::parse(&text.replacen('2', "3", 1)), None);
    }
}
