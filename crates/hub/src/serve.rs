//! Serves until told to stop.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use model::Failure;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use wire::authority::{SERVER_LIFETIME, ServerCertificate, Validity};
use wire::server::{Limits, routes, serve};
use wire::tls::ServerTls;

use crate::auth::Gate;
use crate::{Hub, failure, operations, pages, rpc};

/// How often the hub looks whether its own certificate is to be replaced.
const LOOK: Duration = Duration::from_hours(6);
/// A certificate with less than this to live is replaced.
const MARGIN: Duration = Duration::from_hours(30 * 24);

/// The doors of a hub. Each has its own port: nothing that a person's browser or a probe may ask for can be asked at the
/// nodes' door, and the other way round.
pub struct Listeners {
    /// gRPC over mTLS.
    pub nodes: TcpListener,
    /// Pages for coordinators, plain HTTP: on this machine only, until accounts exist.
    pub pages: Option<TcpListener>,
    /// Health, readiness and metrics, plain HTTP, for the operator's network.
    pub operations: Option<TcpListener>,
}

impl From<TcpListener> for Listeners {
    fn from(nodes: TcpListener) -> Self {
        Self { nodes, pages: None, operations: None }
    }
}

impl Hub {
    /// Serves on `listeners` until `shutdown`, then lets running calls end.
    pub async fn serve(
        &self,
        listeners: impl Into<Listeners>,
        shutdown: impl Future<Output = ()> + Send,
    ) -> Result<(), Failure> {
        let Listeners { nodes, pages, operations } = listeners.into();
        if let Some(pages) = &pages {
            pages::local_only(pages.local_addr().map_err(unbound)?)?;
        }
        let certificate = self.server_certificate()?;
        let tls = ServerTls::new(&self.0.authority, &certificate, Arc::clone(&self.0.world.clock))
            .map_err(|error| failure::internal("TLS", error.to_string()))?;
        let (routes, health) = routes();
        // The browser's and the probe's doors close with the nodes' door.
        let closing = CancellationToken::new();
        let routes = rpc::add_services(routes, self, &closing);
        let shutdown = async {
            shutdown.await;
            closing.cancel();
        };
        let serving = serve(nodes, &tls, routes, Arc::new(Gate(self.clone())), Limits::default(), shutdown);
        let beside = async {
            tokio::join!(
                answer(pages, |address| pages::router(self, address), &closing),
                answer(operations, |_| operations::router(self), &closing)
            )
        };
        tokio::select! {
            ((), (pages, operations)) = async { tokio::join!(serving, beside) } => pages.and(operations),
            () = self.keep_fresh(&tls, certificate) => Ok(()),
            () = operations::follow(self, &health) => Ok(()),
        }
    }

    /// Replaces the certificate long before it ends; never returns.
    async fn keep_fresh(&self, tls: &ServerTls, mut certificate: ServerCertificate) {
        loop {
            tokio::time::sleep(LOOK).await;
            let ends = certificate.not_after().unwrap_or_else(|_| self.now());
            if ends.since(self.now()) >= MARGIN {
                continue;
            }
            match self.server_certificate().and_then(|fresh| {
                tls.replace(&fresh).map_err(|error| failure::internal("TLS", error.to_string()))?;
                Ok(fresh)
            }) {
                Ok(fresh) => certificate = fresh,
                Err(error) => tracing::error!(%error, "the hub's own certificate was not replaced"),
            }
        }
    }

    /// A key and a certificate for this run, under the public name, the names of the settings, and this machine.
    fn server_certificate(&self) -> Result<ServerCertificate, Failure> {
        let address = self.config().address()?;
        let mut names = vec![address.host()];
        for name in self.config().names.iter().map(String::as_str).chain(["localhost", "127.0.0.1", "::1"]) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let validity = Validity { now: self.now(), lifetime: SERVER_LIFETIME };
        let internal = |error: String| failure::internal("AUTHORITY", error);
        let signed = self.0.authority.sign_server(&names, validity, self.entropy());
        let signed = signed.map_err(|error| internal(error.to_string()))?;
        self.0.certificate_end.set(signed.not_after().map_err(|error| internal(error.to_string()))?);
        Ok(signed)
    }
}

async fn answer(
    listener: Option<TcpListener>,
    router: impl FnOnce(SocketAddr) -> Router,
    closing: &CancellationToken,
) -> Result<(), Failure> {
    let Some(listener) = listener else { return Ok(()) };
    let address = listener.local_addr().map_err(unbound)?;
    axum::serve(listener, router(address))
        .with_graceful_shutdown(closing.clone().cancelled_owned())
        .await
        .map_err(|error| failure::internal("HTTP", error.to_string()))
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` hands over")]
fn unbound(error: std::io::Error) -> Failure {
    failure::internal("HTTP", error.to_string())
}
