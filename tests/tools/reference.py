#!/usr/bin/env python3
"""Prints the reference values that the Rust tests quote: scipy, statsmodels, lifelines.

    pip install scipy==1.17.1 statsmodels==0.15.0 lifelines==0.30.3
    python reference.py
"""

import lifelines
import numpy as np
import scipy
import statsmodels
from lifelines.statistics import multivariate_logrank_test
from scipy import stats
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW  # noqa: F401


def show(name, *values):
    flat = []
    for value in values:
        flat += [float(v) for v in np.atleast_1d(value)]
    print(f"{name}: [{', '.join(repr(v) for v in flat)}]")


def two_by_two(name, a, b, c, d):
    table = np.array([[a, b], [c, d]])
    t = Table2x2(table, shift_zeros=False)
    if min(a, b, c, d) > 0:
        show(f"{name} odds ratio", t.oddsratio, t.oddsratio_confint())
    if a and c:
        show(f"{name} risk ratio", t.riskratio, t.riskratio_confint())
    low, high = confint_proportions_2indep(a, a + b, c, c + d, method="newcomb", compare="diff")
    show(f"{name} risk difference", a / (a + b) - c / (c + d), low, high)
    if (a or c) and (b or d):
        r = stats.chi2_contingency(table, correction=False)
        show(f"{name} chi2", r.statistic, r.pvalue)
    show(f"{name} fisher", stats.fisher_exact(table).pvalue)


def logrank(name, groups, method=None):
    """groups: (list of (leaving, events), beyond)."""
    t, e, g = [], [], []
    for i, (bins, beyond) in enumerate(groups):
        for k, (leaving, events) in enumerate(bins, 1):
            t += [k] * leaving
            e += [1] * events + [0] * (leaving - events)
            g += [i] * leaving
        t += [len(bins) + 1] * beyond
        e += [0] * beyond
        g += [i] * beyond
    r = multivariate_logrank_test(t, g, e)
    show(f"{name} lifelines", r.test_statistic, r.p_value)
    if len(groups) == 2:
        t, e, g = map(np.array, (t, e, g))
        x, y = (stats.CensoredData(uncensored=t[(g == i) & (e == 1)], right=t[(g == i) & (e == 0)]) for i in (0, 1))
        r = stats.logrank(x, y)
        show(f"{name} scipy.stats.logrank", r.statistic**2, r.pvalue)


def gamma_rate(events):
    low = stats.gamma.ppf(0.025, events) if events else 0.0
    return low, stats.gamma.ppf(0.975, events + 1)


def fay_feuer(name, count, pop, std):
    count, pop, std = (np.array(v, float) for v in (count, pop, std))
    w = std / std.sum()
    value, var, wm = (w * count / pop).sum(), (w**2 * count / pop**2).sum(), (w / pop).max()
    low = stats.gamma.ppf(0.025, value**2 / var, scale=var / value) if value else 0.0
    high = stats.gamma.ppf(0.975, (value + wm) ** 2 / (var + wm**2), scale=(var + wm**2) / (value + wm))
    show(name, value, low, high)


print("scipy", scipy.__version__, "statsmodels", statsmodels.__version__, "lifelines", lifelines.__version__)
two_by_two("birthwt", 30, 44, 29, 86)
two_by_two("streptomycin", 4, 51, 14, 38)
two_by_two("zero", 0, 12, 5, 9)
two_by_two("all cases", 8, 0, 11, 0)
two_by_two("equal", 10, 10, 10, 10)
two_by_two("ties", 2, 8, 8, 2)
two_by_two("large", 1234567, 3765433, 1230000, 3770000)
two_by_two("larger", 30_000, 4_970_000, 29_000, 4_971_000)
table = [[20, 15, 30, 0], [25, 10, 5, 0], [12, 33, 8, 0], [0, 0, 0, 0]]
r = stats.chi2_contingency(np.array(table)[:3, :3], correction=False)
show("contingency", r.statistic, r.dof, r.pvalue)

for n, m, v in [(2, 1.0, 2.0), (26, 61.3, 118.7), (1_000_000, 5.5, 3.25), (10_000_001, 5.5, 3.25)]:
    show(f"mean {n}", m, stats.t.interval(0.95, n - 1, loc=m, scale=(v / n) ** 0.5))
for a, b in [
    ((26, 61.3, 118.7), (31, 55.25, 210.5)),
    ((2, 1.0, 2.0), (3, 9.0, 0.0)),
    ((1436, 54.1, 170.2), (1546, 55.9, 168.8)),
    ((3_000_000, 70.0, 200.0), (4_000_000, 70.02, 150.0)),
]:
    r = stats.ttest_ind_from_stats(a[1], a[2] ** 0.5, a[0], b[1], b[2] ** 0.5, b[0], equal_var=False)
    va, vb = a[2] / a[0], b[2] / b[0]
    df = (va + vb) ** 2 / (va**2 / (a[0] - 1) + vb**2 / (b[0] - 1))
    show(f"welch {a} {b}", a[1] - b[1], stats.t.interval(0.95, df, loc=a[1] - b[1], scale=(va + vb) ** 0.5))
    show("  test", r.statistic, df, r.pvalue)
for x, n in [(0, 10), (10, 10), (3, 10), (59, 189), (1, 5_000_000)]:
    show(f"wilson {x}/{n}", x / n, proportion_confint(x, n, method="wilson"))

for df in (1, 2.5, 30, 99, 101, 1e3, 1e5, 1e7, 1e9, 1e12):
    d = stats.t(df)
    show(f"student {df:g} t975, p(0.01) p(0.5) p(2) p(8) p(30)", d.ppf(0.975), *(2 * d.sf(x) for x in (0.01, 0.5, 2, 8, 30)))
for x, df in [(0.1, 1), (3.84, 1), (1400, 1), (3, 5), (100, 5), (1300, 1000)]:
    show(f"chi2 {x} {df}", stats.chi2.sf(x, df))

for events, time in [(0, 12.5), (1, 12.5), (18, 1520.0), (1_000_000, 2e7)]:
    low, high = gamma_rate(events)
    show(f"rate {events} {time}", events / time, low / time, high / time)
se = (1 / 18 + 1 / 30) ** 0.5
z = stats.norm.ppf(0.975)
value = (18 / 1520.0) / (30 / 1310.0)
show("rate ratio", value, value * np.exp(-z * se), value * np.exp(z * se))

# Fleiss 1981, page 249, as in epitools' example: Down syndrome by birth order, standard = mean population.
population = np.array([230061, 329449, 114920, 39487, 14208, 3052, 72202, 326701, 208667, 83228, 28466, 5375, 15050, 175702, 207081, 117300, 45026, 8660, 2293, 68800, 132424, 98301, 46075, 9834, 327, 30666, 123419, 149919, 104088, 34392]).reshape(5, 6)
cases = np.array([107, 141, 60, 40, 39, 25, 25, 150, 110, 84, 82, 39, 3, 71, 114, 103, 108, 75, 1, 26, 64, 89, 137, 96, 0, 8, 63, 112, 262, 295]).reshape(5, 6)
total = np.array([319933, 931318, 786511, 488235, 237863, 61313])
standard = (population.sum(axis=0)) / 5
for i in (0, 4):
    fay_feuer(f"birth order {i + 1}", cases[i], population[i], standard)
fay_feuer("no events", [0, 0], [100, 300], [1, 2])

logrank("two", [([(5, 3), (4, 4), (6, 1), (0, 0)], 7), ([(2, 1), (3, 0), (5, 2), (4, 2)], 12)])
logrank("three", [([(5, 3), (4, 4), (6, 1), (0, 0)], 7), ([(2, 1), (3, 0), (5, 2), (4, 2)], 12), ([(9, 9), (3, 3), (1, 1), (2, 2)], 0)])
logrank("four", [([(50, 30), (40, 40)], 7), ([(20, 10), (30, 0)], 12), ([(90, 9), (3, 3)], 100), ([(9, 0), (33, 3)], 10)])
f = lifelines.KaplanMeierFitter().fit([1, 1, 2, 3, 3, 3], [1, 0, 1, 1, 1, 1], timeline=[1, 2, 3])
show("km", f.survival_function_.values.ravel(), f.confidence_interval_.values.ravel(), f.median_survival_time_)
