"""The limit of the database under it: pgbench writing the same rows, without any program in between."""

import re
import subprocess
import tempfile
from pathlib import Path

from sqlalchemy import make_url

from storefront.local import binaries
from tests.bench.stage import Stage

# One statement: what `placing.place` and the kept answer write for an order of one line.
_SPREAD = """
\\set listing random({first}, {last})
\\set buyer random({first_buyer}, {last_buyer})
WITH o AS (
    SELECT l.*, h.display_name FROM listings l JOIN households h ON h.id = l.household_id WHERE l.id = :listing
), held AS (
    UPDATE stock s SET reserved = s.reserved + 1 FROM o WHERE s.listing_id = o.id AND s.on_hand - s.reserved >= 1
    RETURNING s.listing_id
), placed AS (
    INSERT INTO orders (no, county_code, account_id, wallet, stop_id, handover_on, cutoff_at, note, state, total_fen,
                        max_fen, placed_at, expires_at)
    SELECT substr(md5(random()::text || clock_timestamp()::text), 1, 16), '141102', :buyer, 'personal', {stop},
           current_date, now(), '', 'placed', o.price_fen, o.price_fen, now(), now() + interval '15 minutes'
    FROM o JOIN held ON held.listing_id = o.id RETURNING id, no
), line AS (
    INSERT INTO order_lines (order_id, line_no, listing_id, household_id, division_code, produce_code, measure,
                             grams_each, title, grower, quantity, price_fen, amount_fen)
    SELECT placed.id, 1, o.id, o.household_id, o.division_code, o.produce_code, o.measure, o.grams_each, o.title,
           o.display_name, 1, o.price_fen, o.price_fen FROM placed, o
)
INSERT INTO kept_answers (account_id, key, fingerprint, answer, kept_at)
SELECT :buyer, no, md5(no), jsonb_build_object('body', repeat('x', 600)), now() FROM placed;
"""
# One order a transaction in four statements, all on one row: how shops usually do it.
_HOT = """
\\set buyer random({first_buyer}, {last_buyer})
BEGIN;
UPDATE stock SET reserved = reserved + 1 WHERE listing_id = {first} AND on_hand - reserved >= 1;
INSERT INTO orders (no, county_code, account_id, wallet, stop_id, handover_on, cutoff_at, note, state, total_fen,
                    max_fen, placed_at, expires_at)
VALUES (substr(md5(random()::text || clock_timestamp()::text), 1, 16), '141102', :buyer, 'personal', {stop},
        current_date, now(), '', 'placed', 3500, 3500, now(), now() + interval '15 minutes')
RETURNING id AS order_id, no \\gset
INSERT INTO order_lines (order_id, line_no, listing_id, household_id, division_code, produce_code, measure, grams_each,
                         title, grower, quantity, price_fen, amount_fen)
VALUES (:order_id, 1, {first}, {household}, '141102006201', 'mutton', 'jin', 500, 'x', 'x', 1, 3500, 3500);
INSERT INTO kept_answers (account_id, key, fingerprint, answer, kept_at)
VALUES (:buyer, ':no', md5(':no'), jsonb_build_object('body', repeat('x', 600)), now());
COMMIT;
"""


def run(stage: Stage, *, hot: bool, seconds: int, clients: int) -> float:
    """Orders a second that pgbench writes with so many clients."""
    script = (_HOT if hot else _SPREAD).format(
        first=stage.listing_ids[0], last=stage.listing_ids[-1], first_buyer=stage.buyer_ids[0],
        last_buyer=stage.buyer_ids[-1], stop=stage.world.stop, household=stage.world.wang,
    )  # fmt: skip
    url = make_url(stage.database_url)
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as file:
        file.write(script)
        file.flush()
        command = [
            str(_pgbench()), "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), "-f", file.name,
            "-h", str(url.query["host"]), "-U", "postgres", str(url.database),
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])


def _pgbench() -> Path:
    return binaries.find(None).folder / "pgbench"
