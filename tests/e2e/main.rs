//! The house as its users meet it: real ports, real mTLS, real files, real SQLite.

mod house;
mod law_one;
mod membership;
mod real_input;
mod rounds;
mod slices;
mod small_pack;
