//! Who finds what in published tables.

use super::*;

#[test]
fn earlier_publications_are_read_with_the_present_one() {
    let (dimensions, mut now) = abc();
    now.says_primary = true;
    now.rows[1].primary = true;
    let before = publish(now.clone(), &[true, true, false, false]);
    let after = publish(now, &[false, true, true, false]);
    let forget = |mut table: Table| {
        for row in &mut table.rows {
            row.inside = None;
        }
        table
    };
    // Each is safe alone; A of the second gives B of the first away, with the figures at hand or not.
    for (before, after) in [(before.clone(), after.clone()), (forget(before.clone()), forget(after.clone()))] {
        let (earlier, tables) = ([before], [after]);
        let audience = Audience { earlier: &earlier, ..Audience::readers(&dimensions, &tables, 5) };
        let given_away = vec![(1, false, Violation::Computable)];
        let played = [(Intruder::Reader, vec![]), (Intruder::Archivist, vec![]), (Intruder::Collector, given_away)];
        assert_eq!(found(&audience), played);
    }
    // B rose to 17 and the total with it. Who sees that takes neither for unchanged, and A is not known to be.
    let risen = table(&dimensions, &[0], &[("A", 40), ("B", 17), ("C", 53), ("Total", 110)]);
    let (earlier, tables) = ([forget(before.clone())], [forget(publish(risen.clone(), &[true, true, false, false]))]);
    let audience = Audience { earlier: &earlier, ..Audience::readers(&dimensions, &tables, 5) };
    assert!(found(&audience).iter().all(|(_, findings)| findings.is_empty()));
    // B shown now, A hidden in both: with the figures at hand it is known that A is the same, and the old B falls too.
    let (earlier, tables) = ([before], [publish(risen, &[true, false, true, false])]);
    let audience = Audience { earlier: &earlier, ..Audience::readers(&dimensions, &tables, 5) };
    let place = Place { earlier: true, table: 0, row: 1 };
    let collector = audience.attack(&mut |_| ()).expect("no contradiction").played.remove(2);
    let old = |finding: &Finding| finding.place == place && finding.violation == Violation::Computable;
    assert!(collector.findings.iter().any(old), "{collector:?}");
}

#[test]
fn contributors_subtract_what_is_their_own() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])])];
    let mut counts = table(&dimensions, &[0], &[("A", 10), ("B", 20), ("C", 30), ("Total", 60)]);
    for (row, (contributors, owner)) in counts.rows.iter_mut().zip([(1, Some(0)), (4, None), (9, None), (14, None)]) {
        (row.contributors, row.owner) = (Some(contributors), owner);
    }
    let narrow = [publish(counts.clone(), &[true, true, false, false])];
    let audience = Audience::readers(&dimensions, &narrow, 5);
    let owner = (Intruder::Contributors, vec![(1, false, Violation::Computable)]);
    assert_eq!(found(&audience), [(Intruder::Reader, vec![]), owner.clone()]);
    // Not named, but alone.
    let mut unnamed = narrow.clone();
    unnamed[0].rows[0].owner = None;
    let audience = Audience::readers(&dimensions, &unnamed, 5);
    assert_eq!(found(&audience).len(), 1);
    assert_eq!(found(&Audience { singletons: Singletons::Alone, ..audience })[1], owner);
    // Who is told a list knows it.
    let known = [table(&dimensions, &[0], &[("B", 20)])];
    let audience = Audience { known: &known, ..Audience::readers(&dimensions, &unnamed, 5) };
    assert_eq!(found(&audience)[1], (Intruder::Insider(0), vec![(0, false, Violation::Computable)]));
    for (row, misfit) in [(("B", 31), Misfit::Known as fn(Place) -> Misfit), (("C", 31), Misfit::Known)] {
        let known = [table(&dimensions, &[0], &[row])];
        let audience = Audience { known: &known, ..Audience::readers(&dimensions, &unnamed, 5) };
        assert_eq!(audience.attack(&mut |_| ()).err(), Some(misfit(Place { earlier: true, table: 0, row: 0 })));
    }
    let wide = [publish(counts, &[true, true, true, false])];
    assert!(found(&Audience::readers(&dimensions, &wide, 5)).iter().all(|(_, findings)| findings.is_empty()));
    // Without the figures nobody can be played.
    let mut public = narrow;
    public[0].rows[0].inside = None;
    let played = Audience::readers(&dimensions, &public, 5).attack(&mut |_| ()).expect("no contradiction").played;
    assert_eq!((played[1].players, played[1].absent), (0, 1));
}

#[test]
fn levels_of_the_file_are_measured_from_the_figure() {
    let (dimensions, now) = abc();
    let mut tables = [publish(now, &[true, true, false, false])];
    tables[0].says_primary = true;
    tables[0].rows[1].primary = true;
    let mut level = |below, above, sliding| {
        (tables[0].rows[1].lpl, tables[0].rows[1].upl, tables[0].rows[1].spl) = (below, above, sliding);
        let findings = found(&Audience::readers(&dimensions, &tables, 1))[0].1.clone();
        findings.first().map(|finding| finding.2)
    };
    // B is 7, from 0 to 47.
    assert_eq!(level(Some(7), Some(40), Some(47)), None);
    assert_eq!(level(Some(8), None, None), Some(Violation::Below));
    assert_eq!(level(None, Some(41), None), Some(Violation::Above));
    assert_eq!(level(None, None, Some(48)), Some(Violation::Narrow));
    // Without the figure, only together.
    tables[0].rows[1].inside = None;
    let mut blind = |below, above| {
        (tables[0].rows[1].lpl, tables[0].rows[1].upl, tables[0].rows[1].spl) = (Some(below), Some(above), None);
        let attacked = Audience::readers(&dimensions, &tables, 1).attack(&mut |_| ()).expect("no contradiction");
        (attacked.unmeasured, attacked.played[0].findings.len())
    };
    assert_eq!(blind(6, 41), (1, 0));
    assert_eq!(blind(7, 41), (1, 1));
}

#[test]
fn what_one_contributor_has_below_several_totals_is_protected_together() {
    let dimensions = vec![dimension("a", &[("T", &["P", "Q"]), ("P", &["x", "y"]), ("Q", &["z", "w"])])];
    let rows = [("x", 10), ("y", 38), ("P", 48), ("z", 12), ("w", 41), ("Q", 53), ("T", 101)];
    let mut counts = table(&dimensions, &[0], &rows);
    let facts = [(1, Some(0)), (7, None), (8, None), (1, Some(0)), (9, None), (10, None), (16, None)];
    for (row, (contributors, owner)) in counts.rows.iter_mut().zip(facts) {
        (row.contributors, row.owner) = (Some(contributors), owner);
    }
    // P and Q hidden with x and z: each varies, but x + z = T − y − w is all that this contributor has.
    let tables = [publish(counts.clone(), &[true, false, true, true, false, true, false])];
    let reader = &found(&Audience::readers(&dimensions, &tables, 5))[0];
    assert_eq!(reader.1, [(6, true, Violation::Computable)]);
    let mut tables = [counts];
    for row in [2, 5] {
        tables[0].rows[row].frozen = Frozen::Hidden;
    }
    let two = [Criterion::Contributors { least: 2 }];
    let decision = decide(&Request { width: 5, ..request(&dimensions, &tables, &two) });
    let hidden = hidden(&decision, 0);
    assert!(hidden.len() > 4 && decision.shares == 1, "y, w or T is hidden too: {hidden:?}");
    let mut public = [publish(tables[0].clone(), &(0..7).map(|row| hidden.contains(&row)).collect::<Vec<_>>())];
    public[0].says_primary = true;
    for row in [0, 3] {
        public[0].rows[row].primary = true;
    }
    let found = found(&Audience::readers(&dimensions, &public, 5));
    assert!(found.iter().all(|(_, findings)| findings.is_empty()), "{found:?} {hidden:?}");
}
