"""A run as it is watched on a terminal: the fold of its events into printed lines."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.rule import Rule
from rich.text import Text

from datarus_jupyter.agent.observation import output_text
from datarus_jupyter.journal import events as ev
from datarus_jupyter.journal.fold import Fold
from datarus_jupyter.journal.summary import SummaryFold

_STYLE = {"think": "dim italic", "thought": "italic", "code": "cyan", "answer": "bold"}
_OUTPUT_CHARS = 2_000


class TerminalView(Fold):
    """Prints each event as it comes. Model text and output are printed as they are: markup in them means nothing."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self._summary = SummaryFold()
        self._step = 0
        self._channel = ""

    def _apply(self, event: ev.Event) -> None:
        self._summary.apply(event)
        match event:
            case ev.RunStarted():
                self._console.print(Text(f"{event.engine} · {event.model}", style="dim"))
            case ev.StepOpened(step=step):
                self._end_line()
                self._console.print(Rule(f"Step {step}", align="left", style="dim"))
            case ev.Text(channel=channel, delta=delta):
                self._stream(channel, delta)
            case ev.ReplyDiscarded(reason=reason):
                self._line(f"(set aside: {reason})", "yellow")
            case ev.Output(output=output):
                self._line(output_text(output, _OUTPUT_CHARS), "red" if output["output_type"] == "error" else "")
            case ev.ExecutionFinished(status=status, seconds=seconds):
                mark = "✓" if status == "ok" else "✗"
                self._line(f"{mark} {status}, {seconds:.1f} s", "green" if status == "ok" else "red")
            case ev.RunFinished():
                self._finish(event)

    def _stream(self, channel: str, delta: str) -> None:
        if channel != self._channel:
            self._end_line()
            self._channel = channel
        self._console.print(Text(delta, style=_STYLE[channel]), end="", soft_wrap=True)

    def _end_line(self) -> None:
        if self._channel:
            self._console.print()
            self._channel = ""

    def _line(self, text: str, style: str) -> None:
        self._end_line()
        if text:
            self._console.print(Text(text, style=style), soft_wrap=True)

    def _finish(self, finished: ev.RunFinished) -> None:
        self._end_line()
        if finished.answer:
            self._console.print(Rule("Answer", align="left", style="green"))
            self._console.print(Markdown(finished.answer))
        if finished.message:
            self._line(finished.message, "yellow")
        summary = self._summary.summary
        cached = 100 * summary.cached_tokens / summary.prompt_tokens if summary.prompt_tokens else 0.0
        tokens = summary.prompt_tokens + summary.completion_tokens
        self._line(
            f"{summary.steps} steps · {summary.seconds:.0f} s · {tokens:,} tokens ({cached:.0f} % cached)", "dim"
        )
