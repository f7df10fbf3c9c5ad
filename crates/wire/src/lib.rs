//! The contract between nodes and hub: documents, identities, the port and the refusals.
//!
//! Generated types stop here; rooms outside see [`document`], [`status`], [`invitation`] and the service traits of
//! [`pb`].

pub mod authority;
pub mod bundle;
pub mod client;
pub mod document;
pub mod enrolment;
pub mod identity;
pub mod invitation;
pub mod ledger;
pub mod pb;
pub mod recovery;
pub mod server;
pub mod status;
#[cfg(test)]
mod testing;
pub mod tls;
pub mod upload;

// The service traits of `pb` name its types: whoever implements them must, and takes them from here.
pub use tonic;
