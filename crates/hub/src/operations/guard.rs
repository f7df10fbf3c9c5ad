//! Before anything is measured: was this machine meant, or only reached?
//!
//! A page of another site may make a browser of this network ask here under a name of its own that points here (DNS
//! rebinding), and would then read who joined, who is late and what was refused. Only names that are ours are answered.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, header::HOST};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::HubConfig;

/// Names and addresses under which the port answers, besides those of the loopback interface.
#[derive(Clone, Debug)]
pub(super) struct Names(std::sync::Arc<[String]>);

impl Names {
    /// What the operator wrote: where it listens, the hub's public name, further names.
    pub(super) fn of(config: &HubConfig) -> Self {
        let listens = config.operations.parse::<SocketAddr>().ok().map(|address| address.ip());
        let listens = listens.filter(|address| !address.is_unspecified()).map(|address| address.to_string());
        let public = config.address().ok().map(|address| address.host().to_owned());
        Self(listens.into_iter().chain(public).chain(config.names.iter().cloned()).collect())
    }

    /// Whatever the port: it may be another one outside of a container.
    fn are_asked(&self, host: &str) -> bool {
        let Ok(authority) = host.parse::<Authority>() else { return false };
        if host.contains('@') {
            return false;
        }
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let loopback =
            name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        loopback || self.0.iter().any(|ours| ours.eq_ignore_ascii_case(name))
    }
}

/// Answers to our names only. A probe of HTTP/1.0 says none; a browser always does.
pub(super) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    let mut hosts = request.headers().get_all(HOST).iter();
    let target = request.uri().authority().is_none_or(|authority| names.are_asked(authority.as_str()));
    let host = match (hosts.next(), hosts.next()) {
        (None, _) => true,
        (Some(host), None) => host.to_str().is_ok_and(|host| names.are_asked(host)),
        (Some(_), Some(_)) => false,
    };
    if target && host {
        return next.run(request).await;
    }
    let told = "this port answers under the names of this machine only: ask for localhost, or add the name to « names » in hub.toml\n";
    (StatusCode::MISDIRECTED_REQUEST, told).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_and_of_the_settings_are_ours() {
        let config = HubConfig {
            operations: "10.0.0.5:9464".to_owned(),
            public_address: "hub.exemple.fr:7443".to_owned(),
            names: vec!["supervision.interne".to_owned(), "fd00::7".to_owned()],
            ..HubConfig::default()
        };
        let names = Names::of(&config);
        for ours in [
            "localhost:9464",
            "LOCALHOST",
            "127.0.0.1:9464",
            "127.0.0.2",
            "[::1]:9464",
            "10.0.0.5:19464",
            "hub.exemple.fr",
            "Supervision.Interne:9464",
            "[fd00::7]:9464",
        ] {
            assert!(names.are_asked(ours), "{ours}");
        }
        for foreign in [
            "",
            "attaquant.exemple",
            "localhost.attaquant.exemple:9464",
            "10.0.0.6:9464",
            "0.0.0.0",
            "a b",
            "user@localhost",
        ] {
            assert!(!names.are_asked(foreign), "{foreign}");
        }
        let everywhere = Names::of(&HubConfig { operations: "0.0.0.0:9464".to_owned(), ..HubConfig::default() });
        assert!(!everywhere.are_asked("0.0.0.0:9464"), "no address of anything");
    }
}
