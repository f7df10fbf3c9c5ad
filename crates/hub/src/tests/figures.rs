//! A small pack and its figures.

use std::collections::BTreeMap;

use disclosure::{
    Ledger, MeasureScheme, Protection, Published, Received, SafeTable, SliceAttributes, TableScheme, attack,
};
use methodology::{Pack, Table};
use model::{CommuneCode, Figure, Flags, IndicatorCode, Key, RuleHash, Slice, Units};
use wire::document::{Header, Outgoing};

pub(super) fn commune(code: &str) -> CommuneCode {
    code.parse().expect("a commune code")
}

/// Requests by quarter with their decision; counts below five are protected.
pub(super) fn pack() -> Pack {
    pack_with("1.0.0", 5)
}

/// The same questions under another version or threshold.
pub(super) fn pack_with(version: &str, threshold: u32) -> Pack {
    written(version, threshold, "decision = 'accord'")
}

/// Another question under the same code.
pub(super) fn pack_asking(version: &str, filter: &str) -> Pack {
    written(version, 5, filter)
}

fn written(version: &str, threshold: u32, filter: &str) -> Pack {
    let sheet = r#"
[indicator.sheet]
source = "s"
population = "p"
periodicity = "a"
limits = ["l"]
how_to_read = "h"
how_not_to_read = "n"
"#;
    let indicator = |code: &str, title: &str, unit: &str, aggregation: &str, body: &str| {
        format!(
            "[[indicator]]\ncode = \"{code}\"\ntitle = \"{title}\"\ntheme = \"t\"\nunit = \"{unit}\"\naggregation = \
             \"{aggregation}\"\nuncertainty = \"none\"\npolarity = \"neutral\"\n{body}{sheet}\n"
        )
    };
    let indicators = [
        format!("[rules.simple]\nthreshold = {threshold}\nzeros = \"publish\"\nwidth = {threshold}\n\n"),
        indicator(
            "demandes",
            "Demandes",
            "demandes",
            "additive",
            "[indicator.measure]\nquantity = \"rows\"\nby = [[\"quartier\"]]\nprotection = \"simple\"\n",
        ),
        indicator(
            "accords",
            "Accords",
            "accords",
            "additive",
            &format!(
                "[indicator.measure]\nquantity = \"rows\"\nfilter = \"{filter}\"\nby = [[\"quartier\"]]\n\
                 protection = \"simple\"\n"
            ),
        ),
        indicator(
            "taux",
            "Taux d’accord",
            "%",
            "ratio",
            "[indicator.ratio]\nnumerator = \"accords\"\ndenominator = \"demandes\"\nper = 100\ndecimals = 1\n",
        ),
        indicator(
            "menages",
            "Ménages",
            "ménages",
            "additive_within_commune",
            "[indicator.measure]\nquantity = \"distinct\"\ncolumn = \"id_menage\"\nprotection = \"simple\"\n",
        ),
    ]
    .concat();
    let schema = r#"{
  "name": "suivi", "title": "Suivi",
  "fields": [
    { "name": "id", "type": "string", "title": "Identifiant", "constraints": { "required": true } },
    { "name": "id_menage", "type": "string", "title": "Ménage", "constraints": { "required": true } },
    { "name": "quartier", "type": "string", "title": "Quartier", "constraints": { "required": true } },
    { "name": "decision", "type": "string", "title": "Décision", "constraints": { "required": true } }
  ],
  "primaryKey": "id",
  "missingValues": [""],
  "maillage": {
    "row": "une demande",
    "dimensions": [
      { "code": "quartier", "title": "Quartier", "codes": [
        { "code": "A", "title": "A" }, { "code": "B", "title": "B" }, { "code": "C", "title": "C" } ] },
      { "code": "decision", "title": "Décision", "codes": [
        { "code": "accord", "title": "Accord" }, { "code": "refus", "title": "Refus" } ] }
    ]
  }
}"#;
    let golden = "[[case]]\nname = \"c\"\nrows = \"\"\"\nid;id_menage;quartier;decision\n1;m;A;accord\n\"\"\"\n\
                  [case.expected]\n\"demandes\" = 1\n\"accords\" = 1\n\"menages\" = 1\n\"taux\" = \"100,0\"\n";
    let front = format!(
        "format = 1\ncode = \"essai\"\nversion = \"{version}\"\ntitle = \"Essai\"\ndescription = \"d\"\ntables = \
         [\"suivi\"]\n"
    );
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", front.as_str()),
        ("tables/suivi.toml", indicators.as_str()),
        ("tables/suivi.schema.json", schema),
        ("golden/suivi.toml", golden),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
    .collect();
    Pack::parse(&files).expect("the test's pack is sound")
}

pub(super) fn table(pack: &Pack) -> &Table {
    &pack.tables()[0]
}

/// Accords and refusals in quarters A, B, C.
pub(super) type Counts = [(Units, Units); 3];

/// Nothing in it needs hiding.
pub(super) const PLAIN: Counts = [(40, 10), (20, 10), (30, 20)];

/// The figures of a slice, some hidden: `("demandes", "")` is a total, `("demandes", "A")` a quarter.
pub(super) fn received(
    pack: &Pack,
    territory: &str,
    period: &str,
    counts: Counts,
    hidden: &[(&str, &str)],
) -> Received {
    let mut cells = BTreeMap::new();
    let mut put = |indicator: &str, quarter: &str, value: Units| {
        let key = if quarter.is_empty() {
            Key::total()
        } else {
            Key::total().with("quartier".parse().expect("a code"), quarter.parse().expect("a code"))
        };
        let figure = if hidden.contains(&(indicator, quarter)) { Figure::Suppressed } else { Figure::Observed(value) };
        let code: IndicatorCode = indicator.parse().expect("a code");
        cells.insert((code, key), Published { figure, flags: Flags::default() });
    };
    let total: Units = counts.iter().map(|(accords, refusals)| accords + refusals).sum();
    put("demandes", "", total);
    put("menages", "", total);
    put("accords", "", counts.iter().map(|(accords, _)| accords).sum());
    for (quarter, (accords, refusals)) in ["A", "B", "C"].into_iter().zip(counts) {
        put("demandes", quarter, accords + refusals);
        put("accords", quarter, accords);
    }
    let table = table(pack);
    let slice = Slice {
        territory: commune(territory),
        pack: pack.code().clone(),
        table: table.code().clone(),
        period: period.parse().expect("a period"),
    };
    let attributes = SliceAttributes {
        pack_version: pack.version().to_owned(),
        definition: table.definition_hash(),
        rule: table.rule_hash(),
    };
    Received { slice, attributes, cells }
}

/// The same cells, protected by nothing.
fn lenient() -> TableScheme {
    let pack = pack();
    let scheme = table(&pack).scheme();
    let open = |measure: &MeasureScheme| MeasureScheme { protection: Protection::None, ..measure.clone() };
    TableScheme::new(scheme.dimensions().clone(), scheme.measures().iter().map(open).collect()).expect("as sound")
}

/// What a node whose own rules hide nothing takes for safe: a hub must not rely on nodes.
fn careless(mut received: Received, lenient: &TableScheme) -> SafeTable {
    received.attributes.rule = RuleHash::from_bytes([9; 32]);
    attack::admit(received, lenient, &Ledger::empty()).expect("nothing is protected")
}

/// Writes whatever is claimed, as a careless or hostile node would.
pub(super) fn encode(header: &Header, tables: &[Received]) -> Vec<u8> {
    let lenient = lenient();
    let safe: Vec<SafeTable> = tables.iter().map(|table| careless(table.clone(), &lenient)).collect();
    let outgoing: Vec<Outgoing<'_>> = safe.iter().map(|table| Outgoing { table, scheme: &lenient }).collect();
    wire::document::encode(header, &outgoing).expect("a document")
}
