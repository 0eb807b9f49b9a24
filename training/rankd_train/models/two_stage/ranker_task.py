"""Trains the ranker on requests with targets and drawn negatives, and asks it as serving would after every epoch."""

from collections.abc import Iterator

import torch
from torch import Tensor

from rankd_train.losses import binary_cross_entropy, mask_users
from rankd_train.models.two_stage.candidates import CandidateSet
from rankd_train.models.two_stage.config import RankerConfig
from rankd_train.models.two_stage.examples import RankerExamples, make_batch
from rankd_train.models.two_stage.ranker import Ranker
from rankd_train.training.order import epoch_generator, shuffled_batches


class RankerTask:
    """One batch is a set of requests; validation re-ranks what stage one retrieves for held-out items."""

    name = "ranker"
    metric = "val_ndcg@10"

    def __init__(
        self, model: Ranker, config: RankerConfig, examples: RankerExamples, validation: CandidateSet | None, seed: int
    ):
        """validation: None where a plan decides."""
        self.module = model
        self.config = config
        self.examples = examples
        self.validation = validation
        self.seed = seed
        counts = examples.targets.counts()[:, 0].long()
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), torch.cumsum(counts, 0)])

    def batches(self, epoch: int) -> Iterator[Tensor]:
        self.generator = epoch_generator(self.seed, epoch)
        return shuffled_batches(len(self.examples.user_row), self.config.batch_users, self.generator)

    def loss(self, requests: Tensor) -> Tensor:
        rows = make_batch(self.examples, self.starts, requests, self.config.negatives, self.generator)
        embedding_row = mask_users(rows.user_row, self.config.mask_embedding, self.generator)
        logits = self.module(rows.user_row, rows.history, rows.row_user, rows.item, rows.pair, embedding_row)
        return binary_cross_entropy(logits, rows.label)

    def validate(self) -> dict[str, float]:
        ranks = torch.cat(
            [self.target_ranks(users) for users in torch.arange(len(self.validation.user_row)).split(250)]
        )
        gain = torch.where(ranks < 10, 1 / torch.log2(ranks + 2.0), 0.0)
        return {"val_ndcg@10": float(gain.mean()), "val_hr@10": float((ranks < 10).float().mean())}

    def target_ranks(self, users: Tensor) -> Tensor:
        part = self.validation.select(users)
        return part.target_ranks(self.module(part.user_row, part.history(), part.row_user, part.item, part.pair))
