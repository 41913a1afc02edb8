//! Against lifelines 0.30.3 (KaplanMeierFitter, multivariate_logrank_test) and scipy 1.17.1 (stats.logrank):
//! tools/reference.py.

use super::*;
use crate::close::{close, close_all};

const fn bin(leaving: u64, events: u64) -> Bin {
    Bin { leaving, events }
}

const A: Group<'_> = Group {
    bins: &[bin(5, 3), bin(4, 4), bin(6, 1), bin(0, 0)],
    beyond: 7,
};
const B: Group<'_> = Group {
    bins: &[bin(2, 1), bin(3, 0), bin(5, 2), bin(4, 2)],
    beyond: 12,
};
const C: Group<'_> = Group {
    bins: &[bin(9, 9), bin(3, 3), bin(1, 1), bin(2, 2)],
    beyond: 0,
};

#[track_caller]
fn test_is(groups: &[Group<'_>], statistic: f64, degrees: f64, p: f64) {
    let test = log_rank(groups).unwrap();
    close(test.statistic, statistic);
    close(test.p, p);
    assert_eq!(test.degrees, Some(degrees));
}

#[test]
fn curve_to_the_last_patient() {
    let points = kaplan_meier(&[bin(2, 1), bin(1, 1), bin(3, 3), bin(0, 0)], 0).unwrap();
    let expected = [
        [0.8333333333333333, 0.27312284992835606, 0.9747124266908934],
        [0.625, 0.14185338993165503, 0.8930506044985778],
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
    ];
    for (point, expected) in points.iter().zip(expected) {
        close_all(Some(point.survival), expected);
    }
    let at_risk: Vec<u64> = points.iter().map(|point| point.at_risk).collect();
    assert_eq!(at_risk, [6, 4, 3, 0]);
    assert_eq!(median(&points), Some(2));
}

#[test]
fn curve_without_events() {
    let points = kaplan_meier(&[bin(2, 0), bin(1, 0), bin(0, 0)], 4).unwrap();
    for point in &points {
        close_all(Some(point.survival), [1.0, 1.0, 1.0]);
    }
    assert_eq!(median(&points), None);
}

#[test]
fn all_die_at_once() {
    let points = kaplan_meier(&[bin(2, 2)], 0).unwrap();
    close_all(Some(points[0].survival), [0.0, 0.0, 0.0]);
    assert_eq!(median(&points), Some(0));
}

#[test]
fn nobody_left_repeats_the_curve() {
    let points = kaplan_meier(&[bin(4, 1), bin(0, 0)], 0).unwrap();
    assert_eq!(points[1].at_risk, 0);
    assert_eq!(points[1].survival, points[0].survival);
}

#[test]
fn half_is_half_whatever_its_factors() {
    for half in 1..200 {
        let bins = vec![bin(1, 1); half * 2];
        assert_eq!(median(&kaplan_meier(&bins, 0).unwrap()), Some(half - 1));
    }
}

#[test]
fn no_curve() {
    assert_eq!(kaplan_meier(&[], 0), None);
    assert_eq!(kaplan_meier(&[bin(0, 0)], 0), None);
    assert_eq!(kaplan_meier(&[bin(1, 2)], 5), None);
    assert_eq!(kaplan_meier(&[bin(u64::MAX, 2)], 5), None);
    assert_eq!(kaplan_meier(&[], 5), Some(Vec::new()));
}

#[test]
fn two_groups() {
    // lifelines 2.614575370318512, scipy.stats.logrank the same squared.
    test_is(&[A, B], 2.614575370318512, 1.0, 0.10588586557429065);
    test_is(&[B, A], 2.614575370318512, 1.0, 0.10588586557429065);
}

#[test]
fn three_groups_in_any_order() {
    for groups in [
        [A, B, C],
        [A, C, B],
        [B, A, C],
        [B, C, A],
        [C, A, B],
        [C, B, A],
    ] {
        test_is(&groups, 36.264344494059934, 2.0, 1.3344356880712148e-08);
    }
}

#[test]
fn four_groups() {
    const GROUPS: [([Bin; 2], u64); 4] = [
        ([bin(50, 30), bin(40, 40)], 7),
        ([bin(20, 10), bin(30, 0)], 12),
        ([bin(90, 9), bin(3, 3)], 100),
        ([bin(9, 0), bin(33, 3)], 10),
    ];
    let groups = GROUPS.each_ref().map(|(bins, beyond)| Group {
        bins,
        beyond: *beyond,
    });
    test_is(&groups, 176.13169888064576, 3.0, 6.036586684493334e-38);
}

#[test]
fn two_groups_are_symmetric() {
    // Whatever a simple generator makes.
    let mut state = 7_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for _ in 0..200 {
        let mut make = || -> Vec<Bin> {
            (0..6)
                .map(|_| next(20))
                .map(|leaving| bin(leaving, leaving / 2))
                .collect()
        };
        let (a, b) = (make(), make());
        let a = Group {
            bins: &a,
            beyond: 3,
        };
        let b = Group {
            bins: &b,
            beyond: 9,
        };
        let (one, other) = (log_rank(&[a, b]).unwrap(), log_rank(&[b, a]).unwrap());
        assert!((one.statistic - other.statistic).abs() <= 1e-9 * one.statistic.max(1e-3));
        assert!((one.p - other.p).abs() <= 1e-9);
    }
}

#[test]
fn equal_groups_do_not_differ() {
    let test = log_rank(&[B, B]).unwrap();
    close(test.statistic, 0.0);
    close(test.p, 1.0);
}

#[test]
fn groups_not_at_risk_are_left_out() {
    let nobody = Group {
        bins: &[bin(0, 0); 4],
        beyond: 0,
    };
    for groups in [[A, B, nobody], [nobody, A, B], [A, nobody, B]] {
        assert_eq!(log_rank(&groups), log_rank(&[A, B]));
    }
    assert_eq!(log_rank(&[A, nobody]), None);
    // Censored before any event.
    let gone = Group {
        bins: &[bin(8, 0), bin(0, 0)],
        beyond: 0,
    };
    let late = Group {
        bins: &[bin(0, 0), bin(9, 3)],
        beyond: 2,
    };
    assert_eq!(log_rank(&[gone, late]), None);
    assert_eq!(log_rank(&[gone, late, late]), log_rank(&[late, late]));
}

#[test]
fn no_test() {
    let quiet = Group {
        bins: &[bin(4, 0); 4],
        beyond: 1,
    };
    let short = Group {
        bins: &[bin(4, 1)],
        beyond: 1,
    };
    let wrong = Group {
        bins: &[bin(1, 2); 4],
        beyond: 1,
    };
    assert_eq!(log_rank(&[]), None);
    assert_eq!(log_rank(&[A]), None);
    assert_eq!(log_rank(&[quiet, quiet]), None);
    assert_eq!(log_rank(&[A, short]), None);
    assert_eq!(log_rank(&[A, wrong]), None);
    // All die in the only bin: nothing is left to chance.
    let all = Group {
        bins: &[bin(4, 4)],
        beyond: 0,
    };
    assert_eq!(log_rank(&[all, all]), None);
}
