//! What is wrong with tables, and what to do, in the words of the person at the keyboard. No sentence holds a figure
//! of a cell.

use std::fmt::Write as _;

use disclosure::tables::{Dimension, Fixed, Level, Misfit, Place, Refusal};
use model::{Failure, FailureKind};
use render::number::counted;
use render::typography::french;
use tabular::grid::GridFile;
use tabular::{Fault, FaultCause, Faults};

use super::Protect;

/// How many rows a sentence names.
const NAMED: usize = 12;

/// All files of a run.
pub(super) struct Files {
    pub(super) dimensions: Vec<Dimension>,
    pub(super) earlier: Vec<GridFile>,
    pub(super) present: Vec<GridFile>,
    /// What insiders know, then what producers publish: in a [`Place`] these count on after the earlier ones.
    pub(super) besides: Vec<GridFile>,
}

pub(super) fn invalid(reason: &'static str, detail: &str, message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Invalid, reason, detail, french(&message.into()))
}

pub(super) fn fault(fault: &Fault) -> Failure {
    faults(&Faults::from(fault.clone()))
}

pub(super) fn faults(faults: &Faults) -> Failure {
    let mut lines: Vec<String> = faults.first.iter().map(sentence).collect();
    let more = faults.total.saturating_sub(faults.first.len() as u64);
    if more > 0 {
        lines.push(format!("… et {more} autres du même fichier."));
    }
    let (kind, reason) = match faults.first.first().map(|fault| fault.cause) {
        Some(FaultCause::Unreadable) => (FailureKind::NotFound, "TABLE_UNREADABLE"),
        Some(FaultCause::Hierarchy) => (FailureKind::Invalid, "TABLE_HIERARCHY"),
        Some(FaultCause::TooLarge) => (FailureKind::Invalid, "TABLE_TOO_LARGE"),
        _ => (FailureKind::Invalid, "TABLE_FILE"),
    };
    Failure::new(kind, reason, format!("{} faults in a file", faults.total), french(&lines.join("\n")))
}

fn sentence(fault: &Fault) -> String {
    let line = fault.line.map(|line| format!(", ligne {line}")).unwrap_or_default();
    let column = fault.column.as_ref().map(|column| format!(", colonne « {column} »")).unwrap_or_default();
    format!("{}{line}{column} : {}", fault.file, fault.message)
}

impl Files {
    fn file(&self, place: Place) -> &GridFile {
        if !place.earlier {
            return &self.present[place.table];
        }
        self.earlier.get(place.table).unwrap_or_else(|| &self.besides[place.table - self.earlier.len()])
    }

    /// `T.csv, ligne 12 (age=18-64, region=A)`.
    pub(super) fn cell(&self, place: Place) -> String {
        let file = self.file(place);
        let (line, codes) = file.place(place.row);
        format!("{}, ligne {line} ({codes})", file.name())
    }

    /// A dimension without column beside a column that nobody reads: perhaps one name, written in two ways.
    fn misspelt(&self, place: Place) -> String {
        let file = self.file(place);
        let has = file.dimensions();
        let absent: Vec<&str> = (self.dimensions.iter().enumerate())
            .filter(|(at, _)| !has.contains(at))
            .map(|(_, dimension)| dimension.name.as_str())
            .collect();
        let unread: Vec<&str> = file.other_columns().take(NAMED).collect();
        if absent.is_empty() || unread.is_empty() {
            return String::new();
        }
        format!(
            " La hiérarchie a une dimension « {} » que ce fichier n’a pas, et sa colonne « {} » n’est pas lue comme un code : \
             est-ce le même nom, mal écrit ?",
            absent.join(" », « "),
            unread.join(" », « ")
        )
    }

    fn cells(&self, places: &[Place]) -> String {
        let mut lines: Vec<String> =
            places.iter().take(NAMED).map(|&place| format!("  {}", self.cell(place))).collect();
        if places.len() > NAMED {
            lines.push(format!("  … et {} autres.", places.len() - NAMED));
        }
        lines.join("\n")
    }

    fn node(&self, dimension: usize, node: usize) -> &str {
        &self.dimensions[dimension].axis.nodes()[node]
    }

    fn codes(&self, dimension: usize, nodes: &[usize]) -> String {
        let mut names: Vec<String> =
            nodes.iter().take(NAMED).map(|&node| format!("« {} »", self.node(dimension, node))).collect();
        if nodes.len() > NAMED {
            names.push(format!("… ({} en tout)", nodes.len()));
        }
        names.join(", ")
    }

    /// Tables that do not make a system.
    #[expect(clippy::too_many_lines, reason = "one total mapping from fault to sentence: long, and flat")]
    pub(super) fn misfit(&self, misfit: &Misfit) -> Failure {
        let (reason, message) = match misfit {
            Misfit::Twice { place, first } => (
                "TABLE_DUPLICATE",
                format!(
                    "{} : cette cellule figure déjà ligne {}. Une seule ligne par cellule.{}",
                    self.cell(*place),
                    self.file(*place).place(*first).0,
                    self.misspelt(*place)
                ),
            ),
            Misfit::Codes { place, dimension, parent, missing } => (
                "TABLE_MISSING",
                format!(
                    "{} : dans la dimension « {} », la décomposition de « {} » est incomplète. Codes sans aucune ligne : \
                     {}. Ajoutez leurs lignes (0 s’il n’y a rien, totaux compris), ou retirez cette décomposition de la \
                     hiérarchie.",
                    self.file(*place).name(),
                    self.dimensions[*dimension].name,
                    self.node(*dimension, *parent),
                    self.codes(*dimension, missing)
                ),
            ),
            Misfit::Missing { place, count, first } => ("TABLE_MISSING", self.missing(*place, *count, first)),
            Misfit::Broken { place, dimension, parts, count } => (
                "TABLE_NOT_ADDITIVE",
                format!(
                    "{} : ce total n’est pas la somme de ses parties dans la dimension « {} » ({}).{} Corrigez les \
                     chiffres ou la hiérarchie ; des valeurs arrondies ne s’additionnent pas.",
                    self.cell(*place),
                    self.dimensions[*dimension].name,
                    self.lines(*place, parts),
                    if *count > 1 { format!(" En tout, {count} totaux sont faux.") } else { String::new() }
                ),
            ),
            Misfit::Distinct { place, dimension, parts } => (
                "TABLE_NOT_ADDITIVE",
                format!(
                    "{} : dans la dimension « {} », où une personne peut être comptée dans plusieurs parties (« distinct »), \
                     ce total est plus petit qu’une partie, ou plus grand que toutes ensemble ({}).",
                    self.cell(*place),
                    self.dimensions[*dimension].name,
                    self.lines(*place, parts),
                ),
            ),
            Misfit::Within { whole, part } => (
                "TABLE_NOT_ADDITIVE",
                format!(
                    "{} : cette partie dépasse son tout, {}, alors que la hiérarchie (« within ») dit que non.",
                    self.cell(*part),
                    self.cell(*whole),
                ),
            ),
            Misfit::Rounded { place, other } => (
                "TABLE_CONFLICT",
                format!(
                    "{}\n{} :\nc’est la même cellule, et le chiffre du producteur ne peut pas être un arrondi de l’autre. \
                     Comptez-vous les mêmes personnes, à la même date ?",
                    self.cell(*other),
                    self.cell(*place)
                ),
            ),
            Misfit::Conflict { place, other } => (
                "TABLE_CONFLICT",
                format!(
                    "{}\n{} :\nc’est la même cellule, avec deux valeurs. Des tableaux liés doivent dire la même chose ; \
                     une version antérieure se donne à « maillage protect » avec --history.",
                    self.cell(*other),
                    self.cell(*place)
                ),
            ),
            Misfit::Outside(place) => (
                "TABLE_RANGE",
                format!(
                    "{} : la valeur est négative, ou hors des bornes de ses colonnes lb et ub. Un effectif n’est jamais \
                     négatif ; pour une grandeur qui peut l’être, donnez sa borne inférieure dans lb.",
                    self.cell(*place)
                ),
            ),
            Misfit::TooLarge(place) => (
                "TABLE_RANGE",
                format!(
                    "{} : le nombre est trop grand. Comptez en milliers, ou avec moins de décimales.",
                    self.cell(*place)
                ),
            ),
            Misfit::Empty(place) => {
                ("TABLE_FILE", format!("{} : il manque la valeur, ou « suppressed » (0 ou 1).", self.cell(*place)))
            }
            Misfit::Contributors(place) => (
                "TABLE_CONTRIBUTORS",
                format!(
                    "{} : contributors, top1 et top2 contredisent la valeur (top1 ≥ top2, ensemble au plus la valeur ; \
                     un seul contributeur apporte tout ; personne n’apporte rien).",
                    self.cell(*place)
                ),
            ),
            Misfit::Lacking { place, column } => (
                "TABLE_COLUMN",
                format!(
                    "{} : une règle a besoin de « {column} », qui manque pour cette cellule. Ajoutez la colonne ou la \
                     valeur.",
                    self.cell(*place)
                ),
            ),
            Misfit::Dimension(name) => (
                "TABLE_RULE",
                format!("La règle one-category nomme la dimension « {name} », que la hiérarchie n’a pas."),
            ),
            Misfit::NoTotal { place, dimension } => (
                "TABLE_HIERARCHY",
                format!(
                    "{} n’a pas la dimension « {} » : il vaudrait pour son total, mais la hiérarchie en a plusieurs, ou \
                     aucun. Donnez à cette dimension un seul sommet.",
                    self.file(*place).name(),
                    self.dimensions[*dimension].name
                ),
            ),
            Misfit::Frozen(places) => (
                "TABLE_FROZEN",
                format!(
                    "{} à cacher, mais fixées comme montrées (colonne frozen) ou déjà publiées (--history, --at-source) :\n{}\nChoix : une \
                     modalité plus large, plusieurs années ensemble, ne pas publier ce tableau, retirer ce qui est déjà \
                     publié (un retrait est toujours possible, même quand une correction ne peut pas être protégée) ; ou \
                     --keep-published si ce qui est déjà public doit le rester.",
                    counted(places.len(), "cellule est", "cellules sont"),
                    self.cells(places)
                ),
            ),
            Misfit::Beyond(levels) => ("TABLE_LEVELS", self.beyond(levels)),
            Misfit::Stranger(place) => (
                "TABLE_KNOWN",
                format!("{} : aucun tableau n’a cette cellule. Corrigez ses codes, ou retirez-la.", self.cell(*place)),
            ),
            Misfit::Known(place) => (
                "TABLE_KNOWN",
                format!(
                    "{} : ce que l’intrus connaîtrait contredit ce qui est montré, ou les bornes lb et ub. Les valeurs \
                     cachées du fichier (ou de --known) ne sont pas celles de ces tableaux.",
                    self.cell(*place)
                ),
            ),
            Misfit::Contradiction(places) => (
                "TABLE_CONTRADICTION",
                format!(
                    "Aucun tableau ne peut avoir ces chiffres visibles ; voyez les totaux :\n{}\nUn fichier est abîmé, ou \
                     les tableaux ne sont pas de la même version.",
                    self.cells(places)
                ),
            ),
            Misfit::TooMany => (
                "TABLE_TOO_LARGE",
                "Ces tableaux sont trop grands pour être protégés ensemble : regroupez des modalités.".to_owned(),
            ),
        };
        invalid(reason, &misfit.to_string(), message)
    }

    fn missing(&self, place: Place, count: usize, first: &[Vec<usize>]) -> String {
        let table = self.file(place).dimensions();
        let name = |key: &Vec<usize>| {
            let codes: Vec<String> = (key.iter().zip(&table))
                .map(|(&node, &dimension)| {
                    format!("{}={}", self.dimensions[dimension].name, self.node(dimension, node))
                })
                .collect();
            format!("  {}", codes.join(", "))
        };
        let named: Vec<String> = first.iter().map(name).collect();
        let named = if named.is_empty() { String::new() } else { format!(" Les premières :\n{}\n", named.join("\n")) };
        format!(
            "{} : il manque {}, totaux compris.{named} Ajoutez leurs lignes, avec 0 s’il n’y a rien.",
            self.file(place).name(),
            if count == usize::MAX {
                "presque toutes les cellules".to_owned()
            } else {
                counted(count, "cellule", "cellules")
            },
        )
    }

    fn lines(&self, place: Place, parts: &[usize]) -> String {
        let file = self.file(place);
        let named: Vec<String> = parts.iter().take(NAMED).map(|&row| file.place(row).0.to_string()).collect();
        let more = if parts.len() > NAMED { ", …" } else { "" };
        let word = if parts.len() == 1 { "ligne" } else { "lignes" };
        format!("{word} {}{more}", named.join(", "))
    }

    /// Why nothing is enough, and what may be done.
    pub(super) fn refusal(&self, refusal: &Refusal) -> String {
        let places: Vec<Place> = refusal.primaries.iter().copied().flatten().collect();
        let differences = refusal.primaries.len() - places.len();
        let mut text = format!(
            "{} : {}\n{}",
            counted(
                refusal.primaries.len(),
                "cellule ne peut pas être protégée",
                "cellules ne peuvent pas être protégées"
            ),
            match (refusal.computable, refusal.primaries.len()) {
                (true, 1) => "ce qui est montré pour de bon la donne exactement.",
                (true, _) => "ce qui est montré pour de bon les donne exactement.",
                (false, 1) => "même en cachant tout le reste, elle varie trop peu.",
                (false, _) => "même en cachant tout le reste, elles varient trop peu.",
            },
            self.cells(&places)
        );
        if differences > 0 {
            write!(
                text,
                "\n  et {} (un total moins une partie, ou ce qu’un contributeur a en tout).",
                counted(differences, "figure que personne ne publie", "figures que personne ne publie")
            )
            .expect("a text takes everything");
        }
        text.push_str(&self.blocking(&refusal.blocking));
        french(&text)
    }

    /// What stands in the way, and what may be done about it.
    fn blocking(&self, blocking: &[(Place, Fixed)]) -> String {
        let of =
            |why: Fixed| blocking.iter().filter(|(_, own)| *own == why).map(|&(place, _)| place).collect::<Vec<_>>();
        let mut text = String::new();
        for (why, says) in [
            (Fixed::Frozen, "fixées comme montrées (colonne frozen)"),
            (Fixed::Published, "déjà publiées (--history, --at-source)"),
            (Fixed::Zero, "zéros, qui sont montrés (--zeros protect les laisse cacher)"),
        ] {
            let places = of(why);
            if !places.is_empty() {
                text.push_str("\nIl faudrait cacher aussi, par exemple, ces cellules ");
                text.push_str(says);
                text.push_str(" :\n");
                text.push_str(&self.cells(&places));
            }
        }
        if blocking.is_empty() {
            text.push_str(
                "\nCe ne sont pas des cellules fixées qui l’empêchent : même en cachant tout, les totaux, les bornes (lb, \
                 ub, zéro) ou ce qu’un contributeur sait laissent trop peu de jeu.",
            );
        }
        text.push_str(
            "\nChoix : une modalité plus large ; plusieurs années ensemble ; libérer une de ces cellules ; laisser \
             cacher les zéros (--zeros protect) ; une largeur plus petite ; ne pas compter ce que savent ceux qui sont \
             seuls dans une cellule (--singletons owner) ; renoncer à ce tableau. Une correction qui ne peut pas être protégée peut toujours \
             partir comme un retrait. Rien n’a été écrit.",
        );
        text
    }

    fn beyond(&self, levels: &[(Place, Level)]) -> String {
        let mut lines: Vec<String> = Vec::new();
        for &(place, level) in levels.iter().take(NAMED) {
            let says = match level {
                Level::Below => "lpl va plus bas que lb (0 si la colonne ne dit rien)",
                Level::Above => "upl, ou ce que la règle demande au-dessus, va plus haut que ub",
                Level::Sliding => "spl est plus large que de lb à ub",
                Level::Width => "--width est plus large que de lb à ub",
            };
            lines.push(format!("  {} : {says}.", self.cell(place)));
        }
        if levels.len() > NAMED {
            lines.push(format!("  … et {} autres.", levels.len() - NAMED));
        }
        format!(
            "{} plus de protection que leurs bornes n’en permettent : tout le monde sait que la valeur est entre lb et \
             ub (colonnes, ou arrondi de --at-source).\n{}\nDemandez moins (lpl ≤ valeur − lb, upl ≤ ub − valeur, spl et --width ≤ ub − lb), ou corrigez lb et \
             ub. Rien n’a été écrit.",
            counted(levels.len(), "cellule demande", "cellules demandent"),
            lines.join("\n")
        )
    }

    /// What the person may not expect.
    pub(super) fn remarks(&self, ask: &Protect) -> Vec<String> {
        let mut remarks = Vec::new();
        for file in &self.present {
            let other: Vec<String> = file.other_columns().map(|column| format!("« {column} »")).collect();
            if !other.is_empty() {
                remarks.push(format!("{} : colonnes recopiées sans être lues : {}.", file.name(), other.join(", ")));
            }
            if ask.primary.is_none() && file.has("primary") {
                remarks.push(format!(
                    "{} : la colonne « primary » n’est pas suivie (ajoutez --primary-column primary) ; elle est réécrite \
                     d’après les règles.",
                    file.name()
                ));
            }
            if ask.singletons.is_none() && !file.has("owner") && !file.has("contributors") {
                remarks.push(format!(
                    "{} : sans colonne « contributors » ni « owner », on ne protège pas d’une personne seule dans sa case, \
                     qui connaît son propre chiffre. Ajoutez --singletons alone pour en tenir compte.",
                    file.name()
                ));
            }
        }
        remarks
    }
}
