//! What can be wrong with a table, closed.

use std::fmt;

/// What is wrong with a cell. Never holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The scheme has this cell, the table has not.
    Absent,
    /// The table has this cell, the scheme has not.
    Unknown,
    /// A figure below zero.
    Negative,
    /// A value where no row can be, or "not applicable" where some can.
    Impossible,
    /// Two indicators show the same rows with different figures, or a total is not the sum of its parts.
    NotAdditive,
    /// A part is larger than the whole it lies in.
    LargerThanWhole,
    /// No table agrees with all visible figures of these relations.
    Contradiction,
    /// A visible figure that the rule hides.
    BelowThreshold,
    /// A visible amount over rows whose number is hidden.
    AmountOverHiddenCount,
    /// Hidden, but the visible figures leave too little doubt.
    TooNarrow,
    /// Not shown anywhere, but a difference of cells leaves too little doubt about it.
    DifferenceTooNarrow,
    /// Hidden, but together with figures sent earlier too little doubt is left.
    TooNarrowWithEarlier,
    /// A difference of cells, together with figures sent earlier, leaves too little doubt.
    DifferenceTooNarrowWithEarlier,
    /// Possibly safe, but no proof was found within the budget.
    NotProven,
    /// The slice was sent before under another definition: the two cannot be attacked together.
    OtherDefinition,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Absent => "the cell is missing from the table",
            Self::Unknown => "the pack has no such cell",
            Self::Negative => "the figure is negative",
            Self::Impossible => "the cell contradicts its own definition",
            Self::NotAdditive => "a total is not the sum of its parts",
            Self::LargerThanWhole => "a part is larger than the whole",
            Self::Contradiction => "no table agrees with the visible figures",
            Self::BelowThreshold => "a figure below the threshold is visible",
            Self::AmountOverHiddenCount => "an amount is visible over rows whose number is hidden",
            Self::TooNarrow => "the visible figures leave too little doubt",
            Self::DifferenceTooNarrow => "a difference of cells leaves too little doubt",
            Self::TooNarrowWithEarlier => "figures sent earlier leave too little doubt",
            Self::DifferenceTooNarrowWithEarlier => "a difference with figures sent earlier leaves too little doubt",
            Self::NotProven => "no proof of safety was found",
            Self::OtherDefinition => "the slice was sent before under another definition",
        })
    }
}
