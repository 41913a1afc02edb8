#!/usr/bin/env python3
"""Makes the Rust test of the Rotterdam bins from the output of kaplan_meier.py."""

import json
import pathlib

HERE = pathlib.Path(__file__).parent
data = json.loads((HERE / "rotterdam-lifelines.json").read_text())
print(f"""//! Survival of the Rotterdam breast cancer patients in yearly bins, against lifelines
//! {data['versions']['lifelines']} (KaplanMeierFitter, logrank_test): made by tools/kaplan_meier.py and tools/embed.py.

use super::*;
use crate::statistics::close::{{close, close_all}};
""")
for group in ("node_negative", "node_positive"):
    g = data[group]
    name = group.upper()
    print(f"/// {g['patients']} patients, {g['beyond']} beyond: leaving and events of each bin.")
    print(f"const {name}: [Bin; {len(g['bins'])}] = [")
    for b in g["bins"]:
        print(f"    Bin {{ leaving: {b['leaving']}, events: {b['events']} }},")
    print("];\n")
    print("/// At risk, and survival with its interval.")
    print(f"const {name}_CURVE: [(u64, [f64; 3]); {len(g['bins'])}] = [")
    for b in g["bins"]:
        print(f"    ({b['at_risk']}, [{b['survival']!r}, {b['lower']!r}, {b['upper']!r}]),")
    print("];\n")


def some(median):
    return "None" if median is None else f"Some({median - 1})"


n, p, test = data["node_negative"], data["node_positive"], data["logrank"]
print(f"""#[track_caller]
fn curve_is(bins: &[Bin], beyond: u64, curve: &[(u64, [f64; 3])], middle: Option<usize>) {{
    let points = kaplan_meier(bins, beyond).unwrap();
    assert_eq!(points.len(), curve.len());
    for (point, (at_risk, survival)) in points.iter().zip(curve) {{
        assert_eq!(point.at_risk, *at_risk);
        close_all(Some(point.survival), *survival);
    }}
    assert_eq!(median(&points), middle);
}}

#[test]
fn node_negative() {{
    curve_is(&NODE_NEGATIVE, {n['beyond']}, &NODE_NEGATIVE_CURVE, {some(n['median_bin'])});
}}

#[test]
fn node_positive() {{
    curve_is(&NODE_POSITIVE, {p['beyond']}, &NODE_POSITIVE_CURVE, {some(p['median_bin'])});
}}

#[test]
fn log_rank_by_nodes() {{
    let negative = Group {{ bins: &NODE_NEGATIVE, beyond: {n['beyond']} }};
    let positive = Group {{ bins: &NODE_POSITIVE, beyond: {p['beyond']} }};
    for groups in [[negative, positive], [positive, negative]] {{
        let test = log_rank(&groups).unwrap();
        close(test.statistic, {test['statistic']!r});
        close(test.p, {test['p']!r});
        assert_eq!(test.degrees, Some({test['degrees']}.0));
    }}
}}""")
