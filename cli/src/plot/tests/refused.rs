//! What cannot be drawn, and what only just can.

use super::*;

#[test]
fn numbers_that_cannot_be_drawn_are_refused() {
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
        let mut picture = pair();
        picture.series[1].bars[0] = Bar::Value(bad);
        assert!(matches!(picture.svg(), Err(PlotError::Value { .. })));
        let flow = flow(&[("all", Bar::Value(bad))]);
        assert!(matches!(flow.svg(), Err(PlotError::Value { .. })));
        for place in 0..4 {
            let mut picture = survival();
            let point = &mut picture.curves[0].points[4];
            *[&mut point.0, &mut point.1, &mut point.2, &mut point.3][place] = bad;
            // Ends of intervals may be anywhere, as long as they are somewhere.
            assert!(picture.svg().is_err() || bad == f64::MAX && place == 3);
        }
    }
    let mut picture = pair();
    picture.series[0].bars[0] = Bar::Interval {
        value: 1.0,
        lower: 2.0,
        upper: 0.0,
    };
    assert!(matches!(picture.svg(), Err(PlotError::Interval { .. })));
    let negative = flow(&[("all", Bar::Value(-1.0))]);
    assert!(matches!(negative.svg(), Err(PlotError::Value { .. })));
    let growing = flow(&[("all", Bar::Value(1.0)), ("more", Bar::Value(2.0))]);
    assert!(matches!(growing.svg(), Err(PlotError::Growth(_))));
}

#[test]
fn curves_that_rise_or_go_back_are_refused() {
    for point in [(1.0, 0.99, 0.9, 1.0), (6.0, 0.99, 0.9, 1.0)] {
        let mut picture = survival();
        picture.curves[0].points.push(point);
        assert!(matches!(picture.svg(), Err(PlotError::Course { .. })));
    }
}

#[test]
fn what_is_empty_or_does_not_match_is_refused() {
    assert!(matches!(bars(&[], vec![]).svg(), Err(PlotError::Empty(_))));
    let nothing = bars(&["a"], vec![]);
    assert!(matches!(nothing.svg(), Err(PlotError::Empty(_))));
    let ragged = bars(&["a", "b"], vec![series("s", vec![hidden()])]);
    assert!(matches!(ragged.svg(), Err(PlotError::Ragged { .. })));
    assert!(matches!(flow(&[]).svg(), Err(PlotError::Empty(_))));
    let mut picture = survival();
    picture.curves[0].points.clear();
    assert!(matches!(picture.svg(), Err(PlotError::Empty(_))));
    picture.curves.clear();
    assert!(matches!(picture.svg(), Err(PlotError::Empty(_))));
    let many = numbers(2001, true);
    assert!(matches!(many.svg(), Err(PlotError::TooMany { .. })));
    let mut many = numbers(151, true);
    many.series.push(many.series[0].clone());
    assert!(matches!(many.svg(), Err(PlotError::TooMany { .. })));
}

#[test]
fn any_scale_of_numbers_is_drawn() {
    for size in [1e-250, 1e-12, 0.004, 1.0, 7e5, 3e14, 1e30, 1e100] {
        for sign in [1.0, -1.0] {
            let values = [1.0, 0.37, 0.0].map(|part| Bar::Value(part * size * sign));
            let picture = bars(&["a", "b", "c"], vec![series("s", values.to_vec())]);
            let svg = picture.svg().unwrap();
            let texts = texts(&svg);
            assert!(!texts.iter().any(|t| t.contains("NaN") || t.contains("inf")));
            assert!(texts.len() < 30);
            assert_eq!(blocks(&svg, 0), 4);
        }
    }
}
