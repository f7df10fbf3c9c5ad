//! The fictional département of the demonstration: invented names, real sizes.

/// One invented commune.
#[derive(Clone, Copy, Debug)]
pub struct FictionalCommune {
    /// A code in the non-existent département 00.
    pub code: &'static str,
    /// An invented name.
    pub name: &'static str,
    /// Inhabitants: the size of a real commune of Seine-Saint-Denis (see `populations.csv`), so that small
    /// counts, large counts and the spread between communes are those of the field.
    pub population: u32,
}

/// The publicly known populations that give the invented communes their sizes.
const POPULATIONS: &str = include_str!("populations.csv");

const NAMES: [(&str, &str); 14] = [
    ("00101", "Ormeval-la-Plaine"),
    ("00102", "Saint-Aubrac-les-Moulins"),
    ("00103", "Éclusane"),
    ("00104", "Vaugrenelle"),
    ("00105", "Montfaron"),
    ("00106", "Les Hautes-Brières"),
    ("00107", "Bourg-Tessanel"),
    ("00108", "Noirvaux-le-Sec"),
    ("00109", "Pont-Lauzière"),
    ("00110", "La Courvenelle"),
    ("00111", "Grandval-sous-Orme"),
    ("00112", "Rosemare"),
    ("00113", "Villançon"),
    ("00114", "Le Pré-Marchais"),
];

/// The fourteen communes: sizes are taken evenly along the sorted list of real ones, smallest and largest included.
pub fn communes() -> Vec<FictionalCommune> {
    let mut sizes: Vec<u32> = POPULATIONS
        .lines()
        .filter(|line| !line.starts_with('#') && !line.starts_with("insee"))
        .filter_map(|line| line.split(';').nth(2)?.parse().ok())
        .collect();
    sizes.sort_unstable();
    let last = sizes.len().saturating_sub(1);
    NAMES
        .iter()
        .enumerate()
        .map(|(i, (code, name))| {
            // 5 and 14 have no common factor: neighbours in the alphabet differ in size.
            let rank = (i * 5 % NAMES.len()) * last / (NAMES.len() - 1);
            FictionalCommune { code, name, population: sizes.get(rank).copied().unwrap_or(0) }
        })
        .collect()
}
