//! Spoiled packs, schemas, layouts and filters: whatever is written, reading ends with a pack or with faults.
//!
//! Files of the library are spoiled where their structure is (lines, values, tokens, nesting), a few times each. A case is
//! its number: `MAILLAGE_FUZZ_SEED` begins at another, `MAILLAGE_FUZZ_SECONDS` goes on that long (`cargo xtask fuzz`).
//! A stack that overflows ends the process; the number of the case at hand is then in the file `fuzz-case`.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use methodology::{Pack, layouts, library, public_layouts};

type Files = BTreeMap<String, Vec<u8>>;

/// `SplitMix64`: every case its own stream.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).expect("a length")).expect("below a length")
    }

    fn one<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }
}

/// What authors, editors and attackers write.
const TOKENS: &[&str] = &[
    "",
    "\"",
    "'",
    "\"\"\"",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ",",
    ":",
    ";",
    "#",
    "\\",
    "\\u0000",
    "\u{0}",
    "\u{feff}",
    "\r",
    "\n",
    "\t",
    "null",
    "true",
    "false",
    "0",
    "-1",
    "1e309",
    "-0",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "0.1",
    "NaN",
    "inf",
    "2025-12-31",
    "2025-02-30",
    "é",
    "🏠",
    "\u{202e}",
    "%",
    "_",
    "{year}",
    "{year:4}",
    "{rp}",
    "{",
    "row",
    "public:",
    "public:a/b",
    "../x",
    "/",
    "[[relation]]",
    "implies = [\"a\", \"b\"]",
    "(?i)",
    "(a*)*",
    "[^",
    "\\d{9999}",
];

const SQL: &[&str] = &[
    "AND",
    "OR",
    "NOT",
    "(",
    ")",
    ",",
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "IN (",
    "BETWEEN",
    "LIKE",
    "IS NULL",
    "IS NOT NULL",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "TRUE",
    "FALSE",
    "NULL",
    "'x'",
    "'%'",
    "''",
    "'2025-12-31'",
    "1",
    "-1",
    "1.5",
    "99999999999999999999",
    "decision",
    "type_aide",
    "montant",
    "age",
    "tranche_age",
    "type_menage",
    "id_menage",
    "'accord'",
    "'energie'",
    "COUNT(*)",
    "SELECT 1",
    "EXISTS (",
    "COLUMNS(",
    "UNNEST(",
    "read_csv('/etc/passwd')",
    "OVER ()",
    "CAST(",
    "::int",
    "||",
    "--",
    "/*",
    "*/",
    "$1",
    "?",
    "\\",
    "\"age\"",
    "`age`",
    "ANY(",
    "ESCAPE '!'",
    "ILIKE",
    "SIMILAR TO",
    "COLLATE",
    "AT TIME ZONE",
];

fn spoil(text: &mut String, chance: &mut Chance) {
    let place = |text: &str, chance: &mut Chance| {
        let mut at = chance.below(text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    match chance.below(9) {
        0 => {
            let at = place(text, chance);
            text.insert_str(at, chance.one(TOKENS));
        }
        1 => {
            let (a, b) = (place(text, chance), place(text, chance));
            let end = b.clamp(a, a.saturating_add(40));
            let end = (a..=end.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(a);
            text.replace_range(a..end, chance.one(TOKENS));
        }
        2 => lines(text, |lines, chance| drop(lines.remove(chance.below(lines.len()))), chance),
        3 => lines(
            text,
            |lines, chance| {
                let copy = chance.one(lines);
                let at = chance.below(lines.len());
                lines.insert(at, copy);
            },
            chance,
        ),
        4 => lines(
            text,
            |lines, chance| {
                let (a, b) = (chance.below(lines.len()), chance.below(lines.len()));
                lines.swap(a, b);
            },
            chance,
        ),
        5 => values(text, chance),
        6 => {
            let at = place(text, chance);
            let nested = chance.one(&["[", "{\"a\":", "(", "NOT ", "{a=", "[[", "-"]).repeat(1 + chance.below(3_000));
            text.insert_str(at, &nested);
        }
        7 => text.truncate(place(text, chance)),
        _ => {
            // A block again under another place: indicators, cases, dimensions twice.
            let starts: Vec<usize> = text.match_indices("\n[[").map(|(at, _)| at).collect();
            if let [_, ..] = starts[..] {
                let start = chance.one(&starts);
                let end = starts.iter().copied().find(|at| *at > start).unwrap_or(text.len());
                let block = text[start..end].to_owned();
                for _ in 0..=chance.below(3) {
                    text.insert_str(end, &block);
                }
            }
        }
    }
}

fn lines(text: &mut String, turn: impl FnOnce(&mut Vec<String>, &mut Chance), chance: &mut Chance) {
    let mut list: Vec<String> = text.split('\n').map(str::to_owned).collect();
    turn(&mut list, chance);
    *text = list.join("\n");
}

/// The value of one key becomes another's, or a token.
fn values(text: &mut String, chance: &mut Chance) {
    let keyed: Vec<(usize, usize)> = text
        .match_indices(['=', ':'])
        .map(|(at, _)| (at + 1, text[at..].find('\n').map_or(text.len(), |end| at + end)))
        .filter(|(start, end)| start < end)
        .collect();
    if keyed.is_empty() {
        return;
    }
    let (start, end) = chance.one(&keyed);
    let (from, to) = chance.one(&keyed);
    let with = if chance.below(2) == 0 { text[from..to].to_owned() } else { format!(" {}", chance.one(TOKENS)) };
    text.replace_range(start..end, &with);
}

fn sql(chance: &mut Chance) -> String {
    match chance.below(4) {
        0 => format!("{}age >= 75{}", "(".repeat(chance.below(120)), ")".repeat(chance.below(120))),
        1 => vec!["type_aide = 'energie'"; 1 + chance.below(60)].join(chance.one(&[" OR ", " AND ", " "])),
        _ => (0..=chance.below(30)).map(|_| chance.one(SQL)).collect::<Vec<_>>().join(" "),
    }
}

/// Packs of one table each, and the layouts.
struct Stock {
    packs: Vec<Files>,
    layouts: Files,
}

fn stock() -> Stock {
    let alone = |pack: &Pack| -> Vec<Files> {
        let one = |table: &methodology::Table| {
            let code = table.code().as_str();
            let mine = |path: &str| path.split(['/', '.']).nth(1) == Some(code);
            let mut files: Files = pack
                .files()
                .iter()
                .filter(|(path, _)| mine(path))
                .map(|(path, text)| (path.clone(), text.clone()))
                .collect();
            let front = format!(
                "format = 1\ncode = \"{}\"\nversion = \"1.0.0\"\ntitle = \"T\"\ndescription = \"\"\ntables = [\"{code}\"]\n",
                pack.code()
            );
            files.insert("pack.toml".to_owned(), front.into_bytes());
            Pack::parse(&files).expect("a table of the library stands alone");
            files
        };
        pack.tables().iter().map(one).collect()
    };
    Stock { packs: library().iter().flat_map(alone).collect(), layouts: public_layouts() }
}

fn case(stock: &Stock, number: u64) {
    let mut chance = Chance(number);
    let kind = chance.below(10);
    if kind < 3 {
        let (name, text) = chance.one(&stock.layouts.iter().collect::<Vec<_>>());
        let bytes = spoiled(text, &mut chance);
        let _ = layouts(&BTreeMap::from([(name.clone(), bytes)]));
        return;
    }
    let mut files = chance.one(&stock.packs);
    if kind < 6 {
        let path =
            files.keys().find(|path| path.starts_with("tables/") && !path.contains(".schema")).expect("there").clone();
        let text = String::from_utf8(files[&path].clone()).expect("the library is UTF-8");
        let filters: Vec<usize> =
            text.match_indices("\n[indicator.measure]\n").map(|(at, found)| at + found.len()).collect();
        let at = chance.one(&filters);
        let end = text[at..].find("\n[").map_or(text.len(), |end| at + end);
        let own: Vec<&str> = text[at..end].lines().filter(|line| !line.starts_with("filter")).collect();
        let measure = format!("filter = '''\n{}'''\n{}", sql(&mut chance), own.join("\n"));
        files.insert(path, format!("{}{measure}{}", &text[..at], &text[end..]).into_bytes());
    } else {
        let path = chance.one(&files.keys().cloned().collect::<Vec<_>>());
        let bytes = spoiled(&files[&path], &mut chance);
        files.insert(path, bytes);
    }
    match Pack::check(&files) {
        Ok(pack) => drop(pack.files().len()),
        Err(faults) => assert!(!faults.is_empty() && faults.iter().all(|fault| !fault.message.is_empty())),
    }
}

fn spoiled(bytes: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut text = String::from_utf8(bytes.to_vec()).expect("the library is UTF-8");
    for _ in 0..=chance.below(4) {
        spoil(&mut text, chance);
    }
    let mut bytes = text.into_bytes();
    if chance.below(20) == 0 && !bytes.is_empty() {
        let at = chance.below(bytes.len());
        bytes[at] ^= 0x80;
    }
    bytes
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long to go on, and which case took longest, for people to read")]
fn spoiled_files_end_with_a_pack_or_with_faults() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = setting("MAILLAGE_FUZZ_SECONDS");
    let first = setting("MAILLAGE_FUZZ_SEED").unwrap_or(1);
    let stock = stock();
    let begun = Instant::now();
    let place = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz-case");
    let mut slowest = (Duration::ZERO, first);
    let mut number = first;
    loop {
        let over = match seconds {
            Some(seconds) => begun.elapsed() >= Duration::from_secs(seconds),
            None => number - first >= 300,
        };
        if over {
            break;
        }
        if seconds.is_some() {
            std::fs::write(&place, number.to_string()).expect("the target folder is writable");
        }
        let before = Instant::now();
        let outcome = catch_unwind(AssertUnwindSafe(|| case(&stock, number)));
        slowest = slowest.max((before.elapsed(), number));
        assert!(outcome.is_ok(), "case {number} panics: MAILLAGE_FUZZ_SEED={number} shows it");
        number += 1;
    }
    println!("{} cases from {first}; slowest: case {} in {:?}", number - first, slowest.1, slowest.0);
}
