//! Serves until told to stop.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use model::Failure;
use tokio::net::TcpListener;
use wire::authority::{SERVER_LIFETIME, ServerCertificate, Validity};
use wire::server::{Limits, routes, serve};
use wire::tls::ServerTls;

use crate::auth::Gate;
use crate::{Hub, failure, rpc};

/// How often the hub looks whether its own certificate is to be replaced.
const LOOK: Duration = Duration::from_hours(6);
/// A certificate with less than this to live is replaced.
const MARGIN: Duration = Duration::from_hours(30 * 24);

impl Hub {
    /// Serves on `listener` until `shutdown`, then lets running calls end.
    pub async fn serve(&self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) -> Result<(), Failure> {
        let certificate = self.server_certificate()?;
        let tls = ServerTls::new(&self.0.authority, &certificate, Arc::clone(&self.0.world.clock))
            .map_err(|error| failure::internal("TLS", error.to_string()))?;
        let (routes, _health) = routes();
        let routes = rpc::add_services(routes, self);
        let serving = serve(listener, &tls, routes, Arc::new(Gate(self.clone())), Limits::default(), shutdown);
        tokio::select! {
            () = serving => Ok(()),
            () = self.keep_fresh(&tls, certificate) => Ok(()),
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
        self.0
            .authority
            .sign_server(&names, validity, self.entropy())
            .map_err(|error| failure::internal("AUTHORITY", error.to_string()))
    }
}
