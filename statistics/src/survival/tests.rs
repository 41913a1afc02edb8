//! Against lifelines 0.30.3 (KaplanMeierFitter, multivariate_logrank_test) and scipy 1.17.1 (stats.logrank):
//! tools/reference.py.

use super::*;
use crate::close::{close, close_all};

const fn bin(leaving: u64, events: u64) -> Bin {
    Bin {
        leaving,
        events,
        is_exact: true,
    }
}

const fn wide(leaving: u64, events: u64) -> Bin {
    Bin {
        leaving,
        events,
        is_exact: false,
    }
}

/// Exact bins at the times 1, 2 and so on.
pub(super) fn numbered(bins: usize) -> Vec<Times> {
    let at = |n: u32| Times {
        from: f64::from(n),
        until: f64::from(n),
    };
    (1..).map(at).take(bins).collect()
}

fn kaplan_meier(bins: &[Bin], beyond: u64) -> Option<Vec<Point>> {
    survival(bins, beyond, Censored::Halfway)
}

fn middle(points: &[Point]) -> Option<f64> {
    median(points, &numbered(points.len()))
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
    ];
    // Nobody is at risk in the last.
    assert_eq!(points.len(), expected.len());
    for (point, expected) in points.iter().zip(expected) {
        close_all(Some(point.survival), expected);
    }
    let at_risk: Vec<u64> = points.iter().map(|point| point.at_risk).collect();
    assert_eq!(at_risk, [6, 4, 3]);
    assert_eq!(middle(&points), Some(3.0));
}

#[test]
fn curve_without_events() {
    let points = kaplan_meier(&[bin(2, 0), bin(1, 0), bin(0, 0)], 4).unwrap();
    for point in &points {
        close_all(Some(point.survival), [1.0, 1.0, 1.0]);
    }
    assert_eq!(points.len(), 3);
    assert_eq!(middle(&points), None);
}

#[test]
fn all_die_at_once() {
    let points = kaplan_meier(&[bin(2, 2)], 0).unwrap();
    close_all(Some(points[0].survival), [0.0, 0.0, 0.0]);
    assert_eq!(middle(&points), Some(1.0));
}

#[test]
fn a_curve_ends_where_nobody_is_at_risk() {
    let bins = [bin(4, 1), bin(0, 0)];
    assert_eq!(kaplan_meier(&bins, 0), kaplan_meier(&bins[..1], 0));
    assert_eq!(kaplan_meier(&bins, 1).unwrap().len(), 2);
}

#[test]
fn half_is_half_whatever_its_factors() {
    for half in 1..200 {
        let bins = vec![bin(1, 1); half * 2];
        let found = middle(&kaplan_meier(&bins, 0).unwrap()).unwrap();
        assert_eq!(found, numbered(half)[half - 1].until);
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

/// Six bins of patients with exact times, of whom some are censored: (time, event).
fn patients(next: &mut impl FnMut(u64) -> u64) -> Vec<(u64, bool)> {
    (0..1 + next(60)).map(|_| (next(60), next(3) > 0)).collect()
}

fn binned(patients: &[(u64, bool)], width: u64) -> Vec<Bin> {
    let in_bin = |b: u64| patients.iter().filter(move |p| p.0 / width == b);
    (0..60 / width)
        .map(|b| Bin {
            leaving: in_bin(b).count() as u64,
            events: in_bin(b).filter(|p| p.1).count() as u64,
            is_exact: width == 1,
        })
        .collect()
}

/// Whatever the exact times are: their curve lies between the two ends, and so does the actuarial one.
#[test]
fn the_ends_hold_the_exact_curve() {
    let mut state = 11_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut apart = 0;
    for _ in 0..500 {
        let patients = patients(&mut next);
        let exact = survival(&binned(&patients, 1), 0, Censored::Halfway).unwrap();
        let wide = binned(&patients, 10);
        let curve = |c| survival(&wide, 0, c).unwrap();
        let [early, half, late] = [Censored::Early, Censored::Halfway, Censored::Late].map(curve);
        for (i, point) in half.iter().enumerate() {
            let at = exact[(10 * i + 9).min(exact.len() - 1)].survival.value;
            let (low, high) = (early[i].survival.value, late[i].survival.value);
            assert!(low - 1e-12 <= at && at <= high + 1e-12, "{low} {at} {high}");
            assert!(low <= point.survival.value && point.survival.value <= high);
            apart += u32::from(low < at && at < high);
        }
        let ends = |width: u32| -> Vec<Times> {
            let bins = (0..60 / width).map(|b| (f64::from(b * width), f64::from((b + 1) * width)));
            bins.map(|(from, until)| Times { from, until }).collect()
        };
        let days: Vec<Times> = (0..60)
            .map(f64::from)
            .map(|t| Times { from: t, until: t })
            .collect();
        let (first, last) = median_between(&early, &late, &ends(10));
        match median(&exact, &days) {
            Some(day) => assert!(first.unwrap() <= day && last.is_none_or(|l| day <= l)),
            None => assert_eq!(last, None),
        }
        if let Some(straight) = median(&half, &ends(10)) {
            assert!(first.unwrap() <= straight && last.is_none_or(|l| straight <= l));
        }
    }
    assert!(apart > 500, "{apart}");
}

/// By hand: 100 patients, 10 of 30 who leave die, then 20 of 40: 1 − 10/90, and that by 1 − 20/60.
#[test]
fn half_of_the_censored_leave() {
    let bins = [wide(30, 10), wide(40, 20)];
    let value = |c| survival(&bins, 30, c).unwrap()[1].survival.value;
    close(value(Censored::Halfway), (80.0 / 90.0) * (40.0 / 60.0));
    close(value(Censored::Early), (70.0 / 80.0) * (30.0 / 50.0));
    close(value(Censored::Late), (90.0 / 100.0) * (50.0 / 70.0));
    // Of the survival 0.8889 … 0.5926 no half; the third bin takes it to 0.4444 over 8 to 12.
    let bins = [wide(30, 10), wide(40, 20), wide(10, 7)];
    let points = survival(&bins, 20, Censored::Halfway).unwrap();
    let times = [(0.0, 4.0), (4.0, 8.0), (8.0, 12.0)].map(|(from, until)| Times { from, until });
    let (before, after) = (points[1].survival.value, points[2].survival.value);
    close(after, before * (1.0 - 7.0 / 28.5));
    let share = (before - 0.5) / (before - after);
    close(median(&points, &times).unwrap(), 8.0 + 4.0 * share);
}

/// Mantel's statistic with half of the censored, computed apart in exact fractions.
#[test]
fn log_rank_over_wide_bins() {
    let a = Group {
        bins: &[wide(30, 10), wide(40, 20)],
        beyond: 30,
    };
    let b = Group {
        bins: &[wide(20, 15), wide(30, 25)],
        beyond: 10,
    };
    test_is(&[a, b], 15.567421900033475, 1.0, 7.96146110421562e-5);
}
