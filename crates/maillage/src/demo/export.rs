//! How a fictional software writes its exports: as untidily as real ones do, and the same way at every run.

use std::path::Path;

/// One fictional software.
#[derive(Clone, Copy, Debug)]
pub struct Software {
    /// Its invented name, in the first lines of some exports.
    pub name: &'static str,
    /// Between two cells.
    pub separator: char,
    /// How text becomes bytes.
    pub encoding: Encoding,
    /// `\r\n` instead of `\n`.
    pub windows_lines: bool,
    /// Lines before the header.
    pub preamble: bool,
    /// A last row with a total.
    pub total_row: bool,
    /// Between thousands of an amount.
    pub thousands: &'static str,
    /// Before the cents.
    pub decimal: char,
    /// Which column names and which words it uses.
    pub dialect: usize,
}

/// How text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 with a byte order mark, as Excel writes it.
    Utf8WithMark,
    /// Windows-1252.
    Windows1252,
}

/// The softwares of the département; communes take them in turn.
pub const SOFTWARES: [Software; 4] = [
    Software {
        name: "SocialisPlus 8",
        separator: ';',
        encoding: Encoding::Windows1252,
        windows_lines: true,
        preamble: true,
        total_row: true,
        thousands: "\u{a0}",
        decimal: ',',
        dialect: 0,
    },
    Software {
        name: "Tableur",
        separator: ';',
        encoding: Encoding::Utf8WithMark,
        windows_lines: true,
        preamble: false,
        total_row: false,
        thousands: "\u{202f}",
        decimal: ',',
        dialect: 1,
    },
    Software {
        name: "Aidéa",
        separator: '\t',
        encoding: Encoding::Utf8,
        windows_lines: false,
        preamble: true,
        total_row: false,
        thousands: "",
        decimal: ',',
        dialect: 2,
    },
    Software {
        name: "OpenCCAS",
        separator: ',',
        encoding: Encoding::Utf8,
        windows_lines: false,
        preamble: false,
        total_row: false,
        thousands: "",
        decimal: '.',
        dialect: 1,
    },
];

impl Software {
    /// An amount of cents as this software writes it.
    pub fn amount(&self, cents: u64) -> String {
        let (euros, rest) = (cents / 100, cents % 100);
        let euros = if euros >= 1000 {
            format!("{}{}{:03}", euros / 1000, self.thousands, euros % 1000)
        } else {
            euros.to_string()
        };
        format!("{euros}{}{rest:02}", self.decimal)
    }

    /// Writes one export.
    pub fn write(&self, path: &Path, commune: &str, header: &[&str], rows: &[Vec<String>]) -> std::io::Result<()> {
        let separator = self.separator.to_string();
        let mut lines = Vec::with_capacity(rows.len() + 6);
        if self.preamble {
            let empty = separator.repeat(header.len().saturating_sub(1));
            lines.push(format!("{} — CCAS de {commune} (DONNÉES FICTIVES){empty}", self.name));
            lines.push(format!("Édité le 12/01/2026 à 08:45{empty}"));
            lines.push(empty);
        }
        lines.push(header.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(&separator));
        for row in rows {
            lines.push(row.iter().map(|cell| self.cell(cell)).collect::<Vec<_>>().join(&separator));
        }
        if self.total_row {
            let mut total = vec![String::new(); header.len()];
            if let Some(first) = total.first_mut() {
                "TOTAL".clone_into(first);
            }
            if let Some(last) = total.last_mut() {
                *last = rows.len().to_string();
            }
            lines.push(total.join(&separator));
        }
        let newline = if self.windows_lines { "\r\n" } else { "\n" };
        let text = lines.join(newline) + newline;
        let bytes = match self.encoding {
            Encoding::Utf8 => text.into_bytes(),
            Encoding::Utf8WithMark => [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat(),
            Encoding::Windows1252 => encoding_rs::WINDOWS_1252.encode(&text).0.into_owned(),
        };
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(path, bytes)
    }

    fn cell(&self, text: &str) -> String {
        if text.contains([self.separator, '"', '\n']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.to_owned()
        }
    }
}
