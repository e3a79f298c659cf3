"""The replies of a run that meets everything: an error, its correction, a plot, an unfounded number."""

from __future__ import annotations

from datarus_jupyter.protocol.tags import render_answer, render_step

QUESTION = "Which penguin species is heaviest, and is the difference real? Plot it."
LOAD = (
    'import pandas as pd\n\ndf = pd.read_csv("penguins.csv")\n'
    'means = df.groupby("species")["body_mass_g"].mean().sort_values(ascending=False)\nprint(means)'
)
FAILS = (
    'heavy, next_one = (df.loc[df.species == s, "body_mass_g"].dropna() for s in means.index[:2])\n'
    'print(f"difference {heavy.mean() - next_one.mean():.0f} g, p = {stats.ttest_ind(heavy, next_one).pvalue:.1e}")'
)
PLOT = 'import matplotlib.pyplot as plt\n\nmeans.plot.bar(ylabel="Mean body mass (g)")\nplt.show()'
ANSWER = "Gentoo is heaviest: 5,076 g on average, 1,343 g above Chinstrap. Chance would explain 777 g."
PENGUINS = [
    render_step("I load the file and compute the mean body mass of each species.", LOAD),
    render_step("Test the difference between the two heaviest.", FAILS),
    render_step("`stats` was never imported; I import scipy.stats and repeat.", "from scipy import stats\n\n" + FAILS),
    render_step("A plot was asked for.", PLOT),
    render_answer("All parts are done.", ANSWER),
    render_answer("All parts are done.", ANSWER),
]
