//! Survival of the Rotterdam breast cancer patients in yearly bins, against lifelines
//! 0.30.3 (KaplanMeierFitter, logrank_test): made by tools/kaplan_meier.py and tools/embed.py.

use super::*;
use crate::close::{close, close_all};

/// 1436 patients, 0 beyond: leaving and events of each bin.
const NODE_NEGATIVE: [Bin; 20] = [
    Bin {
        leaving: 12,
        events: 5,
        is_exact: true,
    },
    Bin {
        leaving: 43,
        events: 35,
        is_exact: true,
    },
    Bin {
        leaving: 58,
        events: 52,
        is_exact: true,
    },
    Bin {
        leaving: 66,
        events: 53,
        is_exact: true,
    },
    Bin {
        leaving: 84,
        events: 43,
        is_exact: true,
    },
    Bin {
        leaving: 126,
        events: 53,
        is_exact: true,
    },
    Bin {
        leaving: 102,
        events: 31,
        is_exact: true,
    },
    Bin {
        leaving: 197,
        events: 35,
        is_exact: true,
    },
    Bin {
        leaving: 177,
        events: 21,
        is_exact: true,
    },
    Bin {
        leaving: 162,
        events: 22,
        is_exact: true,
    },
    Bin {
        leaving: 172,
        events: 22,
        is_exact: true,
    },
    Bin {
        leaving: 88,
        events: 13,
        is_exact: true,
    },
    Bin {
        leaving: 60,
        events: 4,
        is_exact: true,
    },
    Bin {
        leaving: 41,
        events: 4,
        is_exact: true,
    },
    Bin {
        leaving: 22,
        events: 1,
        is_exact: true,
    },
    Bin {
        leaving: 11,
        events: 0,
        is_exact: true,
    },
    Bin {
        leaving: 9,
        events: 1,
        is_exact: true,
    },
    Bin {
        leaving: 3,
        events: 0,
        is_exact: true,
    },
    Bin {
        leaving: 2,
        events: 0,
        is_exact: true,
    },
    Bin {
        leaving: 1,
        events: 0,
        is_exact: true,
    },
];

/// At risk, and survival with its interval.
const NODE_NEGATIVE_CURVE: [(u64, [f64; 3]); 20] = [
    (
        1436,
        [0.996518105849582, 0.9916550559557035, 0.998549263834282],
    ),
    (
        1424,
        [0.9720250344277175, 0.9620566093456534, 0.9794026070828671],
    ),
    (
        1381,
        [0.9354245262523074, 0.9213702665678494, 0.9470392183872935],
    ),
    (
        1323,
        [0.8979509813608694, 0.8810163284954226, 0.9125959894510026],
    ),
    (
        1257,
        [0.8672334855784372, 0.8484334074552418, 0.8838633509231647],
    ),
    (
        1173,
        [0.8280490228881919, 0.8072297310853348, 0.8468372310354803],
    ),
    (
        1047,
        [0.8035318120863448, 0.7815412709341992, 0.8235643707740218],
    ),
    (
        945,
        [0.773771374601665, 0.750406388141583, 0.7952558393531854],
    ),
    (
        748,
        [0.7520478467050938, 0.7274771712397234, 0.7747569575223033],
    ),
    (
        571,
        [0.7230722729266136, 0.6964857410762924, 0.7477667802195088],
    ),
    (
        409,
        [0.6841784098352063, 0.6542257972346636, 0.7121309546760418],
    ),
    (
        237,
        [0.6466496362999414, 0.6117233103937051, 0.6792955321851136],
    ),
    (
        149,
        [0.6292899145200771, 0.591132251224682, 0.6649431649965654],
    ),
    (
        89,
        [0.6010072217326581, 0.5550045445321216, 0.643851291125738],
    ),
    (
        48,
        [0.5884862379465609, 0.5368377038777569, 0.6364124744094005],
    ),
    (
        26,
        [0.5884862379465609, 0.5368377038777569, 0.6364124744094005],
    ),
    (
        15,
        [0.5492538220834566, 0.4574636734627482, 0.6318589695648044],
    ),
    (
        6,
        [0.5492538220834566, 0.4574636734627482, 0.6318589695648044],
    ),
    (
        3,
        [0.5492538220834566, 0.4574636734627482, 0.6318589695648044],
    ),
    (
        1,
        [0.5492538220834566, 0.4574636734627482, 0.6318589695648044],
    ),
];

/// 1546 patients, 0 beyond: leaving and events of each bin.
const NODE_POSITIVE: [Bin; 20] = [
    Bin {
        leaving: 56,
        events: 54,
        is_exact: true,
    },
    Bin {
        leaving: 127,
        events: 123,
        is_exact: true,
    },
    Bin {
        leaving: 180,
        events: 168,
        is_exact: true,
    },
    Bin {
        leaving: 124,
        events: 115,
        is_exact: true,
    },
    Bin {
        leaving: 148,
        events: 105,
        is_exact: true,
    },
    Bin {
        leaving: 149,
        events: 79,
        is_exact: true,
    },
    Bin {
        leaving: 134,
        events: 70,
        is_exact: true,
    },
    Bin {
        leaving: 123,
        events: 41,
        is_exact: true,
    },
    Bin {
        leaving: 122,
        events: 35,
        is_exact: true,
    },
    Bin {
        leaving: 105,
        events: 30,
        is_exact: true,
    },
    Bin {
        leaving: 110,
        events: 26,
        is_exact: true,
    },
    Bin {
        leaving: 66,
        events: 11,
        is_exact: true,
    },
    Bin {
        leaving: 41,
        events: 6,
        is_exact: true,
    },
    Bin {
        leaving: 27,
        events: 6,
        is_exact: true,
    },
    Bin {
        leaving: 17,
        events: 2,
        is_exact: true,
    },
    Bin {
        leaving: 10,
        events: 4,
        is_exact: true,
    },
    Bin {
        leaving: 4,
        events: 1,
        is_exact: true,
    },
    Bin {
        leaving: 2,
        events: 1,
        is_exact: true,
    },
    Bin {
        leaving: 0,
        events: 0,
        is_exact: true,
    },
    Bin {
        leaving: 1,
        events: 0,
        is_exact: true,
    },
];

/// At risk, and survival with its interval.
const NODE_POSITIVE_CURVE: [(u64, [f64; 3]); 20] = [
    (
        1546,
        [0.9650711513583442, 0.9546392397203288, 0.9731377523713955],
    ),
    (
        1490,
        [0.8854042039643326, 0.8684522078269622, 0.9002984523403291],
    ),
    (
        1363,
        [0.7762714774302103, 0.7546356846180512, 0.7962643429962223],
    ),
    (
        1183,
        [0.7008097530815425, 0.6772297743423784, 0.7230343407557919],
    ),
    (
        1059,
        [0.6313243667986702, 0.606605016364239, 0.6549574056609293],
    ),
    (
        911,
        [0.5765772482727702, 0.551231425792008, 0.6010456260083928],
    ),
    (
        762,
        [0.5236108343894446, 0.4977540609370989, 0.5487896311814459],
    ),
    (
        628,
        [0.4894260506156116, 0.46324804041614326, 0.5150567778617009],
    ),
    (
        505,
        [0.4555054332462126, 0.42886802399793705, 0.48172676454382407],
    ),
    (
        383,
        [0.4198261564906347, 0.3924296372852167, 0.4469539806053613],
    ),
    (
        278,
        [0.3805618396965466, 0.35194912107085013, 0.4091003283611286],
    ),
    (
        168,
        [0.355644100192606, 0.3254376653932138, 0.38593621766002856],
    ),
    (
        102,
        [0.3347238590048057, 0.3021061064522734, 0.3676206020424663],
    ),
    (
        61,
        [0.301800200742038, 0.2635601460088693, 0.3408639469577273],
    ),
    (
        34,
        [0.2840472477572122, 0.24128585086840387, 0.32818428983351294],
    ),
    (
        17,
        [0.21721260122610342, 0.15496507989938998, 0.2864027638270681],
    ),
    (
        7,
        [0.18618222962237438, 0.11412367941977389, 0.2719992436447947],
    ),
    (
        3,
        [
            0.12412148641491624,
            0.039779724799407896,
            0.25919829941844047,
        ],
    ),
    (
        1,
        [
            0.12412148641491624,
            0.039779724799407896,
            0.25919829941844047,
        ],
    ),
    (
        1,
        [
            0.12412148641491624,
            0.039779724799407896,
            0.25919829941844047,
        ],
    ),
];

#[track_caller]
fn curve_is(bins: &[Bin], beyond: u64, curve: &[(u64, [f64; 3])], middle: Option<f64>) {
    let points = survival(bins, beyond, Censored::Halfway).unwrap();
    assert_eq!(points.len(), curve.len());
    for (point, (at_risk, survival)) in points.iter().zip(curve) {
        assert_eq!(point.at_risk, *at_risk);
        close_all(Some(point.survival), *survival);
    }
    assert_eq!(median(&points, &super::tests::numbered(bins.len())), middle);
}

#[test]
fn node_negative() {
    curve_is(&NODE_NEGATIVE, 0, &NODE_NEGATIVE_CURVE, None);
}

#[test]
fn node_positive() {
    curve_is(&NODE_POSITIVE, 0, &NODE_POSITIVE_CURVE, Some(8.0));
}

#[test]
fn log_rank_by_nodes() {
    let negative = Group {
        bins: &NODE_NEGATIVE,
        beyond: 0,
    };
    let positive = Group {
        bins: &NODE_POSITIVE,
        beyond: 0,
    };
    for groups in [[negative, positive], [positive, negative]] {
        let test = log_rank(&groups).unwrap();
        close(test.statistic, 293.31738639174097);
        close(test.p, 9.4132970285251e-66);
        assert_eq!(test.degrees, Some(1.0));
    }
}
