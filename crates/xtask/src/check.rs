//! The rules of the house, each a step that can be run alone.

mod arrows;
mod contract;
mod deploy;
mod exposures;
mod names;
mod sources;
mod supply;

use crate::{House, Problem};

/// One rule.
#[derive(Clone, Copy)]
pub struct Step {
    name: &'static str,
    /// Says in a few words what was found right.
    run: fn(&House) -> Result<String, Problem>,
}

/// Cheap steps first: who broke a rule learns it in seconds.
const STEPS: [Step; 8] = [
    Step { name: "fmt", run: sources::formatted },
    Step { name: "arrows", run: arrows::check },
    Step { name: "names", run: names::check },
    Step { name: "exposures", run: exposures::check },
    Step { name: "proto", run: contract::check },
    Step { name: "deploy", run: deploy::check },
    Step { name: "deny", run: supply::check },
    Step { name: "clippy", run: sources::linted },
];

/// The steps named, in our order; all of them when none is named.
pub fn chosen(names: &[String]) -> Result<Vec<Step>, Problem> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != name.as_str())) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(Problem(format!("no step of check is called {unknown:?}; there are {}", known.join(", "))));
    }
    Ok(STEPS.into_iter().filter(|step| names.is_empty() || names.iter().any(|name| name == step.name)).collect())
}

/// Runs every step, whatever the ones before found: one run shows everything there is to mend.
pub fn run(house: &House, steps: &[Step]) -> Result<(), Problem> {
    let mut broken = Vec::new();
    for step in steps {
        println!("check {}", step.name);
        match (step.run)(house) {
            Ok(found) => println!("  ok: {found}"),
            Err(Problem(what)) => {
                println!("  BROKEN: {what}");
                broken.push(step.name);
            }
        }
    }
    if broken.is_empty() {
        println!("check: all {} steps hold", steps.len());
        Ok(())
    } else {
        Err(Problem(format!("check: {} of {} steps broken: {}", broken.len(), steps.len(), broken.join(", "))))
    }
}

/// The one sentence of a list of faults, or what was found right.
fn verdict(faults: &[String], right: String) -> Result<String, Problem> {
    if faults.is_empty() { Ok(right) } else { Err(Problem(faults.join("\n          "))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_chosen_by_name_and_unknown_names_refused() {
        let names = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
            chosen(&wanted).map(|steps| steps.iter().map(|step| step.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&["clippy", "fmt"]).ok(), Some(vec!["fmt", "clippy"]));
        assert_eq!(names(&[]).map(|all| all.len()).ok(), Some(STEPS.len()));
        assert!(names(&["clipy"]).is_err());
    }
}
