//! A fictional commune's exports and the settings that map them: what an agent would have to describe.

use std::fmt::Write as _;
use std::path::Path;

use fastrand::Rng;

use super::department::FictionalCommune;
use super::export::{SOFTWARES, Software};
use super::people::{self, Aid, Domiciliation};

/// The year of all files.
pub const PERIOD: &str = "2025";

/// How one kind of software names columns and codes.
struct Dialect {
    /// Columns of the domiciliation export, in the order of [`DOMICILIATION_FIELDS`].
    domiciliation: [&'static str; 10],
    /// Columns of the aid export, in the order of [`AID_FIELDS`].
    aid: [&'static str; 7],
    sex: [&'static str; 3],
    first: [&'static str; 2],
    decision: [&'static str; 3],
    refusal: [&'static str; 3],
    yes_no: [&'static str; 2],
    struck_off: [&'static str; 4],
    kind: [&'static str; 8],
    household: [&'static str; 5],
    blank: &'static str,
}

const DOMICILIATION_FIELDS: [&str; 10] = [
    "id_demande",
    "id_personne",
    "sexe",
    "age",
    "type_demande",
    "decision",
    "motif_refus",
    "en_cours",
    "motif_radiation",
    "personnes",
];
const AID_FIELDS: [&str; 7] = ["id_demande", "id_menage", "type_aide", "decision", "montant", "type_menage", "age"];

const SEX: [&str; 3] = ["F", "H", "nr"];
const FIRST: [&str; 2] = ["premiere", "renouvellement"];
const DECISION: [&str; 3] = ["accord", "refus", "sans_suite"];
const REFUSAL: [&str; 3] = ["sans_lien", "domicile_stable", "autre"];
const STRUCK_OFF: [&str; 4] = ["demande", "domicile_stable", "absence", "autre"];
const KIND: [&str; 8] = ["alimentaire", "energie", "logement", "sante", "enfance", "mobilite", "urgence", "autre"];
const HOUSEHOLD: [&str; 5] = ["seul", "couple", "couple_enfants", "monoparental", "autre"];
const YES_NO: [&str; 2] = ["true", "false"];

const DIALECTS: [Dialect; 3] = [
    Dialect {
        domiciliation: [
            "N° demande",
            "N° usager",
            "Sexe",
            "Âge au 31/12",
            "Nature",
            "Décision",
            "Motif du refus",
            "En cours au 31/12",
            "Motif de radiation",
            "Nb personnes",
        ],
        aid: [
            "N° demande",
            "N° foyer",
            "Nature de l’aide",
            "Décision",
            "Montant accordé (€)",
            "Situation familiale",
            "Âge",
        ],
        sex: ["Femme", "Homme", "Non renseigné"],
        first: ["1ère demande", "Renouvellement"],
        decision: ["Accordé", "Refusé", "Classé sans suite"],
        refusal: ["Pas de lien avec la commune", "Domicile stable", "Autre motif"],
        yes_no: ["Oui", "Non"],
        struck_off: ["À sa demande", "Domicile retrouvé", "Absence > 3 mois", "Autre"],
        kind: [
            "Alimentaire",
            "Énergie / eau",
            "Loyer",
            "Santé",
            "Cantine, scolarité",
            "Transport",
            "Secours d’urgence",
            "Divers",
        ],
        household: ["Isolé(e)", "Couple", "Couple avec enfant(s)", "Famille monoparentale", "Autre"],
        blank: "NR",
    },
    Dialect {
        domiciliation: DOMICILIATION_FIELDS,
        aid: AID_FIELDS,
        sex: SEX,
        first: FIRST,
        decision: DECISION,
        refusal: REFUSAL,
        yes_no: ["oui", "non"],
        struck_off: STRUCK_OFF,
        kind: KIND,
        household: HOUSEHOLD,
        blank: "",
    },
    Dialect {
        domiciliation: [
            "DOSSIER",
            "USAGER",
            "SEXE",
            "AGE",
            "TYPE",
            "AVIS",
            "MOTIF_REFUS",
            "VALIDE",
            "MOTIF_RAD",
            "NB_PERS",
        ],
        aid: ["DOSSIER", "FOYER", "TYPE_AIDE", "AVIS", "MONTANT", "COMPO", "AGE_REF"],
        sex: ["2", "1", "9"],
        first: ["P", "R"],
        decision: ["A", "R", "S"],
        refusal: ["L", "D", "X"],
        yes_no: ["1", "0"],
        struck_off: ["D", "L", "A", "X"],
        kind: ["ALIM", "ENER", "LOGT", "SANT", "ENFA", "MOBI", "URGE", "AUTR"],
        household: ["S", "C", "CE", "M", "X"],
        blank: "",
    },
];

/// Writes both exports of `commune` and a `node.toml` that maps them, with the commune's own rule of approval.
pub fn write(folder: &Path, commune: &FictionalCommune, index: usize, seed: u64) -> std::io::Result<()> {
    let software = &SOFTWARES[index % SOFTWARES.len()];
    let dialect = &DIALECTS[software.dialect];
    let mut rng = Rng::with_seed(seed ^ (index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let requests = people::domiciliations(&mut rng, commune.population);
    let aids = people::aids(&mut rng, commune.population);
    let rows: Vec<Vec<String>> =
        requests.iter().enumerate().map(|(n, one)| domiciliation_row(dialect, n, one)).collect();
    software.write(&folder.join("exports/domiciliation-2025.csv"), commune.name, &dialect.domiciliation, &rows)?;
    let rows: Vec<Vec<String>> = aids.iter().enumerate().map(|(n, one)| aid_row(software, dialect, n, one)).collect();
    software.write(&folder.join("exports/aides-2025.csv"), commune.name, &dialect.aid, &rows)?;
    std::fs::write(folder.join("node.toml"), settings(software, dialect))
}

fn text(number: Option<u32>, blank: &str) -> String {
    number.map_or_else(|| blank.to_owned(), |number| number.to_string())
}

fn domiciliation_row(dialect: &Dialect, n: usize, one: &Domiciliation) -> Vec<String> {
    vec![
        format!("D25-{n:05}"),
        format!("U{:05}", one.person),
        dialect.sex[one.sex].to_owned(),
        text(one.age, dialect.blank),
        dialect.first[usize::from(!one.first)].to_owned(),
        dialect.decision[usize::from(!one.granted)].to_owned(),
        if one.granted { String::new() } else { dialect.refusal[one.refusal].to_owned() },
        dialect.yes_no[usize::from(!one.valid)].to_owned(),
        one.struck_off.map_or_else(String::new, |why| dialect.struck_off[why].to_owned()),
        one.people.to_string(),
    ]
}

fn aid_row(software: &Software, dialect: &Dialect, n: usize, one: &Aid) -> Vec<String> {
    vec![
        format!("A25-{n:05}"),
        format!("F{:05}", one.household),
        dialect.kind[one.kind].to_owned(),
        dialect.decision[one.decision].to_owned(),
        if one.decision == 0 { software.amount(one.cents) } else { String::new() },
        one.household_type.map_or_else(|| dialect.blank.to_owned(), |which| dialect.household[which].to_owned()),
        text(one.age, dialect.blank),
    ]
}

fn settings(software: &Software, dialect: &Dialect) -> String {
    let mut out =
        String::from("# DONNÉES FICTIVES : commune inventée pour la démonstration.\n\n[approval]\nmode = \"rule\"\n\n");
    source(&mut out, software, "domiciliation", "exports/domiciliation-2025.csv");
    columns(&mut out, &DOMICILIATION_FIELDS, &dialect.domiciliation);
    codes(&mut out, "sexe", &dialect.sex, &SEX);
    codes(&mut out, "type_demande", &dialect.first, &FIRST);
    codes(&mut out, "decision", &dialect.decision[..2], &DECISION[..2]);
    codes(&mut out, "motif_refus", &dialect.refusal, &REFUSAL);
    codes(&mut out, "en_cours", &dialect.yes_no, &YES_NO);
    codes(&mut out, "motif_radiation", &dialect.struck_off, &STRUCK_OFF);
    source(&mut out, software, "aides_facultatives", "exports/aides-2025.csv");
    columns(&mut out, &AID_FIELDS, &dialect.aid);
    codes(&mut out, "type_aide", &dialect.kind, &KIND);
    codes(&mut out, "decision", &dialect.decision, &DECISION);
    codes(&mut out, "type_menage", &dialect.household, &HOUSEHOLD);
    out
}

fn source(out: &mut String, software: &Software, table: &str, file: &str) {
    // Writing to a String cannot fail.
    let _ = write!(
        out,
        "[[source]]\npack = \"ccas-activite\"\ntable = \"{table}\"\nperiod = \"{PERIOD}\"\n[source.read]\nfile = \"{file}\"\nskip_total_rows = {}\ndecimal = \"{}\"\n",
        software.total_row, software.decimal
    );
}

fn columns(out: &mut String, fields: &[&str], names: &[&str]) {
    if fields == names {
        return;
    }
    out.push_str("[source.read.columns]\n");
    for (field, name) in fields.iter().zip(names) {
        let _ = writeln!(out, "{field} = {name:?}");
    }
}

fn codes(out: &mut String, field: &str, theirs: &[&str], ours: &[&str]) {
    if theirs == ours {
        return;
    }
    let _ = writeln!(out, "[source.read.codes.{field}]");
    for (their, our) in theirs.iter().zip(ours) {
        let _ = writeln!(out, "{their:?} = {our:?}");
    }
}
