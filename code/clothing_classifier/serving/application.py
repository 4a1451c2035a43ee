"""The HTTP application: API, page and documentation, and how every error becomes a problem document."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from clothing_classifier.inference import Classifier
from clothing_classifier.serving.api import create_router
from clothing_classifier.serving.assets import asset_routes
from clothing_classifier.serving.catalogue import Catalogue
from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS, ServiceLimits
from clothing_classifier.serving.lingering import Lingering
from clothing_classifier.serving.observing import PROBLEM, Observing
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.service import Service
from clothing_classifier.utils import plain_reason

_KINDS = {404: "not-found", 405: "method-not-allowed"}


def create_app(
    classifiers: Sequence[Classifier], limits: ServiceLimits = DEFAULT_SERVICE_LIMITS, token: str | None = None
) -> FastAPI:
    """The ASGI application that serves `classifiers`, the first of them by default, to who sends `token`, if any.

    `app.state.service` holds what its requests share. Raises `UsageError` where two models have one name.
    """
    service = Service(Catalogue(classifiers), limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start(asyncio.get_running_loop())
        service.ready = True
        yield
        service.ready = False
        await service.batcher.close(limits.deadline)

    app = FastAPI(
        title="Clothing Classifier",
        summary="Says what a clothing item in a photo is.",
        version=importlib.metadata.version("clothing-classifier"),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        exception_handlers={
            Problem: _answer_problem,
            HTTPException: _answer_http,
            RequestValidationError: _answer_invalid,
        },
    )
    app.state.service = service
    app.include_router(create_router(service, token))
    pages = asset_routes()
    app.router.routes.extend(pages)
    routes = {*app.openapi()["paths"], *(route.path for route in pages)}
    app.add_middleware(Lingering)
    app.add_middleware(Observing, metrics=service.metrics, routes=routes, is_ready=lambda: service.ready)
    return app


async def _answer_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    request.scope[PROBLEM] = error.kind
    return error.response()


async def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = _KINDS.get(error.status_code, "bad-request")
    details = {
        "not-found": "the API's addresses are listed at /docs",
        "method-not-allowed": f"{request.method} does not work here; what does is listed at /docs",
    }
    problem = Problem(kind, details.get(kind, str(error.detail)), error.headers)
    return await _answer_problem(request, problem)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [{"parameter": str(fault["loc"][-1]), "message": plain_reason(fault["msg"])} for fault in error.errors()]
    detail = "; ".join(f"{fault['parameter']}: {fault['message']}" for fault in faults)
    return await _answer_problem(request, Problem("bad-query", detail, more={"errors": faults}))
