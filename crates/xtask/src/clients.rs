//! `cargo xtask clients`: programs that we did not write, against a real hub.

use crate::{House, Problem, command, tools};

/// Gets the programs, then runs the tests that need them.
pub fn run(house: &House) -> Result<(), Problem> {
    println!("clients: buf, grpcio and openssl call a hub on a real port");
    let buf = tools::buf(house)?;
    let python = tools::python(house, "grpc", &tools::GRPC)?;
    if command::on_path("openssl").is_none() {
        tools::apt(&["openssl"], "openssl shakes hands with the hub")?;
    }
    let mut cargo = command::cargo();
    cargo
        .args(["test", "--locked", "--package", "tests", "--test", "e2e", "clients::", "--", "--ignored"])
        .current_dir(&house.root)
        .env("MAILLAGE_CLIENTS_BUF", buf)
        .env("MAILLAGE_CLIENTS_PYTHON", python);
    command::run(&mut cargo)
}
