//! What cannot be shown, said in French with its cure.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use model::{Failure, FailureKind};

use super::Frame;
use crate::Hub;

#[derive(Template)]
#[template(path = "error.html")]
struct Problem<'a> {
    frame: Frame,
    message: &'a str,
}

pub(super) fn page(hub: &Hub, status: StatusCode, title: &str, message: &str) -> Response {
    let problem = Problem { frame: Frame::new(hub, title, ""), message };
    // A template of two texts renders; should it not, the sentence alone still says what is wrong.
    let text = problem.render().unwrap_or_else(|_| message.to_owned());
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(axum::http::header::CONTENT_TYPE, html);
    response
}

pub(super) async fn no_such_page(State(hub): State<Hub>) -> Response {
    page(
        &hub,
        StatusCode::NOT_FOUND,
        "Page introuvable",
        "Cette adresse ne mène à aucune page du centre. Vérifiez-la, ou passez par le menu.",
    )
}

pub(super) async fn only_reading(State(hub): State<Hub>) -> Response {
    page(
        &hub,
        StatusCode::METHOD_NOT_ALLOWED,
        "Demande impossible",
        "Ces pages se lisent et ne modifient rien. Ouvrez-les par leur adresse ou par le menu.",
    )
}

/// A use-case said no.
pub(super) fn of(hub: &Hub, failure: &Failure) -> Response {
    let (status, title) = match failure.kind {
        FailureKind::Invalid => (StatusCode::BAD_REQUEST, "Demande impossible"),
        FailureKind::Unauthenticated => (StatusCode::UNAUTHORIZED, "Accès refusé"),
        FailureKind::Denied => (StatusCode::FORBIDDEN, "Accès refusé"),
        FailureKind::NotFound => (StatusCode::NOT_FOUND, "Introuvable"),
        FailureKind::Conflict => (StatusCode::CONFLICT, "Modifié entre-temps"),
        FailureKind::Precondition => (StatusCode::PRECONDITION_FAILED, "Réglage à corriger"),
        FailureKind::Exhausted => (StatusCode::TOO_MANY_REQUESTS, "Trop de demandes"),
        FailureKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Base de données indisponible"),
        FailureKind::Internal => return incident(hub, failure),
    };
    tracing::info!(reason = %failure.reason, detail = %failure.detail, "page refused");
    page(hub, status, title, &failure.message)
}

fn incident(hub: &Hub, failure: &Failure) -> Response {
    let mut bytes = [0; 4];
    hub.entropy().fill(&mut bytes);
    let incident = format!("{:08x}", u32::from_be_bytes(bytes));
    tracing::error!(incident, reason = %failure.reason, detail = %failure.detail, "internal failure of a page");
    let message = format!(
        "Une erreur du centre empêche d’afficher cette page. Signalez l’incident {incident} à l’administrateur du centre."
    );
    page(hub, StatusCode::INTERNAL_SERVER_ERROR, "Erreur du centre", &message)
}
