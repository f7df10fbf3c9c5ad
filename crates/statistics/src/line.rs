//! A straight line through weighted points.

use crate::Undefined;
use crate::estimate::size;
use crate::special::length;

/// The line of least weighted squares, around the weighted means.
pub(crate) struct Line {
    pub x: f64,
    pub y: f64,
    pub slope: f64,
    /// Σ w (x − x̄)².
    pub spread: f64,
    /// What is left per degree of freedom: Σ w (y − ŷ)² / (n − 2).
    pub residual: f64,
}

impl Line {
    /// Through points x, y, w with weights w; at least three for a residual variance.
    pub fn through(points: &[(f64, f64, f64)]) -> Result<Self, Undefined> {
        let sum = |of: &dyn Fn((f64, f64, f64)) -> f64| points.iter().copied().map(of).sum::<f64>();
        let weight = size(sum(&|(_, _, w)| w))?;
        let x = sum(&|(x, _, w)| w * x) / weight;
        let y = sum(&|(_, y, w)| w * y) / weight;
        let spread = sum(&|(px, _, w)| w * (px - x).powi(2));
        if spread <= 0.0 {
            return Err(Undefined::NoSpread);
        }
        let slope = sum(&|(px, py, w)| w * (px - x) * (py - y)) / spread;
        let left = sum(&|(px, py, w)| w * (py - y - slope * (px - x)).powi(2));
        let freedom = length(points.len().saturating_sub(2).max(1));
        Ok(Self { x, y, slope, spread, residual: left / freedom })
    }
}
