"""A process that has imported the market already and forks web processes from itself: a restart costs no imports.

`python -m tests.nursery` reads surroundings, a JSON object a line, and answers each with the pid of a new `serve`.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

import uvloop

import storefront.app
import storefront.commands
from storefront.commands.running import serve

__all__ = ["main", "storefront", "uvloop"]


def main() -> None:
    """Fork until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever is killed is gone at once
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            _live(json.loads(line))
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


def _live(surroundings: dict[str, str]) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(surroundings)
    file = Path(surroundings["YIGOU_VAR"]) / f"web{surroundings['PORT']}.log"
    log, nothing = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND), os.open(os.devnull, os.O_RDONLY)
    for ours, theirs in ((0, nothing), (1, log), (2, log)):
        os.dup2(theirs, ours)
    serve(workers=1)
    sys.exit(0)


if __name__ == "__main__":
    main()
