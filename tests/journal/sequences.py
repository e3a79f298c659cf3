"""Event sequences for property tests: any events in any order, which folds must survive, and whole plausible runs."""

from __future__ import annotations

from hypothesis import strategies as st

from datarus_jupyter.journal import events as ev

texts = st.text(max_size=12)
steps = st.integers(1, 4)
streams = st.builds(
    lambda name, text: {"output_type": "stream", "name": name, "text": text},
    st.sampled_from(["stdout", "stderr"]),
    texts,
)
displays = st.builds(lambda text: {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}, texts)
ids = st.sampled_from(["a", "b"])

event = st.one_of(
    st.builds(ev.StepOpened, step=steps),
    st.builds(ev.Text, step=steps, channel=st.sampled_from(["think", "thought", "code", "answer"]), delta=texts),
    st.builds(ev.StepClosed, step=steps, code=texts, sha256=st.just("")),
    st.builds(ev.Reply, step=steps, text=texts),
    st.builds(ev.Usage, step=steps, prompt_tokens=st.integers(0, 99)),
    st.builds(ev.ReplyDiscarded, step=steps, reason=texts),
    st.builds(ev.ApprovalDecided, step=steps, verdict=st.just("edited"), sha256=st.just(""), code=st.none() | texts),
    st.builds(ev.ExecutionStarted, step=steps),
    st.builds(ev.Output, step=steps, output=streams),
    st.builds(ev.Output, step=steps, output=displays, display_id=st.none() | ids),
    st.builds(ev.OutputUpdated, display_id=ids, output=displays),
    st.builds(ev.OutputsCleared, step=steps, wait=st.booleans()),
    st.builds(ev.ExecutionFinished, step=steps, status=st.sampled_from(["ok", "error"]), count=st.integers(1, 9)),
    st.builds(ev.Observation, step=steps, text=texts),
    st.builds(ev.Reminder, step=steps, reason=st.just("format"), text=texts),
    st.builds(ev.UserEdited, step=st.just(1), cell=st.just("datarus-run-1-code"), source=texts, sha256=st.just("")),
    st.builds(ev.Reverted, step=steps),
    st.builds(ev.RunInterrupted, reason=texts),
    st.builds(ev.RunResumed),
)
started = st.builds(
    ev.RunStarted,
    question=texts,
    prompt=st.lists(st.builds(ev.Message, role=st.just("user"), content=texts), max_size=2),
    engine=texts,
    model=texts,
    profile=st.just("general"),
)
finished = st.builds(ev.RunFinished, reason=st.just("answered"), answer=texts)


@st.composite
def runs(draw: st.DrawFn) -> list[ev.Event]:
    """A started run of any events; the journal stamps them."""
    return [draw(started), *draw(st.lists(event, max_size=25)), *draw(st.lists(finished, max_size=1))]
