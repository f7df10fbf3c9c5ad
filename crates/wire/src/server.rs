//! The hub's one port: TLS, who is there, whether they may, and only then a handler.

mod answer;
mod neighbours;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use model::{Failure, FailureKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tonic::Status;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service;
use tracing::{Instrument, debug, info, info_span, warn};

use crate::identity::{Certificate, Peer};
use crate::pb;
use crate::status::Refusal;
use crate::tls::ServerTls;

use neighbours::Neighbours;

/// Decides who may call what, and is told what became of it. The port asks before any handler and before it says
/// whether the method exists.
pub trait Authorise: Send + Sync + 'static {
    /// `method` is the path, for example `/maillage.submission.v1.SubmissionService/Submit`.
    fn authorise(&self, peer: &Peer, method: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// A handshake came to nothing; one of a few reasons that never change.
    fn handshake_refused(&self, _reason: &'static str) {}

    /// A call was answered.
    fn answered(&self, _call: &Answered<'_>) {}
}

/// What is known of a call once its answer begins.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The path, as the caller wrote it: to be compared with known ones, never kept as it is.
    pub method: &'a str,
    /// The gRPC code. An answer in parts that breaks off later was `Ok` here.
    pub code: tonic::Code,
    /// From the request's head to the answer's.
    pub took: Duration,
}

/// The header that carries the number of an incident, so that the line of the call names it too.
pub const INCIDENT: &str = "maillage-incident";

/// How much the port takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at a time; more wait in the system's queue.
    pub connections: usize,
    /// Of these from one address; more are closed at once. A whole département may sit behind one proxy.
    pub per_address: usize,
    /// For the TLS handshake.
    pub handshake: Duration,
    /// For one call, upload included.
    pub call: Duration,
    /// How often a right is asked for again while an answer is still on its way.
    pub recheck: Duration,
    /// After this long a connection is asked to close; clients come back by themselves.
    pub connection_age: Duration,
    /// The same for connections without a certificate, which anybody on the network can open.
    pub anonymous_age: Duration,
    /// For calls that run when the port is asked to stop.
    pub drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1024,
            per_address: 512,
            handshake: Duration::from_secs(10),
            call: Duration::from_mins(1),
            recheck: Duration::from_secs(20),
            connection_age: Duration::from_mins(30),
            anonymous_age: Duration::from_mins(1),
            drain: Duration::from_secs(30),
        }
    }
}

/// Tells who asks `grpc.health.v1` whether a service is there.
#[derive(Clone, Debug)]
pub struct Health(tonic_health::server::HealthReporter);

impl Health {
    /// Sets the state of a service by its full name; the empty name means the whole hub, which begins as serving.
    pub async fn set(&self, service: &'static str, serving: bool) {
        let status =
            if serving { tonic_health::ServingStatus::Serving } else { tonic_health::ServingStatus::NotServing };
        self.0.set_service_status(service, status).await;
    }
}

/// Routes with `grpc.health.v1` and reflection (v1 and v1alpha), to which the hub adds its services.
///
/// # Panics
/// Never: the descriptor set is the one that this very build generated.
pub fn routes() -> (Routes, Health) {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let (reporter, health) = tonic_health::server::health_reporter();
    let routes = Routes::new(health)
        .add_service(reflection().build_v1().expect("the build's own descriptors are well-formed"))
        .add_service(reflection().build_v1alpha().expect("the build's own descriptors are well-formed"));
    (routes, Health(reporter))
}

/// Serves until `shutdown`, then lets running calls end within [`Limits::drain`].
pub async fn serve<A: Authorise>(
    listener: TcpListener,
    tls: &ServerTls,
    routes: Routes,
    authorise: Arc<A>,
    limits: Limits,
    shutdown: impl Future<Output = ()> + Send,
) {
    let port = Port { tls: tls.clone(), routes: routes.prepare(), authorise, limits };
    let slots = Arc::new(Semaphore::new(limits.connections));
    let neighbours = Neighbours::new(limits.per_address);
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(_) = connections.join_next() => {}
            (stream, address, slot) = accept(&listener, &slots) => {
                let span = info_span!("connection", %address);
                let Some(place) = neighbours.enter(address.ip()) else {
                    info!(parent: &span, "connection closed: too many from this address");
                    continue;
                };
                let stopping = stopping.clone();
                let port = port.clone();
                connections.spawn(async move {
                    port.connection(stream, address, stopping).await;
                    drop((slot, place));
                }.instrument(span));
            }
        }
    }
    drop(listener);
    // Receivers live in the connections: without any, there is nobody to tell.
    let _ = stop.send(true);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        warn!("calls still running at the end of the drain time were cut off");
    }
}

async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    let slot = Arc::clone(slots).acquire_owned().await.expect("nobody closes this semaphore");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address, slot),
            Err(error) => {
                // Out of file descriptors, or a client that left already: neither ends the hub.
                warn!(%error, "connection not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

struct Port<A> {
    tls: ServerTls,
    routes: Routes,
    authorise: Arc<A>,
    limits: Limits,
}

impl<A> Clone for Port<A> {
    fn clone(&self) -> Self {
        Self {
            tls: self.tls.clone(),
            routes: self.routes.clone(),
            authorise: Arc::clone(&self.authorise),
            limits: self.limits,
        }
    }
}

impl<A: Authorise> Port<A> {
    async fn connection(self, stream: TcpStream, address: SocketAddr, mut stopping: watch::Receiver<bool>) {
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "the system does not take the no-delay option");
        }
        let Some(stream) = self.shake_hands(stream).await else { return };
        let Some(peer) = peer(&stream, address) else {
            info!(reason = "names_nobody", "handshake refused: the certificate names nobody of this mesh");
            self.authorise.handshake_refused("names_nobody");
            return;
        };
        let Limits { connection_age, anonymous_age, drain, .. } = self.limits;
        let age = if peer.certificate().is_some() { connection_age } else { anonymous_age };
        let service = hyper::service::service_fn(move |request| {
            let port = self.clone();
            let peer = peer.clone();
            async move { Ok::<_, Infallible>(port.call(peer, request).await) }
        });
        let mut connection = pin!(
            hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .timer(TokioTimer::new())
                .keep_alive_interval(Duration::from_secs(20))
                .keep_alive_timeout(Duration::from_secs(20))
                .max_concurrent_streams(32)
                .max_header_list_size(16 << 10)
                .initial_stream_window_size(1 << 20)
                .initial_connection_window_size(4 << 20)
                .serve_connection(TokioIo::new(stream), service)
        );
        let asked_to_close = async {
            tokio::select! {
                () = tokio::time::sleep(age) => {}
                _ = stopping.wait_for(|stop| *stop) => {}
            }
        };
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = asked_to_close => {
                connection.as_mut().graceful_shutdown();
                match tokio::time::timeout(drain, connection).await {
                    Ok(ended) => ended,
                    Err(_) => return info!("connection cut off: its calls did not end in time"),
                }
            }
        };
        if let Err(error) = ended {
            debug!(%error, "connection broke");
        }
    }

    async fn shake_hands(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let accept = TlsAcceptor::from(Arc::clone(&self.tls.config)).accept(stream).into_fallible();
        match tokio::time::timeout(self.limits.handshake, accept).await {
            Ok(Ok(stream)) => Some(stream),
            Ok(Err((error, stream))) => {
                let reason = handshake_reason(&error);
                info!(%error, reason, "handshake refused");
                self.authorise.handshake_refused(reason);
                linger(stream).await;
                None
            }
            Err(_) => {
                info!(reason = "too_slow", "handshake took too long");
                self.authorise.handshake_refused("too_slow");
                None
            }
        }
    }

    /// Answers, and writes the one line that every call leaves in the log: who, what, which code, how long.
    async fn call(self, peer: Peer, request: Request<Incoming>) -> Response<Body> {
        let method = request.uri().path().to_owned();
        let who = peer.certificate().map_or_else(|| "nobody".to_owned(), |certificate| certificate.subject.urn());
        let began = tokio::time::Instant::now();
        let authorise = Arc::clone(&self.authorise);
        let span = info_span!("call", method = %method, peer = %who);
        let response = self.answer_in_time(peer, &method, request).instrument(span).await;
        let took = began.elapsed();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        // Without a status in the head, what follows is an answer.
        let code = header("grpc-status").map_or(tonic::Code::Ok, |code| tonic::Code::from_bytes(code.as_bytes()));
        let incident = header(INCIDENT).unwrap_or_default();
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        info!(method = %method, peer = %who, code = ?code, duration_ms = milliseconds, incident, "answered");
        authorise.answered(&Answered { method: &method, code, took });
        response
    }

    async fn answer_in_time(self, peer: Peer, method: &str, request: Request<Incoming>) -> Response<Body> {
        let limit = self.limits.call;
        let refused = match tokio::time::timeout(limit, self.answer(peer, method, request)).await {
            Ok(Ok(response)) => return response,
            Ok(Err(failure)) => failure,
            Err(_) => Failure::new(
                FailureKind::Unavailable,
                "DEADLINE",
                "the call took too long and was cut off",
                "La demande a pris trop de temps : elle sera retentée.",
            ),
        };
        info!(reason = %refused.reason, detail = %refused.detail, "call refused");
        Status::from(Refusal::from(refused)).into_http()
    }

    async fn answer(
        mut self,
        peer: Peer,
        method: &str,
        mut request: Request<Incoming>,
    ) -> Result<Response<Body>, Failure> {
        self.admit(&peer, method).await?;
        request.extensions_mut().insert(peer.clone());
        let response = match self.routes.call(request.map(Body::new)).await {
            Ok(response) => answer::typed(response)?,
            Err(never) => match never {},
        };
        let method = method.to_owned();
        let every = self.limits.recheck;
        // A right that ends while the answer is on its way ends the answer.
        let lost = async move {
            loop {
                tokio::time::sleep(every).await;
                if let Err(failure) = self.admit(&peer, &method).await {
                    info!(%method, reason = %failure.reason, "answer cut off");
                    return failure;
                }
            }
        };
        Ok(response.map(|body| answer::until(body, lost)))
    }

    async fn admit(&self, peer: &Peer, method: &str) -> Result<(), Failure> {
        // The handshake saw the dates when the connection was made, which may be a while ago.
        if let Some(certificate) = peer.certificate()
            && self.tls.clock.0.now() > certificate.not_after
        {
            return Err(Failure::new(
                FailureKind::Unauthenticated,
                "CERTIFICATE_EXPIRED",
                "the client certificate has expired",
                "Le certificat de ce poste a expiré : il va être renouvelé.",
            ));
        }
        self.authorise.authorise(peer, method).await
    }
}

/// A word for a failed handshake, of a few that never change.
fn handshake_reason(error: &std::io::Error) -> &'static str {
    use rustls::CertificateError as Bad;
    use rustls::Error as E;
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<E>()) else { return "broke_off" };
    match error {
        E::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => "certificate_expired",
        E::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => "certificate_not_yet_valid",
        E::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => "foreign_authority",
        E::InvalidCertificate(_) => "certificate_not_accepted",
        E::InvalidMessage(_) | E::InappropriateMessage { .. } | E::InappropriateHandshakeMessage { .. } => "not_tls",
        E::PeerIncompatible(_) | E::NoApplicationProtocol => "incompatible",
        E::AlertReceived(_) => "refused_by_peer",
        // A foreign enum that grows.
        _ => "other",
    }
}

/// Lets the alert arrive. A socket closed with unread bytes in it resets the connection, and a reset throws away
/// the alert that tells the client why.
async fn linger(mut stream: TcpStream) {
    let drain = async {
        stream.shutdown().await?;
        tokio::io::copy(&mut stream.take(64 << 10), &mut tokio::io::sink()).await
    };
    // Who does not hang up by itself is cut off.
    let _ = tokio::time::timeout(Duration::from_secs(1), drain).await;
}

/// `None` for a certificate that the authority signed for something else than a peer of this mesh.
fn peer(stream: &TlsStream<TcpStream>, address: SocketAddr) -> Option<Peer> {
    let (_, session) = stream.get_ref();
    let certificate = match session.peer_certificates().and_then(<[_]>::first) {
        Some(der) => Some(Certificate::read(der).ok()?),
        None => None,
    };
    Some(Peer::new(Some(address), certificate))
}

#[cfg(test)]
mod tests;
