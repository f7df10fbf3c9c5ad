//! Published tables as intruders see them: whoever only reads is told no hidden figure, even where a file still has it.

mod attack;
mod join;
mod play;
mod versions;

pub use attack::{Attacked, Audience, Finding, Intruder, Played, Step, Violation};
