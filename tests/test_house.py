"""The architecture as tests: what the design promises about the shape of the code is checked here."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.routing import APIRoute
from jinja2 import Environment

from market.ground.settings import Settings
from storefront.app import create_app
from storefront.migrations import ROOT
from storefront.pages import routers
from storefront.render import Pages

PRODUCT = ("market", "payments", "storefront")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "base", "manager", "service", "misc", "repository", "models"}
OPEN_DOORS = ("/sign-in", "/sign-out", "/preferences", "/demo-logins", "/cart", "/listings", "/card/")
"""Pages a visitor may use; `/` is compared whole."""


def python_files() -> list[Path]:
    return sorted(path for folder in PRODUCT for path in (ROOT / folder).rglob("*.py"))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_file_fits_its_budget() -> None:
    long = {named(path): count for path in python_files() if (count := len(path.read_text("utf-8").splitlines())) > 300}
    assert long == {}


def test_every_function_fits_its_budget() -> None:
    long = {}
    for path in python_files():
        for function in functions(path):
            lines = (function.end_lineno or 0) - function.lineno + 1
            if lines > 40:
                long[f"{named(path)}:{function.name}"] = lines
    assert long == {}


def test_every_template_fits_its_budget() -> None:
    templates = (ROOT / "storefront" / "templates").rglob("*.html")
    long = {named(path): count for path in templates if (count := len(path.read_text("utf-8").splitlines())) > 120}
    assert long == {}


def test_only_the_database_file_commits_or_rolls_back() -> None:
    guilty = []
    for path in python_files():
        if named(path) == "market/ground/db.py" or "simulator" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}:
                owner = ast.unparse(node.value)
                # A savepoint undone inside an act ends nothing but itself.
                if owner != "attempt":
                    guilty.append(f"{named(path)}:{node.lineno} {owner}.{node.attr}")
    assert guilty == []


def test_no_file_bears_a_name_that_says_nothing() -> None:
    assert [named(path) for path in python_files() if path.stem in FORBIDDEN_NAMES] == []


def test_the_migrations_folder_does_not_hide_the_installed_package() -> None:
    assert not (ROOT / "alembic" / "__init__.py").exists()


def test_files_with_tables_keep_their_annotations_at_run_time() -> None:
    guilty = [
        named(path)
        for path in python_files()
        if "table=True" in (text := path.read_text("utf-8")) and "from __future__ import annotations" in text
    ]
    assert guilty == []


class Address(NamedTuple):
    """An address of the application, and what the routers around it ask for on the way to it."""

    path: str
    route: APIRoute
    asked: frozenset[str]


def within(routes: Iterable[Any], prefix: str = "", asked: frozenset[str] = frozenset()) -> Iterator[Address]:
    """Every address below, also of routers inside routers."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield Address(prefix + route.path, route, asked)
        elif hasattr(route, "original_router"):
            context = route.include_context
            more = frozenset(getattr(each.dependency, "__qualname__", "") for each in context.dependencies or ())
            yield from within(route.original_router.routes, prefix + (context.prefix or ""), asked | more)


def page_routes() -> list[APIRoute]:
    return [each.route for router in routers for each in within(router.routes)]


def dependency_names(route: APIRoute) -> set[str]:
    found: set[str] = set()
    waiting = [route.dependant]
    while waiting:
        dependant = waiting.pop()
        found.add(getattr(dependant.call, "__qualname__", ""))
        waiting.extend(dependant.dependencies)
    return found


@pytest.mark.parametrize("route", page_routes(), ids=lambda route: f"{route.name} {route.path}")
def test_every_page_says_who_may_open_it(route: APIRoute) -> None:
    """A page is open to visitors by this list, or asks for a sign-in or a role."""
    if route.path == "/" or route.path.startswith(OPEN_DOORS):
        return
    names = dependency_names(route)
    asks_role = any(name.startswith("require.") for name in names)
    if route.path.startswith(("/desk", "/operator", "/unit", "/cards")):
        assert asks_role, f"{route.path} declares no role"
    else:
        assert asks_role or "_signed_in" in names, f"{route.path} is open to everyone"


def test_every_page_form_is_checked_for_its_token(settings_without_database: Settings) -> None:
    app = create_app(settings_without_database)
    posts = [each for each in within(app.routes) if "POST" in (each.route.methods or ())]
    unguarded = [
        each.path
        for each in posts
        if not each.path.startswith(("/api/", "/hooks/"))
        and "check_csrf" not in each.asked | dependency_names(each.route)
    ]
    assert len(posts) > len(routers)
    assert unguarded == []


@pytest.fixture
def settings_without_database(tmp_path: Path) -> Settings:
    return Settings(database_url="postgresql://nobody@localhost/none", demo=True, var=tmp_path)


def environment() -> Environment:
    return Pages("secret", demo=True, secure=False).env


@pytest.mark.parametrize("name", environment().list_templates(extensions=["html"]))
def test_every_template_compiles(name: str) -> None:
    assert environment().get_template(name) is not None


@pytest.mark.parametrize("path", sorted((ROOT / "storefront" / "templates").rglob("*.html")), ids=lambda p: p.name)
def test_every_form_that_posts_carries_the_token(path: Path) -> None:
    text = path.read_text("utf-8")
    for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
        assert "csrf(" in form, form[:120]


@pytest.mark.parametrize("path", sorted((ROOT / "storefront" / "templates").rglob("*.html")), ids=lambda p: p.name)
def test_templates_hold_no_script_and_no_style(path: Path) -> None:
    """The content security policy forbids both; a template that needs them would silently not work."""
    text = path.read_text("utf-8")
    assert not re.search(r"\son[a-z]+=\"", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert " style=" not in text


CSS = ROOT / "storefront" / "static" / "css"


@pytest.mark.parametrize("path", sorted(set(CSS.glob("*.css")) - {CSS / "app.css"}), ids=lambda p: p.name)
def test_every_stylesheet_is_in_a_layer_and_asks_no_other_host(path: Path) -> None:
    entry = (CSS / "app.css").read_text("utf-8")
    assert re.search(rf'@import url\("{re.escape(path.name)}"\) layer\(', entry)
    assert not re.search(r"url\([\"']?https?:", path.read_text("utf-8"))
