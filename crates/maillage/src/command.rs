//! One file per command; each only reads arguments, calls a use-case and says what came out.

pub mod attack;
pub mod backup;
pub mod board;
pub mod bundle;
pub mod compare;
pub mod demo;
pub mod hub;
pub mod journal;
pub mod node;
pub mod pack;
pub mod profile;
pub mod protect;
pub mod public;
pub mod purge;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use model::{Failure, FailureKind, SystemClock, World};

/// Why a command ended without success: what to tell, and with which exit code.
#[derive(Debug)]
pub struct Stop {
    message: String,
    code: u8,
}

impl Stop {
    /// The data was refused; the message says what to mend.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// Something failed in this way.
    pub fn failed(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { message: message.into(), code: kind.exit_code() }
    }

    /// The system refused this about a file or a folder.
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        Self::failed(render::system::kind(error), render::system::sentence(path, error))
    }

    /// Says it on standard error.
    pub fn report(self) -> ExitCode {
        if !self.message.is_empty() {
            crate::telemetry::last_line(&self.message);
        }
        ExitCode::from(self.code)
    }
}

/// The machine's clock and randomness: composed here, handed to every use-case.
pub fn world() -> World {
    World { clock: Arc::new(SystemClock), entropy: Arc::new(seal::SystemEntropy::new()) }
}

/// Resolves when the person at the keyboard, or the system, asks to stop.
pub async fn interrupted() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                _ = tokio::signal::ctrl_c() => return,
            }
        }
    }
    // Without a handler nothing could ask; the process then ends as the system decides.
    let _ = tokio::signal::ctrl_c().await;
}

/// Long work beside the runtime: whoever asks to stop is heard at once, and nothing was written yet.
pub async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    let (done, result) = tokio::sync::oneshot::channel();
    // A thread of its own, not the runtime's: the process does not wait for it when it ends.
    std::thread::spawn(move || {
        // Nobody listens any more once the command was interrupted.
        let _ = done.send(work());
    });
    tokio::select! {
        result = result => result.map_err(|_| {
            Stop::failed(FailureKind::Internal, "Une erreur du logiciel a interrompu le calcul. Rien n’a été écrit.")
        }),
        () = interrupted() => Err(Stop { message: "Interrompu : rien n’a été écrit.".to_owned(), code: 130 }),
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        let message = if failure.message.is_empty() { failure.to_string() } else { failure.message };
        Self { message: format!("{message}\n[{}]", failure.reason), code: failure.kind.exit_code() }
    }
}
