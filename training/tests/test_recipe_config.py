"""Recipes: the family's own keys, changes from the command line, and what each slip is answered with."""

import pytest

from rankd_train.errors import ConfigError
from rankd_train.recipe_config import load_recipe

RECIPE = """
bundle: {name: shop, version: 1.0.0}
data: {table: {path: orders.csv, user: customer, item: article}}
model: {name: ease, l2: 100}
"""


def written(tmp_path, text=RECIPE):
    path = tmp_path / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_recipe_names_its_family_and_fills_the_rest_with_defaults(tmp_path):
    recipe = load_recipe(written(tmp_path))
    assert (recipe.family, recipe.model.l2, recipe.seed) == ("ease", 100.0, 0)
    assert recipe.split.ratios == (0.7, 0.1, 0.2)
    assert recipe.folder == str(tmp_path)


def test_the_command_line_changes_keys_and_groups_that_are_not_there_yet(tmp_path):
    changes = ["model.l2=5", "split.kind=random", "split.ratios=[0.8, 0.1, 0.1]"]
    recipe = load_recipe(written(tmp_path), changes)
    assert (recipe.model.l2, recipe.split.kind, recipe.split.ratios) == (5.0, "random", (0.8, 0.1, 0.1))


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        ("", [], "must be a mapping of keys"),
        ("a: [", [], "is not valid YAML"),
        ("bundle: {name: x, version: 1.0.0}", [], 'missing key "model.name"'),
        (RECIPE, ["bundle.name=my shop"], '"bundle.name" must be letters'),
        (RECIPE, ["bundle.version=1.0.0-beta"], '"bundle.version" must be three numbers'),
        (RECIPE, ["bundle.k=0"], '"bundle.k" must be from 1 to 10,000, got 0'),
        (RECIPE.replace("ease", "easy"), [], 'unknown model "easy"; known are: als, '),
        (RECIPE.replace("l2", "l3"), [], 'unknown key "model.l3"; known are: '),
        (RECIPE, ["model.l2"], "--set takes KEY=VALUE"),
        (RECIPE, ["seed.x=1"], '"seed" must be int'),
        (RECIPE + "family: ease", [], 'unknown key "family"'),
    ],
)
def test_a_slip_is_named(tmp_path, text, changes, message):
    with pytest.raises(ConfigError) as raised:
        load_recipe(written(tmp_path, text), changes)
    assert message in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"cannot read the recipe .*nothing\.yaml"):
        load_recipe(tmp_path / "nothing.yaml")
