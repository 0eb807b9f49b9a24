"""MovieLens 1M as He et al. (2017) cut it for NCF: the latest film of each user against 99 that were drawn."""

import gzip
import lzma
import re

import numpy as np
import polars as pl

from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.loaded import Given
from rankd_train.data.sets.movielens import AGE_BANDS, GROUPLENS_LICENCE, seconds_of_years
from rankd_train.data.snapshot import FoundSet, KnownFile, KnownSet

NEGATIVES = 99

# Of the codes 0 to 20 in users.dat, as the README of the set explains them.
OCCUPATIONS = (
    *("other", "academic or educator", "artist", "clerical or admin", "college or grad student", "customer service"),
    *("doctor or health care", "executive or managerial", "farmer", "homemaker", "K-12 student", "lawyer"),
    *("programmer", "retired", "sales or marketing", "scientist", "self-employed", "technician or engineer"),
    *("tradesman or craftsman", "unemployed", "writer"),
)


def read(found: FoundSet) -> tuple[Interactions, Given]:
    """Users and films are numbered as the split numbers them: from 0. Attributes: gender, age (band), occupation.

    The published training part is taken as implicit feedback; its ratings and times are not in these files."""
    train = read_pairs(lzma.decompress((found.folder / "ml-1m.train.pairs.tsv.xz").read_bytes()))
    test = read_pairs(gzip.decompress((found.folder / "ml-1m.test.rating.gz").read_bytes()))
    pairs = np.concatenate([train, test])
    events = Events(pairs[:, 0], pairs[:, 1], np.ones(len(pairs), dtype=np.float32))
    order = events.order()
    given = Given(np.repeat([False, True], [len(train), len(test)])[order], read_negatives(found, len(test)))
    return Interactions(read_users(found), read_items(found), events.where(order)), given


def read_pairs(content: bytes) -> np.ndarray:
    """[N, 2] int64: the first two columns of a tab-separated text."""
    return pl.read_csv(content, separator="\t", has_header=False, columns=[0, 1]).to_numpy()


def read_negatives(found: FoundSet, user_count: int) -> np.ndarray:
    """[U, 99] items. 156 of them are the user's own test item, which the original code then ranks once."""
    negatives = np.full((user_count, NEGATIVES), -1, dtype=np.int64)
    for line in lines_of(found, "ml-1m.test.negative.gz", "ascii"):
        pair, *items = line.split("\t")  # "(user,item)", then the items
        negatives[int(pair[1:].partition(",")[0])] = items
    return negatives


def read_users(found: FoundSet) -> Users:
    """Lines of UserID::Gender::Age::Occupation::Zip in the order of their ids; the split calls user n what they call n + 1."""
    rows = [line.split("::") for line in lines_of(found, "users.dat.gz", "ascii")]
    attributes = {
        "gender": [row[1] for row in rows],
        "age": [AGE_BANDS[int(row[2])] for row in rows],
        "occupation": [OCCUPATIONS[int(row[3])] for row in rows],
    }
    return Users(tuple(range(len(rows))), {name: np.array(values, dtype=object) for name, values in attributes.items()})


def read_items(found: FoundSet) -> Items:
    """The films of the split; those of movies.dat that nobody rated are not among them."""
    films = {}
    for line in lines_of(found, "movies.dat.gz", "latin-1"):  # MovieID::Title (Year)::Genre|Genre
        number, title, genres = line.split("::")
        films[int(number)] = (title, tuple(genres.split("|")))
    rows = [line.split("\t") for line in lines_of(found, "item_map.tsv.gz", "ascii")[1:]]  # ncf_item, MovieID
    known = [films[int(number)] for _, number in rows]
    matches = [re.fullmatch(r"(.*) \((\d{4})\)", title) for title, _ in known]
    titles = [match[1] if match else title for match, (title, _) in zip(matches, known)]
    return Items(
        ids=tuple(int(row[0]) for row in rows),
        text=tuple(" ".join((title, *genres)) for title, (_, genres) in zip(titles, known)),
        categories=tuple(genres for _, genres in known),
        created=seconds_of_years([int(match[2]) if match else None for match in matches]),
    )


def lines_of(found: FoundSet, name: str, encoding: str) -> list[str]:
    return gzip.decompress((found.folder / name).read_bytes()).decode(encoding).splitlines()


SET = KnownSet(
    name="ml-1m-ncf",
    title="MovieLens 1M, leave-one-out of NCF, 6,040 users x 3,706 films",
    licence=GROUPLENS_LICENCE,
    how_to_get="""\
neural_collaborative_filtering on GitHub (hexiangnan, Data/) has ml-1m.test.rating and ml-1m.test.negative; MovieLens 1M of
GroupLens has users.dat and movies.dat. ml-1m.train.pairs.tsv holds user and item of ml-1m.train.rating, item_map.tsv
(with a header) each item's MovieID. Compress the pairs with xz, the others with gzip.""",
    files={
        "ml-1m.train.pairs.tsv.xz": KnownFile(
            1_813_512, "a59824376014ee45e6c30e25262b4c95b4b8a4de37e77f89033b3388705cd8f6"
        ),
        "ml-1m.test.rating.gz": KnownFile(55_245, "b1c79b74e632123e78fce4a770d2c4060ff9854f206870c9358187a15a7e66da"),
        "ml-1m.test.negative.gz": KnownFile(
            1_206_017, "64a4a97e70c3be1f71cc383f01e37d1ef6e1afca0f7a74acc505f8d33fb9cf22"
        ),
        "item_map.tsv.gz": KnownFile(15_946, "1b24200b452c26c9c0d6eaa5c26d81fd2ccd4d153050deed54c966ba03cf87a0"),
        "movies.dat.gz": KnownFile(57_856, "3cad966a403e9e3521032b4c7344a6668c38189c66da4deab18fa5cc988608fd"),
        "users.dat.gz": KnownFile(40_735, "86d4292505a46372a27dc3772a27ddcf84db5453d5b19976a9365b32ab5c0e60"),
    },
    read=read,
)
