"""Descriptions as vectors: TF-IDF, then truncated SVD (latent semantic analysis, Deerwester et al. 1990)."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

# Words of letters and digits, with the inner marks that package names and tags carry: libfmt-dev, c++, role::program.
TOKEN = r"(?u)\b[a-z0-9][a-z0-9+.:_-]*[a-z0-9+]"


@dataclass(frozen=True)
class ContentConfig:
    dim: int = 48
    max_terms: int = 40_000
    min_texts_per_term: int = 3
    # A term in more than this share of all texts says nothing.
    max_share: float = 0.2


def embed_texts(texts: tuple[str, ...], config: ContentConfig, seed: int) -> np.ndarray:
    """[len(texts), dim] float32, rows of unit length (zeros for a text without a known term): dot product = cosine.

    Fewer columns where there are fewer terms, none where no term is left."""
    vectorizer = TfidfVectorizer(
        token_pattern=TOKEN,
        stop_words="english",
        sublinear_tf=True,
        min_df=config.min_texts_per_term,
        max_df=config.max_share,
        max_features=config.max_terms,
        dtype=np.float32,
    )
    try:
        terms = vectorizer.fit_transform(texts)
    except ValueError:  # every term is too rare or too frequent, or there is none
        return np.zeros((len(texts), 0), dtype=np.float32)
    if terms.shape[1] < 2:  # one term tells texts apart no better than none
        return np.zeros((len(texts), 0), dtype=np.float32)
    svd = TruncatedSVD(min(config.dim, *terms.shape), algorithm="randomized", n_iter=4, random_state=seed)
    vectors = svd.fit_transform(terms)
    return unit_rows(vectors.astype(np.float32))


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(norms, 1e-12)
