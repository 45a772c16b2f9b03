//! Addresses that downloads came from, and what users call what is there.

/// No address of a file is longer.
const LONGEST: usize = 2048;

/// Who is asked for a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// The Hub.
    Hub,
    /// Where models were before the Hub had repositories, until the end of 2020.
    Former,
    /// A mirror, or anybody.
    Other,
}

/// An address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `bert-base-uncased/config.json`, `acme/tiny@v1.0/config.json`, else the address without `https://`.
    pub text: String,
    /// `acme/tiny`, `datasets/acme/rows`.
    pub repository: Option<String>,
    /// `main`, a tag, a commit.
    pub revision: Option<String>,
    /// The file's path in its repository.
    pub file: Option<String>,
    /// Where it is.
    pub server: Server,
}

impl Address {
    /// Takes an address apart; none if it is not one of a file on the web.
    pub fn parse(url: &str) -> Option<Self> {
        if url.len() > LONGEST || url.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
            return None;
        }
        let secure = url.strip_prefix("https://");
        let (host, path) = secure.or_else(|| url.strip_prefix("http://"))?.split_once('/')?;
        let text = secure.unwrap_or(url);
        let plain = |server| Self { text: text.to_owned(), repository: None, revision: None, file: None, server };
        let Some((repository, revision, file)) = in_repository(path) else {
            let former = host == "cdn.huggingface.co"
                || host == "s3.amazonaws.com" && path.starts_with("models.huggingface.co/");
            return Some(plain(if former { Server::Former } else { Server::Other }));
        };
        let hub = secure.is_some() && host == "huggingface.co";
        let place = if hub { repository.to_owned() } else { text.get(..text.find("/resolve/")?)?.to_owned() };
        let at = if revision == "main" { String::new() } else { format!("@{revision}") };
        Some(Self {
            text: format!("{place}{at}/{file}"),
            repository: Some(repository.to_owned()),
            revision: Some(revision.to_owned()),
            file: Some(file.to_owned()),
            server: if hub { Server::Hub } else { Server::Other },
        })
    }
}

/// The parts of `acme/tiny/resolve/main/onnx/model.onnx`.
fn in_repository(path: &str) -> Option<(&str, &str, &str)> {
    let (repository, rest) = path.split_once("/resolve/")?;
    let (revision, file) = rest.split_once('/')?;
    (!repository.is_empty() && !revision.is_empty() && !file.is_empty()).then_some((repository, revision, file))
}

/// The Hub's address of a file, as the library makes it.
pub fn on_hub(repository: &str, revision: &str, file: &str) -> String {
    format!("https://huggingface.co/{repository}/resolve/{revision}/{file}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_their_users_write_them() {
        let table = [
            ("https://huggingface.co/gpt2/resolve/main/config.json", "gpt2/config.json", Server::Hub),
            ("https://huggingface.co/acme/t/resolve/main/onnx/m.onnx", "acme/t/onnx/m.onnx", Server::Hub),
            ("https://huggingface.co/acme/t/resolve/v1.0/c.json", "acme/t@v1.0/c.json", Server::Hub),
            ("https://huggingface.co/datasets/a/b/resolve/main/x", "datasets/a/b/x", Server::Hub),
            ("https://hub.lab/acme/t/resolve/main/c.json", "hub.lab/acme/t/c.json", Server::Other),
            ("http://huggingface.co/t/resolve/main/c.json", "http://huggingface.co/t/c.json", Server::Other),
            ("https://huggingface.co/t/raw/main/c.json", "huggingface.co/t/raw/main/c.json", Server::Other),
            ("https://huggingface.co/t/resolve/main/", "huggingface.co/t/resolve/main/", Server::Other),
            (
                "https://s3.amazonaws.com/models.huggingface.co/bert/a.json",
                "s3.amazonaws.com/models.huggingface.co/bert/a.json",
                Server::Former,
            ),
            ("https://cdn.huggingface.co/acme/t/m.bin", "cdn.huggingface.co/acme/t/m.bin", Server::Former),
            ("https://example.org/bundle.zip", "example.org/bundle.zip", Server::Other),
        ];
        for (url, text, server) in table {
            let address = Address::parse(url).unwrap();
            assert_eq!((address.text.as_str(), address.server), (text, server), "{url}");
        }
    }

    #[test]
    fn what_is_no_address_of_a_file_is_none() {
        let long = format!("https://huggingface.co/{}/resolve/main/x", "a".repeat(2100));
        for odd in
            ["", "config.json", "https://", "https://host", "ftp://host/x", "https://host/a\nb", "https://h/ ", &long]
        {
            assert_eq!(Address::parse(odd), None, "{odd:.40}");
        }
    }
}
