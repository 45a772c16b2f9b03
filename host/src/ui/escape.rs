//! Names for a terminal. A file name is text that an attacker may have chosen: it must not move the cursor, reorder or
//! hide what stands around it, or look like another name.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

/// Characters that show nothing, or another character, although they count as letters, marks or symbols.
const INVISIBLE: &[(char, char)] = &[
    ('\u{34f}', '\u{34f}'),     // combining grapheme joiner
    ('\u{115f}', '\u{1160}'),   // Hangul fillers
    ('\u{17b4}', '\u{17b5}'),   // Khmer inherent vowels
    ('\u{180b}', '\u{180f}'),   // Mongolian selectors
    ('\u{2800}', '\u{2800}'),   // blank Braille pattern
    ('\u{3164}', '\u{3164}'),   // Hangul filler
    ('\u{fe00}', '\u{fe0f}'),   // variation selectors
    ('\u{ffa0}', '\u{ffa0}'),   // half-width Hangul filler
    ('\u{16fe4}', '\u{16fe4}'), // Khitan filler
    ('\u{1d159}', '\u{1d159}'), // null note head
    ('\u{e0000}', '\u{e0fff}'), // tags, further variation selectors
];

/// The text with every character that would not show as itself written as `\u{hex}`. Texts in the path form of
/// [`crate::model::RelPath`] stay unambiguous: there a backslash is never followed by `u`.
pub fn escape(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        // At the start it would join what is printed before the name.
        if is_hidden(character) || out.is_empty() && shows_only_after_another(character) {
            // Writing to a string does not fail.
            let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// Whether a character is a control, changes the direction of text, is a separator other than the space, or is not
/// shown at all.
pub fn is_hidden(character: char) -> bool {
    if character.is_ascii() {
        return character.is_ascii_control();
    }
    INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&character)) || !is_printable(character)
}

/// The standard library's knowledge of what `{:?}` can print: no controls, formats, separators, private or unassigned
/// characters. It escapes marks at the start of a text only, so the character is asked for behind a letter.
fn is_printable(character: char) -> bool {
    let mut bytes = [b'a'; 5];
    let length = character.encode_utf8(&mut bytes[1..]).len();
    std::str::from_utf8(&bytes[..=length]).is_ok_and(|text| text.escape_debug().count() == 2)
}

/// Combining marks, and the vowels and jamo of some scripts that join the letter before them.
fn shows_only_after_another(character: char) -> bool {
    character.width() == Some(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_width::UnicodeWidthStr;

    const ESCAPE: char = '\u{1b}';

    #[test]
    fn ordinary_names_are_only_borrowed_or_stay() {
        assert!(matches!(escape("models--org--name (1).bin"), Cow::Borrowed(_)));
        for name in [
            "caf\u{e9}",
            "cafe\u{301}",
            "\u{6a21}\u{578b}",
            "\u{1f917}",
            "\\xff\\\\",
            "na\u{ef}ve \u{2014} x",
            "\u{5d0}\u{5d1}",
        ] {
            assert_eq!(escape(name), name);
        }
    }

    #[test]
    fn what_would_deceive_is_written_out() {
        let table = [
            ("a\nb", "a\\u{a}b"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("\u{7f}\u{9b}", "\\u{7f}\\u{9b}"),
            ("x\u{202e}gpj.exe", "x\\u{202e}gpj.exe"),
            ("a\u{200b}b\u{feff}", "a\\u{200b}b\\u{feff}"),
            ("\u{301}x", "\\u{301}x"),
            ("a\u{a0}b\u{3000}", "a\\u{a0}b\\u{3000}"),
        ];
        for (name, shown) in table {
            assert_eq!(escape(name), shown, "{name:?}");
        }
    }

    #[test]
    fn every_known_hiding_character_is_hidden() {
        let ranges: &[(u32, u32)] = &[
            (0x00, 0x1f),
            (0x7f, 0xa0),
            (0xad, 0xad),
            (0x34f, 0x34f),
            (0x600, 0x605),
            (0x61c, 0x61c),
            (0x6dd, 0x6dd),
            (0x70f, 0x70f),
            (0x115f, 0x1160),
            (0x1680, 0x1680),
            (0x17b4, 0x17b5),
            (0x180b, 0x180f),
            (0x2000, 0x200f),
            (0x2028, 0x202f),
            (0x205f, 0x206f),
            (0x2800, 0x2800),
            (0x3000, 0x3000),
            (0x3164, 0x3164),
            (0xe000, 0xe00f),
            (0xfe00, 0xfe0f),
            (0xfeff, 0xfeff),
            (0xffa0, 0xffa0),
            (0xfff9, 0xfffb),
            (0xfffe, 0xffff),
            (0x13430, 0x1343f),
            (0x1bca0, 0x1bca3),
            (0x1d159, 0x1d159),
            (0x1d173, 0x1d17a),
            (0xe0000, 0xe0fff),
        ];
        for code in ranges.iter().flat_map(|(first, last)| *first..=*last) {
            let character = char::from_u32(code).unwrap();
            assert!(is_hidden(character), "U+{code:04X} is shown as it is");
        }
    }

    #[test]
    fn what_stays_takes_room_or_is_a_mark_on_a_letter() {
        for character in ('\u{20}'..=char::MAX).filter(|character| !is_hidden(*character)) {
            let is_mark = character.escape_debug().count() > 1;
            // Jamo, and signs of Indian scripts that join the letter after them, are letters without a width.
            let joins =
                matches!(u32::from(character), 0xd4e | 0x1161..=0x11ff | 0xa8fa | 0xd7b0..=0xd7ff | 0x111c2..=0x11f02);
            assert!(character.width() != Some(0) || is_mark || joins, "U+{:04X}", u32::from(character));
            assert!(!character.is_control() && (character == ' ' || !character.is_whitespace()));
        }
    }

    proptest! {
        #[test]
        fn no_text_gets_a_hidden_character_to_the_terminal(text in "\\PC{0,8}[\\p{C}\\p{Z}\\p{M}]{0,8}\\PC{0,8}") {
            let shown = escape(&text);
            prop_assert!(!shown.chars().any(is_hidden), "{shown:?}");
            prop_assert!(!shown.contains(ESCAPE));
            prop_assert!(shown.width() <= shown.chars().count() * 2);
        }

        #[test]
        fn two_paths_never_look_the_same(a in "[a\\p{C}\u{301}]{0,4}", b in "[a\\p{C}\u{301}]{0,4}") {
            prop_assert_eq!(a == b, escape(&a) == escape(&b));
        }
    }
}
