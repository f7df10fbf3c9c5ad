//! The house as its users meet it: real ports, real mTLS, real files, real SQLite.

mod bad_input;
mod bundle;
mod canary;
mod clients;
mod crowd;
mod doctor;
mod faulty;
mod house;
mod import_cases;
mod intruder;
mod isolation;
mod law_one;
mod membership;
mod pages;
mod proxy;
mod real_input;
mod recovery;
mod replicas;
mod restored;
mod rounds;
mod seeds;
mod shapes;
mod slices;
mod small_pack;
mod totals;
mod versions;
