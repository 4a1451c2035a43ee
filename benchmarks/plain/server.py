"""The handler that a tutorial would write: FastAPI, one photo a call, in its pool of threads; no queue, no batches."""

import sys

import uvicorn
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool

from clothing_classifier import Classifier

app = FastAPI()
classifier = Classifier.load(sys.argv[1])


@app.post("/v1/predict")
async def predict(request: Request) -> dict[str, object]:
    """Label the photo that is the body."""
    photo = await request.body()
    return (await run_in_threadpool(classifier.predict, photo)).to_dict()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), http="h11", loop="asyncio", access_log=False, log_level="warning")
