"""Trains the ranker on requests with targets and drawn negatives, and asks it as serving would after every epoch."""

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from rankd_train.config import RankerConfig
from rankd_train.evaluation.served import CandidateSet
from rankd_train.losses import binary_cross_entropy, mask_users
from rankd_train.models.ranker import Ranker
from rankd_train.training.ranker_examples import RankerExamples, make_batch


class RankerModule(LightningModule):
    """One batch is a set of requests; validation re-ranks what stage one retrieves for held-out items."""

    def __init__(
        self, model: Ranker, config: RankerConfig, examples: RankerExamples, validation: CandidateSet, seed: int
    ):
        super().__init__()
        self.model = model
        self.config = config
        self.examples = examples
        self.validation = validation
        self.generator = torch.Generator().manual_seed(seed)
        counts = examples.targets.counts()[:, 0].long()
        self.starts = torch.cat([torch.zeros(1, dtype=torch.long), torch.cumsum(counts, 0)])

    def training_step(self, batch: list[Tensor], _: int) -> Tensor:
        (requests,) = batch
        rows = make_batch(self.examples, self.starts, requests, self.config.negatives, self.generator)
        embedding_row = mask_users(rows.user_row, self.config.mask_embedding, self.generator)
        logits = self.model(rows.user_row, rows.history, rows.row_user, rows.item, rows.pair, embedding_row)
        loss = binary_cross_entropy(logits, rows.label)
        self.log("train_loss", loss.detach(), on_epoch=True, on_step=False, prog_bar=True, batch_size=len(rows.label))
        return loss

    def validation_step(self, batch: list[Tensor], _: int) -> None:
        (users,) = batch
        part = self.validation.select(users)
        scores = self.model(part.user_row, part.history(), part.row_user, part.item, part.pair)
        rank = part.target_ranks(scores)  # (U,)
        gain = torch.where(rank < 10, 1 / torch.log2(rank + 2.0), 0.0)
        self.log("val_ndcg@10", gain.mean(), prog_bar=True, batch_size=len(users))
        self.log("val_hr@10", (rank < 10).float().mean(), prog_bar=True, batch_size=len(users))

    def configure_optimizers(self) -> dict:
        config = self.config
        optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay, fused=True
        )
        scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer,
            mode="max",
            factor=config.scheduler_factor,
            patience=config.scheduler_patience,
            min_lr=config.min_learning_rate,
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": scheduler, "monitor": "val_ndcg@10"}}
