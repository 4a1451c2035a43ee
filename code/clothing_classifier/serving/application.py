"""The HTTP application: API, page and documentation; every error is a problem document."""

import importlib.metadata
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles

from clothing_classifier.inference import Classifier
from clothing_classifier.serving.api import create_router
from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS, ServiceLimits
from clothing_classifier.serving.middleware import PROBLEM, ObservabilityMiddleware
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.served_models import ServedModels
from clothing_classifier.serving.service import Service
from clothing_classifier.utils import plain_reason

_PAGES = {"/": "index.html", "/docs": "docs.html", "/favicon.ico": "icon.svg"}


def create_app(
    classifiers: Sequence[Classifier], limits: ServiceLimits = DEFAULT_SERVICE_LIMITS, token: str | None = None
) -> FastAPI:
    """The ASGI application that serves `classifiers`, by default the first, to clients that send `token`, if any.

    `app.state.service` holds what its requests share. Raises `UsageError` where two models have one name.
    """
    service = Service(ServedModels(classifiers), limits)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.batcher.start()
        service.is_ready = True
        yield
        service.is_ready = False
        await service.batcher.close(limits.deadline)

    app = FastAPI(
        title="Clothing Classifier",
        summary="Classifies clothing photos.",
        version=importlib.metadata.version("clothing-classifier"),
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    for kind in (Problem, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer_error)
    app.include_router(create_router(service, token))
    _add_pages(app)
    app.add_middleware(ObservabilityMiddleware, metrics=service.metrics, is_ready=lambda: service.is_ready)
    return app


def _add_pages(app: FastAPI) -> None:
    files = StaticFiles(directory=Path(__file__).parent / "page")
    app.mount("/page", files)

    async def answer(request: Request) -> Response:
        return await files.get_response(_PAGES[request.url.path], request.scope)

    for address in _PAGES:
        app.add_route(address, answer, include_in_schema=False)


async def _answer_error(request: Request, error: Exception) -> Response:
    problem = _problem(request.method, error)
    request.scope[PROBLEM] = problem.kind
    return problem.response()


def _problem(method: str, error: Exception) -> Problem:
    match error:
        case Problem():
            return error
        case RequestValidationError():
            faults = [{"parameter": str(one["loc"][-1]), "message": plain_reason(one["msg"])} for one in error.errors()]
            detail = "; ".join(f"{fault['parameter']}: {fault['message']}" for fault in faults)
            return Problem("bad-query", detail, more={"errors": faults})
        case HTTPException(status_code=404):
            return Problem("not-found", "the API's addresses are listed at /docs")
        case HTTPException(status_code=405):
            return Problem("method-not-allowed", f"{method} does not work here; see /docs", error.headers)
    return Problem("bad-request", str(getattr(error, "detail", error)))
