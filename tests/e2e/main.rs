//! The house as its users meet it: real ports, real mTLS, real files, real SQLite.

mod bad_input;
mod canary;
mod faulty;
mod house;
mod intruder;
mod isolation;
mod law_one;
mod membership;
mod real_input;
mod recovery;
mod replicas;
mod rounds;
mod seeds;
mod slices;
mod small_pack;
