//! The hub in one process: real ports, real TLS, real databases, a clock that the test moves.

mod access;
mod comparing;
mod fixture;
mod founding;
mod receiving;
mod remembering;
