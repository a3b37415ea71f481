"""`bin/bench`: speed beside its yardstick in the same run. Figures are printed, never asserted.

`bin/bench orders` places orders over HTTP, spread over 1,000 listings and then all on one, between two runs of pgbench
writing the same rows in the same database, and ends with every invariant proven. `bin/bench pages` does the same with
people at the shop's checkout, which besides empties their cart.
"""

import argparse
import asyncio
import sys
from statistics import median

from tests.bench import load, stage, visitors, yardstick
from tests.bench.load import Ask, Result
from tests.bench.stage import Stage


async def main(what: str, seconds: int, connections: int, rounds: int) -> int:
    """Run the bench; returns the process's exit code."""
    each = seconds, connections, rounds
    async with stage.standing() as standing:
        ask = load.by_api(standing) if what == "orders" else await visitors.asking(standing, connections)
        spread = await _row(standing, ask, "spread over 1,000 listings", hot=False, each=each)
        hot = await _row(standing, ask, "everyone on one listing", hot=True, each=each)
        differences = await stage.differences(standing)
    print()
    print(f"{'work':<28}{'orders/s':>10}{'p50 ms':>9}{'p99 ms':>9}{'pgbench':>10}{'ratio':>8}")
    for line in (spread, hot):
        print(line)
    print("verify:", differences or "everything adds up")
    return 1 if differences else 0


async def _row(standing: Stage, ask: Ask, name: str, *, hot: bool, each: tuple[int, int, int]) -> str:
    seconds, connections, rounds = each
    ours: list[Result] = []
    theirs: list[float] = []
    await load.run(
        standing, ask, hot=hot, seconds=2, connections=connections
    )  # whoever calls for the first time is read
    for _ in range(rounds):
        theirs.append(await asyncio.to_thread(yardstick.run, standing, hot=hot, seconds=seconds, clients=connections))
        ours.append(await load.run(standing, ask, hot=hot, seconds=seconds, connections=connections))
    speed, yard = median(result.per_second for result in ours), median(theirs)
    middle, late = median(r.percentile(50) for r in ours), median(r.percentile(99) for r in ours)
    failed = sum(result.failed for result in ours)
    note = f"   {failed} answers were no order" if failed else ""
    return f"{name:<28}{speed:>10,.0f}{middle:>9.1f}{late:>9.1f}{yard:>10,.0f}{speed / yard:>8.2f}{note}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bin/bench", description=__doc__)
    parser.add_argument("what", choices=["orders", "pages"])
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    sys.exit(asyncio.run(main(asked.what, asked.seconds, asked.connections, asked.rounds)))
