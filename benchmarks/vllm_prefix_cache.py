"""How much of the prompts of a run vLLM serves from its prefix cache, from the second step on.

A real vLLM on the CPU generates six replies of usual length with a small model; between them stand the outputs of a
usual analysis. What the cache can hold of a prompt is the prompt before and its reply: the new observation is new,
whatever the engine does, so the share of all prompt tokens has a bound below 1, which is measured too. vLLM caches
whole blocks only, of 16 tokens on GPUs by default; on CPUs 128 by default and 32 at the least. On average half a block
of each prompt is worked on again.
"""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.figure import Figure, figure
from datarus_jupyter.agent.interfaces import Engine, Sampling
from datarus_jupyter.agent.record import Record
from datarus_jupyter.agent.turn import take_turn
from datarus_jupyter.engines.catalogue import find_model, models_dir
from datarus_jupyter.engines.download import pull
from datarus_jupyter.engines.openai_compatible import OpenAICompatible
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.log import RunLog
from datarus_jupyter.protocol import prompts
from datarus_jupyter.protocol.escaping import escape
from datarus_jupyter.protocol.tags import STOP
from tests.engines.vllm_server import BLOCK, model_folder, serving

QUESTION = "Which penguin species is heaviest, and is the difference real? Plot it."

# A step with a thought and a code of usual length: a model of 135M parameters does not find an end by itself.
_STEP = r"""root ::= "<step>\n<thought>" text "</thought>\n<action>python_executor</action>\n<action_input>\n" code end
end ::= "\n</action_input>\n</step>"
text ::= [a-zA-Z0-9 ,.'=()-]{80,160}
code ::= [a-zA-Z0-9 ,.'=()_\n-]{120,320}"""


def measure() -> list[Figure]:
    """The shares in percent, of one run each, as a run takes minutes and its tokens are counted, not timed."""
    shares = _shares_by_profile()
    goals = {name: 95.0 for name in shares if name.endswith("_share")}
    return [
        figure(name, "%", [100 * share], at_least=goals.get(name), note=f"vLLM on the CPU, blocks of {BLOCK} tokens")
        for name, share in shares.items()
    ]


def _shares_by_profile() -> dict[str, float]:
    """The shares, for a model that is shown a worked example (``general``) and for Datarus's own (``datarus``).

    ``…_share``: of all prompt tokens from the second step on. ``…_bound``: what a perfect cache would reach.
    ``…_of_cacheable``: of the tokens of the prompt before and its reply.
    """
    gguf = asyncio.run(pull(find_model("smollm2-135m"), models_dir()))
    with tempfile.TemporaryDirectory() as scratch:
        with serving(model_folder(gguf), Path(scratch) / "vllm.log", block=BLOCK) as server:
            return asyncio.run(_measure(f"{server.url}/v1", server.key, Path(scratch)))


async def _measure(url: str, key: str, scratch: Path) -> dict[str, float]:
    figures: dict[str, float] = {}
    async with OpenAICompatible(url, key=key) as engine:
        await engine.start()
        for profile in (prompts.GENERAL, prompts.DATARUS):
            shares = await prefix_cache_share(engine, profile, observations(), scratch / f"{profile.name}.jsonl")
            figures |= {f"vllm_prefix_cache_{profile.name}_{name}": value for name, value in shares.items()}
    return figures


async def prefix_cache_share(
    engine: Engine, profile: prompts.Profile, shown: Sequence[str], journal: Path
) -> dict[str, float]:
    """Take one turn more than there are observations, through the product's own turns; see ``measure``."""
    sampling = Sampling(temperature=0.0, max_tokens=600, stop=STOP, grammar=_STEP)
    with RunLog(journal) as log:
        record = Record(log)
        prompt = prompts.first_messages(profile, QUESTION, _context())
        record(
            ev.RunStarted(
                question=QUESTION, prompt=prompt, engine=engine.name, model=engine.model, profile=profile.name
            )
        )
        for step, output in enumerate((*shown, ""), 1):
            turn = await take_turn(engine, record.messages, sampling, profile, record, step)
            assert turn.code is not None, turn
            text, then = prompts.observation_turn(profile, escape(output), QUESTION, failed="Error" in output)
            record(ev.Observation(step=step, text=text, then=then))
        return _shares([event for event in log.events if isinstance(event, ev.Usage)])


def _shares(usages: Sequence[ev.Usage]) -> dict[str, float]:
    pairs = list(itertools.pairwise(usages))
    prompt = sum(after.prompt_tokens for _, after in pairs)
    cached = sum(after.cached_tokens for _, after in pairs)
    cacheable = sum(before.prompt_tokens + before.completion_tokens for before, _ in pairs)
    return {"share": cached / prompt, "bound": cacheable / prompt, "of_cacheable": cached / cacheable}


def observations() -> list[str]:
    """What five steps of the analysis of the example data print."""
    penguins = pd.read_csv("examples/penguins.csv")
    masses = penguins.dropna(subset=["body_mass_g"]).groupby("species")["body_mass_g"]
    return [
        f"{penguins.head()}\n{penguins.shape}",
        str(masses.agg(["count", "mean", "std", "min", "max"]).round(1)),
        "KeyError: 'mass'\n  line 3: heavy = penguins['mass'].max()\nColumns: " + ", ".join(penguins.columns),
        f"difference of the first two means: {masses.mean().nlargest(2).diff().iloc[-1]:.1f}\n{masses.sem().round(2)}",
        "[figure: image/png, 640×480]",
    ]


def _context() -> str:
    penguins = pd.read_csv("examples/penguins.csv")
    return f"Files in the working directory:\n- penguins.csv ({len(penguins)} rows): {', '.join(penguins.columns)}"
