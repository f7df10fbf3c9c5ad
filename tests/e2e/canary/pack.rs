//! A pack whose one table hides everything and whose other hides two cells, with files to fill both.

use std::collections::BTreeMap;

use methodology::Pack;

use super::search::Canary;

const FRONT: &str = "format = 1\ncode = \"canari\"\nversion = \"1.0.0\"\ntitle = \"Canari\"\ndescription = \"d\"\ntables = [\"cache\", \"mixte\"]\n";

const SHEET: &str = "
[indicator.sheet]
source = \"s\"
population = \"p\"
periodicity = \"a\"
limits = [\"l\"]
how_to_read = \"h\"
how_not_to_read = \"n\"
";

fn schema(table: &str, dimensions: &str) -> String {
    let fields: Vec<String> = dimensions
        .split(' ')
        .map(|name| format!("{{ \"name\": \"{name}\", \"type\": \"string\", \"title\": \"{name}\", \"constraints\": {{ \"required\": true }} }}"))
        .collect();
    let axis = |name: &str| {
        let codes: Vec<String> =
            codes(name).iter().map(|code| format!("{{ \"code\": \"{code}\", \"title\": \"{code}\" }}")).collect();
        format!("{{ \"code\": \"{name}\", \"title\": \"{name}\", \"codes\": [{}] }}", codes.join(", "))
    };
    let lists: Vec<String> = dimensions.split(' ').map(axis).collect();
    format!(
        "{{ \"name\": \"{table}\", \"title\": \"{table}\", \"fields\": [
            {{ \"name\": \"dossier\", \"type\": \"string\", \"title\": \"Dossier\", \"constraints\": {{ \"required\": true }} }},
            {{ \"name\": \"montant\", \"type\": \"number\", \"decimals\": 2, \"title\": \"Montant\", \"constraints\": {{ \"required\": true, \"minimum\": 0 }} }},
            {{ \"name\": \"poids\", \"type\": \"number\", \"decimals\": 3, \"title\": \"Poids\", \"constraints\": {{ \"required\": true, \"minimum\": 0 }} }},
            {} ],
          \"primaryKey\": \"dossier\", \"missingValues\": [\"\"],
          \"maillage\": {{ \"row\": \"un dossier\", \"facts\": \"{table}\", \"dimensions\": [{}] }} }}",
        fields.join(", "),
        lists.join(", ")
    )
}

fn codes(dimension: &str) -> &'static [&'static str] {
    match dimension {
        "zone" => &["z1", "z2", "z3"],
        "nature" => &["n1", "n2"],
        _ => &["q1", "q2", "q3", "q4"],
    }
}

fn measure(code: &str, quantity: &str, by: &str, rule: &str) -> String {
    format!(
        "[[indicator]]\ncode = \"{code}\"\ntitle = \"{code}\"\ntheme = \"t\"\nunit = \"u\"\naggregation = \"additive\"\n\
         uncertainty = \"none\"\npolarity = \"neutral\"\n[indicator.measure]\nquantity = {quantity}\nby = {by}\n\
         protection = \"{rule}\"\n{SHEET}"
    )
}

fn ratio(code: &str, numerator: &str, denominator: &str) -> String {
    format!(
        "[[indicator]]\ncode = \"{code}\"\ntitle = \"{code}\"\ntheme = \"t\"\nunit = \"u\"\naggregation = \"ratio\"\n\
         uncertainty = \"none\"\npolarity = \"neutral\"\n[indicator.ratio]\nnumerator = \"{numerator}\"\n\
         denominator = \"{denominator}\"\nper = 1\ndecimals = 2\n{SHEET}"
    )
}

/// `cache`: a threshold of a million people, so that every cell is confidential. `mixte`: a threshold of four.
pub fn pack() -> Pack {
    let rules = |threshold: u32| {
        format!(
            "[rules.nombre]\nthreshold = {threshold}\nzeros = \"publish\"\nwidth = {threshold}\n\n\
             [rules.euros]\nthreshold = {threshold}\nzeros = \"publish\"\nwidth = 500\n\n"
        )
    };
    let sum = "\"sum\"\ncolumn = \"montant\"";
    let weight = "\"weight\"\ncolumn = \"poids\"";
    let hidden = [
        rules(1_000_000),
        measure("cache_montant", sum, "[[\"zone\", \"nature\"]]", "euros"),
        measure("cache_poids", weight, "[[\"zone\"], [\"nature\"]]", "nombre"),
        measure("cache_dossiers", "\"rows\"", "[[\"zone\"]]", "nombre"),
        ratio("cache_moyenne", "cache_montant", "cache_dossiers"),
    ]
    .concat();
    let mixed = [
        rules(4),
        measure("mixte_montant", sum, "[[\"quartier\"]]", "euros"),
        measure("mixte_dossiers", "\"rows\"", "[[\"quartier\"]]", "nombre"),
        ratio("mixte_moyenne", "mixte_montant", "mixte_dossiers"),
    ]
    .concat();
    let golden = |table: &str, dimensions: &str, row: &str, extra: &str| {
        format!(
            "[[case]]\nname = \"c\"\nrows = \"\"\"\ndossier;montant;poids;{dimensions}\na;3;2;{row}\n\"\"\"\n[case.expected]\n\
             \"{table}_montant\" = 3\n\"{table}_dossiers\" = 1\n\"{table}_moyenne\" = 3\n{extra}"
        )
    };
    let files: BTreeMap<String, Vec<u8>> = [
        ("pack.toml", FRONT.to_owned()),
        ("tables/cache.schema.json", schema("cache", "zone nature")),
        ("tables/cache.toml", hidden),
        ("golden/cache.toml", golden("cache", "zone;nature", "z1;n1", "\"cache_poids\" = 2\n")),
        ("tables/mixte.schema.json", schema("mixte", "quartier")),
        ("tables/mixte.toml", mixed),
        ("golden/mixte.toml", golden("mixte", "quartier", "q1", "")),
    ]
    .into_iter()
    .map(|(path, text)| (path.to_owned(), text.into_bytes()))
    .collect();
    Pack::parse(&files).expect("the test's pack is sound")
}

/// What one commune holds: amounts in cents, weights in thousandths.
pub struct Figures {
    /// `cache`: one row per zone and nature.
    pub hidden: [(i64, i64); 6],
    /// `mixte`: amounts of the rows of q1 and of q2, two and three or three and two, of the same sum: nobody is alone.
    pub small: [Vec<i64>; 2],
}

/// Rows of q3 and q4, whose sums are shown. The rows themselves are nobody's business.
pub const SHOWN: [&[i64]; 2] = [
    &[111_213_159, 123_987_641, 131_517_283, 147_331_907, 119_753_137],
    &[102_938_475, 110_293_847, 121_029_387, 132_910_293, 143_829_101, 108_761_213],
];

impl Figures {
    pub fn first() -> Self {
        Self {
            hidden: [
                (123_456_789, 1_172_839_405),
                (134_567_813, 1_283_940_517),
                (145_678_937, 1_394_051_629),
                (111_121_359, 1_063_728_191),
                (129_876_541, 1_330_192_837),
                (138_765_403, 1_201_938_473),
            ],
            small: [vec![187_654_321, 154_321_987], vec![165_432_987, 121_109_123, 101_109_013]],
        }
    }

    /// Everything that is hidden is another; everything that is shown is the same.
    pub fn second() -> Self {
        Self {
            hidden: [
                (141_592_653, 1_414_213_562),
                (127_182_819, 1_173_205_081),
                (116_180_343, 1_223_606_797),
                (133_166_249, 1_082_842_713),
                (106_066_017, 1_144_948_974),
                (157_079_633, 1_264_575_131),
            ],
            small: [vec![151_357_911, 133_713_197, 119_090_807], vec![174_556_323, 150_909_193]],
        }
    }

    /// The files of the node.
    pub fn files(&self) -> [(&'static str, String); 2] {
        let mut number = 0;
        let mut row = |cents: i64, thousandths: i64, codes: &str| {
            number += 1;
            format!(
                "{};{},{:02};{},{:03};{codes}\n",
                dossier(number),
                cents / 100,
                cents % 100,
                thousandths / 1000,
                thousandths % 1000
            )
        };
        let mut hidden = String::from("dossier;montant;poids;zone;nature\n");
        for (index, (cents, thousandths)) in self.hidden.iter().enumerate() {
            hidden += &row(*cents, *thousandths, &format!("z{};n{}", index / 2 + 1, index % 2 + 1));
        }
        let mut mixed = String::from("dossier;montant;poids;quartier\n");
        let quarters: [&[i64]; 4] = [&self.small[0], &self.small[1], SHOWN[0], SHOWN[1]];
        for (index, rows) in quarters.iter().enumerate() {
            for cents in *rows {
                mixed += &row(*cents, 1000, &format!("q{}", index + 1));
            }
        }
        [("exports/cache.csv", hidden), ("exports/mixte.csv", mixed)]
    }

    /// Every confidential cell, and every row: none may be found.
    pub fn canaries(&self) -> Vec<Canary> {
        let mut canaries = Vec::new();
        let cells: [(&str, &[usize]); 12] = [
            ("", &[0, 1, 2, 3, 4, 5]),
            ("zone=z1", &[0, 1]),
            ("zone=z2", &[2, 3]),
            ("zone=z3", &[4, 5]),
            ("nature=n1", &[0, 2, 4]),
            ("nature=n2", &[1, 3, 5]),
            ("z1 n1", &[0]),
            ("z1 n2", &[1]),
            ("z2 n1", &[2]),
            ("z2 n2", &[3]),
            ("z3 n1", &[4]),
            ("z3 n2", &[5]),
        ];
        for (place, rows) in cells {
            let amount = rows.iter().map(|row| self.hidden[*row].0).sum();
            let weight = rows.iter().map(|row| self.hidden[*row].1).sum();
            canaries.push(Canary::number(format!("cache_montant {place}"), amount, 2));
            canaries.push(Canary::number(format!("cache_poids {place}"), weight, 3));
        }
        for (index, rows) in self.small.iter().enumerate() {
            canaries.push(Canary::number(format!("mixte_montant q{}", index + 1), rows.iter().sum(), 2));
        }
        for (index, cents) in self.small.concat().iter().chain(SHOWN.concat().iter()).enumerate() {
            canaries.push(Canary::number(format!("row {index}"), *cents, 2));
        }
        for number in 1..=20 {
            canaries.push(Canary::word(format!("dossier {number}"), &dossier(number)));
        }
        canaries
    }
}

/// The sums that are shown: a search that does not find these would find nothing.
pub fn shown() -> [Canary; 2] {
    [0, 1].map(|index| Canary::number(format!("mixte_montant q{}", index + 3), SHOWN[index].iter().sum(), 2))
}

fn dossier(number: u32) -> String {
    format!("DOSSIER-{:07}", 7_310_000 + number * 977)
}
