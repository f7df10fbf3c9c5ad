//! The hub in one process: real ports, real TLS, real databases, a clock that the test moves.

mod access;
mod canary;
mod comparing;
mod figures;
mod founding;
mod operating;
mod receiving;
mod remembering;
mod restoring;
mod stage;
