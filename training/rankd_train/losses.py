"""The losses, each beside the paper that it comes from."""

import torch
import torch.nn.functional as F
from torch import Tensor

from rankd_train.data.histories import Histories


def sampled_softmax_loss(positive: Tensor, negative: Tensor, expected: Tensor, targets: Histories) -> Tensor:
    """Softmax cross entropy against sampled negatives with logQ correction (Yi et al. 2019, equation 3).

    positive: [E] logits of the targets; negative: [U, S] logits of S items drawn once for the batch; expected: [S] how
    often each of them is expected among the S draws. Returns a scalar: mean over a user's targets, then over users with
    any (Liang et al. 2018). The correction makes the sum over the sample an unbiased estimate of the sum over all items;
    a target that is drawn as well counts twice, which few are."""
    rest = torch.logsumexp(negative - torch.log(expected), dim=1)  # (U,)
    loss = torch.logaddexp(positive, rest[targets.user]) - positive  # (E,)
    count = targets.counts()[:, 0]  # (U,)
    return (loss / count[targets.user]).sum() / (count > 0).sum().clamp(min=1)


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean log loss of independent yes/no answers (He et al. 2017, equation 7), from logits for numerical safety."""
    return F.binary_cross_entropy_with_logits(logits, labels)


def mean_squared_error(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of (sigmoid(logit) - label)^2, the loss of seed 001. Any shape, a single pair included."""
    return ((torch.sigmoid(logits) - labels) ** 2).mean()


def in_batch_softmax(logits: Tensor, log_q: Tensor, excluded: Tensor) -> Tensor:
    """Softmax cross entropy of each row's own item, on the diagonal, among the batch's items (Yi et al. 2019, equation 3).

    logits: (B, B); log_q: (B,), how likely each column's item stands in a batch; excluded: (B, B) bool. Returns a scalar."""
    corrected = (logits - log_q).masked_fill(excluded, -torch.inf)
    return F.cross_entropy(corrected, torch.arange(len(logits), device=logits.device))


def mask_users(user_row: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """Replaces user rows by 0, the unknown user, with the given probability. user_row: [U] int64."""
    known = torch.rand(user_row.shape, generator=generator) >= probability
    return user_row * known
