"""MovieLens 100K: ratings from 1 to 5 with times; who rated, and what."""

import polars as pl

from rankd_train.data.interactions import Events, Interactions, Items, Users
from rankd_train.data.sets.movielens import GROUPLENS_LICENCE, age_band, seconds_of_years
from rankd_train.data.snapshot import FoundSet, KnownFile, KnownSet


def read(found: FoundSet) -> tuple[Interactions, None]:
    """Users and films carry their own numbers. Attributes: gender, age (band), occupation."""
    ratings, users, items = (
        read_atomic(found, f"ml-100k.{part}.gz", by)
        for part, by in (("inter", None), ("user", "user_id"), ("item", "item_id"))
    )
    events = Events(
        user=users["user_id"].search_sorted(ratings["user_id"]).to_numpy().astype("int64"),
        item=items["item_id"].search_sorted(ratings["item_id"]).to_numpy().astype("int64"),
        value=ratings["rating"].cast(pl.Float32).to_numpy(),
        time=ratings["timestamp"].cast(pl.Float64).cast(pl.Int64).to_numpy(),
    )
    attributes = {
        "gender": users["gender"].to_numpy(),
        "age": users["age"].map_elements(lambda years: age_band(int(years)), return_dtype=pl.String).to_numpy(),
        "occupation": users["occupation"].to_numpy(),
    }
    genres = tuple(tuple((text or "").split()) for text in items["class"])
    titles = tuple(title or "" for title in items["movie_title"])
    years = [int(year) if year and year.isdigit() else None for year in items["release_year"]]
    films = Items(
        ids=tuple(items["item_id"]),
        text=tuple(" ".join((title, *kinds)) for title, kinds in zip(titles, genres)),
        categories=genres,
        created=seconds_of_years(years),
    )
    people = Users(tuple(users["user_id"]), attributes)
    return Interactions(people, films, events.where(events.order()), explicit=True), None


def read_atomic(found: FoundSet, name: str, by: str | None) -> pl.DataFrame:
    """RecBole's atomic file: tab-separated, `name:type` as header; ids as numbers, all else as text. Sorted `by` its id."""
    frame = pl.read_csv(found.folder / name, separator="\t", infer_schema=False, quote_char=None)
    frame = frame.rename({column: column.partition(":")[0] for column in frame.columns})
    frame = frame.with_columns(pl.col(r"^(user|item)_id$").cast(pl.Int64))
    return frame if by is None else frame.sort(by)


SET = KnownSet(
    name="ml-100k",
    title="MovieLens 100K, 100,000 ratings of 943 users",
    licence=GROUPLENS_LICENCE,
    how_to_get="""\
RecBole on GitHub (RUCAIBox, dataset/ml-100k) has the three files, to be compressed with gzip; the package `recbole`
carries them, too, below recbole/dataset_example/ml-100k.""",
    files={
        "ml-100k.inter.gz": KnownFile(827_989, "deb10cf94779ca27e39881eb0e0bd0474e6f72463b337cc0dc5ad7e0d7ca0dc4"),
        "ml-100k.user.gz": KnownFile(7_876, "18c1c2bf768cfeb26e0ea70a61950a7b02d8e0fda313f977e45ead6fdb51f08c"),
        "ml-100k.item.gz": KnownFile(24_602, "f6985910a39c0d361fc394ea63efdf72fd9158c95ecc0bd50e4acff3a082dcad"),
    },
    read=read,
)
