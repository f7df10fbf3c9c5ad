//! Statistical disclosure control: from confidential tables to safe ones, and the intruder who tries them.
//!
//! The permission to share rests on this crate. [`protect`] makes safe tables inside a commune, [`attack::admit`]
//! lets them in at the hub, and both end in the same check, which depends on visible data only. Nothing else makes a
//! [`SafeTable`].
//!
//! # Whom we defend against
//!
//! | intruder | knows | defended |
//! |---|---|---|
//! | outsider | everything ever shown about a slice, all definitions and rules | yes |
//! | partner | releases, a part of the above | yes, as an outsider |
//! | member commune | also its own exact figures; cells of different communes do not add up before group figures are shown | yes, within each slice; group figures are the hub's to check |
//! | two members together | both sets of exact figures | as above |
//! | a unit alone in its cell | the true figures of that cell and of all that it is divided into | by the commune, which knows where that is; a hub cannot check it |
//!
//! # Two ways in
//!
//! A commune's pack goes through [`protect`] and [`attack::admit`]; anybody's tables go through [`tables`]. The engine is
//! one ([`suppress`] chooses, [`intervals`] plays the intruder), but what each way is told differs, and so does what it
//! protects:
//!
//! | | a commune's pack | anybody's tables |
//! |---|---|---|
//! | rules | a threshold, zeros, a width | also contributors, (n, k), p %, one category that takes all, differences, marked cells |
//! | differences that nobody publishes | all that follow from the definitions | totals less a part where a rule asks for it; pairs that the hierarchy names (`within`) |
//! | a unit alone in its cell | by the commune | where contributors are counted or named, or on demand; also what one owner has in several cells |
//! | people counted in several parts | as the definitions say | dimensions that the hierarchy names (`distinct`) |
//! | a producer's figures | measures `at_source`, shown as they are | exact or rounded tables beside one's own |
//! | what was published before | the ledger: every version, one by one and together | files; a cell with the same figure is the same unknown |
//! | who is played before anything goes | the outsider, beside every earlier version | the proof, for anybody and for each owner; on demand ([`tables::Audience`]) readers of one or all publications, contributors one by one, and insiders with lists of what they know |
//! | who checks after that | the hub, by the same function | nobody |
//!
//! The rest of this page is about a commune's pack.
//!
//! # What is protected
//!
//! * A figure behind which fewer units stand than the rule's threshold is hidden; zeros too where the rule says so.
//! * So is each *difference* nobody publishes but anybody can compute: numerator and denominator of a ratio, a list
//!   of codes against its total, one filter inside another.
//! * Every hidden figure or difference that might be below the threshold stays uncertain by the rule's width: its
//!   reachable interval is computed from *all* relations of the table together, and the width is proven by whole
//!   tables that satisfy every visible figure exactly (never by the linear relaxation alone, which may be wider).
//!   What cannot be proven counts as a violation.
//! * The same holds beside every earlier version of the slice, shown, checked or withdrawn, one by one and all
//!   together. The intruder takes a cell for unchanged unless visible figures prove that it changed. What the earlier
//!   versions alone give away already is not held against a new one that adds nothing to it.
//! * An amount or a weight is hidden wherever the number of those behind it is.
//! * Inside the commune, cells that did not change since they were shown count as known, hidden or not: the hub cannot
//!   tell which these are, the commune can.
//! * A slice that was sent under another definition of its table is not let in at all: what the two tell together is
//!   not computed yet.
//! * Figures protected by their producer (`at_source`) and figures that are not about persons are shown, and known.
//!
//! # What is not protected yet
//!
//! Said plainly, because a table is shared on the strength of this page:
//!
//! * of two units alone in totals that cross in a hidden zero, one; what earlier versions leave no room for; a unit that
//!   contributes to several cells beside others, and subtracts itself from each; dominance in amounts (one
//!   contributor with 85 %); all units of a row in one category (anybody's tables
//!   have rules for the last two);
//! * conditions other than codes are opaque: that two of them exclude each other, or that three make up a whole, is
//!   not known. Exclusive categories must be codes of a dimension;
//! * cells that cross different dimensions (`age × sexe`, `age × zone`, `sexe × zone`), or that overlap by their
//!   conditions, are margins of one finer table; where that table has more than 300 cells, they are related through
//!   their common totals only, and the sometimes tighter bounds of the finer table are not used;
//! * a count and a weight or amount of the same rows that are *both* hidden are not tied to be zero together;
//! * an intruder who reasons about the procedure itself (which secondary cell it would have chosen);
//! * corrections are judged under two assumptions (what is not visibly changed is unchanged; nothing is known from
//!   before), not under every assumption between them;
//! * figures that were purged after a breach are forgotten by later attacks; figures that the hub refused were read by
//!   its operator and are in no ledger;
//! * the number of units behind a difference that no cell shows is a lower estimate, so that some differences are hidden
//!   without need;
//! * other slices about the same people (another period, another table) are taken for unrelated.
//!
//! Methods: complementary suppression by elimination, after Langsrud, and by hiding what bounds follow from, after
//! Fischetti and Salazar (Management Science 47, 2001): see [`suppress`](crate::suppress). Linear programs only propose
//! tables and bounds, which count once they are verified in exact integers.
//!
//! # What the compiler refuses
//!
//! A safe table is not made by hand:
//!
//! ```compile_fail,E0451
//! fn forge(claim: disclosure::Received) -> disclosure::SafeTable {
//!     disclosure::SafeTable { slice: claim.slice, attributes: claim.attributes, cells: claim.cells }
//! }
//! ```
//!
//! but by proof:
//!
//! ```
//! fn let_in(
//!     claim: disclosure::Received,
//!     scheme: &disclosure::TableScheme,
//!     ledger: &disclosure::Ledger,
//! ) -> Result<disclosure::SafeTable, disclosure::attack::Refusal> {
//!     disclosure::attack::admit(claim, scheme, ledger)
//! }
//! ```
//!
//! A confidential number is not printed:
//!
//! ```compile_fail,E0277
//! let count = disclosure::ConfidentialCount::new(3);
//! println!("{count}");
//! ```
//!
//! not even for debugging:
//!
//! ```
//! let count = disclosure::ConfidentialCount::new(3);
//! assert_eq!(format!("{count:?}"), "ConfidentialCount(…)");
//! ```

mod alone;
pub mod attack;
mod confidential;
mod eliminate;
#[cfg(test)]
mod fixture;
pub mod groups;
pub mod intervals;
mod ledger;
mod protect;
mod relations;
mod rule;
mod safe;
mod scheme;
mod space;
pub mod suppress;
pub mod system;
pub mod tables;
mod witness;

pub use confidential::{ConfidentialCell, ConfidentialCount, ConfidentialTable};
pub use ledger::Ledger;
pub use protect::{Hidden, ProtectError, Protected, Reason, Report, protect};
pub use rule::{Need, need};
pub use safe::{Published, Received, SafeTable, SliceAttributes};
pub use scheme::{InvalidScheme, MeasureScheme, Protection, Quantity, Reading, Restriction, Rule, TableScheme, Zeros};
