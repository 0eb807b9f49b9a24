"""Publishes a bundle by rename: whoever looks sees all of it or nothing."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

from rankd_train.errors import TrainError
from rankd_train.export.native_tool import NativeTool
from rankd_train.export.whole_folder import whole_folder


def publish(bundle: Path, models: Path, replace: bool = False) -> Path:
    """Copies a bundle folder to models/<name>/<version> and makes it the champion; the server sees it at its next look.

    Raises ExportMismatch when the engine refuses the bundle, and TrainError when the version is there already."""
    manifest = read_manifest(bundle)
    target = find_place(models, manifest["name"], manifest["version"], replace)
    root = target.parent
    NativeTool.find().verify(bundle)
    with whole_folder(target) as staged:
        shutil.copytree(bundle, staged, dirs_exist_ok=True)
    name_champion(root / "aliases.json", manifest["version"])
    return target


def find_place(models: Path, name: str, version: str, replace: bool = False) -> Path:
    """Where a bundle will lie. Raises TrainError when that version is there already."""
    target = models / name / version
    if target.exists() and not replace:
        raise TrainError(
            f"{target} is there already: give `bundle.version` of the recipe a new number, or replace it with --replace"
        )
    return target


def read_manifest(bundle: Path) -> dict[str, Any]:
    path = bundle / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        return {key: manifest[key] for key in ("name", "version")}
    except OSError as error:
        raise TrainError(f"{bundle} is no bundle: it has no manifest.json; `rankd-train export` makes one") from error
    except (ValueError, KeyError, TypeError) as error:
        raise TrainError(f"{path} is not a manifest: {error!r}") from error


def name_champion(path: Path, version: str) -> None:
    aliases = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    staged = path.with_suffix(".tmp")
    staged.write_text(json.dumps({**aliases, "champion": version}, indent=2) + "\n", encoding="utf-8")
    os.replace(staged, path)
