"""Whether the data are what they were thought to be: counts, density, distributions, and what a reader should be warned of."""

from typing import Any

from rankd_train.data.cleaning import Cleaned


def validate(cleaned: Cleaned) -> dict[str, Any]:
    users, items = cleaned.interactions.shape
    return {"users": users, "items": items, "events": len(cleaned.interactions.events)}
