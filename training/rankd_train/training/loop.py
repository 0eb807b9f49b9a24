"""What every training run tells Lightning: seeds, checkpoints, early stopping, history."""

import logging
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint, TQDMProgressBar
from torch.utils.data import DataLoader

from rankd_train.errors import TrainError


@dataclass(frozen=True)
class Fitted:
    """What a run leaves: the module holds the best epoch's weights."""

    history: list[dict[str, float]]  # one entry per epoch
    best_epoch: int  # counted from 0
    checkpoints: Path


class EpochHistory(Callback):
    """Collects every logged metric after each epoch, and prints it in one line."""

    def __init__(self, name: str):
        self.name = name
        self.epochs: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        metrics = {key: round(float(value), 6) for key, value in trainer.callback_metrics.items()}
        metrics["learning_rate"] = trainer.optimizers[0].param_groups[0]["lr"]
        self.epochs.append({"epoch": trainer.current_epoch, **metrics})
        print(
            f"  {self.name} epoch {trainer.current_epoch}: " + " ".join(f"{k} {v:.4g}" for k, v in metrics.items()),
            flush=True,
        )


def fit(
    module: pl.LightningModule,
    train: DataLoader,
    validation: DataLoader,
    folder: Path,
    monitor: str,
    max_epochs: int,
    patience: int,
) -> Fitted:
    """Trains until `monitor` (higher is better) has not risen for `patience` epochs, then loads the best epoch."""
    history = EpochHistory(folder.name)
    checkpoint = ModelCheckpoint(
        folder, filename="{epoch}", monitor=monitor, mode="max", save_top_k=-1, enable_version_counter=False
    )
    stopping = EarlyStopping(monitor, patience=patience, mode="max")
    trainer = make_trainer(max_epochs, [checkpoint, stopping, history])
    trainer.fit(module, train, validation)
    if not checkpoint.best_model_path:
        raise TrainError(f"{folder.name}: no epoch was finished")
    best = torch.load(checkpoint.best_model_path, weights_only=True)
    module.load_state_dict(best["state_dict"])
    module.eval()
    return Fitted(history.epochs, int(best["epoch"]), folder)


def fit_epochs(module: pl.LightningModule, train: DataLoader, epochs: int) -> None:
    """Trains for a number of epochs found elsewhere, without looking at any held-out item."""
    trainer = make_trainer(epochs, [], limit_val_batches=0)
    trainer.fit(module, train)
    module.eval()


def make_trainer(epochs: int, callbacks: list[Callback], **options: Any) -> pl.Trainer:
    quiet_lightning()
    return pl.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        deterministic=True,
        logger=False,
        enable_checkpointing=any(isinstance(callback, ModelCheckpoint) for callback in callbacks),
        enable_model_summary=False,
        num_sanity_val_steps=0,
        enable_progress_bar=sys.stderr.isatty(),
        callbacks=[*callbacks, TQDMProgressBar(refresh_rate=20)] if sys.stderr.isatty() else callbacks,
        **options,
    )


def quiet_lightning() -> None:
    """Its hints on workers and devices do not apply: the data are in memory and the device is the processor."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"lightning\.")
    warnings.filterwarnings("ignore", message=".*isinstance.treespec.*")
