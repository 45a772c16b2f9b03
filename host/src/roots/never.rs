//! Where credentials and the user's own settings are, whatever a plugin makes of the folders around them. What lies at
//! these places, or in them, does not exist for plugins and never goes, in a root of any rule.

use std::path::{Path, PathBuf};

use super::evaluate::evaluate;
use super::{Environment, Template};
use crate::model::Expansion;

/// Folders, and what in them is out of reach.
const IN_FOLDERS: &[(&[&str], &[&str])] = &[
    // huggingface_hub: `login` writes the first three into HF_HOME, and `sandbox` has what opens running sandboxes;
    // accelerate keeps the user's settings in it.
    (
        &["${HF_HOME}", "${XDG_CACHE_HOME}/huggingface", "{cache}/huggingface", "~/.cache/huggingface"],
        &["token", "stored_tokens", "stored_tokens.lock", "sandbox", "accelerate"],
    ),
    // huggingface_hub with HUGGINGFACE_CO_STAGING; before its release 0.9.
    (&["~/.cache/huggingface_staging", "~/.huggingface"], &["token", "stored_tokens", "stored_tokens.lock"]),
    // ir_datasets: a file for each site, with user and password.
    (&["${IR_DATASETS_HOME}", "~/.ir_datasets"], &["auth"]),
    // datamaestro: access keys, and where the user's own data are.
    (&["${DATAMAESTRO_DIR}", "~/datamaestro"], &["settings.json"]),
    // The Kaggle API and kagglehub.
    (
        &["${KAGGLE_CONFIG_DIR}", "~/.kaggle", "${XDG_CONFIG_HOME}/kaggle", "~/.config/kaggle"],
        &["kaggle.json", "access_token"],
    ),
    // The manual pages of netrc(5), `_netrc` on Windows, and git-credential-store(1). wandb and others use the first.
    (&["~"], &[".netrc", "_netrc", ".git-credentials"]),
    (&["${XDG_CONFIG_HOME}/git", "~/.config/git"], &["credentials"]),
];

/// Files that a variable names.
const NAMED: &[&str] = &["${HF_TOKEN_PATH}", "${NETRC}"];

/// Files beside one that a variable names: huggingface_hub has no variable for them.
const BESIDE: &[(&str, &[&str])] = &[("${HF_TOKEN_PATH}", &["stored_tokens", "stored_tokens.lock"])];

/// The places in this environment, as they are written, whether or not there is anything. A library that takes `~` or a
/// variable in a value literally has its place among them all the same. A home directory is none, nor what holds it: a
/// variable that names one means no file.
pub fn never(environment: &Environment) -> Vec<PathBuf> {
    let at = |text: &str| place(text, environment);
    let in_folders = IN_FOLDERS.iter().flat_map(|(folders, names)| {
        let folders = folders.iter().filter_map(|text| at(text));
        folders.flat_map(|folder| names.iter().map(move |name| folder.join(name)))
    });
    let beside = BESIDE.iter().filter_map(|(text, names)| Some((at(text)?.parent()?.to_owned(), names)));
    let beside = beside.flat_map(|(folder, names)| names.iter().map(move |name| folder.join(name)));
    let mut places: Vec<PathBuf> = in_folders.chain(NAMED.iter().filter_map(|text| at(text))).chain(beside).collect();
    let holds_home = |place: &Path| environment.home().is_some_and(|home| home.starts_with(place));
    places.retain(|place| place.parent().is_some() && !holds_home(place));
    places.sort();
    places.dedup();
    places
}

/// The place that a location means; none if its variable is not set, or it is another one in each working folder.
fn place(text: &str, environment: &Environment) -> Option<PathBuf> {
    let expand = Expansion { home: true, variables: true, empty: false };
    let found = evaluate(&text.parse::<Template>().ok()?, expand, environment)?;
    (!found.homeless && found.star.is_none() && found.base.is_absolute()).then_some(found.base)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    /// The places of an environment that differs from the plainest one by these variables, without those of the latter.
    fn added(settings: &[(&str, &str)]) -> Vec<String> {
        let environment = |settings: &[(&str, &str)]| Environment {
            variables: settings.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            home: Some("/home/user".into()),
            cache: "/home/user/.cache".into(),
            ..Environment::default()
        };
        let plain = never(&environment(&[]));
        let places = never(&environment(settings));
        assert!(plain.iter().all(|place| places.contains(place)), "{settings:?} takes something away");
        places.iter().filter(|place| !plain.contains(place)).map(|place| place.display().to_string()).collect()
    }

    #[test]
    fn every_template_of_the_table_is_one() {
        let folders = IN_FOLDERS.iter().flat_map(|(folders, _)| folders.iter());
        for text in folders.chain(NAMED).chain(BESIDE.iter().map(|(text, _)| text)) {
            assert!(text.parse::<Template>().is_ok(), "{text}");
        }
    }

    #[test]
    fn without_variables_the_places_are_the_libraries_own() {
        let home =
            |home: &str| Environment { home: Some(home.into()), cache: "/caches".into(), ..Environment::default() };
        let places = never(&home("/home/user"));
        for place in [
            "/home/user/.cache/huggingface/token",
            "/home/user/.cache/huggingface/stored_tokens",
            "/home/user/.cache/huggingface/accelerate",
            "/home/user/.cache/huggingface/sandbox",
            "/caches/huggingface/token",
            "/caches/huggingface/stored_tokens",
            "/home/user/.huggingface/token",
            "/home/user/.cache/huggingface_staging/token",
            "/home/user/.cache/huggingface_staging/stored_tokens",
            "/home/user/.ir_datasets/auth",
            "/home/user/datamaestro/settings.json",
            "/home/user/.kaggle/kaggle.json",
            "/home/user/.kaggle/access_token",
            "/home/user/.config/kaggle/kaggle.json",
            "/home/user/.config/git/credentials",
            "/home/user/.netrc",
            "/home/user/.git-credentials",
        ] {
            assert!(places.contains(&PathBuf::from(place)), "{place} is not among {places:?}");
        }
        assert!(places.iter().all(|place| place.is_absolute()), "{places:?}");
    }

    #[test]
    fn variables_add_places_and_take_none_away() {
        let hf = |folder: &str| {
            ["accelerate", "sandbox", "stored_tokens", "stored_tokens.lock", "token"]
                .map(|name| format!("{folder}/{name}"))
                .to_vec()
        };
        let one = |place: &str| vec![place.to_owned()];
        type Row<'a> = (&'a [(&'a str, &'a str)], Vec<String>);
        let table: &[Row<'_>] = &[
            (&[], vec![]),
            (&[("HF_HOME", "/abs/hf")], hf("/abs/hf")),
            (&[("HF_HOME", "~/hf")], hf("/home/user/hf")),
            (&[("HF_HOME", "$DISK/hf"), ("DISK", "/disk")], hf("/disk/hf")),
            (&[("HF_HOME", "")], vec![]),
            (&[("HF_HOME", "relative")], vec![]),
            (&[("XDG_CACHE_HOME", "/xdg")], hf("/xdg/huggingface")),
            (
                &[("HF_TOKEN_PATH", "~/keys/mine")],
                ["mine", "stored_tokens", "stored_tokens.lock"].map(|it| format!("/home/user/keys/{it}")).to_vec(),
            ),
            (&[("HF_TOKEN_PATH", "/")], vec![]),
            (&[("NETRC", "~")], vec![]),
            (&[("NETRC", "/home")], vec![]),
            (&[("NETRC", "~/nets")], one("/home/user/nets")),
            (&[("IR_DATASETS_HOME", "/ir")], one("/ir/auth")),
            (&[("IR_DATASETS_HOME", "~/ir")], one("/home/user/ir/auth")),
            (&[("DATAMAESTRO_DIR", "/dm")], one("/dm/settings.json")),
            (
                &[("XDG_CONFIG_HOME", "/config")],
                ["git/credentials", "kaggle/access_token", "kaggle/kaggle.json"]
                    .map(|it| format!("/config/{it}"))
                    .to_vec(),
            ),
            (&[("KAGGLE_CONFIG_DIR", "/k")], vec!["/k/access_token".into(), "/k/kaggle.json".into()]),
        ];
        for (settings, expected) in table {
            assert_eq!(added(settings), *expected, "{settings:?}");
        }
    }

    #[test]
    fn without_a_home_only_variables_give_places() {
        let netrc = ("NETRC".into(), "/nets".into());
        let environment = Environment { variables: [netrc].into(), ..Environment::default() };
        assert_eq!(never(&environment), [PathBuf::from("/nets")]);
        assert_eq!(never(&Environment::default()), Vec::<PathBuf>::new());
    }
}
