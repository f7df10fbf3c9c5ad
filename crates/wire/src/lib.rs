//! The contract between nodes and hub.
pub mod pb;
