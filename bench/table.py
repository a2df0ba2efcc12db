"""The one table at the end of ``bench/run``: every row that the parts left in the file given as argument."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.measure import Row, render


def main() -> None:
    """Print it."""
    lines = Path(sys.argv[1]).read_text().splitlines()
    print(render([Row(**json.loads(line)) for line in lines]))


if __name__ == "__main__":
    main()
