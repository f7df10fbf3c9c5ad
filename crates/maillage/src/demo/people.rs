//! Who comes to a fictional CCAS: drawn from a seed, in the proportions of the field.

use fastrand::Rng;

/// One decision on a request to be domiciled.
#[derive(Clone, Debug)]
pub struct Domiciliation {
    /// The applicant, a number.
    pub person: u32,
    /// 0 woman, 1 man, 2 not written down.
    pub sex: usize,
    /// Age on 31 December; `None` where nobody wrote it down.
    pub age: Option<u32>,
    /// First request, or renewal.
    pub first: bool,
    /// Granted.
    pub granted: bool,
    /// 0 no link with the commune, 1 stable home, 2 other; of refusals.
    pub refusal: usize,
    /// Still valid on 31 December.
    pub valid: bool,
    /// 0 asked for, 1 home found, 2 absent, 3 other; of those struck off.
    pub struck_off: Option<usize>,
    /// People covered.
    pub people: u32,
}

/// One decision on a request for help.
#[derive(Clone, Debug)]
pub struct Aid {
    /// The household, a number.
    pub household: u32,
    /// Index into the kinds of help.
    pub kind: usize,
    /// 0 granted, 1 refused, 2 nothing came of it.
    pub decision: usize,
    /// In cents; 0 unless granted.
    pub cents: u64,
    /// Index into the compositions of households; `None` where nobody wrote it down.
    pub household_type: Option<usize>,
    /// Of the reference person.
    pub age: Option<u32>,
}

fn weighted(rng: &mut Rng, weights: &[u32]) -> usize {
    let mut left = rng.u32(0..weights.iter().sum());
    for (index, weight) in weights.iter().enumerate() {
        if left < *weight {
            return index;
        }
        left -= weight;
    }
    0
}

fn adult_age(rng: &mut Rng) -> Option<u32> {
    let age = match weighted(rng, &[14, 34, 27, 14, 11]) {
        0 => rng.u32(18..25),
        1 => rng.u32(25..40),
        2 => rng.u32(40..55),
        3 => rng.u32(55..65),
        _ => rng.u32(65..92),
    };
    (rng.u32(0..100) != 0).then_some(age)
}

/// About six domiciliation decisions per thousand inhabitants.
pub fn domiciliations(rng: &mut Rng, population: u32) -> Vec<Domiciliation> {
    let count = population * rng.u32(40..80) / 10_000;
    let mut people: Vec<(usize, Option<u32>)> = Vec::new();
    (0..count)
        .map(|_| {
            // One in twelve comes twice in the year, and is the same person both times.
            let person = if people.len() > 3 && rng.u32(0..12) == 0 {
                rng.usize(0..people.len())
            } else {
                let sex = weighted(rng, &[29, 69, 2]);
                let age = adult_age(rng);
                people.push((sex, age));
                people.len() - 1
            };
            let (sex, age) = people[person];
            let granted = rng.u32(0..100) < 88;
            let struck_off = (granted && rng.u32(0..100) < 9).then(|| weighted(rng, &[2, 4, 5, 1]));
            Domiciliation {
                person: u32::try_from(person).unwrap_or(u32::MAX),
                sex,
                age,
                first: rng.u32(0..100) < 57,
                granted,
                refusal: weighted(rng, &[6, 2, 2]),
                valid: granted && struck_off.is_none() && rng.u32(0..100) < 93,
                struck_off,
                people: 1 + u32::try_from(weighted(rng, &[70, 14, 9, 5, 2])).unwrap_or(0),
            }
        })
        .collect()
}

/// About fifteen requests for help per thousand inhabitants, from two thirds as many households.
pub fn aids(rng: &mut Rng, population: u32) -> Vec<Aid> {
    let count = population * rng.u32(110..190) / 10_000;
    let households: Vec<(Option<usize>, Option<u32>)> = (0..(count * 2 / 3).max(1))
        .map(|_| {
            let composition = weighted(rng, &[36, 7, 17, 33, 5, 2]);
            ((composition < 5).then_some(composition), adult_age(rng))
        })
        .collect();
    // Communes differ: each leans towards some kinds of help more than its neighbours.
    let taste: Vec<u32> =
        [30_u32, 18, 14, 8, 12, 5, 9, 4].iter().map(|weight| weight * rng.u32(60..140) / 100 + 1).collect();
    (0..count)
        .map(|_| {
            let household = rng.usize(0..households.len());
            let (household_type, age) = households[household];
            let kind = weighted(rng, &taste);
            let decision = weighted(rng, &[76, 17, 7]);
            let base = [9_000_u64, 22_000, 38_000, 12_000, 11_000, 7_500, 6_000, 10_000][kind];
            let cents = if decision == 0 { base * rng.u64(30..220) / 100 / 500 * 500 + rng.u64(0..3) * 50 } else { 0 };
            Aid { household: u32::try_from(household).unwrap_or(u32::MAX), kind, decision, cents, household_type, age }
        })
        .collect()
}
