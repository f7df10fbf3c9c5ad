//! What is known of figures beside sums: distinct counts, ratios, roundings, weights.

use super::*;

/// The widest interval of each hidden cell, by brute force over all whole tables up to `most` that satisfy `holds`.
fn brute(shown: &[Option<i64>], most: i64, holds: &dyn Fn(&[i64]) -> bool) -> Vec<(i64, i64)> {
    let mut reach = vec![(i64::MAX, i64::MIN); shown.len()];
    let mut table: Vec<i64> = shown.iter().map(|shown| shown.unwrap_or_default()).collect();
    loop {
        if holds(&table) {
            for (reach, &figure) in reach.iter_mut().zip(&table) {
                *reach = (reach.0.min(figure), reach.1.max(figure));
            }
        }
        let Some(at) = (0..table.len()).find(|&at| shown[at].is_none() && table[at] < most) else { return reach };
        table[at] += 1;
        for lower in 0..at {
            if shown[lower].is_none() {
                table[lower] = 0;
            }
        }
    }
}

#[test]
fn people_counted_in_several_parts_bound_their_total_and_it_bounds_them() {
    let mut dimensions = vec![dimension("motif", &[("Total", &["x", "y", "z"])])];
    dimensions[0].distinct = true;
    let rows = |x, y, z, total| table(&dimensions, &[0], &[("x", x), ("y", y), ("z", z), ("Total", total)]);
    let fits = |table: Table| Assembled::of(&request(&dimensions, &[table], FIVE)).err();
    assert_eq!(fits(rows(3, 9, 12, 12)), None, "everybody came for z too");
    assert_eq!(fits(rows(3, 9, 12, 24)), None, "nobody came for two reasons");
    assert!(matches!(fits(rows(3, 9, 12, 25)), Some(Misfit::Distinct { .. })));
    assert!(matches!(fits(rows(3, 9, 12, 11)), Some(Misfit::Distinct { .. })));
    let holds = |table: &[i64]| {
        let (parts, total) = (&table[..3], table[3]);
        parts.iter().all(|&part| part <= total) && parts.iter().sum::<i64>() >= total
    };
    // With every figure but x shown, x is from 24 − 9 − 12 to 24.
    for (total, hidden) in
        [(24, [true, false, false, false]), (12, [true, false, false, true]), (13, [true, true, false, false])]
    {
        let tables = [publish(rows(3, 9, 12, total), &hidden)];
        let audience = Audience { intervals: true, ..Audience::readers(&dimensions, &tables, 1) };
        let attacked = audience.attack(&mut |_| ()).expect("no contradiction");
        let shown: Vec<Option<i64>> = tables[0].rows.iter().map(|row| row.value).collect();
        let expected = brute(&shown, 40, &holds);
        for (key, _, interval) in &attacked.intervals {
            let row = tables[0].nodes.iter().position(|&node| node as usize == key[0]).expect("its row");
            // Only here 40 stands for "without end".
            let high = interval.high.attained().unwrap_or(40);
            assert_eq!(
                (interval.low.attained(), high),
                (Some(expected[row].0), expected[row].1),
                "{total} {hidden:?} {row}"
            );
        }
        assert_eq!(attacked.intervals.len(), hidden.iter().filter(|hidden| **hidden).count());
    }
    // x varies by 9 beside everything else: nothing more is hidden at 5; at 22 something is.
    let tables = [rows(3, 9, 12, 24)];
    assert_eq!(hidden(&decide(&Request { width: 5, ..request(&dimensions, &tables, FIVE) }), 0), [0]);
    assert!(hidden(&decide(&Request { width: 25, ..request(&dimensions, &tables, FIVE) }), 0).len() > 1);
}

#[test]
fn a_numerator_is_never_above_its_denominator_and_what_is_left_is_protected() {
    let axis = Axis::new([("T", vec!["A", "B", "C"])]).expect("a hierarchy");
    let mut measure = Dimension::new("mesure", Axis::default());
    measure.within = vec![(measure.axis.node("aided"), measure.axis.node("all"))];
    let dimensions = vec![Dimension::new("k", axis), measure];
    let rows = |a| {
        let rows = [
            ("A aided", a),
            ("B aided", 20),
            ("C aided", 30),
            ("T aided", a + 50),
            ("A all", 12),
            ("B all", 40),
            ("C all", 60),
            ("T all", 112),
        ];
        [table(&dimensions, &[0, 1], &rows)]
    };
    // 12 − 10: two are not aided.
    let tables = rows(10);
    let decision = decide(&Request { width: 5, ..request(&dimensions, &tables, FIVE) });
    let hidden = hidden(&decision, 0);
    assert!(hidden.contains(&0) || hidden.contains(&4), "{hidden:?}");
    let five = rows(7);
    assert_eq!(self::hidden(&decide(&request(&dimensions, &five, FIVE)), 0), [], "five are not aided: shown");
    assert!(matches!(
        Assembled::of(&request(&dimensions, &rows(13), FIVE)).err(),
        Some(Misfit::Within { whole: Place { row: 4, .. }, part: Place { row: 0, .. } })
    ));
    // A hidden numerator is bounded by its denominator.
    let tables = [publish(rows(10)[0].clone(), &[true, true, false, false, false, false, false, false])];
    let audience = Audience { intervals: true, ..Audience::readers(&dimensions, &tables, 1) };
    let intervals = audience.attack(&mut |_| ()).expect("no contradiction").intervals;
    let ends: Vec<_> = intervals.iter().map(|(_, _, interval)| (interval.low.bound(), interval.high.bound())).collect();
    assert_eq!(ends, [(Some(0), Some(12)), (Some(18), Some(30))]);
}

#[test]
fn what_a_producer_publishes_narrows_the_range_of_our_own_figures() {
    let (dimensions, now) = abc();
    let tables = [now];
    let eight = [Criterion::Threshold { least: 8 }];
    let rounded = |rows: &[(&str, i64)]| table(&dimensions, &[0], rows);
    let decided = |source: &Table, around: (i64, i64), width| {
        let sources = [Source { table: source, below: around.0, above: around.1 }];
        let ask = Request { sources: &sources, width, ..request(&dimensions, &tables, &eight) };
        Assembled::of(&ask)
            .and_then(|assembled| assembled.suppress().map_err(|_| Misfit::TooMany))
            .map(|d| hidden(&d, 0))
    };
    // 5 stands for anything from 3 to 9: B, which is 7, may vary by 6 and no more.
    let five = rounded(&[("B", 5)]);
    assert_eq!(decided(&five, (2, 4), 6), Ok(vec![0, 1]));
    let place = |row| Place { earlier: false, table: 0, row };
    assert_eq!(decided(&five, (2, 4), 7), Err(Misfit::Beyond(vec![(place(1), Level::Width)])));
    // 15 cannot stand for 7; 7 itself is known, and refused.
    let fifteen = rounded(&[("B", 15)]);
    let other = Place { earlier: true, table: 0, row: 0 };
    assert_eq!(decided(&fifteen, (2, 4), 1), Err(Misfit::Rounded { place: place(1), other }));
    assert_eq!(decided(&rounded(&[("B", 7)]), (0, 0), 1), Err(Misfit::Frozen(vec![place(1)])));
    // A is known: C goes with B.
    assert_eq!(decided(&rounded(&[("A", 40)]), (0, 0), 1), Ok(vec![1, 2]));
    // Rounded figures that add up tell more than each: B is from 100 − 2 − 44 − 54 to 9.
    let whole = rounded(&[("A", 40), ("B", 5), ("C", 50), ("Total", 100)]);
    assert_eq!(decided(&whole, (2, 4), 6), Ok(vec![0, 1]));
    // The intruder knows them too.
    let published = [publish(tables[0].clone(), &[true, true, false, false])];
    let sources = [Source { table: &five, below: 2, above: 4 }];
    let audience = |width| Audience { sources: &sources, ..Audience::readers(&dimensions, &published, width) };
    assert!(found(&audience(6))[0].1.is_empty());
    assert_eq!(found(&audience(7))[0].1.len(), 2, "A is the rest of what B is");
    let exact = rounded(&[("A", 40)]);
    let sources = [Source { table: &exact, below: 0, above: 0 }];
    let audience = Audience { sources: &sources, ..Audience::readers(&dimensions, &published, 1) };
    assert!(found(&audience)[0].1.contains(&(1, false, Violation::Computable)));
}

#[test]
fn weighted_figures_are_hidden_by_those_who_stand_behind_them() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])])];
    // In hundredths: A is 12.75 of 4 answers, B 3.50 of 9.
    let mut weighted = table(&dimensions, &[0], &[("A", 1275), ("B", 350), ("C", 4000), ("Total", 5625)]);
    for (row, contributors) in weighted.rows.iter_mut().zip([4, 9, 40, 53]) {
        row.contributors = Some(contributors);
    }
    let tables = [weighted];
    let decision = decide(&Request { one: 100, width: 1700, ..request(&dimensions, &tables, FIVE) });
    // B, though smaller, has enough behind it. It is too small to give A a width of 17.00.
    assert!(decision.tables[0][0].primary && !decision.tables[0][1].primary && decision.primary == 1);
    assert_eq!(hidden(&decision, 0), [0, 2]);
    let mut without = tables.clone();
    without[0].rows[2].contributors = None;
    let lacking = Assembled::of(&Request { one: 100, ..request(&dimensions, &without, FIVE) }).err();
    assert!(matches!(lacking, Some(Misfit::Lacking { column: "contributors", place: Place { row: 2, .. } })));
}

#[test]
fn bands_that_do_not_nest_are_tied_by_the_pairs_that_do() {
    let groupings: [(&str, &[&str]); 2] = [("Total", &["0-14", "15-24", "25+"]), ("Total", &["0-17", "18+"])];
    let mut age = dimension("age", &groupings);
    let rows = [("0-14", 20), ("15-24", 10), ("25+", 30), ("0-17", 23), ("18+", 37), ("Total", 60)];
    let untied = [age.clone()];
    let tables = [table(&untied, &[0], &rows)];
    assert_eq!(hidden(&decide(&request(&untied, &tables, FIVE)), 0), [], "as far as anybody said, nothing is small");
    // Whoever knows that 0-14 lies in 0-17 computes three people of 15 to 17.
    let node = |age: &Dimension, code| age.axis.find(code).expect("a code");
    age.within = vec![(node(&age, "0-14"), node(&age, "0-17")), (node(&age, "25+"), node(&age, "18+"))];
    let tied = [age];
    let hidden = hidden(&decide(&Request { width: 5, ..request(&tied, &tables, FIVE) }), 0);
    assert!(hidden.contains(&0) || hidden.contains(&3), "{hidden:?}");
}
