//! The hub in one process: real ports, real TLS, real databases, a clock that the test moves.

mod access;
mod auditing;
mod boarding;
mod canary;
mod carrying;
mod comparing;
mod crowding;
mod families;
mod figures;
mod founding;
mod importing;
mod operating;
mod paging;
mod publishing;
mod receiving;
mod remembering;
mod restoring;
mod stage;
mod visibility;
