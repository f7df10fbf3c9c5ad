//! Why a public file was not taken, in French, with the cure.

use std::fmt::Write as _;

use methodology::{Layout, PackError};
use model::{Failure, FailureKind};
use render::number::counted;
use tabular::public::{Near, Refusal};
use tabular::{FaultCause, Faults};

use super::ImportSummary;

/// How many faults a message lists.
const LISTED: usize = 10;
/// How many missing columns are named for each layout.
const NAMED: usize = 8;

pub(super) fn layout(error: &PackError) -> Failure {
    Failure::new(
        FailureKind::Invalid,
        "PUBLIC_LAYOUT",
        format!("{error}"),
        format!("Le format {} ne se lit pas ({}) : {}", error.file, error.place, error.message),
    )
}

pub(super) fn refused(file: &str, refusal: &Refusal, layouts: &[Layout]) -> Failure {
    match refusal {
        Refusal::Unknown(near) => unknown(file, near, layouts),
        Refusal::Ambiguous(found) => Failure::new(
            FailureKind::Invalid,
            "PUBLIC_LAYOUT_AMBIGUOUS",
            format!("{file}: fits {}", found.join(" and ")),
            format!(
                "{file} : plusieurs formats conviennent ({}), et le choix ne se devine pas. Retirez celui qui est de trop du dossier layouts/, ou rendez ses colonnes obligatoires.",
                found.join(" ; ")
            ),
        ),
        Refusal::Level { layout, levels } => {
            let levels: Vec<&str> = levels.iter().map(|level| level.as_str()).collect();
            Failure::new(
                FailureKind::Invalid,
                "PUBLIC_LEVEL_UNKNOWN",
                format!("{file}: layout {layout}, level unknown"),
                format!(
                    "{file} : le format « {layout} » convient, mais rien ne dit si ses lignes sont des communes, des départements ou des régions (niveaux possibles : {}). Redonnez au fichier le nom du producteur.",
                    levels.join(", ")
                ),
            )
        }
        Refusal::Name { layouts, wanted } => {
            let quoted = |all: &[String]| all.iter().map(|one| format!("« {one} »")).collect::<Vec<_>>().join(" ou ");
            Failure::new(
                FailureKind::Invalid,
                "PUBLIC_FILE_NAME",
                format!("{file}: the name does not tell what it is ({})", layouts.join(", ")),
                format!(
                    "{file} : les colonnes conviennent ({}), mais seul le nom du fichier dit ce qu’il contient ou de quelle année, et celui-ci ne le dit pas. Redonnez-lui le nom du producteur, où se trouve {}.\nUn nouveau millésime se décrit par un fichier du dossier layouts/ du centre, sans nouvelle version du logiciel.",
                    quoted(layouts),
                    quoted(wanted)
                ),
            )
        }
        Refusal::Faults(faults) => damaged(file, faults),
    }
}

fn unknown(file: &str, near: &[Near], layouts: &[Layout]) -> Failure {
    let mut message = if near.is_empty() {
        let mut message = format!(
            "{file} : aucun format connu ne reconnaît les colonnes de ce fichier. Est-ce bien un fichier de chiffres publics, avec les noms de colonnes du producteur sur sa première ligne ? Formats connus :"
        );
        for layout in layouts {
            // Writing to a String cannot fail.
            let _ = write!(message, "\n  {} : {} ({})", layout.code, layout.title, layout.producer);
        }
        message
    } else {
        format!("{file} : aucun format connu ne convient tout à fait. Il manque :")
    };
    for one in near {
        let named: Vec<&str> = one.missing.iter().take(NAMED).map(String::as_str).collect();
        let more = one.missing.len() - named.len();
        // Writing to a String cannot fail.
        let _ = write!(message, "\n  pour {} ({}) : {}", title(&one.layout, layouts), one.vintage, named.join(", "));
        if more > 0 {
            let _ = write!(message, " et {}", counted(more, "autre colonne", "autres colonnes"));
        }
    }
    message.push_str(
        "\nUn nouveau millésime ou un nouveau producteur se décrit par un fichier du dossier layouts/ du centre, sans nouvelle version du logiciel.",
    );
    Failure::new(FailureKind::Invalid, "PUBLIC_LAYOUT_UNKNOWN", format!("{file}: no layout fits"), message)
}

/// What the producer calls it, beside our own name for it.
fn title(code: &str, layouts: &[Layout]) -> String {
    let known = layouts.iter().find(|layout| layout.code.as_str() == code);
    known.map_or_else(|| code.to_owned(), |layout| format!("{code}, {}", layout.title))
}

fn damaged(file: &str, faults: &Faults) -> Failure {
    let listed = faults.first.iter().take(LISTED).map(|fault| {
        let mut place = fault.file.clone();
        if let Some(line) = fault.line {
            let _ = write!(place, ", ligne {line}");
        }
        if let Some(column) = &fault.column {
            let _ = write!(place, ", colonne {column}");
        }
        format!("{place} : {}", fault.message)
    });
    let mut lines: Vec<String> = listed.collect();
    let more = faults.total.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("… et {more} autres défauts."));
    }
    lines.push("Rien n’a été importé de ce fichier.".to_owned());
    let alone = |cause| faults.first.first().is_some_and(|fault| fault.cause == cause);
    let (kind, reason) = if alone(FaultCause::Unreadable) {
        (FailureKind::NotFound, "PUBLIC_FILE_UNREADABLE")
    } else if alone(FaultCause::TooLarge) {
        (FailureKind::Invalid, "PUBLIC_FILE_TOO_LARGE")
    } else {
        (FailureKind::Invalid, "PUBLIC_FILE_DAMAGED")
    };
    Failure::new(kind, reason, format!("{file}: {} faults", faults.total), lines.join("\n"))
}

pub(super) fn revised(summary: &ImportSummary) -> Failure {
    let more = summary.revised.saturating_sub(summary.revisions.len() as u64);
    let mut listed = summary.revisions.join("\n  ");
    if more > 0 {
        let _ = write!(listed, "\n  et {more} autres");
    }
    Failure::new(
        FailureKind::Conflict,
        "PUBLIC_REVISED",
        format!("{}: {} figures differ from those kept", summary.file, summary.revised),
        format!(
            "{} : {} chiffres de cette source et de cette année sont déjà là avec une autre valeur :\n  {listed}\nSi le producteur les a révisés, recommencez avec --replace : les anciens restent dans l’historique, les nouveaux seront marqués « révisé ». Rien n’a été importé.",
            summary.file, summary.revised
        ),
    )
}

pub(super) fn moved() -> Failure {
    Failure::new(
        FailureKind::Conflict,
        "PUBLIC_MOVED",
        "another import changed the same figures",
        "Un autre import a changé les mêmes chiffres entre-temps. Rien n’a été importé : recommencez.",
    )
}
