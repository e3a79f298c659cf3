"""GBNF grammars of one turn, for engines that can be held to one. Code cannot hold ``</``; nothing else is lost."""

from __future__ import annotations

from datarus_jupyter.protocol.form import asked_names

_STEP = (
    r"""step ::= "<step>\n<thought>" text "</thought>\n<action>python_executor</action>\n<action_input>\n" """
    r'''code "\n</action_input>\n</step>"'''
)
_END = r'''end ::= "<stop_analysis>\n<thought>" text "</thought>\n<answer>" answer "</answer>\n</stop_analysis>"'''
_TERMS = r"""text ::= ([^<] | "<" [^/a-z])+
code ::= ([^<] | "<" [^/])+
value ::= [^\]\[@<\n]*"""


def turn_grammar(question: str) -> str:
    """A step, or the end with an answer in the form that ``question`` asks for."""
    return _grammar("step | end", question)


def step_grammar() -> str:
    """A step only."""
    return _grammar("step", "")


def end_grammar(question: str) -> str:
    """The end only."""
    return _grammar("end", question)


def _grammar(root: str, question: str) -> str:
    return "\n".join((f"root ::= {root}", _STEP, _END, _answer(asked_names(question)), _TERMS))


def _answer(names: tuple[str, ...]) -> str:
    if not names:
        return "answer ::= text"
    pairs = r' ","? [ \n] '.join(f'"@{name}[" value "]"' for name in names)
    return rf'answer ::= {pairs} ("\n" text)?'
