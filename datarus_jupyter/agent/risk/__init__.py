"""What may be risky in a piece of code, read from its syntax tree and never run. It is advice, not a wall.

``scan`` puts together one module for each kind of risk; ``names`` tells what the names in the code stand for, and
``ipython`` takes the magics and shell lines out before the rest is parsed.
"""

from datarus_jupyter.agent.risk.finding import Kind as Kind
from datarus_jupyter.agent.risk.finding import Risk as Risk
from datarus_jupyter.agent.risk.scan import scan as scan
