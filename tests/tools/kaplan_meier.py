#!/usr/bin/env python3
"""Kaplan-Meier curves and log-rank test of the Rotterdam breast cancer data by lifelines.

A test tool: an independent implementation to compare Galen's survival statistics with. It reads
rotterdam.csv (R package survival; columns dtime in days, death 0/1, nodes), puts each time into
yearly bins as PostgreSQL's width_bucket(dtime, 0, 365 * n, n) does (bin i holds
(i - 1) * 365 <= t < i * 365; later times are bin n + 1, "beyond"), takes the bin's number as the
duration, and fits node-negative (nodes = 0) and node-positive (nodes > 0) patients.

Patients beyond the last bin are censored in bin n + 1: their events are outside the bins. The
curve up to bin n does not depend on that; the log-rank test would.

Prints JSON: for each group the bins (leaving, events), those beyond, and for each bin the number
at risk, the survival after it and the 95 % log(-log) interval; the median bin; the log-rank test;
the versions of the packages.

    pip install lifelines==0.30.3
    python kaplan_meier.py rotterdam.csv > rotterdam-lifelines.json
"""

import argparse
import json
import math

import lifelines
import pandas
from lifelines.statistics import logrank_test

DAYS = 365


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("csv", help="rotterdam.csv")
    parser.add_argument("--bins", type=int, default=20, help="number of yearly bins")
    return parser.parse_args()


def binned(rows: pandas.DataFrame, bins: int) -> pandas.DataFrame:
    """Duration (bin number, bins + 1 for those beyond) and event of each patient."""
    duration = (rows["dtime"] // DAYS + 1).clip(lower=0, upper=bins + 1)
    if (duration < 1).any():
        raise SystemExit("a time is negative")
    event = (rows["death"] == 1) & (duration <= bins)
    return pandas.DataFrame({"duration": duration, "event": event})


def curve(group: pandas.DataFrame, bins: int) -> dict:
    """What lifelines makes of one group."""
    timeline = list(range(bins + 1))
    fitter = lifelines.KaplanMeierFitter().fit(group["duration"], group["event"], timeline=timeline)
    survival = fitter.survival_function_.iloc[:, 0]
    interval = fitter.confidence_interval_
    median = fitter.median_survival_time_
    points = []
    for i in range(1, bins + 1):
        in_bin = group[group["duration"] == i]
        points.append(
            {
                "bin": i,
                "leaving": len(in_bin),
                "events": int(in_bin["event"].sum()),
                "at_risk": int((group["duration"] >= i).sum()),
                "survival": float(survival[i]),
                "lower": float(interval.iloc[i, 0]),
                "upper": float(interval.iloc[i, 1]),
            }
        )
    return {
        "patients": len(group),
        "beyond": int((group["duration"] > bins).sum()),
        "median_bin": None if math.isinf(median) else int(median),
        "after": {str(i): points[i - 1] for i in (1, 2, 5, 10) if i <= bins},
        "bins": points,
    }


def main() -> None:
    args = arguments()
    rows = pandas.read_csv(args.csv)
    patients = binned(rows, args.bins)
    positive = patients[rows["nodes"] > 0]
    negative = patients[rows["nodes"] == 0]
    test = logrank_test(
        negative["duration"], positive["duration"], negative["event"], positive["event"]
    )
    result = {
        "versions": {"lifelines": lifelines.__version__, "pandas": pandas.__version__},
        "bins": args.bins,
        "days_per_bin": DAYS,
        "node_negative": curve(negative, args.bins),
        "node_positive": curve(positive, args.bins),
        "logrank": {
            "statistic": float(test.test_statistic),
            "p": float(test.p_value),
            "degrees": int(test.degrees_of_freedom),
        },
    }
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
