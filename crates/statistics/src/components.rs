//! Principal components: the few directions in which places differ most.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::Undefined;
use crate::profile::Standardised;
use crate::special::length;

/// More steps than the eigenvalues of any correlation matrix of use need.
const STEPS: usize = 100_000;
/// Below this share of the number of indicators a variance is rounding.
const NOTHING: f64 = 1e-12;
/// Loadings closer than this are equally large.
const EQUAL: f64 = 1e-9;

/// A direction in which places differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// The variance of its scores; those of all components sum to the number of indicators.
    pub variance: f64,
    /// Its share of all variance.
    pub share: f64,
    /// The share of this and all earlier ones.
    pub cumulated: f64,
    /// How much of each indicator it holds: a vector of length 1, in the order of
    /// [`indicators`](Standardised::indicators). The largest is positive, the first of several as large.
    pub loadings: Vec<f64>,
    /// Its correlation with each indicator: loading × √variance.
    pub correlations: Vec<f64>,
    /// Where each place stands on it, in the order of [`places`](Standardised::places); mean 0.
    pub scores: Vec<f64>,
}

/// The principal components of standardised indicators, the one with most variance first; directions in which nothing
/// varies are not given.
///
/// Eigenvectors of the correlation matrix R = Z′Z/n of the scores Z: loadings; eigenvalues: variances (with n); Z × loadings:
/// scores. An eigenvector has no sign of its own: its largest loading is made positive. Where two variances are equal,
/// so are all directions between theirs, and two components say nothing that one could tell from the other.
///
/// Source: H. Hotelling, 1933, *Journal of Educational Psychology* 24:417–441; I. T. Jolliffe, 2002, *Principal Component
/// Analysis*, 2nd ed., ch. 2–3. No units.
///
/// # Errors
/// [`NotConverged`](Undefined::NotConverged).
pub fn principal_components<L>(table: &Standardised<L>) -> Result<Vec<Component>, Undefined> {
    let (n, indicators) = (length(table.scores.len()), table.indicators.len());
    let product = |a: usize, b: usize| table.scores.iter().map(|row| row[a] * row[b]).sum::<f64>() / n;
    // Both triangles from the same products: symmetric to the last digit.
    let correlations = DMatrix::from_fn(indicators, indicators, |a, b| product(a.min(b), a.max(b)));
    let eigen = SymmetricEigen::try_new(correlations, f64::EPSILON, STEPS).ok_or(Undefined::NotConverged)?;
    let mut found: Vec<(f64, Vec<f64>)> = eigen
        .eigenvalues
        .iter()
        .zip(eigen.eigenvectors.column_iter())
        .map(|(variance, vector)| (*variance, signed(vector.iter().copied().collect())))
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let whole = length(indicators);
    let mut cumulated = 0.0;
    let component = |(variance, loadings): (f64, Vec<f64>)| {
        let share = variance / whole;
        cumulated += share;
        let on = |row: &Vec<f64>| row.iter().zip(&loadings).map(|(score, loading)| score * loading).sum();
        let scores = table.scores.iter().map(on).collect();
        let correlations = loadings.iter().map(|loading| loading * variance.sqrt()).collect();
        Component { variance, share, cumulated, loadings, correlations, scores }
    };
    Ok(found.into_iter().filter(|(variance, _)| *variance > NOTHING * whole).map(component).collect())
}

fn signed(vector: Vec<f64>) -> Vec<f64> {
    let largest = vector.iter().fold(0.0_f64, |largest, loading| largest.max(loading.abs()));
    let turn = vector.iter().find(|loading| loading.abs() >= largest - EQUAL).is_some_and(|first| *first < 0.0);
    if turn { vector.into_iter().map(|loading| -loading).collect() } else { vector }
}
