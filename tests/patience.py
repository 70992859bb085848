"""How long a test waits for what has to come; no test asserts how long it took."""

from typing import Final

PATIENCE_S: Final = 90.0  # on a slow machine that does other things, too
