//! Tables that their producer protected: nothing to hide, but they must be what the producer says they are.

use super::layout::Layout;
use super::{Dimension, Misfit, Place, Table};

/// Whether totals and parts fit together if every figure `v` stands for anything from `v − below` to `v + above`
/// (in units).
pub fn at_source(dimensions: &[Dimension], tables: &[Table], below: i64, above: i64) -> Result<(), Misfit> {
    let (mut broken, mut count) = (None, 0);
    for (index, table) in tables.iter().enumerate() {
        let at = Place { earlier: false, table: index, row: 0 };
        let figures: Vec<i128> = (table.rows.iter().enumerate())
            .map(|(row, known)| known.value.map(i128::from).ok_or(Misfit::Empty(Place { row, ..at })))
            .collect::<Result<_, _>>()?;
        let layout = Layout::of(dimensions, table, at)?;
        layout.sums(dimensions, table, |dimension, total, parts| {
            let sum: i128 = parts.iter().map(|&part| figures[part]).sum();
            let each = i128::try_from(parts.len()).unwrap_or(i128::MAX);
            let (below, above) = (i128::from(below), i128::from(above));
            let apart = sum - each * below > figures[total] + above || sum + each * above < figures[total] - below;
            if apart {
                count += 1;
                broken.get_or_insert_with(|| Misfit::Broken {
                    place: Place { row: total, ..at },
                    dimension,
                    parts: parts.to_vec(),
                    count: 0,
                });
            }
        });
    }
    match broken {
        Some(Misfit::Broken { place, dimension, parts, .. }) => Err(Misfit::Broken { place, dimension, parts, count }),
        _ => Ok(()),
    }
}
