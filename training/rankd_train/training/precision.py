"""Mixed precision: forward passes in 16 bits, weights and steps in 32."""

import torch

from rankd_train.progress import tell
from rankd_train.training.optimiser import OptimiserConfig


class Precision:
    """fp16 keeps few exponents, so its loss is scaled up until gradients overflow, and such a step is left out
    (Micikevicius et al. 2018, section 3.2). bf16 has the exponents of fp32 and needs no scaling."""

    def __init__(self, config: OptimiserConfig, device: torch.device):
        wanted = config.precision
        if wanted == "fp16" and device.type == "cpu":
            tell("fp16 has no fast arithmetic on a processor: training in bf16 instead")
            wanted = "bf16"
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[wanted]
        self.device = device
        self.scaler = torch.amp.GradScaler(device.type, enabled=wanted == "fp16")

    def forward(self) -> torch.autocast:
        """The context of a forward pass."""
        return torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32)
