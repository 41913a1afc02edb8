//! Against scipy 1.17.1 (stats.t.interval, ttest_ind_from_stats) and statsmodels 0.15.0
//! (proportion_confint with "wilson"): tools/reference.py.

use super::*;
use crate::LARGEST;
use crate::close::{close, close_all};

const fn sample(n: u64, mean: f64, variance: f64) -> Sample {
    Sample { n, mean, variance }
}

#[test]
fn students_interval() {
    close_all(
        mean(sample(2, 1.0, 2.0)),
        [1.0, -11.706204736174694, 13.706204736174694],
    );
    close_all(
        mean(sample(26, 61.3, 118.7)),
        [61.3, 56.899433265222896, 65.7005667347771],
    );
    close_all(
        mean(sample(1_000_000, 5.5, 3.25)),
        [5.5, 5.496466620401157, 5.503533379598843],
    );
    close_all(
        mean(sample(10_000_001, 5.5, 3.25)),
        [5.5, 5.498882648536001, 5.501117351463999],
    );
    close_all(mean(sample(9, 5.5, 0.0)), [5.5, 5.5, 5.5]);
}

#[test]
fn no_mean() {
    for bad in [
        sample(0, 1.0, 1.0),
        sample(1, 1.0, 0.0),
        sample(9, f64::NAN, 1.0),
        sample(9, 1.0, -1.0),
        sample(9, 1.0, f64::INFINITY),
        sample(LARGEST + 1, 1.0, 1.0),
    ] {
        assert_eq!(mean(bad), None);
        assert_eq!(welch(bad, sample(9, 1.0, 1.0)), None);
        assert_eq!(welch(sample(9, 1.0, 1.0), bad), None);
    }
}

#[track_caller]
fn welch_is(a: Sample, b: Sample, difference: [f64; 3], [statistic, degrees, p]: [f64; 3]) {
    let got = welch(a, b).unwrap();
    close_all(Some(got.difference), difference);
    close(got.test.statistic, statistic);
    close(got.test.degrees.unwrap(), degrees);
    close(got.test.p, p);
    let back = welch(b, a).unwrap();
    close(back.test.statistic, -statistic);
    close(back.test.p, p);
    close(back.difference.lower, -difference[2]);
}

#[test]
fn welchs_test() {
    welch_is(
        sample(26, 61.3, 118.7),
        sample(31, 55.25, 210.5),
        [6.049999999999997, -0.7049648432668061, 12.8049648432668],
        [1.7953465097287762, 54.39504180044224, 0.07815442904024665],
    );
    welch_is(
        sample(2, 1.0, 2.0),
        sample(3, 9.0, 0.0),
        [-8.0, -20.706204736174694, 4.706204736174694],
        [-8.0, 1.0, 0.07916684832113109],
    );
    welch_is(
        sample(1436, 54.1, 170.2),
        sample(1546, 55.9, 168.8),
        [-1.7999999999999972, -2.735654211056891, -0.8643457889431035],
        [
            -3.7720958640970172,
            2961.989680188781,
            0.00016504928678930128,
        ],
    );
    welch_is(
        sample(3_000_000, 70.0, 200.0),
        sample(4_000_000, 70.02, 150.0),
        [
            -0.01999999999999602,
            -0.04000380274167419,
            3.80274168215039e-06,
        ],
        [-1.9595917942261527, 5919492.991215282, 0.05004356810431318],
    );
}

#[test]
fn no_welch_without_variance() {
    assert_eq!(welch(sample(5, 1.0, 0.0), sample(6, 2.0, 0.0)), None);
}

#[test]
fn wilsons_interval() {
    close_all(proportion(0, 10), [0.0, 0.0, 0.27753279986288926]);
    close_all(proportion(10, 10), [1.0, 0.7224672001371106, 1.0]);
    close_all(
        proportion(3, 10),
        [0.3, 0.10779126740630104, 0.6032218525388546],
    );
    close_all(
        proportion(59, 189),
        [0.31216931216931215, 0.25040310505901764, 0.3814188048446173],
    );
    close_all(
        proportion(1, 5_000_000),
        [2e-07, 3.530491185943905e-08, 1.1329859546911353e-06],
    );
}

#[test]
fn no_proportion() {
    assert_eq!(proportion(0, 0), None);
    assert_eq!(proportion(2, 1), None);
    assert_eq!(proportion(2, LARGEST + 1), None);
}
