"""The web application: every door on one FastAPI app."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

from fastapi import Depends, FastAPI
from starlette.middleware.gzip import GZipMiddleware

from market.ground.settings import Settings
from storefront import api, errors, health, hooks, static_files
from storefront.deps import check_csrf
from storefront.greeting import Greeting
from storefront.jobs import working
from storefront.pages import routers
from storefront.state import State, open_state

_GZIP_FROM_BYTES = 600


def create_app(settings: Settings) -> FastAPI:
    """The whole storefront for these settings."""
    state = open_state(settings)
    app = FastAPI(
        title="Yigou 以购",
        version="0.1.0",
        description="Consumption-aid marketplace: households list, civil servants order, the bureau sees the income.",
        lifespan=_lifespan(state),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.yigou = state
    errors.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_FROM_BYTES, compresslevel=5)
    app.add_middleware(Greeting, images=state.storage.public_host)
    for noun in api.routers:
        app.include_router(noun, prefix=api.PREFIX)
    app.include_router(health.router)
    app.include_router(hooks.router)
    for router in routers:
        app.include_router(router, dependencies=[Depends(check_csrf)], include_in_schema=False)
    static_files.mount(app, state.storage)
    return app


def _lifespan(state: State) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            stack.push_async_callback(state.close)
            if state.settings.worker_in_web:
                await stack.enter_async_context(working(state))
            # All that stands now stays: looking through it for what could go would hold up whoever is being served.
            gc.freeze()
            yield

    return lifespan
