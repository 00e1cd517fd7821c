"""The BentoML service: each endpoint parses, makes one call and renders."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

import bentoml
from pydantic import ConfigDict
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tenure.core.config import Config
from tenure.core.errors import Problem
from tenure.service.api import answers, explanations, openapi
from tenure.service.api.bodies import READ_SECONDS
from tenure.service.api.hosts import ip_address
from tenure.service.api.metrics import MEDIA_TYPE, Metrics
from tenure.service.api.middleware import Guard
from tenure.service.api.problems import JSON, Refusal
from tenure.service.api.requests import (
    ExplainRequest,
    HistoryRequest,
    JsonRequest,
    ModelRequest,
    RowsRequest,
    ScoreRequest,
)
from tenure.service.api.state import Served, State

if TYPE_CHECKING:
    from starlette.requests import Request

DEADLINE_SECONDS = 9.0
# BentoML's own limit stands behind those of body and answer, which say what was too slow.
TRAFFIC = {"timeout": int(READ_SECONDS + DEADLINE_SECONDS) + 1}
logger = logging.getLogger("tenure.service")
A = TypeVar("A", bound=JsonRequest)


class Answer(bentoml.IODescriptor):  # type: ignore[misc] # it has no types
    """A JSON object; /docs.json says what is in it."""

    model_config = ConfigDict(extra="allow")


def make_service(config: Config, served_from: State | None = None) -> Any:
    """Return the BentoML service of a config.

    Args:
        config: The run.
        served_from: What it serves; by default the config's champions and tables.

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

        @bentoml.api(input_spec=ScoreRequest, output_spec=Answer)
        async def score(self, ask: ScoreRequest | Refusal) -> Response:
            """Score accounts by id from the loaded tables."""
            return await reply(state, ask, answers.score_accounts)

        @bentoml.api(input_spec=HistoryRequest, output_spec=Answer)
        async def score_history(self, ask: HistoryRequest | Refusal) -> Response:
            """Score accounts from posted rows of the contract's tables."""
            return await reply(state, ask, answers.score_history)

        @bentoml.api(input_spec=RowsRequest, output_spec=Answer)
        async def score_rows(self, ask: RowsRequest | Refusal) -> Response:
            """Score posted feature rows."""
            return await reply(state, ask, answers.score_rows)

        @bentoml.api(input_spec=ExplainRequest, output_spec=Answer)
        async def explain(self, ask: ExplainRequest | Refusal) -> Response:
            """Explain one account's score in full."""
            return await reply(state, ask, explanations.explain)

        @bentoml.api(input_spec=ModelRequest, output_spec=Answer)
        async def model(self, ask: ModelRequest | Refusal) -> Response:
            """Describe the models that are served."""
            return await reply(state, ask, explanations.describe)

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
        return await reply(state, ModelRequest(), explanations.describe)

    async def docs(_: Request) -> Response:
        return JSONResponse(spec)

    async def measured(_: Request) -> Response:
        return Response(metrics.text(), media_type=MEDIA_TYPE)

    async def start(_: Request) -> Response:
        return HTMLResponse(openapi.PAGE)

    return Starlette(
        routes=[
            Route("/model", model, methods=["GET"]),
            Route("/docs.json", docs, methods=["GET"]),
            Route("/metrics", measured, methods=["GET"]),
            Route("/", start, methods=["GET"]),
        ]
    )
