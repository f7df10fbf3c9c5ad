//! What the operating system refused, as a person is told it: its own words are English, and name no file.

use std::io::{Error, ErrorKind};
use std::path::Path;

use model::FailureKind;

/// What kind of no it is.
pub fn kind(error: &Error) -> FailureKind {
    match error.kind() {
        ErrorKind::NotFound => FailureKind::NotFound,
        ErrorKind::AlreadyExists => FailureKind::Conflict,
        ErrorKind::AddrInUse | ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ResourceBusy => {
            FailureKind::Unavailable
        }
        // Whatever else there is: somebody has to mend it before the same command can succeed.
        _ => FailureKind::Precondition,
    }
}

/// The cause as a clause without capital and full stop: `l’accès est refusé`.
pub fn cause(error: &Error) -> String {
    told(error).0
}

/// What to do about it, as a sentence.
pub fn cure(error: &Error) -> &'static str {
    told(error).1
}

/// File, cause and cure as sentences.
pub fn sentence(path: &Path, error: &Error) -> String {
    let (cause, cure) = told(error);
    format!("{} : {cause}. {cure}", path.display())
}

fn told(error: &Error) -> (String, &'static str) {
    let (cause, cure) = match error.kind() {
        ErrorKind::NotFound => ("ce fichier ou ce dossier n’existe pas", "Vérifiez son nom et son emplacement."),
        ErrorKind::AlreadyExists => ("ce fichier existe déjà, et rien n’est jamais écrasé", "Choisissez un autre nom."),
        ErrorKind::PermissionDenied => {
            ("l’accès est refusé", "Donnez à l’utilisateur qui lance maillage le droit de lire et d’écrire ici.")
        }
        ErrorKind::StorageFull => ("le disque est plein", "Libérez de la place, puis recommencez."),
        ErrorKind::QuotaExceeded => {
            ("le quota de cet utilisateur est épuisé", "Libérez de la place ou relevez le quota, puis recommencez.")
        }
        ErrorKind::ReadOnlyFilesystem => (
            "ce disque est monté en lecture seule",
            "Choisissez un autre emplacement, ou remontez ce disque en écriture.",
        ),
        ErrorKind::IsADirectory => ("c’est un dossier, et il faut un fichier", "Donnez le nom d’un fichier."),
        ErrorKind::NotADirectory => {
            ("une partie de ce chemin est un fichier, et il faut un dossier", "Vérifiez le chemin.")
        }
        ErrorKind::DirectoryNotEmpty => ("ce dossier n’est pas vide", "Choisissez un dossier vide ou nouveau."),
        ErrorKind::InvalidFilename => {
            ("ce nom n’est pas permis ici", "Choisissez un nom plus court, sans signe spécial.")
        }
        ErrorKind::FileTooLarge => {
            ("le fichier dépasse ce que ce disque permet", "Choisissez un emplacement sur un autre disque.")
        }
        ErrorKind::CrossesDevices => {
            ("ce dossier s’étend sur deux disques", "Mettez-le tout entier sur un seul disque, puis recommencez.")
        }
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            ("son contenu est abîmé ou n’est pas du texte", "Remettez une copie intacte.")
        }
        ErrorKind::ResourceBusy | ErrorKind::WouldBlock => {
            ("un autre programme s’en sert en ce moment", "Réessayez dans un instant.")
        }
        ErrorKind::TimedOut => ("le système n’a pas répondu à temps", "Réessayez dans un instant."),
        ErrorKind::AddrInUse => {
            ("un autre programme occupe déjà ce port", "Arrêtez-le, ou changez de port dans les réglages.")
        }
        ErrorKind::AddrNotAvailable => (
            "cette adresse n’est pas celle de cette machine",
            "Écrivez une adresse de cette machine, ou 0.0.0.0 pour toutes.",
        ),
        ErrorKind::OutOfMemory => ("la mémoire manque", "Fermez d’autres programmes, puis recommencez."),
        // A foreign enum that grows: the system's number lets somebody look it up.
        _ => {
            let number = error.raw_os_error().map_or_else(String::new, |number| format!(" (erreur n° {number})"));
            let cure = "Vérifiez le disque et les droits ; si cela se répète, prévenez votre service informatique.";
            return (format!("le système a refusé l’opération{number}"), cure);
        }
    };
    (cause.to_owned(), cure)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_is_french_and_has_a_cure() {
        // Numbers of Linux, up to the last one that it gives: whatever a disk or a network answers, no English comes out.
        for number in 1..=133 {
            let error = Error::from_raw_os_error(number);
            let text = sentence(Path::new("clé.txt"), &error);
            assert!(text.starts_with("clé.txt : ") && text.ends_with('.'), "{text}");
            let system = error.to_string();
            let english = system.split(" (os error").next().unwrap_or_default();
            assert!(!text.contains(english) && !text.contains(&error.kind().to_string()), "{number}: {text}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_happens_most_is_told_apart() {
        for (number, found, kind) in [
            (2, "n’existe pas", FailureKind::NotFound),
            (13, "refusé", FailureKind::Precondition),
            (17, "existe déjà", FailureKind::Conflict),
            (28, "plein", FailureKind::Precondition),
            (30, "lecture seule", FailureKind::Precondition),
            (98, "occupe déjà ce port", FailureKind::Unavailable),
            (5, "erreur n° 5", FailureKind::Precondition),
        ] {
            let error = Error::from_raw_os_error(number);
            assert!(cause(&error).contains(found), "{number}: {}", cause(&error));
            assert_eq!(super::kind(&error), kind, "{number}");
        }
    }
}
