//! A road between node and hub that breaks where it is told to.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What happens to the next connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// Closed as soon as it is opened.
    Refuse,
    /// Cut once so many bytes went from the node to the hub.
    CutUp(u64),
    /// Cut once so many bytes came back from the hub: what the hub did by then is done.
    CutDown(u64),
    /// Every piece comes late by so many milliseconds, in pieces of at most so many bytes.
    Slow(u64, usize),
}

/// A proxy on a port of its own.
pub struct Proxy {
    address: String,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    target: Mutex<String>,
    fault: Mutex<Fault>,
    up: AtomicU64,
    down: AtomicU64,
    connections: AtomicU64,
}

impl Proxy {
    /// Leads to `target`.
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound address").to_string();
        let state = Arc::new(State {
            target: Mutex::new(target.to_owned()),
            fault: Mutex::new(Fault::None),
            up: AtomicU64::new(0),
            down: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let accepting = tokio::spawn({
            let state = Arc::clone(&state);
            async move {
                loop {
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    tokio::spawn(lead(stream, Arc::clone(&state)));
                }
            }
        });
        Self { address, state, accepting }
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What happens to connections from now on.
    pub fn set(&self, fault: Fault) {
        *self.state.fault.lock().expect("nobody panicked with it") = fault;
    }

    /// How many bytes went up and came down, and over how many connections, since the last time this was asked.
    pub fn count(&self) -> (u64, u64, u64) {
        let take = |number: &AtomicU64| number.swap(0, Ordering::SeqCst);
        (take(&self.state.up), take(&self.state.down), take(&self.state.connections))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn lead(mut node: TcpStream, state: Arc<State>) {
    let fault = *state.fault.lock().expect("nobody panicked with it");
    let target = state.target.lock().expect("nobody panicked with it").clone();
    state.connections.fetch_add(1, Ordering::SeqCst);
    if fault == Fault::Refuse {
        return;
    }
    let Ok(mut hub) = TcpStream::connect(target).await else { return };
    let (mut from_node, mut to_node) = node.split();
    let (mut from_hub, mut to_hub) = hub.split();
    let limits = match fault {
        Fault::CutUp(bytes) => (bytes, u64::MAX),
        Fault::CutDown(bytes) => (u64::MAX, bytes),
        Fault::None | Fault::Refuse | Fault::Slow(..) => (u64::MAX, u64::MAX),
    };
    let pace = match fault {
        Fault::Slow(pause, piece) => (Duration::from_millis(pause), piece),
        Fault::None | Fault::Refuse | Fault::CutUp(_) | Fault::CutDown(_) => (Duration::ZERO, 16 << 10),
    };
    // Whichever direction is cut first takes the other with it.
    tokio::select! {
        () = carry(&mut from_node, &mut to_hub, limits.0, pace, &state.up) => {}
        () = carry(&mut from_hub, &mut to_node, limits.1, pace, &state.down) => {}
    }
}

async fn carry<R, W>(from: &mut R, to: &mut W, mut left: u64, (pause, piece): (Duration, usize), count: &AtomicU64)
where
    R: AsyncReadExt + Unpin,
    W: AsyncWriteExt + Unpin,
{
    let mut buffer = vec![0; piece];
    while left > 0 {
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(piece);
        let Ok(read) = from.read(&mut buffer[..most]).await else { return };
        if read == 0 {
            return;
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
        count.fetch_add(read as u64, Ordering::SeqCst);
        left -= read as u64;
    }
}
