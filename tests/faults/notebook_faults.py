"""The notebook's file is renamed, moved, removed, changed, locked, huge; outputs are huge or junk."""

from __future__ import annotations

import os

import nbformat

from tests.faults.matrix import MATRIX, cells
from tests.faults.script import COUNTS, PRINTS, replies
from tests.faults.world import World, until

WAITS = "import os, time\nprint('waiting', flush=True)\nwhile not os.path.exists('go'):\n    time.sleep(0.02)"


async def _half_done(world: World) -> str:
    """A run whose first step is on disk and whose second waits for the file ``go``."""
    world.script.steps = replies(PRINTS, WAITS, COUNTS)
    run = await world.ask()
    await world.seen(run, "output", step=2)
    await until(lambda: len(cells(world)) == 5, "two steps on disk")
    return run


async def _go_on(world: World, run: str) -> None:
    (world.root / "go").touch()
    await world.finished(run)


@MATRIX.fault("notebook renamed in mid-run", quick=True)
async def renamed(world: World) -> str:
    """As Lab does it: through the contents interface. The run's cells go on under the new name."""
    return await _moved(world, "renamed.ipynb")


@MATRIX.fault("notebook moved to another folder in mid-run")
async def moved(world: World) -> str:
    """As by dragging it in the file browser."""
    (world.root / "sub").mkdir()
    return await _moved(world, "sub/work.ipynb")


@MATRIX.fault("the folder of the notebook renamed in mid-run")
async def folder_renamed(world: World) -> str:
    """The notebook's path changes though nobody touched the notebook."""
    (world.root / "before").mkdir()
    await world.call("PATCH", f"/api/contents/{world.notebook}", path="before/work.ipynb")
    world.notebook = "before/work.ipynb"
    run = await _half_done_in(world, "before")
    await world.call("PATCH", "/api/contents/before", path="after")
    world.notebook = "after/work.ipynb"
    (world.root / "after" / "go").touch()
    await world.finished(run)
    return run


async def _half_done_in(world: World, folder: str) -> str:
    run = await _half_done(world)
    assert (world.root / folder).is_dir()
    return run


async def _moved(world: World, path: str) -> str:
    run = await _half_done(world)
    await world.call("PATCH", f"/api/contents/{world.notebook}", path=path)
    old = world.path
    world.notebook = path
    await _go_on(world, run)
    await until(lambda: "It is 42." in world.path.read_text(), "the answer under the new name")
    assert not old.exists()
    assert (await world.listed(run))["notebook"] == path
    return run


@MATRIX.fault("run stopped, notebook renamed, run resumed", quick=True)
async def renamed_and_resumed(world: World) -> str:
    """It goes on in the notebook's new place."""
    run = await _stopped(world)
    await world.call("PATCH", f"/api/contents/{world.notebook}", path="renamed.ipynb")
    old = world.path
    world.notebook = "renamed.ipynb"
    await world.seen(run, "notebook_moved")
    await world.resume(run)
    await world.seen(run, "run_finished", reason="answered")
    await until(lambda: "It is 42." in world.path.read_text(), "the answer under the new name")
    assert not old.exists()
    return run


@MATRIX.fault("run stopped, notebook deleted, run resumed once it is put back", quick=True)
async def deleted_and_resumed(world: World) -> str:
    """As long as there is no notebook, a sentence says so."""
    run = await _stopped(world)
    content = world.path.read_bytes()
    world.path.unlink()
    assert f"no notebook {world.notebook}" in await world.refused("POST", f"/datarus/api/runs/{run}/resume")
    world.path.write_bytes(content)
    await world.resume(run)
    await world.seen(run, "run_finished", reason="answered")
    return run


async def _stopped(world: World) -> str:
    run = await _half_done(world)
    await world.call("POST", f"/datarus/api/runs/{run}/stop")
    await world.seen(run, "run_finished", reason="stopped")
    await until(lambda: "the run was stopped" in world.path.read_text(), "the stopped cell on disk")
    return run


@MATRIX.fault("notebook deleted in mid-run", written=False)
async def deleted(world: World) -> str:
    """It is not made anew; the run ends, and all of it stays in its journal."""
    run = await _half_done(world)
    await world.call("DELETE", f"/api/contents/{world.notebook}")
    await _go_on(world, run)
    await until(lambda: "put it back" in world.log, "a sentence in the log")
    assert not world.path.exists()
    return run


@MATRIX.fault("notebook deleted in mid-run and put back", quick=True)
async def put_back(world: World) -> str:
    """What could not be written while it was gone is written when it is there again."""
    run = await _half_done(world)
    content = world.path.read_bytes()
    world.path.unlink()
    await _go_on(world, run)
    world.path.write_bytes(content)
    tab = await world.tab()
    await tab.close()
    return run


@MATRIX.fault("cell deleted and cell edited by the user in mid-run, on disk", quick=True)
async def users_hand(world: World) -> str:
    """The deleted one stays away, the edited one stays theirs."""
    run = await _half_done(world)
    notebook = nbformat.read(world.path, 4)
    world.removed.add(notebook.cells.pop(1).id)
    notebook.cells[1].source = "mine = 1"
    nbformat.write(notebook, world.path)
    await _go_on(world, run)
    await until(lambda: "It is 42." in world.path.read_text(), "the answer in the file")
    assert cells(world)[1]["source"] == "mine = 1"
    assert not world.removed & {cell["id"] for cell in cells(world)}
    return run


@MATRIX.fault("notebook saved by another program at every step", quick=True)
async def contested(world: World) -> str:
    """Their cells and the run's are merged."""
    run = await _half_done(world)
    for number in range(3):
        notebook = nbformat.read(world.path, 4)
        theirs = nbformat.v4.new_code_cell(f"theirs = {number}", id=f"theirs-{number}")
        notebook.cells.insert(number, theirs)
        nbformat.write(notebook, world.path)
    await _go_on(world, run)
    await until(lambda: "It is 42." in world.path.read_text(), "the answer in the file")
    assert [cell["id"] for cell in cells(world)][:3] == [f"theirs-{number}" for number in range(3)]
    return run


@MATRIX.fault("notebook cannot be written (a folder in its place), freed after the end")
async def locked(world: World) -> str:
    """What could not be saved at one step is saved at the next."""
    run = await _half_done(world)
    hidden = world.path.with_suffix(".hidden")
    os.rename(world.path, hidden)
    world.path.mkdir()  # a file that root cannot write either: a folder in its place
    await _go_on(world, run)
    world.path.rmdir()
    os.rename(hidden, world.path)
    tab = await world.tab()
    await tab.close()
    return run


@MATRIX.fault("notebook of 1,000 cells")
async def many_cells(world: World) -> str:
    """The run's cells go to its end."""
    world.make_notebook(*(nbformat.v4.new_code_cell(f"b{n} = {n}", id=f"b-{n}") for n in range(1000)))
    run = await world.ask()
    await world.finished(run)
    await until(lambda: len(cells(world)) > 1001, "the run's cells")
    assert [cell["id"] for cell in cells(world)][1:1001] == [f"b-{n}" for n in range(1000)]
    return run


@MATRIX.fault("notebook of 200 MB")
async def huge(world: World) -> str:
    """Slow to save, but nothing is lost of it."""
    text = nbformat.v4.new_output("stream", name="stdout", text="x" * (200 << 20))
    world.make_notebook(nbformat.v4.new_code_cell("big", id="big", outputs=[text]))
    world.script.steps = replies(COUNTS)
    run = await world.ask()
    await world.finished(run)
    await until(lambda: "It is 42." in world.path.read_text()[-5000:], "the answer in the file")
    assert world.path.stat().st_size > 200 << 20
    return run


@MATRIX.fault("output of 10 MB")
async def much_output(world: World) -> str:
    """Kept up to a bound, and said so; the kernel and the run go on."""
    world.script.steps = replies("print('x' * 10_000_000)", "for n in range(100_000):\n    print(n)", COUNTS)
    run = await world.ask()
    await world.finished(run)
    assert world.journal(run).stat().st_size < 10_000_000
    return run


JUNK = """import os, sys
print(bytes(range(256)).decode('latin-1') * 20)
print('\\x00\\x1b[31m\\x1b]0;title\\x07\\ud800\\ufffe'.encode('utf-8', 'replace').decode())
print(os.urandom(20_000).decode('utf-8', 'replace'))
from IPython.display import display
display({'image/png': 'no base64 at all', 'text/plain': '\\x00'}, raw=True)"""


@MATRIX.fault("binary junk in the output")
async def junk(world: World) -> str:
    """The notebook stays valid."""
    world.script.steps = replies(JUNK, COUNTS)
    run = await world.ask()
    await world.finished(run)
    await until(lambda: "It is 42." in world.path.read_text(), "the answer in the file")
    nbformat.validate(nbformat.read(world.path, 4))
    return run
