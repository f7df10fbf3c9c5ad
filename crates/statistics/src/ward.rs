//! Ward's tree: places brought together two by two, those first that lose least by it.

use kodama::{Method, linkage};

use crate::Undefined;
use crate::profile::Standardised;
use crate::special::length;

/// The most places that are compared each with each: their distances take some 36 MB.
pub const MOST_PLACES: usize = 3_000;
/// Heights and silhouettes closer than this share of the largest are equal.
const EQUAL: f64 = 1e-9;

/// Two groups become one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Merge {
    /// The groups: a place by its number, or, from the number of places on, the outcome of an earlier merge.
    pub groups: [usize; 2],
    /// Twice the inertia lost by it, under the root: of two places, their distance. In standard deviations.
    pub height: f64,
    /// How many places are in the outcome.
    pub size: usize,
}

/// A number of groups, and what speaks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Division {
    /// How many groups.
    pub groups: usize,
    /// The mean silhouette of all places, −1 to 1: how much nearer they are to their own group than to the next.
    pub silhouette: f64,
    /// Calinski and Harabasz's ratio of the variance between groups to that inside; `None` where groups are without any.
    pub calinski_harabasz: Option<f64>,
    /// The share of inertia that lies between groups, 0 to 1: how much the groups tell.
    pub between: f64,
    /// The share of inertia that one group less would lose.
    pub lost_by_merging: f64,
    /// Whether the merge that makes these groups and the next one have the same height: the tree could have been cut
    /// otherwise, and these groups are one choice of several.
    pub tied: bool,
}

/// The tree of all merges.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    merges: Vec<Merge>,
    /// Distances of i < j, row by row.
    distances: Vec<f64>,
    places: usize,
    distinct: usize,
}

/// Ward's hierarchical clustering of standardised indicators, all with the same weight.
///
/// At each step the two groups are brought together that raise the inertia inside groups, Σ (distance to the centre)²,
/// least. With unsquared Euclidean distances d between places, the height of a merge of groups of m and n is
/// √(2mn/(m + n)) × the distance of their centres, so that height²/2 is the inertia lost: R's `ward.D2`, `ward` of
/// scipy. Heights never fall. Equal heights are taken in the order of [`places`](Standardised::places).
///
/// Source: J. H. Ward, 1963, *Journal of the American Statistical Association* 58:236–244; F. Murtagh & P. Legendre, 2014,
/// *Journal of Classification* 31:274–295 (the two conventions). Domain: at most [`MOST_PLACES`].
///
/// # Errors
/// [`TooMany`](Undefined::TooMany).
pub fn ward<L>(table: &Standardised<L>) -> Result<Tree, Undefined> {
    let rows = &table.scores;
    if rows.len() > MOST_PLACES {
        return Err(Undefined::TooMany { found: rows.len(), most: MOST_PLACES });
    }
    let mut distances = Vec::with_capacity(rows.len() * rows.len().saturating_sub(1) / 2);
    for (at, row) in rows.iter().enumerate() {
        distances.extend(rows[at + 1..].iter().map(|other| squared(row, other).sqrt()));
    }
    let steps = linkage(&mut distances.clone(), rows.len(), Method::Ward);
    let merges = steps.steps().iter().map(|step| Merge {
        groups: [step.cluster1, step.cluster2],
        height: step.dissimilarity,
        size: step.size,
    });
    // Places stand in order of value: the same ones are neighbours.
    let distinct = 1 + table.values.windows(2).filter(|two| two[0] != two[1]).count();
    Ok(Tree { merges: merges.collect(), distances, places: rows.len(), distinct })
}

/// The squared Euclidean distance.
pub(crate) fn squared(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum()
}

impl Tree {
    /// All merges, lowest first.
    pub fn merges(&self) -> &[Merge] {
        &self.merges
    }

    /// The most groups that it can be cut into: as many as there are different places, one less than all of them.
    pub fn most_groups(&self) -> usize {
        self.distinct.min(self.places - 1)
    }

    /// The group of each place, from 0 on, in the order of [`places`](Standardised::places), where the tree is cut into
    /// `groups`. The largest group comes first; of two as large, the one with the place of lowest value.
    ///
    /// # Errors
    /// [`NoSuchDivision`](Undefined::NoSuchDivision) outside 2 to [`most_groups`](Self::most_groups).
    pub fn cut(&self, groups: usize) -> Result<Vec<usize>, Undefined> {
        let most = self.most_groups();
        if !(2..=most).contains(&groups) {
            return Err(Undefined::NoSuchDivision { most });
        }
        let mut members: Vec<Vec<usize>> = (0..self.places).map(|place| vec![place]).collect();
        for merge in &self.merges[..self.places - groups] {
            let joined = merge.groups.map(|group| std::mem::take(&mut members[group])).concat();
            members.push(joined);
        }
        members.retain(|group| !group.is_empty());
        for group in &mut members {
            group.sort_unstable();
        }
        members.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        let mut found = vec![0; self.places];
        for (number, group) in members.iter().enumerate() {
            for place in group {
                found[*place] = number;
            }
        }
        Ok(found)
    }

    /// What speaks for each number of groups, from 2 to `most`.
    ///
    /// Silhouette of a place: (b − a) / max(a, b), with a its mean distance to the others of its group and b the least of
    /// its mean distances to another group; 0 for one alone. Calinski and Harabasz: (B/(g − 1)) / (W/(n − g)), with B
    /// and W the inertia between and inside g groups of n places.
    ///
    /// Source: P. J. Rousseeuw, 1987, *Journal of Computational and Applied Mathematics* 20:53–65; T. Caliński &
    /// J. Harabasz, 1974, *Communications in Statistics* 3:1–27.
    ///
    /// # Errors
    /// [`NoSuchDivision`](Undefined::NoSuchDivision) if there cannot be two groups, or `most` is below 2.
    pub fn divisions(&self, most: usize) -> Result<Vec<Division>, Undefined> {
        let possible = self.most_groups();
        if most.min(possible) < 2 {
            return Err(Undefined::NoSuchDivision { most: possible });
        }
        let inertia = |merges: &[Merge]| merges.iter().map(|merge| merge.height.powi(2) / 2.0).sum::<f64>();
        let total = inertia(&self.merges);
        let highest = self.merges.last().map_or(0.0, |merge| merge.height);
        let division = |groups: usize| {
            let (done, ahead) = self.merges.split_at(self.places - groups);
            let (within, between) = (inertia(done), inertia(ahead));
            let (g, n) = (length(groups), length(self.places));
            let next = ahead.first().map_or(0.0, |merge| merge.height);
            let last = done.last().map_or(0.0, |merge| merge.height);
            Ok(Division {
                groups,
                silhouette: self.silhouette(&self.cut(groups)?, groups),
                calinski_harabasz: (within > EQUAL * total).then(|| (between / (g - 1.0)) / (within / (n - g))),
                between: between / total,
                lost_by_merging: next.powi(2) / 2.0 / total,
                tied: next - last <= EQUAL * highest,
            })
        };
        (2..=most.min(possible)).map(division).collect()
    }

    fn silhouette(&self, group_of: &[usize], groups: usize) -> f64 {
        let mut sums = vec![vec![0.0; groups]; self.places];
        let pairs = (0..self.places).flat_map(|a| (a + 1..self.places).map(move |b| (a, b)));
        for ((a, b), distance) in pairs.zip(&self.distances) {
            sums[a][group_of[b]] += distance;
            sums[b][group_of[a]] += distance;
        }
        let mut sizes = vec![0_usize; groups];
        for group in group_of {
            sizes[*group] += 1;
        }
        let of = |(sums, own): (&Vec<f64>, &usize)| {
            if sizes[*own] < 2 {
                return 0.0;
            }
            let inside = sums[*own] / length(sizes[*own] - 1);
            let others = (0..groups).filter(|group| group != own).map(|group| sums[group] / length(sizes[group]));
            let outside = others.fold(f64::INFINITY, f64::min);
            let larger = inside.max(outside);
            if larger > 0.0 { (outside - inside) / larger } else { 0.0 }
        };
        sums.iter().zip(group_of).map(of).sum::<f64>() / length(self.places)
    }
}

/// The division with the highest mean silhouette, of equals the one with fewest groups; one that could have been cut
/// otherwise only if all could.
pub(crate) fn best(divisions: &[Division]) -> Option<Division> {
    let clear = divisions.iter().any(|division| !division.tied);
    let mut eligible = divisions.iter().filter(|division| !(clear && division.tied));
    let first = *eligible.next()?;
    Some(eligible.fold(first, |best, next| if next.silhouette > best.silhouette + EQUAL { *next } else { best }))
}
