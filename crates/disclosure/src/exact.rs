//! Linear programs over exact integers.
//!
//! The intruder's bounds decide who may be seen, so they must not depend on a tolerance, nor on the machine: rows are
//! kept as integers (each row may be scaled by a positive number), every operation is checked, and the pivots are
//! chosen by index. An overflow or an exhausted budget is an answer ("not proven"), never a wrong bound.

mod integers;
mod tableau;

pub(crate) use integers::integral_points;
pub(crate) use tableau::{End, Overrun, Row, Sense, Tableau};

#[cfg(test)]
mod tests;
