//! Against statsmodels 0.15.0 (Table2x2, confint_proportions_2indep with "newcomb") and scipy 1.17.1
//! (chi2_contingency without correction, fisher_exact): tools/reference.py.

use super::*;
use crate::LARGEST;
use crate::close::{close, close_all};

const fn table(a: u64, b: u64, c: u64, d: u64) -> TwoByTwo {
    TwoByTwo {
        exposed_cases: a,
        exposed_others: b,
        unexposed_cases: c,
        unexposed_others: d,
    }
}

/// Low birth weight by smoking (R's MASS::birthwt; Hosmer and Lemeshow 1989).
const BIRTHWT: TwoByTwo = table(30, 44, 29, 86);
/// Deaths within six months, streptomycin against bed rest (Medical Research Council 1948).
const STREPTOMYCIN: TwoByTwo = table(4, 51, 14, 38);
const LARGE: TwoByTwo = table(1_234_567, 3_765_433, 1_230_000, 3_770_000);

#[track_caller]
fn chi(table: TwoByTwo, statistic: f64, p: f64) {
    let test = table.chi_square().unwrap();
    close(test.statistic, statistic);
    close(test.p, p);
    assert_eq!(test.degrees, Some(1.0));
}

#[test]
fn birthwt() {
    close_all(
        BIRTHWT.odds_ratio(),
        [2.0219435736677114, 1.0806596029988436, 3.7831115401660194],
    );
    close_all(
        BIRTHWT.risk_ratio(),
        [1.6076421248835044, 1.0578124247625096, 2.443262284691164],
    );
    close_all(
        BIRTHWT.risk_difference(),
        [0.15323149236192718, 0.01757833205352588, 0.2871170554937219],
    );
    chi(BIRTHWT, 4.923705434361292, 0.026490642530502487);
    close(BIRTHWT.fisher().unwrap(), 0.0361764986911912);
    // As published: an odds ratio of 2.02.
    assert_eq!(
        format!("{:.2}", BIRTHWT.odds_ratio().unwrap().value),
        "2.02"
    );
}

#[test]
fn streptomycin() {
    close_all(
        STREPTOMYCIN.odds_ratio(),
        [0.21288515406162464, 0.06489864598854372, 0.6983210224114963],
    );
    close_all(
        STREPTOMYCIN.risk_ratio(),
        [0.2701298701298701, 0.09504745536297914, 0.7677233068230279],
    );
    close_all(
        STREPTOMYCIN.risk_difference(),
        [
            -0.1965034965034965,
            -0.3368955714108741,
            -0.05407790049130465,
        ],
    );
    chi(STREPTOMYCIN, 7.376118139039487, 0.006609568301597533);
    close(STREPTOMYCIN.fisher().unwrap(), 0.00899317664268004);
}

#[test]
fn ten_million_patients() {
    close_all(
        LARGE.odds_ratio(),
        [1.0049303866648023, 1.0020439251860032, 1.0078251628089165],
    );
    close_all(
        LARGE.risk_ratio(),
        [1.0037130081300814, 1.001539797428454, 1.0058909344154188],
    );
    close_all(
        LARGE.risk_difference(),
        [
            0.0009134000000000086,
            0.00037920173131521164,
            0.0014475976197748583,
        ],
    );
    chi(LARGE, 11.230864341495526, 0.0008044816998988832);
    close(LARGE.fisher().unwrap(), 0.0008066142280864968);
    let rare = table(30_000, 4_970_000, 29_000, 4_971_000);
    close(rare.fisher().unwrap(), 3.705786967574133e-05);
}

#[test]
fn a_zero_cell() {
    let zero = table(0, 12, 5, 9);
    assert_eq!(zero.odds_ratio(), None);
    assert_eq!(zero.risk_ratio(), None);
    close_all(
        zero.risk_difference(),
        [
            -0.35714285714285715,
            -0.612355768960926,
            -0.046786118328502935,
        ],
    );
    chi(zero, 5.3061224489795915, 0.02125060274444335);
    close(zero.fisher().unwrap(), 0.04247491638795986);
}

#[test]
fn everybody_is_a_case() {
    let all = table(8, 0, 11, 0);
    assert_eq!(all.odds_ratio(), None);
    close_all(all.risk_ratio(), [1.0, 1.0, 1.0]);
    close_all(
        all.risk_difference(),
        [0.0, -0.32440756488388023, 0.2588329669680318],
    );
    assert_eq!(all.chi_square(), None);
    assert_eq!(all.fisher(), Some(1.0));
}

#[test]
fn nobody_is_exposed() {
    let nobody = table(0, 0, 5, 9);
    assert_eq!(nobody.odds_ratio(), None);
    assert_eq!(nobody.risk_ratio(), None);
    assert_eq!(nobody.risk_difference(), None);
    assert_eq!(nobody.chi_square(), None);
    assert_eq!(nobody.fisher(), Some(1.0));
    assert_eq!(table(0, 0, 0, 0).fisher(), None);
}

#[test]
fn tables_as_likely_as_the_observed_count() {
    close(table(10, 10, 10, 10).fisher().unwrap(), 1.0);
    close(table(2, 8, 8, 2).fisher().unwrap(), 0.023014137565221155);
    close(table(8, 2, 2, 8).fisher().unwrap(), 0.023014137565221155);
}

#[test]
fn fisher_is_the_same_of_the_table_turned() {
    let turned = table(1_230_000, 3_770_000, 1_234_567, 3_765_433);
    close(turned.fisher().unwrap(), LARGE.fisher().unwrap());
    for (a, b, c, d) in [(3, 1, 1, 3), (0, 7, 9, 2), (40, 1, 3, 500), (1, 0, 0, 1)] {
        let p = table(a, b, c, d).fisher().unwrap();
        close(table(c, d, a, b).fisher().unwrap(), p);
        close(table(a, c, b, d).fisher().unwrap(), p);
    }
}

#[test]
fn fisher_of_the_most_extreme_table_is_nothing() {
    let half = 5_000_000;
    assert_eq!(table(half, 0, 0, half).fisher(), Some(0.0));
}

#[test]
fn fisher_ends_for_the_largest_table() {
    let quarter = LARGEST / 4;
    let p = table(quarter, quarter, quarter, quarter).fisher().unwrap();
    assert!((p - 1.0).abs() < 1e-6);
}

#[test]
fn counts_beyond_the_largest_are_refused() {
    for cell in [LARGEST + 1, u64::MAX] {
        let table = table(cell, cell, 1, 1);
        assert_eq!(table.odds_ratio(), None);
        assert_eq!(table.risk_ratio(), None);
        assert_eq!(table.risk_difference(), None);
        assert_eq!(table.chi_square(), None);
        assert_eq!(table.fisher(), None);
    }
}

#[test]
fn three_by_three() {
    let test = contingency(&[
        vec![20, 15, 30, 0],
        vec![25, 10, 5, 0],
        vec![0, 0, 0, 0],
        vec![12, 33, 8, 0],
    ])
    .unwrap();
    close(test.statistic, 39.724202649800056);
    close(test.p, 4.9357942303631545e-08);
    assert_eq!(test.degrees, Some(4.0));
}

#[test]
fn no_contingency() {
    assert_eq!(contingency(&[]), None);
    assert_eq!(contingency(&[vec![], vec![]]), None);
    assert_eq!(contingency(&[vec![1, 2], vec![3]]), None);
    assert_eq!(contingency(&[vec![1, 2], vec![0, 0]]), None);
    assert_eq!(contingency(&[vec![1, 0], vec![2, 0]]), None);
    assert_eq!(contingency(&[vec![0, 0], vec![0, 0]]), None);
}
