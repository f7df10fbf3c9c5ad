//! Contributors who are alone in a cell, and therefore know its figure.

use std::collections::{HashMap, HashSet};

/// Who is alone in a total is alone in each part of it that anybody is in, and the same one: by cell that is `single`,
/// his number, none of those that are `taken`. `parts` are pairs of a total and one of its parts.
pub(crate) fn alone(
    cells: usize,
    parts: impl IntoIterator<Item = (usize, usize)>,
    single: &dyn Fn(usize) -> bool,
    taken: &HashSet<u32>,
) -> Vec<Option<u32>> {
    let mut group: Vec<usize> = (0..cells).collect();
    for (total, part) in parts {
        if single(total) && single(part) {
            join(&mut group, total, part);
        }
    }
    let mut free = (0..=u32::MAX).filter(|number| !taken.contains(number));
    let mut numbers: HashMap<usize, u32> = HashMap::new();
    let mut number = |cell: usize| {
        let next = || free.next().expect("fewer contributors than cells, fewer cells than 2^32");
        *numbers.entry(root(&mut group, cell)).or_insert_with(next)
    };
    (0..cells).map(|cell| single(cell).then(|| number(cell))).collect()
}

/// Whoever is alone in a total knows that nobody is in its other parts: these are his too, at whatever depth. Of several
/// who know it of the same part, any will do.
pub(crate) fn spread(
    owners: &mut [Option<u32>],
    parts: &(impl Iterator<Item = (usize, usize)> + Clone),
    empty: &dyn Fn(usize) -> bool,
) {
    loop {
        let mut more = false;
        for (total, part) in parts.clone() {
            if owners[total].is_some() && owners[part].is_none() && empty(part) {
                owners[part] = owners[total];
                more = true;
            }
        }
        if !more {
            break;
        }
    }
}

/// Who stands for the group of a cell; the way there becomes shorter for the next.
pub(crate) fn root(group: &mut [usize], mut cell: usize) -> usize {
    while group[cell] != cell {
        group[cell] = group[group[cell]];
        cell = group[cell];
    }
    cell
}

/// Makes one group of two.
pub(crate) fn join(group: &mut [usize], one: usize, other: usize) {
    let (a, b) = (root(group, one), root(group, other));
    group[a.max(b)] = a.min(b);
}
