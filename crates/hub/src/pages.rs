//! Pages for coordinators, in French, rendered here: the campaign board and comparisons.

use axum::Router;

use crate::Hub;

pub(crate) fn router(_hub: &Hub) -> Router {
    Router::new()
}
