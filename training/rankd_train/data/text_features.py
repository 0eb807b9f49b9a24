"""Item texts as vectors: TF-IDF cut by truncated SVD, a column per direction."""

import numpy as np

from rankd_train.data.config import FeatureConfig
from rankd_train.data.feature_columns import Column
from rankd_train.models.content import ContentConfig, embed_texts

# From so many texts on, terms of one or two texts and terms of nearly every fifth are left out: they say nothing.
MANY_TEXTS = 500


def text_columns(texts: tuple[str, ...], config: FeatureConfig, seed: int) -> list[Column]:
    """Rows of unit length have entries in [-1, 1]; (x + 1) / 2 brings them to [0, 1], and the empty text to 0.5."""
    many = len(texts) >= MANY_TEXTS
    content = ContentConfig(
        dim=config.text_dim,
        max_terms=config.max_terms,
        min_texts_per_term=3 if many else 1,
        max_share=0.2 if many else 1.0,
    )
    vectors = embed_texts(texts, content, seed)  # (I, D)
    vectors[~vectors.any(axis=1)] = np.nan
    return [
        Column(f"text_{place}", "tf-idf", vectors[:, place], {"kind": "signed"}, 0.5)
        for place in range(vectors.shape[1])
    ]
