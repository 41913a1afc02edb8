//! Against scipy.stats of scipy 1.17.1 (tools/reference.py).

use super::*;
use crate::close::close;

/// Degrees of freedom; t.ppf(0.975), 2 · t.sf(x) for x = 0.01, 0.5, 2, 8, 30.
const STUDENT: [(f64, [f64; 6]); 10] = [
    (
        1.0,
        [
            12.706204736174694,
            0.993634014470186,
            0.7048327646991335,
            0.2951672353008665,
            0.07916684832113109,
            0.02121280481107085,
        ],
    ),
    (
        2.5,
        [
            3.5746548420036817,
            0.9927639943579083,
            0.6576979198697148,
            0.1573914957579659,
            0.007656644131043447,
            0.00029106470915739535,
        ],
    ),
    (
        30.0,
        [
            2.0422724563012378,
            0.9920874925731777,
            0.6207230048851272,
            0.054625044962983094,
            6.265822475700759e-09,
            6.25179163060889e-24,
        ],
    ),
    (
        99.0,
        [
            1.9842169515864174,
            0.9920414112146796,
            0.6181846440244062,
            0.04823969337263296,
            2.4003038210568853e-12,
            1.7008499117282118e-51,
        ],
    ),
    (
        101.0,
        [
            1.983731002955606,
            0.9920410132288616,
            0.6181627066622727,
            0.0481852112073907,
            2.1538980964752433e-12,
            4.146070920003428e-52,
        ],
    ),
    (
        1e3,
        [
            1.9623390808264083,
            0.9920232819321873,
            0.6171850808338747,
            0.04577034649325166,
            3.4266614823914978e-15,
            1.5374687444043095e-141,
        ],
    ),
    (
        1e5,
        [
            1.9599877075346095,
            0.9920213073188231,
            0.6170761776544179,
            0.04550296345750651,
            1.2573919876256345e-15,
            7.37853687222276e-197,
        ],
    ),
    (
        1e7,
        [
            1.959964221767205,
            0.9920212875702178,
            0.6170750884540148,
            0.04550029089184296,
            1.244323480280683e-15,
            1.0014613690817807e-197,
        ],
    ),
    (
        1e9,
        [
            1.959963986912325,
            0.9920212873727315,
            0.6170750775619943,
            0.045500264166313246,
            1.2441934284454691e-15,
            9.81541968796805e-198,
        ],
    ),
    (
        1e12,
        [
            1.9599639845424262,
            0.9920212873707388,
            0.617075077452084,
            0.04550026389662835,
            1.2441921161679538e-15,
            9.81342984592814e-198,
        ],
    ),
];

#[test]
fn student_is_scipys() {
    for (degrees, [quantile, tails @ ..]) in STUDENT {
        close(student_quantile(degrees).unwrap(), quantile);
        for (t, tail) in [0.01, 0.5, 2.0, 8.0, 30.0].into_iter().zip(tails) {
            close(student_two_sided(t, degrees).unwrap(), tail);
            close(student_two_sided(-t, degrees).unwrap(), tail);
        }
    }
}

#[test]
fn student_has_no_step_where_the_method_changes() {
    for t in [1e-3, 0.5, 2.0, 5.0, 12.0, 30.0, 38.0] {
        let below = student_two_sided(t, 1e4 - 1e-7).unwrap();
        let above = student_two_sided(t, 1e4).unwrap();
        close(above, below);
    }
}

#[test]
fn student_has_ends() {
    for degrees in [1.0, 77.0, 1e6, 1e12] {
        assert_eq!(student_two_sided(0.0, degrees), Some(1.0));
        assert_eq!(student_two_sided(1e-200, degrees), Some(1.0));
        let far = student_two_sided(1e200, degrees).unwrap();
        assert!((0.0..1e-150).contains(&far), "{far}");
    }
}

#[test]
fn chi_square_is_scipys() {
    for (x, degrees, tail) in [
        (0.1, 1.0, 0.7518296340458492),
        (3.84, 1.0, 0.05004352124870519),
        (1400.0, 1.0, 2.1010145162644003e-306),
        (3.0, 5.0, 0.6999858358786276),
        (100.0, 5.0, 5.285148360943219e-20),
        (1300.0, 1000.0, 3.8897364994868366e-10),
    ] {
        close(chi_square_tail(x, degrees).unwrap(), tail);
    }
    assert_eq!(chi_square_tail(0.0, 1.0), Some(1.0));
    assert_eq!(chi_square_tail(5e-324, 1.0), Some(1.0));
    assert_eq!(chi_square_tail(1e300, 1.0), Some(0.0));
}

#[test]
fn shapes_outside_are_refused() {
    assert_eq!(gamma_quantile(0.5, 0.975), None);
    assert_eq!(gamma_quantile(1e13, 0.975), None);
    assert_eq!(gamma_quantile(f64::NAN, 0.975), None);
}

/// It falls with the degrees of freedom, and none of them is left without one: near 10^4 the tail's rounding is larger than what
/// Newton's last step would be (4,499 had none).
#[test]
fn every_number_of_degrees_has_a_quantile() {
    let mut before = f64::INFINITY;
    for degrees in 1..=12_000 {
        let found = student_quantile(f64::from(degrees)).unwrap();
        assert!(found < before * (1.0 + 1e-11), "{degrees}: {found}");
        before = found;
    }
    // scipy.stats.t.ppf(0.975, 4499).
    crate::close::close(student_quantile(4499.0).unwrap(), 1.9604914125724864);
    for tenth in 10..3_000 {
        assert!(student_quantile(f64::from(tenth) * 3.37).is_some());
    }
}
