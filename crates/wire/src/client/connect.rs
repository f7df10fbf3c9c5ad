//! From an address to a channel: the way out, TCP, then TLS with the pinned authority, then HTTP/2.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request, StatusCode, Uri, header};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::ClientError;
use super::obstacle::{Obstacle, ObstacleKind};
use super::route::{Proxy, Route};
use crate::invitation::HubAddress;
use crate::tls::ClientTls;

const CONNECT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub(super) async fn channel(tls: &ClientTls, address: &HubAddress, route: &Route) -> Result<Channel, ClientError> {
    let malformed = || ClientError::Protocol("the address cannot be written as a URI".to_owned());
    let origin: Uri = format!("https://{address}").parse().map_err(|_| malformed())?;
    // tonic would add its own TLS to an https target; the connector below has done that already.
    let endpoint = Endpoint::from_shared(format!("http://{address}"))
        .map_err(|_| malformed())?
        .origin(origin)
        .connect_timeout(CONNECT)
        .http2_keep_alive_interval(KEEP_ALIVE)
        .keep_alive_timeout(KEEP_ALIVE)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20);
    let server_name = ServerName::try_from(address.host().to_owned())
        .map_err(|_| ClientError::Protocol("the host is neither a name nor an address".to_owned()))?;
    let target = Target { address: address.clone(), proxy: route.proxy(address) };
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    let connect = service_fn(move |_: Uri| {
        let (target, connector, server_name) = (target.clone(), connector.clone(), server_name.clone());
        async move {
            // The endpoint's own limit covers TCP only, once the connector is ours; this one covers both.
            let shake = async {
                let stream = target.reach().await?;
                stream.set_nodelay(true)?;
                let mut stream = BufReader::new(connector.connect(server_name, stream).await?);
                // In TLS 1.3 our side is done before the server has looked at our certificate. An HTTP/2 server
                // speaks first: its first byte, or the alert instead of it, tells whether we were accepted.
                if stream.fill_buf().await?.is_empty() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok::<_, io::Error>(stream)
            };
            let stream =
                tokio::time::timeout(CONNECT, shake).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            Ok::<_, io::Error>(TokioIo::new(stream))
        }
    });
    endpoint.connect_with_connector(connect).await.map_err(ClientError::from)
}

/// Where to, and which way.
#[derive(Clone)]
struct Target {
    address: HubAddress,
    proxy: Option<Proxy>,
}

impl Target {
    /// Bytes to the hub's port and back, whatever stands between.
    async fn reach(&self) -> io::Result<TcpStream> {
        match &self.proxy {
            None => dial(self.address.host(), self.address.port()).await,
            Some(proxy) => tunnel(proxy, &self.address).await,
        }
    }
}

async fn dial(host: &str, port: u16) -> io::Result<TcpStream> {
    let addresses: Vec<_> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|_| obstacle(ObstacleKind::NameUnknown { host: host.to_owned() }))?
        .collect();
    TcpStream::connect(addresses.as_slice()).await
}

/// RFC 9110, section 9.3.6. The proxy resolves the name and sees it, the port, and TLS.
async fn tunnel(proxy: &Proxy, address: &HubAddress) -> io::Result<TcpStream> {
    let not_http = |_| {
        let (proxy, target) = (proxy.to_string(), address.to_string());
        obstacle(ObstacleKind::ProxyAnswered { proxy, target, status: None })
    };
    let stream = dial(proxy.host(), proxy.port())
        .await
        .map_err(|_| obstacle(ObstacleKind::ProxyUnreachable { proxy: proxy.to_string() }))?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(not_http)?;
    // Ends by itself: when the proxy refuses, with `sender`; when it agrees, by giving the stream back.
    tokio::spawn(connection.with_upgrades());
    let mut request = Request::connect(address.to_string())
        .header(header::HOST, address.to_string())
        .body(String::new())
        .map_err(io::Error::other)?;
    if let Some(authorization) = &proxy.authorization {
        request.headers_mut().insert(header::PROXY_AUTHORIZATION, authorization.clone());
    }
    let answer = sender.send_request(request).await.map_err(not_http)?;
    if !answer.status().is_success() {
        let challenges = answer.headers().get_all(header::PROXY_AUTHENTICATE);
        return Err(obstacle(refused(proxy, address, answer.status(), challenges.iter())));
    }
    let upgraded = hyper::upgrade::on(answer).await.map_err(not_http)?;
    let parts = upgraded
        .downcast::<TokioIo<TcpStream>>()
        .map_err(|_| io::Error::other("the tunnel is not the stream that it was made of"))?;
    // In TLS the client speaks first: what came with the answer is not TLS.
    if !parts.read_buf.is_empty() {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok(parts.io.into_inner())
}

fn refused<'a>(
    proxy: &Proxy,
    address: &HubAddress,
    status: StatusCode,
    mut challenges: impl Iterator<Item = &'a HeaderValue>,
) -> ObstacleKind {
    let (shown, target) = (proxy.has_password(), address.to_string());
    let proxy = proxy.to_string();
    match status {
        StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
            let basic = challenges.any(|challenge| {
                challenge.to_str().is_ok_and(|text| text.trim_start().to_ascii_lowercase().starts_with("basic"))
            });
            ObstacleKind::ProxyPassword { proxy, shown, basic }
        }
        StatusCode::FORBIDDEN => ObstacleKind::ProxyForbids { proxy, target },
        _ => ObstacleKind::ProxyAnswered { proxy, target, status: Some(status.as_u16()) },
    }
}

fn obstacle(kind: ObstacleKind) -> io::Error {
    io::Error::other(Obstacle::from(kind))
}
