//! Names of folders, and what they stand for.

/// A part of a repository's name as Transformers 5 writes it into a module's: `custom_hyphen_code`, `_1b_dot_x`. Older
/// versions left it as it is, which this does, too.
pub fn decoded(part: &str) -> String {
    let digit = part.strip_prefix('_').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    digit.unwrap_or(part).replace("_hyphen_", "-").replace("_dot_", ".")
}

/// A repository's name in the name of one folder: `acme--scripted`.
pub fn repository(folder: &str) -> String {
    match folder.split_once("--") {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() => format!("{owner}/{name}"),
        _ => folder.to_owned(),
    }
}

/// The module that a compiled file belongs to: `helper` for `helper.cpython-311.pyc` and `helper.cpython-311.opt-1.pyc`.
pub fn module_of(compiled: &str) -> Option<&str> {
    let (module, _) = compiled.strip_suffix(".pyc")?.split_once(".")?;
    Some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_s_name_tells_the_repository_s() {
        for (folder, name) in [
            ("custom_hyphen_code", "custom-code"),
            ("Qwen2_dot_5_hyphen_VL", "Qwen2.5-VL"),
            ("_01_hyphen_ai", "01-ai"),
            ("_private", "_private"),
            ("custom-code", "custom-code"),
            ("", ""),
        ] {
            assert_eq!(decoded(folder), name);
        }
        for (folder, name) in [("acme--set", "acme/set"), ("a--b--c", "a/b--c"), ("squad", "squad"), ("--", "--")] {
            assert_eq!(repository(folder), name);
        }
        assert_eq!(module_of("helper.cpython-311.pyc"), Some("helper"));
        assert_eq!(module_of("helper.cpython-311.opt-1.pyc"), Some("helper"));
        assert_eq!((module_of("helper.py"), module_of("helper.pyc")), (None, None));
    }
}
