"""What a table gives back: the values after narrowing, exactly as the engine widens them again."""

import numpy as np


def as_f16(values: np.ndarray) -> np.ndarray:
    """Half precision, to the nearest, ties to even; returned as float32."""
    return values.astype(np.float16).astype(np.float32)


def as_i8(values: np.ndarray) -> np.ndarray:
    """One scale per row: the largest magnitude / 127. values: [rows, width]; returned as float32."""
    values = values.astype(np.float32)
    scale = np.abs(values).max(axis=1, keepdims=True) / np.float32(127)
    steps = np.divide(values, scale, out=np.zeros_like(values), where=scale > 0)
    return np.rint(np.clip(steps, -127, 127)) * scale


NARROW = {"f32": lambda values: values.astype(np.float32), "f16": as_f16, "i8": as_i8}
