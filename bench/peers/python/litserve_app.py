"""LitServe in front of ONNX Runtime: one inference worker per model, one HTTP server, ZeroMQ between them (`fast_queue`)."""

import os

import litserve as ls
from fastapi import HTTPException
from models import BadRequest, open_infer, open_ranker, open_score

MAX_BATCH_SIZE = int(os.environ.get("PEER_MAX_BATCH_SIZE", "1"))
BATCH_TIMEOUT = float(os.environ.get("PEER_BATCH_TIMEOUT", "0"))
is_batching = MAX_BATCH_SIZE > 1


class PeerApi(ls.LitAPI):
    """Requests are collected as they are: `predict` takes a list of them when batching is on, else one."""

    def batch(self, inputs):
        return inputs

    def unbatch(self, outputs):
        return outputs


def checked(read):
    """What `read` refuses is the caller's mistake."""
    try:
        return read()
    except BadRequest as error:
        raise HTTPException(400, str(error)) from error
    except (KeyError, TypeError) as error:
        raise HTTPException(400, f"missing or mistyped: {error}") from error


class InferApi(PeerApi):
    def setup(self, device):
        self.model = open_infer()

    def decode_request(self, request):
        return checked(lambda: self.model.matrix(request["x"]))

    def predict(self, matrices):
        return self.model.run_many(matrices) if is_batching else self.model.run(matrices)

    def encode_response(self, output):
        return {"y": output.tolist()}


class ScoreApi(PeerApi):
    def setup(self, device):
        self.model = open_score()

    def decode_request(self, request):
        return checked(lambda: self.model.matrix(request["rows"]))

    def predict(self, matrices):
        return self.model.run_many(matrices) if is_batching else self.model.run(matrices)

    def encode_response(self, output):
        return {"scores": output.reshape(-1).tolist()}


class RankApi(PeerApi):
    def setup(self, device):
        self.ranker = open_ranker()

    def decode_request(self, request):
        return checked(lambda: self.ranker.checked(request["user"], request["candidates"], request.get("k", 10)))

    def predict(self, requests):
        return self.ranker.rank_many(requests) if is_batching else self.ranker.rank(*requests)

    def encode_response(self, ranked):
        return {"items": [{"id": item, "score": score} for item, score in zip(ranked.ids, ranked.scores)]}


if __name__ == "__main__":
    settings = {"max_batch_size": MAX_BATCH_SIZE, "batch_timeout": BATCH_TIMEOUT}
    apis = [InferApi(api_path="/infer", **settings), ScoreApi(api_path="/score", **settings), RankApi(api_path="/rank", **settings)]
    server = ls.LitServer(apis, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(host="127.0.0.1", port=int(os.environ["PEER_PORT"]), num_api_servers=1, generate_client_file=False, log_level="warning", access_log=False)
