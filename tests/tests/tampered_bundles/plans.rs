//! Proofs of another plan than the query's: the prover is our own, its plan was tampered with. The
//! keys are the honest ones, so that nothing but the statements differs.

use galen_circuits::{batch::Check, gates::Gate};
use galen_query::query::IntervalSet;
use galen_tests::ask;
use galen_verifier::{
    VerifyError,
    plan::{ColumnId, Linear, Plan, Slot, Step},
    rules::State,
};

use super::{
    GROUPS, HOSPITAL, SUMS, assert_proof, assert_release, doctored, doctored_at, find, plan_step,
};

fn base(name: &str) -> ColumnId {
    let bases = HOSPITAL.dataset.registry().base_columns();
    ColumnId::Base(bases.iter().position(|b| b.name == name).unwrap())
}

fn column(name: &str) -> Linear {
    Linear::column(base(name))
}

fn one() -> Linear {
    Linear::column(ColumnId::One)
}

/// Changes a step's first slot.
fn change_x(step: &mut Step, change: impl FnOnce(Linear) -> Linear) {
    let Slot::Given(x) = &step.slots[0] else {
        panic!("x is given");
    };
    step.slots[0] = Slot::Given(change(x.clone()));
}

#[track_caller]
fn assert_root(sql: &str, check: Check, change: impl FnOnce(&mut Step)) {
    let (_, e) = doctored(sql, |plan| change(plan_step(plan, "root")));
    assert_proof(&e, "root", Gate::Select, Some(0), check);
}

#[test]
fn consent_is_left_out_of_the_root() {
    let consent = column("consent:DUO:0000042");
    assert_root(SUMS, Check::Groth16, |root| {
        root.k -= 1;
        change_x(root, |x| x.minus(&consent));
    });
    // With `ones` in its place k is right, and only the link shows it.
    assert_root(SUMS, Check::Link, |root| {
        change_x(root, |x| x.minus(&consent).plus(&one()));
    });
}

#[test]
fn present_is_left_out_of_the_root() {
    let present = Linear::column(ColumnId::Present);
    assert_root(GROUPS, Check::Groth16, |root| {
        root.k -= 1;
        change_x(root, |x| x.minus(&present));
    });
    // In a full chunk `ones` is `present`; the last one has rows of padding.
    let (_, e) = doctored(GROUPS, |plan| {
        change_x(plan_step(plan, "root"), |x| x.minus(&present).plus(&one()));
    });
    assert_proof(&e, "root", Gate::Select, Some(1), Check::Link);
}

#[test]
fn a_literal_is_left_out_of_the_root() {
    assert_root(SUMS, Check::Link, |root| {
        change_x(root, |x| x.minus(&column("b")).plus(&one()));
    });
}

#[test]
fn k_of_the_root_is_changed() {
    assert_root(SUMS, Check::Groth16, |root| root.k -= 1);
    assert_root(SUMS, Check::Groth16, |root| root.k += 1);
}

#[test]
fn the_payload_is_another_one() {
    assert_root(SUMS, Check::Link, |root| root.slots[1] = Slot::Given(one()));
}

#[test]
fn the_set_of_a_predicate_is_changed() {
    let (_, e) = doctored(SUMS, |plan| {
        plan_step(plan, "in(n;22-").set = IntervalSet::range(23, 601);
    });
    assert_proof(
        &e,
        "in(n;22-",
        Gate::Recode { bits: 10 },
        Some(0),
        Check::Groth16,
    );
}

/// On rows where b is NULL, `ones − b` is 1: the answer would count patients without b.
#[test]
fn a_nullable_comparison_is_complemented_against_ones() {
    let sql = "SELECT count(*) FROM t WHERE NOT b";
    assert_root(sql, Check::Link, |root| {
        change_x(root, |x| {
            assert!(
                x.terms().any(|(id, _)| id == base("b.known")),
                "complemented against known"
            );
            x.minus(&column("b.known")).plus(&one())
        });
    });
}

/// x = n + arm meets 500.. exactly where n does: no n is 499, and none in arm c near it. Our prover proves it.
#[test]
fn a_predicate_reads_a_combination() {
    let sql = "SELECT count(*) FROM t WHERE n >= 500";
    let (_, e) = doctored(sql, |plan| {
        change_x(plan_step(plan, "in(n;501-601)"), |x| x.plus(&column("arm")));
    });
    assert_proof(
        &e,
        "in(n;501-601)",
        Gate::Recode { bits: 10 },
        Some(0),
        Check::Groth16,
    );
}

#[test]
fn a_product_is_of_other_columns() {
    let (_, e) = doctored(SUMS, |plan| {
        plan_step(plan, "product").slots[1] = Slot::Given(column("b.known"));
    });
    assert_proof(&e, "product", Gate::Multiply, Some(0), Check::Link);
}

#[test]
fn a_range_proof_is_left_out() {
    let drop = |plan: &mut Plan, start: &str| {
        let index = find(plan.steps.iter().map(|s| s.key.as_str()), start);
        plan.steps.remove(index);
    };
    for start in [
        "range10(n)",
        "most10(n;601)",
        "null(b)",
        "bit(consent",
        "bit(b)",
    ] {
        let (honest, e) = doctored(SUMS, |plan| drop(plan, start));
        let at = find(honest.steps.iter().map(|s| s.key.as_str()), start);
        match (e, honest.steps.get(at + 1)) {
            (
                VerifyError::UnexpectedStep {
                    index,
                    got,
                    expected,
                    ..
                },
                Some(next),
            ) => {
                assert_eq!((index, got), (at, next.key.clone()));
                assert_eq!(expected, format!("`{}`", honest.steps[at].key));
            }
            (VerifyError::MissingStep { key, index, .. }, None) => {
                assert_eq!((key, index), (honest.steps[at].key.clone(), at));
            }
            (other, _) => panic!("{start}: {other:?}"),
        }
    }
}

/// The index holds the honest proofs of registration: without it, all is proven by the other plan.
#[test]
fn a_registration_proves_something_weaker() {
    let weaker = |start: &str, change: fn(&mut Step)| {
        let hospital = HOSPITAL.fork();
        std::fs::remove_dir_all(hospital.dataset.folder().join("index")).unwrap();
        doctored_at(&hospital, SUMS, |plan| change(plan_step(plan, start))).1
    };
    // consent·1 = consent says nothing.
    let e = weaker("bit(consent", |s| s.slots[1] = Slot::Given(one()));
    assert_proof(&e, "bit(consent", Gate::Multiply, Some(0), Check::Link);
    // b·1 = b leaves a NULL row what it likes.
    let e = weaker("null(b)", |s| s.slots[1] = Slot::Given(one()));
    assert_proof(&e, "null(b)", Gate::Multiply, Some(0), Check::Link);
    // The range of another column, which is in it anyway.
    let recode = Gate::Recode { bits: 10 };
    let e = weaker("range10(n)", |s| s.slots[0] = Slot::Given(column("b")));
    assert_proof(&e, "range10(n)", recode, Some(0), Check::Groth16);
}

/// Four patients, a large sum: by itself it would be published, and so would be their number as a sum.
#[test]
fn a_sum_is_taken_for_a_count() {
    let hospital = HOSPITAL.fork();
    let asked = ask(&hospital, "SELECT sum(n) FROM t WHERE arm = 'c'");
    let honest = [State::Small, State::Guarded];
    assert_eq!(asked.bundle.releases[0].cells, honest);
    for (cell, state) in [
        (1, State::Shown(900)),
        (1, State::Small),
        (0, State::Guarded),
    ] {
        let mut bundle = asked.bundle.clone();
        bundle.releases[0].cells[cell] = state;
        let e = hospital.verify(&asked.question, &bundle).unwrap_err();
        let VerifyError::CellRule {
            release: 0,
            cell: at,
            ..
        } = e
        else {
            panic!("{e:?}");
        };
        assert_eq!(at, cell);
    }
}

#[test]
fn a_release_sums_another_root() {
    let sql = "SELECT arm, sum(n) FROM t GROUP BY arm";
    let (_, e) = doctored(sql, |plan| plan.releases[0].roots.swap(0, 1));
    assert_release(&e, Check::Link);
}
