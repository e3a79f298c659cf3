"""What the model is told: the system prompt, the worked example, the turns between.

A profile is picked by the model's family. Datarus models know the format from training and expect the observation in
their own turn; any other model is shown one worked example, without which small models fail (docs/results.md). The
fixed part comes first and never changes, so that an engine can keep it warm in its prefix cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from datarus_jupyter.protocol.escaping import escape, fenced, one_line
from datarus_jupyter.protocol.form import asked_names, form_of
from datarus_jupyter.protocol.messages import Message
from datarus_jupyter.protocol.tags import render_answer, render_step

_SYSTEM = """\
You are Datarus, a data scientist who works in the user's Jupyter notebook. You answer a question step by step: one \
short thought, one piece of Python, then you wait for what it prints.

Each turn is exactly one step:
<step>
<thought>what you do next and why, in one or two sentences</thought>
<action>python_executor</action>
<action_input>
Python code
</action_input>
</step>
The code runs in the notebook's kernel; variables stay. You get its output as <observation>; never write one yourself.

Rules:
- In the first thought, list all that the question asks for: conditions, values, tests, plots, rounding. Do every one.
- Load files first. Use the column names exactly as given.
- Every number in your answer must have been printed by your code, rounded as asked. Never compute in your head.
- Let the code decide, too: print what a comparison or a test comes to, such as p < 0.05.
- One thing a step: a test or a plot that was asked for has a step of its own, before you answer.
- After an error, read it, say in the thought what was wrong, and try another way.
- pandas, numpy, scipy, scikit-learn, matplotlib and seaborn may be imported.

When everything that was asked is done, end with:
<stop_analysis>
<thought>why the work is complete</thought>
<answer>the answer for the user, in the form they asked for</answer>
</stop_analysis>"""

_EXAMPLE_CONTEXT = """\
Files in the working directory, not loaded yet:
- sales.csv (240 rows): date, region, units, price
  first row: 2024-01-02,North,3,18.5"""

_EXAMPLE = (
    (
        "user",
        "Which region is the most expensive, and is the difference to the next one real? Ignore rows without a "
        "price, round to two decimals. Plot it.",
    ),
    (
        "step",
        "To do: mean price by region, without rows that lack a price, two decimals; a test of the difference; a plot. "
        "First I load the file and compute the means.",
        'import pandas as pd\n\ndf = pd.read_csv("sales.csv")\n'
        'df = df.dropna(subset=["price"])  # ignore rows without a price\n'
        'means = df.groupby("region")["price"].mean().sort_values(ascending=False)\n'
        "print(means.round(2))  # two decimals",
    ),
    ("observation", "region\nNorth    18.42\nSouth    15.91\nWest     12.25\nName: price, dtype: float64"),
    (
        "step",
        "The means are sorted. Still to do: the test, the plot. I test the first two.",
        "from scipy import stats\n\n"
        'first, second = (df.loc[df["region"] == name, "price"] for name in means.index[:2])\n'
        "test = stats.ttest_ind(first, second, equal_var=False)\n"
        'print(f"{means.index[0]} - {means.index[1]}: {first.mean() - second.mean():.2f}")\n'
        'print(f"p = {test.pvalue:.2g}, significant: {test.pvalue < 0.05}")',
    ),
    ("observation", "North - South: 2.52\np = 0.0031, significant: True"),
    (
        "step",
        "The difference is significant. Still to do: the plot. I draw the means as bars.",
        "import matplotlib.pyplot as plt\n\n"
        'means.plot.bar(ylabel="Mean price", title="Mean price by region")\nplt.show()',
    ),
    ("observation", "[figure: image/png, 640×480]"),
    (
        "answer",
        "Means, test and plot are done.",
        "North has the highest mean price, 18.42. That is 2.52 above South, and the difference is significant "
        "(p = 0.0031).",
    ),
)


@dataclass(frozen=True, slots=True)
class Profile:
    """How a family of models is addressed.

    ``observation_inside``: the observation goes on the model's own turn, before ``</step>``, as in the training data of
    Datarus models [agent]; else it is the next message. Sampling is what the family works best with. An observation
    has at most ``observation_chars`` characters, an output of it ``output_chars``: a small model on a CPU reads about
    250 characters a second.
    """

    name: str
    example: bool
    observation_inside: bool
    grammar: bool
    temperature: float
    top_k: int | None = None
    observation_chars: int = 10_000
    output_chars: int = 4_000


DATARUS = Profile("datarus", example=False, observation_inside=True, grammar=False, temperature=0.6, top_k=20)
GENERAL = Profile(
    "general",
    example=True,
    observation_inside=False,
    grammar=True,
    temperature=0.0,
    observation_chars=3_000,
    output_chars=1_500,
)
PROFILES = {profile.name: profile for profile in (DATARUS, GENERAL)}


def profile_for(model: str) -> Profile:
    """The profile of a model, by its name as the engine serves it."""
    return DATARUS if "datarus" in model.lower() else GENERAL


def fixed_prefix(profile: Profile) -> list[Message]:
    """The messages that every run of this profile begins with."""
    messages = [Message("system", _SYSTEM)]
    if profile.example:
        messages += _example(profile)
    return messages


def first_messages(
    profile: Profile, question: str, context: str = "", earlier: Sequence[tuple[str, str]] = ()
) -> list[Message]:
    """The messages that a run begins with. ``earlier`` are questions of this conversation and their answers."""
    parts = [context] if context else []
    parts += [f"Earlier question: {escape(asked)}\nIts answer: {_quoted(answer)}" for asked, answer in earlier]
    parts.append(f"Question: {escape(question)}")
    return [*fixed_prefix(profile), Message("user", "\n\n".join(parts))]


def _quoted(answer: str) -> str:
    """An answer may repeat what stands in the data, so a long one is fenced."""
    return escape(answer if one_line(answer) == answer else f"\n{fenced(answer)}")


def step_turn(profile: Profile, text: str) -> str:
    """A turn with a step, cut after its code, as it stands in the history until its observation is there."""
    return text if profile.observation_inside else text + "\n</step>"


def observation_turn(
    profile: Profile, observation: str, question: str, *, failed: bool, owed: str = ""
) -> tuple[str, str]:
    """The text that shows an observation, already escaped, and the message after it (see ``events.Observation``).

    ``owed`` names what the question asks for and the run can be seen to lack.
    """
    shown = f"<observation>\n{observation}\n</observation>"
    if profile.observation_inside:
        next_turn = "That was an error. Find out why and try another way." if failed else "Continue with the next step."
        return f"\n{shown}\n</step>", next_turn
    return f"{shown}\n{_what_next(question, failed, owed)}", ""


FIGURE = "the figure"
"""What is ``owed`` while a figure was asked for and none is drawn."""

_SAID_AGAIN_CHARS = 240


def _what_next(question: str, failed: bool, owed: str) -> str:
    if failed:
        return "That was an error. Say in the thought what was wrong, then try another way in the next <step>."
    # A small model forgets half of a question on the way; said again, it does what is left (docs/results.md).
    asked = escape(" ".join(question.split()))
    asked = asked if len(asked) <= _SAID_AGAIN_CHARS else asked[:_SAID_AGAIN_CHARS] + " …"
    names = asked_names(question)
    form = f" The answer's form: {form_of(names)}." if names else ""
    if owed:
        return f"Asked: {asked}{form}\nNot done yet: {owed}. Take the next <step>."
    return f"Asked: {asked}{form}\nThe next <step> if something of it is not printed yet, else <stop_analysis>."


def format_reminder(reason: str) -> str:
    """What to say to a reply without a step: ``reason`` as in ``parser.Complaint``."""
    what = {
        "cut": "Your reply was too long and was cut. Write a shorter step.",
        "no_code": "Your step had no code.",
        "no_step": "Your reply was out of form.",
    }[reason]
    return (
        f"{what} Reply with exactly one <step><thought>…</thought><action>python_executor</action>"
        "<action_input>…</action_input></step>, or end with <stop_analysis><thought>…</thought>"
        "<answer>…</answer></stop_analysis>."
    )


def _example(profile: Profile) -> list[Message]:
    question = _EXAMPLE[0][1]
    messages = [Message("user", f"{_EXAMPLE_CONTEXT}\n\nQuestion: {question}")]
    for kind, *texts in _EXAMPLE[1:]:
        if kind == "step":
            messages.append(Message("assistant", render_step(*texts)))
        elif kind == "observation":
            owed = "" if texts[0].startswith("[figure") else FIGURE
            messages.append(Message("user", observation_turn(profile, texts[0], question, failed=False, owed=owed)[0]))
        else:
            messages.append(Message("assistant", render_answer(*texts)))
    return messages


LAST_WORD = (
    "No more code can be run. End now with <stop_analysis><thought>…</thought><answer>…</answer></stop_analysis>: "
    "answer from what your code has printed, and say what is missing."
)
