//! Random small tables, tried by exhaustion: whatever leaves the commune keeps every need, over all files of people
//! that agree with what is visible.

use std::cell::Cell as Counter;
use std::collections::BTreeSet;

use model::Figure;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::attack::{admit, bounds};
use crate::fixture::brute::{Brute, Mask};
use crate::fixture::{Record, attributes, code, measure, sent, show, slice, tabulate};
use crate::{Ledger, MeasureScheme, Need, Protection, Received, Rule, TableScheme, Zeros, need, protect};

/// A table about people who differ on two dimensions and one condition.
#[derive(Clone)]
struct Case {
    codes: (usize, usize),
    crossed: bool,
    with_part: bool,
    with_list: bool,
    rule: Rule,
    /// People of each kind: by first code, second code, condition.
    people: Vec<u32>,
    /// Which cells a careless commune hides, by position.
    hidden: Vec<bool>,
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { codes, crossed, with_part, with_list, rule, people, hidden } = self;
        let hidden: String = hidden.iter().map(|&h| if h { 'x' } else { '.' }).collect();
        write!(f, "{codes:?} crossed {crossed} part {with_part} list {with_list} {rule:?} {people:?} {hidden}")
    }
}

fn cases() -> impl Strategy<Value = Case> {
    let people = prop_oneof![3 => 0_u32..4, 2 => 0_u32..9];
    let rule = (2_u32..6, 1_i64..6, any::<bool>()).prop_map(|(threshold, width, protect)| Rule {
        threshold,
        zeros: if protect { Zeros::Protect } else { Zeros::Publish },
        width,
    });
    (
        (2_usize..5, 1_usize..4),
        any::<(bool, bool, bool)>(),
        rule,
        prop::collection::vec(people, 24),
        prop::collection::vec(any::<bool>(), 64),
    )
        .prop_map(|(codes, (crossed, with_part, with_list), rule, people, hidden)| Case {
            codes,
            crossed,
            with_part,
            with_list,
            rule,
            people,
            hidden,
        })
}

impl Case {
    fn scheme(&self) -> TableScheme {
        let list = |prefix: &str, n: usize| (0..n).map(|i| code(&format!("{prefix}{i}"))).collect();
        let dimensions = [(code("d"), list("d", self.codes.0)), (code("e"), list("e", self.codes.1))].into();
        let breakdowns: &[&[&str]] = if self.crossed { &[&["d", "e"]] } else { &[&["d"], &["e"]] };
        let all = measure("all", breakdowns, self.rule);
        let mut measures = vec![all.clone()];
        if self.with_part {
            let mut part = MeasureScheme { indicator: code("part"), ..all.clone() };
            part.restriction.conditions.insert("c".to_owned());
            measures.push(part);
        }
        if self.with_list {
            let mut some = MeasureScheme { indicator: code("list"), ..all };
            some.breakdowns = [[code("e")].into()].into();
            some.restriction.codes.insert(code("d"), [code("d0"), code("d1")].into());
            measures.push(some);
        }
        TableScheme::new(dimensions, measures).expect("a valid scheme")
    }

    fn kinds(&self) -> Vec<Record> {
        let mut kinds = Vec::new();
        for d in 0..self.codes.0 {
            for e in 0..self.codes.1 {
                for c in 0..=usize::from(self.with_part) {
                    kinds.push(Record {
                        codes: [(code("d"), code(&format!("d{d}"))), (code("e"), code(&format!("e{e}")))].into(),
                        conditions: (c == 1).then(|| "c".to_owned()).into_iter().collect(),
                        ..Record::default()
                    });
                }
            }
        }
        kinds
    }

    fn records(&self) -> Vec<Record> {
        let kinds = self.kinds().into_iter().zip(&self.people);
        kinds.flat_map(|(kind, &n)| std::iter::repeat_n(kind, n as usize)).collect()
    }

    /// A pattern without plan: visible figures below the threshold excepted.
    fn careless(&self) -> Received {
        let scheme = self.scheme();
        let whole = show(&tabulate(&scheme, &self.records()), &[]);
        let need = self.need();
        let mut received = whole;
        for (published, &hide) in received.cells.values_mut().zip(self.hidden.iter().cycle()) {
            let small = published
                .figure
                .observed()
                .is_some_and(|value| need.is_some_and(|need| need.meets(value.into(), Some(value.into()))));
            if hide || small {
                published.figure = Figure::Suppressed;
            }
        }
        received
    }

    fn need(&self) -> Option<Need> {
        need(&self.rule, &crate::Quantity::Rows, model::Decimals::NONE)
    }

    /// Everything that must stay uncertain: hidden cells, and what the part leaves of the whole.
    fn secrets(&self, brute: &Brute, shown: &Received) -> Vec<(Mask, i64)> {
        let Some(need) = self.need() else { return Vec::new() };
        let mut masks: BTreeSet<Mask> = BTreeSet::new();
        for ((indicator, key), published) in &shown.cells {
            let mask = &brute.masks[&(indicator.clone(), key.clone())];
            if matches!(published.figure, Figure::Suppressed | Figure::Missing(_)) {
                masks.insert(mask.clone());
            }
            if matches!(indicator.as_str(), "part" | "list") {
                let whole = &brute.masks[&(code("all"), key.clone())];
                masks.insert(whole.iter().zip(mask).map(|(&whole, &part)| whole && !part).collect());
            }
        }
        // A difference that no kind of people can be in is nobody's.
        masks.retain(|mask| mask.contains(&true));
        masks.into_iter().map(|mask| (mask, need.width)).collect()
    }
}

/// Over all files that agree with `versions`, every secret that may be small varies enough. `false`: too many files.
fn keeps(case: &Case, versions: &[&Received], secrets: &[(Mask, i64)]) -> Result<bool, TestCaseError> {
    let scheme = case.scheme();
    let brute = Brute::new(&scheme, &case.kinds());
    let found = brute.ranges(versions, secrets, 16);
    let need = case.need().expect("asked only with a need");
    let mut open = false;
    for (range, (mask, width)) in found.ranges.iter().zip(secrets) {
        let Some((low, high)) = *range else {
            prop_assert!(!found.exhausted, "nothing agrees with the truth");
            open = true;
            continue;
        };
        let narrow = high - low < *width;
        if found.exhausted {
            let harmless = !need.meets(low.into(), Some(high.into()));
            prop_assert!(!narrow || harmless, "{mask:?} lies between {low} and {high}");
        } else {
            open |= narrow;
        }
    }
    Ok(!open)
}

fn run(cases: u32, strategy: &impl Strategy<Value = Case>, test: impl Fn(&Case) -> Result<bool, TestCaseError>) {
    let (tried, decided) = (Counter::new(0_u32), Counter::new(0_u32));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(strategy, |case| {
        tried.set(tried.get() + 1);
        decided.set(decided.get() + u32::from(test(&case)?));
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(2 * decided.get() >= tried.get(), "exhaustion decided only {} of {}", decided.get(), tried.get());
}

#[test]
fn a_protected_table_keeps_every_need_over_all_files() {
    run(250, &cases(), |case| {
        let scheme = case.scheme();
        let table = tabulate(&scheme, &case.records());
        let protected = protect(&table, &scheme, slice(), attributes(), &Ledger::empty());
        let protected = protected.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let shown = sent(&protected.table);
        prop_assert!(admit(shown.clone(), &scheme, &Ledger::empty()).is_ok());
        let brute = Brute::new(&scheme, &case.kinds());
        let secrets = case.secrets(&brute, &shown);
        if secrets.is_empty() { Ok(true) } else { keeps(case, &[&shown], &secrets) }
    });
}

/// The commune holds totals by the first criterion only; of the second it knows nothing.
#[test]
fn a_table_of_which_a_criterion_was_not_collected_keeps_every_need_over_all_files() {
    let small = Counter::new(0_u32);
    run(250, &cases(), |case| {
        let scheme = case.scheme();
        let mut records = case.records();
        for record in &mut records {
            record.codes.insert(code("e"), code("e0"));
        }
        let unknown = scheme.measures().iter().flat_map(|measure| {
            let over = measure.breakdowns.iter().filter(|breakdown| breakdown.contains(&code("e")));
            over.map(|breakdown| (measure.indicator.clone(), breakdown.clone()))
        });
        let table = tabulate(&scheme, &records).without(unknown.collect());
        let protected = protect(&table, &scheme, slice(), attributes(), &Ledger::empty());
        let protected = protected.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let shown = sent(&protected.table);
        for ((indicator, key), published) in &shown.cells {
            // With one code only, its cell is the total, which is known.
            let unknown = case.codes.1 > 1 && key.iter().any(|(dimension, _)| *dimension == code("e"));
            let missing = matches!(published.figure, Figure::Missing(_));
            prop_assert!(missing == unknown || published.figure == Figure::NotApplicable, "{indicator} {key}");
            prop_assert!(!unknown || !protected.report.hidden.contains_key(&(indicator.clone(), key.clone())));
        }
        small.set(small.get() + u32::from(!protected.report.hidden.is_empty()));
        let again = protect(&table, &scheme, slice(), attributes(), &{
            let mut ledger = Ledger::empty();
            ledger.record(shown.clone());
            ledger
        });
        prop_assert_eq!(again.map(|again| again.table), Ok(protected.table));
        let brute = Brute::new(&scheme, &case.kinds());
        let secrets = case.secrets(&brute, &shown);
        if secrets.is_empty() { Ok(true) } else { keeps(case, &[&shown], &secrets) }
    });
    assert!(small.get() > 50, "only {} tables had anything to hide", small.get());
}

#[test]
fn whatever_the_hub_admits_keeps_every_need_over_all_files() {
    let admitted = Counter::new(0_u32);
    run(600, &cases(), |case| {
        let scheme = case.scheme();
        let shown = case.careless();
        if admit(shown.clone(), &scheme, &Ledger::empty()).is_err() {
            return Ok(true);
        }
        admitted.set(admitted.get() + 1);
        let brute = Brute::new(&scheme, &case.kinds());
        let secrets = case.secrets(&brute, &shown);
        if secrets.is_empty() { Ok(true) } else { keeps(case, &[&shown], &secrets) }
    });
    assert!(admitted.get() > 50, "only {} tables were admitted", admitted.get());
}

#[test]
fn bounds_hold_every_file_and_are_reached_where_exhaustion_ends() {
    let exact = Counter::new(0_u32);
    run(250, &cases(), |case| {
        let scheme = case.scheme();
        let shown = case.careless();
        let bounds = bounds(&scheme, &[&shown]).map_err(|error| TestCaseError::fail(error.to_string()))?;
        let brute = Brute::new(&scheme, &case.kinds());
        let names: Vec<_> = brute.masks.keys().cloned().collect();
        let asked: Vec<(Mask, i64)> = names.iter().map(|name| (brute.masks[name].clone(), i64::MAX)).collect();
        let found = brute.ranges(&[&shown], &asked, 40);
        for (name, range) in names.iter().zip(&found.ranges) {
            let Some((low, high)) = *range else { continue };
            let bound = bounds.cells[name];
            prop_assert!(bound.low <= low.into(), "{name:?}");
            prop_assert!(bound.high.is_none_or(|bound| bound >= high.into()), "{name:?}");
            if found.exhausted && bound.high.is_some_and(|high| high < 40) {
                prop_assert_eq!((bound.low, bound.high), (low.into(), Some(high.into())), "{:?}", name);
                exact.set(exact.get() + 1);
            }
        }
        Ok(true)
    });
    assert!(exact.get() > 100, "only {} intervals were compared", exact.get());
}

#[test]
fn several_pushes_of_the_same_data_keep_every_need_together() {
    let blocked = Counter::new(0_u32);
    run(200, &(cases(), 2_u32..7).prop_map(|(case, _)| case), |case| {
        let scheme = case.scheme();
        let table = tabulate(&scheme, &case.records());
        let first = case.careless();
        if admit(first.clone(), &scheme, &Ledger::empty()).is_err() {
            return Ok(true);
        }
        let mut ledger = Ledger::empty();
        ledger.record(first.clone());
        // Whether the hub would take another careless pattern after the first.
        let mut other = case.clone();
        other.hidden.reverse();
        let mut versions = vec![first];
        let second = other.careless();
        if admit(second.clone(), &scheme, &ledger).is_ok() {
            ledger.record(second.clone());
            versions.push(second);
        } else {
            blocked.set(blocked.get() + 1);
        }
        let third = protect(&table, &scheme, slice(), attributes(), &ledger);
        let third = sent(&third.map_err(|error| TestCaseError::fail(error.to_string()))?.table);
        versions.push(third.clone());
        let brute = Brute::new(&scheme, &case.kinds());
        let mut secrets = case.secrets(&brute, &third);
        // What an earlier version showed is no secret any more.
        let shown_before = |mask: &Mask| {
            versions.iter().any(|version| {
                version.cells.iter().any(|(name, p)| p.figure.observed().is_some() && brute.masks[name] == *mask)
            })
        };
        secrets.retain(|(mask, _)| !shown_before(mask));
        let versions: Vec<&Received> = versions.iter().collect();
        if secrets.is_empty() { Ok(true) } else { keeps(case, &versions, &secrets) }
    });
    assert!(blocked.get() > 5, "only {} pushes were blocked", blocked.get());
}

#[test]
fn a_correction_or_a_stricter_rule_is_protected_or_refused_but_never_shown_bare() {
    let sent_anyway = Counter::new(0_u32);
    run(150, &cases(), |case| {
        let scheme = case.scheme();
        let first = protect(&tabulate(&scheme, &case.records()), &scheme, slice(), attributes(), &Ledger::empty());
        let first = first.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let mut ledger = Ledger::empty();
        ledger.record(sent(&first.table));
        let mut corrected = case.clone();
        corrected.people.rotate_left(1);
        corrected.rule.threshold += 2;
        let strict = corrected.scheme();
        let mut stricter = attributes();
        stricter.rule = model::RuleHash::from_bytes([3; 32]);
        let table = tabulate(&strict, &corrected.records());
        if let Ok(second) = protect(&table, &strict, slice(), stricter.clone(), &ledger) {
            sent_anyway.set(sent_anyway.get() + 1);
            let shown = sent(&second.table);
            let brute = Brute::new(&strict, &corrected.kinds());
            let secrets = corrected.secrets(&brute, &shown);
            if !secrets.is_empty() && !keeps(&corrected, &[&shown], &secrets)? {
                return Ok(false);
            }
        }
        // The same data under the stricter rule always finds a way: hiding more tells nothing new.
        let mut same = case.clone();
        same.rule.threshold += 2;
        let scheme = same.scheme();
        let again = protect(&tabulate(&scheme, &same.records()), &scheme, slice(), stricter, &ledger);
        prop_assert!(again.is_ok(), "{:?}", again.map(|_| ()));
        Ok(true)
    });
    assert!(sent_anyway.get() > 75, "only {} corrections could be sent", sent_anyway.get());
}

#[test]
fn the_rule_of_a_case_is_the_rule_of_its_scheme() {
    let case = Case {
        codes: (2, 2),
        crossed: true,
        with_part: true,
        with_list: true,
        rule: Rule { threshold: 5, zeros: Zeros::Publish, width: 3 },
        people: vec![1; 24],
        hidden: vec![false],
    };
    let scheme = case.scheme();
    assert!(scheme.measures().iter().all(|measure| measure.protection == Protection::Here(case.rule)));
}

/// Several rows of one unit: what is left of a whole beside its part is never taken to be of more units than it is.
#[test]
fn nobody_is_counted_twice_behind_a_difference() {
    let (tight, derived) = (Counter::new(0_u32), Counter::new(0_u32));
    let strategy = (cases(), prop::collection::vec(0_u32..12, 64));
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(case, units)| {
        let case = Case { with_part: true, with_list: false, ..case };
        let scheme = case.scheme();
        let mut records = case.records();
        for (record, unit) in records.iter_mut().zip(units.iter().cycle()) {
            record.unit = *unit;
        }
        let of = |inside: &dyn Fn(&&Record) -> bool| {
            records.iter().filter(inside).map(|record| record.unit).collect::<Vec<_>>()
        };
        let different = |units: Vec<u32>| i64::try_from(units.into_iter().collect::<BTreeSet<_>>().len()).expect("few");
        let cells = tabulate(&scheme, &records).into_cells().into_iter().map(|cell| {
            let part = cell.indicator.as_str() == "part";
            let inside = |record: &&Record| {
                (!part || record.conditions.contains("c")) && cell.key.iter().all(|(d, c)| record.codes[d] == *c)
            };
            let units = different(of(&inside));
            crate::ConfidentialCell { contributors: crate::ConfidentialCount::new(units), ..cell }
        });
        let most = (0..12).map(|unit| of(&|record| record.unit == unit).len()).max().unwrap_or(0);
        let most = crate::ConfidentialCount::new(i64::try_from(most).expect("few"));
        let table = crate::ConfidentialTable::new(cells.collect()).with_rows_of_one(most);
        let relations = scheme.relations();
        let truth = crate::protect::truth::Truth::open(&table, relations);
        let truth = truth.map_err(|error| TestCaseError::fail(error.to_string()))?;
        for (id, cell) in relations.cells.iter().enumerate() {
            let asked = cell.standing == crate::relations::Standing::Derived && cell.need.is_some();
            let Some(fact) = truth.get(id).filter(|_| asked && cell.rows.is_none()) else { continue };
            let key = &cell.place.1;
            let beside =
                |record: &&Record| !record.conditions.contains("c") && key.iter().all(|(d, c)| record.codes[d] == *c);
            let truly = i128::from(different(of(&beside)));
            prop_assert!(fact.contributors <= truly, "{} of {truly} at {key}", fact.contributors);
            derived.set(derived.get() + 1);
            tight.set(tight.get() + u32::from(fact.contributors > 0));
        }
        Ok(())
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
    assert!(derived.get() > 1_000 && 2 * tight.get() > derived.get(), "{} of {}", tight.get(), derived.get());
}
