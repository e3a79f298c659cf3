"""Replies of usual length, as a model gives them in the analysis of the example data."""

from __future__ import annotations

from datarus_jupyter.protocol.tags import render_answer, render_step

_LOAD = """import pandas as pd

df = pd.read_csv("penguins.csv")
print(df.shape)
print(df.dtypes)
print(df.isna().sum())"""
_MEANS = """means = (
    df.dropna(subset=["body_mass_g"])
    .groupby("species")["body_mass_g"]
    .agg(["count", "mean", "std"])
    .sort_values("mean", ascending=False)
)
print(means.round(1))"""
_TEST = """from scipy import stats

first, second = means.index[:2]
heavy = df.loc[df["species"] == first, "body_mass_g"].dropna()
light = df.loc[df["species"] == second, "body_mass_g"].dropna()
result = stats.ttest_ind(heavy, light, equal_var=False)
if len(heavy) > 2 and result.pvalue < 0.05:
    print(f"{first} - {second}: {heavy.mean() - light.mean():.1f} g, t = {result.statistic:.2f}")
print(f"p = {result.pvalue:.2e}")"""
_PLOT = """import matplotlib.pyplot as plt

figure, axes = plt.subplots(figsize=(7, 4))
means["mean"].plot.bar(yerr=means["std"], ax=axes, color=["tab:blue", "tab:orange", "tab:green"], capsize=4)
axes.set_xlabel("")
axes.set_ylabel("Mean body mass (g)")
axes.set_title("Body mass of penguins by species")
plt.tight_layout()
plt.show()"""

STEPS = [
    ("I load the file first and look at its columns, their types and how many values are missing in each.", _LOAD),
    (
        "Two birds have no body mass, so I leave those rows out. Next: count, mean and standard deviation of the body "
        "mass of each species, heaviest first.",
        _MEANS,
    ),
    (
        "Gentoo has the greatest mean. The question asks whether the difference is real, so I compare it with the "
        "second heaviest by Welch's t-test, which does not need equal variances.",
        _TEST,
    ),
    ("A plot was asked for: bars of the means with the standard deviations as error bars.", _PLOT),
]
"""Thoughts and their codes."""

# It claims no figure and no name, so that it needs no source in what the steps printed.
_ANSWER = (
    "One species is much heavier than the others, and the difference is real: the test by Welch leaves no room for "
    "chance, and the standard deviations are small beside the distance between the means. The bar chart above shows "
    "the means of the species in descending order, with their standard deviations as error bars. The rows without a "
    "body mass were left out of it."
)
ANSWER = render_answer("All parts are done: the means, the test, the plot.", _ANSWER)
REPLIES = [*(render_step(thought, code) for thought, code in STEPS), ANSWER]
TRANSCRIPT = "\n".join(REPLIES)
