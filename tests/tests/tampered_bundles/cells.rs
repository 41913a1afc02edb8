//! What is published against what was proven.

use galen_circuits::CircuitError;
use galen_tests::Asked;
use galen_verifier::{
    VerifyError,
    answer::Cell,
    rules::{Published, State},
};

use super::{
    HONEST_GROUPS, HONEST_SUMS, HOSPITAL, ROWS, SECRETS, assert_circuit, assert_length, broken,
    forge::Forger, planned, refused,
};

fn change(cell: &mut State, by: i128) {
    *cell = State::Shown(cell.shown().unwrap() + by);
}

/// What keeps the hospital itself from proving that `published` is the answer.
#[track_caller]
fn no_proof(asked: &Asked, change: impl FnOnce(&mut Published)) -> String {
    let plan = planned(&asked.question.sql, &asked.bundle.quantiles).unwrap();
    let mut published = asked.bundle.cells.clone();
    change(&mut published);
    assert_ne!(published, asked.bundle.cells, "nothing was changed");
    let forger = Forger::new(&SECRETS, HOSPITAL.dataset.dataset());
    match forger.answer(&asked.question, &plan, &published, |_, _| ()) {
        Err(CircuitError::Unsatisfied(what)) => what,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("proven"),
    }
}

const OUT_OF_BOUNDS: &str = "an inequality over hidden cells";

#[test]
fn the_honest_answers_are_what_the_tamperings_assume() {
    let groups = &HONEST_GROUPS.answer.rows;
    let suppressed: Vec<bool> = groups
        .iter()
        .map(|r| matches!(r[1], Cell::Suppressed(11)))
        .collect();
    assert_eq!(suppressed, [false, false, true, true]);
    assert_eq!(HONEST_SUMS.bundle.cells.len(), 1);
    assert_eq!(HONEST_SUMS.bundle.cells[0].len(), 4);
    let shown = |s: &State| s.shown().is_some();
    assert!(HONEST_SUMS.bundle.cells[0].iter().all(shown));
    for group in 2..4 {
        assert_eq!(HONEST_GROUPS.bundle.cells[group], [State::Small]);
    }
    // The forger is no worse at proving what is true.
    for asked in [&*HONEST_GROUPS, &*HONEST_SUMS] {
        let plan = planned(&asked.question.sql, &[]).unwrap();
        let forger = Forger::new(&SECRETS, HOSPITAL.dataset.dataset());
        let again = forger.answer(&asked.question, &plan, &asked.bundle.cells, |_, _| ());
        let answer = HOSPITAL.verify(&asked.question, &again.unwrap()).unwrap();
        assert_eq!(answer, asked.answer);
    }
}

#[test]
fn a_published_count_is_changed() {
    for by in [-1, 1, 50] {
        let e = refused(&HONEST_GROUPS, |b| change(&mut b.cells[0][0], by));
        assert_circuit(&e);
        no_proof(&HONEST_GROUPS, |p| change(&mut p[0][0], by));
    }
}

#[test]
fn published_counts_are_exchanged() {
    let e = refused(&HONEST_GROUPS, |b| b.cells.swap(0, 1));
    assert_circuit(&e);
    no_proof(&HONEST_GROUPS, |p| p.swap(0, 1));
    let e = refused(&HONEST_GROUPS, |b| b.cells.swap(1, 2));
    assert_circuit(&e);
    assert_eq!(no_proof(&HONEST_GROUPS, |p| p.swap(1, 2)), OUT_OF_BOUNDS);
}

#[test]
fn a_published_sum_is_changed() {
    for cell in 1..4 {
        let e = refused(&HONEST_SUMS, |b| change(&mut b.cells[0][cell], -1));
        assert_circuit(&e);
        no_proof(&HONEST_SUMS, |p| change(&mut p[0][cell], -1));
    }
    // Larger than every sum of 16-bit values, and still nothing that could not be.
    let e = refused(&HONEST_SUMS, |b| change(&mut b.cells[0][3], 1 << 30));
    assert_circuit(&e);
}

/// The prover commits the numbers that it would like to have counted.
#[test]
fn other_numbers_are_committed_than_were_counted() {
    let asked = &HONEST_GROUPS;
    let plan = planned(&asked.question.sql, &[]).unwrap();
    let forger = Forger::new(&SECRETS, HOSPITAL.dataset.dataset());
    let hide = |states: [State; 4], as_if: i128| {
        let published = states.map(|s| vec![s]).to_vec();
        forger.answer(&asked.question, &plan, &published, |execution, cells| {
            execution.cells[cells.hidden()[0]] = as_if;
        })
    };
    let honest: Vec<State> = asked.bundle.cells.iter().map(|c| c[0]).collect();
    // The second small count, and a large one that is said to be small.
    let second = [honest[0], honest[1], State::Small, State::Small];
    let large = [State::Small, honest[1], State::Small, State::Small];
    for states in [second, large] {
        let e = hide(states, 9).unwrap_err();
        assert!(matches!(e, CircuitError::Unsatisfied(_)), "{e}");
    }
}

#[test]
fn a_suppressed_cell_is_published() {
    let publish = |value| refused(&HONEST_GROUPS, |b| b.cells[2][0] = State::Shown(value));
    assert_eq!(broken(&publish(4), "below k = 11"), (2, 0));
    // As zero, which the profile lets out, and as a number large enough.
    for value in [0, 11, 400] {
        assert_circuit(&publish(value));
        no_proof(&HONEST_GROUPS, |p| p[2][0] = State::Shown(value));
    }
}

#[test]
fn a_released_cell_is_hidden() {
    let e = refused(&HONEST_GROUPS, |b| b.cells[0][0] = State::Small);
    assert_circuit(&e);
    let why = no_proof(&HONEST_GROUPS, |p| p[0][0] = State::Small);
    assert_eq!(why, OUT_OF_BOUNDS);
    // Where nothing else is hidden there is nothing yet in the proof that hides.
    let hide = |cells: &mut Published| {
        cells[0].fill(State::Guarded);
        cells[0][0] = State::Small;
    };
    assert_length(&refused(&HONEST_SUMS, |b| hide(&mut b.cells)));
    assert_eq!(no_proof(&HONEST_SUMS, hide), OUT_OF_BOUNDS);
    // With a reason that the rule does not know here.
    for (state, word) in [
        (State::Difference, "no published count to differ from"),
        (State::Margin(0), "for the sake of that line"),
        (State::Margin(7), "for the sake of that line"),
        (State::Guarded, "exactly if the count that contains it is"),
    ] {
        let e = refused(&HONEST_GROUPS, |b| b.cells[0][0] = state);
        assert_eq!(broken(&e, word), (0, 0), "{state:?}");
    }
}

#[test]
fn a_sum_is_shown_or_hidden_without_its_guard() {
    // count(*), count(n), sum(n), sum(n²); the latter two are guarded by count(n).
    for (cell, hide, at) in [
        (2, State::Guarded, 2),
        (3, State::Guarded, 3),
        (3, State::Small, 3),
        (1, State::Small, 2),
    ] {
        let e = refused(&HONEST_SUMS, |b| b.cells[0][cell] = hide);
        assert_eq!(broken(&e, "guards it"), (0, at));
    }
}

#[test]
fn groups_or_states_are_missing_or_doubled() {
    #[track_caller]
    fn counted(e: &VerifyError) -> (&str, usize, usize) {
        match e {
            VerifyError::Cells {
                what,
                expected,
                got,
            } => (what, *expected, *got),
            other => panic!("{other:?}"),
        }
    }
    let groups = |change: fn(&mut Published)| refused(&HONEST_GROUPS, |b| change(&mut b.cells));
    assert_eq!(counted(&groups(|c| c.truncate(3))), ("groups", 4, 3));
    assert_eq!(counted(&groups(Vec::clear)), ("groups", 4, 0));
    let e = groups(|c| c.push(c[0].clone()));
    assert_eq!(counted(&e), ("groups", 4, 5));
    let e = groups(|c| c[1].truncate(0));
    assert_eq!(counted(&e), ("states of a group", 1, 0));
    let e = groups(|c| c[3].push(State::Shown(11)));
    assert_eq!(counted(&e), ("states of a group", 1, 2));
    let e = refused(&HONEST_SUMS, |b| b.cells[0].truncate(3));
    assert_eq!(counted(&e), ("states of a group", 4, 3));
}

fn full(e: &VerifyError) -> &str {
    match e {
        VerifyError::CellRule { why, .. } => why,
        other => panic!("{other}"),
    }
}

#[test]
fn a_number_is_none_that_the_table_could_have() {
    for value in [-1, 1 << 40, i128::MAX, i128::MIN] {
        let e = refused(&HONEST_GROUPS, |b| b.cells[1][0] = State::Shown(value));
        let why = match value < 0 {
            true => "below 0".to_owned(),
            false => format!("{value} is more than the dataset's {ROWS} patients"),
        };
        assert_eq!(broken(&e, &why), (1, 0));
        assert_eq!(
            e.to_string(),
            format!("bundle: count (arm = b): {}", full(&e))
        );
        let e = refused(&HONEST_SUMS, |b| b.cells[0][2] = State::Shown(value));
        assert_eq!(broken(&e, "no table of this size"), (0, 2));
    }
}

#[test]
fn proofs_of_two_answers_are_exchanged() {
    let e = refused(&HONEST_GROUPS, |b| {
        b.proof.clone_from(&HONEST_SUMS.bundle.proof);
    });
    assert_length(&e);
}

/// Four patients, a large sum: by itself it would be published, and so would be their number as a sum.
#[test]
fn a_sum_is_taken_for_a_count() {
    let asked = galen_tests::ask(&HOSPITAL, "SELECT sum(n) FROM t WHERE arm = 'c'");
    assert_eq!(
        asked.bundle.cells,
        [[State::Small, State::Guarded].to_vec()]
    );
    for (cell, state) in [
        (1, State::Shown(900)),
        (1, State::Small),
        (0, State::Guarded),
    ] {
        let e = refused(&asked, |b| b.cells[0][cell] = state);
        assert_eq!(broken(&e, ""), (0, cell));
    }
}
