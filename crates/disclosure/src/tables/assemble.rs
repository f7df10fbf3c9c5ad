//! From tables to one system: which rows are the same cell, what adds up, what is decided, what is asked.

use std::collections::{HashMap, HashSet};

use super::layout::{Key, Keys, Layout};
use super::owners::{self, Sum};
use super::published::Source;
use super::{Criterion, Dimension, Facts, Frozen, Level, Misfit, Need, Place, Row, Table};
use crate::scheme::Zeros;
use crate::system::{Cell, InvalidSystem, Relation, Standing, System};

/// Whose knowledge of his own figure is reckoned with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Singletons {
    /// Of contributors whom the tables name.
    Named,
    /// Also of whoever is the only contributor of a cell; the same one in a total and in the part that is all of it.
    Alone,
}

/// Tables, and how to protect them.
pub struct Request<'a> {
    /// All axes.
    pub dimensions: &'a [Dimension],
    /// What was published before, oldest first.
    pub earlier: &'a [Table],
    /// What is to be published.
    pub tables: &'a [Table],
    /// Units that make one: 10 to the power of the decimals.
    pub one: i64,
    /// What producers publish about some of the same cells.
    pub sources: &'a [Source<'a>],
    /// Rules.
    pub criteria: &'a [Criterion],
    /// Whether cells that a table marks as primary are.
    pub marked: bool,
    /// Whether rules hide cells behind which nobody stands.
    pub zeros: Zeros,
    /// How wide every primary must stay at least, in units.
    pub width: i64,
    /// Whose own figures are reckoned with.
    pub singletons: Singletons,
    /// Whether what a rule forbids and was published before stays shown. Otherwise that is refused.
    pub keep_published: bool,
}

/// A cell as all tables together tell it.
struct Known {
    value: i64,
    low: i64,
    high: Option<i64>,
    place: Place,
    facts: Facts,
    owner: Option<u32>,
    /// Shown by a publication, frozen as shown by a file.
    published: bool,
    frozen: bool,
    hidden: bool,
    need: Option<Need>,
    level: Need,
}

/// The system of everything that is, or was, published together. Confidential.
pub struct Assembled {
    pub(super) system: System,
    /// By cell: what is asked for primaries.
    pub(super) needs: Vec<Option<Need>>,
    /// By table, by row: its cell.
    pub(super) present: Vec<Vec<u32>>,
    /// By cell: where it stands; `None` for differences that nobody publishes.
    pub(super) places: Vec<Option<Place>>,
    /// By cell: why it is shown for good.
    pub(super) fixed: Vec<Option<Fixed>>,
    /// What is asked of all primaries, in units.
    pub(super) width: i64,
}

/// Why a cell is shown, whatever that gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fixed {
    /// The file says so.
    Frozen,
    /// It was published earlier.
    Published,
    /// It is a zero, and zeros are shown.
    Zero,
}

impl Assembled {
    /// Checks the tables, applies the rules, and joins everything.
    pub fn of(request: &Request<'_>) -> Result<Self, Misfit> {
        let mut builder = Builder::new(request)?;
        builder.join()?;
        builder.sources()?;
        builder.relate()?;
        builder.contributors()?;
        builder.rules()?;
        builder.finish()
    }

    /// How many cells are to be published: each once, in however many tables.
    pub fn cells(&self) -> usize {
        self.present.iter().flatten().collect::<HashSet<_>>().len()
    }

    /// How many of them must be hidden.
    pub fn primaries(&self) -> usize {
        let cells: HashSet<u32> = self.present.iter().flatten().copied().collect();
        cells.into_iter().filter(|&cell| self.needs[cell as usize].is_some()).count()
    }
}

struct Builder<'a> {
    request: &'a Request<'a>,
    keys: Keys,
    known: Vec<Known>,
    earlier: Vec<Vec<u32>>,
    present: Vec<Vec<u32>>,
    sums: Vec<Sum>,
    /// Present cells.
    now: HashMap<Key, u32>,
    /// Totals of people who may be counted in several parts.
    distinct: Vec<Sum>,
    /// Whole and part: one figure is never above the other.
    within: Vec<(Place, u32, u32)>,
    /// Zeros that stay undecided, by cell.
    undecided: Vec<bool>,
    /// Differences: what they are worth, the least they can be, total, part.
    differences: Vec<(i64, i64, u32, u32)>,
}

impl<'a> Builder<'a> {
    fn new(request: &'a Request<'a>) -> Result<Self, Misfit> {
        let first = request.earlier.len();
        let sources =
            request.sources.iter().enumerate().map(move |(at, source)| (Source::place(first + at), source.table));
        let keys = Keys::of(request.dimensions, &everything(request).chain(sources))?;
        Ok(Self {
            request,
            keys,
            known: Vec::new(),
            earlier: Vec::new(),
            present: Vec::new(),
            sums: Vec::new(),
            now: HashMap::new(),
            distinct: Vec::new(),
            within: Vec::new(),
            undecided: Vec::new(),
            differences: Vec::new(),
        })
    }

    /// Gives every row its cell: same key and same figure are the same unknown, whenever it was published.
    fn join(&mut self) -> Result<(), Misfit> {
        let mut cells: HashMap<(Key, i64), u32> = HashMap::new();
        let mut now: HashMap<Key, Place> = HashMap::new();
        for (at, table) in everything(self.request) {
            let mut of_rows = Vec::with_capacity(table.rows.len());
            for (index, row) in table.rows.iter().enumerate() {
                let place = Place { row: index, ..at };
                let value = row.value.ok_or(Misfit::Empty(place))?;
                let key = self.keys.key(table, index);
                if !place.earlier {
                    let other = *now.entry(key.clone()).or_insert(place);
                    if other.table == place.table && other.row != place.row {
                        return Err(Misfit::Twice { place, first: other.row });
                    }
                    if self.request.tables[other.table].rows[other.row].value != Some(value) {
                        return Err(Misfit::Conflict { place, other });
                    }
                }
                let next = u32::try_from(self.known.len()).map_err(|_| Misfit::TooMany)?;
                let cell = *cells.entry((key, value)).or_insert(next);
                if cell == next {
                    self.known.push(Known::new(value, place, self.request.one));
                }
                self.known[cell as usize].learn(row, place, table.says_primary, self.request)?;
                if !place.earlier {
                    self.now.insert(self.keys.key(table, index), cell);
                }
                of_rows.push(cell);
            }
            if at.earlier { &mut self.earlier } else { &mut self.present }.push(of_rows);
        }
        self.undecided = vec![false; self.known.len()];
        Ok(())
    }

    /// What a producer publishes about a cell is known to everybody, and narrows its range.
    fn sources(&mut self) -> Result<(), Misfit> {
        for (index, source) in self.request.sources.iter().enumerate() {
            let at = Source::place(self.request.earlier.len() + index);
            for (row, (low, high)) in source.ranges(self.request.dimensions, at)?.into_iter().enumerate() {
                let Some(&cell) = self.now.get(&self.keys.key(source.table, row)) else { continue };
                let known = &mut self.known[cell as usize];
                if known.value < low || known.value > high {
                    return Err(Misfit::Rounded { place: known.place, other: Place { row, ..at } });
                }
                known.low = known.low.max(low);
                known.high = Some(known.high.map_or(high, |own| own.min(high)));
                known.published |= low == high;
            }
        }
        Ok(())
    }

    fn relate(&mut self) -> Result<(), Misfit> {
        let (mut broken, mut count) = (None, 0);
        let mut wrong = None;
        for (at, table) in everything(self.request) {
            let layout = Layout::of(self.request.dimensions, table, at)?;
            let of_rows = if at.earlier { &self.earlier[at.table] } else { &self.present[at.table] };
            layout.sums(self.request.dimensions, table, |dimension, total, parts| {
                let value = |row: usize| i128::from(self.known[of_rows[row] as usize].value);
                let place = Place { row: total, ..at };
                if self.request.dimensions[dimension].distinct {
                    let values = || parts.iter().map(|&part| value(part));
                    if value(total) > values().sum() || values().any(|part| part > value(total)) {
                        wrong.get_or_insert_with(|| Misfit::Distinct { place, dimension, parts: parts.to_vec() });
                        return;
                    }
                    let parts = parts.iter().map(|&part| of_rows[part]).collect();
                    self.distinct.push(Sum { place, dimension, total: of_rows[total], parts });
                    return;
                }
                if value(total) != parts.iter().map(|&part| value(part)).sum::<i128>() {
                    count += 1;
                    broken.get_or_insert_with(|| (place, dimension, parts.to_vec()));
                    return;
                }
                let parts = parts.iter().map(|&part| of_rows[part]).collect();
                self.sums.push(Sum { place, dimension, total: of_rows[total], parts });
            });
            layout.within(self.request.dimensions, table, |whole, part| {
                let (whole_at, part_at) = (Place { row: whole, ..at }, Place { row: part, ..at });
                let value = |row: usize| self.known[of_rows[row] as usize].value;
                if value(part) > value(whole) {
                    wrong.get_or_insert(Misfit::Within { whole: whole_at, part: part_at });
                }
                self.within.push((whole_at, of_rows[whole], of_rows[part]));
            });
        }
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        broken.map_or(Ok(()), |(place, dimension, parts)| Err(Misfit::Broken { place, dimension, parts, count }))
    }

    /// What is said about contributors must fit the figure.
    fn contributors(&mut self) -> Result<(), Misfit> {
        for known in &self.known {
            let Facts { value, contributors, top1, top2, .. } = known.facts;
            let none = contributors == Some(0) && value != 0;
            // Where contributions may be negative, nothing follows from their size.
            let tops = known.low >= 0
                && (top1.is_some_and(|top| top < 0 || top > value)
                    || top2.is_some_and(|top| {
                        top < 0 || top1.is_some_and(|first| top > first || first.saturating_add(top) > value)
                    })
                    || (contributors == Some(1) && top1.is_some_and(|top| top != value)));
            if none || tops {
                return Err(Misfit::Contributors(known.place));
            }
        }
        Ok(())
    }

    fn rules(&mut self) -> Result<(), Misfit> {
        let request = self.request;
        for cells in &self.present {
            for &cell in cells {
                let known = &mut self.known[cell as usize];
                for criterion in request.criteria {
                    let lacking =
                        |lacking: super::criterion::Lacking| Misfit::Lacking { place: known.place, column: lacking.0 };
                    if let Some(need) = criterion.asks(&known.facts, request.zeros).map_err(lacking)? {
                        known.ask(need.and(Need::width(request.width)));
                    }
                }
            }
        }
        for criterion in request.criteria {
            match criterion {
                Criterion::OneCategory { dimension } => {
                    let place = request.dimensions.iter().position(|known| known.name == *dimension);
                    let place = place.ok_or_else(|| Misfit::Dimension(dimension.clone()))?;
                    self.one_category(place);
                }
                Criterion::Difference { least } => {
                    self.small_differences(*least)?;
                    self.small_rests(*least)?;
                }
                Criterion::Threshold { least } => self.small_rests(*least)?,
                Criterion::Contributors { .. } | Criterion::Dominance { .. } | Criterion::Precision { .. } => {}
            }
        }
        Ok(())
    }

    fn one_category(&mut self, dimension: usize) {
        let mut spread = Vec::new();
        for sum in self.sums.iter().filter(|sum| sum.dimension == dimension && !sum.place.earlier) {
            let nobody = |cell: u32| self.known[cell as usize].facts.nobody();
            let mut takers = sum.parts.iter().copied().filter(|&part| !nobody(part));
            if let (Some(all), None, true) = (takers.next(), takers.next(), sum.parts.len() > 1) {
                spread.extend(sum.parts.iter().copied().filter(|&part| nobody(part)));
                // It must be possible that somebody is in another category.
                let need = Need { below: self.request.one, ..Need::width(self.request.width) };
                self.known[all as usize].ask(need);
            }
        }
        // A zero is only uncertain if zeros above, below and beside it are not shown on principle.
        let mut over = vec![Vec::new(); self.known.len()];
        for (index, sum) in self.sums.iter().enumerate() {
            for &cell in std::iter::once(&sum.total).chain(&sum.parts) {
                over[cell as usize].push(index);
            }
        }
        while let Some(cell) = spread.pop() {
            let known = &self.known[cell as usize];
            if known.value != 0 || std::mem::replace(&mut self.undecided[cell as usize], true) {
                continue;
            }
            for &sum in &over[cell as usize] {
                let sum = &self.sums[sum];
                if self.known[sum.total as usize].value == 0 {
                    spread.push(sum.total);
                    spread.extend(&sum.parts);
                }
            }
        }
    }

    fn small_differences(&mut self, least: u32) -> Result<(), Misfit> {
        let mut found = HashSet::new();
        for sum in self.sums.iter().filter(|sum| !sum.place.earlier && sum.parts.len() > 2) {
            let known = |cell: u32| &self.known[cell as usize];
            for &part in &sum.parts {
                let others = || sum.parts.iter().copied().filter(|&other| other != part);
                let contributors = others().map(|other| known(other).facts.contributors).sum::<Option<u64>>();
                let value = known(sum.total).value - known(part).value;
                let facts = Facts { value, contributors, ..known(sum.total).facts };
                let asked = Criterion::Threshold { least }
                    .asks(&facts, self.request.zeros)
                    .map_err(|lacking| Misfit::Lacking { place: sum.place, column: lacking.0 })?;
                if asked.is_some() && found.insert((sum.total, part)) {
                    let low = others().map(|other| known(other).low).fold(0, i64::saturating_add);
                    self.differences.push((value, low, sum.total, part));
                }
            }
        }
        Ok(())
    }

    /// What a whole has beyond its part: those who are in the denominator and not in the numerator.
    fn small_rests(&mut self, least: u32) -> Result<(), Misfit> {
        for &(place, whole, part) in self.within.iter().filter(|(place, ..)| !place.earlier) {
            let (whole_known, part_known) = (&self.known[whole as usize], &self.known[part as usize]);
            let contributors = |known: &Known| known.facts.contributors;
            let contributors = contributors(whole_known).zip(contributors(part_known));
            let contributors = contributors.map(|(whole, part)| whole.saturating_sub(part));
            let value = whole_known.value - part_known.value;
            let facts = Facts { value, contributors, ..whole_known.facts };
            let asked = Criterion::Threshold { least }
                .asks(&facts, self.request.zeros)
                .map_err(|lacking| Misfit::Lacking { place, column: lacking.0 })?;
            let known = self.differences.iter().any(|&(_, _, own, other)| (own, other) == (whole, part));
            if asked.is_some() && !known {
                self.differences.push((value, 0, whole, part));
            }
        }
        Ok(())
    }

    /// Who contributes a whole cell knows that every total above holds at least that: protection below a total cannot
    /// reach further down, and asking for more would refuse ordinary tables. Protection above is what the rules for
    /// amounts are about; below they only ask for the same by symmetry.
    fn bound_below(&mut self) {
        let mut above = vec![Vec::new(); self.known.len()];
        for sum in &self.sums {
            for &part in &sum.parts {
                above[part as usize].push(sum.total as usize);
            }
        }
        for cell in 0..self.known.len() {
            let Known { value: own, owner: Some(_), .. } = self.known[cell] else { continue };
            let mut reached = HashSet::new();
            let mut next = above[cell].clone();
            while let Some(total) = next.pop() {
                if !reached.insert(total) {
                    continue;
                }
                next.extend(&above[total]);
                let known = &mut self.known[total];
                let most = (known.value - own).max(self.request.one);
                if let Some(need) = &mut known.need {
                    need.below = need.below.min(most);
                }
            }
        }
    }

    fn alone(&mut self) {
        let single = |cell: usize| self.known[cell].facts.alone();
        let taken: HashSet<u32> = self.known.iter().filter_map(|known| known.owner).collect();
        let numbers = owners::alone(self.known.len(), &self.sums, &single, &taken);
        for (known, number) in self.known.iter_mut().zip(numbers) {
            known.owner = known.owner.or(number);
        }
    }

    fn finish(mut self) -> Result<Assembled, Misfit> {
        if self.request.singletons == Singletons::Alone {
            self.alone();
        }
        self.bound_below();
        let (mut refused, mut beyond) = (Vec::new(), Vec::new());
        let mut fixed = Vec::with_capacity(self.known.len());
        let mut cells = Vec::with_capacity(self.known.len());
        let mut needs = Vec::with_capacity(self.known.len());
        for (known, undecided) in self.known.iter().zip(&self.undecided) {
            let forbidden = known.need.is_some() || (known.hidden && known.frozen);
            let public = (known.frozen || known.published) && !known.place.earlier;
            if forbidden && public && !self.request.keep_published {
                refused.push(known.place);
            }
            let shown = known.published || known.frozen;
            let zero = self.request.zeros == Zeros::Publish && known.facts.nobody() && !undecided;
            let need = match known.need.filter(|_| !shown).map(|need| known.levelled(need)).transpose() {
                Ok(need) => need,
                Err(level) => {
                    beyond.push((known.place, level));
                    None
                }
            };
            let (standing, why) = match need {
                Some(_) => (Standing::Primary, None),
                None if known.published => (Standing::Shown, Some(Fixed::Published)),
                None if known.frozen => (Standing::Shown, Some(Fixed::Frozen)),
                None if known.hidden => (Standing::Hidden, None),
                None if zero => (Standing::Shown, Some(Fixed::Zero)),
                None => (Standing::Open, None),
            };
            fixed.push(why);
            let Known { value, low, high, owner, .. } = *known;
            cells.push(Cell { value, low, high, weight: value.abs(), standing, owner });
            needs.push(need);
        }
        if !refused.is_empty() {
            return Err(Misfit::Frozen(refused));
        }
        if !beyond.is_empty() {
            return Err(Misfit::Beyond(beyond));
        }
        let mut places: Vec<Option<Place>> = self.known.iter().map(|known| Some(known.place)).collect();
        let mut relations = Vec::with_capacity(self.sums.len());
        // Linked tables and earlier publications repeat relations; twice is no more than once.
        let mut seen = HashSet::with_capacity(self.sums.len());
        for sum in &self.sums {
            let parts = sum.parts.iter().map(|&part| (part as usize, -1));
            let mut terms: Vec<(usize, i64)> = std::iter::once((sum.total as usize, 1)).chain(parts).collect();
            terms[1..].sort_unstable();
            if seen.insert(terms.clone()) {
                relations.push(Relation { terms });
            }
        }
        for &(value, low, total, part) in &self.differences {
            cells.push(Cell { low, weight: 0, standing: Standing::Primary, ..Cell::open(value) });
            needs.push(Some(Need::width(self.request.width)));
            places.push(None);
            relations.push(Relation { terms: vec![(total as usize, 1), (part as usize, -1), (cells.len() - 1, -1)] });
        }
        let owner = |cell: u32| self.known[cell as usize].owner;
        for owners::Share { owner, parts, .. } in owners::shares(self.known.len(), &self.sums, &owner) {
            let Some(need) = parts.iter().filter_map(|&part| needs[part as usize]).reduce(Need::and) else { continue };
            let known = || parts.iter().map(|&part| &self.known[part as usize]);
            let value = known().map(|known| known.value).fold(0, i64::saturating_add);
            let low = known().map(|known| known.low).fold(0, i64::saturating_add);
            // Levels below are each cell's own; together they cannot reach below what all of them can.
            let need = Need { below: need.below.min(value - low), ..need };
            cells.push(Cell { low, weight: 0, standing: Standing::Primary, owner: Some(owner), ..Cell::open(value) });
            needs.push(Some(need));
            places.push(None);
            let terms = parts.iter().map(|&part| (part as usize, 1)).chain([(cells.len() - 1, -1)]).collect();
            relations.push(Relation { terms });
        }
        // What is left of an inequality is a figure of its own, at least zero, that nobody publishes.
        let mut slack = |terms: Vec<(usize, i64)>, value: i64, cells: &mut Vec<Cell>| {
            cells.push(Cell { weight: 0, standing: Standing::Hidden, ..Cell::open(value) });
            needs.push(None);
            places.push(None);
            let own = std::iter::once((cells.len() - 1, -1));
            relations.push(Relation { terms: terms.into_iter().chain(own).collect() });
        };
        let value = |cell: u32| self.known[cell as usize].value;
        for sum in &self.distinct {
            let parts = || sum.parts.iter().copied();
            let beyond = parts().map(value).fold(0, i64::saturating_add) - value(sum.total);
            let terms = parts().map(|part| (part as usize, 1)).chain([(sum.total as usize, -1)]);
            slack(terms.collect(), beyond, &mut cells);
            for part in parts() {
                let rest = value(sum.total) - value(part);
                slack(vec![(sum.total as usize, 1), (part as usize, -1)], rest, &mut cells);
            }
        }
        for &(_, whole, part) in &self.within {
            slack(vec![(whole as usize, 1), (part as usize, -1)], value(whole) - value(part), &mut cells);
        }
        let mut system = System::new(cells, &relations).map_err(|fault| match fault {
            InvalidSystem::Outside(cell) | InvalidSystem::TooLarge(cell) => {
                let place = places.get(cell).copied().flatten();
                place.map_or(Misfit::TooMany, Misfit::TooLarge)
            }
            InvalidSystem::Broken(_) | InvalidSystem::Malformed(_) => Misfit::TooMany,
        })?;
        for (cell, need) in needs.iter().enumerate() {
            if let Some(need) = need {
                system = system.needing(cell, need.units());
            }
        }
        fixed.resize(places.len(), None);
        Ok(Assembled { system, needs, present: self.present, places, fixed, width: self.request.width })
    }
}

/// Earlier tables, then present ones, each with the place of its first row.
fn everything<'a>(request: &'a Request<'_>) -> impl Iterator<Item = (Place, &'a Table)> + Clone {
    let place = |earlier| move |(table, rows)| (Place { earlier, table, row: 0 }, rows);
    let earlier = request.earlier.iter().enumerate().map(place(true));
    earlier.chain(request.tables.iter().enumerate().map(place(false)))
}

impl Known {
    fn new(value: i64, place: Place, one: i64) -> Self {
        Self {
            value,
            low: 0,
            high: None,
            place,
            facts: Facts { value, one, ..Facts::default() },
            owner: None,
            published: false,
            frozen: false,
            hidden: false,
            need: None,
            level: Need::default(),
        }
    }

    /// What one row adds.
    fn learn(&mut self, row: &Row, place: Place, says_primary: bool, request: &Request<'_>) -> Result<(), Misfit> {
        if self.place.earlier && !place.earlier {
            self.place = place;
        }
        if let Some(low) = row.low {
            // A range that everybody knows: the narrowest of those that files give.
            self.low = if self.low == 0 { low } else { self.low.max(low) };
        }
        self.high = match (self.high, row.high) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        if self.value < self.low || self.high.is_some_and(|high| self.value > high) {
            return Err(Misfit::Outside(place));
        }
        if !place.earlier {
            // Where linked tables differ, what asks for more protection counts.
            let facts = &mut self.facts;
            facts.contributors = [facts.contributors, row.contributors].into_iter().flatten().min();
            facts.top1 = facts.top1.max(row.top1);
            facts.top2 = facts.top2.max(row.top2);
        }
        self.owner = self.owner.or(row.owner);
        match row.frozen {
            Frozen::No => {}
            Frozen::Shown => self.frozen = true,
            Frozen::Hidden => self.hidden = true,
        }
        let level = |level: Option<i64>| level.unwrap_or_default();
        self.level = self.level.and(Need { below: level(row.lpl), above: level(row.upl), width: level(row.spl) });
        if place.earlier {
            let hidden = row.suppressed.ok_or(Misfit::Empty(place))?;
            self.published |= !hidden;
            self.hidden |= hidden;
            if hidden && row.primary {
                self.ask(Need::width(request.width));
            } else if hidden && !says_primary {
                // Nobody says which cells mattered: none may become computable.
                self.ask(Need::width(1));
            }
        } else if request.marked && row.primary {
            self.ask(Need::width(request.width));
        }
        Ok(())
    }

    fn ask(&mut self, need: Need) {
        self.need = Some(self.need.unwrap_or_default().and(need));
    }

    /// With the protection levels of the files, if its range leaves room for them. What rules for amounts ask below is
    /// only by symmetry, and ends where the range does.
    fn levelled(&self, need: Need) -> Result<Need, Level> {
        let (below, above) = (self.value - self.low, self.high.map(|high| high - self.value));
        let all = need.and(self.level);
        if self.level.below > below {
            return Err(Level::Below);
        }
        if above.is_some_and(|above| all.above > above) {
            return Err(Level::Above);
        }
        if above.is_some_and(|above| all.width > below + above) {
            return Err(if self.level.width > need.width { Level::Sliding } else { Level::Width });
        }
        Ok(Need { below: all.below.min(below), ..all })
    }
}
