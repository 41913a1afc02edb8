use galen_circuits::equation::Rows;
use galen_query::query::{Predicate, parse_query};

use super::*;
use crate::{
    plan::{FieldKind, Plan},
    rules::{check, decide},
};

fn registry() -> Registry {
    let text = "[registry]\nname = \"t\"\nversion = 1\npatient_id = \"id\"\n\
        [[purpose]]\ncode = \"DUO:0000042\"\ncolumn = \"consent\"\n\
        [[column]]\nname = \"site\"\ntype = \"category\"\ncodes = [\"a\", \"b\", \"c\", \"d\"]\n\
        [[column]]\nname = \"flag\"\ntype = \"boolean\"\nnullable = true\n\
        [[column]]\nname = \"age\"\ntype = \"number\"\nmin = 0\nmax = 100\n\
        [[column]]\nname = \"cost\"\ntype = \"number\"\nmin = 0\nmax = 1000\n";
    Registry::from_toml(text).unwrap()
}

/// A patient's stored values, by column.
type Row = Vec<Option<u64>>;

fn patients(kinds: &[(u64, u64, Option<u64>, u64)]) -> Vec<Row> {
    let rows = kinds.iter().flat_map(|(n, site, flag, age)| {
        let row = vec![Some(*site), *flag, Some(*age), Some(7)];
        (0..*n).map(move |_| row.clone())
    });
    rows.collect()
}

fn is_in(row: &Row, query: &CohortQuery, keys: &[GroupKey]) -> bool {
    let key = |(g, k): (&galen_query::query::Grouping, &GroupKey)| match (row[g.column], k) {
        (None, GroupKey::Null) => true,
        (Some(v), GroupKey::Value(k)) => v == *k,
        _ => false,
    };
    query.group_by.iter().zip(keys).all(key) && query.filter.eval(&|c| row[c])
}

fn meets(row: &Row, query: &CohortQuery, field: Field) -> bool {
    let filters: Vec<&Predicate> = query.filters();
    let value = |c: Option<usize>| c.is_none_or(|c| row[c].is_some());
    let trues = field.kind != FieldKind::Trues || field.column.is_some_and(|c| row[c] == Some(1));
    let filtered = field.filter.is_none_or(|f| filters[f].eval(&|c| row[c]));
    value(field.column) && value(field.other) && trues && filtered
}

/// What is found of the rule's own decision.
fn found(sql: &str, rows: &[Row], all: u64) -> Result<Vec<Finding>, Unknown> {
    attacked(sql, rows, all, &ReleaseProfile::default(), |_| ())
}

/// The same under any profile, with a look at what is published.
fn attacked(
    sql: &str,
    rows: &[Row],
    all: u64,
    profile: &ReleaseProfile,
    look: impl FnOnce(&Facts<'_>),
) -> Result<Vec<Finding>, Unknown> {
    let registry = registry();
    let query = parse_query(sql, &registry).unwrap();
    let present = usize::try_from(all).unwrap();
    let plan = Plan::new(&query, 0, &registry, Rows::of(present).unwrap(), &[]).unwrap();
    let counts = Counts::of(&plan);
    let keys: Vec<Vec<GroupKey>> = plan.layout.groups.iter().map(|(k, _)| k.clone()).collect();
    let values: Vec<u64> = (0..counts.len())
        .map(|cell| {
            let (field, group) = counts.place(cell);
            let inside = rows.iter().filter(|r| is_in(r, &query, &keys[group]));
            inside.filter(|r| meets(r, &query, field)).count() as u64
        })
        .collect();
    let states = decide(&counts, profile, &values);
    let bounds = check(&counts, profile, &states).unwrap().bounds;
    let facts = Facts {
        query: &query,
        registry: &registry,
        counts: &counts,
        keys: &keys,
        states: &states,
        bounds: &bounds,
    };
    look(&facts);
    findings(&facts, profile)
}

fn between(found: Result<Vec<Finding>, Unknown>) -> Vec<(usize, u64, u64)> {
    let found = found.unwrap();
    found
        .into_iter()
        .map(|f| (f.group, f.between.0, f.between.1))
        .collect()
}

fn sites() -> Vec<Row> {
    patients(&[
        (60, 0, Some(0), 50),
        (38, 1, Some(0), 50),
        (1, 2, Some(0), 50),
        (1, 3, Some(0), 50),
    ])
}

#[test]
fn a_partition_by_filters() {
    let sql = "SELECT count(*), sum(cost), count(*) FILTER (WHERE site = 'a'), sum(cost) FILTER (WHERE site = 'a'), \
        count(*) FILTER (WHERE site = 'b'), sum(cost) FILTER (WHERE site = 'b') FROM t WHERE site <> 'd'";
    assert_eq!(between(found(sql, &sites(), 1_000)), [(0, 1, 1)]);
    // Nothing else is there: nobody is in neither.
    let all = sql.replace("site <> 'd'", "site IN ('a', 'b')");
    assert_eq!(between(found(&all, &sites(), 1_000)), []);
}

#[test]
fn the_count_of_missing_values() {
    let rows = patients(&[(45, 0, Some(1), 50), (50, 0, Some(0), 50), (5, 0, None, 50)]);
    let sql = "SELECT count(*), sum(flag), count(*) FILTER (WHERE NOT flag) FROM t";
    assert_eq!(between(found(sql, &rows, 1_000)), [(0, 5, 5)]);
}

#[test]
fn inclusion_and_exclusion() {
    let rows = patients(&[
        (12, 0, Some(1), 50),
        (12, 0, Some(0), 80),
        (1, 0, Some(1), 80),
        (60, 0, Some(0), 50),
    ]);
    let sql = "SELECT count(*) FILTER (WHERE flag), count(*) FILTER (WHERE age > 70), \
        count(*) FILTER (WHERE flag OR age > 70) FROM t";
    assert_eq!(between(found(sql, &rows, 1_000)), [(0, 1, 1)]);
}

#[test]
fn hidden_counts_that_the_number_of_patients_gives_away() {
    let sql = "SELECT site, count(*) FROM t GROUP BY site";
    assert_eq!(between(found(sql, &sites(), 101)), []);
    assert_eq!(between(found(sql, &sites(), 100)), [(2, 1, 1), (3, 1, 1)]);
}

/// What a patient can be in a small world: a site and a flag.
fn kinds() -> Vec<Row> {
    let flags = [None, Some(0), Some(1)];
    let sites = (0..3).flat_map(|s| flags.map(|f| vec![Some(s), f, Some(50), Some(7)]));
    sites.collect()
}

/// All ways to have up to `most` patients of these kinds.
fn worlds(kinds: usize, most: u64) -> Vec<Vec<u64>> {
    (0..kinds).fold(vec![Vec::new()], |all, _| {
        let mut longer = Vec::new();
        for world in &all {
            let left = most - world.iter().sum::<u64>();
            longer.extend((0..=left).map(|n| [world.as_slice(), &[n]].concat()));
        }
        longer
    })
}

/// The regions of a small world that its reader can name: each field, and each condition of the pool with or without another.
fn named(query: &CohortQuery, facts: &Facts<'_>, group: usize) -> [Vec<Vec<bool>>; 2] {
    let kinds = kinds();
    let keys = &facts.keys[group];
    let inside = |row: &Row| is_in(row, query, keys);
    let filters = query.filters();
    let mut conditions: Vec<Vec<bool>> = filters
        .iter()
        .map(|f| kinds.iter().map(|r| f.eval(&|c| r[c])).collect())
        .collect();
    let mut small = Vec::new();
    for field in &facts.counts.fields {
        let own: Vec<bool> = kinds
            .iter()
            .map(|r| inside(r) && meets(r, query, *field))
            .collect();
        let cell = facts.counts.cell(*field, group).unwrap();
        if facts.states[cell] == State::Small {
            small.push(own.clone());
        }
        conditions.push(own);
        // The parts of it, each by itself.
        let bare = Field {
            filter: None,
            ..*field
        };
        conditions.push(kinds.iter().map(|r| meets(r, query, bare)).collect());
    }
    let mut regions = vec![kinds.iter().map(inside).collect::<Vec<bool>>()];
    let signed = |c: &Vec<bool>, yes: bool| c.iter().map(|b| *b == yes).collect::<Vec<bool>>();
    for a in &conditions {
        for b in &conditions {
            for (x, y) in [(true, true), (true, false), (false, false)] {
                let (a, b) = (signed(a, x), signed(b, y));
                let both = (0..kinds.len()).map(|i| a[i] && b[i] && inside(&kinds[i]));
                regions.push(both.collect());
            }
        }
    }
    [regions, small]
}

/// Whether a reader who tries all worlds finds a region with some patients, and fewer than k.
fn betrayed(facts: &Facts<'_>, worlds: &[Vec<u64>], k: u64) -> bool {
    let query = facts.query;
    let kinds = kinds();
    let count = |world: &[u64], group: usize, field: Field| -> u64 {
        let met = |r: &Row| is_in(r, query, &facts.keys[group]) && meets(r, query, field);
        let counts = kinds.iter().zip(world).filter(|(r, _)| met(r));
        counts.map(|(_, n)| n).sum()
    };
    let fits = |world: &&Vec<u64>| {
        (0..facts.counts.len()).all(|cell| {
            let (field, group) = facts.counts.place(cell);
            let n = count(world, group, field);
            facts.bounds[cell].0 <= n && n <= facts.bounds[cell].1
        })
    };
    let possible: Vec<&Vec<u64>> = worlds.iter().filter(fits).collect();
    assert!(!possible.is_empty());
    let size = |world: &[u64], region: &[bool]| -> u64 {
        let inside = world.iter().zip(region).filter(|(_, is_in)| **is_in);
        inside.map(|(n, _)| *n).sum()
    };
    (0..facts.counts.groups).any(|group| {
        let [regions, small] = named(query, facts, group);
        let same = |a: &[bool], b: &[bool]| possible.iter().all(|w| size(w, a) == size(w, b));
        regions.iter().any(|region| {
            let sizes = possible.iter().map(|world| size(world, region));
            let (least, most) = sizes.fold((u64::MAX, 0), |(l, m), n| (l.min(n), m.max(n)));
            let is_small = least >= 1 && most < k;
            is_small && (least == most || !small.iter().any(|s| same(s, region)))
        })
    })
}

/// A reader who tries every table finds what the linear programs find, and nothing else.
#[test]
fn all_tables_tell_what_the_programs_tell() {
    let pool = [
        "site = 'a'",
        "site = 'b'",
        "site IN ('a', 'b')",
        "flag",
        "NOT flag",
        "flag OR site = 'a'",
        "flag AND site = 'b'",
        "flag IS NULL",
    ];
    let most = 7;
    let worlds = worlds(9, most);
    let profile = ReleaseProfile::exact("three", 3, true);
    let mut state = 5_u64;
    let mut next = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut seen = [0, 0];
    for _ in 0..400 {
        let mut outputs = vec!["count(*)".to_owned()];
        for more in ["count(flag)", "sum(flag)"] {
            if next(3) == 0 {
                outputs.push(more.to_owned());
            }
        }
        for _ in 0..1 + next(3) {
            outputs.push(format!(
                "count(*) FILTER (WHERE {})",
                pool[next(pool.len())]
            ));
        }
        if next(4) == 0 {
            outputs.remove(0);
        }
        let within = ["", " WHERE site <> 'd'", " WHERE site <> 'c' OR flag"][next(3)];
        let by = ["", "", " GROUP BY site", " GROUP BY flag"][next(4)];
        let sql = format!("SELECT {} FROM t{within}{by}", outputs.join(", "));
        let world = &worlds[next(worlds.len())];
        let kinds = kinds();
        let rows: Vec<Row> = kinds
            .iter()
            .zip(world)
            .flat_map(|(row, n)| (0..*n).map(move |_| row.clone()))
            .collect();
        let mut is_betrayed = false;
        let found = attacked(&sql, &rows, most, &profile, |facts| {
            is_betrayed = betrayed(facts, &worlds, profile.k);
        });
        let found = found.unwrap();
        seen[usize::from(is_betrayed)] += 1;
        assert_eq!(!found.is_empty(), is_betrayed, "{sql} {world:?} {found:?}");
    }
    assert!(seen.iter().all(|n| *n > 40), "{seen:?}");
}
