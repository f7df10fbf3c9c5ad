//! What the operator's own tools ask: is the hub alive, is it ready, how is it doing.

use axum::Router;

use crate::Hub;

pub(crate) fn router(_hub: &Hub) -> Router {
    Router::new()
}
