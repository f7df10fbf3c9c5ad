//! A town hall's proxy between node and hub: what it lets through, what it forbids, and what it may not see.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use data_encoding::BASE64;
use http::{Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use model::{Failure, Timestamp};
use node::NodeFolder;
use node::push::Verdict;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use testkit::SeededEntropy;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use wire::authority::{Authority, Validity};

use crate::house::{House, approve, preview, push, send};
use crate::small_pack::{LARGE, pack, rows, settings};

const COMMUNE: &str = "93008";

/// When the firewall signs: any time, because nobody looks at the dates of a stranger.
fn noon() -> Timestamp {
    Timestamp::from_micros(1_798_804_800_000_000)
}

/// What the proxy does with a request that it understands.
#[derive(Clone)]
pub enum Manner {
    /// Connects.
    Passes,
    /// Connects who shows this `user:password`.
    Asks(&'static str),
    /// Wants a Windows session.
    WantsNtlm,
    /// Answers this.
    Says(StatusCode),
    /// Opens the encrypted connection under a certificate of its own.
    Inspects(Arc<Authority>),
}

/// A proxy on a real port.
pub struct Proxy {
    pub port: u16,
    manner: Arc<Mutex<Manner>>,
    seen: Arc<Mutex<Vec<String>>>,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Proxy {
    pub async fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let proxy = Self {
            port: listener.local_addr().expect("bound").port(),
            manner: Arc::new(Mutex::new(manner)),
            seen: Arc::default(),
            bytes: Arc::default(),
        };
        let (manner, seen, bytes) = (Arc::clone(&proxy.manner), Arc::clone(&proxy.seen), Arc::clone(&proxy.bytes));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("a connection");
                let (manner, seen, bytes) = (Arc::clone(&manner), Arc::clone(&seen), Arc::clone(&bytes));
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let manner = manner.lock().expect("a test's lock").clone();
                        seen.lock().expect("a test's lock").push(format!("{} {}", request.method(), request.uri()));
                        let answer = answer(&manner, request, Arc::clone(&bytes));
                        async move { Ok::<_, std::convert::Infallible>(answer) }
                    });
                    let connection = hyper::server::conn::http1::Builder::new();
                    // A client that hangs up ends this one connection.
                    let _ = connection.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
                });
            }
        });
        proxy
    }

    pub fn becomes(&self, manner: Manner) {
        *self.manner.lock().expect("a test's lock") = manner;
    }

    /// Requests since the last call.
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock().expect("a test's lock"))
    }

    /// Every byte that went through, both ways.
    fn bytes(&self) -> Vec<u8> {
        self.bytes.lock().expect("a test's lock").clone()
    }
}

fn answer(manner: &Manner, request: Request<Incoming>, bytes: Arc<Mutex<Vec<u8>>>) -> Response<String> {
    let says = |status: StatusCode| Response::builder().status(status).body(String::new()).expect("an answer");
    assert_eq!(request.method(), Method::CONNECT, "nothing but CONNECT");
    let names: Vec<&str> = request.headers().keys().map(header::HeaderName::as_str).collect();
    assert!(names.iter().all(|name| matches!(*name, "host" | "proxy-authorization")), "{names:?}");
    let shown = request.headers().get(header::PROXY_AUTHORIZATION).map(|value| value.as_bytes().to_vec());
    let asks = |scheme: &str| {
        Response::builder()
            .status(StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            .header(header::PROXY_AUTHENTICATE, scheme)
            .body("<html>mot de passe</html>".to_owned())
            .expect("an answer")
    };
    match manner {
        Manner::Says(status) => return says(*status),
        Manner::WantsNtlm => return asks("Negotiate"),
        Manner::Asks(who) if shown != Some(format!("Basic {}", BASE64.encode(who.as_bytes())).into_bytes()) => {
            return asks("Basic realm=\"mairie\"");
        }
        Manner::Asks(_) | Manner::Passes | Manner::Inspects(_) => {}
    }
    let target = request.uri().authority().expect("host:port").to_string();
    let inspector = match manner {
        Manner::Inspects(authority) => Some(Arc::clone(authority)),
        _ => None,
    };
    tokio::spawn(async move {
        let client = TokioIo::new(hyper::upgrade::on(request).await.expect("a tunnel"));
        match inspector {
            Some(authority) => inspect(client, &authority).await,
            None => pass(client, &target, &bytes).await,
        }
    });
    says(StatusCode::OK)
}

/// Copies both ways, and keeps what it could read.
async fn pass<S: AsyncRead + AsyncWrite + Unpin>(client: S, target: &str, bytes: &Mutex<Vec<u8>>) {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let (mut from_server, mut to_server) = TcpStream::connect(target).await.expect("the hub").into_split();
    // Whoever hangs up first ends it.
    tokio::select! {
        () = keep(&mut from_client, &mut to_server, bytes) => {}
        () = keep(&mut from_server, &mut to_client, bytes) => {}
    }
}

async fn keep(from: &mut (impl AsyncRead + Unpin), to: &mut (impl AsyncWrite + Unpin), bytes: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        bytes.lock().expect("a test's lock").extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

/// What a firewall does that opens encrypted connections: a certificate for the asked name, signed by itself.
async fn inspect<S: AsyncRead + AsyncWrite + Unpin>(client: S, authority: &Authority) {
    let validity = Validity { now: noon(), lifetime: Duration::from_hours(24) };
    let certificate = authority.sign_server(&["127.0.0.1"], validity, &SeededEntropy::new(3)).expect("a certificate");
    let chain = CertificateDer::pem_slice_iter(certificate.chain_pem().as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(certificate.key_pem().as_bytes()).expect("a key");
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a server");
    config.alpn_protocols = vec![b"h2".to_vec()];
    // The client hangs up when it sees whose certificate this is.
    let _ = TlsAcceptor::from(Arc::new(config)).accept(client).await;
}

/// A firewall's own authority.
pub fn firewall() -> Arc<Authority> {
    Arc::new(Authority::create("FortiGate SSL Inspection", &SeededEntropy::new(4), noon()).expect("an authority"))
}

/// Settings that lead through the proxy.
pub fn through(port: u16, user: &str) -> String {
    let file = if user.is_empty() { "" } else { "proxy_password_file = \"mandataire.txt\"\n" };
    format!("[network]\nproxy = \"http://{user}127.0.0.1:{port}\"\n{file}\n{}", settings("2025"))
}

fn furnish(house: &House, settings: &str) -> NodeFolder {
    let rows = rows(LARGE);
    let files: [(&str, &[u8]); 3] =
        [("groupes.csv", &rows), ("lieux.csv", &rows), ("mandataire.txt", b"s3cr:\xc3\xa9t@\n")];
    house.furnish(COMMUNE, settings, &files)
}

#[tokio::test(flavor = "multi_thread")]
async fn joining_and_pushing_go_through_the_proxy_which_sees_nothing_but_tls() {
    let house = House::open_with(vec![pack()]).await;
    let proxy = Proxy::open(Manner::Passes).await;
    let folder = furnish(&house, &through(proxy.port, ""));
    house.join(&folder, COMMUNE).await;
    let connect = format!("CONNECT {}", house.coordinator.address);
    let seen = proxy.seen();
    assert!(seen.len() >= 2 && seen.iter().all(|request| *request == connect), "{seen:?}");

    let node = house.node(&folder).await;
    house.clock.advance(Duration::from_hours(24 * 25));
    assert!(node::renew::renew_if_due(&node).await.expect("renewed"));
    assert_eq!(proxy.seen().as_slice(), std::slice::from_ref(&connect));
    send(&node).await;
    assert!(proxy.seen().iter().all(|request| *request == connect));
    let bytes = proxy.bytes();
    assert!(bytes.len() > 2000, "{} bytes went through", bytes.len());
    for word in ["groupes_n", COMMUNE, "maillage.submission", "urn:maillage"] {
        assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word} in the clear");
    }
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_opens_the_proxy_and_each_refusal_has_its_cure() {
    let house = House::open_with(vec![pack()]).await;
    let proxy = Proxy::open(Manner::Asks("awa:s3cr:ét@")).await;
    let folder = furnish(&house, &through(proxy.port, "awa@"));
    house.join(&folder, COMMUNE).await;
    let node = house.node(&folder).await;
    let preview = preview(&node).await;
    approve(&node, &preview).await;

    let told = async |manner: Manner| -> Failure {
        proxy.becomes(manner);
        node::packs::refresh(&node).await.expect_err("refused")
    };
    let here = format!("127.0.0.1:{}", proxy.port);
    let hub = house.coordinator.address.to_string();
    for (manner, reason, words) in [
        (Manner::Asks("awa:another"), "PROXY_PASSWORD", "refuse le nom ou le mot de passe"),
        (Manner::WantsNtlm, "PROXY_PASSWORD", "NTLM"),
        (Manner::Says(StatusCode::FORBIDDEN), "PROXY_FORBIDS", hub.as_str()),
        (Manner::Says(StatusCode::METHOD_NOT_ALLOWED), "PROXY_ANSWER", "405"),
        (Manner::Says(StatusCode::BAD_GATEWAY), "PROXY_ANSWER", "502"),
        (Manner::Inspects(firewall()), "TLS_INTERCEPTED", "FortiGate SSL Inspection"),
    ] {
        let failure = told(manner).await;
        assert_eq!(failure.reason, reason, "{failure:?}");
        assert!(failure.message.contains(words) && failure.message.ends_with('.'), "{}", failure.message);
        assert!(reason == "TLS_INTERCEPTED" || failure.message.contains(&here), "{}", failure.message);
        assert!(!format!("{failure:?}").contains("s3cr"), "the password is told");
    }
    // What was approved waits, and leaves when the proxy lets it.
    let refused = node::push::push(&node, &|_| {}).await.expect_err("intercepted");
    assert_eq!(refused.reason, "TLS_INTERCEPTED");
    proxy.becomes(Manner::Passes);
    assert!(matches!(push(&node).await, Verdict::Received { already: false, .. }));

    let nobody = furnish(&house, &through(1, ""));
    let refused = house.try_join(&nobody, COMMUNE).await.expect_err("nobody there");
    assert_eq!(refused.reason, "PROXY_UNREACHABLE");
    house.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn some_hosts_are_reached_without_it() {
    let house = House::open_with(vec![pack()]).await;
    let proxy = Proxy::open(Manner::Says(StatusCode::FORBIDDEN)).await;
    let settings = through(proxy.port, "").replacen("[network]\n", "[network]\nno_proxy = [\"127.0.0.0/8\"]\n", 1);
    let folder = furnish(&house, &settings);
    house.join(&folder, COMMUNE).await;
    assert!(proxy.seen().is_empty());
    house.close().await;
}
