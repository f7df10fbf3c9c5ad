//! A tap on the wire: it ends TLS on both sides with keys that only this test holds, and keeps every message,
//! header and trailer in the clear.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use data_encoding::{BASE64, BASE64_NOPAD};
use http::{HeaderMap, Request, Response};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper_util::rt::{TokioExecutor, TokioIo};
use model::Clock;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use testkit::{ManualClock, SeededEntropy};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use wire::authority::{Authority, Validity};
use wire::identity::{Certificate, Subject};

/// One call, as both ends saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    pub method: String,
    pub asked: Side,
    pub answered: Side,
}

/// What one end said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Headers and trailers; binary ones as they were before base64.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body: messages with their five bytes of frame each.
    pub body: Vec<u8>,
}

impl Exchange {
    /// Everything that was said, names of headers aside.
    pub fn bytes(&self) -> Vec<u8> {
        let mut all = self.method.clone().into_bytes();
        for side in [&self.asked, &self.answered] {
            all.extend(side.headers.iter().flat_map(|(_, value)| [b"\n", value.as_slice()].concat()));
            all.push(b'\n');
            all.extend(&side.body);
        }
        all
    }
}

type Book = Arc<Mutex<Vec<Exchange>>>;

/// A running tap.
pub struct Tap {
    hub: Arc<AtomicU16>,
    book: Book,
}

struct Wires {
    server: TlsAcceptor,
    roots: RootCertStore,
    clock: Arc<TestTime>,
    /// The folder with `hub/` and `communes/`: whose key opens the second half of a connection.
    root: PathBuf,
}

#[derive(Debug)]
struct TestTime(Arc<ManualClock>);

impl TimeProvider for TestTime {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().as_seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

impl Tap {
    /// Listens for the mesh in `root`, whose hub has been initialised.
    pub fn start(listener: TcpListener, root: PathBuf, clock: Arc<ManualClock>) -> Self {
        let (hub, book) = (Arc::new(AtomicU16::new(0)), Book::default());
        let wires = Arc::new(Wires::new(root, clock));
        let tap = Self { hub: Arc::clone(&hub), book: Arc::clone(&book) };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (wires, hub, book) = (Arc::clone(&wires), hub.load(Ordering::SeqCst), Arc::clone(&book));
                tokio::spawn(async move { wires.join(stream, hub, book).await });
            }
        });
        tap
    }

    /// The hub's real port, from the next connection on.
    pub fn lead_to(&self, hub: u16) {
        self.hub.store(hub, Ordering::SeqCst);
    }

    /// What was said since the last call.
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.book.lock().expect("a test's lock"))
    }
}

impl Wires {
    fn new(root: PathBuf, clock: Arc<ManualClock>) -> Self {
        let text = |name| std::fs::read_to_string(root.join("hub/keys").join(name)).expect("a key of the hub");
        let authority = Authority::from_pem(&text("authority.key"), &text("authority.pem")).expect("an authority");
        let validity = Validity { now: clock.now(), lifetime: Duration::from_hours(24) };
        let certificate =
            authority.sign_server(&["localhost"], validity, &SeededEntropy::new(99)).expect("a certificate");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(text("authority.pem").as_bytes()).expect("PEM")).expect("a root");
        let clock = Arc::new(TestTime(clock));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots.clone()), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect("a verifier");
        let (chain, key) = pem(&certificate.chain_pem(), &certificate.key_pem());
        let mut config = ServerConfig::builder_with_details(provider, Arc::clone(&clock) as Arc<dyn TimeProvider>)
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3")
            .with_client_cert_verifier(clients)
            .with_single_cert(chain, key)
            .expect("a certificate");
        config.alpn_protocols = vec![b"h2".to_vec()];
        Self { server: TlsAcceptor::from(Arc::new(config)), roots, clock, root }
    }

    /// Towards the hub, as whoever came.
    fn client(&self, subject: Option<&Subject>) -> TlsConnector {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_details(provider, Arc::clone(&self.clock) as Arc<dyn TimeProvider>)
            .with_protocol_versions(&[&version::TLS13])
            .expect("TLS 1.3")
            .with_root_certificates(self.roots.clone());
        let keys = match subject {
            None => None,
            Some(Subject::Node(commune)) => Some(self.root.join(format!("communes/{commune}/keys"))),
            Some(Subject::Coordinator(name)) => Some(self.root.join(format!("hub/coordinators/{name}"))),
            Some(Subject::Partner(name)) => Some(self.root.join(format!("hub/partners/{name}"))),
        };
        let mut config = match keys {
            None => builder.with_no_client_auth(),
            Some(keys) => {
                let text = |name| std::fs::read_to_string(keys.join(name)).expect("a client's key");
                let (chain, key) = pem(&text("chain.pem"), &text("tls.key"));
                builder.with_client_auth_cert(chain, key).expect("a client's certificate")
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    async fn join(&self, stream: TcpStream, hub: u16, book: Book) {
        let near = self.server.accept(stream).await.expect("a client of this mesh");
        let subject = near.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let subject = subject.map(|der| Certificate::read(der).expect("a certificate of this mesh").subject);
        let far = TcpStream::connect(("127.0.0.1", hub)).await.expect("the hub");
        let name = ServerName::try_from("localhost").expect("a name");
        let far = self.client(subject.as_ref()).connect(name, far).await.expect("the hub's TLS");
        let (send, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(far)).await.expect("HTTP/2");
        tokio::spawn(connection);
        let service = hyper::service::service_fn(move |request| pass(request, send.clone(), Arc::clone(&book)));
        let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(near), service);
        // A client that goes away ends its connection as it likes.
        drop(served.await);
    }
}

fn pem(chain: &str, key: &str) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>().expect("PEM");
    (chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("PEM"))
}

type Send = hyper::client::conn::http2::SendRequest<Noted>;

async fn pass(request: Request<Incoming>, mut send: Send, book: Book) -> Result<Response<Noted>, hyper::Error> {
    let index = {
        let mut exchanges = book.lock().expect("a test's lock");
        let mut exchange = Exchange { method: request.uri().path().to_owned(), ..Exchange::default() };
        note(&mut exchange.asked.headers, request.headers());
        exchanges.push(exchange);
        exchanges.len() - 1
    };
    let noted = |body, answer| Noted { body, book: Arc::clone(&book), index, answer };
    let response = send.send_request(request.map(|body| noted(body, false))).await?;
    note(&mut book.lock().expect("a test's lock")[index].answered.headers, response.headers());
    Ok(response.map(|body| noted(body, true)))
}

fn note(headers: &mut Vec<(String, Vec<u8>)>, map: &HeaderMap) {
    for (name, value) in map {
        let value = value.as_bytes();
        let value = if name.as_str().ends_with("-bin") {
            let decoded = BASE64_NOPAD.decode(value).or_else(|_| BASE64.decode(value));
            decoded.expect("base64 in a binary header")
        } else {
            value.to_vec()
        };
        headers.push((name.as_str().to_owned(), value));
    }
}

/// A body that is noted while it passes.
struct Noted {
    body: Incoming,
    book: Book,
    index: usize,
    answer: bool,
}

impl Body for Noted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            let mut book = self.book.lock().expect("a test's lock");
            let exchange = &mut book[self.index];
            let side = if self.answer { &mut exchange.answered } else { &mut exchange.asked };
            if let Some(data) = frame.data_ref() {
                side.body.extend_from_slice(data);
            }
            if let Some(trailers) = frame.trailers_ref() {
                note(&mut side.headers, trailers);
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
