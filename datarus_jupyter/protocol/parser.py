"""The streaming parser of the Datarus format.

``feed`` takes the reply in pieces of any size and returns typed values as soon as they are certain. The sizes change
nothing but how text is cut into deltas, and the deltas, joined, are the reply, character for character: what belongs
to no channel (tags, the white space around contents, fences) is ``markup``, text around the steps is ``prose``, an
observation that the model invented is ``observation``.

What the open agent's parser mends is mended here too, and named in ``repairs`` (shown in docs/protocol.md).
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from datarus_jupyter.protocol.python_strings import LiteralTracker
from datarus_jupyter.protocol.tags import TAGS, TOOL

Channel = Literal["think", "thought", "code", "answer", "prose", "observation", "markup"]


class Delta(msgspec.Struct, frozen=True):
    """A piece of the reply and where it belongs."""

    channel: Channel
    text: str


class StepOpened(msgspec.Struct, frozen=True):
    """A step begins."""


class StepClosed(msgspec.Struct, frozen=True):
    """The step's code is complete and not empty. ``code`` is its ``code`` deltas, joined."""

    code: str


class Ended(msgspec.Struct, frozen=True):
    """The answer is complete and not empty. Nothing after it opens a step."""

    answer: str


class Complaint(msgspec.Struct, frozen=True):
    """The reply holds neither a step with code nor an answer: ``cut`` at the token limit, ``no_code``, ``no_step``."""

    reason: Literal["cut", "no_code", "no_step"]


Parsed = Delta | StepOpened | StepClosed | Ended | Complaint

_State = Literal[
    "out", "think", "step", "thought", "action", "code", "fenced", "after", "observation", "stop", "answer", "done"
]

_CHANNEL: dict[_State, Channel] = {
    "think": "think",
    "thought": "thought",
    "action": "markup",
    "code": "code",
    "fenced": "code",
    "observation": "observation",
    "answer": "answer",
}
_OPENS: dict[str, _State] = {"step": "step", "thought": "thought", "action": "action", "action_input": "code"}
_EVERY = " ".join(f"{tag} /{tag}" for tag in TAGS)
_IN_CODE = "/action_input /action /step observation stop_analysis /stop_analysis"
# The tags that mean something in a state; any other is part of the text.
_TAGS: dict[_State, str] = {
    "out": _EVERY,
    "think": "/think step answer stop_analysis",
    "step": _EVERY,
    "thought": "/thought action action_input /step step answer observation stop_analysis /stop_analysis",
    "action": "/action action_input /step",
    "code": _IN_CODE,
    "fenced": _IN_CODE,
    "after": _EVERY,
    "observation": "/observation /step step stop_analysis",
    "stop": _EVERY,
    "answer": "/answer /stop_analysis /step",
    "done": _EVERY,
}


def _pattern(state: _State) -> re.Pattern[str]:
    names = "|".join(_TAGS[state].split())
    fence = r"|\n[ \t]*```[ \t]*(?=\n)" if state == "fenced" else ""
    return re.compile(f"<(?:{names})>{fence}", re.IGNORECASE)


_PATTERN: dict[_State, re.Pattern[str]] = {state: _pattern(state) for state in _TAGS}
_TAG_BEGINNINGS = {f"<{tag}>"[:length] for tag in _EVERY.split() for length in range(1, len(tag) + 2)}

_LONGEST_TAG = max(map(len, _TAG_BEGINNINGS)) + 1

_FENCE = re.compile(r"[ \t]*```[^\n`<]*\n")
_FENCE_COMING = re.compile(r"[ \t]*(?:`{1,2}|```[^\n`<]*)\Z")
_FENCE_ENDING = re.compile(r"\s*\n[ \t]*`{1,3}[ \t]*\Z")
_BLANK = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"(?:[ \t]*\r?\n)+")


class StreamParser:
    """Parses one reply, or a whole transcript of steps. ``repairs`` names what had to be mended so far."""

    def __init__(self) -> None:
        self.repairs: list[str] = []
        self._out: list[Parsed] = []
        self._held = ""
        self._step_open = False
        self._step_done = False
        self._in_stop = False
        self._last_thought = ""
        self._opened = self._closed = 0
        self._ended = False
        self._state: _State = "out"
        self._channel: Channel = "prose"
        self._content: list[str] = []
        self._begun = self._plain = False
        self._literal = LiteralTracker()
        self._read = 0

    def feed(self, chunk: str) -> list[Parsed]:
        """The values that ``chunk`` makes certain."""
        self._out = []
        held = self._held
        # Most pieces hold no tag and need no look at the state's pattern.
        if self._plain and "<" not in chunk and (not held or held.isspace()):
            self._held = self._body(held + chunk)
        else:
            self._advance(held + chunk, final=False)
        return self._out

    def finish(self, *, truncated: bool = False) -> list[Parsed]:
        """The values that the end of the reply makes certain. ``truncated``: it was cut at the token limit."""
        self._out = []
        self._advance(self._held, final=True)
        self._emit("markup", self._held)
        self._held = ""
        if self._state in ("code", "fenced") and not truncated:
            self._close_code()
        elif self._state in ("answer", "stop", "thought"):
            self._end()
        if not self._closed and not self._ended:
            self._out.append(Complaint("cut" if truncated else "no_code" if self._opened else "no_step"))
        return self._out

    # Reading. ``_held`` is what cannot be decided yet: white space at the end, the beginning of a tag or of a fence.

    def _advance(self, text: str, *, final: bool) -> None:
        at = 0
        while True:
            if not self._begun:
                at = self._begin(text, at, final)
            match = _PATTERN[self._state].search(text, at)
            if match is None:
                break
            start, tag = match.start(), match.group()
            rest = self._body(text[at:start]) if at < start else ""
            at = match.end()
            if self._channel == "code" and self._in_literal(rest):
                self._emit("code", rest + tag)
            else:
                self._out.append(Delta("markup", rest + tag))
                self._on_tag(tag)
        beginning = "" if final else _tag_beginning(text, at)
        self._held = self._body(text[at : len(text) - len(beginning)]) + beginning

    def _begin(self, text: str, at: int, final: bool) -> int:
        """Pass the white space and the fence before a content; note when the content itself begins."""
        at = self._skip(_BLANK_LINES if self._channel == "code" else _BLANK, text, at)
        if self._state == "code" and (fence := _FENCE.match(text, at)):
            self._emit("markup", fence.group())
            self._repair("code fence")
            self._state = "fenced"
            at = self._skip(_BLANK_LINES, text, fence.end())
        if at == len(text) or _PATTERN[self._state].match(text, at):
            return at
        if not final and (_tag_beginning(text, at) == text[at:] or self._fence_coming(text, at)):
            return at
        if self._channel != "code" or not text[at:].isspace():
            self._imply_tag()
            self._begun = True
            self._plain = self._state != "fenced"
        return at

    def _fence_coming(self, text: str, at: int) -> bool:
        return self._state == "code" and _FENCE_COMING.match(text, at) is not None

    def _skip(self, pattern: re.Pattern[str], text: str, at: int) -> int:
        match = pattern.match(text, at)
        if match is None:
            return at
        self._out.append(Delta("markup", match.group()))
        return match.end()

    def _imply_tag(self) -> None:
        """Text stands where only tags should: in a step it is the thought, in the end block thought or answer."""
        if self._state == "step":
            self._repair("missing <thought>")
            self._enter("thought")
        elif self._state == "stop":
            self._repair("missing tag in <stop_analysis>")
            self._enter("answer" if self._last_thought else "thought")
        elif self._state in ("out", "after") and not self._ended:
            self._repair("text around the step")

    def _body(self, text: str) -> str:
        """Emit the content in ``text`` up to the white space at its end, which is returned."""
        if not self._begun:
            return text
        body = text.rstrip()
        if self._state == "fenced" and (ending := _FENCE_ENDING.search(body)):
            body = body[: ending.start()]
        if body:
            self._content.append(body)
            self._out.append(Delta(self._channel, body))
        return text[len(body) :]

    def _in_literal(self, rest: str) -> bool:
        """Whether the place after the content so far and ``rest`` lies in a string of the code."""
        self._literal.read("".join(self._content[self._read :]) + rest)
        self._read = len(self._content)
        return self._literal.inside

    def _emit(self, channel: Channel, text: str) -> None:
        if text:
            self._out.append(Delta(channel, text))
            if channel == "code":
                self._content.append(text)

    # Tags.

    def _enter(self, state: _State) -> None:
        if state == "out" and self._ended:
            state = "done"
        self._state = state
        self._channel = _CHANNEL.get(state, "prose")
        self._content = []
        self._begun = self._plain = False
        self._literal = LiteralTracker()
        self._read = 0

    def _on_tag(self, raw: str) -> None:
        name = raw[1:-1].lower() if raw[0] == "<" else "```"
        if raw[0] == "<" and raw[1:-1] != name:
            self._repair("capital tag")
        self._leave(name)
        if self._ended:
            self._enter("done")
        elif name == "stop_analysis":
            self._in_stop, self._step_open, self._last_thought = True, False, ""
            self._enter("stop")
        elif name in ("step", "thought", "action", "action_input"):
            self._open(name)
        elif name == "observation":
            self._repair("invented observation")
            self._enter("observation")
        elif name in ("think", "answer"):
            self._enter("think" if name == "think" else "answer")
        else:
            self._close(name)

    def _leave(self, name: str) -> None:
        """Finish the content that the tag ``name`` ends."""
        if self._state in ("code", "fenced"):
            if name not in ("/action_input", "```"):
                self._repair("missing </action_input>")
            self._close_code()
        elif self._state == "thought":
            self._last_thought = "".join(self._content)
        elif self._state == "action" and "".join(self._content) != TOOL:
            self._repair("action is not " + TOOL)
        elif self._state == "answer":
            self._end()

    def _open(self, name: str) -> None:
        within_step = self._step_open and not self._step_done
        ends_run = self._in_stop and name == "thought"
        if name == "step" or not (within_step or ends_run):
            if name != "step":
                self._repair("missing <step>")
            self._step_open, self._step_done, self._in_stop = True, False, False
            self._opened += 1
            self._out.append(StepOpened())
        self._enter(_OPENS[name])

    def _close(self, name: str) -> None:
        if name == "/step":
            self._step_open = False
        elif name == "/stop_analysis":
            self._end()
            self._in_stop = False
        inside: _State = "stop" if self._in_stop else "after" if self._step_done else "step"
        self._enter(inside if self._step_open or self._in_stop else "out")

    def _close_code(self) -> None:
        code = "".join(self._content)
        if code.strip():
            self._closed += 1
            self._step_done = True
            self._out.append(StepClosed(code))

    def _end(self) -> None:
        """The answer is complete; an end block without one ends with its thought."""
        text = "".join(self._content) if self._begun else ""
        if self._state != "answer":
            if not self._in_stop:
                return
            text = text or self._last_thought
            self._repair("missing <answer>")
        if text and not self._ended:
            self._ended = True
            self._out.append(Ended(text))

    def _repair(self, what: str) -> None:
        if what not in self.repairs:
            self.repairs.append(what)


def _tag_beginning(text: str, at: int) -> str:
    """The end of ``text[at:]`` that may become a tag with what comes next."""
    at = text.rfind("<", at)
    return text[at:] if at >= 0 and len(text) - at < _LONGEST_TAG and text[at:].lower() in _TAG_BEGINNINGS else ""
