//! From what the rooms below say to what a person is told.

use model::{Failure, FailureKind};
use store::StoreError;
use wire::document::DocumentError;

/// What stands in the way of the storage, in the words of the person at the keyboard.
pub(crate) fn storage(error: &StoreError) -> Failure {
    let detail = error.to_string();
    match error {
        StoreError::Busy | StoreError::Unavailable(_) => Failure::new(
            FailureKind::Unavailable,
            "NODE_STORE_UNAVAILABLE",
            detail,
            "La base locale du nœud n’est pas accessible : disque plein, dossier en lecture seule, ou autre programme ouvert. Rien n’a été perdu ; réessayez.",
        ),
        StoreError::Moved(_) => Failure::new(
            FailureKind::Conflict,
            "NODE_STATE_MOVED",
            detail,
            "L’état du nœud a changé entre-temps. Relancez « maillage node preview ».",
        ),
        StoreError::SchemaNewer(_) | StoreError::SchemaAltered(_) | StoreError::SchemaForeign => Failure::new(
            FailureKind::Precondition,
            "NODE_SCHEMA_UNKNOWN",
            detail,
            "La base locale a été faite par une autre version du logiciel. Installez la version la plus récente ; ne supprimez rien.",
        ),
        StoreError::Damaged(_) => Failure::new(
            FailureKind::Precondition,
            "NODE_STORE_DAMAGED",
            detail,
            "La base locale est abîmée. Demandez une nouvelle invitation au centre : le nœud reconstruira son registre des envois.",
        ),
        StoreError::Duplicate(_)
        | StoreError::Reference
        | StoreError::Check(_)
        | StoreError::Unstorable(_)
        | StoreError::Occupied
        | StoreError::Statement(_) => Failure::new(
            FailureKind::Internal,
            "NODE_STORE_DEFECT",
            detail,
            "Une erreur du logiciel a empêché d’écrire dans la base locale. Rien n’a été envoyé.",
        ),
    }
}

/// What a file of the node's folder does not allow.
pub(crate) fn folder(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(
        FailureKind::Precondition,
        "NODE_FOLDER",
        format!("{}: {error}", path.display()),
        format!(
            "Le fichier {} ne peut pas être lu ou écrit ({error}). Vérifiez le dossier et ses droits.",
            path.display()
        ),
    )
}

/// A document of our own that does not read back.
pub(crate) fn document(error: &DocumentError) -> Failure {
    Failure::from(error)
}

/// A defect: something the code promises did not hold.
pub(crate) fn defect(detail: impl Into<String>) -> Failure {
    Failure::new(
        FailureKind::Internal,
        "NODE_DEFECT",
        detail,
        "Une erreur du logiciel a interrompu l’opération. Rien n’a été envoyé.",
    )
}

/// What the hub, or the way to it, answered.
pub(crate) fn network(error: &wire::client::ClientError) -> Failure {
    Failure::new(error.kind(), error.reason().to_owned(), error.to_string(), error.message())
}
