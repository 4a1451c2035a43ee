"""The addresses of the API, their parameters and their answers."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from starlette.responses import JSONResponse

from clothing_classifier.errors import ImageError
from clothing_classifier.inference import Prediction, PredictOptions
from clothing_classifier.serving import metrics, problems
from clothing_classifier.serving.problems import Problem
from clothing_classifier.serving.security import bearer_token
from clothing_classifier.serving.served_models import ModelDescription, ModelSummary
from clothing_classifier.serving.service import Outcome, Service


class ModelQuery(BaseModel):
    """Which model is meant."""

    model_config = ConfigDict(extra="forbid")
    model: str | None = Field(None, description="Name of a served model. Default: the first one.")


class PredictQuery(ModelQuery):
    """Options of a prediction."""

    top: int = Field(3, ge=1, le=1000, description="Candidates listed for each photo.")
    min_precision: float | None = Field(
        None, gt=0, le=1, allow_inf_nan=False, description="Abstain where this precision was not kept on validation."
    )
    class_map: bool = Field(False, description="Add the class activation map of the predicted class.")


class ClassMap(BaseModel):
    """Evidence for `label` in each cell of a grid over the model's square: its mean plus a bias is the logit."""

    label: str
    values: list[list[float]]


@dataclass(frozen=True, kw_only=True)
class PhotoPrediction(Prediction):
    """One photo; `path` is the file name that the client gave, made safe, or `body`."""

    path: str
    class_map: ClassMap | None = None


class Predictions(BaseModel):
    """The photos' predictions, in their order; `version` is the SHA-256 of the model's bundle."""

    model: str
    version: str
    predictions: list[PhotoPrediction]


_REFUSAL: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem document (RFC 9457); `detail` says what to do.",
        "content": {
            problems.MEDIA_TYPE: {"schema": {"type": "object", "required": ["type", "title", "status", "detail"]}}
        },
    }
}
_BINARY = {"type": "string", "format": "binary"}
_UPLOAD = {
    "required": True,
    "description": "One or many files as a form, under any field names, or one image as the whole body.",
    "content": {
        "multipart/form-data": {"schema": {"type": "object", "additionalProperties": _BINARY, "minProperties": 1}},
        **{kind: {"schema": _BINARY} for kind in ("image/jpeg", "image/png", "application/octet-stream")},
    },
}


def create_router(service: Service, token: str | None) -> APIRouter:
    """The API's addresses; those under /v1 and /metrics ask for `token`, where there is one."""
    open_router, router = APIRouter(responses=_REFUSAL), APIRouter(dependencies=bearer_token(token))
    models = service.models

    @router.post(
        "/v1/predict",
        summary="Classify photos",
        response_model=Predictions,
        openapi_extra={"requestBody": _UPLOAD},
    )
    async def predict(request: Request, query: Annotated[PredictQuery, Query()]) -> Response:
        """Of several photos a bad one has its reason in `error`; a single bad one is refused with a problem."""
        classifier = models.get(query.model)
        options = PredictOptions(query.top, query.min_precision)
        outcomes = await service.predict(request, classifier, options, query.class_map)
        about = {"model": classifier.manifest.name, "version": classifier.bundle.sha256}
        return JSONResponse(about | {"predictions": [{"path": name, **_fields(one)} for name, one in outcomes]})

    @router.get("/v1/model", summary="Describe a served model")
    async def model(query: Annotated[ModelQuery, Query()]) -> ModelDescription:
        """Labels, input, stages, measured quality, model card, and the limits of this service."""
        return models.describe(models.get(query.model), service.limits)

    @router.get("/v1/models", summary="List the served models")
    async def list_models() -> list[ModelSummary]:
        """The first one is the default."""
        return models.summaries()

    @open_router.head("/healthz", include_in_schema=False)
    @open_router.get("/healthz", summary="Is the process alive?")
    async def healthz() -> dict[str, str]:
        """Whenever it answers."""
        return {"status": "alive"}

    @open_router.head("/readyz", include_in_schema=False)
    @open_router.get("/readyz", summary="Does it take requests?")
    async def readyz() -> dict[str, str]:
        """Not while it starts or shuts down."""
        if not service.is_ready:
            raise Problem("busy", "the service starts or shuts down; ask another one", {"Retry-After": "1"})
        return {"status": "ready"}

    @router.get(
        "/metrics",
        summary="Counters for Prometheus",
        response_class=Response,
        responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )
    async def read_metrics() -> Response:
        """In Prometheus' text format."""
        return Response(service.metrics.text(), media_type=metrics.MEDIA_TYPE)

    open_router.include_router(router)
    return open_router


def _fields(outcome: Outcome) -> dict[str, Any]:
    """As `clothing predict --format json` prints it."""
    if isinstance(outcome, ImageError):
        return Prediction.failed(outcome).to_dict()
    fields = outcome.prediction.to_dict()
    if outcome.class_map is not None:
        values = [[round(float(value), 4) for value in row] for row in outcome.class_map]
        fields["class_map"] = {"label": outcome.prediction.label, "values": values}
    return fields
