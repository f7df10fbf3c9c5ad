//! The intruder against one who tries every table, and against another solver.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Asked, Contradiction, End, Extremes, InvalidView, Reached, Seen, Verdict, View, reach};
use crate::fixture::every::{self, Answer};
use crate::system::{Grid, Relation};

mod program;
mod worlds;

use worlds::World;

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

fn shown(figure: i64) -> Seen {
    Seen::Shown(figure)
}

/// `first = Σ others`.
fn sum(first: usize, others: impl IntoIterator<Item = usize>) -> Relation {
    Relation { terms: std::iter::once((first, 1)).chain(others.into_iter().map(|cell| (cell, -1))).collect() }
}

fn proven(low: i64, high: i64) -> super::Interval {
    super::Interval { low: End::Proven(low), high: End::Proven(high) }
}

/// Whether witnesses agree with the view and attain what they are said to attain.
fn sound(view: &View, reached: &Reached) -> Result<(), TestCaseError> {
    let extremes = reached.witnesses().check(view);
    prop_assert!(extremes.is_ok(), "a witness does not agree");
    let extremes = extremes.expect("looked at just now");
    for &(cell, interval) in reached.intervals() {
        let ends = (interval.low.attained(), interval.high.attained());
        if let Some(Extremes { least, most }) = &extremes {
            prop_assert!(ends.0.is_none_or(|low| least[cell] <= low), "cell {}", cell);
            prop_assert!(ends.1.is_none_or(|high| most[cell] >= high), "cell {}", cell);
        } else {
            prop_assert_eq!(ends, (None, None));
        }
    }
    Ok(())
}

#[test]
fn every_interval_is_what_trying_all_tables_finds() {
    let (mut ends, mut endless, mut worlds, mut unsettled) = (0, 0, 0, 0);
    let seen = std::cell::RefCell::new((&mut ends, &mut endless, &mut worlds, &mut unsettled));
    runner(1_000)
        .run(&worlds::strategy(), |world| {
            let view = world.view();
            let reached = reach(&view, &Asked::intervals()).expect("the true table agrees");
            sound(&view, &reached)?;
            let helped = reach(&view, &Asked::intervals().from_table(world.figures.clone())).expect("as above");
            sound(&view, &helped)?;
            let mut every = world.every(&view);
            let mut seen = seen.borrow_mut();
            *seen.2 += 1;
            for &(cell, interval) in reached.intervals() {
                let Some(all) = every.reach(cell) else { continue };
                prop_assert!(
                    interval.low.bound().is_none_or(|bound| bound <= all.low),
                    "cell {}: {:?}",
                    cell,
                    interval
                );
                let above = interval.high.bound();
                prop_assert!(above.is_none_or(|bound| bound >= all.high), "cell {}: {:?}", cell, interval);
                if all.endless() {
                    prop_assert_eq!(interval.high, End::Endless, "cell {}", cell);
                    *seen.1 += 1;
                }
                if let Some((low, high)) = all.ends() {
                    for found in [interval, helped.interval(cell).expect("asked")] {
                        for (end, extreme) in [(found.low, low), (found.high, high)] {
                            prop_assert!(!end.settled() || end == End::Proven(extreme), "cell {}: {:?}", cell, found);
                            *(if end.settled() { &mut *seen.0 } else { &mut *seen.3 }) += 1;
                        }
                    }
                }
            }
            Ok(())
        })
        .expect("the same intervals");
    let counts = format!("{ends} ends, {unsettled} unsettled, {endless} endless, {worlds} worlds");
    assert!(ends > 10_000 && unsettled * 1_000 < ends && endless > 100 && worlds > 500, "{counts}");
    println!("{counts}");
}

#[test]
fn every_verdict_on_a_width_is_what_trying_all_tables_finds() {
    let mut counts = (0, 0);
    let seen = std::cell::RefCell::new(&mut counts);
    runner(500)
        .run(&(worlds::strategy(), 1_u32..8), |(world, width)| {
            let view = world.view();
            let reached = reach(&view, &Asked::width(width)).expect("the true table agrees");
            sound(&view, &reached)?;
            let mut every = world.every(&view);
            for &(cell, interval) in reached.intervals() {
                let Some(all) = every.reach(cell) else { continue };
                let mut seen = seen.borrow_mut();
                let wide = all.high - all.low >= i64::from(width);
                match interval.varies(width) {
                    Verdict::Wide => {
                        prop_assert!(wide || all.proven != (true, true), "cell {}: {:?}", cell, interval);
                        seen.0 += 1;
                    }
                    Verdict::Narrow => {
                        prop_assert!(!wide, "cell {}: {:?}", cell, interval);
                        seen.1 += 1;
                    }
                    Verdict::Undecided => prop_assert!(false, "cell {} undecided: {:?}", cell, interval),
                }
            }
            Ok(())
        })
        .expect("the same verdicts");
    assert!(counts.0 > 700 && counts.1 > 1_000, "{counts:?}");
}

#[test]
fn who_knows_some_hidden_figures_sees_the_others_so_much_closer() {
    let mut closer = 0;
    let seen = std::cell::RefCell::new(&mut closer);
    runner(300)
        .run(&(worlds::strategy(), any::<prop::sample::Index>(), any::<prop::sample::Index>()), |(world, one, two)| {
            let view = world.view();
            let hidden = world.hidden();
            if hidden.len() < 3 {
                return Ok(());
            }
            let known = [hidden[one.index(hidden.len())], hidden[two.index(hidden.len())]];
            let knower = view.known(known.map(|cell| (cell, world.figures[cell]))).expect("true figures");
            let outside = reach(&view, &Asked::intervals()).expect("the true table agrees");
            let inside = reach(&knower, &Asked::intervals()).expect("the true table agrees");
            sound(&knower, &inside)?;
            prop_assert!(inside.interval(known[0]).is_none() && inside.interval(known[1]).is_none());
            if inside.intervals().iter().any(|&(cell, interval)| outside.interval(cell) != Some(interval)) {
                **seen.borrow_mut() += 1;
            }
            let mut every = world.every(&knower);
            for &(cell, interval) in inside.intervals() {
                if let Some((low, high)) = every.reach(cell).and_then(every::Reached::ends) {
                    prop_assert_eq!(interval, proven(low, high), "cell {}", cell);
                }
            }
            Ok(())
        })
        .expect("the same intervals");
    assert!(closer > 100, "{closer}");
}

#[test]
fn what_no_table_satisfies_is_refused_with_relations_that_suffice() {
    let mut counts = (0, 0);
    let seen = std::cell::RefCell::new(&mut counts);
    runner(600)
        .run(&(worlds::strategy(), any::<prop::sample::Index>(), -9_i64..9), |(mut world, one, by)| {
            let visible: Vec<usize> = (0..world.figures.len()).filter(|&cell| !world.hides[cell]).collect();
            if visible.is_empty() || by == 0 {
                return Ok(());
            }
            let changed = visible[one.index(visible.len())];
            world.figures[changed] = (world.figures[changed] + by).max(world.low[changed]);
            if let Some(high) = world.high[changed] {
                world.figures[changed] = world.figures[changed].min(high);
            }
            let view = world.view();
            match (reach(&view, &Asked::intervals()), world.every(&view).any()) {
                (Err(Contradiction { relations }), every) => {
                    prop_assert_ne!(every, Answer::Found);
                    let some: Vec<Relation> = relations.iter().map(|&at| world.relations[at].clone()).collect();
                    let again = View::new(view.cells().to_vec(), &some).expect("as above");
                    prop_assert!(reach(&again, &Asked::intervals()).is_err(), "{:?} do not suffice", relations);
                    seen.borrow_mut().0 += 1;
                }
                (Ok(reached), every) => {
                    sound(&view, &reached)?;
                    prop_assert_ne!(every, Answer::Nothing, "no table, and nobody noticed");
                    seen.borrow_mut().1 += u32::from(every == Answer::Found);
                }
            }
            Ok(())
        })
        .expect("the same contradictions");
    assert!(counts.0 > 200 && counts.1 > 15, "{counts:?}");
}

#[test]
fn another_solver_finds_no_tighter_and_no_wider_relaxation() {
    let (mut ends, mut unsettled) = (0, 0);
    for seed in 0..12 {
        let world = World::middle(seed);
        let view = world.view();
        let reached = reach(&view, &Asked::intervals()).expect("the true table agrees");
        sound(&view, &reached).expect("witnesses");
        for (position, &(cell, interval)) in reached.intervals().iter().enumerate() {
            if position % 23 != 0 {
                continue;
            }
            for (end, up) in [(interval.low, false), (interval.high, true)] {
                let sign = if up { 1.0 } else { -1.0 };
                let Some(relaxed) = program::extreme(&world, cell, up) else {
                    assert_eq!(end, End::Endless, "cell {cell} of {seed}");
                    continue;
                };
                ends += 1;
                unsettled += i32::from(!end.settled());
                // Whole tables are points of the relaxation; our bound may be tighter, because it knows they are whole.
                let figure = |at: i64| f64::from(i32::try_from(at).expect("small figures"));
                let bound = end.bound().expect("bounded there, so bounded here");
                assert!((figure(bound) - relaxed) * sign <= 1e-6, "cell {cell} of {seed}: {end:?}, {relaxed}");
                let attained = end.attained().expect("the true table agrees");
                assert!((figure(attained) - relaxed) * sign > -6.0, "cell {cell} of {seed}: {end:?}, {relaxed}");
            }
        }
    }
    assert!(ends > 300 && unsettled * 50 < ends, "{ends} ends, {unsettled} unsettled");
}

#[test]
fn two_publications_that_are_safe_one_by_one_give_a_cell_away_together() {
    // A = 40, B = 7, C = 53 and T = 100: a first run hides A and B, a second one B and C.
    let [total, a, b, c] = [0, 1, 2, 3];
    let relation = sum(total, [a, b, c]);
    let first = vec![shown(100), Seen::COUNT, Seen::COUNT, shown(53)];
    let second = vec![shown(100), shown(40), Seen::COUNT, Seen::COUNT];
    for one in [&first, &second] {
        let view = View::new(one.clone(), std::slice::from_ref(&relation)).expect("a view");
        assert_eq!(reach(&view, &Asked::width(5)).expect("a table").varying(5, Verdict::Wide).len(), 2);
    }
    // Together: old and new version of a cell are two cells. Unchanged ones are said to be equal, or they are not.
    let both = || first.iter().chain(&second).copied().collect::<Vec<Seen>>();
    let own = [sum(total, [a, b, c]), sum(4 + total, [4 + a, 4 + b, 4 + c])];
    let without = reach(&View::new(both(), &own).expect("a view"), &Asked::width(5)).expect("tables");
    assert_eq!(without.varying(5, Verdict::Wide), [a, b, 4 + b, 4 + c]);
    let unchanged = (0..4).map(|cell| Relation { terms: vec![(cell, 1), (4 + cell, -1)] });
    let relations: Vec<Relation> = own.iter().cloned().chain(unchanged).collect();
    let with = reach(&View::new(both(), &relations).expect("a view"), &Asked::intervals()).expect("tables");
    assert_eq!(with.interval(b), Some(proven(7, 7)));
    assert_eq!(with.varying(1, Verdict::Narrow), [a, b, 4 + b, 4 + c]);
}

#[test]
fn hidden_cells_of_several_territories_are_tied_by_a_relation_like_any_other() {
    // Two communes, each with men and women hidden under a shown total; the département shows all women.
    let view = View::new(
        vec![shown(10), Seen::COUNT, Seen::COUNT, shown(6), Seen::COUNT, Seen::COUNT, shown(15)],
        &[sum(0, [1, 2]), sum(3, [4, 5]), sum(6, [2, 5])],
    )
    .expect("a view");
    let outside = reach(&view, &Asked::intervals()).expect("a table");
    assert_eq!(outside.intervals(), [(1, proven(0, 1)), (2, proven(9, 10)), (4, proven(0, 1)), (5, proven(5, 6))]);
    // The first commune knows its own: nothing of the second one is left open.
    let member = reach(&view.known([(1, 1), (2, 9)]).expect("possible"), &Asked::intervals()).expect("a table");
    assert_eq!(member.intervals(), [(4, proven(0, 0)), (5, proven(6, 6))]);
}

#[test]
fn an_inequality_is_an_equation_with_one_more_hidden_cell() {
    // Numerator ≤ denominator, both hidden; denominator + others = 12, others ≥ 5.
    let view = View::new(
        vec![Seen::COUNT, Seen::COUNT, Seen::COUNT, Seen::Hidden { low: 5, high: None }, shown(12)],
        &[sum(1, [0, 2]), sum(4, [1, 3])],
    )
    .expect("a view");
    assert_eq!(reach(&view, &Asked::intervals()).expect("a table").interval(0), Some(proven(0, 7)));
}

#[test]
fn nothing_above_means_endless_and_wide() {
    let view = View::new(vec![Seen::COUNT, Seen::COUNT, Seen::COUNT], &[sum(0, [1, 2])]).expect("a view");
    let reached = reach(&view, &Asked::intervals()).expect("a table");
    let whole = super::Interval { low: End::Proven(0), high: End::Endless };
    assert!(reached.intervals().iter().all(|&(_, interval)| interval == whole), "{reached:?}");
    assert_eq!(reach(&view, &Asked::width(5)).expect("a table").varying(5, Verdict::Wide), [0, 1, 2]);
}

#[test]
fn whole_tables_are_narrower_than_the_relaxation() {
    // 2x + 2y + 3z = 7, z ≤ 3: only z = 1 is whole.
    let view = View::new(
        vec![Seen::COUNT, Seen::COUNT, Seen::Hidden { low: 0, high: Some(3) }, shown(7)],
        &[Relation { terms: vec![(0, 2), (1, 2), (2, 3), (3, -1)] }],
    )
    .expect("a view");
    let reached = reach(&view, &Asked::intervals()).expect("a table");
    assert_eq!(reached.intervals(), [(0, proven(0, 2)), (1, proven(0, 2)), (2, proven(1, 1))]);
    // And where only fractions satisfy everything, no table does.
    let broken =
        View::new(vec![Seen::COUNT, Seen::COUNT, shown(7)], &[Relation { terms: vec![(0, 2), (1, 2), (2, -1)] }]);
    let refused = reach(&broken.expect("a view"), &Asked::intervals()).expect_err("no whole table");
    assert_eq!(refused.relations, [0]);
}

#[test]
fn a_contradiction_names_the_relations_and_no_figure() {
    let view = View::new(
        vec![shown(987), Seen::COUNT, shown(654), shown(320), Seen::COUNT, Seen::COUNT],
        &[sum(3, [4, 5]), sum(0, [1, 2]), sum(2, [1, 3])],
    )
    .expect("a view");
    let refused = reach(&view, &Asked::intervals()).expect_err("no table");
    assert_eq!(refused.relations, [1, 2]);
    assert!(["987", "654", "321", "333"].iter().all(|figure| !refused.to_string().contains(figure)), "{refused}");
}

#[test]
fn without_work_everything_said_is_still_true() {
    let world = World::middle(3);
    let view = world.view();
    let full = reach(&view, &Asked::intervals()).expect("a table");
    let mut settled = Vec::new();
    for work in [0, 5_000, 20_000, 2_000_000] {
        let some = reach(&view, &Asked::intervals().within(work)).expect("a table");
        sound(&view, &some).expect("witnesses");
        for (&(cell, all), &(_, some)) in full.intervals().iter().zip(some.intervals()) {
            assert!(
                some.low.bound() <= all.low.bound() && some.low.attained() >= all.low.attained()
                    || some.low.attained().is_none()
            );
            assert!(!some.low.settled() || some.low == all.low, "cell {cell}");
            assert!(!some.high.settled() || some.high == all.high, "cell {cell}");
        }
        settled.push(
            some.intervals().iter().filter(|(_, interval)| interval.low.settled() && interval.high.settled()).count(),
        );
    }
    assert!(settled[0] < settled[3] && settled.is_sorted(), "{settled:?}");
}

#[test]
fn the_same_question_has_the_same_answer() {
    let view = World::middle(5).view();
    let answers = [0, 1].map(|_| reach(&view, &Asked::intervals()).expect("a table"));
    assert_eq!(answers[0].intervals(), answers[1].intervals());
    assert_eq!(answers[0].account(), answers[1].account());
}

#[test]
fn a_view_is_refused_by_index() {
    let hidden = |low, high| Seen::Hidden { low, high };
    let fault = |cells: Vec<Seen>, terms: &[(usize, i64)]| {
        View::new(cells, &[Relation { terms: terms.to_vec() }]).expect_err("a faulty view")
    };
    assert_eq!(fault(vec![hidden(3, Some(2))], &[]), InvalidView::Empty(0));
    assert_eq!(fault(vec![shown(1)], &[(1, 1)]), InvalidView::Malformed(0));
    assert_eq!(fault(vec![shown(1)], &[(0, 1), (0, 1)]), InvalidView::Malformed(0));
    assert_eq!(fault(vec![shown(1)], &[(0, 0)]), InvalidView::Malformed(0));
    assert_eq!(fault(vec![shown(1)], &[(0, 1 << 20)]), InvalidView::LargeRelation(0));
    assert_eq!(fault(vec![shown(1), shown(i64::MIN)], &[]), InvalidView::LargeCell(1));
    let view = View::new(vec![shown(1), hidden(0, Some(2))], &[]).expect("a view");
    for known in [(0, 2), (1, 3), (1, -1), (2, 0)] {
        assert_eq!(view.known([known]).expect_err("impossible"), InvalidView::Known(known.0));
    }
}
