//! Pictures to test, and what they hold, read back with an XML parser.

mod drawn;
mod refused;

use roxmltree::{Document, Node};

use super::{Bar, Bars, Curve, Flow, Series, Survival, error::PlotError, palette};

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|t| (*t).to_owned()).collect()
}

fn series(name: &str, bars: Vec<Bar>) -> Series {
    Series {
        name: name.to_owned(),
        bars,
    }
}

fn hidden() -> Bar {
    Bar::Hidden("<11".to_owned())
}

fn bars(categories: &[&str], series: Vec<Series>) -> Bars {
    Bars {
        title: "Title".to_owned(),
        subtitle: "Subtitle".to_owned(),
        x_label: "Across".to_owned(),
        y_label: "Upwards".to_owned(),
        categories: strings(categories),
        series,
        histogram: false,
        footer: "Footer".to_owned(),
    }
}

fn pair() -> Bars {
    let interval = Bar::Interval {
        value: 2.5,
        lower: 1.5,
        upper: 4.0,
    };
    let first = vec![Bar::Value(3.0), hidden(), interval];
    let second = vec![
        Bar::Value(1.0),
        Bar::Value(0.0),
        Bar::Hidden("*".to_owned()),
    ];
    bars(
        &["low", "middle", "high"],
        vec![series("cases", first), series("controls", second)],
    )
}

fn numbers(count: u32, histogram: bool) -> Bars {
    let values = (0..count).map(|i| Bar::Value(f64::from(i % 97)));
    Bars {
        categories: (0..count).map(|i| format!("c{i}")).collect(),
        histogram,
        ..bars(&[], vec![series("n", values.collect())])
    }
}

fn survival() -> Survival {
    let curve = |name: &str, drop: f64| Curve {
        name: name.to_owned(),
        points: (1..=5)
            .map(|i| {
                let share = 1.0 - drop * f64::from(i);
                (f64::from(i), share, share - 0.1, share + 0.1)
            })
            .collect(),
        at_risk: (0..5).map(|i| Some(1_200 - 100 * i)).collect(),
    };
    Survival {
        title: "Title".to_owned(),
        subtitle: String::new(),
        x_label: "Years".to_owned(),
        y_label: "Alive".to_owned(),
        curves: vec![curve("treated", 0.05), curve("untreated", 0.15)],
        footer: "Footer".to_owned(),
    }
}

fn flow(steps: &[(&str, Bar)]) -> Flow {
    let steps = steps.iter();
    Flow {
        title: "Title".to_owned(),
        subtitle: String::new(),
        steps: steps.map(|(c, n)| ((*c).to_owned(), n.clone())).collect(),
        footer: "Footer".to_owned(),
    }
}

/// The picture's texts, once it is known to be a well-formed and described one.
fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "svg");
    assert_eq!(root.attribute("role"), Some("img"));
    assert_eq!(root.attribute("width"), Some("800"));
    let mut children = root.children().filter(Node::is_element);
    assert_eq!(children.next().unwrap().tag_name().name(), "title");
    let desc = children.next().unwrap();
    assert_eq!(desc.tag_name().name(), "desc");
    assert!(!desc.text().unwrap_or_default().is_empty());
    let known = ["rect", "line", "polyline", "polygon", "text"];
    assert!(children.all(|c| known.contains(&c.tag_name().name())));
    let texts = document.descendants().filter(|n| n.has_tag_name("text"));
    texts
        .map(|n| n.text().unwrap_or_default().trim().to_owned())
        .collect()
}

/// How many rectangles have the colour of a series, its sample in the legend among them.
fn blocks(svg: &str, index: usize) -> usize {
    let colour = palette::colour(index);
    let fill = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
    let document = Document::parse(svg).unwrap();
    let rects = document.descendants().filter(|n| n.has_tag_name("rect"));
    rects.filter(|n| n.attribute("fill") == Some(&fill)).count()
}

fn assert_has(texts: &[String], wanted: &[&str]) {
    for text in wanted {
        assert!(texts.iter().any(|t| t == text), "{text:?} not in {texts:?}");
    }
}
