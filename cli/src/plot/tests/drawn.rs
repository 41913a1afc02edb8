//! What is in the pictures.

use roxmltree::Document;

use super::*;

const HOSTILE: [&str; 5] = [
    "<script>alert(1)</script>",
    "a & b \"c\"",
    "]]> <!-- 'x' -->",
    "&lt;&#0;",
    "</text></svg>",
];

#[test]
fn bars_have_their_labels_values_and_hidden_texts() {
    let svg = pair().svg().unwrap();
    let texts = texts(&svg);
    let wanted = [
        "Title", "Subtitle", "Footer", "Across", "Upwards", "low", "middle", "high",
    ];
    assert_has(&texts, &wanted);
    assert_has(&texts, &["cases", "controls", "<11", "*", "hidden: <11, *"]);
    assert_eq!(blocks(&svg, 0), 2 + 1);
    assert_eq!(blocks(&svg, 1), 2 + 1);
}

#[test]
fn long_labels_make_rows() {
    let long = "a category whose label is too long to stand below its bar";
    let picture = Bars {
        categories: strings(&[long, "b", "c"]),
        ..pair()
    };
    let svg = picture.svg().unwrap();
    let texts = texts(&svg);
    assert!(texts.join(" ").contains(long));
    assert_has(&texts, &["b", "c", "2.50 (1.50–4.00)", "0.00", "<11", "*"]);
    assert_eq!(blocks(&svg, 0), 2 + 1);
}

#[test]
fn a_label_beyond_its_room_is_cut() {
    let long = "word ".repeat(500);
    let picture = Bars {
        title: long.clone(),
        categories: strings(&[&long, "b", "c"]),
        ..pair()
    };
    let texts = texts(&picture.svg().unwrap());
    assert!(texts.iter().filter(|t| t.ends_with('…')).count() >= 2);
    assert!(texts.iter().all(|t| t.chars().count() < 200));
    let texts = self::texts(&flow(&[(&long, Bar::Value(1.0))]).svg().unwrap());
    assert!(texts.iter().any(|t| t.ends_with('…')));
}

#[test]
fn an_axis_keeps_its_unit_whatever_its_name() {
    let long = "a name that is much too long for an axis of this height, with an interval";
    let picture = Bars {
        y_label: format!("{long} (mmol/L)"),
        ..pair()
    };
    let found = texts(&picture.svg().unwrap());
    assert!(
        found
            .iter()
            .any(|t| t.starts_with("a name that") && t.ends_with("… (mmol/L)")),
        "{found:?}"
    );
    let hidden = vec![Bar::Value(1.0), Bar::Hidden("hidden".to_owned())];
    let picture = bars(&["a", "b"], vec![series("", hidden)]);
    let found = texts(&picture.svg().unwrap());
    assert!(!found.contains(&"hidden: hidden".to_owned()), "{found:?}");
}

#[test]
fn histograms_have_every_bar_and_as_many_labels_as_fit() {
    for (count, most) in [(10, 10), (60, 60), (1000, 60)] {
        let svg = numbers(count, true).svg().unwrap();
        let labels = texts(&svg);
        let labels = labels.iter().filter(|t| t.starts_with('c')).count();
        assert!((8..=most).contains(&labels), "{labels} labels of {count}");
        assert_eq!(blocks(&svg, 0), count as usize + 1);
    }
    let svg = numbers(1000, false).svg().unwrap();
    assert_eq!(blocks(&svg, 0), 1001);
}

#[test]
fn rows_have_every_label() {
    let svg = numbers(100, false).svg().unwrap();
    let texts = texts(&svg);
    assert!((0..100).all(|i| texts.contains(&format!("c{i}"))));
    assert_eq!(blocks(&svg, 0), 101);
}

#[test]
fn hidden_bars_too_thin_for_text_are_in_the_legend() {
    let mut picture = numbers(1000, true);
    picture.series[0].bars[500] = hidden();
    let svg = picture.svg().unwrap();
    assert_has(&texts(&svg), &["hidden: <11"]);
    assert_eq!(blocks(&svg, 0), 1000);
}

#[test]
fn where_all_is_hidden_there_is_no_scale() {
    let picture = bars(&["a", "b"], vec![series("", vec![hidden(), hidden()])]);
    let texts = texts(&picture.svg().unwrap());
    assert_eq!(texts.iter().filter(|t| *t == "<11").count(), 2);
    assert!(!texts.contains(&"1".to_owned()));
}

#[test]
fn curves_and_flows_have_their_labels() {
    let svg = survival().svg().unwrap();
    assert_has(
        &texts(&svg),
        &[
            "treated",
            "untreated",
            "Years",
            "Alive",
            "1.0",
            "0",
            "Footer",
        ],
    );
    let steps = [
        ("all", Bar::Value(1234.0)),
        ("adult", Bar::Value(1111.0)),
        ("ill", hidden()),
    ];
    let texts = texts(&flow(&steps).svg().unwrap());
    assert_has(&texts, &["all", "adult", "ill", "n = 1,234", "n = 1,111"]);
    assert_has(
        &texts,
        &["excluded: 123", "excluded: hidden", "n hidden: <11"],
    );
}

#[test]
fn a_curve_begins_at_one_and_falls_in_steps() {
    let mut picture = survival();
    picture.curves.truncate(1);
    picture.curves[0].points = vec![(1.0, 0.5, 0.2, 0.8), (2.0, 0.5, 0.2, 0.8)];
    let svg = picture.svg().unwrap();
    let document = Document::parse(&svg).unwrap();
    let curve = document
        .descendants()
        .rfind(|n| n.has_tag_name("polyline") && n.attribute("stroke") == Some("#0072B2"));
    let points = curve.unwrap().attribute("points").unwrap();
    let ends: Vec<&str> = points.split_whitespace().collect();
    let xy = |i: usize| ends[i].split_once(',').unwrap();
    // The last step, which falls at the curve's very end, has a width too.
    assert_eq!(ends.len(), 5);
    assert_eq!(xy(0).1, xy(1).1);
    assert_eq!(xy(1).0, xy(2).0);
    assert_eq!(xy(2).1, xy(3).1);
    assert_eq!(xy(3).1, xy(4).1);
    let x = |i: usize| xy(i).0.parse::<f64>().unwrap();
    assert!(x(4) > x(3) && x(4) <= 8000.0);
}

#[test]
fn the_band_reaches_to_the_last_step() {
    let mut picture = survival();
    picture.curves.truncate(1);
    picture.curves[0].points = vec![(1.0, 0.9, 0.8, 0.95), (2.0, 0.5, 0.2, 0.8)];
    let svg = picture.svg().unwrap();
    let document = Document::parse(&svg).unwrap();
    let band = document
        .descendants()
        .find(|n| n.has_tag_name("polygon"))
        .unwrap();
    let points = band.attribute("points").unwrap().split_whitespace();
    let points: Vec<(f64, f64)> = points
        .map(|p| p.split_once(',').unwrap())
        .map(|(x, y)| (x.parse().unwrap(), y.parse().unwrap()))
        .collect();
    let right = points.iter().map(|p| p.0).fold(0.0, f64::max);
    let at_end: Vec<f64> = points
        .iter()
        .filter(|p| p.0 == right)
        .map(|p| p.1)
        .collect();
    // From 0.2 to 0.8 of a plot of 360 px.
    assert_eq!(at_end.len(), 2);
    assert!(
        (at_end[0] - at_end[1] - 0.6 * 3600.0).abs() < 2.0,
        "{at_end:?}"
    );
}

#[test]
fn numbers_at_risk_stand_below_the_times_of_steps() {
    let mut picture = survival();
    picture.curves[1].points.truncate(3);
    let found = texts(&picture.svg().unwrap());
    // The names stand in the legend, and once more before their numbers.
    let first = found
        .iter()
        .position(|t| t == "At risk just before")
        .unwrap();
    let rows = &found[first + 1..first + 13];
    let treated = ["treated", "1,200", "1,200", "1,100", "1,000", "900", "800"];
    assert_eq!(rows[..7], treated);
    // A curve that ends tells nothing beyond.
    assert_eq!(rows[7..], ["untreated", "1,200", "1,200", "1,100", "1,000"]);
    assert_has(&found, &["0", "1", "2", "3", "4", "5"]);
    for curve in &mut picture.curves {
        curve.at_risk.clear();
    }
    let without = texts(&picture.svg().unwrap());
    assert!(!without.contains(&"At risk just before".to_owned()));
}

#[test]
fn a_long_title_is_wrapped_and_not_cut() {
    let title = "A title of some length that goes on and on ".repeat(8);
    let mut picture = survival();
    picture.title = title.clone();
    let found = texts(&picture.svg().unwrap());
    assert!(found.join(" ").contains(title.trim()), "{found:?}");
}

#[test]
fn hostile_labels_come_out_as_text() {
    for label in HOSTILE {
        let mut picture = pair();
        picture.title = label.to_owned();
        picture.footer = label.to_owned();
        picture.categories[0] = label.to_owned();
        picture.series[0].name = label.to_owned();
        let found = texts(&picture.svg().unwrap());
        assert_eq!(found.iter().filter(|t| *t == label).count(), 4, "{found:?}");
        let mut picture = survival();
        picture.curves[0].name = label.to_owned();
        assert_has(&texts(&picture.svg().unwrap()), &[label]);
        let steps = [(label, Bar::Value(1.0))];
        assert_has(&texts(&flow(&steps).svg().unwrap()), &[label]);
    }
    let controls = "a\0b\u{1b}[31m\u{202e}c\u{ffff}\nd";
    let texts = texts(&flow(&[(controls, hidden())]).svg().unwrap());
    assert_has(&texts, &["a b [31m\u{fffd}c\u{fffd} d"]);
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    assert_eq!(pair().svg().unwrap(), pair().svg().unwrap());
    assert_eq!(survival().svg().unwrap(), survival().svg().unwrap());
    let flow = flow(&[("all", Bar::Value(3.0)), ("ill", hidden())]);
    assert_eq!(flow.svg().unwrap(), flow.svg().unwrap());
}
