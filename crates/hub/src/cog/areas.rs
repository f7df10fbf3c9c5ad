//! Territories of all levels in one geography: names, who existed when, what lies above.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use model::{Area, CogYear, CommuneCode, Failure, FailureKind, Level, Succession, Successions};

use super::Communes;
use crate::folder::read;

/// Regions and départements, with their source in the file.
const PRODUCT: &str = include_str!("areas.csv");

/// (level, code) → (name, code of the region above).
type Above = BTreeMap<(&'static str, &'static str), (&'static str, &'static str)>;

static ABOVE: LazyLock<Above> = LazyLock::new(|| {
    let lines = PRODUCT.lines().filter(|line| !line.starts_with('#'));
    lines
        .filter_map(|line| {
            let mut fields = line.split(';');
            let key = (fields.next()?, fields.next()?);
            Some((key, (fields.next()?, fields.next().unwrap_or_default())))
        })
        .collect()
});

/// Further mergers of communes, for a hub of another département: lines `ancienne;nouvelle;depuis`.
pub(super) fn further(path: &Path) -> Result<Successions, Failure> {
    let mut all = Successions::known();
    if !path.exists() {
        return Ok(all);
    }
    let refuse = |line: usize| {
        Failure::new(
            FailureKind::Invalid,
            "HUB_COMMUNES",
            format!("{}: line {line}: not a succession", path.display()),
            format!(
                "Le fichier des fusions de communes {} contient une erreur à la ligne {line} : chaque ligne s’écrit « ancien code;nouveau code;première année sans l’ancienne commune », en UTF-8, et une commune ne disparaît qu’une fois.",
                path.display()
            ),
        )
    };
    let text = String::from_utf8(read(path)?).map_err(|_| refuse(1))?;
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("ancienne") {
            continue;
        }
        let fields: Vec<&str> = line.split(';').map(str::trim).collect();
        let [former, successor, since] = fields.as_slice() else { return Err(refuse(index + 1)) };
        let (Ok(former), Ok(successor), Ok(since)) = (former.parse(), successor.parse(), since.parse::<u16>()) else {
            return Err(refuse(index + 1));
        };
        all.add(Succession { former, successor, since: CogYear(since) }).map_err(|_| refuse(index + 1))?;
    }
    Ok(all)
}

impl Communes {
    /// The départements of this hub's communes, in ascending order.
    pub(crate) fn departements(&self) -> Vec<String> {
        let mut all: Vec<String> = self.names.keys().map(|commune| commune.departement().to_owned()).collect();
        all.dedup();
        all
    }

    /// The hub's communes as they stood on 1 January of that year.
    pub(crate) fn in_geography(&self, geography: CogYear) -> impl Iterator<Item = CommuneCode> {
        self.names.keys().copied().filter(move |commune| self.exists(*commune, geography))
    }

    /// Whether the commune was one on 1 January of that year, as far as this hub knows of mergers.
    pub(crate) fn exists(&self, commune: CommuneCode, geography: CogYear) -> bool {
        self.successions.ended(commune, geography).is_none()
    }

    /// Whether the hub has a name for it.
    pub(crate) fn knows(&self, commune: CommuneCode) -> bool {
        self.names.contains_key(&commune)
    }

    /// Communes of that geography that later became part of another: (former, successor, since).
    pub(crate) fn to_be_absorbed(&self, geography: CogYear) -> impl Iterator<Item = &Succession> {
        self.successions.iter().filter(move |step| geography < step.since && self.knows(step.former))
    }

    /// The territory's name in that geography: a commune that absorbed another says so, because its figures before
    /// and after are those of two different places.
    pub(crate) fn area_name(&self, area: &Area, geography: CogYear) -> String {
        let above = |level: Level| ABOVE.get(&(level.as_str(), area.code())).map(|(name, _)| (*name).to_owned());
        match area.level() {
            Level::Metropole => "France métropolitaine".to_owned(),
            Level::France => "France".to_owned(),
            level @ (Level::Departement | Level::Region) => above(level).unwrap_or_else(|| area.code().to_owned()),
            Level::Commune => {
                area.commune().map_or_else(|| area.code().to_owned(), |code| self.name_in(code, geography))
            }
            Level::Iris => {
                let (commune, rest) = area.code().split_at_checked(5).unwrap_or((area.code(), ""));
                let name = commune.parse().map_or_else(|_| commune.to_owned(), |code| self.name_in(code, geography));
                format!("{name}, IRIS {rest}")
            }
            Level::Qpv | Level::Arrondissement | Level::Grouping => area.code().to_owned(),
        }
    }

    fn name_in(&self, commune: CommuneCode, geography: CogYear) -> String {
        let absorbed: Vec<String> = self
            .successions
            .iter()
            .filter(|step| step.successor == commune && geography >= step.since)
            .map(|step| self.name(step.former))
            .collect();
        if absorbed.is_empty() {
            return self.name(commune);
        }
        format!("{} (avec {})", self.name(commune), absorbed.join(", "))
    }

    /// The région of a département; `None` for one that is not in the official list.
    pub(crate) fn region_of(departement: &str) -> Option<&'static str> {
        ABOVE.get(&("departement", departement)).map(|(_, region)| *region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commune(code: &str) -> CommuneCode {
        code.parse().expect("a commune")
    }

    #[test]
    fn the_official_list_is_whole() {
        let of = |level: &str| ABOVE.keys().filter(|(known, _)| *known == level).count();
        assert_eq!((of("region"), of("departement")), (18, 101));
        for ((level, code), (_, region)) in ABOVE.iter() {
            assert!(Area::new(level.parse().expect("a level"), code).is_ok(), "{level} {code}");
            assert!(*level == "region" || ABOVE.contains_key(&("region", region)), "{code}");
        }
        assert_eq!(Communes::region_of("93"), Some("11"));
    }

    #[test]
    fn forty_communes_until_2024_and_thirty_nine_after() {
        let folder = tempfile::tempdir().expect("a folder");
        let communes = Communes::load(None, folder.path()).expect("the product's own");
        assert_eq!(communes.in_geography(CogYear(2024)).count(), 40);
        assert_eq!(communes.in_geography(CogYear(2025)).count(), 39);
        assert!(!communes.exists(commune("93059"), CogYear(2026)));
        let name = |year| communes.area_name(&Area::new(Level::Commune, "93066").expect("a commune"), CogYear(year));
        assert_eq!(name(2021), "Saint-Denis");
        assert_eq!(name(2025), "Saint-Denis (avec Pierrefitte-sur-Seine)");
        assert_eq!(communes.departements(), ["93"]);
    }

    #[test]
    fn a_hub_may_know_of_more_mergers_or_is_told_which_line_is_wrong() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("successions.csv");
        std::fs::write(&path, "ancienne;nouvelle;depuis\n93001;93005;2030\n").expect("writes");
        let communes = Communes::load(None, folder.path()).expect("reads");
        assert!(communes.exists(commune("93001"), CogYear(2029)));
        assert!(!communes.exists(commune("93001"), CogYear(2030)));
        assert!(!communes.exists(commune("93059"), CogYear(2030)), "the product's own stay");
        for bad in ["93001;93005", "1;93005;2030", "93001;93005;bientôt", "93059;93001;2025"] {
            std::fs::write(&path, bad).expect("writes");
            let refused = Communes::load(None, folder.path()).err().map(|failure| failure.reason);
            assert_eq!(refused.as_deref(), Some("HUB_COMMUNES"), "{bad}");
        }
    }
}
