"""Runs the simulator: `python -m payments.simulator --port 8421 --data var/simulator.sqlite3 …`."""

import argparse
import logging
import os
import sys
import threading

import uvicorn

from payments.simulator.app import build
from payments.simulator.store import Store
from payments.simulator.world import World


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser("payments.simulator", description="A Stripe for tests; no money moves")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--data", required=True, help="SQLite file; created when absent")
    parser.add_argument("--webhook-url", default=None, help="where notices go; none are sent without it")
    parser.add_argument("--webhook-secret", default="", help="whsec_…, signs the notices")
    parser.add_argument("--public-url", default=None, help="how a payer's browser reaches this process")
    parser.add_argument("--refund-seconds", type=float, default=1.0, help="how long a wallet's refund stays pending")
    parser.add_argument("--minimum-fen", type=int, default=360, help="smallest charge (0.50 US dollars' worth)")
    parser.add_argument("--watch-stdin", action="store_true", help="end when standard input ends")
    return parser.parse_args()


def main() -> None:
    """Serves until stopped or, with --watch-stdin, until the parent is gone."""
    asked = arguments()
    if asked.webhook_url and not asked.webhook_secret:
        sys.exit("--webhook-url needs --webhook-secret, or nobody could trust the notices")
    world = World(
        store=Store(asked.data),
        public_url=(asked.public_url or f"http://{asked.host}:{asked.port}").rstrip("/"),
        webhook_url=asked.webhook_url,
        webhook_secret=asked.webhook_secret,
        refund_seconds=asked.refund_seconds,
        least_fen=asked.minimum_fen,
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    config = uvicorn.Config(
        build(world),
        host=asked.host,
        port=asked.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    server = uvicorn.Server(config)
    if asked.watch_stdin:
        threading.Thread(target=_watch_stdin, args=(server,), daemon=True).start()
    server.run()


def _watch_stdin(server: uvicorn.Server) -> None:
    while os.read(0, 4096):
        pass
    server.should_exit = True


if __name__ == "__main__":
    main()
