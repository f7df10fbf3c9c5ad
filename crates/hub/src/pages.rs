//! Pages for coordinators, in French, rendered here: the campaign board, comparisons and portraits of communes.
//!
//! Who reaches this port holds this machine: until accounts exist it is bound to the loopback interface, and [`guard`]
//! keeps other sites' scripts in the same browser away. Pages need no script and load nothing from elsewhere.

mod board;
mod comparison;
mod guard;
mod portrait;
mod problem;

use std::net::SocketAddr;

use askama::Template;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};
use model::{Failure, FailureKind, Timestamp};

use crate::{Hub, failure};

const STYLE: &str = include_str!("../templates/style.css");
const ICON: &str = include_str!("../templates/favicon.svg");

/// Where pages may listen.
///
/// # Errors
/// Another machine could reach `address`: anybody there would read every commune's figures without an account.
pub(crate) fn local_only(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() {
        return Ok(());
    }
    Err(Failure::new(
        FailureKind::Precondition,
        "PAGES_NOT_LOCAL",
        format!("pages would listen on {address}, which other machines reach"),
        format!(
            "Les pages de la coordination n’ont pas encore de comptes : elles ne s’ouvrent que sur cette machine, et « {address} » est visible d’autres. Écrivez pages = \"127.0.0.1:7480\" dans hub.toml ; à distance, passez par un tunnel : ssh -L 7480:127.0.0.1:7480 MACHINE."
        ),
    ))
}

/// The pages, for who asks under this very address.
pub(crate) fn router(hub: &Hub, address: SocketAddr) -> Router {
    let door = guard::Door { hub: hub.clone(), port: address.port() };
    Router::new()
        .route("/", get(board::show))
        .route("/comparer", get(comparison::show))
        .route("/portrait", get(portrait::show))
        .route("/style.css", get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], STYLE) }))
        .route("/favicon.svg", get(|| async { ([(CONTENT_TYPE, "image/svg+xml")], ICON) }))
        .fallback(problem::no_such_page)
        .method_not_allowed_fallback(problem::only_reading)
        .with_state(hub.clone())
        .layer(middleware::from_fn_with_state(door, guard::guard))
}

/// What every page has.
struct Frame {
    /// Of the browser's window.
    title: String,
    /// Which entry of the menu it is.
    place: &'static str,
    fictional: bool,
    made_at: String,
}

impl Frame {
    fn new(hub: &Hub, title: impl Into<String>, place: &'static str) -> Self {
        let now: Timestamp = hub.now();
        Self { title: title.into(), place, fictional: hub.config().fictional, made_at: render::date::moment(now) }
    }
}

fn page(template: &impl Template) -> Result<Response, Failure> {
    let text = template.render().map_err(|error| failure::internal("PAGE", error.to_string()))?;
    Ok(Html(text).into_response())
}
