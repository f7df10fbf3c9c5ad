//! A pack small enough to compute by head: two tables of people by group, threshold ten.

use std::collections::BTreeMap;

use methodology::Pack;
use prost::Message;
use seal::SigningKey;
use wire::pb::submission::v1 as pb;
use wire::pb::submission::v1::cell::Figure;

/// The example of the first law: B alone is small, and either of its neighbours can hide it.
pub const LAW_ONE: [u32; 3] = [40, 7, 53];
/// Nothing is small here.
pub const LARGE: [u32; 3] = [40, 20, 53];
/// The codes that the counts are of.
pub const CODES: [&str; 3] = ["A", "B", "C"];
/// Its tables; the indicator of `groupes` is `groupes_n`.
pub const TABLES: [&str; 2] = ["groupes", "lieux"];
/// Cells of one table: the total and one per code.
pub const CELLS: u32 = 4;

/// The pack.
pub fn pack() -> Pack {
    let mut files = BTreeMap::from([(
        "pack.toml".to_owned(),
        b"format = 1\ncode = \"essai\"\nversion = \"1.0.0\"\ntitle = \"Essai\"\ndescription = \"Pour les essais.\"\n\
          tables = [\"groupes\", \"lieux\"]\n"
            .to_vec(),
    )]);
    for table in TABLES {
        files.insert(format!("tables/{table}.schema.json"), schema(table).into_bytes());
        files.insert(format!("tables/{table}.toml"), indicators(table).into_bytes());
        files.insert(format!("golden/{table}.toml"), golden(table).into_bytes());
    }
    Pack::parse(&files).expect("a pack")
}

/// The same under another number.
pub fn numbered(version: &str) -> Pack {
    let mut files = pack().files().clone();
    let front = String::from_utf8(files["pack.toml"].clone()).expect("a text").replace("1.0.0", version);
    files.insert("pack.toml".to_owned(), front.into_bytes());
    Pack::parse(&files).expect("a pack")
}

fn schema(table: &str) -> String {
    format!(
        r#"{{
  "name": "{table}", "title": "Personnes : {table}", "primaryKey": "id",
  "fields": [
    {{ "name": "id", "type": "string", "title": "Numéro", "constraints": {{ "required": true }} }},
    {{ "name": "groupe", "type": "string", "title": "Groupe", "constraints": {{ "required": true }} }}
  ],
  "maillage": {{
    "row": "une personne", "facts": "{table}",
    "dimensions": [{{
      "code": "groupe", "title": "Groupe",
      "codes": [{{ "code": "A", "title": "A" }}, {{ "code": "B", "title": "B" }}, {{ "code": "C", "title": "C" }}]
    }}]
  }}
}}"#
    )
}

fn indicators(table: &str) -> String {
    format!(
        r#"
[rules.dix]
threshold = 10
zeros = "publish"
width = 10

[[indicator]]
code = "{table}_n"
title = "Personnes"
theme = "Essai"
unit = "personnes"
aggregation = "additive"
uncertainty = "none"
polarity = "neutral"
[indicator.measure]
quantity = "rows"
by = [["groupe"]]
protection = "dix"
[indicator.sheet]
source = "Essai."
population = "Personnes."
periodicity = "Annuelle."
limits = ["Aucune."]
how_to_read = "Il y a 100 personnes."
how_not_to_read = "Rien d'autre."
"#
    )
}

fn golden(table: &str) -> String {
    format!(
        "[[case]]\nname = \"deux\"\nrows = \"\"\"\nid;groupe\n1;A\n2;B\n\"\"\"\n[case.expected]\n\"{table}_n\" = 2\n"
    )
}

/// A `node.toml` that feeds both tables for `period` from `groupes.csv` and `lieux.csv`.
pub fn settings(period: &str) -> String {
    TABLES.map(|table| source(table, period, "")).concat()
}

/// One source; `territory` is a line of its own, or nothing.
pub fn source(table: &str, period: &str, territory: &str) -> String {
    format!(
        "[[source]]\npack = \"essai\"\ntable = \"{table}\"\nperiod = \"{period}\"\n{territory}\n\
         [source.read]\nfile = \"{table}.csv\"\n\n"
    )
}

/// A file with so many people in A, B and C.
pub fn rows(counts: [u32; 3]) -> Vec<u8> {
    let mut text = "id;groupe\n".to_owned();
    for (code, count) in CODES.iter().zip(counts) {
        text.extend((1..=count).map(|number| format!("{code}{number};{code}\n")));
    }
    text.into_bytes()
}

/// A signed document taken apart, to be put together as a peer might who does not run our software.
pub struct Forgery(pub pb::SubmissionDocument);

impl Forgery {
    /// Begins with the bytes of an honest document, under another id.
    pub fn of(document: &[u8], id: [u8; 16]) -> Self {
        let mut document = pb::SubmissionDocument::decode(document).expect("a document");
        document.submission_id = id.to_vec();
        Self(document)
    }

    /// Shows `value` at `code` of `table`, or at its total for the empty text.
    pub fn show(mut self, table: &str, code: &str, value: i64) -> Self {
        *self.figure(table, code) = Some(Figure::Observed(value));
        self
    }

    /// Hides the cell at `code` of `table`.
    pub fn hide(mut self, table: &str, code: &str) -> Self {
        *self.figure(table, code) = Some(Figure::Suppressed(pb::Suppressed {}));
        self
    }

    fn figure(&mut self, table: &str, code: &str) -> &mut Option<Figure> {
        let codes: &[&str] = if code.is_empty() { &[] } else { &[code] };
        self.0
            .slices
            .iter_mut()
            .filter(|slice| slice.table == table)
            .flat_map(|slice| &mut slice.series)
            .flat_map(|series| &mut series.cells)
            .find(|cell| cell.codes == codes)
            .map(|cell| &mut cell.figure)
            .expect("a cell")
    }

    /// Bytes and signature.
    pub fn sign(&self, key: &SigningKey) -> (Vec<u8>, seal::Signature) {
        let bytes = self.0.encode_to_vec();
        let signature = key.sign(&bytes);
        (bytes, signature)
    }
}
