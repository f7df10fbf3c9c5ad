//! From an address to a channel: TCP, then TLS with the pinned authority, then HTTP/2.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};
use tower::service_fn;

use super::ClientError;
use crate::invitation::HubAddress;
use crate::tls::ClientTls;

const CONNECT: Duration = Duration::from_secs(10);
const KEEP_ALIVE: Duration = Duration::from_secs(20);

pub(super) async fn channel(tls: &ClientTls, address: &HubAddress) -> Result<Channel, ClientError> {
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
    let target = (address.host().to_owned(), address.port());
    let connector = TlsConnector::from(Arc::clone(&tls.config));
    let connect = service_fn(move |_: Uri| {
        let (target, connector, server_name) = (target.clone(), connector.clone(), server_name.clone());
        async move {
            // The endpoint's own limit covers TCP only, once the connector is ours; this one covers both.
            let shake = async {
                let stream = TcpStream::connect(target).await?;
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
