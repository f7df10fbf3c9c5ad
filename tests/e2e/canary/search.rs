//! Finds a number in any bytes, however it is written.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Shorter forms are found by chance in every key.
const SHORTEST: usize = 4;

/// What must not be found.
#[derive(Clone, Debug)]
pub struct Canary {
    /// Which one it is, the same in every run.
    pub name: String,
    forms: Vec<(&'static str, Vec<u8>)>,
}

impl Canary {
    /// The number `units` / 10^`decimals`, in units and in wholes.
    pub fn number(name: impl Into<String>, units: i64, decimals: u32) -> Self {
        let mut forms = written(units, UNITS);
        if decimals > 0 {
            forms.extend(written(units / 10_i64.pow(decimals), WHOLES));
            #[expect(clippy::cast_precision_loss, reason = "the same loss as anybody who divides")]
            let value = units as f64 / f64::from(10_u32.pow(decimals));
            forms.push(("value as f64 le", value.to_le_bytes().to_vec()));
            forms.push(("value as f64 be", value.to_be_bytes().to_vec()));
        }
        forms.retain(|(_, bytes)| bytes.len() >= SHORTEST);
        Self { name: name.into(), forms }
    }

    /// A word, as it is.
    pub fn word(name: impl Into<String>, word: &str) -> Self {
        Self { name: name.into(), forms: vec![("text", word.as_bytes().to_vec())] }
    }

    /// Its forms, for planting.
    pub fn forms(&self) -> &[(&'static str, Vec<u8>)] {
        &self.forms
    }
}

type Names = [&'static str; 16];
const UNITS: Names = [
    "units plain",
    "units with narrow space",
    "units with no-break space",
    "units with space",
    "units with comma",
    "units with point",
    "units with thin space",
    "units i64 le",
    "units i64 be",
    "units u32 le",
    "units u32 be",
    "units varint",
    "units zigzag",
    "units f64 le",
    "units f64 be",
    "units hexadecimal",
];
const WHOLES: Names = [
    "plain",
    "with narrow space",
    "with no-break space",
    "with space",
    "with comma",
    "with point",
    "with thin space",
    "i64 le",
    "i64 be",
    "u32 le",
    "u32 be",
    "varint",
    "zigzag",
    "f64 le",
    "f64 be",
    "hexadecimal",
];

fn written(number: i64, names: Names) -> Vec<(&'static str, Vec<u8>)> {
    let unsigned = u64::try_from(number).expect("a count or an amount");
    let small = u32::try_from(number).ok();
    #[expect(clippy::cast_precision_loss, reason = "the same loss as anybody who converts")]
    let float = number as f64;
    let grouped = |mark| Some(grouped(number, mark).into_bytes());
    let forms: [Option<Vec<u8>>; 16] = [
        Some(number.to_string().into_bytes()),
        grouped("\u{202f}"),
        grouped("\u{a0}"),
        grouped(" "),
        grouped(","),
        grouped("."),
        grouped("\u{2009}"),
        Some(number.to_le_bytes().to_vec()),
        Some(number.to_be_bytes().to_vec()),
        small.map(|small| small.to_le_bytes().to_vec()),
        small.map(|small| small.to_be_bytes().to_vec()),
        Some(varint(unsigned)),
        Some(varint(unsigned * 2)),
        Some(float.to_le_bytes().to_vec()),
        Some(float.to_be_bytes().to_vec()),
        Some(format!("{number:x}").into_bytes()),
    ];
    names.into_iter().zip(forms).filter_map(|(name, form)| Some((name, form?))).collect()
}

fn grouped(number: i64, mark: &str) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(mark);
        }
        text.push(digit);
    }
    text
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(u8::try_from(number & 0x7f).expect("seven bits") | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).expect("seven bits"));
    bytes
}

/// A canary that was found: which, in which form, where.
pub type Found = (String, &'static str, String);

type Wanted<'a> = (&'a Canary, &'static str, &'a [u8]);

/// Every canary in every place.
pub fn search(canaries: &[Canary], places: &BTreeMap<String, Vec<u8>>) -> BTreeSet<Found> {
    let mut starts: HashMap<[u8; SHORTEST], Vec<Wanted<'_>>> = HashMap::new();
    for canary in canaries {
        for (form, bytes) in &canary.forms {
            let start = bytes[..SHORTEST].try_into().expect("long enough");
            starts.entry(start).or_default().push((canary, form, bytes));
        }
    }
    // Most bytes begin no canary: one look tells.
    let mut begins = vec![false; 1 << 16];
    for start in starts.keys() {
        begins[usize::from(u16::from_be_bytes([start[0], start[1]]))] = true;
    }
    let mut found = BTreeSet::new();
    for (place, bytes) in places {
        for (at, window) in bytes.windows(SHORTEST).enumerate() {
            if !begins[usize::from(window[0]) << 8 | usize::from(window[1])] {
                continue;
            }
            let start: [u8; SHORTEST] = window.try_into().expect("a window");
            for (canary, form, whole) in starts.get(&start).into_iter().flatten() {
                if bytes[at..].starts_with(whole) {
                    found.insert((canary.name.clone(), *form, place.clone()));
                }
            }
        }
    }
    found
}
