//! Tables for a terminal, and the same tables for a file or a pipe.

use std::io::{IsTerminal, Stdout};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, presets};

/// Where a table is going to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    /// A file, a pipe, a log: no lines drawn, nothing wrapped, so that the text can be searched and compared.
    Plain,
    /// A terminal of so many columns.
    Columns(u16),
}

impl Screen {
    /// What standard output is: its width when a person watches, [`Screen::Plain`] otherwise.
    pub fn of(out: &Stdout) -> Self {
        if !out.is_terminal() {
            return Self::Plain;
        }
        terminal_size::terminal_size_of(out).map_or(Self::Columns(80), |(width, _)| Self::Columns(width.0))
    }
}

/// One column: its title, and on which side its cells align.
#[derive(Clone, Debug)]
pub struct Column {
    title: String,
    numbers: bool,
}

impl Column {
    /// Words: aligned left, wrapped when the screen is narrow.
    pub fn text(title: impl Into<String>) -> Self {
        Self { title: title.into(), numbers: false }
    }

    /// Numbers: aligned right, never wrapped, because half a number is a wrong number.
    pub fn numbers(title: impl Into<String>) -> Self {
        Self { title: title.into(), numbers: true }
    }
}

/// Rows under titles.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

/// Narrower than this, a column of words is a column of syllables.
const NARROWEST_TEXT: usize = 12;

impl Table {
    /// An empty table.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self { columns: columns.into_iter().collect(), rows: Vec::new() }
    }

    /// Adds a row. Missing cells are empty, cells beyond the last column are left out.
    pub fn push<S: Into<String>>(&mut self, row: impl IntoIterator<Item = S>) -> &mut Self {
        let mut cells: Vec<String> = row.into_iter().map(|cell| printable(&cell.into())).collect();
        cells.resize(self.columns.len(), String::new());
        self.rows.push(cells);
        self
    }

    /// The table as text without a last line break. On a screen too narrow for its numbers each row becomes a
    /// block of `titre : valeur` lines.
    pub fn draw(&self, screen: Screen) -> String {
        match screen {
            Screen::Columns(width) if self.narrowest() > usize::from(width) => self.blocks(),
            Screen::Columns(width) => self.lines(Some(width)),
            Screen::Plain => self.lines(None),
        }
    }

    fn lines(&self, width: Option<u16>) -> String {
        let mut table = comfy_table::Table::new();
        if let Some(width) = width {
            table.load_style(presets::UTF8_HORIZONTAL_ONLY);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        } else {
            table.load_style(presets::NOTHING);
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        let cell = |column: &Column, text: &str| {
            let side = if column.numbers { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(side)
        };
        table.set_header(self.columns.iter().map(|column| cell(column, &printable(&column.title))));
        for row in &self.rows {
            table.add_row(self.columns.iter().zip(row).map(|(column, text)| cell(column, text)));
        }
        if width.is_some() {
            for (drawn, column) in table.column_iter_mut().zip(&self.columns) {
                if column.numbers {
                    drawn.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }

    fn blocks(&self) -> String {
        let block = |row: &Vec<String>| {
            let lines: Vec<String> = self
                .columns
                .iter()
                .zip(row)
                .filter(|(_, text)| !text.is_empty())
                .map(|(column, text)| format!("{}\u{a0}: {text}", printable(&column.title)))
                .collect();
            lines.join("\n")
        };
        self.rows.iter().map(block).collect::<Vec<_>>().join("\n\n")
    }

    /// The least width at which no number is cut: one space on each side of every column.
    fn narrowest(&self) -> usize {
        let longest = |index: usize, column: &Column| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let longest = cells.chain([&column.title]).map(|text| text.chars().count()).max().unwrap_or(0);
            if column.numbers { longest } else { longest.min(NARROWEST_TEXT) }
        };
        self.columns.iter().enumerate().map(|(index, column)| longest(index, column) + 2).sum()
    }
}

/// Cells quote file names, headers and names from elsewhere: a control or bidirectional character in them must
/// not move the cursor, colour the screen or turn a line around.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => ' ',
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn communes() -> Table {
        let mut table = Table::new([Column::text("Commune"), Column::numbers("Domiciliés"), Column::numbers("Part")]);
        table.push(["Écully", "1\u{202f}204", "25,4\u{202f}%"]);
        table.push(["L'Île-Saint-Denis", "secret", ""]);
        table
    }

    #[test]
    fn a_file_gets_aligned_columns_and_no_lines() {
        let expected = concat!(
            " Commune            Domiciliés    Part\n",
            " Écully                  1\u{202f}204  25,4\u{202f}%\n",
            " L'Île-Saint-Denis      secret",
        );
        assert_eq!(communes().draw(Screen::Plain), expected);
    }

    #[test]
    fn a_terminal_gets_rules_and_no_line_passes_its_edge() {
        let drawn = communes().draw(Screen::Columns(40));
        assert!(drawn.contains('─') || drawn.contains('═'), "{drawn}");
        assert!(drawn.lines().all(|line| line.chars().count() <= 40), "{drawn}");
        assert!(drawn.contains("1\u{202f}204"));
    }

    #[test]
    fn words_wrap_before_a_number_is_cut() {
        let drawn = communes().draw(Screen::Columns(37));
        assert!(drawn.lines().all(|line| line.chars().count() <= 37), "{drawn}");
        assert!(drawn.contains("25,4\u{202f}%"), "{drawn}");
    }

    #[test]
    fn a_very_narrow_terminal_gets_one_block_per_row() {
        let drawn = communes().draw(Screen::Columns(20));
        assert!(drawn.starts_with("Commune\u{a0}: Écully\nDomiciliés\u{a0}: 1\u{202f}204\n"), "{drawn}");
        assert!(drawn.ends_with("Domiciliés\u{a0}: secret"), "{drawn}");
    }

    #[test]
    fn a_name_cannot_drive_the_terminal() {
        let mut table = Table::new([Column::text("Fichier")]);
        table.push(["a\u{1b}[2Jb\r\u{202e}gpj.exe"]);
        let drawn = table.draw(Screen::Columns(60));
        assert!(!drawn.chars().any(|c| c.is_control() && c != '\n'), "{drawn:?}");
        assert!(!drawn.contains('\u{202e}'));
    }

    #[test]
    fn rows_of_the_wrong_length_keep_their_columns() {
        let mut table = Table::new([Column::text("A"), Column::text("B")]);
        table.push(["1"]).push(["1", "2", "3"]);
        assert_eq!(table.draw(Screen::Plain), " A  B\n 1\n 1  2");
    }
}
