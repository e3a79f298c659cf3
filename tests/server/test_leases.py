"""The lease of a notebook: one writer, whatever tabs come and go."""

from __future__ import annotations

import asyncio

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from datarus_jupyter.server.leases import FILE, VACANT, Lease, Leases
from tests.patience import PATIENCE

NAMES = st.sampled_from(["a", "b", "c"])


class LeaseMachine(RuleBasedStateMachine):
    """Any order of tabs opening, closing, vanishing and graces ending."""

    def __init__(self) -> None:
        super().__init__()
        self.lease = Lease()
        self.open: set[str] = set()

    @rule(tab=NAMES)
    def opens(self, tab: str) -> None:
        writer = self.lease.holder
        self.lease.open(tab)
        self.open.add(tab)
        assert self.lease.holder == (tab if writer in (FILE, VACANT) else writer)

    @rule(tab=NAMES)
    def closes(self, tab: str) -> None:
        was_writer = self.lease.holder == tab
        self.lease.close(tab, grace=False)
        self.open.discard(tab)
        if was_writer:
            assert self.lease.holder in (self.open or {FILE})

    @rule(tab=NAMES)
    def vanishes(self, tab: str) -> None:
        was_writer = self.lease.holder == tab
        self.lease.close(tab, grace=True)
        self.open.discard(tab)
        assert (self.lease.holder == VACANT) or not was_writer

    @precondition(lambda self: self.lease.holder == VACANT)
    @rule()
    def grace_ends(self) -> None:
        self.lease.expire()
        assert self.lease.holder in (self.open or {FILE})

    @precondition(lambda self: self.lease.holder != VACANT)
    @rule()
    def late_grace_ends(self) -> None:
        before = self.lease.holder
        self.lease.expire()
        assert self.lease.holder == before

    @invariant()
    def one_writer_that_is_there(self) -> None:
        assert set(self.lease.tabs) == self.open
        assert self.lease.holder in {FILE, VACANT, *self.open}

    @invariant()
    def the_file_only_without_tabs(self) -> None:
        assert self.lease.holder != FILE or not self.open


TestLease = LeaseMachine.TestCase


class Changes:
    """Records the changes of holder; ``hold`` makes the next announcement wait."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, str]] = []
        self.happened = asyncio.Event()
        self.hold: asyncio.Event | None = None

    async def __call__(self, notebook: str, before: str, after: str) -> None:
        if self.hold:
            await self.hold.wait()
        self.seen.append((notebook, before, after))
        self.happened.set()


async def test_a_reload_comes_back_within_the_grace() -> None:
    changes = Changes()
    leases = Leases(60.0, changes)
    await leases.open("n", "a")
    await leases.open("n", "b")
    await leases.lose("n", "a")
    assert leases.holder("n") == VACANT
    await leases.open("n", "a2")
    assert leases.holder("n") == "a2"
    await leases.stop()
    assert changes.seen == [("n", FILE, "a"), ("n", "a", VACANT), ("n", VACANT, "a2")]


async def test_after_the_grace_another_tab_writes_then_the_file() -> None:
    changes = Changes()
    leases = Leases(0.01, changes)
    await leases.open("n", "a")
    await leases.open("n", "b")
    for gone, heir in (("a", "b"), ("b", FILE)):
        await leases.lose("n", gone)
        async with asyncio.timeout(PATIENCE):
            while leases.holder("n") == VACANT:
                changes.happened.clear()
                await changes.happened.wait()
        assert leases.holder("n") == heir
    assert leases.tabs("n") == ()


async def test_the_second_grace_is_not_cut_short_by_the_first() -> None:
    leases = Leases(0.2, Changes())
    loop = asyncio.get_running_loop()
    await leases.open("n", "a")
    await leases.lose("n", "a")
    await leases.open("n", "b")
    lost = loop.time()
    await leases.lose("n", "b")
    async with asyncio.timeout(PATIENCE):
        while leases.holder("n") == VACANT:
            await asyncio.sleep(0)
    assert loop.time() - lost >= 0.2
    await leases.stop()


async def test_a_change_waits_for_the_announcement_of_the_one_before() -> None:
    changes = Changes()
    changes.hold = asyncio.Event()
    leases = Leases(1.0, changes)
    first = asyncio.create_task(leases.open("n", "a"))
    second = asyncio.create_task(leases.close("n", "a"))
    await asyncio.sleep(0)
    assert not second.done()
    assert leases.holder("n") == "a"
    changes.hold.set()
    await asyncio.gather(first, second)
    assert changes.seen == [("n", FILE, "a"), ("n", "a", FILE)]
