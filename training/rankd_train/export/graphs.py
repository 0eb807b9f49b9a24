"""ONNX and TorchScript of the same weights, and the proof that they compute the same."""

import logging
import warnings
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from rankd_train.errors import ExportMismatch

OPSET = 20
# fp32 sums in another order differ in the last digits: of the largest value where that is above one.
TOLERANCE = 2e-5


def export_graph(
    module: nn.Module, inputs: dict[str, Tensor], rows: dict[str, str], output: str, folder: Path, name: str
) -> None:
    """Writes `<name>.onnx` and `<name>.ts.pt`.

    inputs: an example of each, in the order of `forward`; rows: the symbol of each input's first axis (U or N)."""
    module = module.eval()
    # The exporter warns of operators of packages that are not here and not used.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    symbols = {symbol: torch.export.Dim(symbol, min=1) for symbol in set(rows.values())}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            folder / f"{name}.onnx",
            input_names=list(inputs),
            output_names=[output],
            dynamic_shapes=[{0: symbols[rows[key]]} for key in inputs],
            opset_version=OPSET,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        script = torch.jit.trace(module, tuple(inputs.values()), check_trace=False)
        script = torch.jit.freeze(script)
        torch.jit.save(script, folder / f"{name}.ts.pt")
    strip_onnx(folder / f"{name}.onnx")
    strip_torchscript(folder / f"{name}.ts.pt")


def strip_onnx(path: Path) -> None:
    """Removes what the exporter wrote about the machine it ran on: source paths, stack traces, the kind of build."""
    model = onnx.load(path)
    model.producer_version = torch.__version__.partition("+")[0]
    for owner in (
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ):
        del owner.metadata_props[:]
        if owner is not model:
            owner.ClearField("doc_string")
    del model.functions[:]
    onnx.checker.check_model(model)
    onnx.save(model, path)


def strip_torchscript(path: Path) -> None:
    """Removes the debug records, which hold the paths of the source files; the archive loads as well without them."""
    with zipfile.ZipFile(path) as archive:
        records = {entry.filename: archive.read(entry) for entry in archive.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in records.items():
            if not name.endswith(".debug_pkl"):
                archive.writestr(zipfile.ZipInfo(name), content)


def check_parity(folder: Path, name: str, cases: Sequence[dict[str, Tensor]], module: nn.Module) -> float:
    """Largest difference between PyTorch, TorchScript and ONNX Runtime over all cases.

    Raises ExportMismatch beyond TOLERANCE x the largest value (but at least one)."""
    script = torch.jit.load(folder / f"{name}.ts.pt")
    session = ort.InferenceSession(folder / f"{name}.onnx", providers=["CPUExecutionProvider"])
    largest = 0.0
    for case in cases:
        with torch.no_grad():
            expected = module(*case.values()).numpy()
            scripted = script(*case.values()).numpy()
        (served,) = session.run(None, {key: value.numpy() for key, value in case.items()})
        for form, got in (("TorchScript", scripted), ("ONNX Runtime", served)):
            if got.shape != expected.shape:
                raise ExportMismatch(f"{name}: {form} gives shape {got.shape}, PyTorch {expected.shape}")
            difference = float(np.abs(got - expected).max(initial=0.0))
            allowed = TOLERANCE * max(1.0, float(np.abs(expected).max(initial=0.0)))
            if not difference <= allowed:  # NaN is no agreement
                raise ExportMismatch(f"{name}: {form} differs from PyTorch by {difference:.2e} (allowed {allowed:.0e})")
            largest = max(largest, difference)
    return largest
