//! Against quantiles of scipy 1.17.1 (stats.gamma.ppf) put into the published formulas: tools/reference.py.

use super::*;
use crate::LARGEST;
use crate::close::close_all;

#[test]
fn garwoods_interval() {
    close_all(rate(0, 12.5), [0.0, 0.0, 0.2951103563291148]);
    close_all(
        rate(1, 12.5),
        [0.08, 0.00202542463874319, 0.44573147127511187],
    );
    close_all(
        rate(18, 1520.0),
        [
            0.011842105263157895,
            0.007018382092368111,
            0.01871563175495262,
        ],
    );
    close_all(
        rate(1_000_000, 2e7),
        [0.05, 0.04990204916701469, 0.05009809559727161],
    );
}

#[test]
fn the_largest_rate_ends() {
    assert!(rate(LARGEST, 1.0).is_some());
    assert_eq!(rate(LARGEST + 1, 1.0), None);
}

#[test]
fn no_rate() {
    for time in [0.0, -1.0, f64::NAN, f64::INFINITY, 5e-324] {
        assert_eq!(rate(3, time), None);
        assert_eq!(ratio((3, time), (3, 1.0)), None);
    }
    assert_eq!(ratio((0, 5.0), (3, 5.0)), None);
    assert_eq!(ratio((3, 5.0), (0, 5.0)), None);
}

#[test]
fn ratio_of_rates() {
    let got = ratio((18, 1520.0), (30, 1310.0));
    close_all(
        got,
        [0.5171052631578947, 0.28827016034427866, 0.9275946315992073],
    );
}

/// Down syndrome by the mother's age: births and cases of birth orders 1 and 5+, and the standard, the mean
/// of all birth orders (Fleiss 1981, page 249; Fay and Feuer 1997, table 1).
const BIRTHS: [[f64; 6]; 2] = [
    [230_061.0, 329_449.0, 114_920.0, 39_487.0, 14_208.0, 3_052.0],
    [327.0, 30_666.0, 123_419.0, 149_919.0, 104_088.0, 34_392.0],
];
const CASES: [[u64; 6]; 2] = [[107, 141, 60, 40, 39, 25], [0, 8, 63, 112, 262, 295]];
const STANDARD: [f64; 6] = [
    319_933.0, 931_318.0, 786_511.0, 488_235.0, 237_863.0, 61_313.0,
];

fn strata(order: usize) -> Vec<Stratum> {
    let stratum = |i: usize| Stratum {
        events: CASES[order][i],
        persons: BIRTHS[order][i],
        weight: STANDARD[i],
    };
    (0..6).map(stratum).collect()
}

#[test]
fn fay_and_feuers_interval() {
    close_all(
        standardised(&strata(0)),
        [
            0.0009230452553319945,
            0.0008044174985070426,
            0.0010576334574926118,
        ],
    );
    close_all(
        standardised(&strata(1)),
        [
            0.000755290074452568,
            0.0006770212041764666,
            0.0018830017272777589,
        ],
    );
}

#[test]
fn standardised_without_events() {
    let stratum = |persons, weight| Stratum {
        events: 0,
        persons,
        weight,
    };
    let got = standardised(&[stratum(100.0, 1.0), stratum(300.0, 2.0)]);
    close_all(got, [0.0, 0.0, 0.01229626484704645]);
}

#[test]
fn one_stratum_is_a_rate() {
    for events in [0, 1, 18, 4321] {
        let one = standardised(&[Stratum {
            events,
            persons: 1520.0,
            weight: 7.0,
        }]);
        let rate = rate(events, 1520.0).unwrap();
        close_all(one, [rate.value, rate.lower, rate.upper]);
    }
}

#[test]
fn nothing_to_standardise() {
    assert_eq!(standardised(&[]), None);
    for (persons, weight) in [
        (0.0, 1.0),
        (1.0, -1.0),
        (1.0, 0.0),
        (f64::NAN, 1.0),
        (1.0, f64::INFINITY),
    ] {
        assert_eq!(
            standardised(&[Stratum {
                events: 1,
                persons,
                weight
            }]),
            None
        );
    }
}
