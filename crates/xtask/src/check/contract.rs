//! The contract: buf's STANDARD rules and its format.

use std::process::Command;

use crate::{House, Problem, command, tools};

pub fn check(house: &House) -> Result<String, Problem> {
    let buf = tools::buf(house)?;
    let run = |arguments: &[&str]| command::run(Command::new(&buf).args(arguments).current_dir(&house.root));
    run(&["lint", "proto"])?;
    run(&["format", "--diff", "--exit-code", "proto"])?;
    Ok("proto/ follows STANDARD and is formatted".into())
}
