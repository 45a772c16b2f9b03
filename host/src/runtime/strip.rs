//! Makes a component smaller without changing what it does.

use wasmparser::{BinaryReader, BinaryReaderError};

/// The names of a component's own parts, by which no trap is told: that are those of the core modules in it.
const LEFT_OUT: &str = "component-name";
/// The bytes before the first section.
const HEADER: usize = 8;

/// A component without the section that nothing reads. What is no component comes back as it is, for others to refuse.
pub fn strip(bytes: Vec<u8>) -> Vec<u8> {
    without(&bytes).unwrap_or(bytes)
}

fn without(bytes: &[u8]) -> Result<Vec<u8>, BinaryReaderError> {
    let mut reader = BinaryReader::new(bytes, 0);
    let mut kept = reader.read_bytes(HEADER)?.to_vec();
    while !reader.eof() {
        let start = reader.original_position();
        let is_custom = reader.read_u8()? == 0;
        let size = reader.read_var_u32()?;
        let content = reader.read_bytes(size as usize)?;
        if !is_custom || BinaryReader::new(content, 0).read_string()? != LEFT_OUT {
            kept.extend_from_slice(&bytes[start..reader.original_position()]);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::audit;

    #[test]
    fn only_the_names_of_a_components_parts_are_left_out() {
        let text = r#"(component $named
            (import "dscc:plugin/log@0.1.0" (instance $log))
            (core module $code (func $inner))
            (@custom "kept" "1"))"#;
        let whole = wat::parse_str(text).unwrap();
        let has = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|it| it == word.as_bytes());
        let smaller = strip(whole.clone());
        assert!(has(&whole, LEFT_OUT) && !has(&smaller, LEFT_OUT) && smaller.len() < whole.len());
        assert!(has(&smaller, "inner") && has(&smaller, "kept"));
        assert_eq!(audit(&smaller), audit(&whole));
        assert_eq!(strip(smaller.clone()), smaller);
        for other in [&b""[..], b"(component)", &whole[..whole.len() - 1]] {
            assert_eq!(strip(other.to_vec()), other);
        }
    }
}
