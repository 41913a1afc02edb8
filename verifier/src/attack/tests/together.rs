//! Several answers over one dataset.

use super::{
    across::{Audit, Given, PairsLeftOut, Told, audit},
    all_tables::{Table, kinds, of_kinds, rows, tables, three},
    *,
};
use crate::{VerifyError, rules::Published};

/// What is published of a case's counts; its other statistics are not looked at.
fn published(case: &Case, profile: &ReleaseProfile) -> Published {
    let states = decide(&case.counts, profile, &case.values).unwrap();
    let of_group = |group: usize| {
        let state = |field: &Field| case.counts.cell(*field, group).map(|c| states[c]);
        let all = case.plan.statistics.keys();
        all.map(|f| state(f).unwrap_or(State::Guarded)).collect()
    };
    (0..case.counts.groups).map(of_group).collect()
}

fn audited(
    registry: &Registry,
    profile: &ReleaseProfile,
    cases: &[&Case],
) -> Result<Audit, VerifyError> {
    let all: Vec<Published> = cases.iter().map(|c| published(c, profile)).collect();
    let given = cases.iter().zip(&all).map(|(case, published)| Given {
        resolved: &case.resolved,
        plan: &case.plan,
        published,
    });
    audit(
        registry,
        profile,
        &given.collect::<Vec<_>>(),
        &galen_params::Silent,
    )
}

fn told(sql: [&str; 2], rows: &[Row], all: u64) -> Vec<Told> {
    let cases = sql.map(|s| Case::new(s, rows, all));
    let profile = ReleaseProfile::default();
    let found = audited(&registry(4), &profile, &[&cases[0], &cases[1]]).unwrap();
    assert!(found.left_out.is_empty() && found.pairs_left_out == PairsLeftOut::default());
    found.told
}

#[test]
fn the_difference_of_two_answers() {
    let all = "SELECT count(*) AS n, sum(cost) AS s FROM t";
    let rest = "SELECT count(*) AS n, sum(cost) AS s FROM t WHERE site <> 'c'";
    let found = told([all, rest], &sites(), 1_000);
    let [one] = &found[..] else {
        panic!("{found:?}")
    };
    let [(other, is_in)] = &one.and[..] else {
        panic!("{one:?}")
    };
    assert_eq!(
        (one.of.answer, other.answer, *is_in, one.between),
        (0, 1, false, (1, 1))
    );
    // Who did not consent is in neither, and where both ask the same nothing is told.
    assert_eq!(told([all, all], &sites(), 1_000), []);
    assert_eq!(
        told(
            [all, "SELECT count(*) FROM t WHERE site = 'a'"],
            &sites(),
            1_000
        ),
        []
    );
}

#[test]
fn a_total_and_its_groups() {
    let groups = "SELECT site, count(*) FROM t GROUP BY site";
    let total = "SELECT count(*) FROM t";
    let found = told([groups, total], &sites(), 1_000);
    let ones: Vec<_> = found.iter().filter(|t| t.and.is_empty()).collect();
    assert_eq!(ones.len(), 2, "{found:?}");
    assert!(ones.iter().all(|t| t.between == (1, 1)));
}

/// Neither of two parts that a third answer has together.
#[test]
fn what_several_answers_leave() {
    let sql = ["", " AND site = 'a'", " AND site = 'b'", " AND site = 'c'"]
        .map(|more| format!("SELECT count(*) FROM t WHERE age < 90{more}"));
    let mut rows = sites();
    rows.extend(patients(&[(29, 2, Some(0), 50)]));
    let cases = sql.map(|s| Case::new(&s, &rows, 1_000));
    let profile = ReleaseProfile::default();
    let all: Vec<&Case> = cases.iter().collect();
    let found = audited(&registry(4), &profile, &all).unwrap().told;
    let [one] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!((one.of.answer, one.and.len(), one.between), (0, 3, (1, 1)));
    assert_eq!(audited(&registry(4), &profile, &all[..3]).unwrap().told, []);
}

/// What the states of an attrition table say is no finding.
#[test]
fn attrition_tables_are_audited() {
    let sql =
        "EXPLAIN COHORT SELECT count(*) FROM t WHERE age < 90 AND site <> 'c' AND site <> 'b'";
    let case = Case::new(sql, &sites(), 1_000);
    let profile = ReleaseProfile::default();
    let states = decide(&case.counts, &profile, &case.values).unwrap();
    assert!(states.contains(&State::Difference), "{states:?}");
    assert_eq!(audited(&registry(4), &profile, &[&case]).unwrap().told, []);
}

#[test]
fn purposes_are_apart() {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[purpose]]\ncode = \"DUO:0000007\"\ncolumn = \"other\"\n\
        [[column]]\nname = \"site\"\ntype = \"category\"\ncodes = [\"a\", \"b\"]\n";
    let registry = Registry::from_toml(text).unwrap();
    let rows: Vec<Row> = (0..100).map(|n| vec![Some(u64::from(n < 3))]).collect();
    let all = Case::over(&registry, "SELECT count(*) FROM t", &rows, 500);
    let mut rest = Case::over(
        &registry,
        "SELECT count(*) FROM t WHERE site = 'a'",
        &rows,
        500,
    );
    let profile = ReleaseProfile::default();
    let found = |rest: &Case| audited(&registry, &profile, &[&all, rest]).unwrap().told;
    assert_eq!(found(&rest).len(), 1);
    rest.resolved.purpose = 1;
    assert_eq!(found(&rest), []);
}

#[test]
fn answers_of_which_one_is_wrong() {
    let all = Case::new("SELECT count(*) FROM t", &sites(), 1_000);
    let mut part = Case::new("SELECT count(*) FROM t WHERE site = 'a'", &sites(), 1_000);
    part.values[0] = 500;
    let found = audited(&registry(4), &ReleaseProfile::default(), &[&all, &part]);
    let error = found.unwrap_err();
    assert!(
        error.to_string().contains("contradict one another"),
        "{error}"
    );
    // Of three the pair is named that does.
    let found = audited(
        &registry(4),
        &ReleaseProfile::default(),
        &[&all, &all, &part],
    );
    for (error, named) in [(error, [0, 1]), (found.unwrap_err(), [0, 2])] {
        let VerifyError::OfAnswers { places, .. } = error else {
            panic!("{error}")
        };
        assert_eq!(places, named);
    }
}

/// What a reader of two answers finds who tries all tables.
#[test]
fn all_tables_tell_what_two_answers_tell() {
    let (most, kinds) = (7, kinds(2, &[50]));
    let tables = tables(kinds.len(), most);
    let registry = registry(2);
    let mut random = Random(23);
    let mut seen = [0, 0];
    for _ in 0..200 {
        let keys = ["", "", " GROUP BY site", " GROUP BY flag"];
        let table = &tables[random.below(tables.len())];
        let mut case = || {
            let sql = random.query(2, &keys, 3);
            Case::over(&registry, &sql, &rows(&kinds, table), most)
        };
        let cases = [case(), case()];
        let [Ok(_), Ok(_)] = [0, 1].map(|c| decide(&cases[c].counts, &three(), &cases[c].values))
        else {
            continue;
        };
        let found = audited(&registry, &three(), &[&cases[0], &cases[1]]).unwrap();
        let is_told = Both::new(&cases, &kinds, &tables).is_told();
        seen[usize::from(is_told)] += 1;
        let sql =
            [0, 1].map(|c| format!("{:?} {:?}", cases[c].query.filter, cases[c].counts.fields));
        assert_eq!(
            !found.told.is_empty(),
            is_told,
            "{sql:?} {table:?} {found:?}"
        );
    }
    assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
}

/// All counts of two answers, in each table that both fit: those whom they count, and their sizes.
struct Both {
    counts: Vec<(Vec<bool>, State)>,
    /// How many are the first answer's.
    of_first: usize,
    said: Vec<Vec<i64>>,
    possible: Vec<Table>,
}

impl Both {
    fn new(cases: &[Case; 2], kinds: &[Row], tables: &[Table]) -> Self {
        let mut both = Self {
            counts: Vec::new(),
            of_first: cases[0].counts.len(),
            said: Vec::new(),
            possible: tables.to_vec(),
        };
        for case in cases {
            let states = decide(&case.counts, &three(), &case.values).unwrap();
            let checked = check(&case.counts, &three(), &states).unwrap();
            both.possible.retain(|table| {
                let values = case.counted(&of_kinds(kinds, table));
                let value = |cell: usize| i64::try_from(values[cell]).unwrap();
                let few = |f: &Form| {
                    let sum: i64 = f.terms.iter().map(|(cell, c)| c * value(*cell)).sum();
                    (f.times..=f.times * 2).contains(&sum)
                };
                let mut bounds = checked.bounds.iter().zip(&values);
                bounds.all(|((a, b), n)| a <= n && n <= b) && checked.few.iter().all(few)
            });
        }
        for case in cases {
            let states = decide(&case.counts, &three(), &case.values).unwrap();
            let counted: Vec<Vec<u64>> = both
                .possible
                .iter()
                .map(|t| case.counted(&of_kinds(kinds, t)))
                .collect();
            let sizes = |cell: usize| -> Vec<i64> {
                counted
                    .iter()
                    .map(|v| i64::try_from(v[cell]).unwrap())
                    .collect()
            };
            for (cell, state) in states.iter().enumerate() {
                let (field, group) = case.counts.place(cell);
                let is_counted = |r: &Row| {
                    is_in(r, &case.query, &case.keys[group]) && meets(r, &case.query, field)
                };
                both.counts
                    .push((kinds.iter().map(is_counted).collect(), *state));
                match state {
                    State::Small => both.said.push(sizes(cell)),
                    State::Difference => {
                        for outer in case.counts.least_shown(&states, cell) {
                            let pairs = sizes(outer).into_iter().zip(sizes(cell));
                            both.said.push(pairs.map(|(a, b)| a - b).collect());
                        }
                        both.said.push(sizes(cell));
                    }
                    State::Tied(region) => {
                        let place = (group, Some(cell));
                        let form = case
                            .counts
                            .form(&states, *region, place, &mut Work::of_an_answer())
                            .unwrap();
                        let sum = counted.iter().map(|v| {
                            let terms = form.terms.iter();
                            terms
                                .map(|(c, n)| n * i64::try_from(v[*c]).unwrap())
                                .sum::<i64>()
                        });
                        both.said.push(sum.map(|s| s / form.times).collect());
                    }
                    _ => {}
                }
            }
        }
        both
    }

    fn is_told(&self) -> bool {
        let size = |region: &[bool]| -> Vec<i64> {
            let of_table = |t: &Table| -> u64 {
                t.iter()
                    .zip(region)
                    .filter(|(_, i)| **i)
                    .map(|(n, _)| n)
                    .sum()
            };
            self.possible
                .iter()
                .map(|t| i64::try_from(of_table(t)).unwrap())
                .collect()
        };
        let few = |region: Vec<bool>| {
            let sizes = size(&region);
            let (least, most) = (*sizes.iter().min().unwrap(), *sizes.iter().max().unwrap());
            least >= 1 && most < 3 && (least == most || !self.said.contains(&sizes))
        };
        // What both answers' shown counts within one leave of it.
        let rest = |a: &[bool], only: Option<usize>| -> Vec<bool> {
            let mut rest = a.to_vec();
            for (at, (b, state)) in self.counts.iter().enumerate() {
                let is_own = only.is_none_or(|first| (at < self.of_first) == (first == 0));
                let is_within = b.iter().zip(a).all(|(b, a)| *a || !*b);
                if b != a && is_own && is_within && state.shown().is_some() {
                    rest.iter_mut().zip(b).for_each(|(r, b)| *r &= !*b);
                }
            }
            rest
        };
        self.counts.iter().any(|(a, _)| {
            let all = [Some(0), Some(1)].iter().any(|only| few(rest(a, *only)));
            all || self.counts.iter().any(|(b, _)| {
                let part = |is_in: bool| a.iter().zip(b).map(|(a, b)| *a && *b == is_in).collect();
                few(part(true)) || few(part(false))
            })
        })
    }
}

/// No count is about the columns of both.
#[test]
fn counts_about_other_columns_are_told_as_not_looked_at() {
    let of = |filter: &str| {
        let sql = format!("SELECT count(*) FROM t WHERE {filter}");
        Case::new(&sql, &sites(), 1_000)
    };
    let found = audited(
        &registry(4),
        &ReleaseProfile::default(),
        &[&of("site = 'a'"), &of("flag")],
    );
    let pairs = found.unwrap().pairs_left_out;
    assert_eq!((pairs.apart, pairs.beyond), (1, 0));
}
