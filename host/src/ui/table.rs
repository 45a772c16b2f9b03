//! Tables: columns of text and right-aligned numbers. On a terminal a table fits the width, by shortening the widest text
//! column first and leaving out the last columns if that is not enough, and says so; in a pipe nothing is cut.

use comfy_table::{Cell, CellAlignment, ContentArrangement, presets};
use unicode_width::UnicodeWidthStr;

use super::escape;
use super::style::Style;

/// Blanks between two columns.
const GAP: usize = 2;
/// Text columns are not made narrower than this while there are columns to leave out.
const NARROWEST: usize = 8;
/// Cells are never wider, because the table crate counts in 16 bits. No path that a system takes comes near.
const WIDEST: usize = 16_384;
const ELLIPSIS: &str = "\u{2026}";

/// A column's heading and kind.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    is_number: bool,
}

impl Column {
    /// A left-aligned column, which may be shortened.
    pub fn text(title: &str) -> Self {
        Self { title: title.to_owned(), is_number: false }
    }

    /// A right-aligned column, which is never shortened: a cut number is a wrong number.
    pub fn number(title: &str) -> Self {
        Self { title: title.to_owned(), is_number: true }
    }
}

/// A table in the making. Cells are escaped when they come in.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<(Style, Vec<String>)>,
}

/// A table as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Whole lines, the heading first.
    pub text: String,
    /// What does not show, and how to see it; none if all of it shows.
    pub note: Option<String>,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: Vec<Column>) -> Self {
        let headings = columns.iter().map(|column| escape(&column.title).into_owned()).collect();
        Self { rows: vec![(Style::Bold, headings)], columns }
    }

    /// Adds a row with a cell for each column; a missing cell is empty.
    pub fn row(&mut self, style: Style, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        let mut cells: Vec<String> = cells.into_iter().map(|cell| escape(cell.as_ref()).into_owned()).collect();
        debug_assert!(cells.len() <= self.columns.len(), "a row has more cells than the table has columns");
        cells.resize(self.columns.len(), String::new());
        self.rows.push((style, cells));
    }

    /// Whether there is no row beneath the heading.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The table as text: within `width` columns of a terminal, or uncut where that is none.
    pub fn render(&self, width: Option<usize>, color: bool) -> Rendered {
        let natural: Vec<usize> = (0..self.columns.len()).map(|column| self.natural_width(column)).collect();
        let possible: Vec<usize> = natural.iter().map(|width| (*width).min(WIDEST)).collect();
        let widths = width.map_or_else(|| possible.clone(), |width| self.fit(possible.clone(), width.max(1)));
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        for (_, cells) in &self.rows {
            table.add_row(cells.iter().zip(&widths).enumerate().map(|(at, (text, width))| self.cell(at, text, *width)));
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((if at == 0 { 0 } else { GAP as u16 }, 0));
        }
        let lines = table.lines().zip(&self.rows).map(|(line, (style, _))| style.paint(line.trim_end(), color) + "\n");
        Rendered { text: lines.collect(), note: self.note(&natural, &widths) }
    }

    fn cell(&self, column: usize, text: &str, width: usize) -> Cell {
        let alignment = if self.columns[column].is_number { CellAlignment::Right } else { CellAlignment::Left };
        Cell::new(shorten(text, width)).set_alignment(alignment)
    }

    fn natural_width(&self, column: usize) -> usize {
        self.rows.iter().map(|(_, cells)| cells[column].width()).max().unwrap_or(0)
    }

    /// Column widths whose sum fits; fewer of them if the last columns have to go.
    fn fit(&self, natural: Vec<usize>, width: usize) -> Vec<usize> {
        let mut widths = natural.clone();
        loop {
            let room = width.saturating_sub(GAP * widths.len().saturating_sub(1));
            self.narrow(&mut widths, room);
            if widths.len() <= 1 || widths.iter().sum::<usize>() <= room {
                break;
            }
            let fewer = widths.len() - 1;
            widths = natural[..fewer].to_vec();
        }
        if let [only] = widths.as_mut_slice() {
            *only = (*only).min(width);
        }
        widths
    }

    /// Takes from the widest text column until the sum fits or every one is at its narrowest.
    fn narrow(&self, widths: &mut [usize], room: usize) {
        let mut excess = widths.iter().sum::<usize>().saturating_sub(room);
        while excess > 0 {
            let texts = widths.iter_mut().zip(&self.columns).filter(|(_, column)| !column.is_number);
            let Some(widest) = texts.map(|(width, _)| width).filter(|width| **width > NARROWEST).max() else { return };
            *widest -= 1;
            excess -= 1;
        }
    }

    fn note(&self, natural: &[usize], widths: &[usize]) -> Option<String> {
        let left_out: Vec<&str> = self.columns[widths.len()..].iter().map(|column| column.title.as_str()).collect();
        let is_shortened = natural.iter().zip(widths).any(|(natural, width)| width < natural);
        let what = match (is_shortened, left_out.is_empty()) {
            (false, true) => return None,
            (true, true) => "long names are shortened".to_owned(),
            (false, false) => format!("left out: {}", left_out.join(", ")),
            (true, false) => format!("long names are shortened, left out: {}", left_out.join(", ")),
        };
        Some(format!("{what}; a wider terminal, a pipe (`| cat`) or --json shows everything"))
    }
}

/// The text in at most `width` columns: its start and its end, which tell similar names apart, around an ellipsis.
fn shorten(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let fits = |part: &str, room: usize| part.width() <= room;
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let head_end = ends.clone().take_while(|at| fits(&text[..*at], room.div_ceil(2))).last().unwrap_or(0);
    let tail_room = room - text[..head_end].width().min(room);
    let tail_start =
        ends.rev().take_while(|at| *at >= head_end && fits(&text[*at..], tail_room)).last().unwrap_or(text.len());
    let short = format!("{}{ELLIPSIS}{}", &text[..head_end], &text[tail_start..]);
    // Where letters join, the parts can be wider than they were in the whole.
    if fits(&short, width) { short } else { ELLIPSIS.repeat(width.min(1)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Table {
        let mut table = Table::new(vec![
            Column::text("CACHE"),
            Column::number("ENTRIES"),
            Column::number("SIZE"),
            Column::text("PATH"),
        ]);
        table.row(Style::Plain, ["hub", "12", "1.9 GB", "/home/user/.cache/huggingface/hub"]);
        table.row(Style::Dim, ["ir_datasets", "3", "456 B", "/home/user/.ir_datasets"]);
        table.row(Style::Bold, ["total", "15", "1.9 GB"]);
        table
    }

    #[test]
    fn in_a_pipe_everything_is_there_in_plain_aligned_columns() {
        let expected = "\
CACHE        ENTRIES    SIZE  PATH
hub               12  1.9 GB  /home/user/.cache/huggingface/hub
ir_datasets        3   456 B  /home/user/.ir_datasets
total             15  1.9 GB
";
        assert_eq!(sample().render(None, false), Rendered { text: expected.to_owned(), note: None });
    }

    #[test]
    fn on_a_terminal_the_widest_text_is_shortened_and_the_note_says_so() {
        let rendered = sample().render(Some(50), false);
        let expected = "\
CACHE        ENTRIES    SIZE  PATH
hub               12  1.9 GB  /home/user\u{2026}gface/hub
ir_datasets        3   456 B  /home/user\u{2026}_datasets
total             15  1.9 GB
";
        assert_eq!(rendered.text, expected);
        assert!(rendered.note.unwrap().contains("--json"));
        assert_eq!(sample().render(Some(80), false).note, None);
    }

    #[test]
    fn a_number_is_left_out_rather_than_cut() {
        let rendered = sample().render(Some(18), false);
        assert_eq!(
            rendered.text,
            "CACHE      ENTRIES\nhub             12\nir_d\u{2026}sets        3\ntotal           15\n"
        );
        assert!(rendered.note.unwrap().contains("left out: SIZE, PATH"));
    }

    #[test]
    fn styles_wrap_whole_lines_and_only_with_colour() {
        let text = sample().render(None, true).text;
        assert!(
            text.starts_with("\u{1b}[1mCACHE")
                && text.contains("\u{1b}[2mir_datasets")
                && text.ends_with("1.9 GB\u{1b}[0m\n")
        );
        assert!(!sample().render(Some(10), false).text.contains('\u{1b}'));
    }

    #[test]
    fn a_name_cannot_break_its_row() {
        let mut table = Table::new(vec![Column::text("NAME")]);
        table.row(Style::Plain, ["a\nb\u{1b}[2J\r\t"]);
        assert_eq!(table.render(None, false).text, "NAME\na\\u{a}b\\u{1b}[2J\\u{d}\\u{9}\n");
    }

    #[test]
    fn names_longer_than_any_path_stay_on_their_line() {
        let mut table = Table::new(vec![Column::text("A"), Column::text("B")]);
        let (path, absurd) = ("x".repeat(WIDEST), "y".repeat(100_000));
        table.row(Style::Plain, [path.as_str(), ""]);
        assert_eq!(table.render(None, false).note, None);
        table.row(Style::Plain, ["", absurd.as_str()]);
        let rendered = table.render(None, false);
        assert_eq!(rendered.text.lines().count(), 3);
        assert!(rendered.text.contains(&path) && rendered.note.is_some());
        assert!(table.render(Some(80), false).text.lines().all(|line| line.width() <= 80));
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(shorten("abcdefghij", 10), "abcdefghij");
        assert_eq!(shorten("abcdefghij", 7), "abc\u{2026}hij");
        assert_eq!(shorten("\u{6a21}\u{578b}\u{6a21}\u{578b}", 5), "\u{6a21}\u{2026}\u{578b}");
        assert_eq!((shorten("abc", 1), shorten("abc", 0)), (ELLIPSIS.to_owned(), String::new()));
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_the_terminal(
            cells in proptest::collection::vec(proptest::collection::vec("\\PC{0,30}|.{0,10}|[\u{600}-\u{6ff}\u{4e00}\u{1f917}]{0,20}", 4), 0..6),
            width in 1usize..200,
        ) {
            let mut table =
                Table::new(vec![Column::text("NAME"), Column::number("SIZE"), Column::text("\u{6a21}\u{578b}"), Column::number("FILES")]);
            for row in &cells {
                table.row(Style::Plain, row);
            }
            let rendered = table.render(Some(width), false);
            prop_assert_eq!(rendered.text.lines().count(), cells.len() + 1);
            for line in rendered.text.lines() {
                prop_assert!(line.width() <= width, "{:?} is {} wide, not {}", line, line.width(), width);
            }
            let whole = table.render(None, false);
            prop_assert_eq!(whole.text.lines().count(), cells.len() + 1);
            prop_assert!(!whole.text.contains(ELLIPSIS) || cells.iter().flatten().any(|cell| cell.contains(ELLIPSIS)));
        }
    }
}
