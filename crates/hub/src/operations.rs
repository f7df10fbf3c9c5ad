//! What the operator's own tools ask: is the hub alive, is it ready, how is it doing.
//!
//! On a port of its own, for the operator's network: nothing here can be asked at the nodes' door. No answer holds a
//! figure of a commune, and none says how many cells one hides: that alone tells small communes from large ones.

pub(crate) mod metrics;
mod readiness;

use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use wire::server::Health;

use crate::Hub;

pub(crate) use metrics::Metrics;

/// How often `grpc.health.v1` is brought to what `/ready` would say.
const LOOK: Duration = Duration::from_secs(5);

pub(crate) fn router(hub: &Hub) -> Router {
    let (ready, measured) = (hub.clone(), hub.clone());
    Router::new()
        .route("/health", get(|| async { "alive\n" }))
        .route("/ready", get(move || async move { readiness(&ready).await }))
        .route("/metrics", get(move || async move { exposition(&measured).await }))
}

async fn readiness(hub: &Hub) -> impl IntoResponse + use<> {
    let obstacles = hub.obstacles().await;
    if obstacles.is_empty() {
        return (StatusCode::OK, "ready\n".to_owned());
    }
    let lines: Vec<String> = obstacles.iter().map(|one| format!("{}: {}\n", one.reason, one.cure)).collect();
    (StatusCode::SERVICE_UNAVAILABLE, lines.concat())
}

async fn exposition(hub: &Hub) -> impl IntoResponse + use<> {
    let text = hub.exposition().await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}

/// Keeps `grpc.health.v1` at what `/ready` says; never returns.
pub(crate) async fn follow(hub: &Hub, health: &Health) {
    let mut before = None;
    loop {
        let obstacles = hub.obstacles().await;
        let ready = obstacles.is_empty();
        if before != Some(ready) {
            for obstacle in &obstacles {
                tracing::error!(reason = obstacle.reason, "not ready");
            }
            health.set("", ready).await;
            before = Some(ready);
        }
        tokio::time::sleep(LOOK).await;
    }
}
