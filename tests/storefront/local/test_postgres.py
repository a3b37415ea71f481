"""The launcher against real servers: each test has a data folder of its own and leaves nothing running."""

import multiprocessing
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from storefront.local import LauncherError, binaries, postgres

ROOT = Path(__file__).parents[3]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    """A data folder every user may reach, unlike pytest's own."""
    folder = Path("/var/tmp") / f"yigou-test-{os.getpid()}-{tmp_path.name}"  # noqa: S108
    folder.mkdir(mode=0o755)
    yield folder / "postgres"
    postgres.stop(folder / "postgres")
    shutil.rmtree(folder)


def ask(url: str, sql: LiteralString) -> object:
    with psycopg.connect(url.replace("+asyncpg", "")) as connection:
        answer = connection.execute(sql)
        row = answer.fetchone() if answer.description else None
    return row[0] if row else None


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def start_in_child(data: str, urls: "multiprocessing.SimpleQueue[str]") -> None:
    urls.put(postgres.ensure(Path(data), fast=True))


def test_makes_a_server_at_first_use_and_finds_it_again(data: Path) -> None:
    url = postgres.ensure(data, fast=True)
    assert ask(url, "select count(*) from pg_database where datname = 'postgres'") == 1
    first = postmaster(data)

    assert postgres.ensure(data, fast=True) == url
    assert postmaster(data) == first


def test_orders_text_the_same_on_every_machine_and_knows_chinese_letters(data: Path) -> None:
    url = postgres.ensure(data, fast=True)
    assert ask(url, "show server_encoding") == "UTF8"
    assert ask(url, "select 'a' > 'B'") is True
    assert ask(url, "select '小米' ~ '^[[:alpha:]]+$'") is True


def test_stopped_server_starts_again_with_its_data(data: Path) -> None:
    url = postgres.ensure(data, fast=True)
    ask(url, "create table kept as select 7 as n")
    postgres.stop(data)
    with pytest.raises(psycopg.OperationalError):
        ask(url, "select 1")
    assert ask(postgres.ensure(data, fast=True), "select n from kept") == 7


def test_recovers_when_the_server_was_killed(data: Path) -> None:
    url = postgres.ensure(data)
    ask(url, "create table kept as select 7 as n")
    killed = postmaster(data)
    os.kill(killed, signal.SIGKILL)

    assert ask(postgres.ensure(data), "select n from kept") == 7
    assert postmaster(data) != killed


def test_is_not_fooled_by_a_lock_file_whose_number_went_to_somebody_else(data: Path) -> None:
    postgres.ensure(data, fast=True)
    stale = (data / "postmaster.pid").read_text()
    postgres.stop(data)
    with subprocess.Popen(["sleep", "60"]) as stranger:
        lines = stale.splitlines()
        (data / "postmaster.pid").write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        assert ask(postgres.ensure(data, fast=True), "select 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_serves_from_a_path_with_spaces_and_chinese_characters(data: Path) -> None:
    folder = data.parent / "以购 代捐" / "postgres"
    try:
        assert ask(postgres.ensure(folder, fast=True), "select 1") == 1
    finally:
        postgres.stop(folder)


def test_starts_where_the_language_of_the_session_is_not_installed(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.GB18030")
    monkeypatch.setenv("PGPORT", "9")
    monkeypatch.setenv("PGDATA", "/nowhere")
    assert ask(postgres.ensure(data, fast=True), "select 1") == 1


def test_starts_once_for_several_who_ask_at_the_same_time(data: Path) -> None:
    context = multiprocessing.get_context("spawn")
    urls: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    askers = [context.Process(target=start_in_child, args=(str(data), urls)) for _ in range(3)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert [asker.exitcode for asker in askers] == [0, 0, 0]
    assert len({urls.get() for _ in askers}) == 1
    assert ask(postgres.ensure(data, fast=True), "select 1") == 1


def test_takes_no_harm_from_a_first_start_that_was_killed(data: Path) -> None:
    draft = data.with_name(".postgres.new")
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    assert ask(postgres.ensure(data, fast=True), "select 1") == 1
    assert not draft.exists()


def test_last_block_to_end_stops_the_server(data: Path) -> None:
    with postgres.serving(data, fast=True) as url:
        with postgres.serving(data, fast=True) as same:
            assert same == url
        assert ask(url, "select 1") == 1
    assert not (data / "postmaster.pid").exists()


def test_killed_owner_leaves_a_server_that_the_next_one_takes_over(data: Path) -> None:
    code = f"""
import time; from pathlib import Path; from storefront.local import postgres
with postgres.serving(Path({str(data)!r}), fast=True):
    print("up", flush=True); time.sleep(60)"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        owner.kill()
    orphan = postmaster(data)
    with postgres.serving(data, fast=True) as url:
        assert ask(url, "select 1") == 1
        assert postmaster(data) == orphan
    assert not (data / "postmaster.pid").exists()


def test_only_its_user_may_enter_the_folder_of_the_socket(data: Path) -> None:
    url = postgres.ensure(data, fast=True)
    sockets = Path(url.partition("host=")[2].partition("&")[0])
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    assert ask(url, "show listen_addresses") == ""
    assert sockets.stat().st_uid != 0


def test_refuses_data_of_a_version_this_machine_has_not(data: Path) -> None:
    data.mkdir()
    (data / "PG_VERSION").write_text("9\n")
    with pytest.raises(LauncherError, match=r"written by PostgreSQL 9 and this machine has .*bin/yigou backup"):
        postgres.ensure(data)


def test_says_what_to_do_where_there_is_no_postgresql(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "_folders", lambda: iter([data.parent]))
    with pytest.raises(LauncherError, match="install PostgreSQL 15 or newer, or name a database in DATABASE_URL"):
        postgres.ensure(data)


def test_takes_a_postgresql_of_the_machine_where_its_own_is_missing(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = binaries.find(None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("PATH", f"{own.folder}:{os.environ['PATH']}")
    assert binaries.find(None) == own
    assert ask(postgres.ensure(data, fast=True), "select 1") == 1


def test_says_in_one_sentence_that_a_folder_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LauncherError, match="cannot be used") as refusal:
        postgres.ensure(tmp_path / "file" / "postgres")
    assert "\n" not in str(refusal.value)


def test_says_that_the_disk_is_full(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = shutil.disk_usage("/")._replace(free=1024)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(LauncherError, match=r"^The disk is full: .* needs 200 MB"):
        postgres.ensure(data)


def test_says_why_a_server_does_not_start(data: Path) -> None:
    postgres.ensure(data, fast=True)
    postgres.stop(data)
    with (data / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(LauncherError, match=r"does not start on .*postgresql.conf.* contains errors") as refusal:
        postgres.ensure(data, fast=True)
    assert "\n" not in str(refusal.value)


def test_root_hands_the_server_to_somebody_else_even_in_a_locked_folder(data: Path) -> None:
    """Where the suite runs as an ordinary user, the server is simply that user's."""
    data.parent.chmod(0o700)
    assert ask(postgres.ensure(data, fast=True), "select 1") == 1
    owner = data.stat().st_uid
    assert owner == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid())
