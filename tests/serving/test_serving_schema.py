"""schemathesis over the OpenAPI document: what it makes up is answered as the document says, and never with a 500."""

import pytest
import schemathesis
from helpers.running import IMAGES, Server, ask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

pytestmark = pytest.mark.slow

PATHS = ("/v1/predict", "/v1/model", "/v1/models", "/healthz", "/readyz", "/metrics")
schemathesis.openapi.media_type("image/png", st.sampled_from([path.read_bytes() for path in IMAGES[:5]]))


# Not by schemathesis' own decorator, which reaches into pytest's insides and trips over those of pytest 9.
@pytest.mark.parametrize(
    ("path", "mode"),
    [(path, GenerationMode.POSITIVE) for path in PATHS]
    + [(path, GenerationMode.NEGATIVE) for path in ("/v1/predict", "/v1/model")],  # the others have no parameters
)
def test_answers_are_as_the_document_says(server: Server, path: str, mode: GenerationMode) -> None:
    document = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    operation = document[path]["POST" if path == "/v1/predict" else "GET"]
    # Bytes that the document allows need not be an image, nor those that it forbids none.
    unfit = [CHECKS.get_one(name) for name in ("positive_data_acceptance", "negative_data_rejection")]

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def answered(case: schemathesis.Case) -> None:
        case.call_and_validate(excluded_checks=unfit)

    answered()


def test_the_document_names_every_address(server: Server) -> None:
    document = ask(server, "/openapi.json").json()
    assert set(document["paths"]) == set(PATHS)
    assert document["info"]["title"] == "Clothing Classifier"
