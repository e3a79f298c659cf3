"""The tags of the Datarus format (agent and paper, see docs/protocol.md)."""

from __future__ import annotations

TAGS = ("step", "thought", "action", "action_input", "observation", "stop_analysis", "answer", "think")
TOOL = "python_executor"

STOP = ("</step>", "<observation>", "</stop_analysis>", "</answer>")
"""Where a turn ends. The parser needs none of them: an engine may leave the stop string out (defect 1 of the agent)."""


def render_code(thought: str, code: str) -> str:
    """A turn up to the end of its code, as the format has it."""
    return f"<step>\n<thought>{thought}</thought>\n<action>{TOOL}</action>\n<action_input>\n{code}\n</action_input>"


def render_step(thought: str, code: str) -> str:
    """A whole step, as in the worked example."""
    return render_code(thought, code) + "\n</step>"


def render_answer(thought: str, answer: str) -> str:
    """The end of an agentic run."""
    return f"<stop_analysis>\n<thought>{thought}</thought>\n<answer>{answer}</answer>\n</stop_analysis>"
