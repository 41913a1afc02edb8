//! Counts that are hidden for what all of an answer tell together.

use std::{fmt::Write as _, sync::LazyLock};

use galen_circuits::CircuitError;
use galen_params::Silent;
use galen_prover::execute::answer;
use galen_tests::{Asked, Hospital, Setup, ask, keys::keys};
use galen_verifier::{
    VerifyError,
    bundle::Bundle,
    plan::Plan,
    plan_for, rules,
    rules::{Published, ReleaseProfile, State},
};

use super::{
    REGISTRY, broken, csv,
    forge::{Forger, Secrets},
};

/// Three of arm c consented: all less a and b would tell.
const PARTITION: &str = "SELECT count(*) AS n, count(*) FILTER (WHERE arm = 'a') AS a, count(*) FILTER (WHERE arm = 'b') AS b \
    FROM t WHERE arm <> 'd'";
/// Nobody else, and more than a few.
const COMPLETE: &str = "SELECT count(*) AS n, count(*) FILTER (WHERE arm = 'a') AS a, count(*) FILTER (WHERE arm = 'b') AS b \
    FROM t WHERE arm IN ('a', 'b')";
const MANY: &str = "SELECT count(*) AS n, count(*) FILTER (WHERE arm = 'a') AS a, count(*) FILTER (WHERE arm = 'b' AND n > 20) AS b FROM t";

fn strict(csv: &str) -> Hospital {
    let setup = Setup {
        release: ReleaseProfile::default(),
        ..Setup::new(csv, REGISTRY)
    };
    setup.commit()
}

static STRICT: LazyLock<Hospital> = LazyLock::new(|| strict(&csv()));
static SECRETS: LazyLock<Secrets> = LazyLock::new(|| Secrets::of(&STRICT));
/// Some could be of arm c, and none is.
const NOBODY: &str = "SELECT count(*) AS n, count(*) FILTER (WHERE arm = 'a') AS a, count(*) FILTER (WHERE arm = 'b') AS b \
    FROM t WHERE arm <> 'd' AND n > 400";

static TIED: LazyLock<Asked> = LazyLock::new(|| ask(&STRICT, PARTITION));

/// Everybody consented: 60 and 38 of arms a and b, one of c and one of d.
static SMALL: LazyLock<Hospital> = LazyLock::new(|| {
    let arms = [("a", 60), ("b", 38), ("c", 1), ("d", 1)];
    let mut csv = String::from("pid,consent,b,n,arm\n");
    let all = arms.iter().flat_map(|(arm, n)| (0..*n).map(move |_| arm));
    for (i, arm) in all.enumerate() {
        writeln!(csv, "p{i},true,0,7,{arm}").unwrap();
    }
    strict(&csv)
});
static WHOLE: LazyLock<Asked> =
    LazyLock::new(|| ask(&SMALL, "SELECT arm, count(*) FROM t GROUP BY arm"));

fn region() -> u32 {
    match TIED.bundle.cells[0][1] {
        State::Tied(region) => region,
        other => panic!("{other:?}"),
    }
}

fn planned(hospital: &Hospital, sql: &str) -> Plan {
    let d = &hospital.dataset;
    let resolved = hospital.question(sql).resolve(d.registry()).unwrap();
    plan_for(&resolved, d.registry(), d.dataset(), &[]).unwrap()
}

/// Verifies `asked`'s bundle after `change`.
#[track_caller]
fn refused(hospital: &Hospital, asked: &Asked, change: impl FnOnce(&mut Bundle)) -> VerifyError {
    let mut bundle = asked.bundle.clone();
    change(&mut bundle);
    hospital.verify(&asked.question, &bundle).unwrap_err()
}

/// Whether the rule allows these states, and the hospital itself can prove them of an answer that it makes.
fn proves(hospital: &Hospital, secrets: &Secrets, sql: &str, published: &Published) -> bool {
    let question = hospital.question(sql);
    let plan = planned(hospital, sql);
    if rules::cells(&plan, &hospital.manifest().release, published).is_err() {
        return false;
    }
    let forger = Forger::new(secrets, hospital.dataset.dataset());
    match forger.answer(&question, &plan, published, |_, _| ()) {
        Ok(bundle) => hospital.verify(&question, &bundle).is_ok(),
        Err(CircuitError::Unsatisfied(_)) => false,
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn what_all_counts_tell_is_hidden_and_told_to_be() {
    let [all, a, b] = TIED.bundle.cells[0][..] else {
        panic!()
    };
    assert!(all.shown().is_some() && a.shown().is_none() && b.shown().is_some());
    let answer = &TIED.answer;
    let json = answer.to_json();
    assert_eq!(json["hidden_together"], 1);
    let who = "without arm a or arm b";
    assert_eq!(
        json["hidden_for"],
        serde_json::json!([{
            "count": "a",
            "rule": "tied",
            "of": who,
            "why": format!("all counts together would tell how few patients there are {who}"),
        }])
    );
    let reading = answer.reading();
    let said = "1 of its counts is hidden because all of them together";
    assert!(reading.contains(said), "{reading}");
    let said = format!("how few some are: a, of the patients {who}.");
    assert!(reading.contains(&said), "{reading}");
}

#[test]
fn a_count_that_tells_with_others_is_published() {
    let honest =
        TIED.bundle.cells[0][0].shown().unwrap() - TIED.bundle.cells[0][2].shown().unwrap();
    for few in [3, 5] {
        let e = refused(&STRICT, &TIED, |b| {
            b.cells[0][1] = State::Shown(honest - few)
        });
        let VerifyError::Told { who, .. } = e else {
            panic!("{e}")
        };
        assert_eq!(who, "without arm a or arm b");
    }
}

#[test]
fn a_count_is_hidden_for_another_region() {
    for other in (0..40).filter(|r| *r != region()) {
        let mut bundle = TIED.bundle.clone();
        bundle.cells[0][1] = State::Tied(other);
        assert!(STRICT.verify(&TIED.question, &bundle).is_err(), "{other}");
        // Either the rule has no such region, or it is not few.
        assert!(
            !proves(&STRICT, &SECRETS, PARTITION, &bundle.cells),
            "{other}"
        );
    }
}

#[test]
fn another_count_is_hidden_than_the_smallest() {
    let [all, _, b] = TIED.bundle.cells[0][..] else {
        panic!()
    };
    let a = all.shown().unwrap() - b.shown().unwrap() - 3;
    assert!(a < b.shown().unwrap());
    let published = vec![vec![all, State::Shown(a), State::Tied(region())]];
    assert!(!proves(&STRICT, &SECRETS, PARTITION, &published));
    // The forger is no worse at proving what is true.
    assert!(proves(&STRICT, &SECRETS, PARTITION, &TIED.bundle.cells));
}

#[test]
fn a_count_is_hidden_for_nobody_or_for_many() {
    for sql in [COMPLETE, NOBODY, MANY] {
        let asked = ask(&STRICT, sql);
        let honest = &asked.bundle.cells;
        assert!(honest[0].iter().all(|s| s.shown().is_some()));
        for (place, region) in (0..40).flat_map(|r| [(1, r), (2, r)]) {
            let mut published = honest.clone();
            published[0][place] = State::Tied(region);
            let e = refused(&STRICT, &asked, |b| b.cells.clone_from(&published));
            assert!(!proves(&STRICT, &SECRETS, sql, &published), "{e}");
        }
        let e = refused(&STRICT, &asked, |b| b.cells[0][1] = State::Tied(1_000_000));
        broken(&e, "it would tell nothing of that region");
    }
}

#[test]
fn small_groups_of_nearly_all_patients() {
    let [a, b, c, d] = [0, 1, 2, 3].map(|g| WHOLE.bundle.cells[g][0]);
    assert_eq!(
        [a, b, c, d],
        [
            State::Shown(60),
            State::Whole(0),
            State::Small,
            State::Small
        ]
    );
    let reading = WHOLE.answer.reading();
    let said = "how few some are: count (arm = b), of small groups.";
    assert!(reading.contains(said), "{reading}");
    let check = |change: &dyn Fn(&mut Published)| refused(&SMALL, &WHOLE, |b| change(&mut b.cells));
    let e = check(&|p| p[1][0] = State::Shown(38));
    broken(&e, "with the number of all patients it tells small counts");
    let e = check(&|p| p[0][0] = State::Whole(0));
    broken(&e, "the number of all patients tells nothing");
    // Of the two the smallest is hidden.
    let secrets = Secrets::of(&SMALL);
    let sql = &WHOLE.question.sql;
    let other = [
        State::Whole(0),
        State::Shown(38),
        State::Small,
        State::Small,
    ];
    assert!(!proves(
        &SMALL,
        &secrets,
        sql,
        &other.map(|s| vec![s]).to_vec()
    ));
    assert!(proves(&SMALL, &secrets, sql, &WHOLE.bundle.cells));
}

/// 300, 150, 20 and 9 patients have the scores 1 to 4.
#[test]
fn sums_of_few_values() {
    let score = "[[column]]\nname = \"score\"\ntype = \"number\"\nmin = 1\nmax = 4\n";
    let registry = format!("{REGISTRY}\n{score}");
    let mut csv = String::from("pid,consent,b,n,arm,score\n");
    for i in 0..479 {
        let score = [300, 450, 470, 479]
            .iter()
            .position(|end| i < *end)
            .unwrap()
            + 1;
        writeln!(csv, "p{i},true,0,{i},a,{score}").unwrap();
    }
    let setup = Setup {
        release: ReleaseProfile::default(),
        ..Setup::new(&csv, &registry)
    };
    let hospital = setup.commit();
    let median = "percentile_disc(0.5) WITHIN GROUP (ORDER BY score)";
    let told = format!(
        "SELECT count(*), avg(score), stddev_samp(score), {median} FROM t WHERE score <> 3"
    );
    let question = hospital.question(&told);
    let refused = answer(&hospital.dataset, &question, keys(), &Silent).unwrap_err();
    let refused = refused.to_string();
    assert!(
        refused.contains("how few patients there are with score 3 to 4"),
        "{refused}"
    );
    // Of four values they tell nothing so small.
    let asked = ask(&hospital, &told.replace(" WHERE score <> 3", ""));
    assert!(asked.bundle.cells[0].iter().all(|s| s.shown().is_some()));
    assert_eq!(asked.bundle.quantiles, [Some(0)]);
}
