"""`clothing serve`: predictions over HTTP."""

from dataclasses import replace
from typing import Annotated, Any

import typer

from clothing_classifier.cli.common import app, needs


@app.command(epilog="Example: clothing serve --port 8080 --model wardrobe --model my-bundle")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; a public one needs a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="Port; 0 lets the system choose.")] = 8000,
    model: Annotated[
        list[str] | None, typer.Option(help="A model to serve; may be repeated, the first is the default.")
    ] = None,
    no_auth: Annotated[bool, typer.Option("--no-auth", help="Require no token on a public address.")] = False,
    queue: Annotated[int | None, typer.Option(min=1, help="Photos that may wait; beyond it, clients get 503.")] = None,
    batch: Annotated[int | None, typer.Option(min=1, max=256, help="Maximum batch size.")] = None,
    deadline: Annotated[
        float | None, typer.Option(min=0.1, max=3600, help="Seconds until a waiting request gets 503.")
    ] = None,
) -> None:
    """Classify photos over HTTP, by an API and a web page. Clients send the token in $CLOTHING_TOKEN, if it is set."""
    with needs("serve"):
        from clothing_classifier.serving.limits import DEFAULT_SERVICE_LIMITS
        from clothing_classifier.serving.run import serve as serve_models
    limits: dict[str, Any] = {"queue": queue, "batch": batch, "deadline": deadline}
    given = {name: value for name, value in limits.items() if value is not None}
    serve_models(model or (), host, port, no_auth, replace(DEFAULT_SERVICE_LIMITS, **given))
