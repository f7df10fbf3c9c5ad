//! The file again, with what was decided about each row.

use disclosure::tables::Decided;

use super::GridFile;

/// What to write of rows that are hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edition {
    /// Everything as it was: for the commune's own use.
    Working,
    /// Codes, shown figures, and nothing else: what may leave.
    Public,
}

impl GridFile {
    /// The columns as they were, then `primary` (if there was none) and `suppressed`, each 0 or 1. `decided` row by row.
    ///
    /// # Panics
    /// Never: what is written goes to memory, one record as long as the next.
    pub fn decided(&self, decided: &[Decided], edition: Edition) -> Vec<u8> {
        let columns = &self.columns;
        let primary = columns.primary.unwrap_or(self.header.len());
        let suppressed = columns.suppressed.unwrap_or(self.header.len() + usize::from(columns.primary.is_none()));
        let width =
            self.header.len() + usize::from(columns.primary.is_none()) + usize::from(columns.suppressed.is_none());
        let codes = || columns.dimensions.iter().map(|&(column, _)| column);
        let mut writer = csv::WriterBuilder::new().delimiter(self.separator).from_writer(Vec::new());
        let mut write = |cell: &dyn Fn(usize) -> String| {
            let record: Vec<String> = match edition {
                Edition::Working => (0..width).map(cell).collect(),
                Edition::Public => codes().chain([columns.value, suppressed]).map(cell).collect(),
            };
            writer.write_record(&record).expect("memory does not fail, and all records have one length");
        };
        write(&|at| match at {
            _ if at < self.header.len() => self.header[at].clone(),
            _ if at == primary => "primary".to_owned(),
            _ => "suppressed".to_owned(),
        });
        let mut row = 0;
        let flag = |flag: bool| if flag { "1" } else { "0" }.to_owned();
        let each = self.each(|record| {
            let Decided { suppressed: hidden, primary: by_rule } = decided.get(row).copied().unwrap_or(Decided::HIDDEN);
            write(&|at| match at {
                _ if at == primary => flag(by_rule),
                _ if at == suppressed => flag(hidden),
                _ if at == columns.value && hidden && edition == Edition::Public => String::new(),
                _ => record.get(at).unwrap_or_default().to_owned(),
            });
            row += 1;
            Ok(())
        });
        debug_assert!(each.is_ok(), "nothing above refuses a row");
        writer.into_inner().expect("memory does not fail")
    }
}
