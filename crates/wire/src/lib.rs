//! The contract between nodes and hub: documents, identities, the port and the refusals.
//!
//! Generated types stop here; rooms outside see [`document`], [`status`], [`invitation`] and the service traits of
//! [`pb`].

pub mod document;
pub mod invitation;
pub mod pb;
pub mod status;
