//! The same tables have the same pattern, and nearly the same tables nearly the same.

use std::collections::BTreeSet;

use super::*;
use crate::fixture::grids::Dice;
use crate::system::Grid;

/// Tables of three dimensions: one of the first two, one of the last two, with the margin between them in common.
struct Linked {
    dimensions: Vec<Dimension>,
    tables: Vec<Table>,
}

/// A key in a table that has the first two dimensions, or the last two.
type Name = (usize, Vec<u32>);

impl Linked {
    fn draw(dice: &mut Dice, renamed: &str) -> Self {
        let name = |code: &str| format!("{renamed}{code}");
        let dimensions: Vec<Dimension> = [("a", 5), ("b", 4), ("c", 6)]
            .into_iter()
            .map(|(dimension, leaves)| {
                let all: Vec<String> = (0..leaves).map(|leaf| name(&format!("{dimension}{leaf}"))).collect();
                let (first, second) = (name("m"), name("n"));
                let half = usize::from(leaves > 4) + 1;
                let leaf = |range: std::ops::Range<usize>| all[range].iter().map(String::as_str).collect::<Vec<_>>();
                let groupings = [
                    ("Total", vec![first.as_str(), second.as_str()]),
                    (first.as_str(), leaf(0..half)),
                    (second.as_str(), leaf(half..leaves)),
                ];
                Dimension::new(dimension, Axis::new(groupings).expect("a tree"))
            })
            .collect();
        let mut linked = Self { dimensions, tables: Vec::new() };
        let people: Vec<i64> = (0..5 * 4 * 6).map(|_| figure(dice)).collect();
        linked.count(&people);
        linked
    }

    /// Tables of these people: one number per finest cell of all three dimensions.
    fn count(&mut self, people: &[i64]) {
        let grid = Grid::new(self.dimensions.iter().map(|dimension| dimension.axis.clone()).collect());
        let mut people = people.iter();
        let relations = grid.relations();
        let values = crate::fixture::grids::add_up(grid.cells(), &relations, || *people.next().expect("enough"));
        let total = |dimension: usize| self.dimensions[dimension].axis.total().expect("one total");
        self.tables = [[0, 1], [1, 2]]
            .into_iter()
            .map(|used| {
                let mut table = Table { dimensions: used.to_vec(), ..Table::default() };
                let nodes = |dimension: usize| self.dimensions[dimension].axis.nodes().len();
                for first in 0..nodes(used[0]) {
                    for second in 0..nodes(used[1]) {
                        let mut key = [0, 1, 2].map(total);
                        (key[used[0]], key[used[1]]) = (first, second);
                        table.nodes.extend([first, second].map(|node| u32::try_from(node).expect("few nodes")));
                        table.rows.push(Row { value: Some(values[grid.cell(&key)]), ..Row::default() });
                    }
                }
                table
            })
            .collect();
    }

    /// The rows of each table, and the tables, in another order.
    fn shuffled(&self, dice: &mut Dice) -> Vec<Table> {
        let shuffle = |table: &Table, dice: &mut Dice| {
            let mut order: Vec<usize> = (0..table.rows.len()).collect();
            for last in (1..order.len()).rev() {
                order.swap(last, dice.below(u32::try_from(last).expect("few rows") + 1) as usize);
            }
            Table {
                nodes: order.iter().flat_map(|&row| table.key(row).to_vec()).collect(),
                rows: order.iter().map(|&row| table.rows[row].clone()).collect(),
                ..table.clone()
            }
        };
        self.tables.iter().rev().map(|table| shuffle(table, dice)).collect()
    }

    fn hidden(&self, tables: &[Table], earlier: &[Table]) -> BTreeSet<Name> {
        let ask = Request { earlier, width: 5, ..request(&self.dimensions, tables, FIVE) };
        let decision = decide(&ask);
        let rows =
            tables.iter().enumerate().flat_map(|(at, table)| (0..table.rows.len()).map(move |row| (at, table, row)));
        rows.filter(|&(at, _, row)| decision.tables[at][row].suppressed)
            .map(|(_, table, row)| (table.dimensions[0], table.key(row).to_vec()))
            .collect()
    }

    fn primaries(&self) -> BTreeSet<Name> {
        let decision = decide(&Request { width: 5, ..request(&self.dimensions, &self.tables, FIVE) });
        let rows = self
            .tables
            .iter()
            .enumerate()
            .flat_map(|(at, table)| (0..table.rows.len()).map(move |row| (at, table, row)));
        rows.filter(|&(at, _, row)| decision.tables[at][row].primary)
            .map(|(_, table, row)| (table.dimensions[0], table.key(row).to_vec()))
            .collect()
    }
}

/// Few large figures, many small ones, so that weights tie.
fn figure(dice: &mut Dice) -> i64 {
    let most = 1 << dice.below(5);
    i64::from(dice.below(most))
}

#[test]
fn the_order_of_rows_and_tables_and_the_names_of_codes_decide_nothing() {
    let mut some = 0;
    for seed in 0..60 {
        let linked = Linked::draw(&mut Dice::new(seed), "");
        let once = linked.hidden(&linked.tables, &[]);
        assert_eq!(once, linked.hidden(&linked.tables, &[]), "seed {seed}: twice");
        let shuffled = linked.shuffled(&mut Dice::new(seed + 1_000));
        assert_eq!(once, linked.hidden(&shuffled, &[]), "seed {seed}: in another order");
        let renamed = Linked::draw(&mut Dice::new(seed), "z");
        assert_eq!(once, renamed.hidden(&renamed.tables, &[]), "seed {seed}: renamed");
        some += once.len();
    }
    assert!(some > 600, "{some} hidden");
}

#[test]
fn a_campaign_with_slightly_other_figures_keeps_most_of_the_pattern() {
    let (mut both, mut either, mut kept, mut all) = (0, 0, 0, 0);
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let mut linked = Linked::draw(&mut dice, "");
        let mut again = Dice::new(seed);
        let mut people: Vec<i64> = (0..5 * 4 * 6).map(|_| figure(&mut again)).collect();
        let first = linked.hidden(&linked.tables, &[]);
        let primaries = linked.primaries();
        let mut published = linked.tables.clone();
        for table in &mut published {
            for row in 0..table.rows.len() {
                let hidden = first.contains(&(table.dimensions[0], table.key(row).to_vec()));
                table.rows[row].suppressed = Some(hidden);
            }
        }
        // One in six figures is another one.
        for figure in &mut people {
            if dice.percent(16) {
                *figure = (*figure + i64::from(dice.between(0, 2)) - 1).max(0);
            }
        }
        linked.count(&people);
        let second = linked.hidden(&linked.tables, &[]);
        let now = linked.primaries();
        // What a rule asks for is not a choice.
        let chosen = |pattern: &BTreeSet<Name>| -> BTreeSet<Name> {
            pattern.iter().filter(|name| !primaries.contains(*name) && !now.contains(*name)).cloned().collect()
        };
        let (old, new) = (chosen(&first), chosen(&second));
        both += old.intersection(&new).count();
        either += old.union(&new).count();
        let ask = Request { earlier: &published, width: 5, ..request(&linked.dimensions, &linked.tables, FIVE) };
        if Assembled::of(&ask).is_ok_and(|assembled| assembled.suppress().is_ok()) {
            let after = chosen(&linked.hidden(&linked.tables, &published));
            kept += old.intersection(&after).count();
            all += old.union(&after).count();
        }
    }
    println!("alone: {both} of {either} the same; beside what was published: {kept} of {all}");
    assert!(both * 2 > either && kept * 2 > all, "{both} of {either}, {kept} of {all}");
}
