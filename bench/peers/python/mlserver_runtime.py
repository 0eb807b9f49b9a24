"""Inference runtimes for MLServer: what a user writes to serve ONNX files there (it ships no runtime for them).

The V2 protocol's tensors are [requests, …] throughout, as adaptive batching needs it: MLServer joins requests along the first axis and
splits the answer again. `rank` takes user [B, 1], candidates [B, C] and k [B, 1], INT64, and answers id and score [B, k].
"""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.errors import InferenceError
from mlserver.types import InferenceRequest, InferenceResponse
from models import BadRequest, open_infer, open_ranker, open_score


class OnnxModel(MLModel):
    """A float32 matrix in, a float32 matrix out."""

    def open(self):
        raise NotImplementedError

    async def load(self) -> bool:
        self._model = self.open()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        if len(payload.inputs) != 1:
            raise InferenceError(f"expected one input, got {len(payload.inputs)}")
        try:
            matrix = self._model.matrix(NumpyCodec.decode_input(payload.inputs[0]))
        except BadRequest as error:
            raise InferenceError(str(error)) from error
        output = NumpyCodec.encode_output(name=self.output, payload=self._model.run(matrix))
        return InferenceResponse(model_name=self.name, outputs=[output])


class InferModel(OnnxModel):
    output = "y"

    def open(self):
        return open_infer()


class ScoreModel(OnnxModel):
    output = "score"

    def open(self):
        return open_score()


class RankModel(MLModel):
    async def load(self) -> bool:
        self._ranker = open_ranker()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        tensors = {tensor.name: NumpyCodec.decode_input(tensor).tolist() for tensor in payload.inputs}
        try:
            requests = [
                self._ranker.checked(user, candidates, k)
                for (user,), candidates, (k,) in zip(tensors["user"], tensors["candidates"], tensors["k"], strict=True)
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise InferenceError(f"expected user [B, 1], candidates [B, C] and k [B, 1]: {error}") from error
        ranked = self._ranker.rank_many(requests)
        if len({len(answer.ids) for answer in ranked}) != 1:  # a tensor has no ragged rows
            raise InferenceError("expected the same k for all, and at least k known candidates each")
        outputs = [
            NumpyCodec.encode_output(name="id", payload=np.array([answer.ids for answer in ranked])),
            NumpyCodec.encode_output(name="score", payload=np.array([answer.scores for answer in ranked])),
        ]
        return InferenceResponse(model_name=self.name, outputs=outputs)
