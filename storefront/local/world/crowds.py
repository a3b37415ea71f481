"""Many invented households, buyers and listings of one county, set by set. The same seed gives the same crowd."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from storefront.local.world.history import run_script

# A throw of the dice that is the same for the same number, so that sets can be thrown for in any order.
_DICE = """
    CREATE OR REPLACE FUNCTION pg_temp.dice(n bigint, salt bigint, sides bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE AS 'SELECT (hashint8extended(n, salt) & 9007199254740991) % sides'
"""
_HOUSEHOLDS = """
    INSERT INTO households (number, head_name, display_name, people_count, division_code, station_id, joined_at)
    SELECT 'G' || CAST(:county AS text) || lpad(n::text, 7, '0'), name.head,
           CASE WHEN pg_temp.dice(n, :seed + 1, 5) < 3 THEN name.head ELSE left(name.head, 1) || '某' END,
           1 + pg_temp.dice(n, :seed + 2, 5), v.code, v.station_id, :joined_at
    FROM generate_series(1, CAST(:households AS bigint)) n
    JOIN crowd_villages v ON v.village = 1 + (n - 1) % (SELECT count(*) FROM crowd_villages)
    CROSS JOIN LATERAL (
        SELECT substr('梁王李张刘高任薛冯雒成侯', 1 + pg_temp.dice(n, :seed + 3, 12)::int, 1) || '样' ||
               (ARRAY['米', '瓜', '薯', '豆', '枣', '梨', '桃', '杏', '荞', '麦', '菜', '椒'])
               [1 + pg_temp.dice(n, :seed + 4, 12)] AS head) name;
    CREATE TEMPORARY TABLE crowd_households ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY h.id) AS home_no, h.id, h.head_name, h.display_name, h.division_code, v.village
    FROM households h JOIN crowd_villages v ON v.code = h.division_code
    WHERE h.number LIKE 'G' || CAST(:county AS text) || '%';
    ANALYZE crowd_households;
    INSERT INTO household_standings (household_id, standing_code, from_on)
    SELECT id, CASE WHEN d < 70 THEN 'exited' WHEN d < 74 THEN 'unstable' WHEN d < 77 THEN 'marginal'
                    WHEN d < 78 THEN 'sudden' ELSE 'ordinary' END, CAST(:joined_at AS timestamptz)::date
    FROM (SELECT id, pg_temp.dice(home_no, :seed + 5, 100) AS d FROM crowd_households) h;
    INSERT INTO consents (household_id, purpose, given_on)
    SELECT id, 'name', CAST(:joined_at AS timestamptz)::date FROM crowd_households WHERE display_name = head_name;
    INSERT INTO accounts (phone, name, created_at)
    SELECT '197' || lpad((:base + home_no)::text, 8, '0'), head_name, :joined_at FROM crowd_households;
    INSERT INTO grants (account_id, role, household_id, given_at)
    SELECT a.id, 'household', h.id, :joined_at
    FROM crowd_households h JOIN accounts a ON a.phone = '197' || lpad((:base + h.home_no)::text, 8, '0')
"""
_BUYERS = """
    CREATE TEMPORARY TABLE crowd_units ON COMMIT DROP AS
    SELECT n AS unit_no, nextval(pg_get_serial_sequence('work_units', 'id')) AS id,
           nextval(pg_get_serial_sequence('stops', 'id')) AS stop_id
    FROM generate_series(1, CAST(:units AS bigint)) n;
    INSERT INTO work_units (id, name, short_name, division_code)
    SELECT id, '演示单位' || unit_no, '单位' || unit_no, CAST(:county AS text) FROM crowd_units;
    INSERT INTO stops (id, name, address, division_code, work_unit_id, cutoff_weekday, cutoff_time, handover_weekday,
                       handover_from, handover_to)
    SELECT stop_id, '演示单位' || unit_no || '门口', '', CAST(:county AS text), id, 2, '12:00', 4, '16:00', '18:00'
    FROM crowd_units;
    INSERT INTO accounts (phone, name, created_at)
    SELECT '198' || lpad((:base + n)::text, 8, '0'), '样职工' || n, :joined_at
    FROM generate_series(1, CAST(:buyers AS bigint)) n;
    CREATE TEMPORARY TABLE crowd_buyers ON COMMIT DROP AS
    SELECT n AS buyer_no, a.id, u.id AS work_unit_id, u.stop_id, n <= CAST(:units AS bigint) AS is_clerk
    FROM generate_series(1, CAST(:buyers AS bigint)) n
    JOIN accounts a ON a.phone = '198' || lpad((:base + n)::text, 8, '0')
    JOIN crowd_units u ON u.unit_no = 1 + (n - 1) % CAST(:units AS bigint);
    INSERT INTO grants (account_id, role, work_unit_id, given_at)
    SELECT id, CASE WHEN is_clerk THEN 'clerk' ELSE 'member' END, work_unit_id, :joined_at FROM crowd_buyers;
    ANALYZE crowd_buyers
"""
# Every village has as many model listings, put up by the market's own act: copies only change hands and price. All came
# in within the first half of their storage life, so that nothing on sale is spoilt; papers go with their lot.
_LISTINGS = """
    CREATE TEMPORARY TABLE crowd_models ON COMMIT DROP AS
    SELECT l.*, h.village, row_number() OVER (PARTITION BY h.village ORDER BY l.id) AS model
    FROM listings l JOIN crowd_households h ON h.id = l.household_id;
    INSERT INTO listings (household_id, division_code, produce_code, measure, grams_each, price_fen, title, note, state,
                          listed_at, listed_by, changed_at, search_text, words)
    SELECT h.id, m.division_code, m.produce_code, m.measure, m.grams_each,
           m.price_fen * (85 + pg_temp.dice(n, :seed + 11, 31)) / 100, m.title, '', 'live', m.listed_at, NULL,
           m.changed_at, m.search_text, m.words
    FROM generate_series(1, CAST(:copies AS bigint)) n
    JOIN crowd_households h ON h.home_no = 1 + pg_temp.dice(n, :seed + 12, :households)
    JOIN crowd_models m ON m.village = h.village AND m.model = 1 + pg_temp.dice(n, :seed + 13, :ways) ORDER BY n;
    CREATE TEMPORARY TABLE crowd_listings ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY l.id) AS listing_no, l.id, l.measure, l.listed_at
    FROM listings l JOIN crowd_households h ON h.id = l.household_id;
    ANALYZE crowd_listings;
    UPDATE listings l SET ready_on = day.ready_on, sell_by_on = day.ready_on + day.storage_days
    FROM (SELECT c.id, p.storage_days,
                 CAST(:today AS date) - pg_temp.dice(c.listing_no, :seed + 15, p.storage_days / 2 + 1)::int AS ready_on
          FROM crowd_listings c JOIN listings l USING (id) JOIN produce p ON p.code = l.produce_code
          WHERE p.storage_days IS NOT NULL) day WHERE day.id = l.id;
    DELETE FROM listing_papers WHERE listing_id IN (SELECT id FROM crowd_listings);
    INSERT INTO listing_papers (listing_id, ready_on, slaughter_point_code, certificate_no, certificate_photo,
                                licence_no, issued_on, given_at)
    SELECT l.id, l.ready_on, CAST(:slaughter_point AS text), '样例' || lpad(l.id::text, 8, '0'),
           CAST(:certificate AS text), '样例登记' || lpad(l.id::text, 8, '0'), l.ready_on, l.listed_at
    FROM crowd_listings c JOIN listings l USING (id) JOIN produce p ON p.code = l.produce_code
    WHERE p.gate_code IS NOT NULL;
    INSERT INTO stock (listing_id, on_hand, reserved)
    SELECT id, 5 + pg_temp.dice(listing_no, :seed + 14, 40), 0 FROM crowd_listings
    WHERE id NOT IN (SELECT id FROM crowd_models);
    INSERT INTO stock_moves (listing_id, at, kind, quantity)
    SELECT id, listed_at, 'listed', 5 + pg_temp.dice(listing_no, :seed + 14, 40) FROM crowd_listings
    WHERE id NOT IN (SELECT id FROM crowd_models)
"""
# Time passes slowly at both ends of the year, so that its months differ. Clerks pay from canteen or union.
_ORDERS = """
    INSERT INTO past_orders (county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at, placed_at,
                             fate, settled_at, ended_at, taken_by, refunded_by)
    SELECT :county, o.account_id, o.work_unit_id, o.wallet, o.stop_id, o.handover_on, o.cutoff_at, o.placed_at, o.fate,
           CASE WHEN o.fate IN ('kept', 'claimed') THEN o.collected_at
                WHEN o.fate = 'returned' THEN o.placed_at + interval '2 hours' END,
           CASE o.fate WHEN 'returned' THEN o.placed_at + interval '20 hours'
                       WHEN 'claimed' THEN o.collected_at + interval '20 hours'
                       WHEN 'cancelled' THEN o.placed_at + interval '9 minutes' END,
           CASE WHEN o.fate IN ('kept', 'claimed', 'returned') THEN o.clerk END,
           CASE WHEN o.fate = 'claimed' THEN CAST(:officer AS bigint) END
    FROM (
        SELECT n, b.id AS account_id, b.work_unit_id, b.stop_id, c.id AS clerk,
               CASE WHEN NOT b.is_clerk THEN 'personal' WHEN n % 2 = 0 THEN 'union' ELSE 'canteen' END AS wallet,
               at.placed_at, cut.off AT TIME ZONE 'Asia/Shanghai' AS cutoff_at, cut.off::date + 2 AS handover_on,
               ((cut.off::date + 2) + time '16:00' + n % 90 * interval '1 minute') AT TIME ZONE 'Asia/Shanghai'
                   AS collected_at,
               CASE WHEN d.d < 84 THEN 'kept'
                    WHEN d.d < 88 AND cut.off AT TIME ZONE 'Asia/Shanghai' > at.placed_at + interval '1 day'
                    THEN 'returned' WHEN d.d < 88 THEN 'kept' WHEN d.d < 91 THEN 'claimed' WHEN d.d < 96 THEN 'expired'
                    ELSE 'cancelled' END AS fate
        FROM generate_series(1, CAST(:orders AS bigint)) n
        JOIN crowd_buyers b ON b.buyer_no = 1 + pg_temp.dice(n, :seed + 21, :buyers)
        JOIN crowd_units u ON u.id = b.work_unit_id JOIN crowd_buyers c ON c.buyer_no = u.unit_no
        CROSS JOIN LATERAL (SELECT n::float8 / CAST(:orders AS bigint) AS t) share
        CROSS JOIN LATERAL (
            SELECT CAST(:from_at AS timestamptz)
                   + CAST(:lasting AS interval) * (t - 0.1 * sin(2 * pi() * t)) AS placed_at
        ) at
        CROSS JOIN LATERAL (
            SELECT date_trunc('week', at.placed_at AT TIME ZONE 'Asia/Shanghai' - interval '2 days 12 hours')
                   + interval '9 days 12 hours' AS off
        ) cut
        CROSS JOIN LATERAL (SELECT pg_temp.dice(n, :seed + 22, 100) AS d) d
        ORDER BY n
    ) o
"""
_LINES = """
    INSERT INTO past_lines (order_id, line_no, listing_id, quantity)
    SELECT o.order_id, k, l.id, 1 + pg_temp.dice(o.order_id * 3 + k, :seed + 31,
           CASE WHEN l.measure IN ('jin', 'piece', 'kg') THEN 6 ELSE 2 END)
    FROM past_orders o
    CROSS JOIN LATERAL (SELECT CAST(:listings AS bigint) AS many,
                               pg_temp.dice(o.order_id, :seed + 32, 1000000) / 1e6 AS u,
                               1 + pg_temp.dice(o.order_id, :seed + 33, 4) / 2 + pg_temp.dice(o.order_id, :seed + 34, 2)
                               AS lines) d
    CROSS JOIN LATERAL generate_series(1, CASE WHEN o.fate = 'claimed' THEN 1 ELSE least(d.many, d.lines) END) k
    JOIN crowd_listings l
        ON l.listing_no = 1 + (floor(d.many * power(d.u::float8, 1.5))::bigint + (k - 1) * (d.many / 3 + 1)) % d.many
    ORDER BY o.order_id, k
"""
_RESTOCK = """
    CREATE TEMPORARY TABLE crowd_sold ON COMMIT DROP AS
    SELECT l.listing_id, sum(l.quantity)::int AS quantity FROM past_lines l JOIN past_orders o USING (order_id)
    WHERE o.fate IN ('kept', 'claimed') GROUP BY l.listing_id;
    UPDATE stock s SET on_hand = s.on_hand + sold.quantity FROM crowd_sold sold WHERE sold.listing_id = s.listing_id;
    INSERT INTO stock_moves (listing_id, at, kind, quantity)
    SELECT listing_id, :joined_at, 'changed', quantity FROM crowd_sold ORDER BY listing_id
"""


async def households(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write the households of the villages in `crowd_villages`, with standing, consent and logins."""
    await run_script(session, _DICE)
    await run_script(session, _HOUSEHOLDS, values)


async def buyers(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write work units with a stop each, and the people in them; the first of each is its clerk."""
    await run_script(session, _BUYERS, values)


async def listings(session: AsyncSession, values: dict[str, Any]) -> None:
    """Write `copies` listings after the models that stand in every village, with their stock."""
    await run_script(session, _LISTINGS, values)


async def orders(session: AsyncSession, values: dict[str, Any]) -> None:
    """Plan a year of orders, and let the households have had what they sold."""
    for script in (_ORDERS, "ANALYZE past_orders", _LINES, _RESTOCK):
        await run_script(session, script, values)
