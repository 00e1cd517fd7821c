"""The application: routes to every endpoint, in and around the one BentoML service."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from tenure.core.config import Config
from tenure.score.store.database import StoreError
from tenure.service.access import caller
from tenure.service.api import openapi
from tenure.service.api.endpoints import ENDPOINTS
from tenure.service.api.guard import Guard, Handler, refusal_of
from tenure.service.api.hosts import check_exposure, ip_address
from tenure.service.api.metrics import MEDIA_TYPE, Metrics
from tenure.service.api.problems import JSON, Refusal
from tenure.service.api.responses import Readiness
from tenure.service.api.state import State
from tenure.service.pages.app import page_routes
from tenure.service.pages.state import PageState

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp, Receive, Scope, Send

TRAFFIC = {"timeout": 60}
"""Seconds: BentoML's own limit stands far behind those of body and answer, which say more."""


def application(config: Config, state: State | None = None) -> Guard:
    """Return the ASGI application of a config: endpoints and probes, behind the guard.

    Raises:
        ModelError: If no target has a champion that can be read.
    """
    served = state or State(config)
    metrics = Metrics()
    served.shadow.count = metrics.shadow

    @contextlib.asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        served.start()
        yield
        served.close()

    routes = [
        Route(item.path, Handler(item, served, metrics), methods=[item.method])
        for item in ENDPOINTS
    ]
    pages = PageState(config, lambda: served.books, served.tables, served.models_now)
    everything = [*routes, *_probes(config, served, metrics), *page_routes(pages)]
    # The guard turns every error into an answer: a router is all that stands behind it.
    app = Router(everything, redirect_slashes=False, lifespan=lifespan)
    return Guard(app, served, metrics)


def _probes(config: Config, state: State, metrics: Metrics) -> list[Route]:
    """Return what operators and their tools look at."""
    spec = openapi.document(config)

    async def alive(_: Request) -> Response:
        return JSONResponse({"alive": True})

    async def ready(request: Request) -> Response:
        warnings, status = [], 200
        try:
            state.begin_swap()  # for which a probe does not wait
            await state.read(state.latest)
        except (Refusal, StoreError) as error:
            warnings, status = [str(refusal_of(error))], 503
        # What is wrong may name files: it is for those who may know.
        shown = [*warnings, *state.warnings()] if caller(request) else []
        answer = Readiness(ready=status == 200, warnings=tuple(shown))
        return Response(answer.model_dump_json(), status, media_type=JSON)

    async def docs(_: Request) -> Response:
        return JSONResponse(spec)

    async def measured(_: Request) -> Response:
        run, up = await state.last_run()
        models = {name: model.bundle.version for name, model in state.champions.models.items()}
        until = run.observed_until if run else None
        scored_at, warnings = run.scored_at if run else None, len(state.warnings())
        metrics.state(models, scored_at, until, warnings, store_up=up)
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    pages = {
        "/livez": alive,
        "/healthz": alive,
        "/readyz": ready,
        "/metrics": measured,
        "/v1/openapi.json": docs,
        "/docs.json": docs,
    }
    return [Route(path, page, methods=["GET"]) for path, page in pages.items()]


class Around:
    """ASGI: hands requests to an application, and the rest of the life of BentoML's to itself."""

    def __init__(self, app: ASGIApp, instead: ASGIApp) -> None:
        self.app, self.instead = app, instead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = self.app if scope["type"] == "lifespan" else self.instead
        await app(scope, receive, send)


def make_service(config: Config, guarded: Guard | None = None) -> Any:
    """Return the BentoML service of a config, all of whose requests the application answers.

    It does not start where others reach its address and there is no key.

    Raises:
        ModelError: If no target has a champion that can be read.
    """
    import bentoml

    instead = guarded or application(config)

    class Tenure:
        """Churn and expansion scores, explained."""

        def __init__(self) -> None:
            check_exposure(config)
            instead.state.start()

        @bentoml.on_shutdown
        def close(self) -> None:
            """Release threads, tables and connections."""
            instead.state.close()

    service = bentoml.service(
        name="tenure",
        workers=config.service.workers,
        traffic=TRAFFIC,
        logging={"access": {"enabled": False}},
        metrics={"enabled": False},  # they label requests with whatever path a client asks for
        http={"host": ip_address(config.service.host), "port": config.service.port},
    )(Tenure)
    service.add_asgi_middleware(Around, instead=instead)
    return service


def served(config: Config, state: State | None = None) -> ASGIApp:
    """Return the service as one ASGI application: BentoML's life, the application's answers.

    Raises:
        ModelError: If no target has a champion that can be read.
    """
    guarded = application(config, state)
    return Around(make_service(config, guarded).to_asgi(), guarded)
