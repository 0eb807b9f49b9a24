"""Asks rankd for recommendations, rankings, scores and the outputs of any model; numpy in and out."""

from .answers import Feedback, Id, Item, Items, Scores, Tensors, Timing
from .async_client import AsyncClient
from .client import Client
from .errors import RankdError
from .requests import Event

__all__ = [
    "AsyncClient",
    "Client",
    "Event",
    "Feedback",
    "Id",
    "Item",
    "Items",
    "RankdError",
    "Scores",
    "Tensors",
    "Timing",
]
