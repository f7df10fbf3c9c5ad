//! What survives a power cut: two logical schemas over SQLite (default) and PostgreSQL (by URL).
//!
//! [`hub::HubStore`] keeps what communes sent, as the bytes they signed; [`node::NodeStore`] keeps what one commune
//! sent or is about to send. SQL text is written once, in portable `$1..$n` form; only `db` names a driver.
//! This room understands no document: whoever hands bytes over says what they mean.

pub mod crash;
mod db;
mod error;
pub mod hub;
mod location;
mod migration;
pub mod node;
mod record;
#[cfg(test)]
mod suite;

pub use error::StoreError;
pub use location::{InvalidLocation, Location};
pub use record::{DocumentKind, SealedReceipt};
