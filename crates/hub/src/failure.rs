//! From what the rooms below say to what is answered, and to what a person is told.

use std::path::Path;

use model::{Failure, FailureKind};
use store::{Location, StoreError};

/// Something that storage could not do, while serving.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn storage(error: StoreError) -> Failure {
    let detail = error.to_string();
    if error.is_transient() {
        return Failure::new(
            FailureKind::Unavailable,
            "HUB_STORE_UNAVAILABLE",
            detail,
            "La base du centre n’est pas accessible pour l’instant. Rien n’a été enregistré : réessayez dans quelques minutes.",
        );
    }
    internal("HUB_STORE_DEFECT", detail)
}

/// Something that storage could not do, while opening.
pub(crate) fn opening(error: &StoreError, location: &Location) -> Failure {
    let detail = format!("{location}: {error}");
    match error {
        StoreError::SchemaNewer(_) | StoreError::SchemaAltered(_) | StoreError::SchemaForeign => Failure::new(
            FailureKind::Precondition,
            "HUB_SCHEMA_UNKNOWN",
            detail,
            format!(
                "La base du centre ({location}) a été faite par une autre version ou un autre logiciel. Installez la version la plus récente, ou corrigez « database » dans hub.toml ; ne supprimez rien."
            ),
        ),
        StoreError::Occupied => Failure::new(
            FailureKind::Conflict,
            "HUB_EXISTS",
            detail,
            format!(
                "La base ({location}) n’est pas vide : une restauration n’écrit que dans une base vide. Indiquez-en une autre avec --database."
            ),
        ),
        StoreError::Busy
        | StoreError::Duplicate(_)
        | StoreError::Reference
        | StoreError::Check(_)
        | StoreError::Moved(_)
        | StoreError::Damaged(_)
        | StoreError::Unstorable(_)
        | StoreError::Unavailable(_)
        | StoreError::Statement(_) => Failure::new(
            FailureKind::Unavailable,
            "HUB_STORE_UNAVAILABLE",
            detail,
            format!(
                "La base du centre ({location}) ne s’ouvre pas. Vérifiez qu’elle existe, que le disque n’est pas plein et que « database » dans hub.toml est juste."
            ),
        ),
    }
}

/// The database was made with another authority.
pub(crate) fn foreign_database(location: &Location) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "HUB_DATABASE_FOREIGN",
        format!("{location} belongs to another certificate authority"),
        "Cette base appartient à un autre centre : ses communes ne reconnaîtraient pas celui-ci. Remettez les clés d’origine dans le dossier keys/, ou indiquez une autre base dans hub.toml.",
    )
}

/// Something stored does not read back.
pub(crate) fn damaged(what: &str) -> Failure {
    internal("HUB_DATA_DAMAGED", format!("stored {what} does not read back"))
}

/// Our fault. The boundary adds an incident id and logs `detail`.
pub(crate) fn internal(reason: &'static str, detail: impl Into<String>) -> Failure {
    Failure::new(
        FailureKind::Internal,
        reason,
        detail,
        "Une erreur du centre a interrompu l’opération. Rien n’a été enregistré.",
    )
}

/// What the system refused about a file or a folder.
#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
pub(crate) fn file(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(
        render::system::kind(&error),
        "HUB_FOLDER",
        format!("{}: {error}", path.display()),
        render::system::sentence(path, &error),
    )
}

/// A file that reads, and does not hold what it should.
pub(crate) fn content(path: &Path, cause: impl std::fmt::Display) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "HUB_FILE_DAMAGED",
        format!("{}: {cause}", path.display()),
        format!(
            "Le fichier {} ne contient pas ce qu’il devrait : il a été modifié ou abîmé, ou c’en est un autre. Remettez une copie intacte.",
            path.display()
        ),
    )
}

/// Nobody made a hub in this folder, or its making was interrupted.
pub(crate) fn absent(folder: &Path) -> Failure {
    let folder = folder.display();
    Failure::new(
        FailureKind::NotFound,
        "HUB_ABSENT",
        format!("{folder} has no hub.toml"),
        format!(
            "Il n’y a pas de centre dans le dossier {folder} : hub.toml n’y est pas. S’il est ailleurs, indiquez son dossier avec --folder. Pour en créer un : maillage hub init --folder {folder} --public-address NOM:PORT"
        ),
    )
}

/// What came of asking a hub over the wire.
pub(crate) fn network(error: &wire::client::ClientError) -> Failure {
    Failure::new(error.kind(), error.reason().to_owned(), error.to_string(), error.message())
}
