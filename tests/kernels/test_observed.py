"""From a real kernel's outputs to the text that the model reads."""

from __future__ import annotations

import textwrap
from pathlib import Path

import msgspec
from notebooks import run

from datarus_jupyter.agent.interfaces import Displayed, Kernel
from datarus_jupyter.agent.observation import observe
from datarus_jupyter.kernels.own import own_kernel


async def observed(kernel: Kernel, code: str, output_chars: int = 4000) -> str:
    outputs, executed = await run(kernel, textwrap.dedent(code))
    shown = [output.output for output in outputs if isinstance(output, Displayed)]
    return observe(shown, executed, output_chars=output_chars)


async def test_a_traceback_keeps_the_users_frames_and_folds_the_library(tmp_path: Path) -> None:
    (tmp_path / "loading.py").write_text("import pandas as pd\ndef load(name):\n    return pd.read_csv(name)\n")
    async with own_kernel(tmp_path) as kernel:
        text = await observed(kernel, "from loading import load\nload('absent.csv')")
    assert "----> 2 load('absent.csv')" in text
    assert "----> 3     return pd.read_csv(name)" in text
    assert "library frames, the last: pandas/io/common.py" in text
    assert text.endswith("FileNotFoundError: [Errno 2] No such file or directory: 'absent.csv'")
    assert "\x1b" not in text
    assert len(text) < 1000


async def test_the_cell_and_the_error_stay_however_long_the_traceback(tmp_path: Path) -> None:
    long = """
        def deep(n): return deep(n + 1) if n < 900 else fail("y" * 3000)
        def fail(text): raise ValueError("first line " + text + " end")
        deep(0)
        """
    async with own_kernel(tmp_path) as kernel:
        text = await observed(kernel, long, output_chars=1500)
    assert len(text) <= 1500
    assert "----> 3 deep(0)" in text
    assert "more times …" in text
    assert "ValueError: first line yyy" in text
    assert text.endswith("yyy end")


async def test_each_kind_of_error_is_said_once(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        syntax = await observed(kernel, "x = = 1")
        chained = await observed(kernel, "try: 1 / 0\nexcept ZeroDivisionError as e: raise KeyError('k') from e")
        shell = await observed(kernel, "%%bash\necho out\nexit 3")
    assert syntax.count("SyntaxError") == 1
    assert "x = = 1" in syntax
    assert chained.count("ZeroDivisionError: division by zero") == 1
    assert "direct cause" in chained
    assert chained.endswith("KeyError: 'k'")
    assert shell.startswith("out\n")
    assert "exit status 3" in shell


async def test_data_and_figures_are_text(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        frame = "import pandas as pd\nframe = pd.DataFrame({'species': ['Adelie'], 'mass': [3700.66]})\nframe"
        assert await observed(kernel, frame) == "  species     mass\n0  Adelie  3700.66"
        assert await observed(kernel, "frame.style") == "   species         mass\n0  Adelie   3700.660000"
        figure = await observed(kernel, "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()")
    assert figure.startswith("[figure: image/png, ")
    assert figure.endswith("]")


async def test_text_that_is_no_unicode_reaches_the_journal_as_text(tmp_path: Path) -> None:
    async with own_kernel(tmp_path) as kernel:
        outputs, executed = await run(kernel, r"print('a\ud800b\udc80c')")
    for output in outputs:
        assert msgspec.json.decode(msgspec.json.encode(output))
    assert executed.status == "ok"
