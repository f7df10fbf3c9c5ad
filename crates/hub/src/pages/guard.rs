//! Before any page: is it really this machine's own browser window that asks?

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::problem;
use crate::Hub;

/// Nothing runs, nothing is fetched but our sheet and icon, nothing frames us.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

#[derive(Clone)]
pub(super) struct Door {
    pub(super) hub: Hub,
    pub(super) port: u16,
}

/// Refuses what another site makes the browser ask, and writes on every answer how it may be used.
pub(super) async fn guard(State(door): State<Door>, request: Request, next: Next) -> Response {
    let mut response = if !is_ours(&request, door.port) {
        problem::page(
            &door.hub,
            StatusCode::MISDIRECTED_REQUEST,
            "Adresse refusée",
            &format!(
                "Ces pages ne répondent que sous le nom de cette machine : ouvrez http://localhost:{port}/. Si vous passez par un tunnel, donnez-lui le même numéro de port ({port}) des deux côtés.",
                port = door.port
            ),
        )
    } else if comes_from_elsewhere(request.headers()) {
        problem::page(
            &door.hub,
            StatusCode::FORBIDDEN,
            "Demande d’un autre site",
            "Un autre site a tenté de lire ces pages depuis votre navigateur : rien ne lui a été montré. Ouvrez la page vous-même, ou depuis un lien.",
        )
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    let mut say = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    say(CONTENT_SECURITY_POLICY, POLICY);
    say(X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(X_FRAME_OPTIONS, "DENY");
    say(REFERRER_POLICY, "no-referrer");
    say(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    say(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    // Figures stay in the database, not in the browser's folders.
    say(CACHE_CONTROL, "no-store");
    response
}

/// A name that somebody else's DNS made point here is not ours, although the connection is (DNS rebinding).
fn is_ours(request: &Request, port: u16) -> bool {
    let named = |name: &str| {
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|ours| {
            let with_port = name
                .rsplit_once(':')
                .is_some_and(|(host, said)| host.eq_ignore_ascii_case(ours) && said.parse() == Ok(port));
            with_port || (port == 80 && name.eq_ignore_ascii_case(ours))
        })
    };
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(named) && request.uri().authority().is_none_or(|authority| named(authority.as_str()))
}

/// A link on another page may lead here: that is a person's doing, and shows nothing to that page. Whatever else another
/// site asks is a script's. A browser too old to say from where asks as nobody.
fn comes_from_elsewhere(headers: &HeaderMap) -> bool {
    let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match said("sec-fetch-site") {
        "" | "none" | "same-origin" => false,
        _ => (said("sec-fetch-mode"), said("sec-fetch-dest")) != ("navigate", "document"),
    }
}
