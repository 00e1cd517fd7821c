"""The BentoML service: each endpoint parses, makes one call and renders."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import bentoml
from pydantic import ConfigDict
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tenure.core.config import Config
from tenure.core.errors import Problem
from tenure.service.api import openapi
from tenure.service.api.answers import describe
from tenure.service.api.bodies import READ_SECONDS
from tenure.service.api.hosts import ip_address
from tenure.service.api.metrics import MEDIA_TYPE, Metrics
from tenure.service.api.middleware import Guard
from tenure.service.api.problems import JSON, Refusal
from tenure.service.api.requests import JsonRequest, ModelRequest
from tenure.service.api.state import Served, State

if TYPE_CHECKING:
    from starlette.requests import Request

START = Path(__file__).with_name("start.html")
DEADLINE_SECONDS = 9.0
# BentoML's own limit stands behind those of body and answer, which say what was too slow.
TRAFFIC = {"timeout": int(READ_SECONDS + DEADLINE_SECONDS) + 1}
logger = logging.getLogger("tenure.service")
A = TypeVar("A", bound=JsonRequest)


class Answer(bentoml.IODescriptor):  # type: ignore[misc] # it has no types
    """A JSON object; /docs.json says what is in it."""

    model_config = ConfigDict(extra="allow")


def make_service(config: Config, served_from: State | None = None) -> Any:
    """Return the BentoML service of a config; by default it serves its champions and tables.

    Raises:
        ModelError: If there is no champion, or one is damaged.
    """
    state, metrics = served_from or State(config), Metrics()

    class Tenure:
        """Churn and expansion scores, explained."""

        def __init__(self) -> None:
            state.start()

        def __is_alive__(self) -> bool:
            return state.failure is None

        @bentoml.on_shutdown
        def close(self) -> None:
            """Release threads and tables."""
            state.close()

    for name, endpoint in openapi.ENDPOINTS.items():
        setattr(Tenure, name, _method(name, endpoint, state))
    service = bentoml.service(
        name="tenure",
        workers=1,
        traffic=TRAFFIC,
        logging={"access": {"enabled": False}},
        metrics={"enabled": False},  # they label requests with whatever path a client asks for
        http={"host": ip_address(config.service.host), "port": config.service.port},
    )(Tenure)
    service.mount_asgi_app(_pages(state, metrics), path="/")
    limit = config.service.max_body_bytes
    service.add_asgi_middleware(Guard, limit=limit, state=state, metrics=metrics)
    return service


def _method(name: str, endpoint: openapi.Endpoint, state: State) -> Any:
    """Return the method of the service that answers an endpoint."""

    async def method(_: Any, ask: JsonRequest | Refusal) -> Response:
        return await reply(state, ask, endpoint.answer)

    method.__name__, method.__doc__ = name, f"{endpoint.summary}."
    return bentoml.api(method, input_spec=endpoint.request, output_spec=Answer)


async def reply(
    state: State, ask: A | Refusal, answer: Callable[[State, Served, A], Awaitable[bytes]]
) -> Response:
    """Return an answer, or why there is none, as an HTTP response."""
    try:
        if isinstance(ask, Refusal):
            raise ask
        async with asyncio.timeout(DEADLINE_SECONDS):
            served = await state.served()
            return Response(await answer(state, served, ask), media_type=JSON)
    except Refusal as refusal:
        return refusal.response()
    except TimeoutError:
        rule = f"was not answered within {DEADLINE_SECONDS:.0f} seconds"
        fix = "ask for fewer accounts at a time, or again later"
        return Refusal(Problem("request", rule, fix=fix), status=504).response()
    except Exception:
        logger.exception("a request could not be answered")
        problem = Problem("request", "failed inside the service", fix="look at the service's log")
        return Refusal(problem, status=500).response()


def _pages(state: State, metrics: Metrics) -> Starlette:
    """Return the pages that are read with GET; BentoML's own start page loads a tracker."""
    spec = openapi.document(state.config)

    async def model(_: Request) -> Response:
        return await reply(state, ModelRequest(), describe)

    async def docs(_: Request) -> Response:
        return JSONResponse(spec)

    async def measured(_: Request) -> Response:
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    async def start(_: Request) -> Response:
        return HTMLResponse(START.read_bytes())

    pages = {"/model": model, "/docs.json": docs, "/metrics": measured, "/": start}
    return Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()])
