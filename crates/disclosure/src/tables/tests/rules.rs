//! What each rule asks, on both sides of its limit.

use super::*;

fn facts(value: i64) -> Facts {
    Facts { value, one: 1, ..Facts::default() }
}

fn asks(criterion: &Criterion, facts: &Facts) -> bool {
    criterion.asks(facts, Zeros::Publish).expect("all that it needs").is_some()
}

#[test]
fn a_threshold_shows_the_figure_it_names() {
    let five = Criterion::Threshold { least: 5 };
    for (value, hidden) in [(0, false), (1, true), (4, true), (5, false)] {
        assert_eq!(asks(&five, &facts(value)), hidden, "{value}");
    }
    assert!(five.asks(&facts(0), Zeros::Protect).expect("a count").is_some(), "a protected zero");
    let amount = |contributors| Facts { value: 900, contributors, one: 100, ..Facts::default() };
    assert_eq!(five.asks(&amount(None), Zeros::Publish), Err(criterion::Lacking("contributors")));
    assert!(asks(&five, &amount(Some(4))) && !asks(&five, &amount(Some(5))));
    // Somebody is there and adds up to nothing: not an empty cell.
    assert!(asks(&five, &Facts { contributors: Some(2), ..facts(0) }));
}

#[test]
fn few_contributors_must_be_told() {
    let three = Criterion::Contributors { least: 3 };
    let of = |contributors| Facts { contributors, ..facts(50) };
    assert!(asks(&three, &of(Some(2))) && !asks(&three, &of(Some(3))));
    assert_eq!(three.asks(&of(None), Zeros::Publish), Err(criterion::Lacking("contributors")));
}

#[test]
fn dominance_is_strict_or_not_as_it_says() {
    let share = |strictness, largest| Criterion::Dominance { largest, share: Percent::new(85), strictness };
    let of = |top1, top2| Facts { top1: Some(top1), top2: Some(top2), ..facts(100) };
    for (top1, beyond, from) in [(84, false, false), (85, false, true), (86, true, true)] {
        assert_eq!(asks(&share(Strictness::Beyond, 1), &of(top1, 0)), beyond, "{top1}");
        assert_eq!(asks(&share(Strictness::From, 1), &of(top1, 0)), from, "{top1}");
    }
    assert!(!asks(&share(Strictness::Beyond, 2), &of(50, 35)) && asks(&share(Strictness::Beyond, 2), &of(50, 36)));
    // 90 of 100: from 105.88… on, 90 is no more than 85 %.
    let need = share(Strictness::Beyond, 1).asks(&of(90, 5), Zeros::Publish).expect("told").expect("dominated");
    assert_eq!((need.above, need.below), (6, 6));
    // Alone, nothing needs to be told.
    let alone = Facts { contributors: Some(1), ..facts(100) };
    assert!(asks(&share(Strictness::Beyond, 2), &alone));
    assert_eq!(share(Strictness::Beyond, 1).asks(&facts(100), Zeros::Publish), Err(criterion::Lacking("top1")));
    assert!(!asks(&share(Strictness::From, 1), &facts(0)), "nobody dominates nothing");
}

#[test]
fn what_a_rule_asks_below_ends_where_the_bounds_of_the_parts_do() {
    // One contributor has 57 of the 60 in x: twelve more, and twelve less, which the bound of x/a does not allow.
    let dimensions = vec![dimension("k", &[("Total", &["x", "y", "z"]), ("x", &["a", "b"])])];
    let figures = [("Total", 260), ("x", 60), ("a", 58), ("b", 2), ("y", 100), ("z", 100)];
    let mut amounts = table(&dimensions, &[0], &figures);
    for (row, top1) in amounts.rows.iter_mut().zip([60, 57, 29, 1, 50, 50]) {
        (row.contributors, row.top1, row.top2) = (Some(9), Some(top1), Some(1));
    }
    amounts.rows[2].low = Some(58);
    let tables = [amounts];
    let dominance = [Criterion::Dominance { largest: 1, share: Percent::new(85), strictness: Strictness::Beyond }];
    let ask = Request { width: 5, ..request(&dimensions, &tables, &dominance) };
    let hidden = hidden(&decide(&ask), 0);
    assert!(hidden.contains(&1) && !hidden.contains(&0), "{hidden:?}");
}

#[test]
fn precision_is_measured_from_the_second_contributor() {
    let fifteen = Criterion::Precision { p: Percent::new(15) };
    let of = |value| Facts { top1: Some(100), top2: Some(50), ..facts(value) };
    // The rest, as seen by the second: 14, 15.
    assert!(asks(&fifteen, &of(164)) && !asks(&fifteen, &of(165)));
    let need = fifteen.asks(&of(154), Zeros::Publish).expect("told").expect("precise");
    assert_eq!((need.above, need.below), (11, 11));
    assert!(
        asks(&Criterion::Precision { p: Percent::thousandths(14_001) }, &of(164)),
        "14.001 % of 100 is more than 14"
    );
}

#[test]
fn amounts_are_protected_to_the_unit_that_the_rule_asks_for() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])])];
    let mut amounts = table(&dimensions, &[0], &[("A", 10_050), ("B", 20_000), ("C", 900), ("Total", 30_950)]);
    let known = [(3, 9_000, 500), (9, 4_000, 3_000), (7, 300, 200), (19, 9_000, 4_000)];
    for (row, (contributors, top1, top2)) in amounts.rows.iter_mut().zip(known) {
        (row.contributors, row.top1, row.top2) = (Some(contributors), Some(top1), Some(top2));
    }
    let tables = [amounts];
    // 9 000 of 10 050 is 89.6 %: 538.23… more would make it 85 %.
    let share = Criterion::Dominance { largest: 1, share: Percent::new(85), strictness: Strictness::Beyond };
    let rules = [share];
    let ask = Request { one: 100, width: 100, ..request(&dimensions, &tables, &rules) };
    // C, the cheapest, can take 900 off and give 900 to A: enough for 539 above and, from C's range without end, below.
    assert_eq!(hidden(&decide(&ask), 0), [0, 2]);
    let strict = [Criterion::Precision { p: Percent::new(50) }];
    // 4 500 − 550: 3 950 above A, more than C has.
    assert_eq!(hidden(&decide(&Request { criteria: &strict, ..ask }), 0), [0, 1]);
}

#[test]
fn one_category_that_takes_all_is_hidden_and_zeros_with_it() {
    let dimensions = vec![dimension("motif", &[("Total", &["x", "y", "z"])])];
    let tables = [table(&dimensions, &[0], &[("x", 7), ("y", 0), ("z", 0), ("Total", 7)])];
    let rule = [Criterion::OneCategory { dimension: "motif".to_owned() }];
    let decision = decide(&request(&dimensions, &tables, &rule));
    let hidden = hidden(&decision, 0);
    assert!(hidden.contains(&0) && hidden.len() == 2 && !hidden.contains(&3), "{hidden:?}");
    assert_eq!(self::hidden(&decide(&request(&dimensions, &tables, FIVE)), 0), []);
    let unknown = [Criterion::OneCategory { dimension: "reason".to_owned() }];
    assert!(matches!(Assembled::of(&request(&dimensions, &tables, &unknown)).err(), Some(Misfit::Dimension(_))));
}

#[test]
fn a_small_difference_that_nobody_publishes_is_protected() {
    let dimensions = vec![dimension("k", &[("Total", &["A", "B", "C"])])];
    let tables = [table(&dimensions, &[0], &[("A", 97), ("B", 2), ("C", 1), ("Total", 100)])];
    // B and C are each uncertain, but Total − A is 3.
    assert_eq!(hidden(&decide(&request(&dimensions, &tables, FIVE)), 0), [1, 2]);
    let rules = [FIVE[0].clone(), Criterion::Difference { least: 5 }];
    let decision = decide(&request(&dimensions, &tables, &rules));
    assert_eq!(hidden(&decision, 0), [0, 1, 2]);
    assert_eq!((decision.primary, decision.secondary), (2, 1));
    // Four is still too few.
    let tables = [table(&dimensions, &[0], &[("A", 97), ("B", 2), ("C", 2), ("Total", 101)])];
    assert_eq!(hidden(&decide(&request(&dimensions, &tables, &rules)), 0), [0, 1, 2]);
    // From five on, nothing is asked.
    let tables = [table(&dimensions, &[0], &[("A", 97), ("B", 2), ("C", 3), ("Total", 102)])];
    assert_eq!(hidden(&decide(&request(&dimensions, &tables, &rules)), 0), [1, 2]);
}

#[test]
fn every_rule_of_the_catalogue_says_whose_it_is_and_where_it_is_written() {
    for entry in catalogue::catalogue() {
        assert!(!entry.says.is_empty() && !entry.producer.is_empty() && entry.source.len() > 20, "{}", entry.name);
        assert_eq!(catalogue::find(entry.name).as_ref(), Some(&entry), "names are unique");
    }
    let threshold = |name| match catalogue::find(name).expect("known").treatment {
        catalogue::Treatment::Here { criteria, .. } => criteria,
        catalogue::Treatment::AtSource { .. } => Vec::new(),
    };
    for (name, last_hidden) in [("ccas-ordinaire", 4), ("ccas-sensible", 10), ("departement-rsa", 4), ("drees-es", 10)]
    {
        let rule = &threshold(name)[0];
        assert!(asks(rule, &facts(last_hidden)) && !asks(rule, &facts(last_hidden + 1)), "{name}");
    }
    for (name, last_hidden) in [("insee-fiscal", 10), ("insee-entreprises", 2), ("communes", 2), ("cnam-ns", 4)] {
        let rule = &threshold(name)[0];
        let of = |contributors| Facts { contributors: Some(contributors), ..facts(1000) };
        assert!(asks(rule, &of(last_hidden)) && !asks(rule, &of(last_hidden + 1)), "{name}");
    }
}

/// What the catalogue does for a producer: rules, zeros, least width.
fn treated(name: &str) -> (Vec<Criterion>, Zeros, u32) {
    match catalogue::find(name).expect("known").treatment {
        catalogue::Treatment::Here { criteria, zeros, width } => (criteria, zeros, width),
        catalogue::Treatment::AtSource { .. } => panic!("{name} is protected at its source"),
    }
}

#[test]
fn eighty_five_percent_are_too_many_among_communes_and_not_among_enterprises() {
    for (name, hides_the_limit) in [("insee-entreprises", false), ("communes", true)] {
        let (criteria, ..) = treated(name);
        assert_eq!(criteria.len(), 2, "{name}");
        let of = |top1| Facts { contributors: Some(9), top1: Some(top1), top2: Some(1), ..facts(1000) };
        for (top1, hides) in [(849, false), (850, hides_the_limit), (851, true)] {
            assert_eq!(criteria.iter().any(|criterion| asks(criterion, &of(top1))), hides, "{name}: {top1}");
        }
    }
}

#[test]
fn figures_of_a_ccas_stay_as_uncertain_as_the_threshold_is_high_and_zeros_are_shown() {
    for (name, least) in [("ccas-ordinaire", 5), ("ccas-sensible", 11), ("departement-rsa", 5), ("drees-es", 11)] {
        let (_, zeros, width) = treated(name);
        assert_eq!((zeros, width), (Zeros::Publish, least), "{name}");
    }
}

#[test]
fn a_figure_rounded_to_five_may_have_been_rounded_down_or_to_the_nearest() {
    // 7 is published as 5, and so is 9 if it is rounded down, and 3 if it is not.
    let treatment = catalogue::find("cnaf-arrondi").expect("known").treatment;
    assert_eq!(treatment, catalogue::Treatment::AtSource { below: 2, above: 4 });
}

#[test]
fn one_category_asks_nothing_of_nobody_and_of_two_that_share() {
    let dimensions = vec![dimension("motif", &[("Total", &["x", "y", "z"])])];
    let rule = [Criterion::OneCategory { dimension: "motif".to_owned() }];
    for (figures, asked) in [([0, 0, 0], 0), ([7, 0, 0], 1), ([6, 1, 0], 0)] {
        let [x, y, z] = figures;
        let tables = [table(&dimensions, &[0], &[("x", x), ("y", y), ("z", z), ("Total", x + y + z)])];
        let assembled = Assembled::of(&request(&dimensions, &tables, &rule)).expect("fits");
        assert_eq!(assembled.primaries(), asked, "{figures:?}");
    }
}

#[test]
fn all_rules_hold_at_once_and_the_stricter_wins() {
    let both = Need { below: 2, above: 0, width: 5 }.and(Need { below: 1, above: 3, width: 4 });
    assert_eq!(both, Need { below: 2, above: 3, width: 5 });
    // No rule can ask the engine for less than nothing, or for more than it counts to.
    let units = Need { below: -1, above: i64::MAX, width: 7 }.units();
    assert_eq!((units.below, units.above, units.width), (0, u32::MAX, 7));
}
