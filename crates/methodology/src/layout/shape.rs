//! How rows stand in a file: its header, its years, and what makes one figure of several rows.

use model::Figure;

/// How the rows of a file stand in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape {
    /// The names of all columns, in order, where the file has no header line.
    pub header: Option<Vec<String>>,
    /// How many lines that are not blank stand above the header: titles, dates.
    pub above: usize,
    /// How many lines stand between the header and the first figures: labels.
    pub below: usize,
    /// A part of the producer's file name, with `{year}` as in the names of columns: what tells the vintage where
    /// columns do not.
    pub file_name: Option<String>,
    /// The column that says which year a row is about.
    pub year: Option<String>,
}

impl Shape {
    /// What groups of columns call the year of the row.
    pub const ROW: &'static str = "row";

    /// How many records stand before the first figures.
    pub fn head(&self) -> usize {
        self.above + self.below + usize::from(self.header.is_none())
    }

    /// The year that a row's text says: `2018`, or `2021-2022` for the school year that begins in 2021.
    pub fn row_year(text: &str) -> Option<u16> {
        let year = |text: &str| {
            let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|year| digits && (1900..=2200).contains(year))
        };
        let text = text.trim();
        match text.split_once(['-', '/']) {
            None => year(text),
            Some((first, second)) => {
                let first: u16 = year(first)?;
                (year(second)? == first + 1).then_some(first)
            }
        }
    }
}

/// How the rows of one territory become one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their sum. Without a row it is zero: such a file lists all that there is.
    Sum,
    /// How many rows there are; what the cell holds does not matter.
    Count,
    /// The lowest of the values that are published.
    Lowest,
    /// The highest of the values that are published.
    Highest,
    /// The median of the values that are published, each row counting once: the middle one, or halfway between the
    /// two in the middle, half a unit rounded up.
    Median,
}

impl Fold {
    /// What a territory has that is in the file, but without a row that counts.
    pub fn of_none(self) -> Figure {
        match self {
            Self::Sum | Self::Count => Figure::Observed(0),
            Self::Lowest | Self::Highest | Self::Median => Figure::NotApplicable,
        }
    }
}

/// A row counts if this column holds one of these texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Only {
    /// Name of the column.
    pub column: String,
    /// Texts, as the producer writes them; a last `*` stands for anything.
    pub texts: Vec<String>,
}

impl Only {
    /// Whether a cell holds one of the texts.
    pub fn takes(&self, cell: &str) -> bool {
        let cell = cell.trim();
        self.texts.iter().any(|text| text.strip_suffix('*').map_or(cell == text, |begin| cell.starts_with(begin)))
    }
}

/// Whether `damaged` is `whole` with some letters replaced by U+FFFD: one for each, or several for the bytes of one.
pub(super) fn alike(whole: &str, damaged: &str) -> bool {
    let mut rest = whole.chars();
    let mut lost = false;
    for letter in damaged.chars() {
        if letter == '\u{fffd}' {
            if !lost {
                rest.next();
            }
            lost = true;
        } else {
            lost = false;
            if rest.next() != Some(letter) {
                return false;
            }
        }
    }
    rest.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_four_digits_or_a_school_year() {
        for (text, year) in
            [("2018", Some(2018)), (" 2021-2022 ", Some(2021)), ("2021/2022", Some(2021)), ("2021-2023", None)]
        {
            assert_eq!(Shape::row_year(text), year, "{text}");
        }
        for text in ["", "18", "20180", "+201", "1789", "2018-", "2021-22"] {
            assert_eq!(Shape::row_year(text), None, "{text}");
        }
    }

    #[test]
    fn lost_letters_may_have_been_any_and_nothing_else_may() {
        assert!(alike("exonérée", "exon\u{fffd}r\u{fffd}e"));
        assert!(alike("exonérée", "exon\u{fffd}\u{fffd}r\u{fffd}e"));
        for damaged in ["exon\u{fffd}r\u{fffd}es", "exon\u{fffd}r", "axon\u{fffd}r\u{fffd}e"] {
            assert!(!alike("exonérée", damaged), "{damaged}");
        }
    }

    #[test]
    fn only_the_texts_that_are_named_count() {
        let only = Only { column: "TYPEQU".to_owned(), texts: vec!["D201".to_owned(), "F1*".to_owned()] };
        assert!(only.takes("D201") && only.takes(" F101 "));
        assert!(!only.takes("D20") && !only.takes("F201") && !only.takes(""));
    }
}
