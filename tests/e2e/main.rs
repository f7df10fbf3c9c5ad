//! The house as its users meet it: real ports, real mTLS, real files, real SQLite.

mod bad_input;
mod bundle;
mod canary;
mod doctor;
mod house;
mod intruder;
mod isolation;
mod law_one;
mod membership;
mod proxy;
mod real_input;
mod rounds;
mod slices;
mod small_pack;
