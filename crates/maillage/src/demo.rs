//! The demonstration: a whole fictional département on one machine, with nothing pretended.

pub mod department;
mod export;
pub mod files;
mod people;
pub mod run;
mod trouble;
