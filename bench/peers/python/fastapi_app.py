"""FastAPI in front of ONNX Runtime, one uvicorn worker.

Request and response models are declared, so that Pydantic reads and writes the JSON in Rust (FastAPI's own advice over other JSON
libraries). The handlers are coroutines: a run is shorter than the hand-over to a thread of the pool and back.
"""

import os

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from models import BadRequest, open_infer, open_ranker, open_score
from pydantic import BaseModel, Field

app = FastAPI()
infer_model, score_model, ranker = open_infer(), open_score(), open_ranker()


class InferRequest(BaseModel):
    x: list[list[float]]


class InferAnswer(BaseModel):
    y: list[list[float]]


class ScoreRequest(BaseModel):
    rows: list[list[float]]


class ScoreAnswer(BaseModel):
    scores: list[float]


class RankRequest(BaseModel):
    user: int
    candidates: list[int]
    k: int = Field(10, ge=1)


class Item(BaseModel):
    id: int
    score: float


class RankAnswer(BaseModel):
    items: list[Item]


@app.exception_handler(BadRequest)
async def bad_request(_: Request, error: BadRequest) -> JSONResponse:
    return JSONResponse({"error": str(error)}, status_code=400)


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"ready": True}


@app.post("/infer")
async def infer(request: InferRequest) -> InferAnswer:
    return InferAnswer(y=infer_model.run(infer_model.matrix(request.x)).tolist())


@app.post("/score")
async def score(request: ScoreRequest) -> ScoreAnswer:
    return ScoreAnswer(scores=score_model.run(score_model.matrix(request.rows)).reshape(-1).tolist())


@app.post("/rank")
async def rank(request: RankRequest) -> RankAnswer:
    ranked = ranker.rank(request.user, request.candidates, request.k)
    return RankAnswer(items=[Item(id=item, score=score) for item, score in zip(ranked.ids, ranked.scores)])


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PEER_PORT"]), loop="uvloop", http="httptools", access_log=False, log_level="warning")
