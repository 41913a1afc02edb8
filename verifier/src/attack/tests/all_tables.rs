//! A reader who tries every table, and does not know what a linear program is.

use std::collections::BTreeMap;

use super::*;
use crate::rules::Checked;

/// What a patient can be in a small world: a site, a flag and an age.
pub(super) fn kinds(sites: u64, ages: &[u64]) -> Vec<Row> {
    let flags = [None, Some(0), Some(1)];
    let of_site = |s: u64| {
        let of_flag = move |f| {
            ages.iter()
                .map(move |age| vec![Some(s), f, Some(*age), Some(7)])
        };
        flags.into_iter().flat_map(of_flag)
    };
    (0..sites).flat_map(of_site).collect()
}

/// How many patients there are of each kind.
pub(super) type Table = Vec<u64>;

/// All tables of up to `most` patients.
pub(super) fn tables(kinds: usize, most: u64) -> Vec<Table> {
    (0..kinds).fold(vec![Vec::new()], |all, _| {
        let mut longer = Vec::new();
        for table in &all {
            let left = most - table.iter().sum::<u64>();
            longer.extend((0..=left).map(|n| [table.as_slice(), &[n]].concat()));
        }
        longer
    })
}

/// A reader of one answer in a small world.
struct Reader<'a> {
    case: &'a Case,
    kinds: &'a [Row],
    states: &'a [State],
    /// The tables that are as published.
    possible: Vec<&'a Table>,
}

impl<'a> Reader<'a> {
    fn new(
        case: &'a Case,
        kinds: &'a [Row],
        tables: &'a [Table],
        (states, checked): (&'a [State], &Checked),
    ) -> Self {
        let fits = |table: &&Table| {
            let values = case.counted(&of_kinds(kinds, table));
            let value = |cell: usize| i64::try_from(values[cell]).unwrap();
            let mut bounded = checked.bounds.iter().zip(&values);
            let few = |f: &Form| {
                let sum: i64 = f.terms.iter().map(|(cell, c)| c * value(*cell)).sum();
                (f.times..=f.times * 2).contains(&sum)
            };
            let sums = case.counts.shown_sums(states, &values);
            bounded.all(|((first, last), n)| first <= n && n <= last)
                && sums == case.counts.shown_sums(states, &case.values)
                && checked.few.iter().all(few)
                && (checked.orders.iter()).all(|o| value(o.smaller) + o.gap <= value(o.larger))
        };
        let possible: Vec<&Table> = tables.iter().filter(fits).collect();
        assert!(!possible.is_empty());
        Self {
            case,
            kinds,
            states,
            possible,
        }
    }

    /// In each possible table the size of a region.
    fn sizes(&self, is_in: impl Fn(&Row) -> bool) -> Vec<i64> {
        let inside: Vec<bool> = self.kinds.iter().map(is_in).collect();
        let size = |table: &&Table| -> u64 {
            let own = table.iter().zip(&inside).filter(|(_, i)| **i);
            own.map(|(n, _)| n).sum()
        };
        let sizes = self.possible.iter().map(size);
        sizes.map(|n| i64::try_from(n).unwrap()).collect()
    }

    /// What states say to be few, in each possible table.
    fn said(&self) -> Vec<Vec<i64>> {
        let counts = &self.case.counts;
        let of_cell = |cell: usize| {
            let (field, group) = counts.place(cell);
            self.sizes(|r| {
                is_in(r, &self.case.query, &self.case.keys[group])
                    && meets(r, &self.case.query, field)
            })
        };
        let mut said = Vec::new();
        for (cell, state) in self.states.iter().enumerate() {
            match state {
                State::Small => said.push(of_cell(cell)),
                State::Difference => {
                    let own = of_cell(cell);
                    for outer in counts.least_shown(self.states, cell) {
                        let pairs = of_cell(outer).into_iter().zip(&own);
                        said.push(pairs.map(|(a, b)| a - b).collect());
                    }
                    said.push(own);
                }
                State::Tied(region) => {
                    let place = (cell % counts.groups, Some(cell));
                    let form = counts.form(self.states, *region, place, &mut Work::of_an_answer());
                    let Form { terms, times } = form.unwrap();
                    let mut sum = vec![0; self.possible.len()];
                    for (cell, c) in terms {
                        let pairs = sum.iter_mut().zip(of_cell(cell));
                        pairs.for_each(|(s, n)| *s += c * n);
                    }
                    said.push(sum.into_iter().map(|s| s / times).collect());
                }
                _ => {}
            }
        }
        said
    }

    /// The regions that can be named in a group: each field, and each condition with or without another.
    fn named(&self, group: usize) -> Vec<Vec<i64>> {
        let (query, keys) = (&self.case.query, &self.case.keys[group]);
        let inside: Vec<bool> = self.kinds.iter().map(|r| is_in(r, query, keys)).collect();
        let of =
            |meets: &dyn Fn(&Row) -> bool| -> Vec<bool> { self.kinds.iter().map(meets).collect() };
        let filters = query.filters();
        let mut conditions: Vec<Vec<bool>> = vec![vec![true; self.kinds.len()]];
        conditions.extend(filters.iter().map(|f| of(&|r| f.eval(&|c| r[c]))));
        for field in &self.case.counts.fields {
            // The field, and its parts by themselves.
            let bare = Field {
                filter: None,
                ..*field
            };
            conditions.push(of(&|r| meets(r, query, *field)));
            conditions.push(of(&|r| meets(r, query, bare)));
        }
        let mut regions = Vec::new();
        for a in &conditions {
            for b in &conditions {
                for (x, y) in [(true, true), (true, false), (false, false)] {
                    let both = |i: usize| inside[i] && a[i] == x && b[i] == y;
                    regions.push((0..self.kinds.len()).map(both).collect::<Vec<bool>>());
                }
            }
        }
        regions.sort_unstable();
        regions.dedup();
        let at = |row: &Row| {
            self.kinds
                .iter()
                .position(|k| std::ptr::eq(k, row))
                .unwrap()
        };
        regions
            .iter()
            .map(|region| self.sizes(|r| region[at(r)]))
            .collect()
    }

    /// The regions that the programs look at, in a group, and which of them are known to hold some patients, and fewer than k = 3.
    fn found(&self, group: usize) -> Vec<usize> {
        self.few(group, &self.said())
    }

    /// The same, but for some that are said.
    fn few(&self, group: usize, said: &[Vec<i64>]) -> Vec<usize> {
        let case = self.case;
        let regions = case.counts.world(group).regions().iter();
        let is_found = |region: &world::Region| {
            let sizes = self.sizes(|r| {
                let bits = case.counts.bits_of(&|c| r[c]);
                is_in(r, &case.query, &case.keys[group]) && world::is_one(&region.who, bits)
            });
            is_few(&sizes, said)
        };
        let found = regions.enumerate().filter(|(_, r)| is_found(r));
        found.map(|(at, _)| at).collect()
    }

    /// A group with a region that is known to hold some patients, and fewer than k = 3, though no state says so.
    fn betrayed(&self) -> Option<(usize, Vec<i64>)> {
        let said = self.said();
        (0..self.case.counts.groups).find_map(|group| {
            let betrayed = self.named(group).into_iter().find(|s| is_few(s, &said));
            betrayed.map(|sizes| (group, sizes))
        })
    }
}

/// Whether a region's sizes tell that it has some patients, and fewer than k = 3, though no state says so.
fn is_few(sizes: &[i64], said: &[Vec<i64>]) -> bool {
    let (least, most) = (sizes.iter().min(), sizes.iter().max());
    let few = *least.unwrap() >= 1 && *most.unwrap() < 3;
    few && (least == most || !said.iter().any(|s| s == sizes))
}

pub(super) fn of_kinds<'a>(kinds: &'a [Row], table: &Table) -> Vec<(&'a Row, u64)> {
    kinds.iter().zip(table.iter().copied()).collect()
}

pub(super) fn rows(kinds: &[Row], table: &Table) -> Vec<Row> {
    let of_kind = |(row, n): (&Row, &u64)| (0..*n).map(|_| row.clone()).collect::<Vec<Row>>();
    kinds.iter().zip(table).flat_map(of_kind).collect()
}

impl Random {
    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    /// A query with up to so many filters; with two sites there are two ages, too.
    pub(super) fn query(&mut self, filters: usize, keys: &[&str], sites: usize) -> String {
        let pool = &[
            "site = 'a'",
            "site = 'b'",
            "site IN ('a', 'b')",
            "flag",
            "NOT flag",
            "flag OR site = 'a'",
            "flag AND site = 'b'",
            "flag IS NULL",
            "age > 60",
            "age > 60 AND flag",
            "age > 60 OR flag",
            "age <= 60",
        ][..if sites == 2 { 12 } else { 8 }];
        let mut outputs = Vec::new();
        let bare = ["count(*)", "count(*)", "count(flag)", "sum(flag)"];
        outputs.extend(
            bare.into_iter()
                .filter(|_| self.below(2) == 0)
                .map(str::to_owned),
        );
        for _ in 0..1 + self.below(filters) {
            let what = ["count(*)", "count(*)", "count(flag)", "sum(flag)"];
            let (what, filter) = (self.one(&what), self.one(pool));
            outputs.push(format!("{what} FILTER (WHERE {filter})"));
        }
        let within = ["", "", " WHERE site <> 'a'", " WHERE site <> 'b' OR flag"];
        let (within, by) = (self.one(&within), self.one(keys));
        format!("SELECT {} FROM t{within}{by}", outputs.join(", "))
    }
}

pub(super) fn three() -> ReleaseProfile {
    ReleaseProfile::exact("three", 3, true)
}

/// The linear programs find what a reader finds who tries all tables, and nothing else.
#[test]
fn all_tables_tell_what_the_programs_tell() {
    let (most, kinds) = (7, kinds(3, &[50]));
    let tables = tables(kinds.len(), most);
    let registry = registry(3);
    let mut random = Random(5);
    let mut seen = [0, 0];
    for _ in 0..400 {
        let sql = random.query(4, &["", "", " GROUP BY site", " GROUP BY flag"], 3);
        let table = &tables[random.below(tables.len())];
        let case = Case::over(&registry, &sql, &rows(&kinds, table), most);
        let states = rule(&case.counts, &three(), &case.values, &Tied::new());
        let mut checked = check(&case.counts, &three(), &states).unwrap();
        checked.orders.clear();
        let reader = Reader::new(&case, &kinds, &tables, (&states, &checked));
        let found = case.found(&three()).unwrap();
        seen[usize::from(!found.is_empty())] += 1;
        for group in 0..case.counts.groups {
            let own = found.iter().filter(|f| f.group == group);
            let own: Vec<usize> = own.map(|f| f.region).collect();
            assert_eq!(own, reader.found(group), "{sql} {table:?} {group}");
        }
        let betrayed = reader.betrayed();
        assert!(
            betrayed.is_none() || !found.is_empty(),
            "{sql} {table:?} {betrayed:?}"
        );
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}

/// Of what is published in the end, a reader who tries all tables learns of no region that it has some patients, and fewer than k.
#[test]
fn no_table_is_betrayed() {
    let seen = [betray(&[50, 70], 6, 250), betray(&[50], 11, 250)];
    let [tied, refused] = [0, 1].map(|at| seen.iter().map(|s| s[at]).sum::<usize>());
    assert!(tied > 20 && refused < 30, "{seen:?}");
}

/// Of so many random answers over tables of up to `most` patients with these ages: in how many counts were hidden for what they
/// tell together, and how many were refused.
fn betray(ages: &[u64], most: u64, answers: usize) -> [usize; 2] {
    let kinds = kinds(2, ages);
    let tables = tables(kinds.len(), most);
    let registry = registry(2);
    let mut random = Random(11);
    let keys = [
        "",
        "",
        " GROUP BY site",
        " GROUP BY flag",
        " GROUP BY site, flag",
    ];
    let mut seen = [0, 0];
    for _ in 0..answers {
        let sql = random.query(6, &keys, if ages.len() == 2 { 2 } else { 3 });
        let table = &tables[random.below(tables.len())];
        let case = Case::over(&registry, &sql, &rows(&kinds, table), most);
        match decide(&case.counts, &three(), &case.values) {
            Ok(states) => {
                let is_tied = states.iter().any(|s| matches!(s, State::Tied(_)));
                seen[0] += usize::from(is_tied);
                let checked = check(&case.counts, &three(), &states).unwrap();
                let reader = Reader::new(&case, &kinds, &tables, (&states, &checked));
                assert_eq!(reader.betrayed(), None, "{sql} {table:?} {states:?}");
                for group in 0..case.counts.groups {
                    assert!(reader.found(group).is_empty(), "{sql} {table:?} {states:?}");
                }
            }
            Err(_) => seen[1] += 1,
        }
    }
    seen
}

/// Tables of the world of two sites and two ages, of all sizes, and queries over them under the default profile.
fn realistic(random: &mut Random, kinds: &[Row]) -> Case {
    let keys = [
        "",
        "",
        " GROUP BY site",
        " GROUP BY flag",
        " GROUP BY site, flag",
    ];
    let sql = random.query(6, &keys, 2);
    let mut patients = || match random.below(8) {
        0 => 0,
        1 => random.below(11),
        2 => random.below(40),
        _ => 10 + random.below(300),
    };
    let table: Table = kinds.iter().map(|_| patients() as u64).collect();
    let others = 20 * random.below(3) as u64;
    let all = table.iter().sum::<u64>() + others;
    let mut case = Case::over(&registry(2), &sql, &[], all);
    case.values = case.counted(&of_kinds(kinds, &table));
    case
}

/// Whether nothing is found if these counts are hidden too, and nothing is said of them.
fn is_kept(case: &Case, alone: &[State], also: &[usize]) -> bool {
    let profile = ReleaseProfile::default();
    let mut bounds = check(&case.counts, &profile, alone).unwrap().bounds;
    let mut states = alone.to_vec();
    for cell in also {
        states[*cell] = State::Guarded;
        bounds[*cell] = (0, case.counts.rows);
    }
    let (counts, profile) = (&case.counts, &profile);
    let facts = Facts {
        counts,
        profile,
        states: &states,
        bounds: &bounds,
        sums: &counts.shown_sums(&states, &case.values),
    };
    findings(&facts, &mut Work::of_an_answer())
        .unwrap()
        .is_empty()
}

/// The fewest counts of `shown` that must be hidden so that nothing is found, if `most` are enough.
fn fewest(case: &Case, alone: &[State], shown: &[usize], most: usize) -> Option<usize> {
    (0..=most).find(|size| any_of(shown, *size, &mut Vec::new(), &|s| is_kept(case, alone, s)))
}

/// Whether any set of so many of these does.
fn any_of(
    of: &[usize],
    size: usize,
    chosen: &mut Vec<usize>,
    does: &dyn Fn(&[usize]) -> bool,
) -> bool {
    if size == 0 {
        return does(chosen);
    }
    (0..of.len()).any(|at| {
        chosen.push(of[at]);
        let any = any_of(&of[at + 1..], size - 1, chosen, does);
        chosen.pop();
        any
    })
}

/// What is hidden beyond the fewest counts that all patterns of hiding need; and how many answers are refused.
#[test]
fn little_more_is_hidden_than_must_be() {
    let profile = ReleaseProfile::default();
    let kinds = kinds(2, &[50, 70]);
    let mut random = Random(17);
    let (mut answers, mut refused, mut cells) = (0, 0, 0);
    let (mut hidden, mut needed) = (0, 0);
    for _ in 0..1_000 {
        let case = realistic(&mut random, &kinds);
        let alone = rule(&case.counts, &profile, &case.values, &Tied::new());
        let shown = |states: &[State]| -> Vec<usize> {
            let all = 0..states.len();
            all.filter(|c| states[*c].shown().is_some_and(|n| n > 0))
                .collect()
        };
        cells += alone.len();
        let Ok(states) = decide(&case.counts, &profile, &case.values) else {
            refused += 1;
            continue;
        };
        let more = shown(&alone).len() - shown(&states).len();
        if states.iter().any(|s| matches!(s, State::Tied(_))) {
            answers += 1;
            hidden += more;
            needed += fewest(&case, &alone, &shown(&alone), more).unwrap();
        }
    }
    println!(
        "of 1,000 answers with {cells} counts {refused} refused; {answers} hide {hidden} counts for what all tell together, where {needed} are \
         the fewest"
    );
    assert!(answers > 30 && refused <= 5);
    assert!(hidden <= needed * 2, "{hidden} of {needed}");
}

/// What cliques of conditions tell of a region is what all conditions together tell.
#[test]
fn cliques_tell_what_all_conditions_tell() {
    let (most, kinds) = (120, kinds(2, &[50, 70]));
    let registry = registry(2);
    let mut random = Random(31);
    let (mut regions, mut split) = (0, 0);
    for _ in 0..300 {
        let sql = random.query(6, &["", "", " GROUP BY site", " GROUP BY flag"], 2);
        let table: Table = kinds
            .iter()
            .map(|_| [0, 1, 2, 9][random.below(4)])
            .collect();
        let mut case = Case::over(&registry, &sql, &[], most);
        case.values = case.counted(&of_kinds(&kinds, &table));
        let states = rule(&case.counts, &three(), &case.values, &Tied::new());
        let bounds = check(&case.counts, &three(), &states).unwrap().known();
        let keys = || case.keys.iter().map(Vec::as_slice);
        let fields = &case.counts.fields;
        let cliques = Conditions::up_to(0, &case.query, &registry, fields, keys()).unwrap();
        let apart = case.counts.with_conditions(cliques);
        for group in 0..apart.groups {
            let [together, apart] = [&case.counts, &apart].map(|counts| {
                let facts = Facts {
                    counts,
                    profile: &three(),
                    states: &states,
                    bounds: &bounds,
                    sums: &counts.shown_sums(&states, &case.values),
                };
                let world = counts.world(group);
                let mut work = Work::of_an_answer();
                let system = Program::new(&facts, group, most).system();
                let mut solver = Solver::new(system, &mut work).unwrap();
                let of = |r: &world::Region| (r.who.clone(), solver.between(&r.indicator).unwrap());
                let all: BTreeMap<_, _> = world.regions().iter().map(of).collect();
                (all, world.whole.len())
            });
            split += usize::from(together.1 != apart.1);
            for (who, between) in &apart.0 {
                // Regions of the same atoms have one name, which may be another one here.
                if let Some(all) = together.0.get(who) {
                    regions += 1;
                    assert_eq!(between, all, "{sql} {table:?} {who:?}");
                }
            }
        }
    }
    assert!(split > 50 && regions > 2_000, "{split} {regions}");
}

/// Sums of a column with few values tell what they tell a reader who tries all tables, but for what follows only because patients are whole.
#[test]
fn all_tables_tell_what_sums_tell() {
    let (most, k) = (8, three());
    let kinds: Vec<Row> = (0..2)
        .flat_map(|site| (0..4).map(move |score| (site, score)))
        .map(|(site, score)| vec![Some(site), Some(0), Some(50), Some(7), None, Some(score)])
        .collect();
    let tables = tables(kinds.len(), most);
    let registry = registry(2);
    let mut random = Random(41);
    let (mut found_in, mut missed) = (0, 0);
    for _ in 0..300 {
        let (whats, filters) = (
            ["count(*)", "avg(score)", "avg(score)", "stddev_samp(score)"],
            [
                "site = 'a'",
                "score = 1",
                "score <= 2",
                "score = 4",
                "score > 1",
                "site = 'b' AND score > 2",
            ],
        );
        let mut outputs = vec!["count(*)".to_owned()];
        for _ in 0..1 + random.below(3) {
            let what = random.one(&whats);
            outputs.push(match random.below(3) {
                0 => what.to_owned(),
                _ => format!("{what} FILTER (WHERE {})", random.one(&filters)),
            });
        }
        let within = random.one(&["", " WHERE score <> 3", " WHERE score <> 2"]);
        let by = random.one(&["", "", " GROUP BY site"]);
        let sql = format!("SELECT {} FROM t{within}{by}", outputs.join(", "));
        let table = &tables[random.below(tables.len())];
        let case = Case::over(&registry, &sql, &rows(&kinds, table), most);
        let states = rule(&case.counts, &k, &case.values, &Tied::new());
        let mut checked = check(&case.counts, &k, &states).unwrap();
        checked.orders.clear();
        let reader = Reader::new(&case, &kinds, &tables, (&states, &checked));
        let found = case.found(&k).unwrap();
        for group in 0..case.counts.groups {
            let all = reader.found(group);
            let own = found.iter().filter(|f| f.group == group);
            let own: Vec<usize> = own.map(|f| f.region).collect();
            // Over whole numbers it may be one that a state says.
            let few = reader.few(group, &[]);
            assert!(
                own.iter().all(|r| few.contains(r)),
                "{sql} {table:?} {own:?} {all:?}"
            );
            found_in += usize::from(!own.is_empty());
            missed += usize::from(own.is_empty() && !all.is_empty());
        }
    }
    println!("found in {found_in} groups, and in {missed} more if patients are whole");
    assert!(
        found_in > 20 && missed * 3 < found_in,
        "{found_in} {missed}"
    );
}
