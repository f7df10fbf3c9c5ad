//! The command line in French: clap's own words, in its help and in its errors, are English.
//!
//! Everything is said by clap itself (what is required, what is possible, what was meant); only the words change.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};

/// What a command's help shows, and in which order.
const TEMPLATE: &str = "{about-with-newline}\nUsage : {usage}\n\n{all-args}{after-help}";

/// The whole command, and everything below it, with French headings, French names of values and French notes.
pub fn command(command: Command) -> Command {
    command
        .help_template(TEMPLATE)
        .subcommand_value_name("COMMANDE")
        .subcommand_help_heading("Commandes\u{a0}")
        .mut_args(argument)
        .mut_subcommands(self::command)
}

fn argument(argument: Arg) -> Arg {
    // No-break spaces before the colon that clap writes.
    let heading = match argument.get_help_heading() {
        Some(_) => "Options générales\u{a0}",
        None if argument.is_positional() => "Arguments\u{a0}",
        None => "Options\u{a0}",
    };
    let argument = argument.help_heading(heading);
    if !argument.get_action().takes_values() {
        return argument;
    }
    let mut notes = Vec::new();
    let possible: Vec<String> =
        argument.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    if !possible.is_empty() {
        notes.push(format!("valeurs : {}", possible.join(", ")));
    }
    let usual: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    if !usual.is_empty() {
        notes.push(format!("par défaut : {}", usual.join(", ")));
    }
    if let Some(variable) = argument.get_env() {
        notes.push(format!("variable d’environnement : {}", variable.to_string_lossy()));
    }
    let with_notes = |help: Option<String>| {
        let help = help.unwrap_or_default();
        if notes.is_empty() { help } else { format!("{help} [{}]", notes.join(" ; ")) }
    };
    let help = with_notes(argument.get_help().map(ToString::to_string));
    let long = argument.get_long_help().map(|long| with_notes(Some(long.to_string())));
    let value = value(argument.get_id().as_str()).name;
    let argument =
        argument.value_name(value).help(help).hide_possible_values(true).hide_default_value(true).hide_env(true);
    match long {
        Some(long) => argument.long_help(long),
        None => argument,
    }
}

/// What stands for a value in the help, and how such a value is written.
struct Value {
    name: &'static str,
    form: &'static str,
}

/// By the name of the argument.
fn value(argument: &str) -> Value {
    let (name, form) = match argument {
        "folder" | "access" | "node" | "pack_folder" => ("DOSSIER", "le chemin d’un dossier"),
        "file" | "files" | "answer" | "out" | "output" | "key" | "passphrase_file" | "verify" | "receipt"
        | "tables" | "history" | "cells" | "known" | "hierarchy" | "public" | "intervals" => {
            ("FICHIER", "le chemin d’un fichier")
        }
        "old" | "new" | "after" => {
            ("RÉFÉRENTIEL", "le dossier d’un référentiel, ou le fichier fait par « maillage pack build »")
        }
        "with" => ("QUI", "coordination, communes, partenaires, public, ou personne"),
        "territory" | "also" | "iris_of" => (
            "CODE_INSEE",
            "un code INSEE de commune a cinq caractères, le zéro du début compris, par exemple 93066 ou 01053",
        ),
        "period" => ("PÉRIODE", "une période s’écrit 2025, 2025-S1 (semestre), 2025-Q4 (trimestre) ou 2025-06 (mois)"),
        "at" => ("CRITÈRE=MODALITÉ", "écrivez CRITÈRE=MODALITÉ, par exemple sexe=F"),
        "indicator" => ("INDICATEUR", CODE),
        "pack" => ("RÉFÉRENTIEL", CODE),
        "table" => ("TABLEAU", CODE),
        "source" => ("SOURCE", CODE),
        "coordinator" | "name" | "by" => ("NOM", CODE),
        "reason" => ("MOTIF", "un texte"),
        "purpose" => ("FINALITÉ", "un texte d’une ligne"),
        "submission" | "id" => {
            ("IDENTIFIANT", "un identifiant a 32 caractères parmi 0 à 9 et a à f ; copiez-le en entier")
        }
        "previous_until" | "until" => ("ANNÉE-MOIS-JOUR", "une date s’écrit ANNÉE-MOIS-JOUR, par exemple 2027-03-31"),
        "edition" => ("VERSION", "une version a trois nombres, par exemple 1.0.0"),
        "geography" => ("ANNÉE", "une année s’écrit en quatre chiffres, par exemple 2025"),
        "seed" | "last" => ("NOMBRE", "un nombre entier s’écrit en chiffres seulement"),
        "invitation" => ("INVITATION", "la ligne reçue, qui commence par « maillage1- »"),
        "preview" => ("EMPREINTE", "l’empreinte qu’affiche « maillage node preview »"),
        "recipient" => ("CLÉ_PUBLIQUE", "une clé publique commence par age1"),
        "rule" => ("RÈGLE", "threshold=5, dominance=1,85, p=15… ; « maillage protect --rules » montre le catalogue"),
        "at_source" => ("NOM=FICHIER", "exact=FICHIER, ou cnaf-arrondi=FICHIER"),
        "primary_column" => ("COLONNE", "le nom d’une colonne du tableau"),
        "width" => ("LARGEUR", "un nombre entier s’écrit en chiffres seulement"),
        "zeros" | "singletons" => ("CHOIX", "une des valeurs que donne l’aide"),
        "database" => ("BASE", "sqlite:FICHIER ou postgres://…"),
        "public_address" | "listen" => ("ADRESSE:PORT", "une adresse, deux-points et un numéro de port"),
        "log_format" => ("FORME", "text ou json"),
        "format" => ("FORME", "une des valeurs que donne l’aide"),
        _ => ("VALEUR", "voyez l’aide de cette commande"),
    };
    Value { name, form }
}

const CODE: &str = "un code est fait de lettres sans accent, de chiffres et de _ - . +, sans espace";

/// Why the line that was typed is not a command, with the cure.
pub fn refusal(error: &Error) -> String {
    let told = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        Some(ContextValue::StyledStrs(texts)) => {
            Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
        }
        Some(ContextValue::Number(number)) => Some(number.to_string()),
        // What holds no text, in a foreign enum that grows.
        Some(_) | None => None,
    };
    let argument = told(ContextKind::InvalidArg).unwrap_or_default();
    let given = told(ContextKind::InvalidValue).unwrap_or_default();
    let meant = |kind| told(kind).map_or_else(String::new, |meant| format!(" Vouliez-vous dire {meant} ?"));
    let mut text = match error.kind() {
        ErrorKind::InvalidValue if given.is_empty() => format!("Il manque la valeur de {argument}.{}", values(&told)),
        ErrorKind::InvalidValue => {
            let meant = meant(ContextKind::SuggestedValue);
            format!("La valeur « {given} » ne convient pas à {argument}.{meant}{}", values(&told))
        }
        ErrorKind::ValueValidation => {
            format!("La valeur « {given} » ne convient pas à {argument} : {}.", form(&argument))
        }
        ErrorKind::UnknownArgument => {
            format!("L’option ou l’argument « {argument} » n’existe pas ici.{}", meant(ContextKind::SuggestedArg))
        }
        ErrorKind::InvalidSubcommand => {
            let command = told(ContextKind::InvalidSubcommand).unwrap_or_default();
            format!("La commande « {command} » n’existe pas.{}", meant(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::MissingSubcommand => "Il manque une commande.".to_owned(),
        ErrorKind::MissingRequiredArgument => format!("Il manque {argument}."),
        ErrorKind::ArgumentConflict => match told(ContextKind::PriorArg) {
            Some(prior) if prior == argument => format!("{argument} ne se donne qu’une fois."),
            Some(prior) => format!("{argument} ne se donne pas avec {prior}."),
            None => format!("{argument} ne se donne pas avec les autres options."),
        },
        ErrorKind::TooManyValues => format!("« {given} » est de trop pour {argument}."),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            format!("{argument} n’a pas le bon nombre de valeurs.")
        }
        ErrorKind::NoEquals => format!("Écrivez {argument} avec un signe = avant la valeur."),
        ErrorKind::InvalidUtf8 => "Un argument contient des caractères illisibles : écrivez-le en UTF-8.".to_owned(),
        // The rest is not about what was typed: help, version, and what this program never asks clap for.
        _ => "Cette ligne n’est pas une commande de maillage.".to_owned(),
    };
    if let Some(usage) = told(ContextKind::Usage) {
        let usage = usage.trim().trim_start_matches("Usage:").trim();
        text.push_str("\n\nUsage : ");
        text.push_str(usage);
    }
    text.push_str("\n\nPour en savoir plus, ajoutez --help.");
    text
}

fn values(told: &impl Fn(ContextKind) -> Option<String>) -> String {
    told(ContextKind::ValidValue).map_or_else(String::new, |values| format!(" Valeurs possibles : {values}."))
}

/// How a value is written, by what clap calls the argument: `--territory <CODE_INSEE>`.
fn form(argument: &str) -> &'static str {
    let option = argument.strip_prefix("--").and_then(|rest| rest.split([' ', '=']).next());
    if let Some(option) = option {
        return value(&option.replace('-', "_")).form;
    }
    // A positional argument is called by the name of its value.
    let name = argument.trim_matches(|sign| matches!(sign, '<' | '>' | '[' | ']' | '.'));
    ["indicator", "id", "file", "invitation", "coordinator"]
        .map(value)
        .into_iter()
        .find(|value| value.name == name)
        .map_or("voyez l’aide de cette commande", |value| value.form)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::Cli;

    fn french() -> Command {
        command(Cli::command())
    }

    /// What is said about a line that is no command.
    fn refused(line: &str) -> String {
        let error = french().try_get_matches_from(line.split(' ')).expect_err(line);
        refusal(&error)
    }

    /// Every help, short and long, of this command and those below.
    fn helps(command: &mut Command, found: &mut Vec<String>) {
        command.build();
        found.push(command.render_long_help().to_string());
        found.push(command.render_help().to_string());
        for below in command.get_subcommands_mut() {
            helps(below, found);
        }
    }

    #[test]
    fn no_help_holds_a_word_of_clap() {
        let mut all = Vec::new();
        helps(&mut french(), &mut all);
        assert!(all.len() > 60, "{}", all.len());
        for help in &all {
            for english in [
                "Usage:",
                "Options:",
                "Commands:",
                "default:",
                "possible values",
                "Possible values",
                "env:",
                "Print ",
                "<COMMAND>",
                "FOLDER>",
                "FILE>",
                "VALEUR",
            ] {
                assert!(!help.contains(english), "{english} in\n{help}");
            }
            assert!(help.contains("Usage : maillage"), "{help}");
        }
        let import = all.iter().find(|help| help.contains("maillage hub import [OPTIONS]")).expect("its help");
        assert!(import.contains("Arguments\u{a0}:") && import.contains("Options générales\u{a0}:"), "{import}");
        assert!(
            import.contains("[par défaut : maillage-hub ; variable d’environnement : MAILLAGE_HUB_FOLDER]"),
            "{import}"
        );
        assert!(all[0].contains("[valeurs : text, json ; par défaut : text"), "{}", all[0]);
    }

    #[test]
    fn each_mistake_is_told_with_its_cure() {
        for (line, told) in [
            (
                "maillage node approve",
                &["Il manque --name <NOM>, --preview <EMPREINTE>.", "Usage : maillage node approve"][..],
            ),
            ("maillage node verify", &["Il manque <FICHIER>."]),
            ("maillage nod", &["La commande « nod » n’existe pas. Vouliez-vous dire node ?"]),
            ("maillage --nope", &["« --nope » n’existe pas ici."]),
            ("maillage hub import a --dry-ru", &["« --dry-ru » n’existe pas ici. Vouliez-vous dire --dry-run ?"]),
            (
                "maillage --log-format xml node status",
                &["La valeur « xml » ne convient pas à --log-format <FORME>.", "text, json"],
            ),
            ("maillage --log-format", &["Il manque la valeur de --log-format <FORME>."]),
            ("maillage hub invite --territory 9306", &["« 9306 »", "--territory <CODE_INSEE>", "par exemple 93066"]),
            ("maillage compare pop --period 25", &["« 25 »", "2025-S1"]),
            ("maillage compare pop --period 2025 --at sexe", &["CRITÈRE=MODALITÉ, par exemple"]),
            ("maillage compare é --period 2025", &["<INDICATEUR>", "sans accent"]),
            ("maillage hub purge confirm abc --by x", &["« abc »", "32 caractères"]),
            ("maillage hub backup a --verify b", &["[FICHIER] ne se donne pas avec --verify <FICHIER>."]),
            ("maillage node status --folder a --folder b", &["--folder <DOSSIER> ne se donne qu’une fois."]),
            ("maillage demo --once=3", &["« 3 » est de trop pour --once."]),
        ] {
            let text = refused(line);
            for part in told {
                assert!(text.contains(part), "{line}: « {part} » is not in\n{text}");
            }
            assert!(text.ends_with("ajoutez --help."), "{text}");
            for english in ["error", "Usage:", "value", "argument '", "required", "tip:", "cannot"] {
                assert!(!text.contains(english), "{line}: {english} in\n{text}");
            }
        }
    }
}
