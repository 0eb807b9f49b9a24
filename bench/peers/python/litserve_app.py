"""LitServe in front of ONNX Runtime: one inference worker per model, one HTTP server, ZeroMQ between them (`fast_queue`).

Requests for the ranker are batched, where that gained throughput; rows for the two small models are not: collecting them cost more
than running them together saved.
"""

import os

import litserve as ls
from fastapi import HTTPException
from models import BadRequest, open_infer, open_ranker, open_score


def checked(read):
    """What `read` refuses is the caller's mistake."""
    try:
        return read()
    except BadRequest as error:
        raise HTTPException(400, str(error)) from error
    except (KeyError, TypeError) as error:
        raise HTTPException(400, f"missing or mistyped: {error}") from error


class InferApi(ls.LitAPI):
    def setup(self, device):
        self.model = open_infer()

    def decode_request(self, request):
        return checked(lambda: self.model.matrix(request["x"]))

    def predict(self, matrix):
        return self.model.run(matrix)

    def encode_response(self, output):
        return {"y": output.tolist()}


class ScoreApi(ls.LitAPI):
    def setup(self, device):
        self.model = open_score()

    def decode_request(self, request):
        return checked(lambda: self.model.matrix(request["rows"]))

    def predict(self, matrix):
        return self.model.run(matrix)

    def encode_response(self, output):
        return {"scores": output.reshape(-1).tolist()}


class RankApi(ls.LitAPI):
    def setup(self, device):
        self.ranker = open_ranker()

    def decode_request(self, request):
        return checked(lambda: self.ranker.checked(request["user"], request["candidates"], request.get("k", 10)))

    def batch(self, requests):
        return requests

    def predict(self, requests):
        return self.ranker.rank_many(requests)

    def unbatch(self, answers):
        return answers

    def encode_response(self, ranked):
        return {"items": [{"id": item, "score": score} for item, score in zip(ranked.ids, ranked.scores)]}


if __name__ == "__main__":
    apis = [InferApi(api_path="/infer"), ScoreApi(api_path="/score"), RankApi(api_path="/rank", max_batch_size=16, batch_timeout=0.001)]
    server = ls.LitServer(apis, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(host="127.0.0.1", port=int(os.environ["PEER_PORT"]), num_api_servers=1, generate_client_file=False, log_level="warning", access_log=False)
