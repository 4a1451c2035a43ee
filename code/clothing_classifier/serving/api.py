"""The addresses of the API, their parameters and what they answer."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from starlette.responses import JSONResponse

from clothing_classifier.errors import ImageError
from clothing_classifier.inference import Prediction, PredictOptions
from clothing_classifier.serving import metrics, problems
from clothing_classifier.serving.batching import Answer
from clothing_classifier.serving.catalogue import ModelDescription, ModelSummary
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.security import BearerToken
from clothing_classifier.serving.service import Answered, Service


class ProblemDocument(BaseModel):
    """Why a request was refused and what to do (RFC 9457)."""

    model_config = ConfigDict(extra="allow")
    type: str
    title: str
    status: int
    detail: str


class PredictQuery(BaseModel):
    """What is options of the photos."""

    model_config = ConfigDict(extra="forbid")
    top: int = Field(3, ge=1, le=1000, description="Candidates listed for each photo.")
    min_precision: float | None = Field(
        None, gt=0, le=1, allow_inf_nan=False, description="Abstain where this precision was not kept on validation."
    )
    class_map: bool = Field(False, description="Add the map of the predicted class: which places speak for it.")
    model: str | None = Field(None, description="Name of a served model. Default: the first one.")


class ModelQuery(BaseModel):
    """Which model is meant."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = Field(None, description="Name of a served model. Default: the first one.")


class ClassMap(BaseModel):
    """Evidence for `label` in each cell of a grid over the model's square: its mean and a bias are the logit."""

    label: str
    values: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class Entry(Prediction):
    """One photo; `path` is the file name that the client gave, made safe, or `body`."""

    path: str
    class_map: ClassMap | None = None


class Predictions(BaseModel):
    """The photos' entries, in their order; `version` names the model's very bundle (SHA-256)."""

    model: str
    version: str
    predictions: list[Entry]


class State(BaseModel):
    """Whether the service runs, or takes requests."""

    status: str


def _refusals(*kinds: str) -> dict[int | str, dict[str, Any]]:
    content = {problems.MEDIA_TYPE: {"schema": ProblemDocument.model_json_schema()}}
    by_status: dict[int | str, dict[str, Any]] = {}
    for status, title in (problems.TITLES[kind] for kind in kinds):
        before = by_status.get(status, {}).get("description")
        by_status[status] = {"description": f"{before}; or: {title}" if before else title, "content": content}
    return by_status


_BINARY = {"type": "string", "format": "binary"}
_FORM = {"type": "object", "additionalProperties": _BINARY, "minProperties": 1}
_UPLOAD = {
    "required": True,
    "description": "One or many files as a form, under any field names, or one image as the whole body.",
    "content": {
        "multipart/form-data": {"schema": _FORM},
        **{kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "application/octet-stream")},
    },
}
_READING = ("bad-request", "unauthorized", "bad-query", "internal")
_UPLOADING = ("slow-request", "too-large", "not-an-image", "bad-image", "busy")


def create_router(service: Service, token: str | None) -> APIRouter:
    """The API's addresses; those under /v1 and /metrics ask for `token`, where there is one."""
    router = APIRouter()
    guards = [Depends(BearerToken(token))]
    if token is not None:
        guards.append(Depends(HTTPBearer(auto_error=False, description="The service's token.")))
    catalogue = service.catalogue

    @router.post(
        "/v1/predict",
        summary="Say what photos show",
        response_model=Predictions,
        responses=_refusals(*_READING, *_UPLOADING),
        openapi_extra={"requestBody": _UPLOAD},
        dependencies=guards,
    )
    async def predict(request: Request, query: Annotated[PredictQuery, Query()]) -> Response:
        """Of several photos a bad one has its reason in `error`; a single bad one is refused with a problem."""
        classifier = catalogue.get(query.model)
        options = PredictOptions(query.top, query.min_precision)
        answered = await service.answer(request, classifier, options, query.class_map)
        about = {"model": classifier.manifest.name, "version": classifier.bundle.sha256}
        return JSONResponse(about | {"predictions": [_entry(one) for one in answered]})

    @router.get("/v1/model", summary="Describe a served model", responses=_refusals(*_READING), dependencies=guards)
    async def model(query: Annotated[ModelQuery, Query()]) -> ModelDescription:
        """Labels, input, stages, measured quality, model card, and the limits of this service."""
        return catalogue.describe(catalogue.get(query.model), service.limits)

    @router.get(
        "/v1/models",
        summary="List the served models",
        responses=_refusals("unauthorized", "internal"),
        dependencies=guards,
    )
    async def models() -> list[ModelSummary]:
        """The first one answers where a request names none."""
        return catalogue.summaries()

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> State:
        """Always, where it answers."""
        return State(status="alive")

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", summary="Does it take requests?", responses=_refusals("busy"))
    async def readyz() -> State:
        """Not while it starts or shuts down."""
        if not service.ready:
            raise Problem("busy", "the service starts or shuts down; ask another one", {"Retry-After": "1"})
        return State(status="ready")

    @router.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **_refusals("unauthorized")},
        dependencies=guards,
    )
    async def read_metrics() -> Response:
        """In Prometheus' text format."""
        return Response(service.metrics.text(), media_type=metrics.MEDIA_TYPE)

    return router


def _entry(answered: Answered) -> dict[str, Any]:
    """As `clothing predict --format json` prints it."""
    outcome = answered.outcome
    if isinstance(outcome, ImageError):
        return {"path": answered.name, **Prediction.failed(outcome).to_dict()}
    return {"path": answered.name, **outcome.prediction.to_dict(), **_class_map(outcome)}


def _class_map(answer: Answer) -> dict[str, Any]:
    if answer.class_map is None:
        return {}
    values = [[round(float(value), 4) for value in row] for row in answer.class_map]
    return {"class_map": {"label": answer.prediction.label, "values": values}}
